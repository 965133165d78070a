/**
 * P-256 private scalars as bytes: the one rule both providers share, so that the same random source gives the same key
 * whichever of them runs.
 */
import type { Bytes } from '../core/bytes.ts';
import { RtcError } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';

export const SCALAR_LENGTH = 32;

/** The order n of the P-256 group (SP 800-186 §3.2.1.3), big-endian words. */
const ORDER: readonly number[] = [
  0xffffffff, 0x00000000, 0xffffffff, 0xffffffff, 0xbce6faad, 0xa7179e84, 0xf3b9cac2, 0xfc632551,
];

/** One draw in 2^32 falls outside 1 … n−1; eight in a row mean that the source is broken, not unlucky. */
const MAX_DRAWS = 8;

/**
 * A uniform scalar by rejection (FIPS 186-5 A.2.2): 32 bytes of `random`, drawn again if they are 0 or n and above.
 * Throws `ERR_INVALID_STATE` if `random` keeps giving unusable bytes.
 */
export function generateScalar(random: RandomSource): Bytes {
  const scalar = new Uint8Array(SCALAR_LENGTH);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    random.fill(scalar);
    if (isScalar(scalar)) return scalar;
  }
  throw new RtcError(
    'ERR_INVALID_STATE',
    '"random" gave no usable P-256 scalar in 8 draws: it is not random',
  );
}

/** True for 32 bytes holding a number from 1 to n−1. */
export function isScalar(bytes: Uint8Array): boolean {
  if (bytes.length !== SCALAR_LENGTH) return false;
  // One pass over all bytes, without an early exit: the bytes are a secret.
  let any = 0;
  let borrow = 0;
  for (let i = SCALAR_LENGTH - 1; i >= 0; i--) {
    const byte = bytes[i]!;
    any |= byte;
    const orderByte = (ORDER[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff;
    borrow = (byte - orderByte - borrow) >>> 31;
  }
  return any !== 0 && borrow === 1;
}

/** True for the only form of a P-256 point TLS allows: uncompressed, 65 bytes (RFC 8422 §5.1.2). */
export function isUncompressedPoint(bytes: Uint8Array): boolean {
  return bytes.length === 65 && bytes[0] === 4;
}
