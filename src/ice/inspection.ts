/** What `IceAgent.inspect()` shows: plain, JSON-safe data, no secrets. */
import type { Failure } from '../core/errors.ts';
import type { IceCandidate } from './candidate.ts';
import type { IceTimer } from './agent.ts';
import type { ConsentSnapshot } from './consent.ts';
import type { CandidatePair } from './pair.ts';
import type { IceRole } from './role.ts';
import type { IceCounter, IceState } from './session.ts';

export interface IceInspection {
  readonly state: IceState;
  readonly role: IceRole;
  readonly lite: boolean;
  readonly remoteLite: boolean;
  readonly localUsernameFragment: string;
  readonly remoteUsernameFragment?: string;
  readonly localCandidates: readonly IceCandidate[];
  readonly remoteCandidates: readonly IceCandidate[];
  readonly endOfRemoteCandidates: boolean;
  /** Highest priority first. */
  readonly pairs: readonly CandidatePair[];
  readonly selectedPair?: CandidatePair;
  readonly consent?: ConsentSnapshot;
  /** Armed timers with their deadlines. */
  readonly timers: Readonly<Partial<Record<IceTimer, number>>>;
  readonly queues: {
    readonly transmits: number;
    readonly events: number;
    readonly triggeredChecks: number;
    readonly transactions: number;
  };
  readonly counters: Readonly<Record<IceCounter, number>>;
  /** Why it is over, failed or closed, and since when. */
  readonly end?: { readonly reason: Failure; readonly at: number } | undefined;
}
