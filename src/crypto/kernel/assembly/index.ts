/**
 * The kernel: AES-GCM (SP 800-38D) on SIMD. What it exports is called by ../kernel.ts, which gives it whole records: it checks nothing.
 *
 *   seal: text ⊕ key stream → GHASH → tag ⊕ E(J0)      open: GHASH → tag compared without an early exit → text ⊕ key stream
 */
import { encrypt, expand, keyStream, useRoundKeys } from './aes';
import { makeTables, multiply, multiplyTwo, needSquare } from './ghash';
import {
  ADDITIONAL_DATA,
  BLOCK,
  COUNTERS,
  HASH,
  HASH_KEY,
  NONCE,
  PLACES,
  PLACE_LENGTH,
  PLACE_STREAMS,
  STATE,
  TAIL,
  TEXT,
  KEY,
  MAC,
  MAC_KEY,
  PLACE_TABLES_LENGTH,
} from './memory';
export { hmacSha1, makeMacKey } from './sha1';

/** Where the text to seal or open is put. */
export function textAt(): usize {
  return TEXT;
}

/** Where additional data is put. */
export function additionalDataAt(): usize {
  return ADDITIONAL_DATA;
}

/** Where a nonce is put. */
export function nonceAt(): usize {
  return NONCE;
}

/** Where a hash key is put, and found. */
export function hashKeyAt(): usize {
  return HASH_KEY;
}

/** Where a key or its round keys are put, and found. */
export function keyAt(): usize {
  return KEY;
}

/** Where `writeCounters` writes. */
export function countersAt(): usize {
  return COUNTERS;
}

/** Where the states of a key of HMAC-SHA-1 are put, and found. */
export function macKeyAt(): usize {
  return MAC_KEY;
}

/** Where `hmacSha1` writes. */
export function macAt(): usize {
  return MAC;
}

/** Where a place has what is made of its hash key, `tablesLength` bytes. */
export function tablesAt(place: usize): usize {
  return at(place);
}

/** Bytes of that. */
export function tablesLength(): usize {
  return PLACE_TABLES_LENGTH;
}

/** Makes what is made of long texts alone, so that all of it is there. */
export function completeTables(place: usize): void {
  needSquare(at(place));
}

/** Where key streams are put. */
export function streamsAt(place: usize): usize {
  return at(place) + PLACE_STREAMS;
}

function at(place: usize): usize {
  return PLACES + place * PLACE_LENGTH;
}

/** Makes `place` one of the hash key at `HASH_KEY`. */
export function useHashKey(place: usize): void {
  makeTables(at(place));
}

/** Expands the key of `keyLength` bytes at `KEY` to its round keys there, and its hash key at `HASH_KEY`. `place` is lost. */
export function expandKey(place: usize, keyLength: usize): void {
  expand(at(place), keyLength);
  useRoundKeys(at(place), (keyLength >> 2) + 6);
  v128.store(STATE, i64x2.splat(0));
  encrypt(at(place));
  v128.store(HASH_KEY, v128.load(STATE));
}

/** Makes `place` one of the round keys at `KEY`. */
export function useKey(place: usize, rounds: usize): void {
  useRoundKeys(at(place), rounds);
}

/** The key stream of the nonce at `NONCE`, whose blocks count from `first` on, as the first of the streams of `place`. */
export function makeStream(place: usize, first: u32, blocks: u32): void {
  keyStream(at(place), first, blocks, at(place) + PLACE_STREAMS);
}

/**
 * Counter blocks, `blocks` for each of `nonces` nonces: the one at `NONCE`, and those that count on from it in its last byte, whose bits
 * do so without a carry. Those of the first nonce count from `first` on, those of each further one from `step` more.
 */
export function writeCounters(nonces: u32, blocks: u32, first: u32, step: u32): void {
  let to = COUNTERS;
  let nonce = v128.load(NONCE);
  const next = i8x16.replace_lane(i64x2.splat(0), 11, step === 0 ? 1 : 0);
  for (let i: u32 = 0; i < nonces; i++) {
    for (let counter: u32 = 0; counter < blocks; counter++) {
      v128.store(to, i32x4.replace_lane(nonce, 3, bswap<u32>(first + i * step + counter)));
      to += BLOCK;
    }
    nonce = i8x16.add(nonce, next);
  }
}

