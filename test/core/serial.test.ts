import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add16, add32, after16, after32, distance32 } from '../../src/core/serial.ts';

describe.each([
  ['32 bits', 32, after32, add32],
  ['16 bits', 16, after16, add16],
])('serial numbers of %s (RFC 1982)', (_name, bits, after, add) => {
  const size = 2 ** bits;
  const half = size / 2;
  const serial = fc.integer({ min: 0, max: size - 1 });

  test('the next is after, also across the wrap', () => {
    expect(after(0, size - 1)).toBe(true);
    expect(after(size - 1, 0)).toBe(false);
    expect(add(size - 1, 1)).toBe(0);
    expect(add(0, -1)).toBe(size - 1);
  });

  test('nothing is after itself, and opposite numbers are in no order', () => {
    fc.assert(
      fc.property(serial, (a) => {
        expect(after(a, a)).toBe(false);
        expect(after(a, add(a, half))).toBe(false);
        expect(after(add(a, half), a)).toBe(false);
      }),
    );
  });

  test('within half a circle, after means ahead', () => {
    fc.assert(
      fc.property(serial, fc.integer({ min: 1, max: half - 1 }), (a, ahead) => {
        const b = add(a, ahead);
        expect(after(b, a)).toBe(true);
        expect(after(a, b)).toBe(false);
        expect(b).toBe((a + ahead) % size);
      }),
    );
  });
});

test('a distance is what must be added, with its sign', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      (a, by) => {
        expect(distance32(add32(a, by), a)).toBe(by);
      },
    ),
  );
});
