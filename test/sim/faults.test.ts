import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/sim/index.ts';
import { Network } from '../../src/sim/index.ts';
import { Recorder } from './toys.ts';

/** Sends datagrams 0 to 3 from a to b, 10 ms apart, with faults planned; what b heard, and when. */
function withFaults(...faults: (readonly [number, Fault])[]) {
  const net = new Network({ seed: 1 });
  const hostA = net.host('192.0.2.1');
  const hostB = net.host('192.0.2.2');
  const a = new Recorder('192.0.2.1');
  const b = new Recorder('192.0.2.2');
  const alice = hostA.attach(a);
  const bob = hostB.attach(b);
  const link = net.direction(hostA, hostB);
  for (const [index, fault] of faults) link.inject(index, fault);
  for (let i = 0; i < 4; i++) alice.at(i * 10, () => a.send(b, [i, i]));
  net.run();
  return { net, link, heard: bob.events.map(({ at, event }) => [at, ...event.bytes]) };
}

describe('a scripted fault', () => {
  it('drops the datagram it names', () => {
    const { net, heard } = withFaults([1, { type: 'drop' }]);
    expect(heard).toEqual([
      [1, 0, 0],
      [21, 2, 2],
      [31, 3, 3],
    ]);
    expect(net.datagrams[1]).toMatchObject({ fate: 'dropped', linkIndex: 1, arrivals: [] });
  });

  it('duplicates, at once or later', () => {
    const { heard } = withFaults([0, { type: 'duplicate' }], [1, { type: 'duplicate', delay: 15 }]);
    expect(heard).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [11, 1, 1],
      [21, 2, 2],
      [26, 1, 1],
      [31, 3, 3],
    ]);
  });

  it('delays, and later datagrams overtake', () => {
    const { heard } = withFaults([1, { type: 'delay', by: 1000 }]);
    expect(heard.map(([at, id]) => [at, id])).toEqual([
      [1, 0],
      [21, 2],
      [31, 3],
      [1011, 1],
    ]);
  });

  it('swaps with the next: it arrives right behind it', () => {
    const { net, heard } = withFaults([1, { type: 'swap' }]);
    expect(heard.map(([at, id]) => [at, id])).toEqual([
      [1, 0],
      [21, 2],
      [21, 1],
      [31, 3],
    ]);
    expect(net.counts).toMatchObject({ delivered: 4, 'in-flight': 0 });
  });

  it('swaps even when the next one is lost, and is a second late without a next', () => {
    const { heard } = withFaults([1, { type: 'swap' }], [2, { type: 'drop' }], [3, { type: 'swap' }]);
    expect(heard.map(([at, id]) => [at, id])).toEqual([
      [1, 0],
      [21, 1],
      [1031, 3],
    ]);
  });

  it('arrives once, when the next comes only after it has stopped waiting', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder('192.0.2.1');
    const b = new Recorder('192.0.2.2');
    const alice = net.host('192.0.2.1').attach(a);
    const bob = net.host('192.0.2.2').attach(b);
    net.direction(alice.host, bob.host).inject(0, { type: 'swap' });
    alice.at(0, () => a.send(b, [0]));
    alice.at(2000, () => a.send(b, [1]));
    net.run();
    expect(bob.events.map(({ at }) => at)).toEqual([1001, 2001]);
  });

  it('corrupts the byte it names, all bits of the first by default', () => {
    const { net, heard } = withFaults(
      [0, { type: 'corrupt' }],
      [1, { type: 'corrupt', offset: 3, mask: 0x80 }],
    );
    expect(heard.slice(0, 2)).toEqual([
      [1, 0xff, 0],
      [11, 1, 0x81],
    ]);
    expect(net.datagrams.map(({ corrupted }) => corrupted)).toEqual([true, true, false, false]);
  });

  it('cuts the direction from there on, until it is healed', () => {
    const { net, link, heard } = withFaults([2, { type: 'cut' }]);
    expect(heard.map(([, id]) => id)).toEqual([0, 1]);
    expect(net.datagrams.slice(2).map(({ fate }) => fate)).toEqual(['cut', 'cut']);
    expect([link.isCut, link.offered]).toEqual([true, 4]);
  });

  it('cannot be planned for a datagram that has gone', () => {
    const { link } = withFaults();
    expect(() => link.inject(3, { type: 'drop' })).toThrow('an index not offered yet, 4 or more');
  });

  it('is refused with a value out of its range', () => {
    const { link } = withFaults();
    expect(() => link.inject(9, { type: 'delay', by: -1 })).toThrow('"by"');
    expect(() => link.inject(9, { type: 'duplicate', delay: NaN })).toThrow('"delay"');
    expect(() => link.inject(9, { type: 'corrupt', offset: -1 })).toThrow('"offset"');
    expect(() => link.inject(9, { type: 'corrupt', mask: 0 })).toThrow('"mask"');
  });
});
