/** The arithmetic of indices and windows, held against what RFC 3711 says of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_INDICES, packetIndex } from '../../src/srtp/packet-index.ts';
import { ReplayWindow } from '../../src/srtp/replay-window.ts';

describe('the index of a packet', () => {
  /** RFC 3711 §3.3.1 and appendix A, word for word. */
  function appendixA(rollOver: number, last: number, sequence: number): number {
    let guess: number;
    if (last < 32_768) guess = sequence - last > 32_768 ? rollOver - 1 : rollOver;
    else guess = last - 32_768 > sequence ? rollOver + 1 : rollOver;
    return guess * 65_536 + sequence;
  }

  it('is as RFC 3711 appendix A has it, at every roll-over counter', () => {
    const counters = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }));
    const near = fc.oneof(
      fc.constantFrom(0, 1, 32_767, 32_768, 32_769, 65_534, 65_535),
      fc.integer({ min: 0, max: 65_535 }),
    );
    fc.assert(
      fc.property(counters, near, near, (rollOver, last, sequence) => {
        expect(packetIndex(rollOver * 65_536 + last, sequence)).toBe(appendixA(rollOver, last, sequence));
      }),
    );
  });

  it.each([
    ['the first packet', -1, 65_535, 65_535],
    ['the next', 65_534, 65_535, 65_535],
    ['over the wrap', 65_535, 0, 65_536],
    ['back over the wrap', 65_536, 65_535, 65_535],
    ['half a circle ahead', 10, 32_778, 32_778],
    ['more than that, where it would lie before the first: ahead', 10, 60_000, 60_000],
    ['half a circle ahead over the wrap', 65_535, 32_766, 98_302],
    ['half a circle back', 65_535, 32_767, 32_767],
    ['the last one of all', MAX_INDICES - 2, 65_535, MAX_INDICES - 1],
    ['the one after it', MAX_INDICES - 1, 0, MAX_INDICES],
  ])('%s', (_, highest, sequence, index) => {
    expect(packetIndex(highest, sequence)).toBe(index);
  });
});

describe('a replay window', () => {
  it('knows what has been seen, as a list of everything would', () => {
    const lengths = fc.constantFrom(32, 64, 1024);
    const steps = fc.array(
      fc.oneof(fc.integer({ min: -70, max: 70 }), fc.integer({ min: -2000, max: 2000 })),
      {
        maxLength: 200,
      },
    );
    const start = fc.constantFrom(0, 65_000, 2 ** 31, MAX_INDICES - 500_000);
    fc.assert(
      fc.property(lengths, start, steps, (length, first, moves) => {
        const window = new ReplayWindow(length);
        const seen = new Set<number>();
        let highest = -1;
        let at = first;
        for (const move of moves) {
          at = Math.max(0, at + move);
          const isNew = highest < 0 || at > highest || (at > highest - length && !seen.has(at));
          expect(window.isNew(at)).toBe(isNew);
          expect(window.hasSeen(at)).toBe(seen.has(at) && at > highest - length);
          if (!isNew) continue;
          window.add(at);
          seen.add(at);
          highest = Math.max(highest, at);
          expect(window.highest).toBe(highest);
        }
      }),
    );
  });

  it('that begins with a highest index has seen all below it', () => {
    const window = new ReplayWindow(64, 100);
    for (let index = 0; index <= 100; index++) expect(window.isNew(index)).toBe(false);
    expect(window.isNew(101)).toBe(true);
  });
});
