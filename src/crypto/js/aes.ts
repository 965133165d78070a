/**
 * AES-128 and AES-256, encryption only (FIPS 197), with what is one step from it: counter mode for SRTP (SP 800-38A §6.5),
 * and the masks of DTLS 1.3's record numbers (RFC 9147 §4.2.3).
 *
 * The key schedule runs once per key; after that nothing is allocated. A round is sixteen look-ups (SubBytes, ShiftRows
 * and MixColumns merged, the "T-tables" of the Rijndael proposal §5.2.1), so the time taken depends on the data through
 * the processor's cache. JavaScript cannot promise constant time; where that matters, the node provider uses the
 * processor's AES instructions.
 */
import { readU32, writeU32 } from '../../core/bytes.ts';
import { checkCounter, checkMask } from '../aead-arguments.ts';
import type { CounterKey, MaskKey } from '../provider.ts';

/** Bytes of a block. */
const BLOCK = 16;

/**
 * Four tables of 256 columns in one array: T0[x] is MixColumns of (SubBytes(x), 0, 0, 0) with its first byte on top,
 * and T1 (at 256), T2 (at 512), T3 (at 768) are T0 turned right by one, two and three bytes.
 */
let sharedTables: Int32Array | undefined;

/** Built on first use, 4 KiB, shared by all keys: importing this module does nothing. */
function tables(): Int32Array {
  sharedTables ??= buildTables();
  return sharedTables;
}

/** Builds the tables now, so that the first packet need not. */
export function warmUpAes(): void {
  tables();
}

/** One AES key. A block is four big-endian words. */
export class Aes {
  // Plain fields: this object is read for every block.
  readonly tables: Int32Array;
  readonly roundKeys: Int32Array;
  /** The block encrypted last. */
  readonly block: Int32Array = new Int32Array(4);

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.tables = tables();
    this.roundKeys = expandKey(key, this.tables);
  }

  /** Encrypts the block of the four words given into `block`. */
  encrypt(w0: number, w1: number, w2: number, w3: number): void {
    const t = this.tables;
    const keys = this.roundKeys;
    let a = w0 ^ keys[0]!;
    let b = w1 ^ keys[1]!;
    let c = w2 ^ keys[2]!;
    let d = w3 ^ keys[3]!;
    const last = keys.length - 4;
    for (let k = 4; k < last; k += 4) {
      const e =
        t[a >>> 24]! ^
        t[256 | ((b >>> 16) & 255)]! ^
        t[512 | ((c >>> 8) & 255)]! ^
        t[768 | (d & 255)]! ^
        keys[k]!;
      const f =
        t[b >>> 24]! ^
        t[256 | ((c >>> 16) & 255)]! ^
        t[512 | ((d >>> 8) & 255)]! ^
        t[768 | (a & 255)]! ^
        keys[k + 1]!;
      const g =
        t[c >>> 24]! ^
        t[256 | ((d >>> 16) & 255)]! ^
        t[512 | ((a >>> 8) & 255)]! ^
        t[768 | (b & 255)]! ^
        keys[k + 2]!;
      d =
        t[d >>> 24]! ^
        t[256 | ((a >>> 16) & 255)]! ^
        t[512 | ((b >>> 8) & 255)]! ^
        t[768 | (c & 255)]! ^
        keys[k + 3]!;
      a = e;
      b = f;
      c = g;
    }
    const out = this.block;
    out[0] = substitute(t, a, b, c, d) ^ keys[last]!;
    out[1] = substitute(t, b, c, d, a) ^ keys[last + 1]!;
    out[2] = substitute(t, c, d, a, b) ^ keys[last + 2]!;
    out[3] = substitute(t, d, a, b, c) ^ keys[last + 3]!;
  }

  /**
   * Counter mode in place over `length` bytes at `offset`: encrypts and decrypts. The first counter block is the four
   * words given; only the last word counts on, modulo 2^32 (SP 800-38D §6.2, inc32).
   */
  applyCounter(
    w0: number,
    w1: number,
    w2: number,
    counter: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const stream = this.block;
    const end = offset + length;
    let next = counter;
    let at = offset;
    for (; at + 16 <= end; at += 16) {
      this.encrypt(w0, w1, w2, next);
      next = (next + 1) | 0;
      xorWord(buffer, at, stream[0]!);
      xorWord(buffer, at + 4, stream[1]!);
      xorWord(buffer, at + 8, stream[2]!);
      xorWord(buffer, at + 12, stream[3]!);
    }
    if (at === end) return;
    this.encrypt(w0, w1, w2, next);
    for (let i = 0; at + i < end; i++) buffer[at + i]! ^= stream[i >> 2]! >>> (24 - 8 * (i & 3));
  }
}

