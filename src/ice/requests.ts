/**
 * Requests of the peer (RFC 8445 §7.3), in this order: is it for us and authentic (otherwise silence, F4d), can we
 * understand it (420), do the roles agree (487), which pair is it on; then the answer, and what the request asks for
 * besides: a check in the other direction, and nomination.
 *
 * Our own password authenticates a request, so one that comes before the peer's description is answered at once.
 */
import { attributeU32, hasAttribute, StunAttributeType as Type, unknownAttributes } from '../stun/index.ts';
import type { StunMessage } from '../stun/index.ts';
import type { ActivePair } from './active-pair.ts';
import type { Checklist } from './checklist.ts';
import type { Checks } from './checks.ts';
import {
  UNDERSTOOD,
  claimedRole,
  judgeRequest,
  writeRoleConflict,
  writeSuccess,
  writeUnknownAttributes,
} from './messages.ts';
import type { IcePath, Pair } from './pair.ts';
import type { Pairing } from './pairing.ts';
import type { RoleVerdict } from './role.ts';
import { judgeRole, otherRole } from './role.ts';
import type { Selection } from './selection.ts';
import type { IceTransmit, Session } from './session.ts';

export class Requests {
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
    const { counters, local: credentials, remote } = this.#session;
    const local = this.#pairing.locals.atBase(path.destination, path.protocol);
    if (local === undefined) {
      counters.add('unknown-destination');
      return;
    }
    const verdict = judgeRequest(message, credentials, remote?.usernameFragment);
    if (!verdict.accepted) {
      counters.add(verdict.reason);
      return;
    }
    counters.add('request-received');
    const unknown = unknownAttributes(message, UNDERSTOOD);
    if (unknown.length > 0) {
      counters.add('unknown-attribute');
      this.#reply(path, () => writeUnknownAttributes(message, unknown, credentials.key));
      return;
    }
    const roleVerdict = this.#judgeRole(message);
    if (roleVerdict !== 'no-conflict') counters.add('role-conflict');
    if (roleVerdict === 'refuse') {
      this.#reply(path, () => writeRoleConflict(message, credentials.key));
      return;
    }
    if (roleVerdict === 'switch') this.#selection.switchRole(otherRole(this.#session.role));
    const priority = attributeU32(message, Type.priority) ?? 0;
    const pair =
      this.#checklist.find(path.destination, path.source, path.protocol) ??
      this.#pairing.discover(local, path.source, priority, verdict.sender);
    // Without a pair we would not take the data that follows: say nothing, rather than let the peer believe in it.
    if (pair === undefined) return;
    pair.authenticated = true;
    pair.requestedAt = this.#session.now;
    pair.requests++;
    this.#session.heard(pair);
    this.#reply(path, () => writeSuccess(message, path.source, credentials.key));
    const nominated = hasAttribute(message, Type.useCandidate);
    if (this.#session.isLite) this.#followUpLite(pair, nominated);
    else this.#followUpFull(pair, nominated);
  }

  #judgeRole(message: StunMessage): RoleVerdict {
    const claimed = claimedRole(message);
    if (claimed === undefined) return 'no-conflict';
    const { role, tieBreaker, isLite } = this.#session;
    const verdict = judgeRole(role, tieBreaker, claimed.role, claimed.tieBreaker);
    // A lite agent cannot become controlling: it has no checks to nominate with.
    return verdict === 'switch' && isLite ? 'refuse' : verdict;
  }

  #followUpLite(pair: Pair, nominated: boolean): void {
    if (nominated) {
      this.#selection.markValid(pair);
      this.#selection.nominatedByPeer(pair);
    }
    this.#active.heard(pair);
  }

  #followUpFull(pair: Pair, nominated: boolean): void {
    const works = pair.valid && (pair === this.#active.pair || this.#hasConsent(pair));
    if (!works) this.#checks.trigger(pair);
    if (!nominated || this.#session.role === 'controlling') return;
    if (works) this.#selection.nominatedByPeer(pair);
    else pair.nominateOnSuccess = true;
  }

  /** A pair beside the active one is not kept alive: it must prove itself again after a while (RFC 7675 §5.1). */
  #hasConsent(pair: Pair): boolean {
    return this.#session.now - pair.answeredAt < this.#session.settings.consentTimeout;
  }

  /** An answer for which there is no room is not even made: its integrity costs as much as the request's. */
  #reply(path: IcePath, write: () => IceTransmit['data']): void {
    if (this.#session.isFull) {
      this.#session.counters.add('transmit-limit');
      return;
    }
    this.#session.counters.add('response-sent');
    const { protocol, source, destination } = path;
    this.#session.transmit({ protocol, source: destination, destination: source }, write());
  }
}
