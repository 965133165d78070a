import { describe, expect, it } from 'vitest';
import type { LinkConditions, SimPeer } from '../../src/sim/index.ts';
import { burstLoss, Network } from '../../src/sim/index.ts';
import { Recorder } from './toys.ts';

function pair(conditions: LinkConditions, seed = 1) {
  const net = new Network({ seed, record: { bytes: true } });
  const hostA = net.host('192.0.2.1', { name: 'a' });
  const hostB = net.host('192.0.2.2', { name: 'b' });
  net.link(hostA, hostB, conditions);
  const a = new Recorder('192.0.2.1');
  const b = new Recorder('192.0.2.2');
  const alice = hostA.attach(a);
  const bob = hostB.attach(b);
  return { net, a, b, alice, bob, link: net.direction(hostA, hostB), back: net.direction(hostB, hostA) };
}

type Pair = ReturnType<typeof pair>;

/** Sends `count` numbered datagrams of `length` bytes from a to b, one every `spacing` ms. */
function stream({ net, a, b, alice }: Pair, count: number, { spacing = 1, length = 2 } = {}): void {
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(length);
    data[0] = i >> 8;
    data[1] = i;
    alice.at(net.now + i * spacing, () => a.send(b, data));
  }
  net.run();
}

function heard(peer: SimPeer<ReturnType<Recorder['pollOutput']>>): number[] {
  return peer.events.map(({ event }) => ((event.bytes[0] ?? 0) << 8) | (event.bytes[1] ?? 0));
}

