/** F5b: a host that stood still, and calls that come without a time. */
import { describe, expect, test } from 'vitest';
import { assertInvariants, inspect, messages, Pair, payload, sent } from './pair.ts';
import { sackOf } from './wire.ts';

function connected(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair({ link: { delay: 20 }, ...options }).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  return pair;
}

/** Runs until a has ended; milliseconds it took. */
function timeToClose(pair: Pair): number {
  const startedAt = pair.now;
  pair.run(() => pair.a.state === 'closed');
  assertInvariants(pair.a);
  return pair.now - startedAt;
}

describe('F5b: a host that stood still', () => {
  test.each([5000, 31_000, 70_000])(
    '%d ms are one late time-out, not the end of an association whose peer answers',
    (frozen) => {
      const pair = connected();
      pair.a.send(1, { ppid: 53, data: payload(100_000, 1) });
      pair.runFor(30);
      const before = pair.packets;
      pair.now += frozen;
      pair.a.handleTimeout(pair.now);
      pair.b.handleTimeout(pair.now);
      pair.drain();
      expect(pair.packets - before).toBeLessThan(6);
      pair.run(() => messages(pair.events[1]).length === 1, 5000);
      expect([pair.a.state, pair.b.state, messages(pair.events[1]).length]).toEqual([
        'established',
        'established',
        1,
      ]);
    },
  );

  test.each([5000, 31_000, 70_000])('%d ms of an idle one, neither', (frozen) => {
    const pair = connected();
    pair.now += frozen;
    pair.runFor(30_000);
    expect([pair.a.state, pair.b.state]).toEqual(['established', 'established']);
  });

  test('a peer that is gone after the thaw is still ended', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
    pair.cut[0] = true;
    pair.cut[1] = true;
    pair.runFor(1000);
    pair.now += 70_000;
    expect(timeToClose(pair)).toBeLessThanOrEqual(31_000);
  });

  test('fractions of a millisecond leave no deadline behind', () => {
    const pair = connected({ link: { delay: 20 / 3, jitter: 1 / 7 } });
    for (let i = 0; i < 200; i++) {
      pair.now += 10_000 / 3;
      pair.a.send(1, { ppid: 53, data: payload(10, i) });
      pair.runFor(10_000 / 7);
    }
    pair.runFor(100_000);
    expect(pair.a.state).toBe('established');
  });

  test('time that goes backwards counts as standing still', () => {
    const pair = connected();
    const { nextTimeout } = inspect(pair.a);
    pair.a.handleTimeout(5);
    pair.a.handleTimeout(Number.NaN);
    expect(inspect(pair.a).nextTimeout).toBe(nextTimeout);
  });
});

describe('a stale clock', () => {
  test('does not shorten a gate: it runs from the next time seen', () => {
    const pair = connected();
    // Ten seconds later the application sends without saying when; the host drains, then sleeps until the deadline.
    const sentAt = pair.now + 10_000;
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    sent(pair.a);
    expect(pair.a.nextTimeout()).toBeLessThan(sentAt);
    pair.a.handleTimeout(sentAt);
    const { timers } = inspect(pair.a);
    expect(timers['dataProgress']).toBe(sentAt + 30_000);
    expect(timers['t3']).toBeGreaterThan(sentAt);
    expect(inspect(pair.a).counters['retransmission-timeouts']).toBe(0);
  });

  test('does not stretch a round-trip sample', () => {
    const pair = connected();
    const before = pair.a.roundTripTime;
    const sentAt = pair.now + 10_000;
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    for (const packet of sent(pair.a)) pair.b.handlePacket(packet, sentAt + 20);
    pair.b.handleTimeout(sentAt + 200);
    for (const packet of sent(pair.b)) {
      expect(sackOf(packet).window).toBeGreaterThan(0);
      pair.a.handlePacket(packet, sentAt + 220);
    }
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
    expect(pair.a.roundTripTime).toBe(before);
  });
});
