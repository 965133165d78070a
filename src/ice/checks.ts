/**
 * Checks of ours: which pair next, at what pace, and again until answered (RFC 8445 §6.1.4, §14).
 *
 *     pace ──▶ next pair of the checklist ──▶ check sent ──▶ answered: responses.ts takes it from there
 *                                               │  ▲ retransmitted
 *                                               └──┴──▶ unanswered: `retransmitDue` hands it out
 */
import { randomBytes } from '../core/random.ts';
import { wireCopy } from '../core/slab.ts';
import { TRANSACTION_ID_LENGTH } from '../stun/index.ts';
import type { OrdinaryChecks } from './checklist.ts';
import type { Credentials, Generation } from './generation.ts';
import { writeCheck } from './messages.ts';
import type { CheckPurpose, Pair, Transaction } from './pair.ts';
import { peerReflexivePriority } from './priority.ts';
import { maySendTo } from './unanswered.ts';

/**
 * Sends the next check if its time has come: Ta after the last one, 5 ms if it is a triggered one. A nomination is triggered by the
 * answer that made its pair valid, so that a connect costs round trips and not ticks.
 * @returns when the next check may be sent, `Infinity` if there is none to send.
 */
export function sendNextCheck(generation: Generation, remote: Credentials, ordinary: OrdinaryChecks): number {
  const { host, checklist } = generation;
  const { now, settings } = host;
  let pair = checklist.next(ordinary);
  if (pair === undefined) return Infinity;
  const isTriggered = checklist.triggeredCount > 0;
  const at = host.mayCheckAt(isTriggered);
  if (now < at) return at;
  // It would be dropped: better later than in vain.
  if (host.isFull) return now + settings.checkInterval;
  while (pair !== undefined) {
    checklist.taken(pair);
    if (maySendTo(generation, pair)) break;
    pair.state = 'failed';
    pair = checklist.next(ordinary);
  }
  if (pair === undefined) return Infinity;
  send(generation, remote, pair, pair === generation.nominating ? 'nomination' : 'check');
  host.checkLeaves(isTriggered);
  return checklist.next(ordinary) === undefined ? Infinity : host.mayCheckAt(checklist.triggeredCount > 0);
}

/**
 * RFC 7675 §5.1: a fresh transaction, sent once. Consent has a schedule of its own, apart from the pace.
 * @param nominate carry USE-CANDIDATE
 */
export function sendConsentCheck(
  generation: Generation,
  remote: Credentials,
  pair: Pair,
  nominate: boolean,
): void {
  send(generation, remote, pair, 'consent', nominate);
}

/** Sends again what is due. @returns the checks that have gone without an answer */
export function retransmitDue(generation: Generation): Transaction[] {
  const { host, transactions } = generation;
  const unanswered: Transaction[] = [];
  const due = transactions.takeDue(host.now, ({ pair }) => maySendTo(generation, pair));
  for (const { transaction, outcome } of due) {
    if (outcome === 'expired') {
      const isCurrent = transaction.pair.check === transaction;
      finishCheck(generation, transaction);
      if (transaction.retransmits || isCurrent) unanswered.push(transaction);
    } else {
      transaction.pair.sends++;
      host.counters.add('check-retransmitted');
      host.transmit(transaction.pair.path, wireCopy(transaction.data));
    }
  }
  return unanswered;
}

/**
 * A check came from the peer over a pair that does not work yet: check it next (RFC 8445 §7.3.1.4). A check of ours
 * that was sent a moment ago stays: its answer is probably under way, and browsers send theirs in bursts.
 */
export function triggerCheck(generation: Generation, pair: Pair): void {
  const { now, settings } = generation.host;
  const { check } = pair;
  if (check !== undefined) {
    const latestSentAt = check.deadline - check.interval;
    if (now - latestSentAt < settings.retransmitTimeout) return;
    cancelCheck(generation, pair);
  }
  if (!pair.valid) pair.state = 'waiting';
  generation.checklist.trigger(pair);
}

/** Stops sending the pair's check; an answer to it still counts. */
export function cancelCheck(generation: Generation, pair: Pair): void {
  if (pair.check === undefined) return;
  generation.transactions.cancel(pair.check, generation.host.now);
  pair.check = undefined;
  if (!pair.valid) pair.state = 'waiting';
}

/** The check has been answered, or is over. */
export function finishCheck({ transactions }: Generation, transaction: Transaction): void {
  transactions.remove(transaction);
  if (transaction.pair.check === transaction) transaction.pair.check = undefined;
}

/** The pair is gone: its answers are not awaited any more. */
export function forgetChecks({ transactions }: Generation, pair: Pair): void {
  transactions.removePair(pair);
  pair.check = undefined;
}

function send(
  generation: Generation,
  remote: Credentials,
  pair: Pair,
  purpose: CheckPurpose,
  nominate: boolean = purpose === 'nomination',
): void {
  const { host, role, tieBreaker, local, transactions } = generation;
  const { now, settings, random, counters } = host;
  if (purpose === 'nomination' && generation.mayRenominate) pair.nomination = ++generation.nomination;
  const id = randomBytes(random, TRANSACTION_ID_LENGTH);
  const data = writeCheck(
    {
      transactionId: id,
      receiver: remote.usernameFragment,
      sender: local.usernameFragment,
      role,
      tieBreaker,
      priority: peerReflexivePriority(pair.local.priority, pair.path.protocol),
      nominate,
      nomination: pair.nomination,
    },
    remote.key,
  );
  const isConsent = purpose === 'consent';
  const isSentOnce = isConsent || pair.path.protocol === 'tcp';
  const interval = isSentOnce ? settings.consentTimeout : retransmitTimeout(generation);
  const transaction: Transaction = {
    id,
    pair,
    purpose,
    role,
    data,
    sentAt: now,
    transmissions: 1,
    maxTransmissions: isSentOnce ? 1 : settings.maxTransmissions,
    interval,
    deadline: now + interval,
    retransmits: !isConsent,
  };
  if (!isConsent) {
    cancelCheck(generation, pair);
    pair.check = transaction;
    if (!pair.valid) pair.state = 'in-progress';
  }
  const givenUp = transactions.add(transaction);
  if (givenUp !== undefined) giveUp(generation, givenUp);
  pair.sends++;
  pair.checkedAt = now;
  if (isConsent) pair.traffic.consentRequestsSent++;
  else pair.traffic.requestsSent++;
  counters.add(isConsent ? 'consent-sent' : 'check-sent');
  host.transmit(pair.path, wireCopy(data));
}

/** RFC 8445 §14.3: never faster than all open checks together keep the pace Ta. */
function retransmitTimeout({ host, checklist }: Generation): number {
  const { checkInterval, retransmitTimeout, maxRetransmitTimeout } = host.settings;
  const paced = Math.min(checkInterval * checklist.openCount(), maxRetransmitTimeout);
  return Math.max(retransmitTimeout, paced);
}

function giveUp({ host }: Generation, transaction: Transaction): void {
  host.counters.add('transaction-limit');
  const { pair } = transaction;
  if (pair.check !== transaction) return;
  pair.check = undefined;
  if (!pair.valid) pair.state = 'failed';
}
