/** TSNs on a line, and which of them have arrived. Behaviours that other stacks (dcSCTP above all) test, by name. */
import { describe, expect, test } from 'vitest';
import { PacketWriter } from '../../src/sctp/packet/packet.ts';
import { MAX_TSN_AHEAD, TsnTracker } from '../../src/sctp/rx/tsn-tracker.ts';
import { IntervalSet, TsnLine } from '../../src/sctp/tsn.ts';
import { sackOf } from './wire.ts';

describe('TsnLine', () => {
  test.each([
    ['simple', 0, [0, 1, 2]],
    ['from the middle', 0x8000_0000, [0x8000_0000, 0x8000_0001]],
    ['across the wrap', 0xffff_fffe, [0xffff_fffe, 0xffff_ffff, 0, 1]],
  ] as const)('%s: positions count from the initial TSN', (_, initial, tsns) => {
    const line = new TsnLine(initial);
    expect(tsns.map((tsn, i) => line.position(tsn, i))).toEqual(tsns.map((_tsn, i) => i));
    expect(tsns.map((_tsn, i) => line.wire(i))).toEqual(tsns);
  });

  test('several times round the circle, and back', () => {
    const line = new TsnLine(7);
    let position = 0;
    for (let i = 0; i < 20; i++) {
      const next = position + 0x4000_0000;
      expect(line.position(line.wire(next), position)).toBe(next);
      expect(line.position(line.wire(position), next)).toBe(position);
      position = next;
    }
    expect(position).toBeGreaterThan(4 * 2 ** 32);
  });

  test('2^31 apart is one of the two, always the same', () => {
    const line = new TsnLine(0);
    expect(line.position(0x8000_0000, 0)).toBe(-0x8000_0000);
    expect(line.position(0, 0x8000_0000)).toBe(0);
  });
});

/** What a tracker says in its next SACK. */
function sack(tracker: TsnTracker): {
  cumulative: number;
  blocks: readonly number[];
  duplicates: readonly number[];
} {
  const buffer = new Uint8Array(1160);
  const writer = new PacketWriter();
  writer.begin(buffer, 0, buffer.length, { source: 1, destination: 1 }, 1);
  tracker.writeInto(writer, 1000);
  const { cumulativeTsn, blocks, duplicates } = sackOf(buffer.subarray(0, writer.finish()));
  return { cumulative: cumulativeTsn, blocks, duplicates };
}

/** A tracker whose TSNs are its positions plus 10 (RFC 9260's examples count so), everything up to 11 here. */
function tracker(...arrivals: number[]): TsnTracker {
  const made = new TsnTracker(new TsnLine(10));
  made.accept(0);
  made.accept(1);
  for (const tsn of arrivals) arrive(made, tsn);
  return made;
}

function arrive(made: TsnTracker, tsn: number): string {
  const position = tsn - 10;
  const verdict = made.judge(position);
  if (verdict === 'new') made.accept(position);
  else if (verdict === 'duplicate') made.noteDuplicate(position);
  return verdict;
}

