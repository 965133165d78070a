/**
 * TSNs as positions: 0 for the initial TSN, 1 for the next, and so on without end.
 *
 * The wire's 32-bit circle exists in this file alone. Behind it a TSN is an ordinary number that may be compared,
 * sorted and subtracted, exact up to 2^53 and a small integer for the first two billion chunks.
 */
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
