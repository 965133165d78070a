/** Hashes and HMAC (RFC 2104) on noble's, with HMAC keyed once: both midstates are kept and cloned per message. */
import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../../core/bytes.ts';
import type { Hash, HashAlgorithm, HmacKey } from '../provider.ts';

/** What is used of noble's running hashes and HMACs. */
interface NobleState {
  update(data: Uint8Array): unknown;
  /** Ends this state: it cannot go on afterwards. */
  digest(): Bytes;
  clone(): NobleState;
}

type HashFunction = typeof sha1 | typeof sha256 | typeof sha384;

function hashFunction(algorithm: HashAlgorithm): HashFunction {
  switch (algorithm) {
    case 'md5':
      return md5;
    case 'sha-1':
      return sha1;
    case 'sha-256':
      return sha256;
    case 'sha-384':
      return sha384;
    case 'sha-512':
      return sha512;
  }
}

/** A hash to be fed piece by piece. */
export function createHash(algorithm: HashAlgorithm): Hash {
  return new NobleHash(hashFunction(algorithm).create());
}

/** The digest of one message. */
export function digestOf(algorithm: HashAlgorithm, message: Uint8Array): Bytes {
  return hashFunction(algorithm)(message);
}

/** A key of HMAC, of any length, for any number of messages. */
export function createHmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey {
  return new NobleHmac(hashFunction(algorithm), key);
}

class NobleHash implements Hash {
  readonly #state: NobleState;

  constructor(state: NobleState) {
    this.#state = state;
  }

  update(data: Uint8Array): this {
    this.#state.update(data);
    return this;
  }

  digest(): Bytes {
    return this.#state.clone().digest();
  }
}

type HmacState = ReturnType<typeof hmac.create>;

class NobleHmac implements HmacKey {
  readonly #keyed: HmacState;
  /** Overwritten with the keyed state for each message: new states would double the cost of a STUN message. */
  readonly #running: HmacState;

  constructor(hash: HashFunction, key: Uint8Array) {
    this.#keyed = hmac.create(hash, key);
    this.#running = hmac.create(hash, key);
  }

  mac(...parts: readonly Uint8Array[]): Bytes {
    const running: NobleState = this.#keyed._cloneInto(this.#running);
    for (const part of parts) running.update(part);
    return running.digest();
  }
}
