/**
 * Named counters: every silent drop has one. A name exists from the start, so that an operator sees the zeros too.
 */
export class Counters<Name extends string> {
  readonly #values: Record<Name, number>;

  constructor(names: readonly Name[]) {
    const values: Partial<Record<Name, number>> = {};
    for (const name of names) values[name] = 0;
    this.#values = values as Record<Name, number>;
  }

  add(name: Name, amount = 1): void {
    this.#values[name] += amount;
  }

  get(name: Name): number {
    return this.#values[name];
  }

  /** A plain copy of all counters. */
  snapshot(): Record<Name, number> {
    return { ...this.#values };
  }
}
