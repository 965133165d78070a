/**
 * Bound on what is sent to whoever has never answered: a description, or a spoofed check, names addresses whose owners have
 * not asked for anything (RFC 8445 §19.4.1, §19.5.1).
 *
 *   named by a description   `maxTransmissions` checks; where there are more than `maxUnansweredDestinations` of them, fewer
 *   known from checks alone  two for each of these: with the answer less than three times what came
 *
 * An answer lifts the bound from its pair, and over a TCP connection that the peer has made there is none. The count of
 * candidates is no bound in its place, for the one that works, a relayed one, often comes last.
 */
import type { Generation } from './generation.ts';
import type { Pair } from './pair.ts';

/** With one, a single lost datagram would rule a candidate out. */
const LEAST_SENDS = 2;

/** Checks for each authentic request from there. */
const SENDS_PER_REQUEST = 2;

/** Whether one more check may go over `pair`; if not, it is counted. */
export function maySendTo(generation: Generation, pair: Pair): boolean {
  if (generation.hasConsent(pair) || pair.local.tcpType === 'passive') return true;
  const ownAccord = pair.isSignalled ? sendsEach(generation) : 0;
  if (pair.sends < ownAccord + SENDS_PER_REQUEST * pair.requests) return true;
  generation.host.counters.add('unanswered-limit');
  return false;
}

/** How many checks each destination gets that has not answered. */
function sendsEach(generation: Generation): number {
  const { maxTransmissions, maxUnansweredDestinations } = generation.host.settings;
  let destinations = 0;
  for (const pair of generation.checklist.pairs)
    if (pair.isSignalled && !generation.hasConsent(pair)) destinations++;
  const share = Math.floor((maxTransmissions * maxUnansweredDestinations) / Math.max(1, destinations));
  return Math.min(maxTransmissions, Math.max(LEAST_SENDS, share));
}
