/**
 * Our own checks: which pair next, at what pace, and again until answered (RFC 8445 §6.1.4, §14).
 *
 *     pace ──▶ next pair of the checklist ──▶ check sent ──▶ answered: the agent takes it from there
 *                                               │  ▲ retransmitted
 *                                               └──┴──▶ unanswered: `retransmitDue` hands it out
 */
import { randomBytes } from '../core/random.ts';
import { wireCopy } from '../core/slab.ts';
import { TRANSACTION_ID_LENGTH } from '../stun/index.ts';
import type { Appetite, Checklist } from './checklist.ts';
import type { Credentials, Session } from './session.ts';
import { writeCheck } from './messages.ts';
import type { Pair } from './pair.ts';
import { peerReflexivePriority } from './priority.ts';
import type { CheckPurpose, Transaction } from './transactions.ts';
import { Transactions } from './transactions.ts';
import { Unanswered } from './unanswered.ts';

export class Checks {
  readonly transactions: Transactions;
  readonly #session: Session;
  readonly #checklist: Checklist;
  readonly #unanswered: Unanswered;
  #nextCheckAt = -Infinity;

  constructor(session: Session, checklist: Checklist) {
    this.#session = session;
    this.#checklist = checklist;
    this.transactions = new Transactions(session.settings);
    this.#unanswered = new Unanswered(session, checklist);
  }

  /**
   * Sends the next check if Ta has passed since the last one.
   * @param nominating the pair whose check carries USE-CANDIDATE
   * @returns when the next check may be sent, `Infinity` if there is none to send.
   */
  pace(remote: Credentials, appetite: Appetite, nominating: Pair | undefined): number {
    const { now, settings } = this.#session;
    const pair = this.#checklist.next(appetite);
    if (pair === undefined) return Infinity;
    if (now < this.#nextCheckAt) return this.#nextCheckAt;
    // It would be dropped: better later than in vain.
    if (this.#session.isFull) return now + settings.checkInterval;
    this.#checklist.taken(pair);
    if (!this.#unanswered.maySend(pair)) {
      pair.state = 'failed';
      return this.pace(remote, appetite, nominating);
    }
    this.#send(remote, pair, pair === nominating ? 'nomination' : 'check');
    this.#nextCheckAt = now + settings.checkInterval;
    return this.#checklist.next(appetite) === undefined ? Infinity : this.#nextCheckAt;
  }

  /**
   * RFC 7675 §5.1: a fresh transaction, sent once. Consent has a schedule of its own, apart from the pace.
   * @param nominate carry USE-CANDIDATE
   */
  sendConsentCheck(remote: Credentials, pair: Pair, nominate: boolean): void {
    this.#send(remote, pair, 'consent', nominate);
  }

  /** Sends again what is due. @returns the checks that have gone without an answer */
  retransmitDue(): Transaction[] {
    const { now, counters } = this.#session;
    const unanswered: Transaction[] = [];
    const due = this.transactions.takeDue(now, ({ pair }) => this.#unanswered.maySend(pair));
    for (const { transaction, outcome } of due) {
      if (outcome === 'expired') {
        const isCurrent = transaction.pair.check === transaction;
        this.finish(transaction);
        if (!transaction.settled || isCurrent) unanswered.push(transaction);
      } else {
        transaction.pair.sends++;
        counters.add('check-retransmitted');
        this.#session.transmit(transaction.pair.path, wireCopy(transaction.data));
      }
    }
    return unanswered;
  }

  /**
   * A check came from the peer over a pair that does not work yet: check it next (RFC 8445 §7.3.1.4). A check of ours
   * that was sent a moment ago stays: its answer is probably under way, and browsers send theirs in bursts.
   */
  trigger(pair: Pair): void {
    const { now, settings } = this.#session;
    const { check } = pair;
    if (check !== undefined) {
      const latestSentAt = check.deadline - check.interval;
      if (now - latestSentAt < settings.retransmitTimeout) return;
      this.cancel(pair);
    }
    if (!pair.valid) pair.state = 'waiting';
    this.#checklist.trigger(pair);
  }

  /** Stops sending the pair's check; an answer to it still counts. */
  cancel(pair: Pair): void {
    if (pair.check === undefined) return;
    this.transactions.cancel(pair.check, this.#session.now);
    pair.check = undefined;
    if (!pair.valid) pair.state = 'waiting';
  }

  /** The check has been answered. */
  finish(transaction: Transaction): void {
    this.transactions.remove(transaction);
    if (transaction.pair.check === transaction) transaction.pair.check = undefined;
  }

  /** The pair is gone: its answers are not awaited any more. */
  forget(pair: Pair): void {
    this.transactions.removePair(pair);
    pair.check = undefined;
  }

  #send(
    remote: Credentials,
    pair: Pair,
    purpose: CheckPurpose,
    nominate: boolean = purpose === 'nomination',
  ): void {
    const { now, settings, random, role, tieBreaker, local, counters } = this.#session;
    const id = randomBytes(random, TRANSACTION_ID_LENGTH);
    const data = writeCheck(
      {
        transactionId: id,
        receiver: remote.usernameFragment,
        sender: local.usernameFragment,
        role,
        tieBreaker,
        priority: peerReflexivePriority(pair.local.priority),
        nominate,
      },
      remote.key,
    );
    const isConsent = purpose === 'consent';
    const interval = isConsent ? settings.consentTimeout : this.#retransmitTimeout();
    const transaction: Transaction = {
      id,
      pair,
      purpose,
      role,
      data,
      sentAt: now,
      transmissions: 1,
      interval,
      deadline: now + interval,
      settled: isConsent,
    };
    if (!isConsent) {
      this.cancel(pair);
      pair.check = transaction;
      if (!pair.valid) pair.state = 'in-progress';
    }
    const givenUp = this.transactions.add(transaction);
    if (givenUp !== undefined) this.#giveUp(givenUp);
    pair.sends++;
    counters.add(isConsent ? 'consent-sent' : 'check-sent');
    this.#session.transmit(pair.path, wireCopy(data));
  }

  /** RFC 8445 §14.3: never faster than all open checks together keep the pace Ta. */
  #retransmitTimeout(): number {
    const { checkInterval, retransmitTimeout, maxRetransmitTimeout } = this.#session.settings;
    const paced = Math.min(checkInterval * this.#checklist.openCount(), maxRetransmitTimeout);
    return Math.max(retransmitTimeout, paced);
  }

  #giveUp(transaction: Transaction): void {
    this.#session.counters.add('transaction-limit');
    const { pair } = transaction;
    if (pair.check !== transaction) return;
    pair.check = undefined;
    if (!pair.valid) pair.state = 'failed';
  }
}
