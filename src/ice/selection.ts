/**
 * Which pair is used: validity, nomination and selection (RFC 8445 §8), and the role they depend on.
 *
 *     controlling: valid ──best, or patience over──▶ nominating (check with USE-CANDIDATE) ──answered──▶ selected
 *     controlled:  USE-CANDIDATE from the peer, and valid ──▶ nominated ──first, better, or the other is silent──▶ selected
 *     lite:        USE-CANDIDATE makes the pair valid and nominated at once
 *     the peer has moved to another address: following.ts
 *     both lite:   the pair of the highest priority, without a check
 */
import type { Appetite, Checklist } from './checklist.ts';
import type { Checks } from './checks.ts';
import type { Pair } from './pair.ts';
import { comparePriority } from './priority.ts';
import type { IceRole } from './role.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transactions.ts';

export class Selection {
  /** The nominated pair in use. */
  selected: Pair | undefined;
  /** Controlling: the valid pair whose check with USE-CANDIDATE is queued or under way. */
  nominating: Pair | undefined;
  readonly #session: Session;
  readonly #checklist: Checklist;
  readonly #checks: Checks;
  #firstValidAt = Infinity;

  constructor(session: Session, checklist: Checklist, checks: Checks) {
    this.#session = session;
    this.#checklist = checklist;
    this.#checks = checks;
  }

  /** Which pairs are still worth a check of our own accord. */
  get appetite(): Appetite {
    if (this.selected === undefined) return 'all';
    return this.#session.role === 'controlling' ? 'none' : this.selected;
  }

  markValid(pair: Pair): void {
    if (pair.valid) return;
    pair.valid = true;
    pair.state = 'succeeded';
    if (this.#firstValidAt === Infinity) this.#firstValidAt = this.#session.now;
    this.#session.events.push({ type: 'pairvalid', pair: pair.snapshot() });
  }

  /**
   * A check went without an answer, or was refused. The selected pair is left to consent; one that has answered another
   * check since stays valid, and is nominated once more if it is still the best.
   */
  checkFailed({ pair, sentAt }: Transaction): void {
    if (pair.check !== undefined) return;
    if (pair === this.nominating) this.nominating = undefined;
    if (pair === this.selected || pair.answeredAt > sentAt) return;
    pair.valid = false;
    pair.state = 'failed';
  }

  /** Our check with USE-CANDIDATE has been answered. */
  confirmed(pair: Pair): void {
    pair.nominated = true;
    this.nominating = undefined;
    this.#select(pair);
  }

  /**
   * The peer nominates a valid pair. Peers with regular nomination do so once; browsers put USE-CANDIDATE on every first
   * check (RFC 5245's aggressive way), then use the best pair, and another one once that has gone silent.
   */
  nominatedByPeer(pair: Pair): void {
    const { now, settings } = this.#session;
    pair.nominated = true;
    pair.nominateOnSuccess = false;
    const { selected } = this;
    const isBetter =
      selected === undefined ||
      comparePriority(pair.priority, selected.priority) > 0 ||
      now - selected.heardAt > settings.disconnectedTimeout;
    if (isBetter) this.#select(pair);
  }

  /**
   * Regular nomination (§8.1.1): the best valid pair, once no better one is open or patience has run out.
   * @returns when to look again, `Infinity` if there is nothing to wait for.
   */
  plan(): number {
    const { role, settings, now, remote, isLite } = this.#session;
    if (role !== 'controlling' || isLite || remote === undefined) return Infinity;
    if (this.selected !== undefined || this.nominating !== undefined) return Infinity;
    const best = this.#checklist.bestValid();
    if (best === undefined) return Infinity;
    const patienceEnds = this.#firstValidAt + settings.nominationDelay;
    if (now < patienceEnds && this.#checklist.hasOpenAbove(best)) return patienceEnds;
    this.nominating = best;
    this.#checklist.trigger(best);
    return Infinity;
  }

  /** The peer is to be reached over `pair`, and over the selected one no more (following.ts). */
  moveTo(pair: Pair): void {
    if (this.#session.role === 'controlling' && !this.#session.isLite) {
      this.nominating = pair;
      this.#checklist.trigger(pair);
      return;
    }
    this.markValid(pair);
    pair.nominated = true;
    this.#select(pair);
  }

  /**
   * Two lite agents: nobody checks, each side takes the pair of the highest priority (§8.2.2). The peer may know more of our
   * candidates, or fewer, and take another one: what comes over any pair is as good.
   */
  selectBetweenLites(): void {
    if (!this.#session.isLite || !this.#session.isRemoteLite) return;
    const [best] = this.#checklist.pairs;
    if (best === undefined) return;
    for (const pair of this.#checklist.pairs) this.markValid(pair);
    best.nominated = true;
    this.#select(best);
  }

  /** Priorities depend on the role (§7.3.1.1), and what the other role had nominated or awaited is void. */
  switchRole(role: IceRole): void {
    if (role === this.#session.role) return;
    this.#session.role = role;
    this.nominating = undefined;
    for (const pair of this.#checklist.pairs) {
      pair.nominateOnSuccess = false;
      pair.prioritize(role);
    }
    this.#checklist.sort();
  }

  /** A lite agent may have been nominated a pair by another session, before the description that says which is ours. */
  forgetDropped(): void {
    const { selected } = this;
    if (selected !== undefined && !this.#checklist.pairs.includes(selected)) this.selected = undefined;
  }

  /** Checks that cannot lead to a better pair end here (§8.1.2). */
  #select(pair: Pair): void {
    if (pair === this.selected) return;
    this.selected = pair;
    this.#session.events.push({ type: 'selectedpairchange', pair: pair.snapshot() });
    for (const other of this.#checklist.pairs) {
      const mayBeBetter =
        this.#session.role === 'controlled' && comparePriority(other.priority, pair.priority) > 0;
      if (other !== pair && !mayBeBetter) this.#checks.cancel(other);
    }
  }
}
