/** The playout delay: between what bounds a receiver should keep the time from capture to display. */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes, readU24, writeU24 } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';

/** Milliseconds, 0–40,950 in steps of 10. */
export interface PlayoutDelay {
  readonly minimum: number;
  readonly maximum: number;
}

const STEP = 10;
const MAX_STEPS = 0xfff;

/** `undefined`: not three bytes, or a minimum above the maximum. */
export function readPlayoutDelay(value: Uint8Array): PlayoutDelay | undefined {
  if (value.length !== 3) return undefined;
  const bits = readU24(value, 0);
  const minimum = (bits >> 12) * STEP;
  const maximum = (bits & MAX_STEPS) * STEP;
  return minimum > maximum ? undefined : { minimum, maximum };
}

/** Rounds to steps of 10 ms. Throws `ERR_BAD_ARGUMENT` for a minimum above the maximum, or one out of the range. */
export function writePlayoutDelay({ minimum, maximum }: PlayoutDelay): Bytes {
  const from = Math.round(minimum / STEP);
  const to = Math.round(maximum / STEP);
  if (!(from >= 0 && from <= to && to <= MAX_STEPS))
    throw badArgument('delay', '0 ≤ minimum ≤ maximum ≤ 40950', `${String(minimum)}, ${String(maximum)}`);
  const value = ownBytes(3);
  writeU24(value, 0, (from << 12) | to);
  return value;
}