/** Adds the key stream that begins at `stream` in `place` to the `length` bytes at `text`. */
export function applyStream(place: usize, stream: usize, text: usize, length: usize): void {
  let key = at(place) + PLACE_STREAMS + stream;
  const whole = length & ~15;
  for (let p = text; p < text + whole; p += BLOCK) {
    v128.store(p, v128.xor(v128.load(p), v128.load(key)));
    key += BLOCK;
  }
  for (let i = whole; i < length; i++) store<u8>(text + i, load<u8>(text + i) ^ load<u8>(key + i - whole));
}

/** Bytes of text from which on two blocks at a time save more than the tables of the square cost. */
const LONG: usize = 512;

/** Seals `length` bytes at `text`; the tag is written behind them. `stream` is where their key stream begins in `place`. */
export function seal(place: usize, stream: usize, text: usize, length: usize, additionalLength: usize): void {
  const streamAt = at(place) + PLACE_STREAMS + stream;
  let hash = startHash(at(place), additionalLength);
  const whole = length & ~15;
  const key = streamAt + BLOCK;
  let done: usize = 0;
  if (whole >= LONG) {
    needSquare(at(place));
    for (; done + 2 * BLOCK <= whole; done += 2 * BLOCK) {
      const first = v128.xor(v128.load(text + done), v128.load(key + done));
      const second = v128.xor(v128.load(text + done, BLOCK), v128.load(key + done, BLOCK));
      v128.store(text + done, first);
      v128.store(text + done, second, BLOCK);
      hash = multiplyTwo(at(place), v128.xor(hash, first), second);
    }
  }
  for (; done < whole; done += BLOCK) {
    const ciphertext = v128.xor(v128.load(text + done), v128.load(key + done));
    v128.store(text + done, ciphertext);
    hash = multiply(at(place), v128.xor(hash, ciphertext));
  }
  if (whole < length) {
    for (let i = whole; i < length; i++) store<u8>(text + i, load<u8>(text + i) ^ load<u8>(key + i));
    hash = multiply(at(place), v128.xor(hash, padded(text + whole, length - whole)));
  }
  v128.store(
    text + length,
    v128.xor(v128.load(streamAt), lengths(at(place), hash, additionalLength, length)),
  );
}

/** Opens `length` bytes at `text`, whose tag follows them. @returns 0, or -1 for a bad tag: the text is as it was. */
export function open(place: usize, stream: usize, text: usize, length: usize, additionalLength: usize): i32 {
  const streamAt = at(place) + PLACE_STREAMS + stream;
  let hash = startHash(at(place), additionalLength);
  const whole = length & ~15;
  let done: usize = 0;
  if (whole >= LONG) {
    needSquare(at(place));
    for (; done + 2 * BLOCK <= whole; done += 2 * BLOCK) {
      const first = v128.xor(hash, v128.load(text + done));
      hash = multiplyTwo(at(place), first, v128.load(text + done, BLOCK));
    }
  }
  for (; done < whole; done += BLOCK) {
    hash = multiply(at(place), v128.xor(hash, v128.load(text + done)));
  }
  if (whole < length) {
    hash = multiply(at(place), v128.xor(hash, padded(text + whole, length - whole)));
  }
  const tag = v128.xor(v128.load(streamAt), lengths(at(place), hash, additionalLength, length));
  if (v128.any_true(v128.xor(tag, v128.load(text + length)))) return -1;
  applyStream(place, stream + BLOCK, text, length);
  return 0;
}

function startHash(place: usize, additionalLength: usize): v128 {
  let hash = i64x2.splat(0);
  for (let i: usize = 0; i < additionalLength; i += BLOCK) {
    const left = additionalLength - i;
    const block = left >= BLOCK ? v128.load(ADDITIONAL_DATA + i) : padded(ADDITIONAL_DATA + i, left);
    hash = multiply(place, v128.xor(hash, block));
  }
  return hash;
}

/** `length` bytes at `from` and zeros, a block. */
function padded(from: usize, length: usize): v128 {
  v128.store(TAIL, i64x2.splat(0));
  memory.copy(TAIL, from, length);
  return v128.load(TAIL);
}

/** The hash with its last block: both lengths in bits, 64 bits each. */
function lengths(place: usize, hash: v128, additionalLength: usize, length: usize): v128 {
  store<u64>(HASH, bswap<u64>((<u64>additionalLength) << 3));
  store<u64>(HASH, bswap<u64>((<u64>length) << 3), 8);
  return multiply(place, v128.xor(hash, v128.load(HASH)));
}
