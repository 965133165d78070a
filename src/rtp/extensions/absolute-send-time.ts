/**
 * The absolute send time: when a packet was sent, in seconds with 18 bits of fraction, which wrap every 64 seconds. Any clock will
 * do: only differences count.
 */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes, readU24, writeU24 } from '../../core/bytes.ts';

/** Bytes of the value, for `RtpWriter.extensionNumber`. */
export const ABSOLUTE_SEND_TIME_LENGTH = 3;

const UNITS_PER_MILLISECOND = 0x4_0000 / 1000;
const CIRCLE = 0x100_0000;

/** The 24 bits that say `milliseconds`, which is not negative. */
export function absoluteSendTimeOf(milliseconds: number): number {
  return Math.floor(milliseconds * UNITS_PER_MILLISECOND) % CIRCLE;
}

/** Milliseconds, 0 to below 64,000. `undefined`: not three bytes. */
export function readAbsoluteSendTime(value: Uint8Array): number | undefined {
  return value.length === ABSOLUTE_SEND_TIME_LENGTH ? readU24(value, 0) / UNITS_PER_MILLISECOND : undefined;
}

/** @param milliseconds not negative; what is above 64,000 wraps */
export function writeAbsoluteSendTime(milliseconds: number): Bytes {
  const value = ownBytes(ABSOLUTE_SEND_TIME_LENGTH);
  writeU24(value, 0, absoluteSendTimeOf(milliseconds));
  return value;
}
