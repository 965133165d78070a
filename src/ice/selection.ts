/**
 * Selection: which pair is used. Validity, nomination and selection (RFC 8445 §8), and the role they depend on.
 *
 *     controlling: valid ──best, or patience over──▶ nominating (check with USE-CANDIDATE) ──answered──▶ selected
 *     controlled:  USE-CANDIDATE from the peer, and valid ──▶ nominated ──first, better, or the other is silent──▶ selected
 *     lite:        USE-CANDIDATE makes the pair valid and nominated at once
 *     the peer has moved to another address: following.ts
 *     both lite:   the pair of the highest priority, without a check
 */
import type { OrdinaryChecks } from './checklist.ts';
import { cancelCheck } from './checks.ts';
import type { Generation } from './generation.ts';
import type { Pair, Transaction } from './pair.ts';
import { comparePriority } from './priority.ts';
import type { IceRole } from './role.ts';
import { isUpgradable, upgradePath } from './upgrade.ts';

/**
 * Which ordinary checks are still wanted: once the controlling agent has selected, those alone that may lead to a pair worth
 * another nomination, and once ICE is restarted it is the new generation's task to find one, unless the old one has found none
 * at all.
 */
export function ordinaryChecks(generation: Generation): OrdinaryChecks {
  const { selected, active, role, stage } = generation;
  if (stage === 'retired' || (stage === 'superseded' && active !== undefined)) return 'none';
  if (selected === undefined) return 'all';
  return role === 'controlled' || isUpgradable(generation, selected) ? selected : 'none';
}

/** A pair works. */
export function markValid(generation: Generation, pair: Pair): void {
  if (pair.valid) return;
  pair.valid = true;
  pair.state = 'succeeded';
  const { host } = generation;
  if (generation.firstValidAt === Infinity) generation.firstValidAt = host.now;
  host.events.push({ type: 'pairvalid', pair: pair.snapshot() });
}

/**
 * A check went without an answer, or was refused. The selected pair is left to consent; one that has answered another
 * check since stays valid, and is nominated once more if it is still the best.
 */
export function checkFailed(generation: Generation, { pair, sentAt }: Transaction): void {
  if (pair.check !== undefined) return;
  if (pair === generation.nominating) generation.nominating = undefined;
  if (pair === generation.selected || pair.answeredAt > sentAt) return;
  pair.valid = false;
  pair.state = 'failed';
}

/** Our check with USE-CANDIDATE has been answered. */
export function nominationConfirmed(generation: Generation, pair: Pair): void {
  pair.nominated = true;
  generation.nominating = undefined;
  select(generation, pair);
}

/**
 * The peer nominates a valid pair. Peers with regular nomination do so once; browsers put USE-CANDIDATE on every first
 * check (RFC 5245's aggressive way), then use the best pair, and another one once that has gone silent. With renomination the
 * greatest value counts and nothing else. Where we have moved on our own the peer's word is waited for.
 * @param nomination its value, 0 for USE-CANDIDATE alone
 */
export function nominatedByPeer(generation: Generation, pair: Pair, nomination: number): void {
  pair.nominateOnSuccess = undefined;
  if (nomination < generation.nomination) {
    generation.host.counters.add('stale-nomination');
    return;
  }
  pair.nominated = true;
  if (!isToBeFollowed(generation, pair, nomination)) return;
  generation.nomination = nomination;
  select(generation, pair);
  generation.isPeersChoice = true;
}

function isToBeFollowed(
  { selected, isPeersChoice, nomination: latest, host }: Generation,
  pair: Pair,
  nomination: number,
): boolean {
  if (selected === undefined || !isPeersChoice || nomination > latest) return true;
  if (nomination > 0) return false;
  const isSilent = host.now - selected.heardAt > host.settings.disconnectedTimeout;
  return comparePriority(pair.priority, selected.priority) > 0 || isSilent;
}

/**
 * Regular nomination (§8.1.1): the best valid pair, once no better one is open or patience has run out. Later: a better one.
 * @returns when to look again, `Infinity` if there is nothing to wait for.
 */
export function nominateBest(generation: Generation): number {
  const { role, remote, host, checklist } = generation;
  if (role !== 'controlling' || host.isLite || remote === undefined) return Infinity;
  if (generation.nominating !== undefined) return Infinity;
  if (generation.selected !== undefined) return upgradePath(generation, generation.selected);
  const best = checklist.bestValid();
  if (best === undefined) return Infinity;
  const patienceEnds = generation.firstValidAt + host.settings.nominationDelay;
  if (host.now < patienceEnds && checklist.hasOpenAbove(best)) return patienceEnds;
  generation.nominating = best;
  checklist.trigger(best);
  return Infinity;
}

/** The peer is to be reached over `pair`, and over the selected one no more (following.ts). */
export function moveTo(generation: Generation, pair: Pair): void {
  if (generation.role === 'controlling' && !generation.host.isLite) {
    generation.nominating = pair;
    generation.checklist.trigger(pair);
    return;
  }
  markValid(generation, pair);
  pair.nominated = true;
  select(generation, pair);
  // A lite agent moves where the peer checks; a full one where it can.
  generation.isPeersChoice = generation.host.isLite;
}

/** The selected pair is gone: the best of those that have answered lately takes its place, the others have to prove themselves. */
export function selectAnother(generation: Generation): void {
  const { checklist } = generation;
  if (!generation.host.isLite) {
    for (const pair of checklist.pairs) {
      if (!pair.valid || generation.hasConsent(pair)) continue;
      pair.valid = false;
      pair.state = 'waiting';
    }
  }
  const best = checklist.bestValid();
  if (best === undefined) return;
  moveTo(generation, best);
  // A controlled agent cannot nominate; its check says that it is here, and is no longer there.
  if (!generation.host.isLite) checklist.trigger(best);
}

/**
 * Two lite agents: nobody checks, each side takes the pair of the highest priority (§8.2.2). The peer may know more of our
 * candidates, or fewer, and take another one: what comes over any pair is as good.
 */
export function selectBetweenLites(generation: Generation): void {
  const { host, checklist, isRemoteLite } = generation;
  if (!host.isLite || !isRemoteLite) return;
  const [best] = checklist.pairs;
  if (best === undefined) return;
  for (const pair of checklist.pairs) markValid(generation, pair);
  best.nominated = true;
  select(generation, best);
}

/** Priorities depend on the role (§7.3.1.1), and what the other role had nominated or awaited is void. */
export function switchRole(generation: Generation, role: IceRole): void {
  if (role === generation.role) return;
  generation.role = role;
  generation.nominating = undefined;
  generation.nomination = 0;
  for (const pair of generation.checklist.pairs) {
    pair.nominateOnSuccess = undefined;
    pair.nomination = 0;
    pair.prioritize(role);
  }
  generation.checklist.sort();
}

/** Checks that cannot lead to a better pair end here (§8.1.2). */
function select(generation: Generation, pair: Pair): void {
  if (pair === generation.selected) return;
  generation.selected = pair;
  generation.selectedAt = generation.host.now;
  generation.host.events.push({ type: 'selectedpairchange', pair: pair.snapshot() });
  const isOpen = ordinaryChecks(generation) === pair;
  for (const other of generation.checklist.pairs) {
    const mayBeBetter = isOpen && comparePriority(other.priority, pair.priority) > 0;
    if (other !== pair && !mayBeBetter) cancelCheck(generation, other);
  }
}
