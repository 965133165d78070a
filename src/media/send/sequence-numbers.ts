/**
 * SequenceNumbers: the sequence numbers of one source, unwrapped, none of them twice. SRTP makes its nonce of the number, so two
 * packets of one number would give away what both of them say.
 *
 *     next()    10 11 12 …                      the source counts by itself
 *     claim(n)  20 21 24 25   23   22           the caller counts: gaps are losses, what was late fills them
 *               20 21 24 25 (26) 27             a packet of our own (a tone) in between moves what follows by one
 */
import type { RandomSource } from '../../core/random.ts';
import { randomU32 } from '../../core/random.ts';

/** Numbers behind the largest that can still be claimed; no less than what the replay windows of peers take. */
const WINDOW = 1024;
/** The largest step. A receiver takes half a circle of 16 bits and more for a step back. */
const MAX_STEP = 0x7fff;

/** Gives out the sequence numbers of a source. */
export class SequenceNumbers {
  /** The first given out; -1: none. */
  #first = -1;
  #largest = -1;
  /** Nothing below is given out any more. */
  #floor = 0;
  /** What is added to numbers that are given; `undefined`: none was. */
  #shift: number | undefined;
  readonly #start: number;
  /** One bit a number, by its place in the window. */
  readonly #used = new Uint32Array(WINDOW / 32);

  constructor(random: RandomSource) {
    // RFC 3711 §3.3.1: below 2^15, so that no early loss makes the receiver miss a wrap.
    this.#start = randomU32(random) & 0x7fff;
  }

  /** The largest given out, -1 for none. */
  get largest(): number {
    return this.#largest;
  }

  /** The first given out, -1 for none. */
  get first(): number {
    return this.#first;
  }

  /** The number of a packet that the source counts by itself. */
  next(): number {
    const number = this.#first < 0 ? this.#start : this.#largest + 1;
    if (this.#shift !== undefined) {
      this.#shift++;
      this.#floor = number;
    }
    this.#take(number);
    return number;
  }

  /** The number of a packet whose caller counts; -1: it was used, or is too old. */
  claim(given: number): number {
    const shift = (this.#shift ??= this.#begin(given));
    const number = given + shift;
    if (number > this.#largest) {
      this.#take(number);
      return number;
    }
    if (number < this.#floor || this.#largest - number >= WINDOW || this.#isUsed(number)) return -1;
    this.#mark(number);
    return number;
  }

  /**
   * Sees to it that `given` can be a next number.
   * @returns true: it is so far ahead that it is counted on from the largest from now on
   */
  follow(given: number): boolean {
    if (this.#shift === undefined || given + this.#shift - this.#largest <= MAX_STEP) return false;
    this.#shift = this.#largest + 1 - given;
    this.#floor = this.#largest;
    return true;
  }

  /** The first number that is given goes on from those of our own, if there are any. */
  #begin(given: number): number {
    this.#floor = this.#first < 0 ? given : this.#largest;
    return this.#first < 0 ? 0 : this.#largest + 1 - given;
  }

  #take(number: number): void {
    if (this.#first < 0) this.#first = number;
    else if (number - this.#largest >= WINDOW) this.#used.fill(0);
    else for (let skipped = this.#largest + 1; skipped < number; skipped++) this.#clear(skipped);
    this.#largest = number;
    this.#mark(number);
  }

  #isUsed(number: number): boolean {
    const place = number % WINDOW;
    return ((this.#used[place >> 5]! >>> (place & 31)) & 1) !== 0;
  }

  #mark(number: number): void {
    const place = number % WINDOW;
    this.#used[place >> 5] = this.#used[place >> 5]! | (1 << (place & 31));
  }

  #clear(number: number): void {
    const place = number % WINDOW;
    this.#used[place >> 5] = this.#used[place >> 5]! & ~(1 << (place & 31));
  }
}
