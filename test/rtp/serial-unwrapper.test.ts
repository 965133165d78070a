import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SerialUnwrapper } from '../../src/rtp/index.ts';

const WIDTHS = [7, 8, 15, 16, 32] as const;

describe('SerialUnwrapper', () => {
  it('counts the first from itself plus a full circle, and older ones below', () => {
    const sequence = new SerialUnwrapper(16);
    expect([65534, 65535, 0, 65533, 1].map((value) => sequence.unwrap(value))).toEqual([
      131070, 131071, 131072, 131069, 131073,
    ]);
    const young = new SerialUnwrapper(16);
    expect([3, 65535, 4].map((value) => young.unwrap(value))).toEqual([65539, 65535, 65540]);
  });

  it.each(WIDTHS)('follows a counter of %i bits across its wraps, with numbers lost and late', (bits) => {
    const circle = 2 ** bits;
    fc.assert(
      fc.property(
        fc.nat(circle - 1),
        fc.array(fc.integer({ min: -(circle / 2 - 1), max: circle / 2 - 1 }), { maxLength: 200 }),
        (first, steps) => {
          const unwrapper = new SerialUnwrapper(bits);
          let largest = circle + first;
          expect(unwrapper.unwrap(first)).toBe(largest);
          for (const step of steps) {
            const expected = largest + step;
            expect(unwrapper.peek(expected % circle)).toBe(expected);
            expect(unwrapper.unwrap(expected % circle)).toBe(expected);
            largest = Math.max(largest, expected);
          }
        },
      ),
    );
  });

  it('takes a number half a circle away as an older one', () => {
    for (const bits of WIDTHS) {
      const unwrapper = new SerialUnwrapper(bits);
      const first = unwrapper.unwrap(5);
      expect(unwrapper.unwrap(5 + 2 ** (bits - 1))).toBe(first - 2 ** (bits - 1));
    }
  });

  it('is never below zero, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WIDTHS),
        fc.array(fc.nat(127), { minLength: 1, maxLength: 300 }),
        (bits, values) => {
          const unwrapper = new SerialUnwrapper(bits);
          for (const value of values) expect(unwrapper.unwrap(value)).toBeGreaterThan(0);
        },
      ),
    );
  });
});
