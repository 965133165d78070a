/** AES in counter mode (SP 800-38A §6.5): one key, its schedule made once. */
import { readU32 } from '../../core/bytes.ts';
import { checkCounter } from '../aead-arguments.ts';
import type { CounterKey } from '../provider.ts';
import { Aes } from './aes.ts';

const BLOCK = 16;

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
