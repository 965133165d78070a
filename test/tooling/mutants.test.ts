/** The deliberate faults of scripts/mutants.mjs still fit the code: a fault that finds no place would prove nothing. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('each mutant finds what it replaces exactly once', () => {
  const script = new URL('../../scripts/mutants.mjs', import.meta.url).pathname;
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
});
