/**
 * Upgrade: a controlling agent that has selected a pair takes a better one found later.
 *
 *     relayed ──▶ direct over TCP ──▶ direct over UDP, and among the same a round trip of less than half
 *
 *     the peer has renomination   the better pair is nominated, with a greater value (draft-thatcher-ice-renomination)
 *     it has not                  RFC 8445 §8.1.1 leaves one nomination: a restart is asked for, if that is wanted
 *
 * A round trip is compared at its worst with the other at its best, over the latest three of each, so that no single one
 * decides, and a pair that has been left is not gone back to at once.
 */
import type { Generation } from './generation.ts';
import type { Pair } from './pair.ts';
import { KEPT_ROUND_TRIPS } from './pair.ts';

/** Round trips that differ by less do not matter. Milliseconds. */
const LEAST_GAIN = 20;

/** True while a pair may turn out to be so much better than the selected one that its check is worth while. */
export function isUpgradable(generation: Generation, selected: Pair): boolean {
  return mayUpgrade(generation) && rank(selected) < DIRECT;
}

/** Nominates a better pair, or asks for a restart. @returns when to look again, `Infinity` if there is nothing to wait for */
export function upgradePath(generation: Generation, selected: Pair): number {
  if (!mayUpgrade(generation)) return Infinity;
  const better = betterPair(generation, selected);
  if (better === undefined) return Infinity;
  const { host } = generation;
  if (!generation.mayRenominate) {
    if (!generation.restartWanted) host.events.push({ type: 'restartwanted', pair: better.snapshot() });
    generation.restartWanted = true;
    return Infinity;
  }
  const since = rank(better) > rank(selected) ? generation.leftAt : generation.selectedAt;
  const at = since + host.settings.renominationInterval;
  if (host.now < at) return at;
  generation.nominating = better;
  generation.checklist.trigger(better);
  return Infinity;
}

function mayUpgrade({ host, stage, mayRenominate, remote, role }: Generation): boolean {
  if (stage !== 'current' || remote === undefined || host.isLite || role !== 'controlling') return false;
  return host.pathUpgrade !== 'none' && (mayRenominate || host.pathUpgrade === 'restart');
}

function betterPair(generation: Generation, selected: Pair): Pair | undefined {
  let best: Pair | undefined;
  for (const pair of generation.checklist.pairs) {
    if (pair === selected || !pair.valid || !generation.hasConsent(pair)) continue;
    if (isBetter(pair, best ?? selected)) best = pair;
  }
  return best;
}

function isBetter(pair: Pair, than: Pair): boolean {
  const gain = rank(pair) - rank(than);
  if (gain !== 0) return gain > 0;
  const [ours, theirs] = [pair.roundTrips, than.roundTrips];
  if (ours.length < KEPT_ROUND_TRIPS || theirs.length < KEPT_ROUND_TRIPS) return false;
  const worst = Math.max(...ours);
  const leastOfTheirs = Math.min(...theirs);
  return 2 * worst < leastOfTheirs && leastOfTheirs - worst >= LEAST_GAIN;
}

const DIRECT = 2;

/** By the way that datagrams go: 0 over a relay, 1 directly over TCP, 2 directly over UDP. */
function rank({ local, remote, path }: Pair): number {
  if (local.type === 'relay' || remote.type === 'relay') return 0;
  return path.protocol === 'tcp' ? 1 : DIRECT;
}
