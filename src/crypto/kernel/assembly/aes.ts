/**
 * AES (FIPS 197) of eight blocks at once, in constant time: bit slices. Vector b of the state has bit b of all 128 bytes,
 * its byte i the eight bits of byte i of the eight blocks. SubBytes is a circuit of gates then, ShiftRows and the turns of
 * MixColumns are byte shuffles, and nothing is looked up.
 */
import { BLOCK, KEY, NONCE, PLACE_ROUND_KEYS, PLACE_ROUNDS, STATE } from './memory';

/** Bytes of a state or a round key as bit slices. */
const SLICES: usize = 8 * 16;

/** What SubBytes adds to every byte (FIPS 197 §5.1.1). */
const SUB_BYTES_CONSTANT: u8 = 0x63;

/** Expands the key of 16 or 32 bytes at `KEY` to the words of its round keys, as FIPS 197 §5.2 numbers them. */
export function expand(place: usize, keyLength: usize): void {
  const keyWords = keyLength >> 2;
  const rounds = keyWords + 6;
  prepareSubstitute(place);
  let constant: u32 = 1;
  for (let i = keyWords; i < 4 * (rounds + 1); i++) {
    let word = load<u32>(KEY + 4 * (i - 1));
    if (i % keyWords === 0) {
      // RotWord of a word that is read least significant byte first.
      word = substitute(place, rotr<u32>(word, 8)) ^ constant;
      constant = (constant << 1) ^ ((constant >> 7) * 0x11b);
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = substitute(place, word);
    }
    store<u32>(KEY + 4 * i, load<u32>(KEY + 4 * (i - keyWords)) ^ word);
  }
}

/** Makes `place` one of the round keys at `KEY`. */
export function useRoundKeys(place: usize, rounds: usize): void {
  storeSlices(place, 0, v128.load(KEY));
  for (let round: usize = 1; round <= rounds; round++) {
    storeSlices(place, round, v128.xor(v128.load(KEY + BLOCK * round), i8x16.splat(SUB_BYTES_CONSTANT)));
  }
  store<u32>(place + PLACE_ROUNDS, <u32>rounds);
}

/** A round key as bit slices: each bit is all ones or all zeros, for it is the same for the eight blocks. */
function storeSlices(place: usize, round: usize, key: v128): void {
  const slices = place + PLACE_ROUND_KEYS + SLICES * round;
  for (let bit: i32 = 0; bit < 8; bit++) {
    const one = v128.and(i8x16.shr_u(key, bit), i8x16.splat(1));
    v128.store(slices + BLOCK * <usize>bit, i8x16.neg(one));
  }
}

/** A last round without keys is SubBytes and ShiftRows. */
function prepareSubstitute(place: usize): void {
  storeSlices(place, 0, i8x16.splat(0));
  storeSlices(place, 1, i8x16.splat(SUB_BYTES_CONSTANT));
  store<u32>(place + PLACE_ROUNDS, 1);
}

/** SubBytes of the four bytes of a word, which stands in all columns: ShiftRows changes nothing. */
function substitute(place: usize, word: u32): u32 {
  v128.store(STATE, i32x4.splat(word));
  encrypt(place);
  return load<u32>(STATE);
}

/** The key stream of `blocks` blocks at `to`, from the nonce at `NONCE` and a counter of `first` on. Whole eights are written. */
export function keyStream(place: usize, first: u32, blocks: u32, to: usize): void {
  const nonce = v128.load(NONCE);
  for (let done: u32 = 0; done < blocks; done += 8) {
    for (let i: u32 = 0; i < 8; i++) {
      v128.store(STATE + BLOCK * i, i32x4.replace_lane(nonce, 3, bswap<u32>(first + done + i)));
    }
    encrypt(place);
    for (let i: usize = 0; i < SLICES; i += BLOCK) v128.store(to + BLOCK * done + i, v128.load(STATE + i));
  }
}

