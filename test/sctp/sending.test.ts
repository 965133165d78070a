import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NewReno } from '../../src/sctp/tx/new-reno.ts';
import { MAX_OUTSTANDING, Outstanding } from '../../src/sctp/tx/outstanding.ts';
import { RtoEstimator } from '../../src/sctp/tx/rto.ts';
import type { AckSample, LossSample } from '../../src/sctp/tx/congestion.ts';
import type { OutgoingMessage } from '../../src/sctp/tx/send-queue.ts';
import type { MessageOutcome } from '../../src/sctp/index.ts';
import { endMessage, outgoingMessage, SendQueue } from '../../src/sctp/tx/send-queue.ts';

function message(streamId: number, length: number, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const made = outgoingMessage(streamId, 53, new Uint8Array(length), more);
  made.expiresAt = more.expiresAt ?? Infinity;
  return made;
}

const NO_ACK: AckSample = {
  now: 0,
  ackedBytes: 0,
  inFlight: 0,
  delivered: 0,
  priorDelivered: -1,
  deliveryRate: 0,
  isAppLimited: false,
  roundTripTime: -1,
  advanced: false,
  recovering: false,
  windowLimited: false,
};

const observer = {
  lost: () => undefined,
  ended: (given: OutgoingMessage, outcome: MessageOutcome): void => {
    endMessage(given, outcome);
  },
};

describe('RtoEstimator', () => {
  const make = (): RtoEstimator =>
    new RtoEstimator({ initial: 500, min: 200, max: 60_000, backoffCap: 3000 });

  test('starts at the initial value and takes the first sample as it is', () => {
    const rto = make();
    expect(rto.timeout).toBe(500);
    rto.sample(100);
    expect([rto.smoothed, rto.timeout]).toEqual([100, 320]);
  });

  test('on a steady path it stays above the round trip by what a delayed SACK takes', () => {
    const rto = make();
    for (let i = 0; i < 1000; i++) rto.sample(124);
    expect(rto.timeout).toBe(344);
  });

  test('an unsteady path widens it, a steady one narrows it again', () => {
    const rto = make();
    for (let i = 0; i < 20; i++) rto.sample(i % 2 === 0 ? 50 : 950);
    expect(rto.timeout).toBeGreaterThan(1500);
    for (let i = 0; i < 100; i++) rto.sample(500);
    expect(rto.timeout).toBeLessThan(800);
  });

  test('samples of a clock that jumped do not count', () => {
    const rto = make();
    rto.sample(-1);
    rto.sample(60_001);
    expect([rto.smoothed, rto.timeout]).toEqual([undefined, 500]);
  });

  test('backing off doubles up to the cap and lasts until a sample', () => {
    const rto = make();
    const seen = Array.from({ length: 6 }, () => {
      rto.backOff();
      return rto.timeout;
    });
    expect(seen).toEqual([1000, 2000, 3000, 3000, 3000, 3000]);
    rto.sample(100);
    expect(rto.timeout).toBe(320);
  });

  test('the cap is no cap on a path whose round trip is longer', () => {
    const rto = make();
    rto.sample(5000);
    expect(rto.timeout).toBe(15_000);
    rto.backOff();
    expect(rto.timeout).toBe(15_000);
  });
});

