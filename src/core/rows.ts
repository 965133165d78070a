/**
 * Rows: the places of names in a list of them. Tables of timers and of counters are arrays, and a name finds its place in
 * one look-up; all tables made of the same list share the map.
 */
export type Rows<Name extends string> = ReadonlyMap<Name, number>;

const known = new WeakMap<readonly string[], Rows<string>>();

/** The places of `names`: one list for all tables of a kind, which does not change any more. */
export function rowsOf<Name extends string>(names: readonly Name[]): Rows<Name> {
  const made = known.get(names) as Rows<Name> | undefined;
  if (made !== undefined) return made;
  const rows: Rows<Name> = new Map(names.map((name, row) => [name, row]));
  known.set(names, rows);
  return rows;
}

/** The place of `name`; -1 for one that is not in the list. */
export function rowIn<Name extends string>(rows: Rows<Name>, name: Name): number {
  return rows.get(name) ?? -1;
}
