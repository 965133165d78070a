/** AES in counter mode of the default provider on the kernel. */
import { readU32 } from '../../core/bytes.ts';
import { checkCounter } from '../aead-arguments.ts';
import { AesCounterKey } from '../js/aes.ts';
import type { CounterKey } from '../provider.ts';
import { AEAD_NONCE_LENGTH } from '../provider.ts';
import type { Kernel } from './kernel.ts';
import { BLOCK, LONGEST_TEXT } from './kernel.ts';

/** A key of AES in counter mode. */
export class KernelCounterKey implements CounterKey {
  readonly #kernel: Kernel;
  readonly #expanded: Uint8Array;
  /** For what is too long for the kernel, or counts over the end of a word. */
  #other: CounterKey | undefined;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(kernel: Kernel, key: Uint8Array) {
    this.#kernel = kernel;
    this.#expanded = kernel.expandKey(key);
  }

  apply(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    checkCounter(counter, buffer, offset, length);
    const kernel = this.#kernel;
    const last = readU32(counter, AEAD_NONCE_LENGTH) + Math.ceil(length / BLOCK);
    if (length > LONGEST_TEXT || last > 2 ** 32) {
      // The first round keys are the key itself (FIPS 197 §5.2).
      const keyLength = this.#expanded.length === 192 ? 16 : 32;
      this.#other ??= new AesCounterKey(this.#expanded.subarray(0, keyLength));
      this.#other.apply(counter, buffer, offset, length);
      return;
    }
    const place = kernel.placeOf(this.#expanded);
    kernel.makeCounterStream(place, counter, length);
    kernel.applyStream(place, 0, buffer, offset, length);
  }
}
