/** A JavaScript stack's peer: the page's peers (test/browser/page-peer.ts) over its `RTCPeerConnection`, by JSON lines. */
import { createInterface } from 'node:readline';
import { installPagePeer } from '../../browser/page-peer.ts';

interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

type Verb = (...args: readonly unknown[]) => unknown;

/** `PeerConnection`: a class whose constructor needs no argument, and that tells the end of gathering by a null candidate. */
export function serve(name: string, PeerConnection: unknown): void {
  Object.assign(globalThis, { RTCPeerConnection: PeerConnection });
  installPagePeer();
  // These stacks do not say what DTLS has agreed on, or not as W3C has it.
  const verbs: Record<string, Verb> = {
    ...(globalThis.peers as unknown as Record<string, Verb>),
    transport: () => ({}),
  };
  const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const { id, method, args } = JSON.parse(line) as Request;
      Promise.resolve()
        .then(() => verbs[method]?.(...args))
        .then(
          (result) => say({ id, result: result ?? null }),
          (error: unknown) => say({ id, error: String(error) }),
        );
    })
    .on('close', () => process.exit());
  say({ ready: `${name}, node ${process.versions.node}` });
}
