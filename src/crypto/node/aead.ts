/**
 * AES-GCM and ChaCha20-Poly1305 on OpenSSL, and the masks of record numbers. Keys are `KeyObject`s: some versions of Node
 * spend more on importing raw key bytes than on sealing a record.
 */
import type { CipherGCMTypes, KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { AesMask } from '../js/aes.ts';
import { checkKey, checkMask, checkNonce, checkRange } from '../aead-arguments.ts';
import type { AeadAlgorithm, AeadKey, MaskKey } from '../provider.ts';
import { AEAD_TAG_LENGTH, MASK_SAMPLE_LENGTH } from '../provider.ts';

/** Without it OpenSSL would accept shorter tags, which are easier to forge. */
const FULL_TAG = { authTagLength: AEAD_TAG_LENGTH };

/** A key of any of the algorithms: an object of OpenSSL's for each record. */
export class NodeAeadKey implements AeadKey {
  /** Node's types tell the two ciphers apart, its functions do not. */
  readonly #algorithm: CipherGCMTypes;
  readonly #key: KeyObject;

  constructor(algorithm: AeadAlgorithm, key: KeyObject) {
    this.#algorithm = algorithm as CipherGCMTypes;
    this.#key = key;
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

/**
 * Masks from AES are the JavaScript provider's. One is made for every record: a call into OpenSSL costs ten times what the
 * block costs, and its answer is memory to collect. Its table look-ups do not run in constant time, which matters
 * less here than anywhere else: the mask's key is used for nothing else, and hides which record is which (RFC 9147 §4.2.3),
 * not what it says.
 */
export function createMask(algorithm: AeadAlgorithm, key: Uint8Array): MaskKey {
  checkKey(algorithm, key);
  return algorithm === 'chacha20-poly1305' ? new ChaChaMask(key) : new AesMask(key);
}

const ZEROS: Uint8Array = new Uint8Array(MASK_SAMPLE_LENGTH);

/** OpenSSL takes counter and nonce together, in the sample's own order. */
class ChaChaMask implements MaskKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  compute(sample: Uint8Array, offset: number, mask: Uint8Array): void {
    checkMask(sample, offset, mask);
    const counterAndNonce = sample.subarray(offset, offset + MASK_SAMPLE_LENGTH);
    mask.set(createCipheriv('chacha20', this.#key, counterAndNonce).update(ZEROS));
  }
}
