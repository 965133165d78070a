/** How the receive window grows: for a long path that delivers more than it has room for, and for nothing else. */
import { describe, expect, test } from 'vitest';
import { WindowSize } from '../../src/sctp/rx/window.ts';

const INITIAL = 1_000_000;

/** Rounds of `roundTrip` milliseconds in which `bytes` arrive, ten times, and the host takes `taken` of them. */
function rounds(
  size: WindowSize,
  count: number,
  from: number,
  { roundTrip, taken, held = 0 }: { roundTrip: number; taken: number; held?: number },
): number {
  let now = from;
  for (let i = 0; i < count * 10; i++) {
    now += roundTrip / 10;
    size.noteTaken(taken / 10);
    size.observe(held, roundTrip, now);
  }
  return now;
}

describe('WindowSize', () => {
  test('a long path that delivers three quarters of it in a round trip: it grows by half, up to its bound', () => {
    const size = new WindowSize(INITIAL, 2_000_000);
    let now = rounds(size, 1, 0, { roundTrip: 100, taken: 800_000 });
    now = rounds(size, 3, now, { roundTrip: 100, taken: 800_000 });
    expect(size.bytes).toBe(INITIAL);
    now = rounds(size, 2, now, { roundTrip: 100, taken: 800_000 });
    expect(size.bytes).toBe(1_500_000);
    now = rounds(size, 20, now, { roundTrip: 100, taken: 800_000 });
    expect(size.bytes).toBe(1_500_000);
    rounds(size, 100, now, { roundTrip: 100, taken: 5_000_000 });
    expect(size.bytes).toBe(2_000_000);
  });

  test('what waits for lost packets needs room as well, but alone it is no reason', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    const now = rounds(size, 50, 0, { roundTrip: 100, taken: 200_000, held: 1_000_000 });
    expect(size.bytes).toBe(INITIAL);
    rounds(size, 50, now, { roundTrip: 100, taken: 300_000, held: 600_000 });
    expect(size.bytes).toBeGreaterThan(INITIAL);
  });

  test('over a short round trip, or an unknown one, never', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    rounds(size, 100, 0, { roundTrip: 20, taken: 5_000_000, held: 1_000_000 });
    for (let now = 2000; now < 10_000; now += 10) {
      size.noteTaken(1_000_000);
      size.observe(1_000_000, Infinity, now);
    }
    expect(size.bytes).toBe(INITIAL);
  });

  test('a backlog of a whole window after a stall is no fast path', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    let now = rounds(size, 4, 0, { roundTrip: 50, taken: 200_000 });
    for (let stall = 0; stall < 20; stall++) {
      now += 400;
      for (let i = 0; i < 100; i++) {
        size.noteTaken(INITIAL / 100);
        size.observe(0, 50, now + i / 5);
      }
      now = rounds(size, 8, now + 20, { roundTrip: 50, taken: 200_000 });
    }
    expect(size.bytes).toBe(INITIAL);
  });

  test('a reader that takes little keeps it as it is, whatever has arrived', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    rounds(size, 100, 0, { roundTrip: 100, taken: 10_000, held: 900_000 });
    expect(size.bytes).toBe(INITIAL);
  });

  /** Two periods of two round trips of 100 ms, from 1000 on: whether the window grew with the last one. */
  function grows(
    { taken, held = 0, roundTrip = 100 }: { taken: number; held?: number; roundTrip?: number },
    size = new WindowSize(INITIAL, 10_000_000),
  ): boolean {
    let grew = size.observe(0, roundTrip, 1000);
    for (const now of [1000 + 2 * roundTrip, 1000 + 4 * roundTrip]) {
      size.noteTaken(taken);
      grew = size.observe(held, roundTrip, now);
    }
    return grew;
  }

  test.each([
    ['a quarter delivered in a round trip, and the rest of three quarters held', 500_000, 500_000, true],
    ['a byte less than a quarter delivered', 499_998, 900_000, false],
    ['a byte less than three quarters in all', 500_000, 499_999, false],
    ['three quarters delivered', 1_500_000, 0, true],
  ])('%s: %d bytes in two round trips, %d held: grows? %s', (_, taken, held, expected) => {
    expect(grows({ taken, held })).toBe(expected);
  });

  test.each([
    [25, true],
    [24.9, false],
  ])('a round trip of %d ms is long enough: %s', (roundTrip, expected) => {
    expect(grows({ taken: 2_000_000, roundTrip })).toBe(expected);
  });

  test('what was taken and held in one period is not counted again in the next', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    size.observe(0, 100, 1000);
    size.noteTaken(2_000_000);
    expect(size.observe(0, 100, 1200)).toBe(false);
    expect(size.observe(0, 100, 1400)).toBe(false);
    size.noteTaken(2_000_000);
    expect(size.observe(0, 100, 1600)).toBe(false);
    size.noteTaken(2_000_000);
    expect(size.observe(0, 100, 1800)).toBe(true);
    // The next step takes two periods again.
    size.noteTaken(4_000_000);
    expect(size.observe(0, 100, 2000)).toBe(false);
    size.noteTaken(4_000_000);
    expect(size.observe(0, 100, 2200)).toBe(true);
  });

  test('the most that was held within a period counts, not the last', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    size.observe(0, 100, 1000);
    for (const now of [1200, 1400]) {
      size.noteTaken(500_000);
      expect(size.observe(500_000, 100, now - 100)).toBe(false);
      expect(size.observe(0, 100, now)).toBe(now === 1400);
    }
  });

  test('at its bound it has not grown, whatever comes', () => {
    const size = new WindowSize(INITIAL, INITIAL + 1);
    expect([grows({ taken: 2_000_000 }, size), size.bytes]).toEqual([true, INITIAL + 1]);
    size.noteTaken(9_000_000);
    expect([size.observe(0, 100, 2000), size.observe(0, 100, 3000), size.bytes]).toEqual([
      false,
      false,
      INITIAL + 1,
    ]);
  });

  test('the round trip is asked for when none is known and half a window was taken, every five seconds', () => {
    const size = new WindowSize(INITIAL, 10_000_000);
    expect(size.wantsRoundTrip(Infinity, 0)).toBe(false);
    size.noteTaken(500_000);
    expect(size.wantsRoundTrip(40, 0)).toBe(false);
    expect([0, 1, 4999, 5000, 5001].map((now) => size.wantsRoundTrip(Infinity, now))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    const fixed = new WindowSize(INITIAL, INITIAL);
    fixed.noteTaken(500_000);
    expect(fixed.wantsRoundTrip(Infinity, 0)).toBe(false);
  });
});