/** A key of AES in counter mode: a counter of 128 bits that wraps, as SP 800-38A appendix B.1 has it. */
export class AesCounterKey implements CounterKey {
  readonly #aes: Aes;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.#aes = new Aes(key);
  }

  apply(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    checkCounter(counter, buffer, offset, length);
    const last = readU32(counter, 12);
    // `Aes.applyCounter` counts on in the last word alone; what comes after its end has a block that is one more above it.
    const untilWrap = Math.min(length, (2 ** 32 - last) * BLOCK);
    const w0 = readU32(counter, 0);
    const w1 = readU32(counter, 4);
    const w2 = readU32(counter, 8);
    this.#aes.applyCounter(w0, w1, w2, last, buffer, offset, untilWrap);
    if (untilWrap === length) return;
    const above = BigInt.asUintN(96, ((BigInt(w0) << 64n) | (BigInt(w1) << 32n) | BigInt(w2)) + 1n);
    this.#aes.applyCounter(
      Number(above >> 64n) | 0,
      Number((above >> 32n) & 0xffff_ffffn) | 0,
      Number(above & 0xffff_ffffn) | 0,
      0,
      buffer,
      offset + untilWrap,
      length - untilWrap,
    );
  }
}

/** A key for the masks of record numbers under AES-GCM. */
export class AesMask implements MaskKey {
  readonly aes: Aes;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.aes = new Aes(key);
  }

  compute(sample: Uint8Array, offset: number, mask: Uint8Array): void {
    checkMask(sample, offset, mask);
    const { aes } = this;
    aes.encrypt(
      readU32(sample, offset),
      readU32(sample, offset + 4),
      readU32(sample, offset + 8),
      readU32(sample, offset + 12),
    );
    for (let i = 0; i < 4; i++) writeU32(mask, 4 * i, aes.block[i]!);
  }
}

/**
 * SubBytes alone of one byte of each word, the first of `a` to the fourth of `d`: the last round has no MixColumns
 * (FIPS 197 §5.1). Each table has SubBytes itself in two of its bytes; the masks pick one.
 */
function substitute(t: Int32Array, a: number, b: number, c: number, d: number): number {
  return (
    (t[512 | (a >>> 24)]! & 0xff00_0000) |
    (t[768 | ((b >>> 16) & 255)]! & 0x00ff_0000) |
    (t[(c >>> 8) & 255]! & 0x0000_ff00) |
    (t[256 | (d & 255)]! & 0x0000_00ff)
  );
}

function xorWord(buffer: Uint8Array, at: number, word: number): void {
  buffer[at]! ^= word >>> 24;
  buffer[at + 1]! ^= word >>> 16;
  buffer[at + 2]! ^= word >>> 8;
  buffer[at + 3]! ^= word;
}

/** FIPS 197 §5.2: a first round key and one for each round, 10 with a key of Nk = 4 words, 14 with one of 8. */
function expandKey(key: Uint8Array, t: Int32Array): Int32Array {
  const keyWords = key.length >> 2;
  const words = new Int32Array(4 * (keyWords + 7));
  for (let i = 0; i < keyWords; i++) words[i] = readU32(key, 4 * i);
  let roundConstant = 1;
  for (let i = keyWords; i < words.length; i++) {
    let word = words[i - 1]!;
    if (i % keyWords === 0) {
      const rotated = (word << 8) | (word >>> 24);
      word = substitute(t, rotated, rotated, rotated, rotated) ^ (roundConstant << 24);
      roundConstant = xtime(roundConstant);
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = substitute(t, word, word, word, word);
    }
    words[i] = words[i - keyWords]! ^ word;
  }
  return words;
}

function buildTables(): Int32Array {
  // 3 generates the multiplicative group of GF(2^8): its powers and their logarithms give every inverse.
  const power = new Uint8Array(255);
  const logarithm = new Uint8Array(256);
  let value = 1;
  for (let i = 0; i < 255; i++) {
    power[i] = value;
    logarithm[value] = i;
    value ^= xtime(value);
  }
  const t = new Int32Array(1024);
  for (let x = 0; x < 256; x++) {
    const inverse = x === 0 ? 0 : power[(255 - logarithm[x]!) % 255]!;
    // FIPS 197 §5.1.1: the affine map adds the inverse, its four rotations to the left, and 0x63.
    const twice = inverse * 0x101;
    const s = (inverse ^ (twice >> 7) ^ (twice >> 6) ^ (twice >> 5) ^ (twice >> 4) ^ 0x63) & 0xff;
    const s2 = xtime(s);
    const column = (s2 << 24) | (s << 16) | (s << 8) | (s2 ^ s);
    t[x] = column;
    t[256 | x] = (column >>> 8) | (column << 24);
    t[512 | x] = (column >>> 16) | (column << 16);
    t[768 | x] = (column >>> 24) | (column << 8);
  }
  return t;
}

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 §4.2). */
function xtime(value: number): number {
  return ((value << 1) ^ ((value >> 7) * 0x11b)) & 0xff;
}
