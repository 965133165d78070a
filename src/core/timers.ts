/**
 * TimerTable: one row per purpose, one deadline per row, the earliest by a scan.
 *
 * A timer is a field store, not an object: arming and disarming cost nothing, there is nothing to cancel and nothing
 * to leak. Times are milliseconds of the caller's monotonic clock; `Infinity` means "not armed".
 *
 * A name finds its row in one look-up. All tables made of the same list share the map, those of counters too.
 */
import type { Layer } from './errors.ts';

/** The places of names in a list of them. */
export type Rows<Name extends string> = ReadonlyMap<Name, number>;

const rowsOfLists = new WeakMap<readonly string[], Rows<string>>();

/** The places of `names`: one list for all tables of a kind, which does not change any more. */
export function rowsOf<Name extends string>(names: readonly Name[]): Rows<Name> {
  const made = rowsOfLists.get(names) as Rows<Name> | undefined;
  if (made !== undefined) return made;
  const rows: Rows<Name> = new Map(names.map((name, row) => [name, row]));
  rowsOfLists.set(names, rows);
  return rows;
}

/** The place of `name`; -1 for one that is not in the list. */
export function rowIn<Name extends string>(rows: Rows<Name>, name: Name): number {
  return rows.get(name) ?? -1;
}

/** The timers of one machine: a deadline for each of its fixed names, all disarmed at first. */
export class TimerTable<Name extends string> {
  readonly #names: readonly Name[];
  readonly #rows: Rows<Name>;
  readonly #deadlines: number[];

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#rows = rowsOf(names);
    this.#deadlines = new Array<number>(names.length).fill(Infinity);
  }

  /** Arms `name` for the time `at`, in milliseconds, replacing what was armed. */
  arm(name: Name, at: number): void {
    this.#deadlines[this.#row(name)] = at;
  }

  /** Arms `name` unless an earlier deadline is armed already. */
  armEarliest(name: Name, at: number): void {
    const row = this.#row(name);
    if (at < this.#deadlines[row]!) this.#deadlines[row] = at;
  }

  disarm(name: Name): void {
    this.#deadlines[this.#row(name)] = Infinity;
  }

  disarmAll(): void {
    this.#deadlines.fill(Infinity);
  }

  isArmed(name: Name): boolean {
    return this.#deadlines[this.#row(name)] !== Infinity;
  }

  deadline(name: Name): number {
    return this.#deadlines[this.#row(name)]!;
  }

  /** The earliest deadline, `Infinity` if none is armed. */
  next(): number {
    let at = Infinity;
    for (let row = 0; row < this.#deadlines.length; row++) {
      const deadline = this.#deadlines[row]!;
      if (deadline < at) at = deadline;
    }
    return at;
  }

  /** The name of the earliest deadline; of equal ones, the first in the table's order. */
  nextName(): Name | undefined {
    const at = this.next();
    if (at === Infinity) return undefined;
    return this.#names[this.#deadlines.indexOf(at)];
  }

  /**
   * Disarms and names the earliest row that is due at `now`; `undefined` if none is.
   * Call until `undefined`: a handler that re-arms in the past would loop, so re-arm in the future.
   */
  takeDue(now: number): Name | undefined {
    const at = this.next();
    if (at > now || at === Infinity) return undefined;
    const row = this.#deadlines.indexOf(at);
    this.#deadlines[row] = Infinity;
    return this.#names[row];
  }

  /** Every armed timer with its deadline, for inspection. */
  armed(): Partial<Record<Name, number>> {
    const result: Partial<Record<Name, number>> = {};
    this.#names.forEach((name, row) => {
      const at = this.#deadlines[row]!;
      if (at !== Infinity) result[name] = at;
    });
    return result;
  }

  #row(name: Name): number {
    return this.#rows.get(name) ?? -1;
  }
}

/** Names made so far, by layer and timer: every drain ends with one. */
const names: Readonly<Record<Layer, Map<string, string>>> = {
  rtc: new Map(),
  ice: new Map(),
  dtls: new Map(),
  sctp: new Map(),
  channel: new Map(),
  turn: new Map(),
  media: new Map(),
};

/**
 * A timer of one of several layers, as `layer.timer`.
 * @param timer one of the layer's own names: there is an end to them. `undefined`: the layer waits for nothing.
 */
export function timerName(layer: Layer, timer: string | undefined): string | undefined {
  if (timer === undefined) return undefined;
  const known = names[layer].get(timer);
  if (known !== undefined) return known;
  const name = `${layer}.${timer}`;
  names[layer].set(timer, name);
  return name;
}
