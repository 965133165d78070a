/** BitReader: a cursor over bits, the highest of each byte first. Reading past the end yields zeros and sets `failed`; it never throws. */
import { NO_BYTES } from '../core/bytes.ts';

/** Reads numbers of any width up to 32 bits. One reader serves any number of values. */
export class BitReader {
  failed = false;
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;

  /** Begins with the first bit of `bytes`. */
  reset(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.failed = false;
  }

  /** The next `width` bits, 0–32, as an unsigned number. */
  bits(width: number): number {
    if (this.#at + width > this.#bytes.length * 8) {
      this.failed = true;
      this.#at = this.#bytes.length * 8;
      return 0;
    }
    let value = 0;
    let left = width;
    while (left > 0) {
      const rest = 8 - (this.#at & 7);
      const taken = Math.min(rest, left);
      const byte = this.#bytes[this.#at >> 3]! & (0xff >> (8 - rest));
      value = value * 2 ** taken + (byte >> (rest - taken));
      this.#at += taken;
      left -= taken;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** A number below `count`, which is at least 1, in as few bits as that allows (AV1 bitstream §4.10.7). */
  nonSymmetric(count: number): number {
    const width = 32 - Math.clz32(count);
    const short = 2 ** width - count;
    const value = this.bits(width - 1);
    return value < short ? value : value * 2 - short + this.bits(1);
  }
}
