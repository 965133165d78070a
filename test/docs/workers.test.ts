/** docs/guides/workers.md: offers go to the workers in turn, and each serves its own. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unpacked } from './guide-files.ts';

test('four connections, two workers', async () => {
  const folder = await unpacked('docs/guides/workers.md');
  const printed = execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' });
  expect(printed).toBe('worker 0: a\nworker 1: b\nworker 0: c\nworker 1: d\n');
});
