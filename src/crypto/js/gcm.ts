/**
 * AES-GCM (SP 800-38D) with everything that depends on the key alone built once: round keys and GHASH tables, about
 * 2.3 KiB a key. Sealing and opening work in place and allocate nothing.
 *
 * Seal: counter mode from inc32(J0) → GHASH over additional data, ciphertext and lengths → tag = GHASH ⊕ E(J0).
 * Open: the same tag first, compared without an early exit; only then counter mode.
 *
 * GHASH (§6.4) is a polynomial over GF(2^128), evaluated at H. Field elements are four 32-bit words; the first bit of a
 * block, the highest of word 0, is the coefficient of x^0, so multiplying by x shifts right. A product X·H is taken word by
 * word from the last (Horner), and a word times H is eight look-ups of a nibble: table j holds n·x^(4j)·H for the sixteen
 * nibbles n. That is 2 KiB a key, built once.
 */
import { readU32, writeU32 } from '../../core/bytes.ts';
import { checkNonce, checkRange } from '../aead-arguments.ts';
import type { AeadKey } from '../provider.ts';
import { AEAD_TAG_LENGTH } from '../provider.ts';
import { Aes } from './aes.ts';

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

/** Words per entry, entries per table, tables. */
const TABLE_WORDS = 4 * 16 * 8;

/** x^128 = 1 + x + x^2 + x^7, written as the first word of a field element (SP 800-38D §6.3, R). */
const REDUCTION = 0xe1000000 | 0;

/** The running hash of one key. Plain fields: it is read for every block. */
export class Ghash {
  readonly table: Int32Array;
  y0 = 0;
  y1 = 0;
  y2 = 0;
  y3 = 0;

  /** @param h0 … h3 the hash key H: the encryption of the zero block. */
  constructor(h0: number, h1: number, h2: number, h3: number) {
    this.table = buildTable(h0, h1, h2, h3);
  }

  reset(): void {
    this.y0 = 0;
    this.y1 = 0;
    this.y2 = 0;
    this.y3 = 0;
  }

  /** Hashes `length` bytes at `offset`, padded with zeros to whole blocks. */
  update(bytes: Uint8Array, offset: number, length: number): void {
    const end = offset + length;
    let at = offset;
    for (; at + 16 <= end; at += 16) {
      this.block(readU32(bytes, at), readU32(bytes, at + 4), readU32(bytes, at + 8), readU32(bytes, at + 12));
    }
    if (at === end) return;
    this.block(
      readPadded(bytes, at, end),
      readPadded(bytes, at + 4, end),
      readPadded(bytes, at + 8, end),
      readPadded(bytes, at + 12, end),
    );
  }

  /** Y ← (Y ⊕ block) · H. */
  block(w0: number, w1: number, w2: number, w3: number): void {
    const table = this.table;
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    let word = w3 ^ this.y3;
    for (let i = 3; ; i--) {
      let entry = (word >>> 26) & 60;
      z0 ^= table[entry]!;
      z1 ^= table[entry + 1]!;
      z2 ^= table[entry + 2]!;
      z3 ^= table[entry + 3]!;
      for (let nibble = 1, shift = 22; nibble < 7; nibble++, shift -= 4) {
        entry = 64 * nibble + ((word >>> shift) & 60);
        z0 ^= table[entry]!;
        z1 ^= table[entry + 1]!;
        z2 ^= table[entry + 2]!;
        z3 ^= table[entry + 3]!;
      }
      entry = 448 + ((word << 2) & 60);
      z0 ^= table[entry]!;
      z1 ^= table[entry + 1]!;
      z2 ^= table[entry + 2]!;
      z3 ^= table[entry + 3]!;
      if (i === 0) break;
      // Times x^32: the words move on, and the one that falls out, x^128 … x^159, comes back times 1 + x + x^2 + x^7.
      const out = z3;
      z3 = z2;
      z2 = z1;
      z1 = z0 ^ (out << 31) ^ (out << 30) ^ (out << 25);
      z0 = out ^ (out >>> 1) ^ (out >>> 2) ^ (out >>> 7);
      word = i === 3 ? w2 ^ this.y2 : i === 2 ? w1 ^ this.y1 : w0 ^ this.y0;
    }
    this.y0 = z0;
    this.y1 = z1;
    this.y2 = z2;
    this.y3 = z3;
  }
}

/** Four bytes at `at`, those from `end` on read as zero. */
function readPadded(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return readU32(bytes, at);
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < end ? bytes[at + i]! : 0);
  return word;
}

function buildTable(h0: number, h1: number, h2: number, h3: number): Int32Array {
  const table = new Int32Array(TABLE_WORDS);
  let v0 = h0;
  let v1 = h1;
  let v2 = h2;
  let v3 = h3;
  for (let nibble = 0; nibble < 8; nibble++) {
    const base = nibble * 64;
    // The highest bit of a nibble is its lowest power of x.
    for (let bit = 8; bit > 0; bit >>= 1) {
      const at = base + bit * 4;
      table[at] = v0;
      table[at + 1] = v1;
      table[at + 2] = v2;
      table[at + 3] = v3;
      const carry = -(v3 & 1) & REDUCTION;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ carry;
    }
    // The others are sums: an entry is its highest bit's entry plus the entry of the rest.
    for (let n = 3; n < 16; n++) {
      const high = 1 << (31 - Math.clz32(n));
      if (high === n) continue;
      for (let i = 0; i < 4; i++) {
        table[base + n * 4 + i] = table[base + high * 4 + i]! ^ table[base + (n - high) * 4 + i]!;
      }
    }
  }
  return table;
}
