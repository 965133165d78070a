/**
 * Key agreement on noble's curves and ML-KEM, with the strictness TLS asks for and noble leaves to its callers:
 * uncompressed points only.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes } from '../../core/random.ts';
import { answerHybrid, answerWith, HybridExchange } from '../hybrid.ts';
import type { Curve, Group, KeyAnswer, KeyExchange } from '../provider.ts';
import type { NistCurve } from '../scalar.ts';
import { generateScalar, isUncompressedPoint, NIST_CURVES } from '../scalar.ts';
import { nistCurve, x25519 } from './curves.ts';
import { nobleMlKem768 } from './ml-kem.ts';

/** A key pair of our own, from bytes of `random` alone: the same bytes give the same pair. */
export function createKeyExchange(group: Group, random: RandomSource): KeyExchange {
  switch (group) {
    case 'x25519mlkem768':
      return new HybridExchange(nobleMlKem768, createX25519, random);
    case 'x25519':
      return createX25519(randomBytes(random, 32));
    case 'secp256r1':
    case 'secp384r1':
      return new NistExchange(group, random);
  }
}

/** The share to answer the peer's with, and the secret; `undefined` for a share that must be refused. */
export function answerKeyExchange(
  group: Group,
  peerPublicKey: Uint8Array,
  random: RandomSource,
): KeyAnswer | undefined {
  return group === 'x25519mlkem768'
    ? answerHybrid(nobleMlKem768, createX25519, peerPublicKey, random)
    : answerWith(createKeyExchange(group, random), peerPublicKey);
}

function createX25519(scalar: Bytes): KeyExchange {
  return new X25519Exchange(scalar);
}

/** RFC 7748 §6.1, RFC 8422 §5.11. */
class X25519Exchange implements KeyExchange {
  readonly group: Group = 'x25519';
  readonly publicKey: Bytes;
  readonly #scalar: Bytes;

  constructor(scalar: Bytes) {
    this.#scalar = scalar;
    this.publicKey = x25519().getPublicKey(scalar);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    if (peerPublicKey.length !== 32) return undefined;
    try {
      return x25519().getSharedSecret(this.#scalar, peerPublicKey);
    } catch {
      // A point of low order: the secret would be zero whatever our scalar is.
      return undefined;
    }
  }
}

/** RFC 8422 §5.10: the secret is the x coordinate of the product. */
class NistExchange implements KeyExchange {
  readonly group: Curve;
  readonly publicKey: Bytes;
  readonly #curve: NistCurve;
  readonly #scalar: Bytes;

  constructor(group: Curve, random: RandomSource) {
    this.group = group;
    this.#curve = NIST_CURVES[group];
    this.#scalar = generateScalar(random, this.#curve);
    this.publicKey = nistCurve(group).getPublicKey(this.#scalar, false);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    // noble would take a compressed point; TLS must not (RFC 8422 §5.4.1).
    if (!isUncompressedPoint(peerPublicKey, this.#curve)) return undefined;
    try {
      const product = nistCurve(this.group).getSharedSecret(this.#scalar, peerPublicKey, false);
      return product.slice(1, 1 + this.#curve.length);
    } catch {
      // Not on the curve.
      return undefined;
    }
  }
}

/** Makes the curves that nearly every handshake needs, and noble's tables of their base points' multiples. */
export function warmUpCurves(): void {
  const one = new Uint8Array(32);
  one[31] = 1;
  nistCurve('secp256r1').getPublicKey(one, false);
  x25519().getPublicKey(one);
}
