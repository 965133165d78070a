/** Key agreement on OpenSSL, from private scalars that we draw: Node's own key generation could not be seeded. */
import type { KeyObject } from 'node:crypto';
import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes, systemRandom } from '../../core/random.ts';
import { answerHybrid, answerWith, HybridExchange } from '../hybrid.ts';
import type { Curve, Group, KeyAnswer, KeyExchange } from '../provider.ts';
import type { NistCurve } from '../scalar.ts';
import { generateScalar, isUncompressedPoint, NIST_CURVES } from '../scalar.ts';
import { nobleMlKem768 } from '../js/ml-kem.ts';
import { mlKem768 } from './ml-kem.ts';

/** A key pair of our own, from bytes of `random` alone: the same bytes give the same pair. */
export function createKeyExchange(group: Group, random: RandomSource): KeyExchange {
  switch (group) {
    case 'x25519mlkem768':
      return new HybridExchange(mlKem768(), createX25519, random);
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
  if (group !== 'x25519mlkem768') return answerWith(createKeyExchange(group, random), peerPublicKey);
  // OpenSSL draws the randomness of an encapsulation itself: who brings a source of their own gets an answer made from it.
  const kem = random === systemRandom ? mlKem768() : nobleMlKem768;
  return answerHybrid(kem, createX25519, peerPublicKey, random);
}

function createX25519(scalar: Bytes): KeyExchange {
  return new X25519Exchange(scalar);
}

/** RFC 7748 §6.1, RFC 8422 §5.11. */
class X25519Exchange implements KeyExchange {
  readonly group: Group = 'x25519';
  readonly publicKey: Bytes;
  readonly #privateKey: KeyObject;

  constructor(scalar: Bytes) {
    this.#privateKey = importsByScalar() ? privateKeyFromJwk(scalar) : privateKeyFromDer(scalar);
    this.publicKey = publicKeyOf(this.#privateKey);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    if (peerPublicKey.length !== 32) return undefined;
    try {
      const publicKey = createPublicKey({
        key: { kty: 'OKP', crv: 'X25519', x: base64Url(peerPublicKey) },
        format: 'jwk',
      });
      return copyBytes(diffieHellman({ privateKey: this.#privateKey, publicKey }));
    } catch {
      // A point of low order.
      return undefined;
    }
  }
}

/** 32 zero bytes. A JWK must have an `x`, and no version of Node reads it where there is a `d`. */
const NO_PUBLIC_KEY = 'A'.repeat(43);
/** PKCS #8 of an X25519 key up to its 32 bytes (RFC 8410 §7). */
const X25519_PKCS8_PREFIX: readonly number[] = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];

/** An eighth of the cost of DER with OpenSSL 3.0, which asks every decoder it knows what the bytes may be. */
function privateKeyFromJwk(scalar: Bytes): KeyObject {
  const key = { kty: 'OKP', crv: 'X25519', d: base64Url(scalar), x: NO_PUBLIC_KEY };
  return createPrivateKey({ key, format: 'jwk' });
}

function privateKeyFromDer(scalar: Bytes): KeyObject {
  const key = Buffer.concat([Uint8Array.from(X25519_PKCS8_PREFIX), scalar]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKeyOf(privateKey: KeyObject): Bytes {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return copyBytes(Buffer.from(x ?? '', 'base64url'));
}

let scalarImport: boolean | undefined;

/** Found out once: whether this runtime makes the public key of a JWK from `d`, as Node does, or believes its `x`. */
function importsByScalar(): boolean {
  if (scalarImport !== undefined) return scalarImport;
  const scalar = new Uint8Array(32).fill(0x40);
  try {
    const expected = publicKeyOf(privateKeyFromDer(scalar));
    scalarImport = Buffer.compare(publicKeyOf(privateKeyFromJwk(scalar)), expected) === 0;
  } catch {
    scalarImport = false;
  }
  return scalarImport;
}

/** RFC 8422 §5.10: the secret is the x coordinate of the product. */
class NistExchange implements KeyExchange {
  readonly group: Group;
  readonly publicKey: Bytes;
  readonly #curve: NistCurve;
  readonly #ecdh: ReturnType<typeof createECDH>;

  constructor(group: Curve, random: RandomSource) {
    this.group = group;
    this.#curve = NIST_CURVES[group];
    this.#ecdh = createECDH(opensslName(group));
    this.#ecdh.setPrivateKey(generateScalar(random, this.#curve));
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

/** What OpenSSL calls a curve. */
export function opensslName(curve: Curve): string {
  return curve === 'secp256r1' ? 'prime256v1' : 'secp384r1';
}

/** Base64 as JWK has it (RFC 4648 §5), without padding. */
export function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Finds out what this runtime can do. */
export function warmUpKeyExchange(): void {
  importsByScalar();
  mlKem768();
}
