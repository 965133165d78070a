/**
 * HMAC-SHA-1 (RFC 2104, FIPS 180-4 §6.1). How long it takes depends on the length of a message and on nothing else.
 *
 * The schedule is made four words at a time: from word 32 on, W[t] = rotl(W[t−6] ⊕ W[t−16] ⊕ W[t−28] ⊕ W[t−32], 2) follows from the
 * standard's rule applied twice, and does not depend on the three words before it.
 */
import { MAC, MAC_KEY, SCHEDULE, SHA_STATE } from './memory';

/** Bytes of a block, of a state. */
const BLOCK: usize = 64;
const STATE: usize = 20;

/** RFC 2104 §2. */
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/** FIPS 180-4 §4.2.1. */
const K0: u32 = 0x5a827999;
const K1: u32 = 0x6ed9eba1;
const K2: u32 = 0x8f1bbcdc;
const K3: u32 = 0xca62c1d6;

/**
 * The MAC of the `length` bytes at `text`, at `MAC`, under the states at `MAC_KEY`: of SHA-1 behind the padded key, inner, then outer. What
 * is behind the text is written over, 72 bytes at the most.
 */
export function hmacSha1(text: usize, length: usize): void {
  memory.copy(SHA_STATE, MAC_KEY, STATE);
  finish(text, length);
  memory.copy(MAC, SHA_STATE, STATE);
  toBigEndian(MAC);
  memory.copy(SHA_STATE, MAC_KEY + STATE, STATE);
  finish(MAC, STATE);
  memory.copy(MAC, SHA_STATE, STATE);
  toBigEndian(MAC);
}

/** Makes the states at `MAC_KEY` of a key of 64 bytes, zeros behind it, at `key`, which is lost (RFC 2104 §2). */
export function makeMacKey(key: usize): void {
  keyState(key, INNER_PAD, MAC_KEY);
  keyState(key, INNER_PAD ^ OUTER_PAD, MAC_KEY + STATE);
}

function keyState(key: usize, pad: u8, to: usize): void {
  for (let i: usize = 0; i < BLOCK; i += 16) {
    v128.store(key + i, v128.xor(v128.load(key + i), i8x16.splat(pad)));
  }
  store<u32>(SHA_STATE, 0x67452301);
  store<u32>(SHA_STATE, 0xefcdab89, 4);
  store<u32>(SHA_STATE, 0x98badcfe, 8);
  store<u32>(SHA_STATE, 0x10325476, 12);
  store<u32>(SHA_STATE, 0xc3d2e1f0, 16);
  compress(key);
  memory.copy(to, SHA_STATE, STATE);
}

/** Takes a block at `at` into the state at `SHA_STATE`. */
export function compress(at: usize): void {
  prepare(at);
  let a = load<u32>(SHA_STATE);
  let b = load<u32>(SHA_STATE, 4);
  let c = load<u32>(SHA_STATE, 8);
  let d = load<u32>(SHA_STATE, 12);
  let e = load<u32>(SHA_STATE, 16);
  let w = SCHEDULE;
  for (; w < SCHEDULE + 80; w += 20) {
    e += rotl<u32>(a, 5) + choose(b, c, d) + K0 + load<u32>(w);
    b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + choose(a, b, c) + K0 + load<u32>(w, 4);
    a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + choose(e, a, b) + K0 + load<u32>(w, 8);
    e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + choose(d, e, a) + K0 + load<u32>(w, 12);
    d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + choose(c, d, e) + K0 + load<u32>(w, 16);
    c = rotl<u32>(c, 30);
  }
  for (; w < SCHEDULE + 160; w += 20) {
    e += rotl<u32>(a, 5) + (b ^ c ^ d) + K1 + load<u32>(w);
    b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + (a ^ b ^ c) + K1 + load<u32>(w, 4);
    a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + (e ^ a ^ b) + K1 + load<u32>(w, 8);
    e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + (d ^ e ^ a) + K1 + load<u32>(w, 12);
    d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + (c ^ d ^ e) + K1 + load<u32>(w, 16);
    c = rotl<u32>(c, 30);
  }
  for (; w < SCHEDULE + 240; w += 20) {
    e += rotl<u32>(a, 5) + majority(b, c, d) + K2 + load<u32>(w);
    b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + majority(a, b, c) + K2 + load<u32>(w, 4);
    a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + majority(e, a, b) + K2 + load<u32>(w, 8);
    e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + majority(d, e, a) + K2 + load<u32>(w, 12);
    d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + majority(c, d, e) + K2 + load<u32>(w, 16);
    c = rotl<u32>(c, 30);
  }
  for (; w < SCHEDULE + 320; w += 20) {
    e += rotl<u32>(a, 5) + (b ^ c ^ d) + K3 + load<u32>(w);
    b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + (a ^ b ^ c) + K3 + load<u32>(w, 4);
    a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + (e ^ a ^ b) + K3 + load<u32>(w, 8);
    e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + (d ^ e ^ a) + K3 + load<u32>(w, 12);
    d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + (c ^ d ^ e) + K3 + load<u32>(w, 16);
    c = rotl<u32>(c, 30);
  }
  store<u32>(SHA_STATE, load<u32>(SHA_STATE) + a);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 4) + b, 4);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 8) + c, 8);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 12) + d, 12);
  store<u32>(SHA_STATE, load<u32>(SHA_STATE, 16) + e, 16);
}

/** FIPS 180-4 §5.1.1: whole blocks, then a 1 bit, zeros and the length, with a block that went before counted. */
function finish(text: usize, length: usize): void {
  const end = text + length;
  const padded = text + ((length + 8 + BLOCK) & ~(BLOCK - 1));
  memory.fill(end, 0, padded - end);
  store<u8>(end, 0x80);
  store<u32>(padded - 4, bswap<u32>((<u32>(length + BLOCK)) << 3));
  for (let at = text; at < padded; at += BLOCK) compress(at);
}

/** FIPS 180-4 §6.1.2, step 1. */
function prepare(at: usize): void {
  for (let i: usize = 0; i < BLOCK; i += 16) {
    const words = v128.load(at + i);
    v128.store(
      SCHEDULE + i,
      i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12),
    );
  }
  for (let w: usize = SCHEDULE + BLOCK; w < SCHEDULE + 2 * BLOCK; w += 4) {
    const sum = load<u32>(w - 12) ^ load<u32>(w - 32) ^ load<u32>(w - 56) ^ load<u32>(w - 64);
    store<u32>(w, rotl<u32>(sum, 1));
  }
  for (let w: usize = SCHEDULE + 2 * BLOCK; w < SCHEDULE + 5 * BLOCK; w += 16) {
    const sum = v128.xor(
      v128.xor(v128.load(w - 24), v128.load(w - 64)),
      v128.xor(v128.load(w - 112), v128.load(w - 128)),
    );
    v128.store(w, v128.or(i32x4.shl(sum, 2), i32x4.shr_u(sum, 30)));
  }
}

function toBigEndian(at: usize): void {
  for (let i: usize = 0; i < STATE; i += 4) store<u32>(at + i, bswap<u32>(load<u32>(at + i)));
}

// FIPS 180-4 §4.1.1.

function choose(b: u32, c: u32, d: u32): u32 {
  return d ^ (b & (c ^ d));
}

function majority(b: u32, c: u32, d: u32): u32 {
  return (b & c) | (d & (b | c));
}
