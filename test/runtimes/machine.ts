/** What the machine is asked for: child processes with deadlines, packages from npm that the next run finds again, a user's project. */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Package } from './runtimes.ts';

/** npm runs scripts in the root of the package. */
export const ROOT: string = process.cwd();

/** Beside the packages of the lock file, which cannot hold these: not every platform's variant is in every registry. */
const CACHE = join(ROOT, 'node_modules/.runtimes');
/** Written last: a folder without it is of an installation that was cut short. */
const STAMP = 'complete';

const INSTALL_WITHIN = 180_000;
/** How often a long step says that it goes on, ms. */
const SAY_EVERY = 5000;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Rejects, with the end of what it said, when it fails or takes too long: it is killed then. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, within }: { readonly cwd: string; readonly within: number },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      stderr += `\nnot within ${String(within / 1000)} s`;
      child.kill('SIGKILL');
    }, within);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout, stderr });
      else reject(new Error(`${command} ${args.join(' ')}: ${`${stdout}${stderr}`.trim().slice(-1500)}`));
    });
  });
}

/** Does something that may take long, and says so: what it is at first, how long at the end. */
export async function patiently<T>(what: string, doing: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const timer = setInterval(() => console.log(`${what}: ${seconds()} …`), SAY_EVERY);
  try {
    const result = await doing();
    console.log(`${what}: ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** The command of a package, which is installed unless an earlier run has done so. */
export async function commandOf({ name, version, command: binary = name }: Package): Promise<string> {
  const folder = join(CACHE, `${name}-${version}`);
  const command = join(folder, 'node_modules/.bin', binary);
  if (existsSync(join(folder, STAMP))) return command;
  await patiently(`installing ${name} ${version}`, async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--fetch-retries=1'];
    await run('npm', [...args, `${name}@${version}`], { cwd: folder, within: INSTALL_WITHIN });
    writeFileSync(join(folder, STAMP), '');
  });
  return command;
}

/** A project somewhere else that has installed the package as it is packed, with the programs of this folder in it. */
export async function makeProject(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sansrtc-runtimes-'));
  const limits = { within: INSTALL_WITHIN };
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, ...limits });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack has made nothing');
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // The package depends on nothing, so nothing has to be fetched.
  const args = ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`];
  await run('npm', args, { cwd: folder, ...limits });
  const programs = join(ROOT, 'test/runtimes/programs');
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(folder, name));
  return folder;
}
