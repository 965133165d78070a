/**
 * docs/guides/testing-your-protocol.md in a fresh project: the packed package, Jest from npm, and the guide's files as they are pasted, under
 * each of the test runners that the guide names.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf } from '../docs/guide-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = filesOf('docs/guides/testing-your-protocol.md');
/** What npm says where there is no registry to be reached. */
const NO_NETWORK = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT)\b/;

let home: string;
/** Why Jest could not be installed, if it is the network's fault. */
let unreachable: string | undefined;

function run(command: string, args: string[], options = ''): { status: number | null; output: string } {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: options };
  delete env.VITEST;
  delete env.NODE_TEST_CONTEXT;
  delete env.SEED;
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: home, encoding: 'utf8', env });
  return { status, output: stdout + stderr };
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sansrtc-runners-'));
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', home], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(answer) as [{ filename: string }];
  run('npm', ['init', '-y']);
  run('npm', ['pkg', 'set', 'type=module']);
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
  const installed = run('npm', [
    'install',
    ...quiet,
    join(home, filename),
    'jest@30',
    '@jest/globals@30',
    'fast-check@4',
  ]);
  if (installed.status !== 0) {
    unreachable = NO_NETWORK.exec(installed.output)?.[0];
    if (unreachable === undefined) throw new Error(installed.output);
  } else {
    symlinkSync(join(root, 'node_modules/vitest'), join(home, 'node_modules/vitest'));
  }
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

function paste(runner: string): void {
  for (const [name, code] of files) {
    writeFileSync(join(home, name), code.replace("from 'vitest'", `from '${runner}'`));
  }
}

test('Jest', (context) => {
  if (unreachable !== undefined) context.skip(`npm cannot install Jest: ${unreachable}`);
  paste('@jest/globals');
  const { status, output } = run(
    join(home, 'node_modules/.bin/jest'),
    ['--config', 'jest.config.json'],
    '--experimental-vm-modules',
  );
  expect(output).toMatch(/^Tests: +6 passed, 6 total$/m);
  expect(status).toBe(0);
});

test('Jest without the flag says what the guide says', (context) => {
  if (unreachable !== undefined) context.skip(`npm cannot install Jest: ${unreachable}`);
  paste('@jest/globals');
  const { status, output } = run(join(home, 'node_modules/.bin/jest'), ['--config', 'jest.config.json']);
  expect(status).toBe(1);
  expect(output).toContain('Must use import to load ES Module');
});

test("Node's own runner", (context) => {
  if (unreachable !== undefined) context.skip(`npm cannot install fast-check: ${unreachable}`);
  paste('node:test');
  const { status, output } = run(process.execPath, ['--test']);
  expect(output).toMatch(/^(#|ℹ) pass 6$/m);
  expect(status).toBe(0);
});

test('vitest', (context) => {
  if (unreachable !== undefined) context.skip(`npm cannot install fast-check: ${unreachable}`);
  paste('vitest');
  const { status, output } = run(process.execPath, [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--root',
    home,
    '--testTimeout=120000',
    '--reporter=verbose',
  ]);
  expect(output).toMatch(/Tests .*6 passed/);
  expect(status).toBe(0);
});
