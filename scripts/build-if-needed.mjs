/* global setInterval, clearInterval */
/** Builds the package if its files are older than its sources, and says so while it does: `node scripts/build-if-needed.mjs`. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
/** The last that a build writes, of each of its steps. */
const BUILT = ['dist/index.js', 'dist/index.d.ts', 'dist/browser/sansrtc.js'];
const CONFIGURATION = [
  'package.json',
  'package-lock.json',
  'tsup.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
];
/** Lines of progress, ms apart, where there is no terminal to write over. */
const EVERY = 5000;

function newestSource() {
  const sources = readdirSync(`${root}src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
  const all = [...sources, ...CONFIGURATION.map((name) => `${root}${name}`)];
  return Math.max(...all.filter((path) => existsSync(path)).map((path) => statSync(path).mtimeMs));
}

function isFresh() {
  const built = BUILT.map((name) => `${root}${name}`);
  if (!built.every((path) => existsSync(path))) return false;
  return Math.min(...built.map((path) => statSync(path).mtimeMs)) >= newestSource();
}

function build() {
  const started = performance.now();
  const elapsed = () => `${Math.round((performance.now() - started) / 1000)} s`;
  const isTerminal = process.stderr.isTTY === true;
  process.stderr.write('building the package, about 20 s, once for each change of the sources\n');
  const ticking = setInterval(
    () => process.stderr.write(isTerminal ? `\rbuilding … ${elapsed()}` : `building … ${elapsed()}\n`),
    isTerminal ? 1000 : EVERY,
  );
  const npm = spawn('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  return new Promise((resolve) => {
    npm.once('error', () => resolve(1));
    npm.once('exit', (code) => {
      clearInterval(ticking);
      if (code === 0) process.stderr.write(`${isTerminal ? '\r' : ''}built in ${elapsed()}\n`);
      resolve(code ?? 1);
    });
  });
}

if (!isFresh()) process.exitCode = await build();
