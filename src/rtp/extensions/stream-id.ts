/**
 * Names of streams as header extensions: the mid of the media (RFC 8843 §15), the rid of an encoding and, in packets of RTX, that of
 * the one they repair (RFC 8852 §3).
 */
import type { Bytes } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from '../../core/text.ts';

/** What an extension can carry, in its two-byte form. */
const MAX_LENGTH = 255;

/** `undefined`: it is empty, or no UTF-8. */
export function readMid(value: Uint8Array): string | undefined {
  return value.length > 0 && isUtf8(value) ? decodeUtf8(value) : undefined;
}

/** Throws `ERR_BAD_ARGUMENT` for one that is empty or longer than 255 bytes. */
export function writeMid(mid: string): Bytes {
  const value = encodeUtf8(mid);
  if (value.length === 0 || value.length > MAX_LENGTH) throw badArgument('mid', '1 to 255 bytes', mid);
  return value;
}

/** Of a rid and a repaired one. `undefined`: it is empty, or has other characters than letters, digits, `-` and `_` (RFC 8851 §10). */
export function readRid(value: Uint8Array): string | undefined {
  if (value.length === 0) return undefined;
  for (const character of value) if (!isRidCharacter(character)) return undefined;
  return decodeUtf8(value);
}

/** Of a rid and a repaired one. Throws `ERR_BAD_ARGUMENT` for what `readRid` would not read, or is longer than 255 bytes. */
export function writeRid(rid: string): Bytes {
  const value = encodeUtf8(rid);
  if (value.length > MAX_LENGTH || readRid(value) === undefined)
    throw badArgument('rid', '1 to 255 letters, digits, "-" and "_"', rid);
  return value;
}

function isRidCharacter(character: number): boolean {
  return (
    (character >= 0x30 && character <= 0x39) ||
    (character >= 0x41 && character <= 0x5a) ||
    (character >= 0x61 && character <= 0x7a) ||
    character === 0x2d ||
    character === 0x5f
  );
}
