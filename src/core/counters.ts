/**
 * Named counters: every silent drop has one. A name exists from the start, so that an operator sees the zeros too.
 */
import { rowIn, rowsOf, type Rows } from './timers.ts';

/** A set of counters with fixed names, each at 0 from the start. They only grow. */
export class Counters<Name extends string> {
  readonly #rows: Rows<Name>;
  readonly #values: number[];

  constructor(names: readonly Name[]) {
    this.#rows = rowsOf(names);
    this.#values = new Array<number>(names.length).fill(0);
  }

  add(name: Name, amount = 1): void {
    this.#values[rowIn(this.#rows, name)]! += amount;
  }

  get(name: Name): number {
    return this.#values[rowIn(this.#rows, name)]!;
  }

  /** A plain copy of all counters. */
  snapshot(): Record<Name, number> {
    const copy: Partial<Record<Name, number>> = {};
    for (const [name, row] of this.#rows) copy[name] = this.#values[row]!;
    return copy as Record<Name, number>;
  }
}
