/**
 * Serial number arithmetic (RFC 1982) for counters that wrap: TSNs and stream sequence numbers. Never a bare `<`.
 *
 * Two numbers exactly half the circle apart are neither before nor after each other; sorting by these functions is
 * only sound for numbers known to lie within half a circle.
 */

/** True if `a` comes after `b` on the 32-bit circle. */
export function after32(a: number, b: number): boolean {
  const ahead = (a - b) >>> 0;
  return ahead !== 0 && ahead < 0x8000_0000;
}

/** How far `a` is ahead of `b` on the 32-bit circle: −2^31 … 2^31−1. */
export function distance32(a: number, b: number): number {
  return (a - b) | 0;
}

/** `a` and so many further on the 32-bit circle; `increment` may be negative. */
export function add32(a: number, increment: number): number {
  return (a + increment) >>> 0;
}

/** True if `a` comes after `b` on the 16-bit circle. */
export function after16(a: number, b: number): boolean {
  const ahead = (a - b) & 0xffff;
  return ahead !== 0 && ahead < 0x8000;
}

/** `a` and so many further on the 16-bit circle; `increment` may be negative. */
export function add16(a: number, increment: number): number {
  return (a + increment) & 0xffff;
}
