/**
 * X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4): two agreements side by side, so that whoever breaks one of them still
 * lacks half of the secret. Both providers share this file and bring their own ML-KEM-768 (FIPS 203) and x25519.
 *
 *     client share: encapsulation key 1184 ‖ x25519 32
 *     server share: ciphertext 1088 ‖ x25519 32
 *     secret:       ML-KEM's 32 ‖ x25519's 32
 */
import type { Bytes } from '../core/bytes.ts';
import { concatBytes, copyBytes } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes } from '../core/random.ts';
import type { Group, KeyAnswer, KeyExchange } from './provider.ts';

/** Bytes of an encapsulation key (FIPS 203 §8, table 3). */
export const MLKEM768_PUBLIC_KEY_LENGTH = 1184;
/** Bytes of a ciphertext (FIPS 203 §8, table 3). */
export const MLKEM768_CIPHERTEXT_LENGTH = 1088;
/** d ‖ z of FIPS 203 §7.1. */
export const MLKEM768_SEED_LENGTH = 64;
/** m of FIPS 203 §7.2. */
const ENTROPY_LENGTH = 32;
const X25519_LENGTH = 32;

/** A decapsulation key. */
export interface DecapsulationKey {
  /** The encapsulation key, 1184 bytes. */
  readonly publicKey: Bytes;
  /** @param ciphertext 1088 bytes; a forged one gives a secret nobody knows, not an error (FIPS 203 §7.3). */
  decapsulate(ciphertext: Uint8Array): Bytes;
}

/** ML-KEM-768, as a provider has it. */
export interface MlKem768 {
  /** @param seed 64 bytes. */
  keyPair(seed: Uint8Array): DecapsulationKey;
  /**
   * @param publicKey 1184 bytes. @param entropy 32 bytes, which an implementation that draws its own passes over.
   * @returns `undefined` if a coefficient is not below the modulus (FIPS 203 §7.2).
   */
  encapsulate(
    publicKey: Uint8Array,
    entropy: Uint8Array,
  ): { readonly ciphertext: Bytes; readonly secret: Bytes } | undefined;
}

/** Makes an x25519 key pair of a scalar. */
export type X25519 = (scalar: Bytes) => KeyExchange;

/** The client's side. */
export class HybridExchange implements KeyExchange {
  readonly group: Group = 'x25519mlkem768';
  readonly publicKey: Bytes;
  readonly #kem: DecapsulationKey;
  readonly #x25519: KeyExchange;

  constructor(kem: MlKem768, x25519: X25519, random: RandomSource) {
    const drawn = randomBytes(random, MLKEM768_SEED_LENGTH + X25519_LENGTH);
    this.#kem = kem.keyPair(drawn.subarray(0, MLKEM768_SEED_LENGTH));
    this.#x25519 = x25519(drawn.slice(MLKEM768_SEED_LENGTH));
    this.publicKey = concatBytes(this.#kem.publicKey, this.#x25519.publicKey);
    drawn.fill(0);
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    if (peerPublicKey.length !== MLKEM768_CIPHERTEXT_LENGTH + X25519_LENGTH) return undefined;
    const share = copyBytes(peerPublicKey, MLKEM768_CIPHERTEXT_LENGTH);
    const classic = this.#x25519.deriveSecret(share);
    if (classic === undefined) return undefined;
    return concatBytes(this.#kem.decapsulate(peerPublicKey.subarray(0, MLKEM768_CIPHERTEXT_LENGTH)), classic);
  }
}

/** The server's side. */
export function answerHybrid(
  kem: MlKem768,
  x25519: X25519,
  peerPublicKey: Uint8Array,
  random: RandomSource,
): KeyAnswer | undefined {
  if (peerPublicKey.length !== MLKEM768_PUBLIC_KEY_LENGTH + X25519_LENGTH) return undefined;
  const drawn = randomBytes(random, ENTROPY_LENGTH + X25519_LENGTH);
  const ours = x25519(drawn.slice(ENTROPY_LENGTH));
  const classic = ours.deriveSecret(copyBytes(peerPublicKey, MLKEM768_PUBLIC_KEY_LENGTH));
  const encapsulated = kem.encapsulate(
    peerPublicKey.subarray(0, MLKEM768_PUBLIC_KEY_LENGTH),
    drawn.subarray(0, ENTROPY_LENGTH),
  );
  drawn.fill(0);
  if (classic === undefined || encapsulated === undefined) return undefined;
  return {
    publicKey: concatBytes(encapsulated.ciphertext, ours.publicKey),
    secret: concatBytes(encapsulated.secret, classic),
  };
}

/** The other side of a Diffie–Hellman agreement: there both sides do the same. */
export function answerWith(ours: KeyExchange, peerPublicKey: Uint8Array): KeyAnswer | undefined {
  const secret = ours.deriveSecret(peerPublicKey);
  return secret && { publicKey: ours.publicKey, secret };
}
