/**
 * How much may be sent to whoever has never answered: a description, or a spoofed check, names addresses whose owners have
 * not asked for anything (RFC 8445 §19.4.1, §19.5.1).
 *
 *   named by a description   `maxTransmissions` checks; where there are more than `maxUnansweredDestinations` of them, fewer
 *   known from checks alone  two for each of these: with the answer less than three times what came
 *
 * An answer lifts the bound from its pair, and over TCP there is none: the peer has made the connection. The count of
 * candidates is no bound in its place, for the one that works, a relayed one, often comes last.
 */
import type { Checklist } from './checklist.ts';
import type { Pair } from './pair.ts';
import type { Session } from './session.ts';

/** With one, a single lost datagram would rule a candidate out. */
const LEAST_SENDS = 2;

/** Checks for each authentic request from there. */
const SENDS_PER_REQUEST = 2;

export class Unanswered {
  readonly #session: Session;
  readonly #checklist: Checklist;

  constructor(session: Session, checklist: Checklist) {
    this.#session = session;
    this.#checklist = checklist;
  }

  /** Whether one more check may go over `pair`; if not, it is counted. */
  maySend(pair: Pair): boolean {
    if (this.#hasAnswered(pair) || pair.path.protocol === 'tcp') return true;
    const ownAccord = pair.isSignalled ? this.#sendsEach() : 0;
    if (pair.sends < ownAccord + SENDS_PER_REQUEST * pair.requests) return true;
    this.#session.counters.add('unanswered-limit');
    return false;
  }

  #sendsEach(): number {
    const { maxTransmissions, maxUnansweredDestinations } = this.#session.settings;
    let destinations = 0;
    for (const pair of this.#checklist.pairs)
      if (pair.isSignalled && !this.#hasAnswered(pair)) destinations++;
    const share = Math.floor((maxTransmissions * maxUnansweredDestinations) / Math.max(1, destinations));
    return Math.min(maxTransmissions, Math.max(LEAST_SENDS, share));
  }

  /** Lately: an address may have another owner by now, as consent takes for granted (RFC 7675 §5.1). */
  #hasAnswered(pair: Pair): boolean {
    return this.#session.now - pair.answeredAt < this.#session.settings.consentTimeout;
  }
}
