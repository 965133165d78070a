import { describe, expect, it } from 'vitest';
import type { PlannedFault } from '../../src/sim/index.ts';
import { applyFaults, Network } from '../../src/sim/index.ts';
import { Recorder } from './toys.ts';

/** Datagrams 0 to 5, one each 10 ms, from a to b and from b to a; what each heard, and when. */
function under(...faults: PlannedFault[]) {
  const net = new Network({ seed: 1 });
  const hosts = [net.host('192.0.2.1'), net.host('192.0.2.2')] as const;
  const a = new Recorder('192.0.2.1');
  const b = new Recorder('192.0.2.2');
  const alice = hosts[0].attach(a);
  const bob = hosts[1].attach(b);
  for (let i = 0; i < 6; i++) {
    alice.at(i * 10, () => a.send(b, [i]));
    bob.at(i * 10, () => b.send(a, [i]));
  }
  net.at(15, () => {
    applyFaults(net, hosts, faults);
  });
  net.run();
  return {
    up: bob.events.map(({ at, event }) => [at, event.bytes[0]]),
    down: alice.events.map(({ at, event }) => [at, event.bytes[0]]),
  };
}

const ids = (heard: (number | undefined)[][]): (number | undefined)[] => heard.map(([, id]) => id);

describe('a fault plan', () => {
  it('counts datagrams from the moment it is applied', () => {
    const heard = under({ type: 'datagram', way: 'up', index: 0, fault: { type: 'drop' } });
    expect(ids(heard.up)).toEqual([0, 1, 3, 4, 5]);
    expect(ids(heard.down)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('cuts one direction for a while', () => {
    const heard = under({ type: 'cut', way: 'down', at: 5, duration: 20 });
    expect(ids(heard.up)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(ids(heard.down)).toEqual([0, 1, 4, 5]);
  });

  it('cuts it for good without a duration', () => {
    expect(ids(under({ type: 'cut', way: 'up', at: 15 }).up)).toEqual([0, 1, 2]);
  });

  it('parts both ends', () => {
    const heard = under({ type: 'partition', at: 5, duration: 10 });
    expect([ids(heard.up), ids(heard.down)]).toEqual([
      [0, 1, 3, 4, 5],
      [0, 1, 3, 4, 5],
    ]);
  });

  it('freezes an end: what came meanwhile is heard when it wakes', () => {
    const { up } = under({ type: 'freeze', end: 'second', at: 5, duration: 30 });
    expect(up.filter(([at]) => at === 50)).toEqual([
      [50, 2],
      [50, 3],
      [50, 4],
    ]);
  });

  it('refuses a duration that is none', () => {
    expect(() => under({ type: 'partition', at: 0, duration: -1 })).toThrow(/duration/);
  });
});