describe('a link', () => {
  it('delays each datagram by its latency', () => {
    const p = pair({ latency: 25 });
    stream(p, 3, { spacing: 10 });
    expect(p.bob.events.map(({ at }) => at)).toEqual([25, 35, 45]);
  });

  it('takes a millisecond when nothing is said', () => {
    const p = pair({});
    stream(p, 1);
    expect(p.bob.events.map(({ at }) => at)).toEqual([1]);
  });

  it('has conditions of its own in each direction', () => {
    const net = new Network({ seed: 1 });
    const hostA = net.host('192.0.2.1');
    const hostB = net.host('192.0.2.2');
    net.link(hostA, hostB, { up: { latency: 5 }, down: { latency: 50, loss: 1 } });
    expect(net.direction(hostA, hostB).conditions).toMatchObject({ latency: 5, loss: 0 });
    expect(net.direction(hostB, hostA).conditions).toMatchObject({ latency: 50, loss: 1 });
  });

  it('adds jitter within its bound and keeps the order', () => {
    const p = pair({ latency: 10, jitter: 30 });
    stream(p, 200);
    expect(heard(p.bob)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    const delays = p.net.datagrams.map(({ sentAt, arrivals }) => (arrivals[0] ?? NaN) - sentAt);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThan(40);
    expect(new Set(delays).size).toBeGreaterThan(20);
  });

  it('loses each datagram with the probability given', () => {
    const p = pair({ loss: 0.1 });
    stream(p, 5000);
    const { lost, delivered } = p.net.counts;
    expect(lost + delivered).toBe(5000);
    expect(lost / 5000).toBeCloseTo(0.1, 1);
    expect(p.link.counters).toMatchObject({ carried: delivered, lost });
  });

  it('loses everything at 1 and nothing at 0', () => {
    const all = pair({ loss: 1 });
    stream(all, 50);
    expect(all.net.counts).toMatchObject({ lost: 50, delivered: 0 });
    const none = pair({ loss: 0 });
    stream(none, 50);
    expect(none.net.counts).toMatchObject({ lost: 0, delivered: 50 });
  });

  it('loses in bursts of the mean length and share asked for', () => {
    const p = pair({ burst: burstLoss(0.1, 5) });
    stream(p, 20_000, { spacing: 0.01 });
    const losses = p.net.datagrams.map(({ fate }) => fate === 'burst-lost');
    const share = losses.filter(Boolean).length / losses.length;
    const bursts = losses.filter((lost, i) => lost && losses[i - 1] !== true).length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
    expect(losses.filter(Boolean).length / bursts).toBeGreaterThan(4);
    expect(losses.filter(Boolean).length / bursts).toBeLessThan(6);
  });

  it('alternates when both states of a burst model end at once', () => {
    const p = pair({ burst: { toBad: 1, toGood: 1 } });
    stream(p, 6);
    expect(heard(p.bob)).toEqual([1, 3, 5]);
  });

  it('holds some datagrams back so that later ones overtake them', () => {
    const p = pair({ reorder: 0.2, reorderDelay: 3.5 });
    stream(p, 100);
    const order = heard(p.bob);
    expect(order).not.toEqual([...order].sort((x, y) => x - y));
    expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    for (const { sentAt, arrivals } of p.net.datagrams)
      expect([1, 4.5]).toContain((arrivals[0] ?? NaN) - sentAt);
    expect(p.link.counters.reordered).toBeGreaterThan(5);
  });

  it('duplicates, after a delay', () => {
    const p = pair({ latency: 5, duplicate: 1, duplicateDelay: 7 });
    stream(p, 1);
    expect(p.bob.events.map(({ at, event }) => [at, event.bytes])).toEqual([
      [5, [0, 0]],
      [12, [0, 0]],
    ]);
    expect(p.net.datagrams[0]).toMatchObject({ fate: 'delivered', arrivals: [5, 12] });
    expect(p.net.counts).toMatchObject({ delivered: 2, 'in-flight': 0 });
  });

  it('flips exactly one bit of a corrupted datagram, and the record keeps what was sent', () => {
    const p = pair({ corrupt: 1 });
    stream(p, 100, { length: 4 });
    for (const [i, { event }] of p.bob.events.entries()) {
      const sent = p.net.datagrams[i]?.data ?? new Uint8Array(4);
      let flipped = 0;
      for (let at = 0; at < 4; at++) flipped += bits((event.bytes[at] ?? 0) ^ (sent[at] ?? 0));
      expect(flipped).toBe(1);
    }
    expect(p.net.datagrams.every(({ corrupted }) => corrupted)).toBe(true);
  });

  it('carries an empty datagram, corrupted or not', () => {
    const p = pair({ corrupt: 1 });
    p.a.send(p.b, []);
    p.net.run();
    expect(p.bob.events.map(({ event }) => event.length)).toEqual([0]);
  });

  it('serialises at its rate: 1000-byte packets over 1 Mbit/s are 8 ms apart', () => {
    const p = pair({ latency: 20, rate: 1e6 });
    for (let i = 0; i < 3; i++) p.a.send(p.b, new Uint8Array(972));
    p.net.run();
    expect(p.bob.events.map(({ at }) => at)).toEqual([28, 36, 44]);
  });

  it('drops what does not fit the queue in front of the rate, and has room again later', () => {
    const p = pair({ rate: 1e6, queueLimit: 3000 });
    for (let i = 0; i < 5; i++) p.a.send(p.b, new Uint8Array(972));
    p.alice.at(8, () => p.a.send(p.b, new Uint8Array(972)));
    p.net.run();
    expect(p.net.datagrams.map(({ fate }) => fate)).toEqual([
      'delivered',
      'delivered',
      'delivered',
      'queue-full',
      'queue-full',
      'delivered',
    ]);
    expect(p.bob.events.map(({ at }) => at)).toEqual([9, 17, 25, 33]);
  });

  it('drops IP packets over the MTU: 28 bytes of headers over IPv4', () => {
    const p = pair({ mtu: 1280 });
    p.a.send(p.b, new Uint8Array(1252));
    p.a.send(p.b, new Uint8Array(1253));
    p.net.run();
    expect(p.net.datagrams.map(({ fate }) => fate)).toEqual(['delivered', 'too-big']);
  });

  it('counts 48 bytes of headers over IPv6', () => {
    const net = new Network({ seed: 1, defaults: { mtu: 1280 } });
    const a = new Recorder('2001:db8::1');
    const b = new Recorder('2001:db8::2');
    net.host('2001:db8::1').attach(a);
    net.host('2001:db8:0::2').attach(b);
    a.send(b, new Uint8Array(1232));
    a.send(b, new Uint8Array(1233));
    net.run();
    expect(net.datagrams.map(({ fate }) => fate)).toEqual(['delivered', 'too-big']);
  });

  it('changes conditions while datagrams are under way, and those keep their time', () => {
    const p = pair({ latency: 100 });
    p.a.send(p.b, [0, 1]);
    p.alice.at(10, () => {
      p.link.update({ latency: 200 });
      p.a.send(p.b, [0, 2]);
    });
    p.net.run();
    expect(p.bob.events.map(({ at }) => at)).toEqual([100, 210]);
    expect(p.link.conditions).toMatchObject({ latency: 200, jitter: 0 });
  });

  it('refuses conditions out of range before anything changes', () => {
    const p = pair({ latency: 3 });
    expect(() => p.link.update({ latency: 9, loss: 1.5 })).toThrow('"loss" expected a number from 0 to 1');
    expect(() => p.link.update({ jitter: -1 })).toThrow('"jitter"');
    expect(() => p.link.update({ rate: 0 })).toThrow('"rate"');
    expect(() => p.link.update({ burst: { toBad: 2, toGood: 1 } })).toThrow('"burst.toBad"');
    expect(() => burstLoss(0.9, 2)).toThrow('"meanBurst"');
    expect(p.link.conditions.latency).toBe(3);
  });
});

describe('luck', () => {
  function fates(conditions: LinkConditions, seed = 7): string[] {
    const p = pair(conditions, seed);
    stream(p, 300);
    return p.net.datagrams.map(({ fate }) => fate);
  }

  it('of one feature does not change when another is switched on', () => {
    const plain = fates({ loss: 0.2 });
    expect(fates({ loss: 0.2, jitter: 5, reorder: 0.3, duplicate: 0.3, corrupt: 0.3 })).toEqual(plain);
    const withBursts = fates({ loss: 0.2, burst: burstLoss(0.2, 3) });
    expect(withBursts.map((fate) => fate === 'lost')).toEqual(plain.map((fate) => fate === 'lost'));
  });

  it('differs between seeds and between the two directions of a link', () => {
    expect(fates({ loss: 0.2 }, 8)).not.toEqual(fates({ loss: 0.2 }, 7));
    const p = pair({ loss: 0.5 });
    for (let i = 0; i < 64; i++) {
      p.a.send(p.b, [i]);
      p.b.send(p.a, [i]);
    }
    p.net.run();
    const there = p.net.datagrams.filter(({ from }) => from === 'a').map(({ fate }) => fate);
    const back = p.net.datagrams.filter(({ from }) => from === 'b').map(({ fate }) => fate);
    expect(there).not.toEqual(back);
  });

  it('of one link does not depend on traffic on another', () => {
    function lossOf(withThird: boolean): string[] {
      const p = pair({ loss: 0.3 });
      const third = p.net.host('192.0.2.3', { name: 'c' });
      p.net.link(third, p.alice.host, { loss: 0.3 });
      const c = new Recorder('192.0.2.3');
      const carol = third.attach(c);
      if (withThird) for (let i = 0; i < 100; i++) carol.at(i, () => c.send(p.a, [i]));
      stream(p, 100);
      return p.net.datagrams.filter(({ from }) => from === 'a').map(({ fate }) => fate);
    }
    expect(lossOf(true)).toEqual(lossOf(false));
  });
});

function bits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
