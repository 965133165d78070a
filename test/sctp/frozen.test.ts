/** F5b: a host that stood still, and calls that come without a time. */
import { describe, expect, test } from 'vitest';
import { Clock } from '../../src/core/clock.ts';
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

  test('it is forgiven once until the peer is heard: a host that is always late ends, too', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
    pair.cut[1] = true;
    pair.runFor(100);
    let wakeups = 0;
    while (pair.a.state !== 'closed' && wakeups < 40) {
      pair.now = pair.a.nextTimeout() + 4000;
      pair.a.handleTimeout(pair.now);
      sent(pair.a);
      wakeups++;
    }
    expect(pair.a.state).toBe('closed');
    expect(wakeups).toBeLessThan(20);
  });

  test('less than three seconds late is a slow timer: the gate is not moved', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.a.handleTimeout(pair.now);
    sent(pair.a);
    const gate = inspect(pair.a).timers['dataProgress'];
    pair.a.handleTimeout(pair.a.nextTimeout() + 2999);
    expect(inspect(pair.a).timers['dataProgress']).toBe(gate);
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

describe('a clock of the connection', () => {
  /** A connected association on a shared clock, whose owner has drained it at `pair.now`. */
  function shared(): { pair: Pair; clock: Clock } {
    const clock = new Clock(true);
    const pair = new Pair({ a: { clock } });
    const { a } = pair;
    const tell = (): void => {
      clock.advance(pair.now, a);
    };
    for (const method of ['connect', 'handlePacket', 'handleOwnedPacket', 'handleTimeout'] as const) {
      const plain = a[method].bind(a) as (...args: unknown[]) => void;
      Object.assign(a, {
        [method]: (...args: unknown[]) => {
          tell();
          plain(...args);
        },
      });
    }
    return { pair: pair.connect(), clock };
  }

  test('what is sent inside of a drain counts at once, outside of one from the next time told', () => {
    const { pair, clock } = shared();
    const { now } = pair;
    clock.advance(now, pair.a);
    pair.a.send(1, { ppid: 53, data: payload(10, 1), maxPacketLifeTime: 500 });
    expect(inspect(pair.a).timers).toMatchObject({ dataProgress: now + 30_000, messageLifetime: now + 500 });
    sent(pair.a);
    clock.endDrain();
    pair.a.send(2, { ppid: 53, data: payload(10, 1), maxPacketLifeTime: 100 });
    pair.a.resetStreams([3]);
    expect(pair.a.nextTimeout()).toBeLessThanOrEqual(now + 500);
    clock.advance(now + 450, pair.a);
    // Nobody has told the association: it looks at the clock by itself.
    expect(inspect(pair.a).timers).toMatchObject({
      dataProgress: now + 30_000,
      streamReset: now + 450 + 10_000,
      messageLifetime: now + 500,
    });
    pair.a.handleTimeout(now + 450);
    expect(inspect(pair.a).counters['expired-messages']).toBe(0);
  });

  test('the owner says how much was missed', () => {
    const { pair, clock } = shared();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    clock.advance(pair.now, pair.a);
    const due = inspect(pair.a).timers['dataProgress'] ?? NaN;
    const late = pair.a.nextTimeout() + 50_000;
    clock.advance(late, pair.a);
    expect([clock.freezes, inspect(pair.a).timers['dataProgress']]).toEqual([1, due + 50_000]);
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