describe('NewReno', () => {
  const make = (): NewReno => new NewReno({ mtu: 1000, initialWindow: 10_000 });
  const acknowledged = (cc: NewReno, ackedBytes: number, more: Partial<AckSample> = {}): void => {
    cc.onAcknowledged({ ...NO_ACK, ackedBytes, advanced: true, windowLimited: true, ...more });
  };
  const lost = (startsRecovery: boolean): LossSample => ({
    now: 0,
    lostBytes: 1000,
    inFlight: 0,
    startsRecovery,
  });

  test('slow start grows by what was acknowledged, within a limit', () => {
    const cc = make();
    acknowledged(cc, 3000);
    expect(cc.window).toBe(13_000);
    acknowledged(cc, 50_000);
    expect(cc.window).toBe(23_000);
  });

  test.each([{ windowLimited: false }, { advanced: false }, { recovering: true }])(
    'it does not grow with %o',
    (more) => {
      const cc = make();
      acknowledged(cc, 3000, more);
      expect(cc.window).toBe(10_000);
    },
  );

  test('a loss halves it, once a window, then it grows by a packet a window', () => {
    const cc = make();
    cc.onLost(lost(true));
    cc.onLost(lost(false));
    expect(cc.window).toBe(5000);
    for (let i = 0; i < 6; i++) acknowledged(cc, 1000);
    // The window equals the threshold: the first one is still slow start.
    expect(cc.window).toBe(6000);
    acknowledged(cc, 1000);
    expect(cc.window).toBe(7000);
  });

  test('a time-out leaves one packet; the threshold never falls below four', () => {
    const cc = make();
    for (let i = 0; i < 5; i++) cc.onTimeout();
    expect(cc.window).toBe(1000);
    expect(cc.inspect()['threshold']).toBe(4000);
  });

  test('no loss, however often, takes the window below four packets', () => {
    const cc = make();
    for (let i = 0; i < 5; i++) cc.onLost(lost(true));
    expect(cc.inspect()).toEqual({ controller: 'new-reno', window: 4000, threshold: 4000 });
  });

  test('a time-out halves the threshold, and slow start goes up to it, itself included', () => {
    const cc = make();
    cc.onTimeout();
    for (const window of [2000, 3000, 4000, 5000, 6000]) {
      acknowledged(cc, 1000);
      expect(cc.window).toBe(window);
    }
    // Above 5000 a packet takes a window that was acknowledged.
    for (let i = 0; i < 5; i++) acknowledged(cc, 1000);
    expect(cc.window).toBe(6000);
    acknowledged(cc, 1000);
    expect(cc.window).toBe(7000);
  });

  test('congestion avoidance keeps what was acknowledged beyond a window', () => {
    const cc = make();
    cc.onLost(lost(true));
    acknowledged(cc, 1000);
    acknowledged(cc, 11_000); // 6000 of them are for the next packet, of 7000.
    expect(cc.window).toBe(7000);
    acknowledged(cc, 1999);
    expect(cc.window).toBe(7000);
    acknowledged(cc, 1);
    expect(cc.window).toBe(8000);
  });

  test.each([
    ['a loss', (cc: NewReno): void => cc.onLost(lost(true))],
    ['a time-out', (cc: NewReno): void => cc.onTimeout()],
    ['a path that came back', (cc: NewReno): void => cc.onPathChange()],
  ])('%s forgets what was acknowledged towards the next packet', (_, happen) => {
    const cc = make();
    cc.onLost(lost(true));
    acknowledged(cc, 1000);
    acknowledged(cc, 5999);
    happen(cc);
    while (cc.window <= 4000) acknowledged(cc, 1000);
    const { window } = cc;
    for (let left = window - 1; left > 0; left -= 1000) acknowledged(cc, Math.min(1000, left));
    expect(cc.window).toBe(window);
    acknowledged(cc, 1);
    expect(cc.window).toBe(window + 1000);
  });

  test('a new packet size counts from the next growth on, and the window holds one packet at the least', () => {
    const cc = make();
    cc.setMtu(1400);
    expect(cc.window).toBe(10_000);
    acknowledged(cc, 50_000);
    expect(cc.window).toBe(24_000);
    cc.onTimeout();
    expect(cc.window).toBe(1400);
    cc.setMtu(9000);
    expect(cc.window).toBe(9000);
  });

  test('the threshold before the first loss is a number all the same', () => {
    expect(make().inspect()['threshold']).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('Outstanding', () => {
  /** `count` chunks of 100 bytes of one reliable message. */
  function filled(count: number): { out: Outstanding; sent: OutgoingMessage } {
    const out = new Outstanding(observer);
    const sent = message(1, count * 100);
    for (let i = 0; i < count; i++) out.add(sent, i * 100, 100, 0, true);
    return { out, sent };
  }
  const WIRE = 116;

  test('acknowledging one, all, and what was acknowledged before', () => {
    const { out } = filled(3);
    expect(out.handleSack(0, [], 0)).toMatchObject({ cumulativeAdvanced: true, ackedBytes: WIRE });
    expect(out.handleSack(0, [], 0)).toMatchObject({ cumulativeAdvanced: false, ackedBytes: 0 });
    out.handleSack(2, [], 0);
    expect([out.count, out.flightBytes, out.flightPayload, out.unackedBytes]).toEqual([0, 0, 0, 0]);
  });

  /** Chunks found lost at `now` outside of recovery, with a reordering window of 25 ms. */
  const losses = (out: Outstanding, now: number, recovering = false): number =>
    out.detectLosses(now, 25, recovering).chunks;

  test('RACK: three chunks above a gap make it lost while nothing was ever seen to overtake, two do not', () => {
    const { out } = filled(8);
    out.handleSack(-1, [2, 3], 100);
    expect(losses(out, 100)).toBe(0);
    out.handleSack(-1, [2, 4], 100);
    expect(losses(out, 100)).toBe(1);
    expect([out.nextLost(), out.lostCount]).toEqual([0, 1]);
    expect(out.flightBytes).toBe(4 * WIRE);
  });

  test('RACK: fewer make it lost once the reordering window has passed', () => {
    const { out } = filled(3);
    out.handleSack(-1, [2, 2], 100);
    expect(losses(out, 100)).toBe(0);
    expect(out.nextLossAt(25, false)).toBe(125);
    expect(losses(out, 124)).toBe(0);
    expect(losses(out, 125)).toBe(1);
    expect(out.nextLossAt(25, false)).toBe(Infinity);
  });

  test('RACK: in recovery a gap does not wait', () => {
    const { out } = filled(3);
    out.handleSack(-1, [2, 2], 100);
    expect(losses(out, 100, true)).toBe(1);
  });

  test('RACK: once something has overtaken, the window counts, however many chunks there are', () => {
    const { out } = filled(20);
    out.handleSack(-1, [2, 3], 100);
    out.handleSack(2, [], 101);
    expect(out.sent.reorderingQuarters).toBe(1);
    out.handleSack(2, [2, 17], 102);
    expect(losses(out, 102)).toBe(0);
    expect(losses(out, 127)).toBe(1);
  });

  test('RACK: what was sent again and is acknowledged too soon was late, not lost: the window widens, once a round', () => {
    const { out } = filled(8);
    for (let at = 0; at < 2; at++) {
      out.handleSack(-1, [3, 7], 100);
      losses(out, 100);
    }
    expect(out.lostCount).toBe(2);
    for (let lost = out.nextLost(); lost >= 0; lost = out.nextLost()) out.resend(lost, 100, true);
    out.handleSack(0, [2, 6], 101);
    out.handleSack(6, [], 101);
    expect(out.sent.reorderingQuarters).toBe(1);
  });

  test('RACK: a chunk sent again is overtaken only by what was sent after it', () => {
    const { out, sent } = filled(8);
    out.handleSack(-1, [2, 4], 100);
    expect(losses(out, 100)).toBe(1);
    out.resend(0, 100, true);
    out.handleSack(-1, [2, 8], 150);
    expect([losses(out, 1000), out.nextLossAt(25, true)]).toEqual([0, Infinity]);
    for (let i = 8; i < 11; i++) out.add(sent, i * 100, 100, 160, true);
    out.handleSack(-1, [2, 11], 260);
    expect([losses(out, 260), out.nextLost()]).toEqual([1, 0]);
  });

  test('what was sent at an unknown time counts as sent when the next is seen, and gives no sample', () => {
    const out = new Outstanding(observer);
    const sent = message(1, 400);
    for (let i = 0; i < 2; i++) out.add(sent, i * 100, 100, 0, false);
    out.sent.observe(500);
    for (let i = 2; i < 4; i++) out.add(sent, i * 100, 100, 500, true);
    out.handleSack(-1, [2, 2], 550);
    expect([out.sent.roundTripTime, out.sent.deliveryRate, out.nextLossAt(25, false)]).toEqual([
      -1,
      0,
      Infinity,
    ]);
    out.handleSack(-1, [2, 3], 600);
    expect(out.sent.roundTripTime).toBe(100);
    // The first one is late from 500 on, not from 0.
    expect(out.nextLossAt(25, false)).toBe(625);
  });

  test('the delivery rate is what came through in the life of the chunk, by the slower of sending and acknowledging', () => {
    const out = new Outstanding(observer);
    const sent = message(1, 10_000);
    // A packet each 10 ms, a round trip of 100.
    for (let i = 0; i < 40; i++) {
      if (i >= 10) out.handleSack(i - 10, [], i * 10);
      out.add(sent, i * 100, 100, i * 10, true);
    }
    expect(out.sent.deliveryRate).toBeCloseTo(WIRE / 10, 0);
    // All the rest acknowledged in one clump: no faster than it was sent.
    out.handleSack(39, [], 490);
    expect(out.sent.deliveryRate).toBeLessThanOrEqual((WIRE / 10) * 1.12);
    expect(out.sent.roundTripTime).toBe(100);
  });

  test('what the application held back is marked until it has been delivered', () => {
    const out = new Outstanding(observer);
    const sent = message(1, 400);
    out.add(sent, 0, 100, 0, true);
    out.sent.noteAppLimited(out.flightBytes);
    out.add(sent, 100, 100, 50, true);
    out.handleSack(1, [], 150);
    expect(out.sent.isAppLimited).toBe(true);
    out.add(sent, 200, 100, 160, true);
    out.handleSack(2, [], 260);
    expect(out.sent.isAppLimited).toBe(false);
  });

  test('TLP: the chunk sent last goes out once more, unless its message may not', () => {
    const { out } = filled(3);
    expect(out.loseLast(0)).toBe(true);
    expect(out.nextLost()).toBe(2);
    const counted = message(2, 100, { maxRetransmits: 0 });
    out.add(counted, 0, 100, 5, true);
    expect(out.loseLast(0)).toBe(false);
    expect(out.lostCount).toBe(1);
  });

  test.each([
    ['a cumulative TSN never sent', 3, []],
    ['a block beyond what was sent', -1, [2, 4]],
  ])('%s: nothing changes', (_, cumulative, blocks) => {
    const { out } = filled(3);
    expect(out.handleSack(cumulative, blocks, 0)).toBeUndefined();
    expect([out.count, out.flightBytes]).toEqual([3, 3 * WIRE]);
  });

  test('a peer that takes back what it reported gets it again', () => {
    const { out } = filled(4);
    out.handleSack(-1, [2, 4], 0);
    expect(out.flightBytes).toBe(WIRE);
    out.handleSack(0, [], 0);
    expect(out.lostCount).toBe(3);
  });

  test('an abandoned message weighs nothing, and its acknowledgement changes nothing', () => {
    const { out, sent } = filled(3);
    out.abandon(sent);
    expect([out.flightBytes, out.lostCount, out.unackedBytes]).toEqual([0, 0, 0]);
    expect(out.isAbandoned(0)).toBe(true);
    out.handleSack(-1, [2, 3], 0);
    expect(out.handleSack(2, [], 0)).toMatchObject({ ackedBytes: 0, cumulativeAdvanced: true });
    expect(out.unackedBytes).toBe(0);
  });

  test('random traffic: the counters always equal a recount, and nothing is left in the end', () => {
    const op = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant('add' as const), a: fc.nat(3), b: fc.nat(9) }) },
      { weight: 4, arbitrary: fc.record({ op: fc.constant('sack' as const), a: fc.nat(4), b: fc.nat(12) }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('resend' as const), a: fc.nat(9), b: fc.nat(9) }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant('abandon' as const), a: fc.nat(9), b: fc.nat(9) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant('timeout' as const), a: fc.nat(9), b: fc.nat(9) }),
      },
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 120 }), (ops) => {
        const out = new Outstanding(observer);
        const sizes = new Map<number, number>();
        let now = 0;
        for (const { op: kind, a, b } of ops) {
          now += a;
          if (kind === 'add') {
            const sent = message(a, 100);
            for (let i = 0; i <= a; i++) sizes.set(out.add(sent, 0, b + 1, now, b > 2), b + 1);
          } else if (kind === 'sack') {
            const cumulative = Math.min(out.cumulative + a, out.next - 1);
            const room = out.next - 1 - cumulative;
            out.sent.observe(now);
            out.handleSack(cumulative, room >= 2 ? [2, Math.min(2 + b, room)] : [], now);
            out.detectLosses(now, a, b % 2 === 0);
          } else if (kind === 'resend') {
            const lost = out.nextLost();
            if (lost >= 0) out.resend(lost, now, b > 2);
          } else if (kind === 'abandon') {
            const sent = out.count > 0 ? out.message(out.cumulative + 1) : undefined;
            if (sent !== undefined && !out.isAbandoned(out.cumulative + 1)) out.abandon(sent);
          } else {
            out.loseAll(0);
          }
          let unacked = 0;
          for (let at = out.cumulative + 1; at < out.next; at++) {
            if (!out.isAbandoned(at)) unacked += sizes.get(at) ?? 0;
          }
          expect(out.unackedBytes).toBe(unacked);
          expect(out.flightPayload).toBeLessThanOrEqual(unacked);
          expect(Math.min(out.flightBytes, out.flightPayload, out.lostCount)).toBeGreaterThanOrEqual(0);
          if (out.lostCount > 0) expect(out.nextLost()).toBeGreaterThan(out.cumulative);
        }
        out.handleSack(out.next - 1, [], now);
        expect([out.flightBytes, out.flightPayload, out.lostCount, out.unackedBytes]).toEqual([0, 0, 0, 0]);
      }),
    );
  });

  test('a full window of SACKs with one hole costs the chunks, not their square', () => {
    const { out } = filled(MAX_OUTSTANDING);
    for (let last = 2; last <= MAX_OUTSTANDING; last += 2) {
      out.handleSack(-1, [2, last], last);
      losses(out, last);
    }
    expect(out.isFull).toBe(true);
    expect(out.lostCount).toBe(1);
  });
});

