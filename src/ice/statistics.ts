/**
 * Statistics of an agent: what `IceAgent.stats()` tells, which W3C's webrtc-stats are made of. Numbers only grow while their
 * pair lives; a pair that is dropped takes its own along.
 */
import type { IceCandidate, LocalCandidate } from './candidate.ts';
import type { Generation } from './generation.ts';
import type { Generations } from './generations.ts';
import type { IceState } from './host.ts';
import type { CandidatePair, Pair, PairTraffic } from './pair.ts';
import type { IceRole } from './role.ts';

/** One pair, with the candidates of both sides. `local` is a `LocalCandidate`: more than the peer is told. */
export interface IcePairStats extends CandidatePair, PairTraffic {
  /** Unique among all pairs of an agent, over restarts too. */
  readonly id: number;
  readonly local: LocalCandidate;
  /** Of the session that it belongs to. */
  readonly localUsernameFragment: string;
  readonly remoteUsernameFragment?: string | undefined;
}

/** Everything that is counted, as plain data. */
export interface IceStats {
  readonly state: IceState;
  readonly role: IceRole;
  readonly localUsernameFragment: string;
  readonly remoteUsernameFragment?: string | undefined;
  readonly localCandidates: readonly LocalCandidate[];
  /** The peer's of the current generation, then those of the one before that pairs still use. */
  readonly remoteCandidates: readonly IceCandidate[];
  /** Of the current generation, highest priority first; then of the one before. */
  readonly pairs: readonly IcePairStats[];
  /** `IcePairStats.id` of the pair that data is sent on. */
  readonly pairInUse?: number | undefined;
  /** How often that has become another one, or none; 1 after the first. */
  readonly pairChanges: number;
}

/** The statistics of both generations. */
export function statistics(generations: Generations, state: IceState): IceStats {
  const { current, previous, inUse } = generations;
  const { host, role } = current;
  const old = previous?.checklist.pairs ?? [];
  const remotes = new Set<IceCandidate>([...current.remotes.all, ...old.map((pair) => pair.remote)]);
  return {
    state,
    role,
    ...usernameFragments(current),
    localCandidates: host.locals.used,
    remoteCandidates: [...remotes],
    pairs: [...pairStats(current), ...(previous === undefined ? [] : pairStats(previous))],
    ...(inUse.active === undefined ? {} : { pairInUse: inUse.active.id }),
    pairChanges: generations.pairChanges,
  };
}

function pairStats(generation: Generation): IcePairStats[] {
  return generation.checklist.pairs.map((pair: Pair) => ({
    id: pair.id,
    ...pair.snapshot(),
    local: pair.local,
    ...usernameFragments(generation),
    ...pair.traffic,
  }));
}

function usernameFragments({
  local,
  remote,
}: Pick<Generation, 'local' | 'remote'>): Pick<
  IcePairStats,
  'localUsernameFragment' | 'remoteUsernameFragment'
> {
  return {
    localUsernameFragment: local.usernameFragment,
    ...(remote === undefined ? {} : { remoteUsernameFragment: remote.usernameFragment }),
  };
}
