/**
 * GHASH (SP 800-38D §6.4) without look-ups that depend on a secret address: sixteen bytes at a time are looked up in tables of sixteen
 * entries by a byte shuffle of the processor.
 *
 * The first bit of a block, the highest of its first byte, is the coefficient of x^0. A product Y·H is the sum, over the
 * bytes of Y, of (the byte · H) · x^8k. Of a byte the high nibble stands for the lower powers of x. For each nibble n there are
 * the products n·H; table j has the j-th byte of all sixteen, so that one shuffle by the high (or low) nibbles of Y gives
 * the j-th byte of sixteen products. The k-th of them belongs to byte j + k of a product of 31 bytes: the tables are taken
 * from the last to the first, and the sum moves on by a byte each time. What is beyond byte 15 comes back once, at the
 * end, as x^128 = 1 + x + x^2 + x^7.
 *
 * Of a long text two blocks are taken at a time, (Y·H ⊕ block)·H = Y·H² ⊕ block·H: the sum moves on half as often.
 */
import { BLOCK, HASH_KEY, PLACE_HASH_KEY, PLACE_HAS_SQUARE } from './memory';

/** The tables of the low nibbles stand behind those of the high ones, those of H² behind those of H. */
const LOW: usize = 16 * 16;
const SQUARE: usize = 2 * 16 * 16;

/** The vector moved on by a byte, which is a multiplication by x^8; a zero comes in. */
function moved(v: v128): v128 {
  return i8x16.shuffle(i64x2.splat(0), v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** Y·H by the tables at `tables`. */
export function multiply(tables: usize, y: v128): v128 {
  const high = i8x16.shr_u(y, 4);
  const low = v128.and(y, i8x16.splat(15));
  let sum = i64x2.splat(0);
  let beyond = i64x2.splat(0);
  for (let j: i32 = 15; j >= 0; j--) {
    const row = tables + ((<usize>j) << 4);
    beyond = i8x16.shuffle(sum, beyond, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    sum = v128.xor(
      moved(sum),
      v128.xor(i8x16.swizzle(v128.load(row), high), i8x16.swizzle(v128.load(row, LOW), low)),
    );
  }
  return reduced(sum, beyond);
}

/** Y·H² ⊕ Z·H by the tables at `tables`, which have those of the square. */
export function multiplyTwo(tables: usize, y: v128, z: v128): v128 {
  const fifteen = i8x16.splat(15);
  const highY = i8x16.shr_u(y, 4);
  const lowY = v128.and(y, fifteen);
  const highZ = i8x16.shr_u(z, 4);
  const lowZ = v128.and(z, fifteen);
  let sum = i64x2.splat(0);
  let beyond = i64x2.splat(0);
  for (let j: i32 = 15; j >= 0; j--) {
    const row = tables + ((<usize>j) << 4);
    beyond = i8x16.shuffle(sum, beyond, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    const ofY = v128.xor(
      i8x16.swizzle(v128.load(row, SQUARE), highY),
      i8x16.swizzle(v128.load(row, SQUARE + LOW), lowY),
    );
    const ofZ = v128.xor(i8x16.swizzle(v128.load(row), highZ), i8x16.swizzle(v128.load(row, LOW), lowZ));
    sum = v128.xor(moved(sum), v128.xor(ofY, ofZ));
  }
  return reduced(sum, beyond);
}

/** sum + beyond·x^128, and x^128 is 1 + x + x^2 + x^7: bits move to the right, and on from one byte to the next. */
function reduced(sum: v128, beyond: v128): v128 {
  const before = moved(beyond);
  const right = v128.xor(v128.xor(i8x16.shr_u(beyond, 1), i8x16.shr_u(beyond, 2)), i8x16.shr_u(beyond, 7));
  const left = v128.xor(v128.xor(i8x16.shl(before, 7), i8x16.shl(before, 6)), i8x16.shl(before, 1));
  return v128.xor(v128.xor(sum, beyond), v128.xor(right, left));
}

/** v·x: one bit to the right, and what falls out comes back. */
function timesX(v: v128): v128 {
  const carried = v128.xor(i8x16.shr_u(v, 1), i8x16.shl(moved(v), 7));
  const out: i32 = i8x16.extract_lane_u(v, 15) & 1;
  const back: u8 = <u8>(-out & 0xe1);
  return v128.xor(carried, i8x16.replace_lane(i64x2.splat(0), 0, back));
}

/** Makes `place` one of the hash key at `HASH_KEY`. */
export function makeTables(place: usize): void {
  makeTablesOf(place, v128.load(HASH_KEY));
  v128.store(place + PLACE_HASH_KEY, v128.load(HASH_KEY));
  store<u32>(place + PLACE_HAS_SQUARE, 0);
}

/** Makes the tables of H² as well, unless they are there: a key that sees short texts alone does without. */
export function needSquare(place: usize): void {
  if (load<u32>(place + PLACE_HAS_SQUARE) !== 0) return;
  makeTablesOf(place + SQUARE, multiply(place, v128.load(place + PLACE_HASH_KEY)));
  store<u32>(place + PLACE_HAS_SQUARE, 1);
}

function makeTablesOf(tables: usize, h: v128): void {
  let power = h;
  for (let half: usize = 0; half <= LOW; half += LOW) {
    // Entries that are one bit: 8 is x^0 of a nibble, 1 is x^3. The others are sums of two that are there already.
    putEntry(tables + half, 0, i64x2.splat(0));
    for (let bit: u32 = 8; bit > 0; bit >>= 1) {
      putEntry(tables + half, bit, power);
      power = timesX(power);
    }
    for (let n: u32 = 3; n < 16; n++) {
      const rest = n & (n - 1);
      if (rest !== 0) addEntries(tables + half, n, rest, n ^ rest);
    }
  }
}

/** The n-th column of the sixteen tables. */
function putEntry(tables: usize, n: u32, v: v128): void {
  v128.store(COLUMN, v);
  for (let j: usize = 0; j < BLOCK; j++) store<u8>(tables + j * 16 + n, load<u8>(COLUMN + j));
}

function addEntries(tables: usize, n: u32, a: u32, b: u32): void {
  for (let j: usize = 0; j < BLOCK; j++) {
    const row = tables + j * 16;
    store<u8>(row + n, load<u8>(row + a) ^ load<u8>(row + b));
  }
}

const COLUMN: usize = memory.data(16, 16);
