/** Transport-wide feedback as its receiver gives it: what is in it, when, how large, and what it costs to record. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalRecorder } from '../../../src/media/feedback/arrival-recorder.ts';
import type { TransportFeedback } from '../../../src/rtp/index.ts';
import { rtcpLength, writeRtcp } from '../../../src/rtp/index.ts';

const MEDIA = 0x1234;
const SENDER = 0x99;

function poll(recorder: ArrivalRecorder, now: number): TransportFeedback[] {
  const all: TransportFeedback[] = [];
  for (;;) {
    const feedback = recorder.pollFeedback(SENDER, now);
    if (feedback === undefined) return all;
    all.push(feedback);
  }
}

/** What was recorded, as one feedback, and no more. */
function feedbackOf(...arrivals: readonly (readonly [sequence: number, at: number])[]): TransportFeedback {
  const recorder = new ArrivalRecorder();
  for (const [sequence, at] of arrivals) recorder.record(sequence, MEDIA, at);
  const [feedback, ...more] = poll(recorder, recorder.nextTimeout());
  expect(more).toEqual([]);
  expect(feedback).toBeDefined();
  return feedback as TransportFeedback;
}

/** The chunks, as hexadecimal. */
function chunksOf(feedback: TransportFeedback, count: number): string {
  const bytes = new Uint8Array(rtcpLength(feedback));
  writeRtcp(feedback, bytes, 0);
  return Buffer.from(bytes.subarray(20, 20 + 2 * count)).toString('hex');
}

/** When each packet came, in ms, by the feedback: unwrapped numbers are the caller's to know. */
function arrivalsOf(feedback: TransportFeedback): Map<number, number> {
  const arrivals = new Map<number, number>();
  let at = feedback.referenceTime * 64;
  feedback.deltas.forEach((delta, i) => {
    if (delta === null) return;
    at += delta / 4;
    arrivals.set((feedback.baseSequenceNumber + i) & 0xffff, at);
  });
  return arrivals;
}

