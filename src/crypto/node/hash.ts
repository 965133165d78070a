/**
 * Hashes on OpenSSL, and HMAC but for SHA-256's (hmac-sha256.ts). HMAC keys stay bytes: unlike a cipher's their import costs
 * nothing, and a handshake of DTLS 1.3 makes a dozen of them for one or two messages each, where a `KeyObject` would cost as
 * much as a message.
 */
import type { Hash as NodeHashState } from 'node:crypto';
import { createHash, createHmac } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { Hash, HashAlgorithm, HmacKey } from '../provider.ts';

const OPENSSL_NAMES: Readonly<Record<HashAlgorithm, string>> = {
  md5: 'md5',
  'sha-1': 'sha1',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** A hash to be fed piece by piece, until `digest` ends it. */
export class NodeHash implements Hash {
  readonly #state: NodeHashState;

  constructor(algorithm: HashAlgorithm) {
    this.#state = createHash(OPENSSL_NAMES[algorithm]);
  }

  update(data: Uint8Array): this {
    this.#state.update(data);
    return this;
  }

  // A Node hash ends with its digest, so a copy gives it and the running one goes on.
  digest(): Bytes {
    return copyBytes(this.#state.copy().digest());
  }
}

/** A key of HMAC, copied, for any number of messages. */
export class NodeHmac implements HmacKey {
  readonly #name: string;
  readonly #key: Bytes;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    this.#name = OPENSSL_NAMES[algorithm];
    this.#key = copyBytes(key);
  }

  mac(...parts: readonly Uint8Array[]): Bytes {
    const running = createHmac(this.#name, this.#key);
    for (const part of parts) running.update(part);
    return copyBytes(running.digest());
  }
}
