/** Pairing: pairs come and go with the candidates of both sides (RFC 8445 §6.1.2). */
import type { TransportAddress } from '../core/address.ts';
import type { IceCandidate, LocalCandidate, RemoteIceCandidate } from './candidate.ts';
import { canPair, isMdnsName, judgeRemoteCandidate, oppositeDirection, peerReflexive } from './candidate.ts';
import { isForeign } from './candidates.ts';
import { forgetChecks } from './checks.ts';
import type { Generation } from './generation.ts';
import { Pair } from './pair.ts';
import { selectAnother } from './selection.ts';

/** Pairs all remote candidates with our own, where they are not paired yet. */
export function pairAll(generation: Generation): void {
  for (const remote of generation.remotes.all) pairUpWithAll(generation, remote);
}

/** A signalled candidate; what cannot be used is counted. */
export function addRemoteCandidate(generation: Generation, candidate: IceCandidate): void {
  const judged = judgeRemoteCandidate(candidate);
  if (typeof judged === 'string') generation.host.counters.add(judged);
  else if (isMdnsName(judged.address)) keepName(generation, judged);
  else addAddress(generation, judged);
}

/**
 * The host has resolved a name: its candidates have the addresses that it says, and are judged as if the peer had told them.
 * @returns false: nothing waits for it
 */
export function resolveCandidates(
  generation: Generation,
  name: string,
  addresses: readonly string[],
): boolean {
  const { names, host } = generation;
  const candidates = names.resolved(name.toLowerCase());
  if (candidates.length === 0) return false;
  const { maxAddressesPerName } = host.settings;
  const taken = addresses.slice(0, maxAddressesPerName);
  if (addresses.length === 0) host.counters.add('name-unresolved');
  host.counters.add('name-address-limit', addresses.length - taken.length);
  for (const address of taken) {
    for (const candidate of candidates) {
      const judged = judgeRemoteCandidate({ ...candidate, address });
      if (typeof judged === 'string' || isMdnsName(judged.address)) host.counters.add('candidate-unusable');
      else addAddress(generation, named(judged, candidate.address));
    }
  }
  return true;
}

function named(candidate: IceCandidate, name: string): RemoteIceCandidate {
  return { ...candidate, resolvedFrom: name };
}

/** A candidate that has a name in place of an address. A lite agent checks nobody, and from a relay no such name is reached. */
function keepName(generation: Generation, candidate: IceCandidate): void {
  const { host, remotes, remote, names } = generation;
  if (host.isLite || host.policy === 'relay') {
    host.counters.add('candidate-mdns');
  } else if (isForeign(candidate, remote?.usernameFragment)) {
    host.counters.add('candidate-foreign');
  } else if (remotes.all.length + names.size >= host.settings.maxRemoteCandidates) {
    host.counters.add('candidate-limit');
  } else {
    const refusal = names.keep(candidate);
    if (refusal !== undefined) host.counters.add(refusal);
  }
}

function addAddress(generation: Generation, candidate: IceCandidate): void {
  const { host, remotes, remote, checklist } = generation;
  if (!host.remoteFilter.accepts(candidate)) {
    host.counters.add('candidate-filtered');
    return;
  }
  const addition = remotes.signalled(candidate, remote?.usernameFragment);
  switch (addition.outcome) {
    case 'refused':
      host.counters.add(addition.reason);
      break;
    case 'added':
      if (!host.locals.tries(addition.candidate)) host.counters.add('candidate-not-tried');
      pairUpWithAll(generation, addition.candidate);
      break;
    case 'replaced':
      // The pairs keep their state: what worked under the peer-reflexive candidate works under its signalled name.
      for (const pair of pairsOf(generation, addition.old)) {
        pair.remote = addition.candidate;
        pair.isSignalled = host.locals.tries(addition.candidate);
        pair.prioritize(generation.role);
      }
      checklist.sort();
      break;
  }
}

/**
 * The peer's description has come: what belongs to another session goes, and two lite agents form their pairs. A lite agent
 * may have been nominated a pair by that other session.
 */
