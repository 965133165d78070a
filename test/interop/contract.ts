/**
 * What a foreign peer can be asked to do, whatever it is written in and wherever it runs: the verbs of the page's peers
 * (test/browser/page-peer.ts), each answered by a promise. Pages alone answer `configure`, `candidates`, `selectedPair` and
 * `restartIce`.
 */
import type { PagePeers } from '../browser/page-peer.ts';

const VERBS = [
  'configure',
  'offer',
  'answer',
  'acceptAnswer',
  'completeDescription',
  'candidates',
  'addCandidate',
  'openChannel',
  'opened',
  'closed',
  'describe',
  'send',
  'receive',
  'drain',
  'sendBulk',
  'receiveBulk',
  'closeChannel',
  'transport',
  'selectedPair',
  'restartIce',
  'close',
] as const satisfies readonly (keyof PagePeers)[];

type Verb = (typeof VERBS)[number];

export type ForeignPeer = {
  readonly [V in Verb]: (...args: Parameters<PagePeers[V]>) => Promise<Awaited<ReturnType<PagePeers[V]>>>;
};

/** A foreign peer that is running. */
export interface RunningPeer {
  /** Who it is, with versions. */
  readonly description: string;
  readonly peer: ForeignPeer;
  stop(): Promise<void>;
}

/** The verbs, carried by whatever leads to the peer. */
export function peerOver(call: (verb: Verb, args: readonly unknown[]) => Promise<unknown>): ForeignPeer {
  const verbs = VERBS.map((verb) => [verb, (...args: readonly unknown[]) => call(verb, args)] as const);
  return Object.fromEntries(verbs) as unknown as ForeignPeer;
}
