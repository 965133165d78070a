/**
 * TSNs as positions: 0 for the initial TSN, 1 for the next, and so on without end; and sets of them.
 *
 * The wire's 32-bit circle exists in `TsnLine` alone. Behind it a TSN is an ordinary number that may be compared, sorted and
 * subtracted, exact up to 2^53 and a small integer for the first two billion chunks.
 */

/** The line of one direction's TSNs: from the wire to positions and back. */
export class TsnLine {
  readonly initial: number;

  constructor(initial: number) {
    this.initial = initial;
  }

  /** The wire's TSN of a position. */
  wire(position: number): number {
    return (this.initial + position) >>> 0;
  }

  /** The position of a TSN of the wire: of all candidates the one nearest to `near`. */
  position(tsn: number, near: number): number {
    return near + ((tsn - this.wire(near)) | 0);
  }
}

/**
 * IntervalSet: a set of integers kept as sorted, disjoint, non-adjacent intervals. The receiver keeps the
 * positions that arrived above a gap in one, which grows at its end nearly always.
 */
export class IntervalSet {
  /** first₀, last₀, first₁, last₁, … */
  readonly #bounds: number[] = [];

  /** Number of intervals. */
  get size(): number {
    return this.#bounds.length >> 1;
  }

  get isEmpty(): boolean {
    return this.#bounds.length === 0;
  }

  /** The highest member, -Infinity if there is none. */
  get highest(): number {
    return this.#bounds.at(-1) ?? -Infinity;
  }

  first(index: number): number {
    return this.#bounds[index * 2] ?? Infinity;
  }

  last(index: number): number {
    return this.#bounds[index * 2 + 1] ?? -Infinity;
  }

  has(value: number): boolean {
    const index = this.#find(value);
    return index < this.size && this.first(index) <= value;
  }

  /** True if `value` or a neighbour of it is a member: to add it makes no further interval. */
  touches(value: number): boolean {
    const index = this.#find(value - 1);
    return index < this.size && this.first(index) <= value + 1;
  }

  /** The smallest number from `value` on that is not a member. */
  nextMissing(value: number): number {
    const index = this.#find(value);
    return index < this.size && this.first(index) <= value ? this.last(index) + 1 : value;
  }

  /** Adds every integer from `first` to `last`. */
  add(first: number, last: number): void {
    const bounds = this.#bounds;
    // Intervals that touch [first-1, last+1] melt into the new one.
    const from = this.#find(first - 1);
    let to = from;
    let low = first;
    let high = last;
    while (to < this.size && this.first(to) <= last + 1) {
      low = Math.min(low, this.first(to));
      high = Math.max(high, this.last(to));
      to++;
    }
    if (to === from + 1) {
      bounds[from * 2] = low;
      bounds[from * 2 + 1] = high;
    } else {
      bounds.splice(from * 2, (to - from) * 2, low, high);
    }
  }

  /** Removes every member up to and including `value`. */
  removeThrough(value: number): void {
    if (this.#bounds.length === 0 || this.first(0) > value) return;
    const index = this.#find(value + 1);
    this.#bounds.splice(0, index * 2);
    if (this.#bounds.length > 0 && this.first(0) <= value) this.#bounds[0] = value + 1;
  }

  clear(): void {
    this.#bounds.length = 0;
  }

  /** Index of the first interval that ends at `value` or later. */
  #find(value: number): number {
    let low = 0;
    let high = this.size;
    // Growth at the end is the common case: look there first.
    if (high > 0 && this.last(high - 1) < value) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.last(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
