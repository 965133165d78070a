/** The table "where it runs": made of reports, written as Markdown between two marks of a document, and read back from there. */

/** What is asked of a runtime. `types` of its own would be no column: they are checked for every entry at once. */
export const COLUMNS = ['core', 'media', 'driver', 'nodeCrypto'] as const;
export type Column = (typeof COLUMNS)[number];

const HEADINGS: Readonly<Record<Column, string>> = {
  core: 'core',
  media: 'media',
  driver: '`sansrtc/node`',
  nodeCrypto: '`sansrtc/crypto/node`',
};

/** `yes`: its checks have passed. `no`: one has failed. `never`: the runtime has not what it needs. `untested`: it was not here. */
export type Tick = 'yes' | 'no' | 'never' | 'untested';

const SIGNS: Readonly<Record<Tick, string>> = { yes: '✓', no: '✗', never: '–', untested: '?' };

/** One runtime in one version. */
export interface Row {
  readonly name: string;
  /** As short as a reader wants it: `22`, `1.4`. */
  readonly version: string;
  readonly ticks: Readonly<Record<Column, Tick>>;
  readonly notes: string;
}

export const BEGIN = '<!-- runtimes -->';
export const END = '<!-- /runtimes -->';

/** The table, with versions of the same name and ticks in one row. Its columns are aligned, as Prettier has them. */
export function markdownTable(rows: readonly Row[]): string {
  const cells = [
    ['runtime', 'version tested', ...COLUMNS.map((column) => HEADINGS[column]), 'notes'],
    ...merged(rows).map(({ name, version, ticks, notes }) => [
      name,
      version,
      ...COLUMNS.map((column) => SIGNS[ticks[column]]),
      notes,
    ]),
  ];
  const widths = cells[0]?.map((_, at) => Math.max(3, ...cells.map((line) => line[at]?.length ?? 0))) ?? [];
  const lines = cells.map((line) => row(line.map((cell, at) => cell.padEnd(widths[at] ?? 0))));
  lines.splice(1, 0, row(widths.map((each) => '-'.repeat(each))));
  return lines.join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function merged(rows: readonly Row[]): Row[] {
  const result = new Map<string, Row>();
  for (const one of rows) {
    const key = JSON.stringify([one.name, one.notes, COLUMNS.map((column) => one.ticks[column])]);
    const before = result.get(key);
    result.set(key, before === undefined ? one : { ...before, version: `${before.version}, ${one.version}` });
  }
  return [...result.values()];
}

/** The document with `table` between its marks. Throws for one without them. */
export function withTable(document: string, table: string): string {
  const { begin, end } = marks(document);
  return `${document.slice(0, begin)}\n\n${table}\n\n${document.slice(end)}`;
}

/** What the table in a document says of each runtime, versions and notes apart; `undefined` for a document without marks. */
export function ticksIn(document: string): Map<string, string> | undefined {
  if (!document.includes(BEGIN)) return undefined;
  const { begin, end } = marks(document);
  return ticksOf(document.slice(begin, end));
}

/** The same of a table alone. */
export function ticksOf(table: string): Map<string, string> {
  const result = new Map<string, string>();
  for (const line of table.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, name = ''] = cells;
    if (cells.length < COLUMNS.length + 5 || name === 'runtime' || /^-+$/.test(name)) continue;
    const ticks = cells.slice(3, 3 + COLUMNS.length).join(' ');
    // Versions of one runtime that differ have a row each.
    result.set(name, [result.get(name), ticks].filter((text) => text !== undefined).join(', '));
  }
  return result;
}

/** Why a document's table is not the one of a run: a sentence, or `undefined` if it is. What was not tested says nothing. */
export function tableDifference(document: string, table: string): string | undefined {
  const written = ticksIn(document);
  if (written === undefined) return undefined;
  const seen = ticksOf(table);
  for (const [name, ticks] of seen) {
    if (ticks.includes(SIGNS.untested)) continue;
    const said = written.get(name);
    if (said === undefined) return `${name} is missing`;
    if (said !== ticks) return `${name} expected "${ticks}", got "${said}"`;
  }
  const stray = [...written.keys()].find((name) => !seen.has(name));
  return stray === undefined ? undefined : `${stray} is not tested any more`;
}

function marks(document: string): { readonly begin: number; readonly end: number } {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`there is no ${BEGIN} … ${END}`);
  return { begin: begin + BEGIN.length, end };
}
