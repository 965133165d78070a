/** The peer of a JavaScript stack (javascript/) as a process: bundled beside the package that it stands on, and started. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startProcess, type PeerProcess } from './child-process.ts';
import type { Installation } from './installed.ts';

/** From the root, which is two folders up for a bundle of this file as well. */
const PROGRAMS = fileURLToPath(new URL('../../test/interop/javascript/', import.meta.url));

/** @param name the program's, without `.ts`. Rejects when it cannot be bundled or started. */
export async function startJavaScript(name: string, { folder = '' }: Installation): Promise<PeerProcess> {
  const outfile = join(folder, 'peer.mjs');
  await build({
    entryPoints: [join(PROGRAMS, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return startProcess(process.execPath, [outfile]);
}
