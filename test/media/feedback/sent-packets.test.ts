/** What becomes of packets sent, by the feedback on them: each change told once, whatever the feedback says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalRecorder } from '../../../src/media/feedback/arrival-recorder.ts';
import { SentPackets } from '../../../src/media/feedback/sent-packets.ts';
import { CongestionRecorder } from '../../../src/media/feedback/congestion-recorder.ts';
import type { CongestionFeedback, TransportFeedback } from '../../../src/rtp/index.ts';

function feedback(given: Partial<TransportFeedback>): TransportFeedback {
  return {
    type: 'transport-feedback',
    senderSsrc: 1,
    mediaSsrc: 2,
    baseSequenceNumber: 0,
    referenceTime: 0,
    feedbackCount: 0,
    deltas: [],
    ...given,
  };
}

function sent(count: number): SentPackets {
  const packets = new SentPackets();
  for (let i = 0; i < count; i++) packets.add(7, 0x55, 1000 + i, i);
  return packets;
}

describe('SentPackets', () => {
  it('numbers packets from 0 on, and wraps at 16 bits', () => {
    const packets = new SentPackets();
    const numbers = Array.from({ length: 65_538 }, (_, i) => packets.add(1, 2, 3, i));
    expect(numbers.slice(0, 3)).toEqual([0, 1, 2]);
    expect(numbers.slice(-3)).toEqual([65_535, 0, 1]);
  });

  it('tells what became of each packet, with the facts of its sending', () => {
    const results = sent(3).takeFeedback(feedback({ referenceTime: 10, deltas: [4, null, 8] }), 50);
    const facts = { mediaId: 7, ssrc: 0x55 };
    expect(results).toEqual([
      { ...facts, transportSequence: 0, size: 1000, sentAt: 0, arrivedAt: 641 },
      { ...facts, transportSequence: 1, size: 1001, sentAt: 1, arrivedAt: undefined },
      { ...facts, transportSequence: 2, size: 1002, sentAt: 2, arrivedAt: 643 },
    ]);
  });

  it('tells each change once; what did not come may come yet', () => {
    const packets = sent(3);
    packets.takeFeedback(feedback({ deltas: [0, null, 0] }), 10);
    expect(packets.takeFeedback(feedback({ deltas: [0, null, 0], feedbackCount: 1 }), 20)).toEqual([]);
    expect(packets.takeFeedback(feedback({ deltas: [null, 8, null], feedbackCount: 2 }), 30)).toMatchObject([
      { transportSequence: 1, arrivedAt: 2 },
    ]);
  });

  it('finds packets behind the wrap', () => {
    const packets = sent(65_540);
    const results = packets.takeFeedback(
      feedback({ baseSequenceNumber: 65_534, deltas: [0, 0, 0, 0] }),
      65_540,
    );
    expect(results.map(({ transportSequence }) => transportSequence)).toEqual([
      65_534, 65_535, 65_536, 65_537,
    ]);
  });

  it('reference times go on where they wrap, forth and back', () => {
    const packets = sent(4);
    const at = (baseSequenceNumber: number, referenceTime: number): number | undefined =>
      packets.takeFeedback(feedback({ baseSequenceNumber, referenceTime, deltas: [0] }), 10)[0]?.arrivedAt;
    const first = at(0, 2 ** 23 - 1);
    expect(at(1, -(2 ** 23))).toBe((first ?? NaN) + 64);
    expect(at(2, 2 ** 23 - 2)).toBe((first ?? NaN) - 64);
    expect(at(3, -(2 ** 23) + 1)).toBe((first ?? NaN) + 128);
  });

  it('packets that were never sent are counted, and nothing else', () => {
    const packets = sent(2);
    expect(packets.takeFeedback(feedback({ baseSequenceNumber: 1000, deltas: [0, 0, null] }), 10)).toEqual(
      [],
    );
    expect(packets.counters.get('unknownFeedbackPackets')).toBe(3);
    expect(new SentPackets().takeFeedback(feedback({ deltas: [0] }), 0)).toEqual([]);
  });

  it('lost feedback is counted by its numbers; overtaken feedback is none', () => {
    const packets = sent(1);
    for (const feedbackCount of [250, 251, 254, 253, 0])
      packets.takeFeedback(feedback({ feedbackCount, deltas: [0] }), 1);
    expect(packets.counters.snapshot()).toMatchObject({ transportFeedbacks: 5, lostTransportFeedbacks: 3 });
  });

  it('is bounded by count: the oldest of which nothing is known make room, and count', () => {
    const packets = new SentPackets({ maxSentPackets: 300 });
    for (let i = 0; i < 1000; i++) packets.add(1, 2, 3, 0);
    expect(packets.inspect()).toMatchObject({ sent: 1000, capacity: 300 });
    expect(packets.counters.get('untoldSentPackets')).toBe(700);
    const results = packets.takeFeedback(feedback({ deltas: Array<number>(1000).fill(0) }), 1);
    expect(results.map(({ transportSequence }) => transportSequence)).toEqual(
      Array.from({ length: 300 }, (_, i) => 700 + i),
    );
  });

  it('is bounded by time: packets too old are not told of, and make room without growth', () => {
    const packets = new SentPackets({ maxAge: 1000 });
    for (let i = 0; i < 5000; i++) packets.add(1, 2, 3, i * 10);
    expect(packets.inspect()).toMatchObject({ capacity: 256 });
    packets.add(1, 2, 3, 60_000);
    expect(
      packets.takeFeedback(feedback({ baseSequenceNumber: 4999, deltas: [0, 0] }), 60_000),
    ).toMatchObject([{ transportSequence: 5000 }]);
  });

  it('refuses options by name', () => {
    expect(() => new SentPackets({ maxSentPackets: 1 })).toThrow(/maxSentPackets/);
    expect(() => new SentPackets({ maxAge: 0 })).toThrow(/maxAge/);
  });

  it('whatever feedback says, results are of packets that were sent: each missing once and arrived once, at the most', () => {
    fc.assert(
      fc.property(
        fc.nat(3000),
        fc.array(
          fc.record({
            base: fc.nat(0xffff),
            referenceTime: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
            feedbackCount: fc.nat(255),
            deltas: fc.array(fc.option(fc.integer({ min: -0x8000, max: 0x7fff })), { maxLength: 100 }),
          }),
          { maxLength: 30 },
        ),
        (count, feedbacks) => {
          const packets = sent(count);
          const told = new Set<string>();
          for (const { base, ...rest } of feedbacks) {
            const baseSequenceNumber = base % 2 === 0 ? base : base % (count + 1);
            for (const result of packets.takeFeedback(feedback({ ...rest, baseSequenceNumber }), count)) {
              const { transportSequence, arrivedAt, size } = result;
              expect(transportSequence).toBeLessThan(count);
              expect(size).toBe(1000 + transportSequence);
              const fate = `${transportSequence} ${arrivedAt === undefined ? 'missing' : 'arrived'}`;
              expect(told.has(fate)).toBe(false);
              expect(told.has(`${transportSequence} arrived`)).toBe(false);
              told.add(fate);
            }
          }
        },
      ),
    );
  });

  it('together with the recorder: every packet that came is told of, when it came, and every other as lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ wait: fc.double({ min: 0, max: 8, noNaN: true }), fate: fc.nat(9) }), {
          minLength: 1,
          maxLength: 900,
        }),
        (plan) => {
          const packets = new SentPackets();
          const recorder = new ArrivalRecorder();
          const arrivedAt = new Map<number, number>();
          const told = new Map<number, number | undefined>();
          let late: number | undefined;
          let now = 0;
          const tell = (time: number): void => {
            for (let given = recorder.pollFeedback(1, time); given; given = recorder.pollFeedback(1, time)) {
              for (const result of packets.takeFeedback(given, time)) {
                expect(told.get(result.transportSequence)).toBeUndefined();
                told.set(result.transportSequence, result.arrivedAt);
              }
            }
          };
          const arrive = (sequence: number): void => {
            recorder.record(sequence, 9, now);
            arrivedAt.set(sequence, now);
          };
          for (const { wait, fate } of plan) {
            now += wait;
            const sequence = packets.add(1, 9, 1200, now);
            if (fate === 0 && sequence > 0) continue;
            if (fate === 1 && sequence > 0 && late === undefined) late = sequence;
            else {
              arrive(sequence);
              if (late !== undefined) arrive(late);
              late = undefined;
            }
            tell(now);
          }
          tell(now + 200);
          const last = Math.max(...arrivedAt.keys());
          expect(told.size).toBe(last + 1);
          for (const [sequence, at] of told) {
            const really = arrivedAt.get(sequence);
            if (really === undefined) expect(at).toBeUndefined();
            else expect(Math.abs((at ?? NaN) - really)).toBeLessThanOrEqual(0.13);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('SentPackets, told of by source (RFC 8888)', () => {
  type Packets = CongestionFeedback['streams'][number]['packets'];

  function report(
    streams: Readonly<Record<number, readonly [first: number, packets: Packets]>>,
    reportTimestamp = 0,
  ): CongestionFeedback {
    return {
      type: 'congestion-feedback',
      senderSsrc: 1,
      reportTimestamp,
      streams: Object.entries(streams).map(([ssrc, [firstSequenceNumber, packets]]) => ({
        ssrc: Number(ssrc),
        firstSequenceNumber,
        packets,
      })),
    };
  }

  const came = (arrivedBefore: number): Packets[number] => ({ ecn: 0, arrivedBefore });

  /** Packets of the sources 5 and 6 in turns, from number `first` of each. */
  function sentBySource(count: number, first = 100): SentPackets {
    const packets = new SentPackets();
    packets.isTellingSources = true;
    for (let i = 0; i < count; i++) packets.add(7, 5 + (i % 2), 1000 + i, i, first + Math.floor(i / 2));
    return packets;
  }

  it('tells what became of the packets of each source, in the order of sending', () => {
    const results = sentBySource(4).takeCongestionFeedback(
      report({ 6: [100, [came(512), null]], 5: [100, [came(1024), came(0)]] }, 10 * 65_536),
      50,
    );
    expect(results).toEqual([
      { transportSequence: 0, mediaId: 7, ssrc: 5, size: 1000, sentAt: 0, arrivedAt: 9000 },
      { transportSequence: 1, mediaId: 7, ssrc: 6, size: 1001, sentAt: 1, arrivedAt: 9500 },
      { transportSequence: 2, mediaId: 7, ssrc: 5, size: 1002, sentAt: 2, arrivedAt: 10_000 },
      { transportSequence: 3, mediaId: 7, ssrc: 6, size: 1003, sentAt: 3, arrivedAt: undefined },
    ]);
  });

  it('tells each change once, whichever feedback says it', () => {
    const packets = sentBySource(4);
    const first = report({ 5: [100, [came(0), null]] });
    expect(packets.takeCongestionFeedback(first, 10)).toHaveLength(2);
    expect(packets.takeCongestionFeedback(first, 20)).toEqual([]);
    expect(packets.takeCongestionFeedback(report({ 5: [101, [came(0), null]] }), 30)).toMatchObject([
      { transportSequence: 2 },
    ]);
    expect(packets.takeFeedback(feedback({ deltas: [0, 0, null] }), 40)).toMatchObject([
      { transportSequence: 1 },
    ]);
  });

  it('of a packet that came at no known time tells the time of the report', () => {
    const packets = sentBySource(2);
    const results = packets.takeCongestionFeedback(report({ 5: [100, [came(0x1fff)]] }, 65_536), 10);
    expect(results).toMatchObject([{ arrivedAt: 1000 }]);
    expect(packets.counters.get('untimedArrivals')).toBe(1);
  });

  it('sequence numbers and times of reports go on where they wrap', () => {
    const packets = sentBySource(8, 65_534);
    const before = packets.takeCongestionFeedback(
      report({ 5: [65_534, [came(0), came(0)]] }, 2 ** 32 - 6554),
      10,
    );
    const after = packets.takeCongestionFeedback(report({ 5: [0, [came(0), came(0)]] }, 6553), 10);
    expect(after.map(({ transportSequence }) => transportSequence)).toEqual([4, 6]);
    expect((after[0]?.arrivedAt ?? 0) - (before[0]?.arrivedAt ?? 0)).toBeCloseTo(200, 0);
  });

  it('begins with the first feedback, where nobody has said that it will come', () => {
    const packets = new SentPackets();
    packets.add(7, 5, 1000, 0, 1);
    expect(packets.takeCongestionFeedback(report({ 5: [1, [came(0)]] }), 1)).toEqual([]);
    expect(packets.counters.snapshot()).toMatchObject({ congestionFeedbacks: 1, unknownFeedbackPackets: 1 });
    packets.add(7, 5, 1000, 2, 2);
    expect(packets.takeCongestionFeedback(report({ 5: [1, [came(0), came(0)]] }), 3)).toMatchObject([
      { transportSequence: 1 },
    ]);
  });

  it('a packet of a number that was used before is the later one', () => {
    const packets = new SentPackets();
    packets.isTellingSources = true;
    packets.add(7, 5, 1000, 0, 9);
    packets.add(7, 5, 1001, 1, 65_536 + 9);
    expect(packets.takeCongestionFeedback(report({ 5: [9, [came(0)]] }), 2)).toMatchObject([{ size: 1001 }]);
  });

  it('is bounded by count and time as the other one is, with nothing left of older packets', () => {
    const packets = new SentPackets({ maxSentPackets: 300, maxAge: 1000 });
    packets.isTellingSources = true;
    for (let i = 0; i < 100_000; i++) packets.add(1, i % 3, 2, i / 100, i);
    expect(packets.inspect()).toMatchObject({ capacity: 300, toldBySource: 300 });
    const all = (first: number): CongestionFeedback =>
      report({ 0: [first, Array<Packets[number]>(1000).fill(came(0))] });
    expect(packets.takeCongestionFeedback(all(99_000 & 0xffff), 1000)).toHaveLength(100);
    expect(packets.takeCongestionFeedback(all(99_000 & 0xffff), 3000)).toEqual([]);
  });

  it('whatever it says, results are of packets that were sent', () => {
    const stream = fc.record({
      ssrc: fc.constantFrom(0, 5, 6, 0xffff_ffff),
      firstSequenceNumber: fc.oneof(fc.nat(0xffff), fc.constantFrom(100, 101, 0xfff0)),
      packets: fc.array(fc.option(fc.record({ ecn: fc.nat(3), arrivedBefore: fc.nat(0x1fff) })), {
        maxLength: 60,
      }),
    });
    fc.assert(
      fc.property(
        fc.nat(600),
        fc.array(fc.record({ streams: fc.array(stream, { maxLength: 4 }), time: fc.nat(2 ** 32 - 1) }), {
          maxLength: 20,
        }),
        (count, feedbacks) => {
          const packets = sentBySource(count);
          const told = new Set<string>();
          for (const { streams, time } of feedbacks) {
            const results = packets.takeCongestionFeedback({ ...report({}, time), streams }, count);
            for (const { transportSequence, arrivedAt, size } of results) {
              expect(transportSequence).toBeLessThan(count);
              expect(size).toBe(1000 + transportSequence);
              const fate = `${transportSequence} ${arrivedAt === undefined ? 'missing' : 'arrived'}`;
              expect(told.has(fate)).toBe(false);
              expect(told.has(`${transportSequence} arrived`)).toBe(false);
              told.add(fate);
            }
          }
        },
      ),
    );
  });

  it('together with the recorder: every packet that came is told of, when it came, and every other as lost', () => {
    const packets = new SentPackets();
    packets.isTellingSources = true;
    const recorder = new CongestionRecorder();
    const arrivedAt = new Map<number, number>();
    const told = new Map<number, number | undefined>();
    for (let i = 0; i < 3000; i++) {
      const now = i;
      const [ssrc, number] = [5 + (i % 2), 65_000 + Math.floor(i / 2)];
      packets.add(1, ssrc, 1200, now, number);
      if (i % 10 !== 3) {
        recorder.record(ssrc, number & 0xffff, now);
        arrivedAt.set(i, now);
      }
      // The peer's clock is at any time.
      const clock = Math.round((now + 1e6) * 65.536) >>> 0;
      for (
        let given = recorder.pollFeedback(1, clock, now);
        given;
        given = recorder.pollFeedback(1, clock, now)
      )
        for (const result of packets.takeCongestionFeedback(given, now))
          told.set(result.transportSequence, result.arrivedAt);
    }
    expect(told.size).toBeGreaterThan(2800);
    for (const [sequence, at] of told) {
      const really = arrivedAt.get(sequence);
      if (really === undefined) expect(at).toBeUndefined();
      else expect(Math.abs((at ?? NaN) - really - 1e6)).toBeLessThanOrEqual(1);
    }
  });
});
