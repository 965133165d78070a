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
import type { ActivePair } from './active-pair.ts';
import { peerReflexive } from './candidate.ts';
import type { Checklist } from './checklist.ts';
import type { Checks } from './checks.ts';
import { UNDERSTOOD } from './messages.ts';
import type { IcePath, Pair } from './pair.ts';
import type { Pairing } from './pairing.ts';
import { peerReflexivePriority } from './priority.ts';
import { otherRole } from './role.ts';
import type { Selection } from './selection.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transactions.ts';

export class Responses {
  readonly #session: Session;
  readonly #checklist: Checklist;
  readonly #checks: Checks;
  readonly #pairing: Pairing;
  readonly #selection: Selection;
  readonly #active: ActivePair;

  constructor(
    session: Session,
    checklist: Checklist,
    checks: Checks,
    pairing: Pairing,
    selection: Selection,
    active: ActivePair,
  ) {
    this.#session = session;
    this.#checklist = checklist;
    this.#checks = checks;
    this.#pairing = pairing;
    this.#selection = selection;
    this.#active = active;
  }

  /** @param path as the datagram travelled: `source` is the peer's address, `destination` ours. */
  handle(message: StunMessage, path: IcePath): void {
    const { counters, remote } = this.#session;
    const transaction = this.#checks.transactions.find(transactionIdOf(message));
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
    this.#session.heard(transaction.pair);
    if (message.class === 'success') {
      const mapped = attributeXorAddress(message, Type.xorMappedAddress);
      if (mapped === undefined) counters.add('response-without-address');
      else this.#succeeded(transaction, mapped);
    } else {
      this.#refused(transaction, errorCodeOf(message) ?? StunErrorCode.serverError);
    }
  }

  #succeeded(transaction: Transaction, mapped: TransportAddress): void {
    const { now, role, random, counters } = this.#session;
    const { pair, purpose, sentAt } = transaction;
    counters.add('response-received');
    this.#checks.finish(transaction);
    // A late answer to an earlier check makes a later one needless, unless that one nominates.
    if (pair.check?.purpose === 'check') this.#checks.cancel(pair);
    if (pair !== this.#selection.nominating) this.#checklist.taken(pair);

    pair.answeredAt = Math.max(pair.answeredAt, sentAt);
    pair.sends = 0;
    pair.requests = 0;
    // Karn's rule: with a retransmission nobody knows which of the two was answered.
    if (transaction.transmissions === 1) pair.roundTripTime = now - sentAt;
    this.#active.answered(pair, sentAt, randomUnit(random));
    if (!pair.valid) {
      this.#adoptMapped(pair, mapped);
      this.#selection.markValid(pair);
    }
    if (purpose === 'nomination' && role === 'controlling') this.#selection.confirmed(pair);
    else if (pair.nominateOnSuccess && role === 'controlled') this.#selection.nominatedByPeer(pair);
  }

  /** The pair's local candidate is the one the peer sees, known or peer-reflexive (§7.2.5.3.1). */
  #adoptMapped(pair: Pair, mapped: TransportAddress): void {
    if (sameAddress(pair.local, mapped)) return;
    const { base, protocol, priority } = pair.local;
    pair.local = this.#pairing.locals.mapped(base, protocol, mapped) ?? {
      ...peerReflexive(mapped, protocol, peerReflexivePriority(priority)),
      relatedAddress: base.address,
      relatedPort: base.port,
      base,
    };
    pair.prioritize(this.#session.role);
    this.#checklist.sort();
  }

  #refused(transaction: Transaction, code: number): void {
    const { counters } = this.#session;
    if (code === StunErrorCode.roleConflict) {
      this.#roleConflict(transaction);
      return;
    }
    counters.add('error-response');
    // A server error may pass: the check is sent again, as if the answer had been lost.
    if (code >= StunErrorCode.serverError) return;
    this.#checks.finish(transaction);
    if (transaction.purpose !== 'consent') this.#selection.checkFailed(transaction);
  }

  /** §7.2.5.1: take the other role and check again; a conflict about a role we have left already is settled. */
  #roleConflict(transaction: Transaction): void {
    const { counters, role } = this.#session;
    this.#checks.finish(transaction);
    if (transaction.role === role) {
      counters.add('role-conflict');
      this.#selection.switchRole(otherRole(role));
      this.#session.renewTieBreaker();
    } else {
      counters.add('stale-role-conflict');
    }
    const { pair } = transaction;
    if (!pair.valid && pair.check === undefined) this.#checks.trigger(pair);
  }
}
