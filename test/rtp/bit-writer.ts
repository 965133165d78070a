/** Writes bits, the highest first: what tests make dependency descriptors with, as appendix A.8.2 of the AV1 payload format spells them. */
export class BitWriter {
  readonly #bits: number[] = [];

  bits(width: number, value: number): this {
    for (let i = width - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.bits(1, value ? 1 : 0);
  }

  nonSymmetric(count: number, value: number): this {
    if (count === 1) return this;
    const width = Math.floor(Math.log2(count)) + 1;
    const short = 2 ** width - count;
    return value < short ? this.bits(width - 1, value) : this.bits(width, value + short);
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, i) => {
      bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (bit << (7 - (i & 7)));
    });
    return bytes;
  }
}