describe('what feedback says', () => {
  it('base sequence number and reference time are of the first packet', () => {
    const feedback = feedbackOf([700, 64 * 5 + 3], [701, 64 * 5 + 4.5]);
    expect(feedback).toEqual({
      type: 'transport-feedback',
      senderSsrc: SENDER,
      mediaSsrc: MEDIA,
      baseSequenceNumber: 700,
      referenceTime: 5,
      feedbackCount: 0,
      deltas: [12, 6],
    });
  });

  it('the media source is that of the last packet', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(1, 11, 0);
    recorder.record(2, 22, 1);
    expect(recorder.pollFeedback(SENDER, 100)?.mediaSsrc).toBe(22);
  });

  it('deltas are rounded with the error carried: a thousand times 0.3 ms are 300 ms', () => {
    const arrivals = Array.from({ length: 1000 }, (_, i) => [i, i * 0.3] as const);
    const recorder = new ArrivalRecorder();
    for (const [sequence, at] of arrivals) recorder.record(sequence, MEDIA, at);
    const told = poll(recorder, 400).map(arrivalsOf);
    expect(told.reduce((sum, { size }) => sum + size, 0)).toBe(1000);
    for (const [sequence, at] of arrivals) {
      const toldAt = told.find((part) => part.has(sequence))?.get(sequence);
      expect(Math.abs((toldAt ?? NaN) - at)).toBeLessThanOrEqual(0.125);
    }
  });

  it('packets that did not come are told of, up to the last that did', () => {
    expect(feedbackOf([10, 0], [13, 1], [14, 2]).deltas).toEqual([0, null, null, 4, 4]);
  });

  it('losses between two feedbacks are in the second', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(10, MEDIA, 0);
    expect(poll(recorder, 100)).toHaveLength(1);
    recorder.record(14, MEDIA, 101);
    const [second] = poll(recorder, 200);
    expect(second).toMatchObject({
      baseSequenceNumber: 11,
      feedbackCount: 1,
      referenceTime: 1,
      deltas: [null, null, null, 148],
    });
  });

  it('sequence numbers wrap', () => {
    const feedback = feedbackOf([65_534, 0], [65_535, 1], [0, 2], [2, 3]);
    expect(feedback).toMatchObject({ baseSequenceNumber: 65_534, deltas: [0, 4, 4, null, 4] });
  });

  it('the number of the feedback wraps', () => {
    const recorder = new ArrivalRecorder();
    const numbers: number[] = [];
    for (let i = 0; i < 260; i++) {
      recorder.record(i, MEDIA, i * 200);
      for (const { feedbackCount } of poll(recorder, i * 200 + 100)) numbers.push(feedbackCount);
    }
    expect(numbers).toEqual(Array.from({ length: 260 }, (_, i) => i & 0xff));
  });

  it('reference times wrap at 24 bits, and are negative in their second half', () => {
    expect(feedbackOf([1, 64 * (2 ** 23 - 1)]).referenceTime).toBe(2 ** 23 - 1);
    expect(feedbackOf([1, 64 * 2 ** 23]).referenceTime).toBe(-(2 ** 23));
    expect(feedbackOf([1, 64 * 2 ** 24]).referenceTime).toBe(0);
    expect(feedbackOf([1, -64]).referenceTime).toBe(-1);
  });

  it('reordered packets have negative deltas', () => {
    expect(feedbackOf([1, 0], [3, 1], [2, 2]).deltas).toEqual([0, 8, -4]);
  });

  it('a packet before the first that was recorded is the base', () => {
    expect(feedbackOf([5, 0], [4, 1])).toMatchObject({ baseSequenceNumber: 4, deltas: [4, -4] });
  });

  // Not as §3.1.1 of the draft has it, which would have those marked as not received: see `ArrivalLog`.
  it('a late packet is told of in the next feedback, with those behind it once more', () => {
    const recorder = new ArrivalRecorder();
    for (const sequence of [1, 2, 4, 5]) recorder.record(sequence, MEDIA, sequence);
    expect(poll(recorder, 101)[0]?.deltas).toEqual(
      [4, 4, null, 4, 4].map((delta, i) => (i === 3 ? 8 : delta)),
    );
    recorder.record(3, MEDIA, 110);
    expect(poll(recorder, 300)).toMatchObject([{ baseSequenceNumber: 3, deltas: [184, -424, 4] }]);
  });

  it('duplicates count, and the first arrival stands', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(1, MEDIA, 0);
    recorder.record(1, MEDIA, 50);
    expect(poll(recorder, 100)[0]?.deltas).toEqual([0]);
    recorder.record(1, MEDIA, 110);
    expect(recorder.nextTimeout()).toBe(Infinity);
    expect(recorder.counters.snapshot()).toMatchObject({ arrivals: 1, duplicateArrivals: 2 });
  });

  it('packets too far apart for a delta are in two feedbacks', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(1, MEDIA, 0);
    recorder.record(2, MEDIA, 9000);
    expect(poll(recorder, 9000)).toMatchObject([
      { baseSequenceNumber: 1, referenceTime: 0, deltas: [0] },
      { baseSequenceNumber: 2, referenceTime: 140, deltas: [160] },
    ]);
  });

  it('has the 18 bytes of body that Chromium expects, of one packet, too', () => {
    expect(rtcpLength(feedbackOf([1, 0])) - 4).toBeGreaterThanOrEqual(18);
  });
});

describe('chunks', () => {
  const every = (count: number, at: (i: number) => number): (readonly [number, number])[] =>
    Array.from({ length: count }, (_, i) => [i, at(i)] as const);

  it('a run of one status is one chunk', () => {
    expect(chunksOf(feedbackOf(...every(90, (i) => i)), 1)).toBe('205a');
  });

  it('missing and small ones are 14 in a chunk', () => {
    const arrivals = every(15, (i) => i).filter(([i]) => i % 2 === 0);
    expect(chunksOf(feedbackOf(...arrivals), 2)).toBe(`${(0x8000 | 0b10101010101010).toString(16)}2001`);
  });

  it('with a large one among them they are 7 in a chunk', () => {
    const arrivals = every(8, (i) => (i < 3 ? i : i + 70)).filter(([i]) => i !== 1);
    expect(chunksOf(feedbackOf(...arrivals), 2)).toBe(
      `${(0xc000 | 0b01_00_01_10_01_01_01).toString(16)}2001`,
    );
  });

  it('a long loss is a run', () => {
    expect(chunksOf(feedbackOf([0, 0], [5000, 1]), 3)).toBe(`a000${(5000 - 14).toString(16)}2001`);
  });
});

