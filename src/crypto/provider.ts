/**
 * CryptoProvider: everything cryptographic the library needs, synchronous and injected.
 *
 * Keys become handles once (per epoch, per certificate, per ICE password), so that no key schedule, table or key import
 * runs per packet. Every buffer is the caller's. `open` and `verify` answer, they do not throw: forged packets are cheap.
 */
import type { Bytes } from '../core/bytes.ts';
import type { OptionRule } from '../core/options.ts';
import { having } from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';

/**
 * Hashes. MD5 is for the keys of long-term STUN credentials alone (RFC 8489 §9.2.2): they hash a password that both sides
 * have, and nothing rests on collisions.
 */
export type HashAlgorithm = 'md5' | 'sha-1' | 'sha-256' | 'sha-384' | 'sha-512';

/** AEADs with a 12-byte nonce and a 16-byte tag (RFC 5116). */
export type AeadAlgorithm = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** Key agreement groups, named as in the TLS registry (RFC 8422, draft-ietf-tls-ecdhe-mlkem). */
export type Group = 'x25519mlkem768' | 'x25519' | 'secp256r1' | 'secp384r1';

/** Curves of ECDSA keys, named likewise. */
export type Curve = 'secp256r1' | 'secp384r1';

/** A public key that can verify. */
export type PublicKey =
  | {
      readonly type: 'ec';
      readonly curve: Curve;
      /** Uncompressed: 65 or 97 bytes. */
      readonly point: Uint8Array;
    }
  | {
      readonly type: 'rsa';
      /** Big-endian, without leading zeros. */
      readonly modulus: Uint8Array;
      /** Big-endian, without leading zeros. */
      readonly exponent: Uint8Array;
    };

/**
 * How a signature is made. ECDSA's is DER, its hash is named here and its curve is the key's; RSA-PSS has a salt as long as
 * the hash and MGF1 on the same hash (RFC 8446 §4.2.3).
 */
export type SignatureAlgorithm = 'ecdsa-sha-256' | 'ecdsa-sha-384' | 'rsa-pss-sha-256' | 'rsa-pkcs1-sha-256';

/** Bounds of RSA keys: shorter ones are broken, longer ones are a way to waste our time. */
export const RSA_MODULUS_BITS: Readonly<{ min: number; max: number }> = { min: 2048, max: 8192 };

/** Bytes, with every algorithm. */
export const AEAD_NONCE_LENGTH = 12;
/** Bytes, with every algorithm. */
export const AEAD_TAG_LENGTH = 16;
/** A block of AES, and so a counter. */
export const COUNTER_LENGTH = 16;
/** Bytes. */
export const AEAD_KEY_LENGTHS: Readonly<Record<AeadAlgorithm, number>> = {
  'aes-128-gcm': 16,
  'aes-256-gcm': 32,
  'chacha20-poly1305': 32,
};
/** What a mask is made of, and its length. */
export const MASK_SAMPLE_LENGTH = 16;
/** Bytes of a digest. */
export const HASH_LENGTHS: Readonly<Record<HashAlgorithm, number>> = {
  md5: 16,
  'sha-1': 20,
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
};

/** One key of an AEAD, its tables built once. */
export interface AeadKey {
  /**
   * Encrypts `length` bytes at `offset` in place and writes the tag behind them: `buffer` needs
   * `offset + length + 16` bytes. A nonce must never repeat under one key; the caller counts.
   */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void;
  /**
   * Decrypts `length` bytes (ciphertext and tag) at `offset` in place.
   * @returns the plaintext's length, or -1 for a bad tag; `buffer` then holds garbage, never plaintext.
   */
  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number;
  /**
   * The same key for a sequence of nonces by itself, of those that share a key and are used in turns: what is prepared for the nonces to
   * come is its own. Absent where nothing is prepared.
   */
  forSequence?(): AeadKey;
}

/** One key that hides record numbers (RFC 9147 §4.2.3). */
export interface MaskKey {
  /**
   * Writes the mask that belongs to the 16 bytes of ciphertext at `offset` of `sample` into the first bytes of `mask`:
   * `AES-ECB(key, sample)`, or ChaCha20's first block with the sample's first four bytes as counter, the rest as nonce.
   * @param mask 16 bytes; a caller reads as many of them as it has to hide.
   */
  compute(sample: Uint8Array, offset: number, mask: Uint8Array): void;
}

