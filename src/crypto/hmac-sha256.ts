/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4 §6.2) for both providers.
 *
 * A handshake makes a dozen keys on either side, for one to four messages of a block or two each. There the objects around a
 * hash, noble's and OpenSSL's alike, cost more to make and to collect than the hash costs to compute. Here a key is two
 * states of eight words, and a message allocates its answer and nothing else.
 *
 * Additions, rotations and boolean functions of 32 bits: how long they take does not depend on what they work on.
 */
import type { Bytes } from '../core/bytes.ts';
import { readU32, writeU16, writeU32 } from '../core/bytes.ts';
import type { HmacKey } from './provider.ts';

const HASH_LENGTH = 32;
const STATE_WORDS = 8;
const BLOCK_LENGTH = 64;
/** Where a last block has the number of bits: 8 bytes, of which no message here needs the first four. */
const BIT_COUNT_AT = 56;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** FIPS 180-4 §4.2.2. */
const ROUND_CONSTANTS: Int32Array = /* @__PURE__ */ Int32Array.of(
  0x428a2f98,
  0x71374491,
  0xb5c0fbcf,
  0xe9b5dba5,
  0x3956c25b,
  0x59f111f1,
  0x923f82a4,
  0xab1c5ed5,
  0xd807aa98,
  0x12835b01,
  0x243185be,
  0x550c7dc3,
  0x72be5d74,
  0x80deb1fe,
  0x9bdc06a7,
  0xc19bf174,
  0xe49b69c1,
  0xefbe4786,
  0x0fc19dc6,
  0x240ca1cc,
  0x2de92c6f,
  0x4a7484aa,
  0x5cb0a9dc,
  0x76f988da,
  0x983e5152,
  0xa831c66d,
  0xb00327c8,
  0xbf597fc7,
  0xc6e00bf3,
  0xd5a79147,
  0x06ca6351,
  0x14292967,
  0x27b70a85,
  0x2e1b2138,
  0x4d2c6dfc,
  0x53380d13,
  0x650a7354,
  0x766a0abb,
  0x81c2c92e,
  0x92722c85,
  0xa2bfe8a1,
  0xa81a664b,
  0xc24b8b70,
  0xc76c51a3,
  0xd192e819,
  0xd6990624,
  0xf40e3585,
  0x106aa070,
  0x19a4c116,
  0x1e376c08,
  0x2748774c,
  0x34b0bcb5,
  0x391c0cb3,
  0x4ed8aa4a,
  0x5b9cca4f,
  0x682e6ff3,
  0x748f82ee,
  0x78a5636f,
  0x84c87814,
  0x8cc70208,
  0x90befffa,
  0xa4506ceb,
  0xbef9a3f7,
  0xc67178f2,
);
/** FIPS 180-4 §5.3.3. */
const INITIAL_STATE: Int32Array = /* @__PURE__ */ Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Working memory, of use within one call; what a call leaves in it is wiped before the call ends. */
const schedule: Int32Array = /* @__PURE__ */ new Int32Array(BLOCK_LENGTH);
const block: Bytes = /* @__PURE__ */ new Uint8Array(BLOCK_LENGTH);
const running: Int32Array = /* @__PURE__ */ new Int32Array(STATE_WORDS);

/** A key of HMAC-SHA-256, both of its pads hashed once; of any length, and not kept. */
export class HmacSha256 implements HmacKey {
  /** SHA-256's state behind the padded key: that of the inner hash, then that of the outer one. */
  readonly #keyed: Int32Array = new Int32Array(2 * STATE_WORDS);

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_LENGTH ? sha256(key) : key;
    absorbKey(short, INNER_PAD);
    this.#keyed.set(running);
    absorbKey(short, OUTER_PAD);
    this.#keyed.set(running, STATE_WORDS);
    wipe();
  }

  mac(...parts: readonly Uint8Array[]): Bytes {
    for (let i = 0; i < STATE_WORDS; i++) running[i] = this.#keyed[i]!;
    absorb(parts, BLOCK_LENGTH);
    writeState(block);
    for (let i = 0; i < STATE_WORDS; i++) running[i] = this.#keyed[STATE_WORDS + i]!;
    finish(HASH_LENGTH, BLOCK_LENGTH + HASH_LENGTH);
    const mac = new Uint8Array(HASH_LENGTH);
    writeState(mac);
    wipe();
    return mac;
  }
}

/** RFC 2104 §2: a key longer than a block is hashed first. */
function sha256(message: Uint8Array): Bytes {
  running.set(INITIAL_STATE);
  absorb([message], 0);
  const digest = new Uint8Array(HASH_LENGTH);
  writeState(digest);
  return digest;
}

function absorbKey(key: Uint8Array, pad: number): void {
  block.fill(pad);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  running.set(INITIAL_STATE);
  compress();
}

/** Takes `parts` into `running`, which has taken `before` bytes, whole blocks, and ends the hash. */
function absorb(parts: readonly Uint8Array[], before: number): void {
  let at = 0;
  let length = before;
  for (const part of parts) {
    length += part.length;
    for (let i = 0; i < part.length; i++) {
      block[at++] = part[i]!;
      if (at < BLOCK_LENGTH) continue;
      compress();
      at = 0;
    }
  }
  finish(at, length);
}

/** FIPS 180-4 §5.1.1: behind the `at` bytes in `block`, which end a message of `length`, comes a 1 bit, and the length. */
function finish(at: number, length: number): void {
  block[at] = 0x80;
  block.fill(0, at + 1);
  if (at >= BIT_COUNT_AT) {
    compress();
    block.fill(0);
  }
  // Eight times the length may exceed 32 bits.
  writeU16(block, BIT_COUNT_AT + 2, Math.floor(length / 0x2000_0000));
  writeU32(block, BIT_COUNT_AT + 4, (length << 3) >>> 0);
  compress();
}

function writeState(target: Uint8Array): void {
  for (let i = 0; i < STATE_WORDS; i++) writeU32(target, 4 * i, running[i]!);
}

function wipe(): void {
  schedule.fill(0);
  block.fill(0);
  running.fill(0);
}

/** FIPS 180-4 §6.2.2: takes `block` into `running`. The letters are the standard's. */
function compress(): void {
  for (let i = 0; i < 16; i++) schedule[i] = readU32(block, 4 * i);
  for (let i = 16; i < BLOCK_LENGTH; i++) {
    const w15 = schedule[i - 15]!;
    const w2 = schedule[i - 2]!;
    const sigma0 = ((w15 >>> 7) | (w15 << 25)) ^ ((w15 >>> 18) | (w15 << 14)) ^ (w15 >>> 3);
    const sigma1 = ((w2 >>> 17) | (w2 << 15)) ^ ((w2 >>> 19) | (w2 << 13)) ^ (w2 >>> 10);
    schedule[i] = schedule[i - 16]! + sigma0 + schedule[i - 7]! + sigma1;
  }
  let a = running[0]!;
  let b = running[1]!;
  let c = running[2]!;
  let d = running[3]!;
  let e = running[4]!;
  let f = running[5]!;
  let g = running[6]!;
  let h = running[7]!;
  for (let i = 0; i < BLOCK_LENGTH; i++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i]! + schedule[i]!) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  running[0]! += a;
  running[1]! += b;
  running[2]! += c;
  running[3]! += d;
  running[4]! += e;
  running[5]! += f;
  running[6]! += g;
  running[7]! += h;
}
