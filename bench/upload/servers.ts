/** The servers that are uploaded to, each in a process of its own: this library's, and libdatachannel. */
import { fileURLToPath } from 'node:url';
import { startProcess, type PeerProcess } from '../../test/interop/child-process.ts';
import { fromNpm } from '../../test/interop/installed.ts';
import { startJavaScript } from '../../test/interop/javascript-peer.ts';

function startOurs(): Promise<PeerProcess> {
  // As it lies beside the bundle of bench/upload.ts.
  return startProcess(process.execPath, [fileURLToPath(new URL('./upload/ours.mjs', import.meta.url))]);
}

async function startLibdatachannel(): Promise<PeerProcess> {
  const installation = fromNpm('node-datachannel', '0.33.4');
  if (installation.missing !== undefined) throw new Error(installation.missing);
  return startJavaScript('node-datachannel', installation);
}

export const SERVERS = [
  { name: 'sansrtc', start: startOurs },
  { name: 'libdatachannel', start: startLibdatachannel },
] as const;
