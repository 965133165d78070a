/** The library as a process of its own, for a network namespace: the verbs as JSON lines. It binds the
 * addresses in its arguments, over UDP and TCP. */
import { createInterface } from 'node:readline';
import { Host } from '../../browser/host.ts';
import type { ForeignPeer } from '../contract.ts';
import { SansrtcPeers } from '../sansrtc-peers.ts';

interface Request {
  readonly id: number;
  readonly method: keyof ForeignPeer;
  readonly args: readonly never[];
}

const host = await Host.listen({ addresses: process.argv.slice(2), maxFurtherSockets: 0, tcp: {} });
const { peer } = new SansrtcPeers(host);

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function answer({ id, method, args }: Request): Promise<void> {
  try {
    say({ id, result: await (peer[method] as (...all: never[]) => Promise<unknown>)(...args) });
  } catch (error) {
    say({ id, error: String(error) });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => void answer(JSON.parse(line) as Request))
  .on('close', () => process.exit());
say({ ready: `sansrtc, Node ${process.versions.node}` });