export function dropForeignCandidates(generation: Generation, usernameFragment: string): void {
  const { host, remotes, names } = generation;
  host.counters.add(
    'candidate-foreign',
    names.dropForeign((candidate) => isForeign(candidate, usernameFragment)),
  );
  for (const foreign of remotes.dropForeign(usernameFragment)) {
    host.counters.add('candidate-foreign');
    dropPairsOf(generation, foreign);
  }
  if (host.isLite) pairAll(generation);
}

/**
 * Candidates of our own are gone: pairs on a base that has none left go with them. If the selected one does, another one that
 * works takes its place at once; those that have not answered lately are checked anew.
 */
export function dropRemovedLocals(generation: Generation): void {
  const { host, checklist, selected } = generation;
  for (const pair of [...checklist.pairs]) {
    const { source, protocol } = pair.path;
    const successor = host.locals.atBase(source, protocol);
    if (successor === undefined) {
      dropPair(generation, pair);
    } else if (pair.local.type !== 'prflx' && !host.locals.all.includes(pair.local)) {
      pair.local = successor;
      pair.prioritize(generation.role);
    }
  }
  checklist.sort();
  if (generation.selected !== selected && generation.stage !== 'retired') selectAnother(generation);
}

/**
 * The pair of an authenticated request from an address that forms none yet (RFC 8445 §7.3.1.3).
 * @param priority the request's PRIORITY @param sender its sender's username fragment
 * @returns `undefined` at a limit, or if the filter does not let it pass; counted.
 */
export function discoverPair(
  generation: Generation,
  local: LocalCandidate,
  source: TransportAddress,
  priority: number,
  sender: string,
): Pair | undefined {
  const { remotes, host } = generation;
  const { protocol } = local;
  let remote = remotes.at(source, protocol);
  if (remote === undefined) {
    const tcpType = oppositeDirection(local);
    remote = { ...peerReflexive(source, protocol, priority, tcpType), usernameFragment: sender };
    if (!host.remoteFilter.accepts(remote)) {
      host.counters.add('candidate-filtered');
      return undefined;
    }
    const addition = remotes.discovered(
      remote,
      (old) => !pairsOf(generation, old).some((pair) => pair.valid),
    );
    if (addition.outcome === 'refused') {
      host.counters.add('candidate-limit');
      return undefined;
    }
    if (addition.outcome === 'added' && addition.evicted !== undefined) {
      host.counters.add('candidate-limit');
      dropPairsOf(generation, addition.evicted);
    }
  }
  return addPair(generation, local, remote, true);
}

function pairUpWithAll(generation: Generation, remote: IceCandidate): void {
  const { locals } = generation.host;
  if (!locals.tries(remote)) return;
  for (const local of locals.bases) pairUp(generation, local, remote);
}

/** Lite agents check nothing, so they need the pairs of signalled candidates only when both are lite (RFC 8445 §6.2). */
function pairUp(generation: Generation, local: LocalCandidate, remote: IceCandidate): void {
  if (generation.host.isLite && !generation.isRemoteLite) return;
  if (!canPair(local, remote)) return;
  if (generation.checklist.find(local.base, remote, local.protocol) !== undefined) return;
  addPair(generation, local, remote, false);
}

function addPair(
  generation: Generation,
  local: LocalCandidate,
  remote: IceCandidate,
  authenticated: boolean,
): Pair | undefined {
  const { checklist, host, role } = generation;
  const pair = new Pair(host.takePairId(), local, remote, role);
  pair.authenticated = authenticated;
  const dropped = checklist.add(pair);
  pair.isSignalled = host.locals.tries(remote);
  if (dropped === undefined) return pair;
  host.counters.add('pair-limit');
  forgetChecks(generation, dropped);
  return dropped === pair ? undefined : pair;
}

function pairsOf({ checklist }: Generation, remote: IceCandidate): Pair[] {
  return checklist.pairs.filter((pair) => pair.remote === remote);
}

function dropPairsOf(generation: Generation, remote: IceCandidate): void {
  for (const pair of pairsOf(generation, remote)) dropPair(generation, pair);
}

function dropPair(generation: Generation, pair: Pair): void {
  generation.checklist.remove(pair);
  forgetChecks(generation, pair);
  if (generation.nominating === pair) generation.nominating = undefined;
  if (generation.selected === pair) generation.selected = undefined;
}
