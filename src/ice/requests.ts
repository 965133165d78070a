/**
 * Requests of the peer (RFC 8445 §7.3), in this order: is it for us and authentic (otherwise silence), can we
 * understand it (420), do the roles agree (487), which pair is it on; then the answer, and what the request asks for
 * besides: a check in the other direction, and nomination.
 *
 * Our own password authenticates a request, so one that comes before the peer's description is answered at once.
 */
import { attributeU32, StunAttributeType as Type, unknownAttributes } from '../stun/index.ts';
import type { StunMessage } from '../stun/index.ts';
import { triggerCheck } from './checks.ts';
import type { Generation } from './generation.ts';
import type { Host, IceTransmit } from './host.ts';
import {
  UNDERSTOOD,
  claimedNomination,
  claimedRole,
  judgeRequest,
  writeRoleConflict,
  writeSuccess,
  writeUnknownAttributes,
} from './messages.ts';
import type { IcePath, Pair } from './pair.ts';
import { discoverPair } from './pairing.ts';
import type { RoleVerdict } from './role.ts';
import { judgeRole, otherRole } from './role.ts';
import { markValid, nominatedByPeer, switchRole } from './selection.ts';

/**
 * Handles a request addressed to `generation`.
 * @param path as the datagram travelled: `source` is the peer's address, `destination` ours.
 */
export function handleRequest(generation: Generation, message: StunMessage, path: IcePath): void {
  const { host, local: credentials, remote, checklist } = generation;
  const { counters } = host;
  const local = host.locals.atBase(path.destination, path.protocol);
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
    reply(host, path, () => writeUnknownAttributes(message, unknown, credentials.key));
    return;
  }
  const roleVerdict = judgeClaim(generation, message);
  if (roleVerdict !== 'no-conflict') counters.add('role-conflict');
  if (roleVerdict === 'refuse') {
    reply(host, path, () => writeRoleConflict(message, credentials.key));
    return;
  }
  if (roleVerdict === 'switch') switchRole(generation, otherRole(generation.role));
  const priority = attributeU32(message, Type.priority) ?? 0;
  const pair =
    checklist.find(path.destination, path.source, path.protocol) ??
    discoverPair(generation, local, path.source, priority, verdict.sender);
  // Without a pair we would not take the data that follows: say nothing, rather than let the peer believe in it.
  if (pair === undefined) return;
  pair.authenticated = true;
  pair.requestedAt = host.now;
  pair.requests++;
  pair.traffic.requestsReceived++;
  generation.heard(pair);
  const isAnswered = reply(host, path, () => writeSuccess(message, path.source, credentials.key));
  if (isAnswered) pair.traffic.responsesSent++;
  if (generation.stage === 'retired') return;
  const nomination = claimedNomination(message, host.renomination);
  pair.isSaidInUse = nomination !== undefined && nomination >= generation.nomination;
  if (host.isLite) followUpLite(generation, pair, nomination);
  else followUpFull(generation, pair, nomination);
}

function judgeClaim({ role, tieBreaker, host }: Generation, message: StunMessage): RoleVerdict {
  const claimed = claimedRole(message);
  if (claimed === undefined) return 'no-conflict';
  const verdict = judgeRole(role, tieBreaker, claimed.role, claimed.tieBreaker);
  // A lite agent cannot become controlling: it has no checks to nominate with.
  return verdict === 'switch' && host.isLite ? 'refuse' : verdict;
}

function followUpLite(generation: Generation, pair: Pair, nomination: number | undefined): void {
  if (nomination !== undefined) {
    markValid(generation, pair);
    nominatedByPeer(generation, pair, nomination);
  }
  if (pair === generation.active) generation.consent?.heard(generation.host.now);
}

/** A pair that has not answered for long must prove itself again. */
function followUpFull(generation: Generation, pair: Pair, nomination: number | undefined): void {
  const works = pair.valid && (pair === generation.active || generation.hasConsent(pair));
  if (!works) triggerCheck(generation, pair);
  if (nomination === undefined || generation.role === 'controlling') return;
  if (works) nominatedByPeer(generation, pair, nomination);
  else pair.nominateOnSuccess = nomination;
}

/** An answer for which there is no room is not even made: its integrity costs as much as the request's. */
function reply(host: Host, path: IcePath, write: () => IceTransmit['data']): boolean {
  if (host.isFull) {
    host.counters.add('transmit-limit');
    return false;
  }
  host.counters.add('response-sent');
  const { protocol, source, destination } = path;
  host.transmit({ protocol, source: destination, destination: source }, write());
  return true;
}
