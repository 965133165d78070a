/**
 * SerialUnwrapper: numbers that wrap (sequence numbers, timestamps, picture ids) as numbers that do not. A number is taken as
 * the one nearest to the largest before it (RFC 1982, RFC 3550 A.1); half a circle away it is an older one.
 *
 *     16 bits:  65534, 65535, 0, 65533, 1  →  131070, 131071, 131072, 131069, 131073
 */

/** Unwraps the numbers of one counter. */
export class SerialUnwrapper {
  readonly #circle: number;
  #largest = -1;

  /** @param bits of the counter */
  constructor(bits: 7 | 8 | 15 | 16 | 32) {
    this.#circle = 2 ** bits;
  }

  /**
   * The unwrapped number. The first counts from itself plus a full circle, so that older ones that come after it are positive
   * too. `value` lies within the bits of the counter.
   */
  unwrap(value: number): number {
    const unwrapped = this.peek(value);
    if (unwrapped > this.#largest) this.#largest = unwrapped;
    return unwrapped;
  }

  /** What `unwrap` would answer, without learning of it. */
  peek(value: number): number {
    const circle = this.#circle;
    const largest = this.#largest;
    if (largest < 0) return circle + value;
    const ahead = (value - (largest % circle) + circle) % circle;
    return largest + (ahead < circle / 2 ? ahead : ahead - circle);
  }
}
