/**
 * Candidates and pairs of a report. With an ICE restart those of before are deleted, at once, except for the pair in use and its
 * candidates: they stay until a pair of the new session is used.
 */
import type { IceCandidate, IcePairStats, IceStats, LocalCandidate } from '../../ice/index.ts';
import type { CandidateIds } from './candidate-ids.ts';
import type { RTCIceCandidatePairStats } from './candidate-pair.ts';
import { candidatePairStats } from './candidate-pair.ts';
import type { RTCIceCandidateStats, SessionNames } from './candidate.ts';
import { localCandidateStats, remoteCandidateStats } from './candidate.ts';

/** All that is not deleted, each candidate before the first pair that it is in. */
export function iceStats(
  ice: IceStats,
  ids: CandidateIds,
  timestamp: number,
): (RTCIceCandidateStats | RTCIceCandidatePairStats)[] {
  const isCurrent = (pair: IcePairStats): boolean => pair.localUsernameFragment === ice.localUsernameFragment;
  const former = new Set(ice.pairs.filter((pair) => !isCurrent(pair)).map(({ remote }) => remote));
  const candidates = new Map<string, RTCIceCandidateStats>();
  const addLocal = (candidate: LocalCandidate, session: SessionNames): string => {
    const id = ids.local(candidate, session.localUsernameFragment);
    if (!candidates.has(id)) candidates.set(id, localCandidateStats(id, candidate, session, timestamp));
    return id;
  };
  const addRemote = (candidate: IceCandidate, session: SessionNames): string => {
    const id = ids.remote(candidate);
    if (!candidates.has(id)) candidates.set(id, remoteCandidateStats(id, candidate, session, timestamp));
    return id;
  };
  for (const candidate of ice.localCandidates) addLocal(candidate, ice);
  for (const candidate of ice.remoteCandidates) if (!former.has(candidate)) addRemote(candidate, ice);
  const pairs = ice.pairs
    .filter((pair) => isCurrent(pair) || pair.id === ice.pairInUse)
    .map((pair) =>
      candidatePairStats(
        pair,
        { local: addLocal(pair.local, pair), remote: addRemote(pair.remote, pair) },
        timestamp,
      ),
    );
  return [...candidates.values(), ...pairs];
}
