/**
 * Answers to our checks (RFC 8445 §7.2.5), in this order: do we await it, did it come the way the check went, is it
 * authentic; then success makes the pair valid, a role conflict turns our role, any other refusal fails the pair.
 */
import type { TransportAddress } from '../core/address.ts';
import { sameAddress } from '../core/address.ts';
import { randomUnit } from '../core/random.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunAttributeType as Type,
  StunErrorCode,
  attributeXorAddress,
  errorCodeOf,
  transactionIdOf,
  unknownAttributes,
  verifyIntegrity,
} from '../stun/index.ts';
import { peerReflexive } from './candidate.ts';
import { cancelCheck, finishCheck, triggerCheck } from './checks.ts';
import type { Generation } from './generation.ts';
import { UNDERSTOOD } from './messages.ts';
import type { IcePath, Pair, Transaction } from './pair.ts';
import { peerReflexivePriority } from './priority.ts';
import { otherRole } from './role.ts';
import { checkFailed, markValid, nominatedByPeer, nominationConfirmed, switchRole } from './selection.ts';

/**
 * Handles an answer, success or error, to a check of `generation`.
 * @param path as the datagram travelled: `source` is the peer's address, `destination` ours.
 */
export function handleResponse(generation: Generation, message: StunMessage, path: IcePath): void {
  const { host, remote, transactions } = generation;
  const { counters } = host;
  const transaction = transactions.find(transactionIdOf(message));
  if (transaction === undefined || remote === undefined) {
    counters.add('unknown-transaction');
    return;
  }
  // §7.2.5.2.1 fails the pair; we ignore the answer, lest one stray datagram end a pair that works.
  if (!transaction.pair.runsOver(path.destination, path.source, path.protocol)) {
    counters.add('asymmetric-response');
    return;
  }
  // Errors too: an unauthenticated 487 would turn our role for whoever sees a transaction id.
  if (!verifyIntegrity(message, remote.key)) {
    counters.add('bad-integrity');
    return;
  }
  if (unknownAttributes(message, UNDERSTOOD).length > 0) {
    counters.add('unknown-attribute');
    return;
  }
  generation.heard(transaction.pair);
  transaction.pair.traffic.responsesReceived++;
  if (message.class === 'success') {
    const mapped = attributeXorAddress(message, Type.xorMappedAddress);
    if (mapped === undefined) counters.add('response-without-address');
    else succeeded(generation, transaction, mapped);
  } else {
    refused(generation, transaction, errorCodeOf(message) ?? StunErrorCode.serverError);
  }
}

function succeeded(generation: Generation, transaction: Transaction, mapped: TransportAddress): void {
  const { host, role, checklist } = generation;
  const { pair, purpose, sentAt } = transaction;
  host.counters.add('response-received');
  finishCheck(generation, transaction);
  // A late answer to an earlier check makes a later one needless, unless that one nominates.
  if (pair.check?.purpose === 'check') cancelCheck(generation, pair);
  if (pair !== generation.nominating) checklist.taken(pair);

  pair.answeredAt = Math.max(pair.answeredAt, sentAt);
  pair.sends = 0;
  pair.requests = 0;
  // Karn's rule: with a retransmission nobody knows which of the two was answered.
  if (transaction.transmissions === 1) pair.measured(host.now - sentAt);
  const spread = randomUnit(host.random);
  if (pair === generation.active) generation.consent?.answered(sentAt, spread);
  if (!pair.valid) {
    adoptMapped(generation, pair, mapped);
    markValid(generation, pair);
  }
  if (purpose === 'nomination' && role === 'controlling') nominationConfirmed(generation, pair);
  else if (pair.nominateOnSuccess !== undefined && role === 'controlled')
    nominatedByPeer(generation, pair, pair.nominateOnSuccess);
}

/** The pair's local candidate is the one the peer sees, known or peer-reflexive (§7.2.5.3.1). */
function adoptMapped(generation: Generation, pair: Pair, mapped: TransportAddress): void {
  const { base, protocol, priority, tcpType, overhead } = pair.local;
  // An active TCP candidate has no port of its own: each connection has another one (RFC 6544 §4.5).
  const isOwn =
    tcpType === 'active' ? pair.local.address === mapped.address : sameAddress(pair.local, mapped);
  if (isOwn) return;
  pair.local = generation.host.locals.mapped(base, protocol, mapped) ?? {
    ...peerReflexive(mapped, protocol, peerReflexivePriority(priority, protocol), tcpType),
    relatedAddress: base.address,
    relatedPort: base.port,
    base,
    overhead,
  };
  pair.prioritize(generation.role);
  generation.checklist.sort();
}

function refused(generation: Generation, transaction: Transaction, code: number): void {
  if (code === StunErrorCode.roleConflict) {
    roleConflict(generation, transaction);
    return;
  }
  generation.host.counters.add('error-response');
  // A server error may pass: the check is sent again, as if the answer had been lost.
  if (code >= StunErrorCode.serverError) return;
  finishCheck(generation, transaction);
  if (transaction.purpose !== 'consent') checkFailed(generation, transaction);
}

/** §7.2.5.1: take the other role and check again; a conflict about a role we have left already changes nothing. */
function roleConflict(generation: Generation, transaction: Transaction): void {
  const { host, role } = generation;
  finishCheck(generation, transaction);
  if (transaction.role === role) {
    host.counters.add('role-conflict');
    switchRole(generation, otherRole(role));
    generation.renewTieBreaker();
  } else {
    host.counters.add('stale-role-conflict');
  }
  const { pair } = transaction;
  if (!pair.valid && pair.check === undefined) triggerCheck(generation, pair);
}
