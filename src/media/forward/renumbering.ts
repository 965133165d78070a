/**
 * Renumbering: the numbers of one source after another as one row without gaps of our own. What is left out on purpose closes
 * up; what has not come keeps its place, so that it can be asked for again and still find it.
 *
 *     of the source   10  11  12  13  14  │  500  501        12: left out     13: missing, it may come yet
 *     sent            70  71   —  72  73  │   74   75
 *
 * It remembers the last `memory` numbers of the source, each with what became of it.
 */

/** What is known of a number: it is the newest, its place is free, it has been dealt with, or it is too old to tell. */
export type Standing = 'new' | 'missing' | 'taken' | 'leftOut' | 'old';

const MISSING = 0;
const TAKEN = 1;
const LEFT_OUT = 2;

/** Numbers are unwrapped, those of the source and those that are sent. */
export class Renumbering {
  readonly #memory: number;
  /** By number of the source, modulo `#memory`. */
  readonly #sent: Float64Array;
  readonly #standings: Uint8Array;
  /** The first and the largest number of this source. */
  #first = 0;
  #largest = -1;
  /** From the number of the source to the one that is sent. */
  #offset = 0;
  /** The largest number that was given out, of the source and as sent. */
  #given = -1;
  #givenSent = -1;
  #missing = 0;

  /** @param memory a power of two */
  constructor(memory: number) {
    this.#memory = memory;
    this.#sent = new Float64Array(memory);
    this.#standings = new Uint8Array(memory);
  }

  /** The largest number given out so far, reserved ones included; -1 before `start`. */
  get lastSent(): number {
    return this.#largest + this.#offset;
  }

  /** The largest number of the source so far. */
  get largest(): number {
    return this.#largest;
  }

  /** Places that are kept for what has not come. */
  get missing(): number {
    return this.#missing;
  }

  /** Another source begins with the number `first`, which is to be sent as `sent`. What came before is forgotten. */
  start(first: number, sent: number): void {
    this.#first = first;
    this.#largest = first - 1;
    this.#offset = sent - first;
    this.#given = first - 1;
    this.#givenSent = sent - 1;
    this.#missing = 0;
    this.#standings.fill(LEFT_OUT);
  }

  /** The source ends. Places behind the last number given out, which nobody knows of, are taken back. */
  end(): void {
    for (let at = Math.max(this.#given, this.#largest - this.#memory) + 1; at <= this.#largest; at++) {
      if (this.#standings[at & (this.#memory - 1)] === MISSING) this.#missing--;
    }
    this.#largest = this.#given;
    this.#offset = this.#givenSent - this.#given;
  }

  standing(source: number): Standing {
    if (source > this.#largest) return 'new';
    if (source < this.#first || source <= this.#largest - this.#memory) return 'old';
    const standing = this.#standings[source & (this.#memory - 1)];
    return standing === MISSING ? 'missing' : standing === TAKEN ? 'taken' : 'leftOut';
  }

  /** The number to send `source` as; it must not be `old`, and keeps the number that it has. */
  take(source: number): number {
    if (source > this.#largest) this.#advance(source);
    return this.#give(source, TAKEN);
  }

  /**
   * `source` is not sent. A new one leaves no gap. One that was missing has a place already, which nothing else can take:
   * @returns that place; -1 for a new one
   */
  leaveOut(source: number): number {
    if (source <= this.#largest) return this.#give(source, LEFT_OUT);
    this.#advance(source);
    this.#standings[source & (this.#memory - 1)] = LEFT_OUT;
    this.#missing--;
    this.#offset--;
    return -1;
  }

  #give(source: number, standing: number): number {
    const slot = source & (this.#memory - 1);
    if (this.#standings[slot] === MISSING) this.#missing--;
    this.#standings[slot] = standing;
    const sent = this.#sent[slot]!;
    if (source > this.#given) {
      this.#given = source;
      this.#givenSent = sent;
    }
    return sent;
  }

  /** All up to `source` have places. */
  #advance(source: number): void {
    const mask = this.#memory - 1;
    const offset = this.#offset;
    for (let at = Math.max(this.#largest + 1, source - mask); at <= source; at++) {
      this.#sent[at & mask] = at + offset;
      if (this.#standings[at & mask] !== MISSING) this.#missing++;
      this.#standings[at & mask] = MISSING;
    }
    this.#largest = source;
  }
}
