/** Replay window: which of the latest packets of a source have been seen (RFC 3711 §3.3.2), a bit each. */

/** The indices seen of one source. Remembered are as many below the highest as the window is long. */
export class ReplayWindow {
  /** The highest index seen, -1: none. */
  highest: number;
  readonly #bits: Int32Array;
  readonly #length: number;

  /**
   * @param length a power of two from 32 to 65,536
   * @param highest an index up to which everything counts as seen; -1: nothing has been
   */
  constructor(length: number, highest: number = -1) {
    this.#length = length;
    this.#bits = new Int32Array(length / 32);
    this.highest = highest;
    if (highest >= 0) this.#bits.fill(-1);
  }

  /** False for an index that has been seen, or is behind the window. */
  isNew(index: number): boolean {
    const { highest } = this;
    if (index > highest) return true;
    return index > highest - this.#length && !this.hasSeen(index);
  }

  /** True for an index within the window that has been seen. */
  hasSeen(index: number): boolean {
    const { highest } = this;
    if (index > highest || index <= highest - this.#length) return false;
    const at = this.#at(index);
    return (this.#bits[at >> 5]! & (1 << (at & 31))) !== 0;
  }

  /** Remembers an index that is new. */
  add(index: number): void {
    const { highest } = this;
    if (index > highest) {
      if (index - highest >= this.#length) this.#bits.fill(0);
      else for (let skipped = highest + 1; skipped < index; skipped++) this.#clear(skipped);
      this.highest = index;
    }
    const at = this.#at(index);
    this.#bits[at >> 5]! |= 1 << (at & 31);
  }

  #clear(index: number): void {
    const at = this.#at(index);
    this.#bits[at >> 5]! &= ~(1 << (at & 31));
  }

  /** The place of an index: its low bits, for the length divides 2^16. */
  #at(index: number): number {
    return (index % 0x1_0000) & (this.#length - 1);
  }
}
