/**
 * `npm run test:runtimes`: the package, installed as a user has it, in every runtime; then the table of where it runs.
 *
 *   npm run test:runtimes                     all of them
 *   npm run test:runtimes -- bun deno         those whose name has one of these words in it
 *   npm run test:runtimes -- --write          all of them, and the table into README.md
 *
 * Besides, the declarations are checked as TypeScript's users have them checked; that is no row of the table.
 *
 * A runtime that cannot be had is not counted; with INTEROP_REQUIRED=1 that is a failure. The bytes that the core sends must be
 * those of the runtime that runs this.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandOf, makeProject, patiently, ROOT, run } from './machine.ts';
import { openBrowser, type OpenBrowser } from './pages.ts';
import { parseReport, type Check, type Report } from './report.ts';
import { RUNTIMES, type CommandRuntime, type Runtime } from './runtimes.ts';
import {
  COLUMNS,
  markdownTable,
  tableDifference,
  withTable,
  type Column,
  type Row,
  type Tick,
} from './table.ts';
import { checkTypes, COMPILERS, writeConsumer } from './types.ts';
import { workerdReport } from './workerd.ts';

/** For all checks of one command on a machine that is busy, ms. */
const REPORT_WITHIN = 300_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false } },
});
const isWanted = (name: string): boolean =>
  positionals.length === 0 || positionals.some((word) => name.toLowerCase().includes(word.toLowerCase()));
const wanted = RUNTIMES.filter(({ name }) => isWanted(name));

/** What has come of a runtime: one report, or several of one page each; or why there is none. */
interface Outcome {
  readonly runtime: Runtime;
  readonly version: string;
  readonly reports: readonly Report[];
  readonly missing?: string;
  readonly failure?: string;
}

let passed = 0;
let failed = 0;
const isRequired = process.env['INTEROP_REQUIRED'] === '1';

