/**
 * Files that a guide has its reader paste: blocks with a name in a comment in front of them, `<!-- alone file: server.mjs -->`. They are
 * written to a folder of their own, where `sansrtc` is what the sources say, and run as the reader runs them.
 */
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FILE = /<!-- (?:alone )?file: (\S+)[^>]*-->\n+```[a-z]+\n([\s\S]*?)^```$/gm;

/** By name, in the order of the document. */
export function filesOf(document: string): Map<string, string> {
  const text = readFileSync(join(root, document), 'utf8');
  return new Map([...text.matchAll(FILE)].map(([, name = '', code = '']) => [name, code]));
}

/** Every entry point of the package, as a file of the sources. */
function entryPoints(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : [
          [
            `sansrtc${path.slice(1)}`,
            join(root, target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')),
          ],
        ],
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/**
 * Writes a guide's files to a folder, its programs bundled from the sources, so that no build is needed.
 * @returns the folder; it goes when this process ends
 */
export async function unpacked(document: string, edit = (code: string): string => code): Promise<string> {
  const pasted = mkdtempSync(join(tmpdir(), 'sansrtc-pasted-'));
  const folder = mkdtempSync(join(tmpdir(), 'sansrtc-guide-'));
  process.once('exit', () => {
    for (const path of [pasted, folder]) rmSync(path, { recursive: true, force: true });
  });
  const programs: string[] = [];
  for (const [name, code] of filesOf(document)) {
    const isProgram = name.endsWith('.mjs');
    const file = join(isProgram ? pasted : folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, isProgram ? edit(code) : code);
    if (isProgram) programs.push(file);
  }
  await build({
    entryPoints: programs,
    outbase: pasted,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    nodePaths: [join(root, 'node_modules')],
    alias: entryPoints(),
  });
  return folder;
}
