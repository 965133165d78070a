/**
 * Key agreement and ECDSA on OpenSSL, from private scalars that we draw: Node's own key generation could not be seeded.
 *
 * OpenSSL's ECDSA draws its nonce itself, so signatures differ from run to run.
 */
import type { KeyObject } from 'node:crypto';
import { createECDH, createPrivateKey, createPublicKey, diffieHellman, sign, verify } from 'node:crypto';
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
      return new NistExchange(group, OPENSSL_P256, P256, random);
    case 'secp384r1':
      return new NistExchange(group, OPENSSL_P384, P384, random);
  }
}

/** PKCS #8 and SubjectPublicKeyInfo of an X25519 key up to its 32 bytes (RFC 8410 §4, §7). */
const X25519_PKCS8_PREFIX: readonly number[] = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];
const X25519_SPKI_PREFIX: readonly number[] = [
  0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];

/** RFC 7748 §6.1, RFC 8422 §5.11. */
class X25519Exchange implements KeyExchange {
  readonly group: Group = 'x25519';
  readonly publicKey: Bytes;
  readonly #privateKey: KeyObject;

  constructor(scalar: Bytes) {
    const key = Buffer.concat([Uint8Array.from(X25519_PKCS8_PREFIX), scalar]);
    this.#privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' });
    this.publicKey = copyBytes(spki, X25519_SPKI_PREFIX.length);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    if (peerPublicKey.length !== 32) return undefined;
    const key = Buffer.concat([Uint8Array.from(X25519_SPKI_PREFIX), peerPublicKey]);
    try {
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      return copyBytes(diffieHellman({ privateKey: this.#privateKey, publicKey }));
    } catch {
      // A point of low order.
      return undefined;
    }
  }
}

/** OpenSSL's names. */
const OPENSSL_P256 = 'prime256v1';
const OPENSSL_P384 = 'secp384r1';

/** RFC 8422 §5.10: the secret is the x coordinate of the product. */
class NistExchange implements KeyExchange {
  readonly group: Group;
  readonly publicKey: Bytes;
  readonly #curve: NistCurve;
  readonly #ecdh: ReturnType<typeof createECDH>;

  constructor(group: Group, opensslName: string, curve: NistCurve, random: RandomSource) {
    this.group = group;
    this.#curve = curve;
    this.#ecdh = createECDH(opensslName);
    this.#ecdh.setPrivateKey(generateScalar(random, curve));
    this.publicKey = copyBytes(this.#ecdh.getPublicKey());
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    // OpenSSL would take a compressed point; TLS must not (RFC 8422 §5.4.1).
    if (!isUncompressedPoint(peerPublicKey, this.#curve)) return undefined;
    try {
      return copyBytes(this.#ecdh.computeSecret(peerPublicKey));
    } catch {
      // Not on the curve.
      return undefined;
    }
  }
}

export class P256SigningKey implements SigningKey {
  readonly publicKey: Bytes;
  readonly #privateKey: KeyObject;

  constructor(scalar: Uint8Array) {
    if (!isScalar(scalar)) throw badArgument('scalar', '32 bytes, 1 … n−1', 'another value');
    const ecdh = createECDH(OPENSSL_P256);
    ecdh.setPrivateKey(scalar);
    this.publicKey = copyBytes(ecdh.getPublicKey());
    const key = { ...publicJwk(this.publicKey), d: base64Url(scalar) };
    this.#privateKey = createPrivateKey({ key, format: 'jwk' });
  }

  sign(message: Uint8Array): Bytes {
    return copyBytes(sign('sha256', message, this.#privateKey));
  }
}

export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isUncompressedPoint(publicKey)) return false;
  try {
    const key = createPublicKey({ key: publicJwk(publicKey), format: 'jwk' });
    return verify('sha256', message, key, signature);
  } catch {
    return false;
  }
}

interface PublicJwk extends Record<string, string> {
  kty: string;
  crv: string;
  x: string;
  y: string;
}

/** RFC 7518 §6.2.1, from an uncompressed point. */
function publicJwk(point: Uint8Array): PublicJwk {
  return {
    kty: 'EC',
    crv: 'P-256',
    x: base64Url(point.subarray(1, 33)),
    y: base64Url(point.subarray(33, 65)),
  };
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
