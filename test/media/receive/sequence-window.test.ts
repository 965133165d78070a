/** Sequence numbers of a source: unwrapped, each once, begun anew by RFC 3550 A.1. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DUPLICATE,
  JUMP,
  SEQUENCE_WINDOW,
  SequenceWindow,
  TOO_LATE,
} from '../../../src/media/receive/sequence-window.ts';

describe('sequence numbers', () => {
  test('near 65535 go on as if there were no end', () => {
    const window = new SequenceWindow();
    expect([65_534, 65_535, 0, 1].map((value) => window.take(value))).toEqual([
      131_070, 131_071, 131_072, 131_073,
    ]);
  });

  test('older ones that come first keep their order', () => {
    const window = new SequenceWindow();
    expect([2, 65_535, 1].map((value) => window.take(value))).toEqual([65_538, 65_535, 65_537]);
  });

  test('are taken once', () => {
    const window = new SequenceWindow();
    window.take(10);
    window.take(12);
    expect([10, 11, 11, 12].map((value) => window.take(value))).toEqual([
      DUPLICATE,
      65_547,
      DUPLICATE,
      DUPLICATE,
    ]);
  });

  test('behind the window are too late', () => {
    const window = new SequenceWindow();
    window.take(5000);
    expect(window.take(5000 - SEQUENCE_WINDOW + 1)).toBe(65_536 + 5000 - SEQUENCE_WINDOW + 1);
    expect(window.take(5000 - SEQUENCE_WINDOW)).toBe(TOO_LATE);
  });

  test('a jump is dropped, and two in a row are a new beginning that goes on forward', () => {
    const window = new SequenceWindow();
    window.take(10_000);
    expect(window.take(20_000)).toBe(JUMP);
    expect(window.take(10_001)).toBe(75_537);
    expect(window.take(20_001)).toBe(JUMP);
    const before = window.highest;
    const after = window.take(20_002);
    expect(after).toBe(65_536 + 20_002);
    expect(SequenceWindow.isRestart(before, after)).toBe(true);
    // Back to a lower number is a circle further.
    window.take(1000);
    expect(window.take(1001)).toBe(2 * 65_536 + 1001);
  });

  test('what is sent again makes no source begin anew', () => {
    const window = new SequenceWindow();
    window.take(10_000);
    expect([30_000, 30_001, 30_002].map((value) => window.take(value, true))).toEqual([
      TOO_LATE,
      TOO_LATE,
      TOO_LATE,
    ]);
    expect(window.highest).toBe(75_536);
  });

  test('loss, reordering and duplication within the window: each number once, as it was counted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 300 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }),
        (first, steps, picks) => {
          const window = new SequenceWindow();
          const seen = new Set([first]);
          let latest = first;
          expect(window.take(first)).toBe(65_536 + first);
          for (const [index, step] of steps.entries()) {
            latest += step;
            seen.add(latest);
            expect(window.take(latest & 0xffff)).toBe(65_536 + latest);
            const older = latest - (picks[index] ?? 0);
            const expected = seen.has(older) ? DUPLICATE : 65_536 + older;
            expect(window.take(older & 0xffff)).toBe(expected);
            seen.add(older);
          }
        },
      ),
    );
  });

  test('whatever comes, no number is given twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 500 }), (values) => {
        const window = new SequenceWindow();
        const taken = values.map((value) => window.take(value)).filter((sequence) => sequence >= 0);
        expect(new Set(taken).size).toBe(taken.length);
      }),
    );
  });
});