const project = await patiently('npm pack, and a project that installs it', makeProject);
const browsers = new Map<string, OpenBrowser>();
let table: string;
try {
  const commands = await installAll(wanted);
  const ours = await reportOf(process.execPath, []);
  console.log(`\nthe digest of this Node, ${process.versions.node}: ${ours.digest}\n`);
  const rows: Row[] = [];
  for (const runtime of wanted) {
    const outcome = await outcomeOf(runtime, commands);
    rows.push(judged(outcome, ours.digest));
  }
  table = markdownTable(rows);
  if (isWanted('TypeScript')) await checkConsumers();
} finally {
  await Promise.all([...browsers.values()].map((browser) => browser.close()));
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
}
if (wanted.length > 0) console.log(`\n${table}`);
if (positionals.length === 0) compareWithReadme(table);
console.log(`\n${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Commands by package; an error in place of one that cannot be had. All at once: most of it is waiting. */
async function installAll(runtimes: readonly Runtime[]): Promise<Map<Runtime, string | Error>> {
  const commands = new Map<Runtime, string | Error>();
  await Promise.all(
    runtimes.map(async (runtime) => {
      if (runtime.kind === 'browser') return;
      try {
        commands.set(runtime, isThisNode(runtime) ? process.execPath : await commandOf(runtime.package));
      } catch (error) {
        commands.set(runtime, error instanceof Error ? error : new Error(String(error)));
      }
    }),
  );
  return commands;
}

/** The Node that runs this takes the place of the one with its major version. */
function isThisNode(runtime: Runtime): boolean {
  return (
    runtime.kind === 'command' &&
    runtime.package.name === 'node' &&
    majorOf(runtime.package.version) === majorOf(process.versions.node)
  );
}

async function reportOf(command: string, args: CommandRuntime['args']): Promise<Report> {
  const options = { cwd: project, within: REPORT_WITHIN };
  return parseReport((await run(command, [...args, 'command.mjs'], options)).stdout);
}

async function outcomeOf(runtime: Runtime, commands: ReadonlyMap<Runtime, string | Error>): Promise<Outcome> {
  let version = runtime.kind === 'browser' ? '' : runtime.package.version;
  if (isThisNode(runtime)) version = process.versions.node;
  const command = commands.get(runtime) ?? '';
  if (command instanceof Error) return { runtime, version, reports: [], missing: command.message };
  let browser: OpenBrowser | undefined;
  if (runtime.kind === 'browser') {
    try {
      browser = browsers.get(runtime.browser) ?? (await openBrowser(runtime.browser, project));
    } catch (error) {
      return { runtime, version, reports: [], missing: String(error) };
    }
    browsers.set(runtime.browser, browser);
    version = browser.version;
  }
  try {
    switch (runtime.kind) {
      case 'command':
        return { runtime, version, reports: [await reportOf(command, runtime.args)] };
      case 'workerd':
        return { runtime, version, reports: [await workerdReport(command, runtime, project)] };
      case 'browser':
        return { runtime, version, reports: (await browser?.reports(runtime.page)) ?? [] };
    }
  } catch (error) {
    return { runtime, version, reports: [], failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Counts what has passed and failed, says so, and answers the row of the table. */
function judged({ runtime, version, reports, missing, failure }: Outcome, digest: string): Row {
  const title = `${runtime.name} ${version}`;
  const row = (tick: (column: Column) => Tick): Row => ({
    name: runtime.name,
    version: shortVersion(runtime, version),
    ticks: {
      core: tick('core'),
      media: tick('media'),
      driver: tick('driver'),
      nodeCrypto: tick('nodeCrypto'),
    },
    notes: runtime.notes,
  });
  const has = (column: Column): boolean => runtime.columns.includes(column);
  if (missing !== undefined) {
    console.log(`${title}: not tested here: ${missing}`);
    if (isRequired) failed++;
    return row((column) => (has(column) ? 'untested' : 'never'));
  }
  const checks = new Map<Column, Check[]>(COLUMNS.map((column) => [column, []]));
  for (const report of reports) {
    const isMedia = ({ name }: Check): boolean => name.startsWith('media');
    checks
      .get('core')
      ?.push(...report.checks.filter((check) => !isMedia(check)), sameBytes(report.digest, digest));
    checks.get('media')?.push(...report.checks.filter(isMedia));
    checks.get('driver')?.push(...(report.driver ?? []));
    checks.get('nodeCrypto')?.push(...(report.nodeCrypto ?? []));
  }
  if (failure !== undefined) checks.get('core')?.push({ name: 'runs', milliseconds: 0, error: failure });
  const counts: string[] = [];
  for (const column of COLUMNS.filter(has)) {
    const all = checks.get(column) ?? [];
    // A runtime that ought to have answered and has not is at fault.
    if (all.length === 0) all.push({ name: column, milliseconds: 0, error: 'there is no report of it' });
    counts.push(counted(title, column, all));
  }
  console.log(`${title}: ${counts.join(', ')}`);
  return row((column) => {
    if (!has(column)) return 'never';
    const all = checks.get(column) ?? [];
    return all.length > 0 && all.every(({ error }) => error === undefined) ? 'yes' : 'no';
  });
}

/** Adds to what has passed and failed, tells of each failure, and answers how many there were. */
function counted(title: string, what: string, all: readonly Check[]): string {
  const wrong = all.filter(({ error }) => error !== undefined);
  for (const { name, error = '' } of wrong) console.log(`${title}: ${name} has FAILED: ${error}`);
  passed += all.length - wrong.length;
  failed += wrong.length;
  const time = all.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return `${what} ${String(all.length - wrong.length)}/${String(all.length)} in ${(time / 1000).toFixed(1)} s`;
}

async function checkConsumers(): Promise<void> {
  writeConsumer(project);
  for (const compiler of COMPILERS) {
    const title = `TypeScript ${compiler.version}`;
    try {
      console.log(`${title}: ${counted(title, 'declarations', await checkTypes(compiler, project))}`);
    } catch (error) {
      console.log(`${title}: not tested here: ${String(error)}`);
      if (isRequired) failed++;
    }
  }
}

function sameBytes(theirs: string, ours: string): Check {
  const name = 'the same bytes as in this Node';
  if (theirs === ours) return { name, milliseconds: 0 };
  return { name, milliseconds: 0, error: `the digest expected ${ours}, got ${theirs}` };
}

/** What a reader needs of it; workerd's is a date. */
function shortVersion(runtime: Runtime, version: string): string {
  if (runtime.kind === 'workerd') {
    return version.replace(/^\d+\.(\d{4})(\d\d)(\d\d)\..*$/, '$1-$2-$3');
  }
  const isNamedByMajor = runtime.kind === 'browser' || runtime.package.name === 'node';
  return version
    .split('.')
    .slice(0, isNamedByMajor ? 1 : 2)
    .join('.');
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? '';
}

/** The README says what has been seen, in names and ticks; versions may be another day's. */
function compareWithReadme(seen: string): void {
  const path = join(ROOT, 'README.md');
  const readme = readFileSync(path, 'utf8');
  if (values.write) {
    writeFileSync(path, withTable(readme, seen));
    console.log('\nREADME.md has this table now');
    return;
  }
  const difference = tableDifference(readme, seen);
  if (difference === undefined) return;
  failed++;
  console.log(
    `\nthe table of README.md is another: ${difference}; npm run test:runtimes -- --write writes it anew`,
  );
}
