/** What authenticated but hostile input costs, counted in steps of the engine: bench/hostile.ts, of the dearest chunks. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';

it('A6: a skip, a FORWARD TSN, a reset cost what they end, not what is held: ten times the state, the same steps', () => {
  const bundle = buildSync({
    entryPoints: [fileURLToPath(new URL('../../bench/hostile.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  });
  // A process of its own: the engine counts in functions that are compiled while it counts.
  const names = ['FORWARD far', 'FORWARD unordered', 'RE-CONFIG one stream'];
  const run = spawnSync(process.execPath, ['--input-type=module', '-', ...names], {
    input: bundle.outputFiles[0]?.text ?? '',
    encoding: 'utf8',
  });
  expect(run.stdout).toMatch(/3 rows, 0 too dear/);
  expect(run.status).toBe(0);
});
