/** A copy of the tree, to be made wrong and tested, while the tree itself stays as it is. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const copies = new Set();

// An interrupted run leaves none behind.
process.once('exit', () => copies.forEach(removeCopy));

/** Everything git knows or would take, and the installed packages by a link. Remove it with `removeCopy`. */
export function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
  copies.add(copy);
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of new Set(listed.split('\0').filter((file) => file !== ''))) {
    // It may be deleted in the work tree.
    if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  return copy;
}

/** Nothing is left of it. */
export function removeCopy(copy) {
  copies.delete(copy);
  rmSync(copy, { recursive: true, force: true });
}

/** Changes `file` of the copy for as long as `during` takes. */
export async function withChange(copy, file, change, during) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, change(source));
  try {
    return await during();
  } finally {
    writeFileSync(path, source);
  }
}

/**
 * Runs vitest in the copy, for at most `limit` milliseconds, with `environment` on top of this one's.
 * `failed`: the tests that fail, as `file > name: message`; a run without an end counts as one.
 * `durations`: milliseconds of each test file.
 */
export async function runTests(copy, { args, environment, limit }) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const run = await vitest(copy, [...args, '--reporter=json', `--outputFile=${report}`], environment, limit);
  if (run.isTimeout) return { failed: [`no end within ${Math.round(limit / 1000)} s`], durations: {} };
  if (!existsSync(report)) return { failed: [`no report: ${run.lastWords}`], durations: {} };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults.flatMap((result) => failuresOf(result, copy));
  // An error outside of a test, or the death of a worker whose memory is full, is in no test's result.
  if (failed.length === 0 && run.code !== 0) failed.push(`outside of a test: ${run.lastWords}`);
  const durations = Object.fromEntries(
    testResults.map(({ name, startTime, endTime }) => [name.slice(copy.length + 1), endTime - startTime]),
  );
  return { failed, durations };
}

function failuresOf({ name, status, message, assertionResults }, copy) {
  const file = name.slice(copy.length + 1);
  const failures = assertionResults
    .filter((each) => each.status === 'failed')
    .map(({ title, failureMessages }) => `${file} > ${title}: ${firstLine(failureMessages[0] ?? '')}`);
  // A file that does not load has no tests.
  return failures.length === 0 && status === 'failed' ? [`${file}: ${firstLine(message ?? '')}`] : failures;
}

function firstLine(text) {
  return text.split('\n', 1)[0].slice(0, 200);
}

/** Ends with the process and all of its workers, whatever state they are in. */
function vitest(copy, args, environment, limit) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
      cwd: copy,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let isTimeout = false;
    let lastWords = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (lastWords = (lastWords + text).slice(-2000)));
    const timer = setTimeout(() => {
      isTimeout = true;
      killGroup(child);
    }, limit);
    const stop = () => {
      killGroup(child);
      process.exit(130);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve({ code, isTimeout, lastWords: firstLine(lastWords.trim()) });
    });
  });
}

/** A worker that is caught in a loop does not hear a polite request. */
function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
