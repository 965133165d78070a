/** Sequence numbers of a source: none twice, none missing that nobody left out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/core/random.ts';
import { SequenceNumbers } from '../../../src/media/send/sequence-numbers.ts';
import { SendingRig, VP8, payload, video } from './sent.ts';

const numbers = (): SequenceNumbers => new SequenceNumbers(new SeededRandom(1));

describe('a source that counts by itself', () => {
  test('begins below 2^15, and goes on by one, over the wrap of 16 bits', () => {
    const rig = new SendingRig([video()]);
    const sequenceNumbers: number[] = [];
    for (let i = 0; i < 70_000; i++) {
      rig.write({ payload: payload(i, 4) });
      for (const packet of rig.poll()) sequenceNumbers.push(packet.sequenceNumber);
    }
    const [first = 0] = sequenceNumbers;
    expect(first).toBeLessThan(2 ** 15);
    expect(sequenceNumbers.every((number, i) => number === ((first + i) & 0xffff))).toBe(true);
  });

  test('numbers what is accepted alone', () => {
    const rig = new SendingRig([video()], { maxQueuedPackets: 1 });
    const sent: number[] = [];
    for (let i = 0; i < 5; i++) {
      rig.write({});
      rig.write({}); // refused
      for (const packet of rig.poll()) sent.push(packet.sequenceNumber);
    }
    expect(sent.map((number) => number - (sent[0] ?? 0))).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('a caller who counts', () => {
  test('leaves out what was lost, and fills in what was late', () => {
    const all = numbers();
    expect([20, 21, 24, 25, 23, 22].map((given) => all.claim(given))).toEqual([20, 21, 24, 25, 23, 22]);
    expect([22, 19, 25].map((given) => all.claim(given))).toEqual([-1, -1, -1]);
  });

  test('goes beyond what 16 bits tell', () => {
    const rig = new SendingRig([video()]);
    for (const sequence of [65_535, 65_536, 65_538]) rig.write({ sequence });
    expect(rig.poll().map((packet) => packet.sequenceNumber)).toEqual([65_535, 0, 2]);
  });

  test('is refused numbers that were used, or are too old', () => {
    const rig = new SendingRig([video()]);
    for (const sequence of [5000, 5000, 6100, 5001, 5077]) rig.write({ sequence });
    expect(rig.poll().map((packet) => packet.sequenceNumber)).toEqual([5000, 6100, 5077]);
    expect(rig.counted()).toEqual({ writesBadSequence: 2 });
  });

  test('who goes on far away is numbered on from what was', () => {
    const rig = new SendingRig([video()]);
    for (const sequence of [5000, 5000 + 0x7fff, 200_000, 200_002, 200_001]) rig.write({ sequence });
    const last = 5000 + 0x7fff;
    const expected = [5000, last, last + 1, last + 3, last + 2];
    expect(rig.poll().map((packet) => packet.sequenceNumber)).toEqual(
      expected.map((number) => number & 0xffff),
    );
    expect(rig.counted()).toEqual({ sequenceJumps: 1 });
  });

  test('and packets of our own in between are one row', () => {
    const all = numbers();
    expect([all.claim(20), all.claim(22), all.next(), all.claim(23), all.claim(25), all.next()]).toEqual([
      20, 22, 23, 24, 26, 27,
    ]);
    expect(all.claim(21)).toBe(-1); // it would be in front of what moved it
    expect(all.claim(24)).toBe(-1);
  });

  test('after packets of our own goes on from them', () => {
    const all = numbers();
    const first = all.next();
    expect(all.claim(999_999)).toBe(first + 1);
    expect(all.claim(1_000_001)).toBe(first + 3);
  });
});

test('whoever counts, and however: no number is given out twice, and none takes the receiver half a circle back', () => {
  const step = fc.oneof(
    fc.constant('next' as const),
    fc.nat(5).map((ahead) => ahead - 2),
    fc.nat(2000).map((ahead) => ahead - 1000),
    fc.nat(200_000).map((ahead) => ahead - 100_000),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(2 ** 40), (steps, start) => {
      const all = numbers();
      const used = new Set<number>();
      let given = start;
      let largest = -1;
      for (const one of steps) {
        if (one !== 'next') {
          given = Math.max(0, given + one);
          all.follow(given);
        }
        const number = one === 'next' ? all.next() : all.claim(given);
        if (number < 0) continue;
        expect(used.has(number)).toBe(false);
        used.add(number);
        expect(number).toBeGreaterThanOrEqual(0);
        if (largest >= 0) expect(number - largest).toBeLessThanOrEqual(0x7fff);
        if (largest >= 0) expect(largest - number).toBeLessThan(1024);
        largest = Math.max(largest, number);
        expect(all.largest).toBe(largest);
      }
    }),
  );
});

test('a codec without NACK keeps no history', () => {
  const rig = new SendingRig([video({ codecs: [{ ...VP8, rtcpFeedback: [] }] })]);
  rig.write({});
  rig.poll();
  expect(rig.sending.nextTimeout()).toBe(Infinity);
});
