/** Inspection: what `IceAgent.inspect()` shows, plain and JSON-safe, without secrets. */
import type { Failure } from '../core/errors.ts';
import type { IceCandidate } from './candidate.ts';
import type { ConsentSnapshot } from './consent.ts';
import type { Generation, GenerationStage, IceTimer } from './generation.ts';
import type { IceCounter, IceState } from './host.ts';
import type { CandidatePair } from './pair.ts';
import type { IceRole } from './role.ts';

/** Why an agent is over, failed or closed, and since when. */
export interface IceEnd {
  readonly reason: Failure;
  readonly at: number;
}

/** One generation: credentials without passwords, the peer's candidates, pairs, timers. */
export interface GenerationInspection {
  readonly role: IceRole;
  readonly remoteLite: boolean;
  readonly localUsernameFragment: string;
  readonly remoteUsernameFragment?: string;
  readonly remoteCandidates: readonly IceCandidate[];
  readonly endOfRemoteCandidates: boolean;
  /** Highest priority first. */
  readonly pairs: readonly CandidatePair[];
  readonly selectedPair?: CandidatePair;
  readonly consent?: ConsentSnapshot;
  /** Armed timers with their deadlines. */
  readonly timers: Readonly<Partial<Record<IceTimer, number>>>;
}

/** An agent with its current generation. */
export interface IceInspection extends GenerationInspection {
  readonly state: IceState;
  readonly lite: boolean;
  readonly localCandidates: readonly IceCandidate[];
  readonly queues: {
    readonly transmits: number;
    readonly events: number;
    readonly triggeredChecks: number;
    readonly transactions: number;
  };
  readonly counters: Readonly<Record<IceCounter, number>>;
  /** During a restart, and for `restartOverlap` after it. */
  readonly previous?: PreviousInspection;
  readonly end?: IceEnd;
}

/** The generation of before a restart. */
export interface PreviousInspection extends GenerationInspection {
  readonly stage: GenerationStage;
}

/** The generation of before a restart as plain data. */
export function inspectPrevious(generation: Generation): PreviousInspection {
  return { stage: generation.stage, ...generationView(generation) };
}

/** The current generation as plain data, with the sizes of its queues. */
export function inspectGeneration(
  generation: Generation,
): GenerationInspection & { readonly triggeredChecks: number; readonly transactions: number } {
  const { checklist, transactions } = generation;
  return {
    ...generationView(generation),
    triggeredChecks: checklist.triggeredCount,
    transactions: transactions.size,
  };
}

function generationView(generation: Generation): GenerationInspection {
  const { role, local, remote, remotes, checklist, selected, consent, timers } = generation;
  return {
    role,
    remoteLite: generation.isRemoteLite,
    localUsernameFragment: local.usernameFragment,
    ...(remote === undefined ? {} : { remoteUsernameFragment: remote.usernameFragment }),
    remoteCandidates: [...remotes.all],
    endOfRemoteCandidates: generation.remoteEnded,
    pairs: checklist.pairs.map((pair) => pair.snapshot()),
    ...(selected === undefined ? {} : { selectedPair: selected.snapshot() }),
    ...(consent === undefined ? {} : { consent: consent.snapshot() }),
    timers: timers.armed(),
  };
}