describe('TsnTracker: gaps', () => {
  test.each([
    ['in order', [12, 13], 13, []],
    ['one missing', [12, 14], 12, [2, 2]],
    ['a single gap filled', [13, 12], 13, []],
    ['one of two gaps filled', [13, 15, 12], 13, [2, 2]],
    ['three gaps filled from the front', [13, 15, 17, 12, 14, 16], 17, []],
    ['three gaps filled from behind', [13, 15, 17, 16, 14, 12], 17, []],
    ['RFC 9260 §3.3.4: 10–12, 14–15, 17', [12, 14, 15, 17], 12, [2, 3, 5, 5]],
  ] as const)('%s', (_, arrivals, cumulative, blocks) => {
    expect(sack(tracker(...arrivals))).toEqual({ cumulative, blocks, duplicates: [] });
  });

  test('duplicates before, at and behind the cumulative TSN, and inside a block; told once', () => {
    const made = tracker(14, 15, 16);
    for (const tsn of [10, 11, 15, 15]) expect(arrive(made, tsn)).toBe('duplicate');
    expect(made.sackNow).toBe(true);
    expect(sack(made)).toEqual({ cumulative: 11, blocks: [3, 5], duplicates: [10, 11, 15, 15] });
    expect(sack(made).duplicates).toEqual([]);
  });

  test('the window of valid TSNs ends exactly 100 000 ahead, and moves with the cumulative one', () => {
    const made = tracker();
    expect(made.judge(1 + MAX_TSN_AHEAD)).toBe('new');
    expect(made.judge(1 + MAX_TSN_AHEAD + 1)).toBe('out-of-window');
    expect(made.judge(-1_000_000)).toBe('duplicate');
    made.accept(2);
    expect(made.judge(2 + MAX_TSN_AHEAD)).toBe('new');
  });

  test('a block whose end a 16-bit distance does not reach is not told', () => {
    const made = tracker();
    made.accept(1 + 0xffff);
    expect(sack(made).blocks).toEqual([0xffff, 0xffff]);
    made.accept(2 + 0xffff);
    expect(sack(made).blocks).toEqual([]);
  });
});

describe('TsnTracker: how large a SACK is', () => {
  /** Gaps behind each of `count` chunks, and the first one `duplicates` times. */
  function holed(count: number, duplicates = 0): TsnTracker {
    const made = tracker();
    for (let i = 0; i < count; i++) arrive(made, 13 + 2 * i);
    for (let i = 0; i < duplicates; i++) arrive(made, 10);
    return made;
  }

  test('duplicates are told 20 at the most', () => {
    expect([19, 20, 21, 40].map((count) => sack(holed(0, count)).duplicates.length)).toEqual([
      19, 20, 20, 20,
    ]);
  });

  test.each([
    [15, 0],
    [16, 16],
    [19, 16],
    [20, 20],
    [27, 24],
    [28, 28],
    [1000, 28],
  ])('three gaps and %d bytes of room: %d', (room, size) => {
    expect(holed(3).sackSize(room)).toBe(size);
  });

  test.each([
    [23, 0],
    [24, 24],
    [27, 24],
    [28, 28],
    [1000, 36],
  ])('three gaps, two duplicates and %d bytes of room: %d', (room, size) => {
    expect(holed(3, 2).sackSize(room)).toBe(size);
  });
});

describe('TsnTracker: FORWARD TSN', () => {
  test.each([
    ['simple', [], 15, 15, []],
    ['over the blocks that lie below', [13, 15, 18], 16, 16, [2, 2]],
    ['up to a block: what touches it counts', [13, 14, 17], 12, 14, [3, 3]],
    ['into a block', [13, 14, 15, 17], 14, 15, [2, 2]],
    // Advanced.Peer.Ack.Point moves over the abandoned 104 and 105 of RFC 3758 §3.5; 106 has arrived.
    ['RFC 3758 §3.5', [12, 13, 16], 15, 16, []],
    ['to the past', [12, 13], 11, 13, []],
  ] as const)('%s', (_, arrivals, to, cumulative, blocks) => {
    const made = tracker(...arrivals);
    made.forwardTo(to - 10);
    expect(made.sackNow).toBe(true);
    expect(sack(made)).toEqual({ cumulative, blocks, duplicates: [] });
  });

  test('what it has passed is a duplicate, however far it jumped', () => {
    const made = tracker(13);
    made.forwardTo(90_000);
    expect([arrive(made, 12), arrive(made, 90_010), arrive(made, 90_011)]).toEqual([
      'duplicate',
      'duplicate',
      'new',
    ]);
  });
});

