/**
 * The absolute capture time: when what a packet begins with was captured, on the clock of who captured it; with the offset of
 * that clock from the sender's, who may be another one. For lip-sync across mixers, and delay from end to end.
 */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes, readU32, writeU32 } from '../../core/bytes.ts';

/** A time of capture. */
export interface AbsoluteCaptureTime {
  /** NTP time, as in a sender report: `millisecondsOf` and `ntpOf` convert it. */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  /** Milliseconds that the capturer's clock is ahead of the sender's; `undefined`: not told. */
  readonly clockOffset: number | undefined;
}

const FRACTIONS = 0x1_0000_0000;
const LENGTH = 8;
const LENGTH_WITH_OFFSET = 16;

/** `undefined`: neither 8 nor 16 bytes. */
export function readAbsoluteCaptureTime(value: Uint8Array): AbsoluteCaptureTime | undefined {
  if (value.length !== LENGTH && value.length !== LENGTH_WITH_OFFSET) return undefined;
  return {
    ntpSeconds: readU32(value, 0),
    ntpFraction: readU32(value, 4),
    clockOffset:
      value.length === LENGTH ? undefined : ((readU32(value, 8) | 0) + readU32(value, 12) / FRACTIONS) * 1000,
  };
}

/** The value of the extension, 16 bytes with an offset and 8 without. */
export function writeAbsoluteCaptureTime(time: AbsoluteCaptureTime): Bytes {
  const { ntpSeconds, ntpFraction, clockOffset } = time;
  const value = ownBytes(clockOffset === undefined ? LENGTH : LENGTH_WITH_OFFSET);
  writeU32(value, 0, ntpSeconds);
  writeU32(value, 4, ntpFraction);
  if (clockOffset === undefined) return value;
  const offset = Math.round((clockOffset / 1000) * FRACTIONS);
  const seconds = Math.floor(offset / FRACTIONS);
  writeU32(value, 8, seconds);
  writeU32(value, 12, offset - seconds * FRACTIONS);
  return value;
}
