/**
 * Gap reports: which TSNs they have named, so that a SACK that says again what many before it said costs its blocks alone.
 *
 *   add(position) … → nextMissing(from): over whatever was reported, in a step or two
 *
 * A ring by position. What was reported leads to the right, past others that were: a search shortens the ways it took. So a
 * report may be taken back from the lowest position upwards, for no way from below leads over it.
 */
export class Reports {
  /** By slot: how far to go from a position that was reported; 0: it was not. */
  #steps: Uint32Array;

  /** @param length a power of two. */
  constructor(length: number) {
    this.#steps = new Uint32Array(length);
  }

  add(position: number): void {
    this.#steps[position & (this.#steps.length - 1)] = 1;
  }

  /** The position was not reported, or no longer counts; nothing below it did. */
  remove(position: number): void {
    this.#steps[position & (this.#steps.length - 1)] = 0;
  }

  /** The first position from `from` on that was not reported, `end` at the most: the first one not sent yet. */
  nextMissing(from: number, end: number): number {
    const steps = this.#steps;
    const mask = steps.length - 1;
    let at = from;
    while (at < end) {
      const step = steps[at & mask]!;
      if (step === 0) return at;
      const next = at + step;
      if (next < end) steps[at & mask]! += steps[next & mask]!;
      at = next;
    }
    return at;
  }

  /** The ring has doubled; positions from `first` to `last` are in it. */
  grow(first: number, last: number): void {
    const old = this.#steps;
    const steps = new Uint32Array(old.length * 2);
    for (let position = first; position <= last; position++) {
      steps[position & (steps.length - 1)] = old[position & (old.length - 1)]!;
    }
    this.#steps = steps;
  }
}
