/**
 * Following a peer whose address has changed: a NAT gave it another port, or it moved to another network. Its checks come
 * over another pair than the one in use, and the one in use has gone silent.
 *
 *   checks over another pair ──▶ doubt: is the one in use still there? ──heard──▶ it stays
 *                                          │ silent
 *                                          ▼
 *                                controlling: nominate the other pair      controlled, lite: use it
 *
 * A full agent asks: it checks the pair in use at once, and one that does not answer for `switchDelay` is silent. A lite
 * agent cannot ask. It waits until nothing has come over the pair in use for `switchSilence`, longer if the peer does not
 * say which pair it uses (USE-CANDIDATE): replaying an old check from elsewhere diverts nothing from a peer that checks on.
 *
 * RFC 8445 knows no such change without a restart; RFC 7675 would end the connection, though the peer is there.
 */
import { triggerCheck } from './checks.ts';
import type { Generation } from './generation.ts';
import type { Pair } from './pair.ts';
import { moveTo } from './selection.ts';

/** Two checks of one peer on one pair are further apart; a first round of checks over all pairs is not. Milliseconds. */
const LEAST_CHECK_INTERVAL = 2000;

/** Without USE-CANDIDATE: consent checks are 4 to 6 s apart (RFC 7675 §5.1), and `switchSilence` by default 4 s. */
const UNSAID = 1.75;

/** Moves to where the peer is. @returns when to look again, `Infinity` if there is nothing to wait for. */
export function followPeer(generation: Generation): number {
  const { selected, nominating, host } = generation;
  const other = selected === undefined ? undefined : latestHeard(generation, selected);
  if (selected === undefined || other === undefined || other === nominating) {
    generation.doubtedSince = Infinity;
    return Infinity;
  }
  if (generation.doubtedSince === Infinity) {
    generation.doubtedSince = host.now;
    if (!host.isLite) triggerCheck(generation, selected);
  }
  const silentAt = whenSilent(generation, selected, other);
  if (host.now < silentAt) return silentAt;
  generation.doubtedSince = Infinity;
  moveTo(generation, other);
  return Infinity;
}

/** When the selected pair counts as silent, if nothing comes over it until then. */
function whenSilent({ host, doubtedSince }: Generation, selected: Pair, other: Pair): number {
  const { isLite, settings } = host;
  if (isLite) return selected.heardAt + settings.switchSilence * (other.isSaidInUse ? 1 : UNSAID);
  return doubtedSince + Math.max(settings.switchDelay, 2 * (selected.roundTripTime ?? 0));
}

/** The pair that the peer has checked since it was last heard over the selected one, and that can be used. */
function latestHeard(generation: Generation, selected: Pair): Pair | undefined {
  let latest: Pair | undefined;
  for (const pair of generation.checklist.pairs) {
    if (pair === selected || pair.requestedAt <= (latest ?? selected).requestedAt) continue;
    if (isRival(generation, pair, selected)) latest = pair;
  }
  return latest;
}

function isRival(generation: Generation, pair: Pair, selected: Pair): boolean {
  if (generation.host.isLite) {
    return !generation.isRemoteLite && pair.requestedAt - selected.heardAt >= LEAST_CHECK_INTERVAL;
  }
  return pair.valid && generation.hasConsent(pair) && pair.requestedAt > selected.heardAt;
}
