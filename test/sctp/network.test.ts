/** Two ends on a network with a rate, a delay and losses: what other stacks ask of theirs. */
import { describe, expect, test } from 'vitest';
import { inspect, messages, Pair, payload } from './pair.ts';

/** Sends `total` bytes in messages of 16 KiB as the buffer takes them; milliseconds until the last has arrived. */
function transfer(pair: Pair, total: number, limit: number): number {
  const startedAt = pair.now;
  const count = Math.ceil(total / 16_384);
  let given = 0;
  const feed = (): boolean => {
    while (given < count && pair.a.bufferedAmount(1) < 1_000_000) {
      pair.a.send(1, { ppid: 53, data: payload(16_384, given) });
      given++;
    }
    return messages(pair.events[1]).length === count;
  };
  feed();
  pair.run(feed, limit);
  expect(messages(pair.events[1])).toHaveLength(count);
  return pair.now - startedAt;
}

describe('throughput', () => {
  test('a message of 100 KiB over 30 ms, connect and shutdown included, takes less than a second', () => {
    const pair = new Pair({ link: { delay: 15 } });
    const startedAt = pair.now;
    pair.a.send(1, { ppid: 53, data: payload(102_400, 1) });
    pair.a.connect(pair.now);
    pair.b.connect(pair.now);
    pair.run(() => messages(pair.events[1]).length === 1, 1000);
    pair.a.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 1000);
    expect(pair.now - startedAt).toBeLessThan(1000);
  });

  test.each([
    ['1 Mbit/s', 125, 500_000, 0.5],
    ['18 Mbit/s', 2250, 6_000_000, 0.6],
  ])('a link of %s is used, and not flooded', (_, rate, total, share) => {
    const pair = new Pair({ link: { delay: 15, rate, queueMs: 100 }, check: false }).connect();
    const took = transfer(pair, total, 60_000);
    expect(total / took / rate).toBeGreaterThan(share);
    expect(total / took / rate).toBeLessThanOrEqual(1.01);
  });

  test('a quarter of all packets lost, both ways: it completes', () => {
    const pair = new Pair({ seed: 4, link: { delay: 15, loss: 0.25 }, check: false }).connect();
    expect(transfer(pair, 131_072, 120_000)).toBeLessThan(120_000);
  });
});

describe('a receive window that is full', () => {
  test.each([
    ['ordered', false],
    ['unordered', true],
  ])('%s messages nearly as large as it, over losses: it never locks itself shut', (_, unordered) => {
    const pair = new Pair({
      seed: 9,
      link: { delay: 10, jitter: 5, loss: 0.05 },
      b: { receiveWindow: 70_000, maxMessageSize: 65_536 },
    }).connect();
    for (let i = 0; i < 6; i++) pair.a.send(1, { ppid: 53, data: payload(65_536, i), unordered });
    pair.run(() => messages(pair.events[1]).length === 6, 60_000);
    expect(messages(pair.events[1])).toHaveLength(6);
    expect(pair.a.state).toBe('established');
  });

  test('many streams whose messages are all incomplete fill it: the missing pieces still get in', () => {
    const interleaving = { interleaving: true };
    const pair = new Pair({
      seed: 3,
      link: { delay: 10, loss: 0.15 },
      a: interleaving,
      b: { ...interleaving, receiveWindow: 60_000, maxMessageSize: 30_000 },
    }).connect();
    for (let i = 0; i < 20; i++) pair.a.send(i, { ppid: 53, data: payload(20_000, i) });
    pair.run(() => messages(pair.events[1]).length === 20, 60_000);
    expect(messages(pair.events[1])).toHaveLength(20);
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, openMessages: 0 });
  });
});

test('round trips that jump, without loss and without reordering: nothing is sent twice for long', () => {
  const pair = new Pair({ link: { delay: 10 } }).connect();
  for (let i = 0; i < 60; i++) {
    pair.link = { delay: i % 10 < 5 ? 10 : 90 };
    pair.a.send(1, { ppid: 53, data: payload(5000, i), unordered: true });
    pair.runFor(200);
  }
  pair.runFor(2000);
  expect(messages(pair.events[1])).toHaveLength(60);
  expect(inspect(pair.a).counters['retransmission-timeouts']).toBe(0);
});
