/**
 * Where the stacks come from: those of others are installed from npm, each with its version pinned in a folder of its own outside of
 * this package's dependencies, where the next run finds it again; sansrtc is linked to a checkout that has been built. The stack's
 * file (stacks/) is copied beside what it imports.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export const CACHE = fileURLToPath(new URL('../../node_modules/.cache/bench-peers/', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Written last: a folder without it is of an installation that was cut short. */
const STAMP = 'complete';
const INSTALL_PATIENCE = 540_000;
const LOAD_PATIENCE = 20_000;

const run = promisify(execFile);

/**
 * One of PACKAGES, there and ready to be used: besides what stands there, the `folder` in which its packages are and the `url` of its
 * file. Throws with the reason why not.
 */
export async function installed(wanted) {
  const { name, version } = wanted;
  const folder = join(CACHE, `${fileName(name)}-${version}`);
  if (!existsSync(join(folder, STAMP))) {
    const start = performance.now();
    prepare(folder);
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`];
    // A string, as npm is a script of the shell's on Windows.
    await run(`npm ${args.join(' ')}`, { cwd: folder, timeout: INSTALL_PATIENCE, shell: true }).catch(fail);
    writeFileSync(join(folder, STAMP), '');
    console.error(`${name} ${version}: installed in ${Math.round((performance.now() - start) / 1000)} s`);
  }
  return loaded({ ...wanted, folder });
}

/** sansrtc as it has been built in a checkout. @param name of its column */
export async function built(wanted, directory, name) {
  const checkout = resolve(directory);
  const folder = join(CACHE, `${fileName(name)}-linked`);
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  prepare(folder);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(checkout, join(folder, 'node_modules', wanted.name), 'junction');
  const described = [version, commit(checkout)].filter(Boolean).join(' ');
  return loaded({ ...wanted, name, version: described, folder, checkout });
}

/** The checkouts to measure: this one, or those that were named, which are called by their folders. */
export function checkouts(directories) {
  if (directories.length === 0) return [{ name: 'sansrtc', directory: ROOT }];
  return directories.map((directory) => ({ name: `sansrtc in ${basename(resolve(directory))}`, directory }));
}

async function loaded(stack) {
  const file = join(stack.folder, 'stack.mjs');
  copyFileSync(join(HERE, 'stacks', stack.file), file);
  const url = pathToFileURL(file).href;
  const script = `await import(${JSON.stringify(url)}); process.exit()`;
  await run(process.execPath, ['--input-type=module', '--eval', script], { timeout: LOAD_PATIENCE }).catch(
    fail,
  );
  return { ...stack, url };
}

function prepare(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
}

function fileName(name) {
  return name.replace('@', '').replaceAll(/[^\w.-]+/g, '-');
}

/** The commit of a checkout, with a `+` when it has changed since; nothing where there is no git. */
function commit(checkout) {
  const git = (...args) =>
    execFileSync('git', args, {
      cwd: checkout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return undefined;
  }
}

function fail({ stderr, message }) {
  const [line = message] =
    /^(?:\w*Error.*|npm error code .*)$/m.exec(stderr) ?? stderr.trim().split('\n').slice(-1);
  throw new Error(line);
}
