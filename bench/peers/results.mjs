/** What has been measured, and its table: a row for each case and measure, a column for each stack, ratios to the first of them. */
import { median, ratio, write } from './figures.mjs';

/** A stack that has failed so often at a case, and done nothing else, is not asked again. */
const ATTEMPTS = 2;

/** The figures of one scenario. `columns` are the names of its stacks. */
export class Results {
  #scenario;
  #columns;
  /** By case, column, and variant: the rounds' figures and failures. */
  #cells = new Map();

  constructor(scenario, columns) {
    this.#scenario = scenario;
    this.#columns = columns;
  }

  add(place, figures) {
    this.#cell(place).rounds.push(figures);
  }

  fail(place, reason) {
    this.#cell(place).failures.push(reason);
  }

  /** Whether no round was any good, and to try again would be to wait again. */
  hasFailed(place) {
    const { rounds = [], failures = [] } = this.#cells.get(key(place)) ?? {};
    return rounds.length === 0 && failures.length >= (this.#scenario.attempts ?? ATTEMPTS);
  }

  /** The median of a measure; `undefined` where there is none. */
  figure(place, measure) {
    const { rounds = [] } = this.#cells.get(key(place)) ?? {};
    return median(rounds.map((figures) => figures[measure]).filter(Number.isFinite));
  }

  get name() {
    return this.#scenario.name;
  }

  get columns() {
    return this.#columns;
  }

  toJSON() {
    const { name, title, measures } = this.#scenario;
    return { name, title, measures, cells: [...this.#cells.values()] };
  }

  /** As Markdown. */
  table() {
    const [first, ...others] = this.#columns;
    const header = ['', ...this.#columns, ...others.map((name) => `${first} : ${name}`)];
    const rows = [];
    for (const { name } of this.#scenario.cases) {
      for (const variant of [undefined, ...this.variants]) {
        for (const measure of Object.keys(this.#scenario.measures))
          rows.push(this.#row(name, variant, measure));
      }
    }
    return [`### ${this.#scenario.title}`, '', ...markdown([header, ...rows]), ...this.#notes(), ''].join(
      '\n',
    );
  }

  #row(name, variant, measure) {
    const label = [name, this.#scenario.measures[measure], variant].filter(Boolean).join(', ');
    const places = this.#columns.map((column) => this.place(name, column, variant));
    const [first, ...others] = places.map((place) => this.figure(place, measure));
    return [
      label,
      ...places.map((place) => this.#write(place, measure)),
      ...others.map((other) => ratio(first, other)),
    ];
  }

  /** Whoever has no such variant stands beside it as it is. */
  place(name, column, variant) {
    const place = { case: name, column, variant };
    return this.#cells.has(key(place)) ? place : { case: name, column };
  }

  #write(place, measure) {
    const { rounds, failures } = this.#cells.get(key(place)) ?? { rounds: [], failures: [] };
    if (rounds.length === 0) return failures.length > 0 ? 'fails' : '–';
    const figure = write(this.figure(place, measure));
    return failures.length === 0
      ? figure
      : `${figure} (${failures.length} of ${rounds.length + failures.length} fail)`;
  }

  #notes() {
    const reasons = [...this.#cells.values()].flatMap(({ column, case: name, variant, failures }) =>
      [...new Set(failures)].map(
        (reason) => `- ${[column, name, variant].filter(Boolean).join(', ')}: ${reason}`,
      ),
    );
    return reasons.length === 0 ? [] : ['', ...reasons];
  }

  get variants() {
    return [...new Set([...this.#cells.values()].map(({ variant }) => variant).filter(Boolean))];
  }

  get cases() {
    return this.#scenario.cases.map(({ name }) => name);
  }

  #cell(place) {
    const cell = this.#cells.get(key(place)) ?? { ...place, rounds: [], failures: [] };
    this.#cells.set(key(place), cell);
    return cell;
  }
}

/**
 * The CPU that a gigabyte in bulk takes, as multiples of what it takes without a stack: what each stack adds. The floor's datagrams
 * are the largest there.
 */
export function timesTheFloor(bulk, floor) {
  const place = { case: floor.cases.at(-1) };
  const rows = bulk.cases.flatMap((name) =>
    [undefined, ...bulk.variants].flatMap((variant) =>
      floor.columns.map((column) => [
        [name, variant, `times ${column}`].filter(Boolean).join(', '),
        ...bulk.columns.map((stack) => {
          const cpu = bulk.figure(bulk.place(name, stack, variant), 'cpu');
          return ratio(cpu, floor.figure({ ...place, column }, 'cpu'));
        }),
      ]),
    ),
  );
  return [
    '### Bulk: CPU per GB, times the floor',
    '',
    ...markdown([['', ...bulk.columns], ...rows]),
    '',
  ].join('\n');
}

/** Rows of text, the first of which is the header. */
export function markdown([header, ...rows]) {
  const all = [header, header.map(() => '---'), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function key({ case: name, column, variant = '' }) {
  return JSON.stringify([name, column, variant]);
}
