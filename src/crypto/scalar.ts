/**
 * Private scalars of the NIST curves as bytes: the one rule both providers share, so that the same random source gives
 * the same key whichever of them runs.
 */
import type { Bytes } from '../core/bytes.ts';
import { RtcError } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import type { Curve } from './provider.ts';

/** A NIST curve, as far as bytes show it. */
export interface NistCurve {
  readonly name: string;
  /** Bytes of a scalar, and of a coordinate. */
  readonly length: number;
  /** The order n of the group, big-endian words. */
  readonly order: readonly number[];
}

/** SP 800-186 §3.2.1.3. */
export const P256: NistCurve = {
  name: 'P-256',
  length: 32,
  order: [0xffffffff, 0x00000000, 0xffffffff, 0xffffffff, 0xbce6faad, 0xa7179e84, 0xf3b9cac2, 0xfc632551],
};

/** SP 800-186 §3.2.1.4. */
export const P384: NistCurve = {
  name: 'P-384',
  length: 48,
  order: [
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xc7634d81, 0xf4372ddf,
    0x581a0db2, 0x48b0a77a, 0xecec196a, 0xccc52973,
  ],
};

/** Length and order of each curve. */
export const NIST_CURVES: Readonly<Record<Curve, NistCurve>> = { secp256r1: P256, secp384r1: P384 };

/** One draw in 2^32 falls outside 1 … n−1; eight in a row mean that the source is broken, not unlucky. */
const MAX_DRAWS = 8;

/**
 * A uniform scalar by rejection (FIPS 186-5 A.2.2): bytes of `random`, drawn again if they are 0 or n and above.
 * Throws `ERR_INVALID_STATE` if `random` keeps giving unusable bytes.
 */
export function generateScalar(random: RandomSource, curve: NistCurve = P256): Bytes {
  const scalar = new Uint8Array(curve.length);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    random.fill(scalar);
    if (isScalar(scalar, curve)) return scalar;
  }
  throw new RtcError(
    'ERR_INVALID_STATE',
    `"random" gave no usable ${curve.name} scalar in ${MAX_DRAWS} draws: it is not random`,
  );
}

/** True for bytes of the curve's length holding a number from 1 to n−1. */
export function isScalar(bytes: Uint8Array, curve: NistCurve = P256): boolean {
  if (bytes.length !== curve.length) return false;
  // One pass over all bytes, without an early exit: the bytes are a secret.
  let any = 0;
  let borrow = 0;
  for (let i = curve.length - 1; i >= 0; i--) {
    const byte = bytes[i]!;
    any |= byte;
    const orderByte = (curve.order[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff;
    borrow = (byte - orderByte - borrow) >>> 31;
  }
  return any !== 0 && borrow === 1;
}

/** True for the only form of a point TLS allows: uncompressed (RFC 8422 §5.1.2). */
export function isUncompressedPoint(bytes: Uint8Array, curve: NistCurve = P256): boolean {
  return bytes.length === 1 + 2 * curve.length && bytes[0] === 4;
}
