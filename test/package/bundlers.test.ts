/**
 * docs/guides/runtimes-and-bundlers.md in a project that has installed the packed package: CommonJS, and what bundlers make of it. Two peers
 * talk in each bundle, so what was left out as unused would be missed.
 */
import { build as esbuild } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build as vite } from 'vite';
import { filesOf } from '../docs/guide-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = filesOf('docs/guides/getting-started.md').get('two-peers.mjs') ?? '';
let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sansrtc-bundlers-'));
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', home], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(answer) as [{ filename: string }];
  mkdirSync(join(home, 'node_modules/sansrtc'), { recursive: true });
  execFileSync('tar', ['-xzf', filename, '-C', 'node_modules/sansrtc', '--strip-components=1'], {
    cwd: home,
  });
  writeFileSync(join(home, 'package.json'), '{ "name": "fresh", "type": "commonjs" }');
  writeFileSync(join(home, 'main.mjs'), PROGRAM);
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

/** Runs a file where the package is not to be found, so that it must be in the bundle. */
function runs(file: string): void {
  const alone = mkdtempSync(join(tmpdir(), 'sansrtc-bundle-'));
  try {
    execFileSync('cp', [file, alone]);
    const name = join(alone, file.slice(file.lastIndexOf('/') + 1));
    expect(execFileSync(process.execPath, [name], { encoding: 'utf8' })).toContain('bob  message hello');
  } finally {
    rmSync(alone, { recursive: true, force: true });
  }
}

test('CommonJS: require, and import() beside it', () => {
  const file = join(home, 'main.cjs');
  writeFileSync(file, filesOf('docs/guides/runtimes-and-bundlers.md').get('main.cjs') ?? '');
  expect(execFileSync(process.execPath, [file], { encoding: 'utf8' })).toBe('1 true\n');
});

test.each([
  ['esm', 'neutral', 'out.mjs'],
  ['cjs', 'node', 'out.cjs'],
] as const)('esbuild, %s for %s', async (format, platform, name) => {
  const outfile = join(home, name);
  const { warnings } = await esbuild({
    entryPoints: [join(home, 'main.mjs')],
    bundle: true,
    format,
    platform,
    outfile,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  runs(outfile);
});

test('Vite, and the bundler inside', async () => {
  await vite({
    root: home,
    configFile: false,
    logLevel: 'silent',
    build: {
      outDir: join(home, 'vite'),
      lib: { entry: join(home, 'main.mjs'), formats: ['es'], fileName: () => 'out.mjs' },
    },
  });
  runs(join(home, 'vite/out.mjs'));
});
