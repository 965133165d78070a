/**
 * NTP time as RTP uses it (RFC 3550 §4): seconds since 1900 and their fraction in 2^-32 s, 32 bits each. As milliseconds since
 * 1900 a double has it to a quarter of a microsecond.
 */
const FRACTIONS = 0x1_0000_0000;

/** What the middle 32 bits of an NTP time count in a second: LSR, DLSR, and the times of reports of RFC 8888. */
export const MIDDLE_UNITS = 0x1_0000;

/** @param milliseconds since 1900, not negative; the seconds wrap in 2036, as the format does */
export function ntpOf(milliseconds: number): { readonly seconds: number; readonly fraction: number } {
  const time = Math.floor((milliseconds / 1000) * FRACTIONS);
  return { seconds: Math.floor(time / FRACTIONS) % FRACTIONS, fraction: time % FRACTIONS };
}

/** Milliseconds since 1900. */
export function millisecondsOf(seconds: number, fraction: number): number {
  return seconds * 1000 + (fraction * 1000) / FRACTIONS;
}

/** The middle 32 bits, `MIDDLE_UNITS` in a second: what report blocks refer to a time by. */
export function middleOf(seconds: number, fraction: number): number {
  return ((seconds << 16) | (fraction >>> 16)) >>> 0;
}
