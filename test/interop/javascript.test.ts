/** Two stacks of Node: libdatachannel behind node-datachannel, and werift. npm brings them, into folders of their own. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describeForeign } from './availability.ts';
import type { PeerProcess } from './child-process.ts';
import { startProcess } from './child-process.ts';
import type { Installation } from './installed.ts';
import { fromNpm } from './installed.ts';
import { describeTrials } from './trials.ts';

/** The newest werift that this Node may run: from 0.25 on it wants 22. */
const WERIFT = Number(process.versions.node.split('.')[0]) >= 22 ? '0.25.2' : '0.24.4';

/** Bundles the program beside the package that it stands on, and starts it. */
async function start(name: string, { folder = '' }: Installation): Promise<PeerProcess> {
  const outfile = join(folder, 'peer.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL(`./javascript/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return startProcess(process.execPath, [outfile]);
}

function describeStack(name: string, installation: Installation, sendsEmpty: boolean): void {
  describeForeign(name, installation.missing, () => {
    describeTrials({ name, start: () => start(name, installation), sendsEmpty });
  });
}

describeStack('node-datachannel', fromNpm('node-datachannel', '0.33.4'), true);
// It counts an empty message of its own and sends no chunk for it.
describeStack('werift', fromNpm('werift', WERIFT), false);