describe('when it is due', () => {
  it('nothing is due before a packet has come', () => {
    const recorder = new ArrivalRecorder();
    expect(recorder.nextTimeout()).toBe(Infinity);
    expect(recorder.pollFeedback(SENDER, 1000)).toBeUndefined();
  });

  it('every 100 ms', () => {
    const recorder = new ArrivalRecorder();
    const times: number[] = [];
    for (let now = 0; now < 1000; now += 10) {
      recorder.record(now / 10, MEDIA, now, 1000);
      if (recorder.pollFeedback(SENDER, now) !== undefined) times.push(now);
    }
    expect(times).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900]);
  });

  it('every 50 ms above 2 Mbit/s', () => {
    const recorder = new ArrivalRecorder();
    const times: number[] = [];
    for (let now = 0; now < 500; now += 5) {
      recorder.record(now / 5, MEDIA, now, 1500);
      if (recorder.pollFeedback(SENDER, now) !== undefined) times.push(now);
    }
    expect(times).toEqual([100, 150, 200, 250, 300, 350, 400, 450]);
  });

  it('is quiet when nothing comes', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(1, MEDIA, 0);
    expect(recorder.nextTimeout()).toBe(100);
    expect(poll(recorder, 100)).toHaveLength(1);
    expect(recorder.nextTimeout()).toBe(Infinity);
  });
});

describe('bounds', () => {
  it('no feedback is larger than 540 bytes, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(fc.integer({ min: -3, max: 40 }), fc.nat(0xffff)),
            fc.oneof(fc.nat(3), fc.nat(200)),
          ),
          {
            maxLength: 800,
            size: 'max',
          },
        ),
        (steps) => {
          const recorder = new ArrivalRecorder();
          let sequence = 0;
          let now = 0;
          for (const [step, wait] of steps) {
            sequence = (sequence + step) & 0xffff;
            now += wait;
            recorder.record(sequence, MEDIA, now);
          }
          const all = poll(recorder, now + 100);
          for (const feedback of all) {
            expect(rtcpLength(feedback)).toBeLessThanOrEqual(540);
            expect(feedback.deltas.at(-1)).not.toBeNull();
          }
          expect(all.reduce((sum, { deltas }) => sum + deltas.length, 0)).toBeLessThanOrEqual(8192);
          expect(recorder.nextTimeout()).toBe(Infinity);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('what came is told at its time, whatever is lost, reordered and duplicated', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            back: fc.nat(5),
            wait: fc.double({ min: 0, max: 30, noNaN: true }),
            lost: fc.boolean(),
          }),
          {
            minLength: 1,
            maxLength: 300,
          },
        ),
        (packets) => {
          const recorder = new ArrivalRecorder();
          const came = new Map<number, number>();
          const told = new Map<number, number>();
          let now = 0;
          packets.forEach(({ back, wait, lost }, i) => {
            now += wait;
            const sequence = Math.max(0, i - back) + 65_400;
            if (!lost) {
              if (!came.has(sequence)) came.set(sequence, now);
              recorder.record(sequence & 0xffff, MEDIA, now);
            }
            for (const feedback of poll(recorder, now)) {
              for (const [number, at] of arrivalsOf(feedback)) told.set(number, at);
            }
          });
          for (const feedback of poll(recorder, now + 100)) {
            for (const [number, at] of arrivalsOf(feedback)) told.set(number, at);
          }
          expect(told.size).toBe(came.size);
          for (const [sequence, at] of came) {
            expect(Math.abs((told.get(sequence & 0xffff) ?? NaN) - at)).toBeLessThanOrEqual(0.13);
          }
        },
      ),
    );
  });

  it('a jump beyond the ring gives up what is before it, and counts it', () => {
    const recorder = new ArrivalRecorder({ maxArrivals: 512 });
    for (let i = 0; i < 10; i++) recorder.record(i, MEDIA, i);
    recorder.record(30_000, MEDIA, 20);
    expect(recorder.counters.get('untoldArrivals')).toBe(10);
    expect(poll(recorder, 100).map(({ deltas }) => deltas.length)).toEqual([512]);
  });

  it('a sender that begins anew far behind is followed after a few packets', () => {
    const recorder = new ArrivalRecorder();
    recorder.record(20_000, MEDIA, 0);
    poll(recorder, 100);
    for (let i = 0; i < 20; i++) recorder.record(i, MEDIA, 200 + i);
    expect(recorder.counters.snapshot()).toMatchObject({ lateArrivals: 16, arrivalRestarts: 1 });
    expect(poll(recorder, 400)).toMatchObject([{ baseSequenceNumber: 15 }]);
  });

  it('in steady state nothing grows: the ring stays as it is, under loss and reordering', () => {
    const recorder = new ArrivalRecorder();
    const capacities = new Set<unknown>();
    for (let i = 0; i < 100_000; i++) {
      if (i % 20 !== 0) recorder.record((i ^ (i % 7 === 0 ? 3 : 0)) & 0xffff, MEDIA, i / 2, 1200);
      poll(recorder, i / 2);
      capacities.add((recorder.inspect() as { capacity: number }).capacity);
    }
    expect([...capacities]).toEqual([512]);
    expect(recorder.counters.get('untoldArrivals')).toBe(0);
  });
});
