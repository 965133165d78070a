/** The receive window and a path that is busy now and then, of src/sctp/rx/window.ts. */
import { describe, expect, test } from 'vitest';
import { WindowSize } from '../../src/sctp/rx/window.ts';

const INITIAL = 1_000_000;
const ROUND_TRIP = 100;

/** Two round trips, which are looked at together, in each of which the host takes so much. True if it has grown. */
function period(size: WindowSize, from: number, taken: number): boolean {
  size.noteTaken(2 * taken);
  return size.observe(0, ROUND_TRIP, from + 2 * ROUND_TRIP);
}

describe('WindowSize', () => {
  function sized(...taken: readonly number[]): boolean[] {
    const size = new WindowSize(INITIAL, 10 * INITIAL);
    size.observe(0, ROUND_TRIP, 0);
    return taken.map((bytes, i) => period(size, 2 * ROUND_TRIP * i, bytes));
  }

  test('two busy periods in a row make it grow, a calm one between them begins anew', () => {
    expect(sized(800_000, 800_000)).toEqual([false, true]);
    expect(sized(800_000, 100_000, 800_000, 100_000, 800_000)).toEqual(new Array<boolean>(5).fill(false));
  });

  test('after it has grown it takes two again', () => {
    expect(sized(800_000, 800_000, 1_500_000, 1_500_000)).toEqual([false, true, false, true]);
  });

  test('busy is three quarters of a window in a round trip', () => {
    expect(sized(750_000, 750_000)).toEqual([false, true]);
    expect(sized(749_999, 749_999)).toEqual([false, false]);
  });
});
