/**
 * Key agreement (x25519, secp256r1, secp384r1) and ECDSA P-256 on noble's curves, with the strictness TLS asks for and noble leaves
 * to its callers: uncompressed points only, DER signatures, high-S accepted.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes } from '../../core/random.ts';
import type { Group, KeyExchange, SigningKey } from '../provider.ts';
import type { NistCurve } from '../scalar.ts';
import { generateScalar, isScalar, isUncompressedPoint, P256, P384 } from '../scalar.ts';

export function createKeyExchange(group: Group, random: RandomSource): KeyExchange {
  switch (group) {
    case 'x25519':
      return new X25519Exchange(randomBytes(random, 32));
    case 'secp256r1':
      return new NistExchange(group, p256, P256, random);
    case 'secp384r1':
      return new NistExchange(group, p384, P384, random);
  }
}

/** RFC 7748 §6.1, RFC 8422 §5.11. */
class X25519Exchange implements KeyExchange {
  readonly group: Group = 'x25519';
  readonly publicKey: Bytes;
  readonly #scalar: Bytes;

  constructor(scalar: Bytes) {
    this.#scalar = scalar;
    this.publicKey = x25519.getPublicKey(scalar);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    if (peerPublicKey.length !== 32) return undefined;
    try {
      return x25519.getSharedSecret(this.#scalar, peerPublicKey);
    } catch {
      // A point of low order: the secret would be zero whatever our scalar is.
      return undefined;
    }
  }
}

/** RFC 8422 §5.10: the secret is the x coordinate of the product. */
class NistExchange implements KeyExchange {
  readonly group: Group;
  readonly publicKey: Bytes;
  readonly #noble: typeof p256;
  readonly #curve: NistCurve;
  readonly #scalar: Bytes;

  constructor(group: Group, noble: typeof p256, curve: NistCurve, random: RandomSource) {
    this.group = group;
    this.#noble = noble;
    this.#curve = curve;
    this.#scalar = generateScalar(random, curve);
    this.publicKey = noble.getPublicKey(this.#scalar, false);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    // noble would take a compressed point; TLS must not (RFC 8422 §5.4.1).
    if (!isUncompressedPoint(peerPublicKey, this.#curve)) return undefined;
    try {
      return this.#noble.getSharedSecret(this.#scalar, peerPublicKey, false).slice(1, 1 + this.#curve.length);
    } catch {
      // Not on the curve.
      return undefined;
    }
  }
}

export function createSigningKey(scalar: Uint8Array): SigningKey {
  if (!isScalar(scalar)) throw badArgument('scalar', '32 bytes, 1 … n−1', 'another value');
  return new P256SigningKey(copyBytes(scalar));
}

/** Deterministic ECDSA (RFC 6979) with SHA-256. `lowS: false`: s stays as the RFC computes it. */
class P256SigningKey implements SigningKey {
  readonly publicKey: Bytes;
  readonly #scalar: Bytes;

  constructor(scalar: Bytes) {
    this.#scalar = scalar;
    this.publicKey = p256.getPublicKey(scalar, false);
  }

  sign(message: Uint8Array): Bytes {
    return p256.sign(message, this.#scalar, { prehash: true, lowS: false, format: 'der' });
  }
}

export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isUncompressedPoint(publicKey)) return false;
  try {
    // By default noble refuses high-S signatures: half of all that TLS peers send.
    return p256.verify(signature, message, publicKey, { prehash: true, lowS: false, format: 'der' });
  } catch {
    return false;
  }
}

/** Builds noble's tables of base point multiples. */
export function warmUpCurves(): void {
  const one = new Uint8Array(32);
  one[31] = 1;
  p256.getPublicKey(one, false);
  x25519.getPublicKey(one);
}