/**
 * Encrypts the eight blocks at `STATE` in place. The state is in eight variables, x0 the slice of the highest bit, as the circuit has
 * them; memory would cost more than the gates.
 *
 * SubBytes is the circuit of J. Boyar and R. Peralta, "A new combinational logic minimization technique with applications
 * to cryptology" (SEA 2010), 32 AND gates and 83 XOR or XNOR gates; names and order are theirs. The four NOTs at its end, a
 * constant 0x63, are in the round keys: neither ShiftRows nor MixColumns changes a constant.
 */
export function encrypt(place: usize): void {
  let key = place + PLACE_ROUND_KEYS;
  const last = key + SLICES * <usize>load<u32>(place + PLACE_ROUNDS);
  slice();
  let x7 = v128.xor(v128.load(STATE), v128.load(key));
  let x6 = v128.xor(v128.load(STATE, 1 * 16), v128.load(key, 1 * 16));
  let x5 = v128.xor(v128.load(STATE, 2 * 16), v128.load(key, 2 * 16));
  let x4 = v128.xor(v128.load(STATE, 3 * 16), v128.load(key, 3 * 16));
  let x3 = v128.xor(v128.load(STATE, 4 * 16), v128.load(key, 4 * 16));
  let x2 = v128.xor(v128.load(STATE, 5 * 16), v128.load(key, 5 * 16));
  let x1 = v128.xor(v128.load(STATE, 6 * 16), v128.load(key, 6 * 16));
  let x0 = v128.xor(v128.load(STATE, 7 * 16), v128.load(key, 7 * 16));
  for (;;) {
    // Top linear layer.
    const y14 = v128.xor(x3, x5);
    const y13 = v128.xor(x0, x6);
    const y9 = v128.xor(x0, x3);
    const y8 = v128.xor(x0, x5);
    const t0 = v128.xor(x1, x2);
    const y1 = v128.xor(t0, x7);
    const y4 = v128.xor(y1, x3);
    const y12 = v128.xor(y13, y14);
    const y2 = v128.xor(y1, x0);
    const y5 = v128.xor(y1, x6);
    const y3 = v128.xor(y5, y8);
    const t1 = v128.xor(x4, y12);
    const y15 = v128.xor(t1, x5);
    const y20 = v128.xor(t1, x1);
    const y6 = v128.xor(y15, x7);
    const y10 = v128.xor(y15, t0);
    const y11 = v128.xor(y20, y9);
    const y7 = v128.xor(x7, y11);
    const y17 = v128.xor(y10, y11);
    const y19 = v128.xor(y10, y8);
    const y16 = v128.xor(t0, y11);
    const y21 = v128.xor(y13, y16);
    const y18 = v128.xor(x0, y16);
    // Inversion in GF(2^8).
    const t2 = v128.and(y12, y15);
    const t3 = v128.and(y3, y6);
    const t4 = v128.xor(t3, t2);
    const t5 = v128.and(y4, x7);
    const t6 = v128.xor(t5, t2);
    const t7 = v128.and(y13, y16);
    const t8 = v128.and(y5, y1);
    const t9 = v128.xor(t8, t7);
    const t10 = v128.and(y2, y7);
    const t11 = v128.xor(t10, t7);
    const t12 = v128.and(y9, y11);
    const t13 = v128.and(y14, y17);
    const t14 = v128.xor(t13, t12);
    const t15 = v128.and(y8, y10);
    const t16 = v128.xor(t15, t12);
    const t17 = v128.xor(t4, t14);
    const t18 = v128.xor(t6, t16);
    const t19 = v128.xor(t9, t14);
    const t20 = v128.xor(t11, t16);
    const t21 = v128.xor(t17, y20);
    const t22 = v128.xor(t18, y19);
    const t23 = v128.xor(t19, y21);
    const t24 = v128.xor(t20, y18);
    const t25 = v128.xor(t21, t22);
    const t26 = v128.and(t21, t23);
    const t27 = v128.xor(t24, t26);
    const t28 = v128.and(t25, t27);
    const t29 = v128.xor(t28, t22);
    const t30 = v128.xor(t23, t24);
    const t31 = v128.xor(t22, t26);
    const t32 = v128.and(t31, t30);
    const t33 = v128.xor(t32, t24);
    const t34 = v128.xor(t23, t33);
    const t35 = v128.xor(t27, t33);
    const t36 = v128.and(t24, t35);
    const t37 = v128.xor(t36, t34);
    const t38 = v128.xor(t27, t36);
    const t39 = v128.and(t29, t38);
    const t40 = v128.xor(t25, t39);
    const t41 = v128.xor(t40, t37);
    const t42 = v128.xor(t29, t33);
    const t43 = v128.xor(t29, t40);
    const t44 = v128.xor(t33, t37);
    const t45 = v128.xor(t42, t41);
    const z0 = v128.and(t44, y15);
    const z1 = v128.and(t37, y6);
    const z2 = v128.and(t33, x7);
    const z3 = v128.and(t43, y16);
    const z4 = v128.and(t40, y1);
    const z5 = v128.and(t29, y7);
    const z6 = v128.and(t42, y11);
    const z7 = v128.and(t45, y17);
    const z8 = v128.and(t41, y10);
    const z9 = v128.and(t44, y12);
    const z10 = v128.and(t37, y3);
    const z11 = v128.and(t33, y4);
    const z12 = v128.and(t43, y13);
    const z13 = v128.and(t40, y5);
    const z14 = v128.and(t29, y2);
    const z15 = v128.and(t42, y9);
    const z16 = v128.and(t45, y14);
    const z17 = v128.and(t41, y8);
    // Bottom linear layer.
    const t46 = v128.xor(z15, z16);
    const t47 = v128.xor(z10, z11);
    const t48 = v128.xor(z5, z13);
    const t49 = v128.xor(z9, z10);
    const t50 = v128.xor(z2, z12);
    const t51 = v128.xor(z2, z5);
    const t52 = v128.xor(z7, z8);
    const t53 = v128.xor(z0, z3);
    const t54 = v128.xor(z6, z7);
    const t55 = v128.xor(z16, z17);
    const t56 = v128.xor(z12, t48);
    const t57 = v128.xor(t50, t53);
    const t58 = v128.xor(z4, t46);
    const t59 = v128.xor(z3, t54);
    const t60 = v128.xor(t46, t57);
    const t61 = v128.xor(z14, t57);
    const t62 = v128.xor(t52, t58);
    const t63 = v128.xor(t49, t58);
    const t64 = v128.xor(z4, t59);
    const t65 = v128.xor(t61, t62);
    const t66 = v128.xor(z1, t63);
    const t67 = v128.xor(t64, t65);
    const s3 = v128.xor(t53, t66);
    const s0 = v128.xor(t59, t63);
    const s1 = v128.xor(t64, s3);
    const s2 = v128.xor(t55, t67);
    const s4 = v128.xor(t51, t66);
    const s5 = v128.xor(t47, t65);
    const s6 = v128.xor(t56, t62);
    const s7 = v128.xor(t48, t60);
    key += SLICES;
    if (key === last) {
      v128.store(STATE, v128.xor(shifted(s7), v128.load(key)));
      v128.store(STATE, v128.xor(shifted(s6), v128.load(key, 1 * 16)), 1 * 16);
      v128.store(STATE, v128.xor(shifted(s5), v128.load(key, 2 * 16)), 2 * 16);
      v128.store(STATE, v128.xor(shifted(s4), v128.load(key, 3 * 16)), 3 * 16);
      v128.store(STATE, v128.xor(shifted(s3), v128.load(key, 4 * 16)), 4 * 16);
      v128.store(STATE, v128.xor(shifted(s2), v128.load(key, 5 * 16)), 5 * 16);
      v128.store(STATE, v128.xor(shifted(s1), v128.load(key, 6 * 16)), 6 * 16);
      v128.store(STATE, v128.xor(shifted(s0), v128.load(key, 7 * 16)), 7 * 16);
      break;
    }
    // ShiftRows, MixColumns, AddRoundKey. With a the shifted state and a' its columns turned by a byte, MixColumns is
    // 2·(a + a') + a' + (a + a' turned by two bytes). Doubling moves the slices on by one; the highest comes back as 0x1b.
    const a0 = v128.xor(shifted(s0), shiftedTurned(s0));
    const a1 = v128.xor(shifted(s1), shiftedTurned(s1));
    const a2 = v128.xor(shifted(s2), shiftedTurned(s2));
    const a3 = v128.xor(shifted(s3), shiftedTurned(s3));
    const a4 = v128.xor(shifted(s4), shiftedTurned(s4));
    const a5 = v128.xor(shifted(s5), shiftedTurned(s5));
    const a6 = v128.xor(shifted(s6), shiftedTurned(s6));
    const a7 = v128.xor(shifted(s7), shiftedTurned(s7));
    x7 = v128.xor(mixed(s7, a7, a0), v128.load(key));
    x6 = v128.xor(mixed(s6, a6, v128.xor(a7, a0)), v128.load(key, 1 * 16));
    x5 = v128.xor(mixed(s5, a5, a6), v128.load(key, 2 * 16));
    x4 = v128.xor(mixed(s4, a4, v128.xor(a5, a0)), v128.load(key, 3 * 16));
    x3 = v128.xor(mixed(s3, a3, v128.xor(a4, a0)), v128.load(key, 4 * 16));
    x2 = v128.xor(mixed(s2, a2, a3), v128.load(key, 5 * 16));
    x1 = v128.xor(mixed(s1, a1, a2), v128.load(key, 6 * 16));
    x0 = v128.xor(mixed(s0, a0, a1), v128.load(key, 7 * 16));
  }
  slice();
}