describe('TsnTracker: when to say so (RFC 9260 §6.2)', () => {
  test('the first packet at once, then every second one', () => {
    const made = tracker();
    const asked: boolean[] = [];
    for (let tsn = 12; tsn < 18; tsn++) {
      arrive(made, tsn);
      made.decide();
      asked.push(made.sackNow);
      if (made.sackNow) sack(made);
      else expect(made.sackPending).toBe(true);
    }
    expect(asked).toEqual([true, false, true, false, true, false]);
  });

  test('E1: every packet while something is missing and for 64 after it, then every second again', () => {
    const made = tracker();
    sack(made);
    const asked: boolean[] = [];
    for (const tsn of [13, 14, 12, ...Array.from({ length: 66 }, (_, i) => 15 + i)]) {
      arrive(made, tsn);
      made.decide();
      asked.push(made.sackNow);
      if (made.sackNow) sack(made);
    }
    // The one that fills the gap is the first of the 64; the first after them closes what was begun.
    const missing = [true, true];
    const after = Array.from({ length: 63 }, () => true);
    expect(asked.slice(0, missing.length + after.length)).toEqual([...missing, ...after]);
    expect(asked.slice(missing.length + after.length)).toEqual([false, true, false, true]);
  });

  test('at once on demand (the I bit) and for a duplicate', () => {
    const made = tracker();
    sack(made);
    made.demandSack();
    expect(made.sackNow).toBe(true);
    sack(made);
    expect(made.sackPending).toBe(false);
    arrive(made, 11);
    expect(made.sackNow).toBe(true);
  });
});

describe('IntervalSet: the cases of adding and removing', () => {
  const set = (...bounds: readonly (readonly [number, number])[]): IntervalSet => {
    const made = new IntervalSet();
    for (const [first, last] of bounds) made.add(first, last);
    return made;
  };
  const bounds = (of: IntervalSet): number[][] =>
    Array.from({ length: of.size }, (_, i) => [of.first(i), of.last(i)]);
  const two = [
    [10, 12],
    [20, 22],
  ] as const;

  test.each([
    ['to nothing', [], [5, 5], [[5, 5]]],
    ['the same again', [[5, 5]], [5, 5], [[5, 5]]],
    [
      'far before',
      two,
      [1, 2],
      [
        [1, 2],
        [10, 12],
        [20, 22],
      ],
    ],
    [
      'touching the left of the first',
      two,
      [9, 9],
      [
        [9, 12],
        [20, 22],
      ],
    ],
    [
      'touching the right of the first',
      two,
      [13, 13],
      [
        [10, 13],
        [20, 22],
      ],
    ],
    [
      'between',
      two,
      [15, 16],
      [
        [10, 12],
        [15, 16],
        [20, 22],
      ],
    ],
    [
      'touching the left of the second',
      two,
      [19, 19],
      [
        [10, 12],
        [19, 22],
      ],
    ],
    ['touching both', two, [13, 19], [[10, 22]]],
    [
      'touching the right of the last',
      two,
      [23, 23],
      [
        [10, 12],
        [20, 23],
      ],
    ],
    [
      'far behind',
      two,
      [30, 31],
      [
        [10, 12],
        [20, 22],
        [30, 31],
      ],
    ],
    ['over everything', two, [1, 40], [[1, 40]]],
    [
      'inside',
      two,
      [11, 11],
      [
        [10, 12],
        [20, 22],
      ],
    ],
  ] as const)('add %s', (_, before, [first, last], after) => {
    const made = set(...before);
    made.add(first, last);
    expect(bounds(made)).toEqual(after);
  });

  test.each([
    [
      'before the first',
      9,
      [
        [10, 12],
        [20, 22],
      ],
    ],
    [
      'at the start of the first',
      10,
      [
        [11, 12],
        [20, 22],
      ],
    ],
    [
      'inside the first',
      11,
      [
        [12, 12],
        [20, 22],
      ],
    ],
    ['at the end of the first', 12, [[20, 22]]],
    ['between', 15, [[20, 22]]],
    ['inside the second', 21, [[22, 22]]],
    ['at the end of the second', 22, []],
    ['far behind', 100, []],
  ] as const)('remove through %s', (_, through, after) => {
    const made = set(...two);
    made.removeThrough(through);
    expect(bounds(made)).toEqual(after);
  });
});
