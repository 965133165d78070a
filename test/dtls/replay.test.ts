import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPLAY_WINDOW, ReplayWindow } from '../../src/dtls/record/replay.ts';

describe('replay window', () => {
  it('T094 refuses a number a second time and takes late ones inside the window', () => {
    const window = new ReplayWindow();
    for (const sequence of [0, 1, 5, 3]) {
      expect(window.isFresh(sequence)).toBe(true);
      window.accept(sequence);
      expect(window.isFresh(sequence)).toBe(false);
    }
    expect(window.isFresh(2)).toBe(true);
    expect(window.isFresh(4)).toBe(true);
  });

  it('takes a number whose place a much older one had', () => {
    const window = new ReplayWindow();
    for (let sequence = 0; sequence < REPLAY_WINDOW; sequence++) window.accept(sequence);
    // The next ones were lost on their way; the places they have are those of the first.
    window.accept(2 * REPLAY_WINDOW - 2);
    for (let sequence = REPLAY_WINDOW; sequence < 2 * REPLAY_WINDOW - 2; sequence++)
      expect(window.isFresh(sequence)).toBe(true);
  });

  it('refuses what has fallen out of the window', () => {
    const window = new ReplayWindow();
    window.accept(1000);
    expect(window.isFresh(1000 - REPLAY_WINDOW + 1)).toBe(true);
    expect(window.isFresh(1000 - REPLAY_WINDOW)).toBe(false);
  });

  it('counts to 2^48 − 1', () => {
    const window = new ReplayWindow();
    const top = 2 ** 48 - 1;
    window.accept(top - 3);
    window.accept(top);
    expect([top - 3, top - 2, top - 1, top].map((sequence) => window.isFresh(sequence))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('agrees with a set that remembers everything', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -300, max: 5 }), fc.integer({ min: 0, max: 700 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        for (const move of moves) {
          const sequence = Math.max(0, highest + move);
          const isTooOld = highest - sequence >= REPLAY_WINDOW;
          expect(window.isFresh(sequence)).toBe(!isTooOld && !seen.has(sequence));
          if (!window.isFresh(sequence)) continue;
          window.accept(sequence);
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
    );
  });
});
