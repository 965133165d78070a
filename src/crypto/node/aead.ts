/**
 * AES-128-GCM on OpenSSL. The key is a `KeyObject`: some versions of Node spend more on importing raw key bytes than on
 * sealing a record.
 */
import type { CipherGCMTypes, KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { checkKey, checkNonce, checkRange } from '../aead-arguments.ts';
import type { AeadAlgorithm, AeadKey } from '../provider.ts';
import { AEAD_TAG_LENGTH } from '../provider.ts';

/** Without it OpenSSL would accept shorter tags, which are easier to forge. */
const FULL_TAG = { authTagLength: AEAD_TAG_LENGTH };

export class NodeAeadKey implements AeadKey {
  readonly #algorithm: CipherGCMTypes;
  readonly #key: KeyObject;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    checkKey(algorithm, key);
    this.#algorithm = algorithm;
    this.#key = createSecretKey(key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    checkNonce(nonce);
    checkRange(buffer, offset, length, AEAD_TAG_LENGTH);
    const end = offset + length;
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, FULL_TAG);
    cipher.setAAD(additionalData);
    buffer.set(cipher.update(buffer.subarray(offset, end)), offset);
    cipher.final();
    buffer.set(cipher.getAuthTag(), end);
  }

  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number {
    checkNonce(nonce);
    checkRange(buffer, offset, length, 0);
    const plainLength = length - AEAD_TAG_LENGTH;
    if (plainLength < 0) return -1;
    const end = offset + plainLength;
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, FULL_TAG);
    decipher.setAAD(additionalData);
    decipher.setAuthTag(buffer.subarray(end, end + AEAD_TAG_LENGTH));
    const plaintext = decipher.update(buffer.subarray(offset, end));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    buffer.set(plaintext, offset);
    return plainLength;
  }
}
