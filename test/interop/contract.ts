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

/** What a peer has received and could make use of. */
export interface Played {
  /** Frames, or packets of audio. */
  readonly audio: number;
  readonly video: number;
  /** What came, and was not what had been sent. */
  readonly problems: readonly string[];
  /** How often a keyframe of what it publishes was asked for, if it can tell. */
  readonly keyframeRequests?: number;
  /** Packets of each layer of `publishLayers`, by its place in the list. */
  readonly layers?: Readonly<Record<string, number>>;
  /** How often another layer came, and not with a keyframe first. */
  readonly abruptSwitches?: number;
}

/** Verbs of peers with media, which have a verb of their own where a page has many. */
interface MediaVerbs {
  /** Before its offer or answer: one track of each kind goes to the other end. */
  publish(name: string): void;
  /** Before its offer: one video goes to the other end as these encodings at once, each of the same size here. pion v4's alone. */
  publishLayers(name: string, rids: readonly string[]): void;
  /** Before its offer or answer: one of each kind is to come. */
  watch(name: string): void;
  played(name: string): Played;
}

const MEDIA_VERBS = [
  'publish',
  'publishLayers',
  'watch',
  'played',
] as const satisfies readonly (keyof MediaVerbs)[];

type Verbs = Pick<PagePeers, (typeof VERBS)[number]> & MediaVerbs;
type Verb = keyof Verbs;

export type ForeignPeer = {
  readonly [V in Verb]: (...args: Parameters<Verbs[V]>) => Promise<Awaited<ReturnType<Verbs[V]>>>;
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
  const verbs = [...VERBS, ...MEDIA_VERBS].map(
    (verb) => [verb, (...args: readonly unknown[]) => call(verb, args)] as const,
  );
  return Object.fromEntries(verbs) as unknown as ForeignPeer;
}