describe('SendQueue', () => {
  function bench(): {
    queue: SendQueue;
    low: number[];
    expired: () => number;
    taken: (now?: number) => string;
  } {
    const low: number[] = [];
    let expired = 0;
    const queue = new SendQueue({
      bufferedAmountLow: (streamId) => low.push(streamId),
      ended: (given, outcome) => {
        endMessage(given, outcome);
        if (outcome === 'expired') expired++;
      },
    });
    return {
      queue,
      low,
      expired: () => expired,
      /** Takes the next fragment of at most 100 bytes: `stream:bytes`. */
      taken: (now = 0) => {
        const head = queue.head(now);
        if (head === undefined) return '-';
        const size = Math.min(100, head.data.length - head.sent);
        queue.take(head, size);
        return `${head.streamId}:${size}`;
      },
    };
  }

  test('streams take turns by message; the fragments of one stay together', () => {
    const { queue, taken } = bench();
    queue.enqueue(message(1, 250));
    queue.enqueue(message(1, 10));
    queue.enqueue(message(2, 150));
    queue.enqueue(message(3, 10));
    const order = Array.from({ length: 8 }, () => taken());
    expect(order).toEqual(['1:100', '1:100', '1:50', '2:100', '2:50', '3:10', '1:10', '-']);
  });

  test('SSNs count ordered messages of a stream, from the first fragment on', () => {
    const { queue, taken } = bench();
    const first = message(1, 10);
    const free = message(1, 10, { unordered: true });
    const second = message(1, 10);
    for (const each of [first, free, second]) queue.enqueue(each);
    for (let i = 0; i < 3; i++) taken();
    expect([first.sequence, second.sequence]).toEqual([0, 1]);
  });

  test('the buffered amount falls with the first transmission and tells when it crosses its threshold', () => {
    const { queue, low, taken } = bench();
    queue.setLowThreshold(1, 120);
    queue.enqueue(message(1, 300));
    taken();
    expect([queue.bufferedAmount(1), queue.bufferedBytes, low]).toEqual([200, 200, []]);
    taken();
    expect(low).toEqual([1]);
    taken();
    expect(low).toEqual([1]);
    queue.enqueue(message(1, 200));
    taken();
    expect(low).toEqual([1, 1]);
  });

  test('a message that ran out of time before its first fragment leaves no trace', () => {
    const { queue, taken, expired } = bench();
    queue.enqueue(message(1, 100, { expiresAt: 50 }));
    const kept = message(1, 20);
    queue.enqueue(kept);
    expect(taken(50)).toBe('1:20');
    expect([expired(), kept.sequence, queue.bufferedBytes]).toEqual([1, 0, 0]);
  });

  test('discarding keeps the message that was started', () => {
    const { queue, taken } = bench();
    queue.enqueue(message(1, 150));
    queue.enqueue(message(1, 70));
    taken();
    expect(queue.discard(1)).toBe(70);
    expect([queue.bufferedAmount(1), taken(), taken()]).toEqual([50, '1:50', '-']);
    expect(queue.discard(9)).toBe(0);
  });

  test('a reset waits for what was queued before it; what comes after waits for the reset', () => {
    const { queue, taken } = bench();
    queue.enqueue(message(1, 150));
    queue.drainForReset(1);
    const behind = message(1, 10);
    queue.enqueue(behind);
    expect([taken(), queue.isDrained(1), taken(), queue.isDrained(1), taken()]).toEqual([
      '1:100',
      false,
      '1:50',
      true,
      '-',
    ]);
    queue.pause(1);
    queue.resume(1, true);
    expect([taken(), behind.sequence]).toEqual(['1:10', 0]);
  });

  test('a reset that was refused lets the sequence go on', () => {
    const { queue, taken } = bench();
    queue.enqueue(message(1, 10));
    taken();
    queue.drainForReset(1);
    queue.pause(1);
    const next = message(1, 10);
    queue.enqueue(next);
    queue.resume(1, false);
    taken();
    expect(next.sequence).toBe(1);
  });

  test('ten thousand messages on one stream are taken in linear time', () => {
    const { queue, taken } = bench();
    for (let i = 0; i < 100_000; i++) queue.enqueue(message(1, 10));
    let count = 0;
    while (taken() !== '-') count++;
    expect(count).toBe(100_000);
  });
});
