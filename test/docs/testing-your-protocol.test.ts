/**
 * docs/guides/testing-your-protocol.md: its tests pass under Node's own runner, and find the bug that the guide puts in. Under vitest and Jest
 * they are run in test/package/test-runners.test.ts, in a project of their own.
 */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { unpacked } from './guide-files.ts';

/** Runs the guide's test file, `walk.mjs` being edited. */
async function run(edit: (code: string) => string): Promise<{ status: number | null; stdout: string }> {
  const folder = await unpacked('docs/guides/testing-your-protocol.md', (code) =>
    edit(code.replace("from 'vitest'", "from 'node:test'")),
  );
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  delete env.NODE_OPTIONS;
  return spawnSync(process.execPath, ['--test', 'walk.test.mjs'], { cwd: folder, encoding: 'utf8', env });
}

test('they pass', async () => {
  const { status, stdout } = await run((code) => code);
  expect(stdout).toMatch(/^# pass 6$/m);
  expect(status, stdout).toBe(0);
});

test('without its guard the protocol is caught, in one line that is the way back', async () => {
  const { status, stdout } = await run((code) => code.replace(/^.*overtaken: without.*$/m, ''));
  expect(status).toBe(1);
  expect(stdout).toMatch(/cut anywhere: walk, seed \d+, only: \{.*"fault":"swap"\}: seen walking back: /);
  expect(stdout).toMatch(/seen walking back: [\d ]+ \(examples: \[\[.*\]\], seed \d+\)/);
});