/** ShiftRows of a slice: row r, byte r of each column, turns left by r columns. */
function shifted(v: v128): v128 {
  return i8x16.shuffle(v, v, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11);
}

/** The same, each column then turned by a byte. */
function shiftedTurned(v: v128): v128 {
  return i8x16.shuffle(v, v, 5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12);
}

/** A slice of the mixed columns: of `v` before ShiftRows, its sum a + a', and what doubling brings here. */
function mixed(v: v128, sum: v128, doubled: v128): v128 {
  const turnedTwice = i8x16.shuffle(sum, sum, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return v128.xor(v128.xor(shiftedTurned(v), turnedTwice), doubled);
}

/** Swaps the bits of `low` above `shift` with those of `high` below, within groups that the mask selects. */
function swapBits(low: usize, high: usize, mask: i32, shift: i32): void {
  const a = v128.load(STATE + BLOCK * low);
  const b = v128.load(STATE + BLOCK * high);
  const swap = v128.and(v128.xor(i64x2.shr_u(a, shift), b), i8x16.splat(<i8>mask));
  v128.store(STATE + BLOCK * high, v128.xor(b, swap));
  v128.store(STATE + BLOCK * low, v128.xor(a, i64x2.shl(swap, shift)));
}

/** Blocks into bit slices, or back: at each byte a square of eight by eight bits is transposed, which undoes itself. */
function slice(): void {
  swapBits(0, 1, 0x55, 1);
  swapBits(2, 3, 0x55, 1);
  swapBits(4, 5, 0x55, 1);
  swapBits(6, 7, 0x55, 1);
  swapBits(0, 2, 0x33, 2);
  swapBits(1, 3, 0x33, 2);
  swapBits(4, 6, 0x33, 2);
  swapBits(5, 7, 0x33, 2);
  swapBits(0, 4, 0x0f, 4);
  swapBits(1, 5, 0x0f, 4);
  swapBits(2, 6, 0x0f, 4);
  swapBits(3, 7, 0x0f, 4);
}