/** One AES key in counter mode (SP 800-38A §6.5), as SRTP uses it (RFC 3711 §4.1.1). It authenticates nothing. */
export interface CounterKey {
  /**
   * Encrypts or decrypts `length` bytes at `offset` in place. The key stream begins with the block `counter`, 16 bytes, which
   * counts on as one big-endian number; it is not changed. No block may be used twice under one key; the caller counts.
   */
  apply(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void;
  /** As `AeadKey.forSequence`, of counters. */
  forSequence?(): CounterKey;
}

/** A running hash. */
export interface Hash {
  update(data: Uint8Array): this;
  /** The digest of everything so far; the hash can go on afterwards. */
  digest(): Bytes;
}

/** One HMAC key (RFC 2104), its inner and outer states computed once. */
export interface HmacKey {
  mac(...parts: readonly Uint8Array[]): Bytes;
  /**
   * The MAC of the `length` bytes at `offset` and of `suffix` behind them. The answer is the key's own and valid until the next call of any. Absent
   * where it would cost as much as `mac`.
   */
  macOf?(buffer: Uint8Array, offset: number, length: number, suffix: Uint8Array): Uint8Array;
}

/** One side of an ephemeral key agreement: in x25519mlkem768 the side that speaks first. */
export interface KeyExchange {
  readonly group: Group;
  /**
   * As TLS sends it: 32 bytes for x25519, the uncompressed point of 65 or 97 bytes for secp256r1 and secp384r1, an
   * encapsulation key of 1184 bytes and an x25519 share for x25519mlkem768.
   */
  readonly publicKey: Bytes;
  /**
   * The shared secret: 32 bytes, 48 for secp384r1, 64 for x25519mlkem768.
   * @returns `undefined` for a share that must be refused: wrong length, compressed, off the curve, low order.
   */
  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined;
}

/** The answer to a share: what to send back, and the secret both now have. */
export interface KeyAnswer {
  /** As `KeyExchange.publicKey`, but for x25519mlkem768 a ciphertext of 1088 bytes and an x25519 share. */
  readonly publicKey: Bytes;
  readonly secret: Bytes;
}

/** An ECDSA private key. */
export interface SigningKey {
  readonly curve: Curve;
  /** The uncompressed point, 65 or 97 bytes. */
  readonly publicKey: Bytes;
  /** ECDSA over `message`, hashed inside with SHA-256 on secp256r1 and SHA-384 on secp384r1, as DER. */
  sign(message: Uint8Array): Bytes;
}

/**
 * What a provider does. Two come with the library, `jsCrypto` and `nodeCrypto`, and pass the same tests, as one of your own
 * must. All calls are synchronous; misuse by the caller throws `ERR_BAD_ARGUMENT`, bytes of a peer's never do.
 */
export interface CryptoProvider {
  readonly name: string;
  /** True if the same key and message always give the same signature (RFC 6979): runs then replay to the same bytes. */
  readonly deterministicSignatures: boolean;
  hash(algorithm: HashAlgorithm): Hash;
  hmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey;
  /** @param key of `AEAD_KEY_LENGTHS` bytes. Throws `ERR_BAD_ARGUMENT` for another length. */
  aead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey;
  /** The key that hides the numbers of records protected by `algorithm`; lengths as for `aead`. */
  mask(algorithm: AeadAlgorithm, key: Uint8Array): MaskKey;
  /** @param key 16 or 32 bytes, for AES-128 and AES-256. Throws `ERR_BAD_ARGUMENT` for another length. */
  counterMode(key: Uint8Array): CounterKey;
  /** A fresh key pair; its secrets are drawn from `random`, so that a seed reproduces it. */
  keyExchange(group: Group, random: RandomSource): KeyExchange;
  /**
   * The other side of an agreement that has begun: for x25519mlkem768 it encapsulates, for the rest it is a fresh key pair
   * and its secret with `peerPublicKey`.
   * @returns `undefined` for a share that must be refused, as `deriveSecret` does, or an encapsulation key that is none.
   */
  answerKeyExchange(group: Group, peerPublicKey: Uint8Array, random: RandomSource): KeyAnswer | undefined;
  /**
   * @param scalar 32 bytes, 48 for secp384r1, 1 … n−1. Throws `ERR_BAD_ARGUMENT` for anything else.
   * @param curve secp256r1 by default.
   */
  signingKey(scalar: Uint8Array, curve?: Curve): SigningKey;
  /** A fresh scalar drawn from `random`, of secp256r1 by default. */
  generateScalar(random: RandomSource, curve?: Curve): Bytes;
  /**
   * True if `signature` is one of `message` by `publicKey`. High-S ECDSA signatures are valid in TLS. Never throws: bad keys,
   * keys of another kind, RSA moduli outside of `RSA_MODULUS_BITS` and bad encodings are `false`.
   */
  verify(
    algorithm: SignatureAlgorithm,
    publicKey: PublicKey,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  /** Builds what would otherwise be built on first use (tens of milliseconds), outside the packet path. */
  warmUp(): void;
}

const METHODS: Readonly<Record<Exclude<keyof CryptoProvider, 'name' | 'deterministicSignatures'>, true>> = {
  hash: true,
  hmac: true,
  aead: true,
  mask: true,
  counterMode: true,
  keyExchange: true,
  answerKeyExchange: true,
  signingKey: true,
  generateScalar: true,
  verify: true,
  warmUp: true,
};

/** What a `crypto` option must be. */
export const cryptoRule: OptionRule = /* @__PURE__ */ having(
  'a CryptoProvider (jsCrypto() or nodeCrypto())',
  /* @__PURE__ */ Object.keys(METHODS),
);
