import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { middleOf, millisecondsOf, ntpOf } from '../../src/rtp/index.ts';

describe('NTP time', () => {
  it('is what it was, to a microsecond', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 4_294_967_295_000, noNaN: true }), (milliseconds) => {
        const { seconds, fraction } = ntpOf(milliseconds);
        expect(fraction).toBeLessThan(0x1_0000_0000);
        expect(Math.abs(millisecondsOf(seconds, fraction) - milliseconds)).toBeLessThan(0.001);
      }),
    );
  });

  it('has halves in its fraction', () => {
    expect(ntpOf(1_500)).toEqual({ seconds: 1, fraction: 0x8000_0000 });
    expect(millisecondsOf(1, 0x8000_0000)).toBe(1_500);
  });

  it('has the middle that RFC 3550 §6.4.1 (figure 2) computes a round trip from', () => {
    // Its sender report says 0xb44db705:20000000, and its report block b705:2000.
    expect(middleOf(0xb44d_b705, 0x2000_0000)).toBe(0xb705_2000);
  });

  it('wraps in 2036, as the format does', () => {
    expect(ntpOf(4_294_967_296_000)).toEqual({ seconds: 0, fraction: 0 });
  });
});
