/**
 * AES-GCM (SP 800-38D) with everything that depends on the key alone built once: round keys and GHASH tables, about
 * 2.3 KiB a key. Sealing and opening work in place and allocate nothing.
 *
 * Seal: counter mode from inc32(J0) → GHASH over additional data, ciphertext and lengths → tag = GHASH ⊕ E(J0).
 * Open: the same tag first, compared without an early exit; only then counter mode.
 */
import { readU32, writeU32 } from '../../core/bytes.ts';
import { checkNonce, checkRange } from '../aead-arguments.ts';
import type { AeadKey } from '../provider.ts';
import { AEAD_TAG_LENGTH } from '../provider.ts';
import { Aes } from './aes.ts';
import { Ghash } from './ghash.ts';

/** A key of AES-128-GCM or AES-256-GCM, its tables made. */
export class AesGcmKey implements AeadKey {
  // Plain fields: read for every record.
  readonly aes: Aes;
  readonly ghash: Ghash;
  /** The tag of the last record, four words. */
  readonly tag: Int32Array = new Int32Array(4);

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.aes = new Aes(key);
    this.aes.encrypt(0, 0, 0, 0);
    const [h0 = 0, h1 = 0, h2 = 0, h3 = 0] = this.aes.block;
    this.ghash = new Ghash(h0, h1, h2, h3);
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
    this.#applyCounter(nonce, buffer, offset, length);
    this.#computeTag(nonce, additionalData, buffer, offset, length);
    const end = offset + length;
    for (let i = 0; i < 4; i++) writeU32(buffer, end + 4 * i, this.tag[i]!);
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
    this.#computeTag(nonce, additionalData, buffer, offset, plainLength);
    const end = offset + plainLength;
    let difference = 0;
    for (let i = 0; i < 4; i++) difference |= (readU32(buffer, end + 4 * i) | 0) ^ this.tag[i]!;
    if (difference !== 0) return -1;
    this.#applyCounter(nonce, buffer, offset, plainLength);
    return plainLength;
  }

  // SP 800-38D §7.1: with a 96-bit nonce J0 is nonce ‖ 1, and the text is counted from 2.
  #applyCounter(nonce: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    this.aes.applyCounter(readU32(nonce, 0), readU32(nonce, 4), readU32(nonce, 8), 2, buffer, offset, length);
  }

  #computeTag(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const { aes, ghash, tag } = this;
    ghash.reset();
    ghash.update(additionalData, 0, additionalData.length);
    ghash.update(buffer, offset, length);
    // Both lengths in bits, 64 bits each; a shift by 29 is the part of length · 8 above 32 bits.
    ghash.block(additionalData.length >>> 29, additionalData.length << 3, length >>> 29, length << 3);
    aes.encrypt(readU32(nonce, 0), readU32(nonce, 4), readU32(nonce, 8), 1);
    tag[0] = ghash.y0 ^ aes.block[0]!;
    tag[1] = ghash.y1 ^ aes.block[1]!;
    tag[2] = ghash.y2 ^ aes.block[2]!;
    tag[3] = ghash.y3 ^ aes.block[3]!;
  }
}
