/**
 * HMAC-SHA-1 (RFC 2104) on the kernel, for both providers: a message of STUN, or a packet of SRTP, is put into its memory, and hashed there. The
 * objects around a hash, noble's and OpenSSL's alike, cost more than hashing a short message does.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { checkRange } from '../aead-arguments.ts';
import type { HmacKey } from '../provider.ts';
import type { Kernel } from './kernel.ts';
import { LONGEST_MESSAGE } from './kernel.ts';

/** RFC 2104 §2: a longer key is hashed first. */
export const LONGEST_MAC_KEY = 64;

/** A key of HMAC-SHA-1, both of its pads hashed once. */
export class KernelHmacSha1 implements HmacKey {
  readonly #kernel: Kernel;
  readonly #states: Uint8Array;
  readonly #key: Bytes;
  readonly #makeOther: (key: Bytes) => HmacKey;
  /** For what is too long for the kernel. */
  #other: HmacKey | undefined;

  /**
   * @param key at the most `LONGEST_MAC_KEY` bytes
   * @param makeOther makes a key that takes messages of any length
   */
  constructor(kernel: Kernel, key: Uint8Array, makeOther: (key: Bytes) => HmacKey) {
    this.#kernel = kernel;
    this.#states = kernel.expandMacKey(key);
    this.#key = copyBytes(key);
    this.#makeOther = makeOther;
  }

  mac(...parts: readonly Uint8Array[]): Bytes {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > LONGEST_MESSAGE) return this.#long().mac(...parts);
    return copyBytes(this.#kernel.hmacSha1OfParts(this.#states, parts));
  }

  macOf(buffer: Uint8Array, offset: number, length: number, suffix: Uint8Array): Uint8Array {
    checkRange(buffer, offset, length, 0);
    if (length + suffix.length > LONGEST_MESSAGE) {
      return this.#long().mac(buffer.subarray(offset, offset + length), suffix);
    }
    return this.#kernel.hmacSha1(this.#states, buffer, offset, length, suffix);
  }

  #long(): HmacKey {
    return (this.#other ??= this.#makeOther(this.#key));
  }
}
