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
import type { Checklist } from './checklist.ts';
import type { Checks } from './checks.ts';
import type { Pair } from './pair.ts';
import type { Selection } from './selection.ts';
import type { Session } from './session.ts';

/** Two checks of one peer on one pair are further apart; a first round of checks over all pairs is not. Milliseconds. */
const LEAST_CHECK_INTERVAL = 2000;

/** Without USE-CANDIDATE: consent checks are 4 to 6 s apart (RFC 7675 §5.1), and `switchSilence` by default 4 s. */
const UNSAID = 1.75;

export class Following {
  readonly #session: Session;
  readonly #checklist: Checklist;
  readonly #checks: Checks;
  readonly #selection: Selection;
  /** Since when the pair in use is asked whether it is still there; `Infinity`: it is not. */
  #doubtedSince = Infinity;

  constructor(session: Session, checklist: Checklist, checks: Checks, selection: Selection) {
    this.#session = session;
    this.#checklist = checklist;
    this.#checks = checks;
    this.#selection = selection;
  }

  /** Moves to where the peer is. @returns when to look again, `Infinity` if there is nothing to wait for. */
  plan(): number {
    const { selected, nominating } = this.#selection;
    const other = selected === undefined ? undefined : this.#latestHeard(selected);
    if (selected === undefined || other === undefined || other === nominating) {
      this.#doubtedSince = Infinity;
      return Infinity;
    }
    const { now } = this.#session;
    if (this.#doubtedSince === Infinity) this.#doubt(selected);
    const silentAt = this.#silentAt(selected, other);
    if (now < silentAt) return silentAt;
    this.#doubtedSince = Infinity;
    this.#selection.moveTo(other);
    return Infinity;
  }

  #doubt(selected: Pair): void {
    this.#doubtedSince = this.#session.now;
    if (!this.#session.isLite) this.#checks.trigger(selected);
  }

  #silentAt(selected: Pair, other: Pair): number {
    const { isLite, settings } = this.#session;
    if (isLite) return selected.heardAt + settings.switchSilence * (other.nominated ? 1 : UNSAID);
    return this.#doubtedSince + Math.max(settings.switchDelay, 2 * (selected.roundTripTime ?? 0));
  }

  /** The pair that the peer has checked since it was last heard over the selected one, and that can be used. */
  #latestHeard(selected: Pair): Pair | undefined {
    let latest: Pair | undefined;
    for (const pair of this.#checklist.pairs) {
      if (pair === selected || pair.requestedAt <= (latest ?? selected).requestedAt) continue;
      if (this.#isRival(pair, selected)) latest = pair;
    }
    return latest;
  }

  #isRival(pair: Pair, selected: Pair): boolean {
    const { isLite, isRemoteLite, now, settings } = this.#session;
    if (isLite) return !isRemoteLite && pair.requestedAt - selected.heardAt >= LEAST_CHECK_INTERVAL;
    const hasConsent = pair.valid && now - pair.answeredAt < settings.consentTimeout;
    return hasConsent && pair.requestedAt > selected.heardAt;
  }
}
