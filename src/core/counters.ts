/**
 * Named counters: every silent drop has one. A name exists from the start, so that an operator sees the zeros too.
 */
export class Counters<Name extends string> {
  readonly #values: Record<Name, number>;

  constructor(names: readonly Name[]) {
    this.#values = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
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
