/** ECDSA on noble's curves, as TLS has it: DER, high-S accepted. */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import type { Curve, HashAlgorithm, SigningKey } from '../provider.ts';
import { isScalar, isUncompressedPoint, NIST_CURVES } from '../scalar.ts';
import { nistCurve } from './curves.ts';
import { digestOf } from './hash.ts';

/** By default noble refuses high-S signatures: half of all that TLS peers send. The hash is ours to choose. */
const AS_TLS = { prehash: false, lowS: false, format: 'der' } as const;

/** Deterministic (RFC 6979); s stays as the RFC computes it. */
export class EcdsaSigningKey implements SigningKey {
  readonly curve: Curve;
  readonly publicKey: Bytes;
  readonly #scalar: Bytes;

  constructor(scalar: Uint8Array, curve: Curve) {
    const { length } = NIST_CURVES[curve];
    if (!isScalar(scalar, NIST_CURVES[curve])) {
      throw badArgument('scalar', `${length} bytes, 1 … n−1`, 'another value');
    }
    this.curve = curve;
    this.#scalar = copyBytes(scalar);
    this.publicKey = nistCurve(curve).getPublicKey(this.#scalar, false);
  }

  sign(message: Uint8Array): Bytes {
    const digest = digestOf(this.curve === 'secp256r1' ? 'sha-256' : 'sha-384', message);
    return nistCurve(this.curve).sign(digest, this.#scalar, AS_TLS);
  }
}

/**
 * `point` uncompressed, `signature` in DER. False for anything that does not verify, malformed or forged; never throws.
 */
export function verifyEcdsa(
  curve: Curve,
  point: Uint8Array,
  hash: HashAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isUncompressedPoint(point, NIST_CURVES[curve])) return false;
  try {
    return nistCurve(curve).verify(signature, digestOf(hash, message), point, AS_TLS);
  } catch {
    return false;
  }
}
