/** AES-GCM (SP 800-38D) of the default provider on the kernel: key streams, GHASH and all in WebAssembly. 256 bytes a key. */
import { checkNonce, checkRange } from '../aead-arguments.ts';
import { AesGcmKey } from '../js/gcm.ts';
import type { AeadKey } from '../provider.ts';
import { AEAD_TAG_LENGTH } from '../provider.ts';
import type { Kernel } from './kernel.ts';
import { BLOCK, HashKey, OPENS, SEALS } from './kernel.ts';

/** A key of AES-128-GCM or AES-256-GCM. */
export class KernelGcmKey implements AeadKey {
  readonly #kernel: Kernel;
  readonly #expanded: Uint8Array;
  readonly #hashKey: HashKey;
  /** For what is too long for the kernel. */
  #long: AeadKey | undefined;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(kernel: Kernel, key: Uint8Array) {
    this.#kernel = kernel;
    this.#expanded = kernel.expandKey(key);
    this.#hashKey = new HashKey(this.#expanded.slice(-BLOCK));
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
    const kernel = this.#kernel;
    if (!kernel.takes(additionalData, length)) {
      this.#longKey().seal(nonce, additionalData, buffer, offset, length);
      return;
    }
    kernel.useKey(SEALS, this.#expanded);
    kernel.useHashKey(SEALS, this.#hashKey);
    kernel.makeStream(SEALS, nonce, length);
    kernel.seal(0, additionalData, buffer, offset, length);
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
    const kernel = this.#kernel;
    if (!kernel.takes(additionalData, plainLength)) {
      return this.#longKey().open(nonce, additionalData, buffer, offset, length);
    }
    kernel.useKey(OPENS, this.#expanded);
    kernel.useHashKey(OPENS, this.#hashKey);
    kernel.makeStream(OPENS, nonce, plainLength);
    return kernel.open(0, additionalData, buffer, offset, plainLength);
  }

  /** The first round keys are the key itself (FIPS 197 §5.2). */
  #longKey(): AeadKey {
    const keyLength = this.#expanded.length === 192 ? 16 : 32;
    this.#long ??= new AesGcmKey(this.#expanded.subarray(0, keyLength));
    return this.#long;
  }
}
