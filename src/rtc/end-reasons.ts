/** Why a connection has ended, as its `closed` event says it, and whether that was in order. */
import { formatAddress, sameAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { SctpEvent } from '../sctp/index.ts';
import type { PathAddresses } from './contract.ts';

export function closedByPeer(layer: 'sctp' | 'dtls', message: string): Failure {
  return { layer, code: 'remote-close', message };
}

/** RFC 9260 §3.3.10.12: how browsers say "close() was called"; with any other cause an ABORT is a failure. */
const USER_INITIATED_ABORT = 12;

/**
 * The peer's end of the association as the connection's. An ABORT without a cause (RFC 9260 §3.3.7 allows it) is how werift and
 * aiortc close.
 */
export function sctpReason({ failure, origin, causes }: Extract<SctpEvent, { type: 'closed' }>): Failure {
  if (origin === 'remote' && failure?.code === 'aborted-by-peer' && causes.length === 0)
    return closedByPeer('sctp', 'the peer closed the connection (an ABORT without a cause)');
  const byUser = origin === 'remote' && causes.find(({ code }) => code === USER_INITIATED_ABORT);
  if (byUser)
    return closedByPeer('sctp', `the peer closed the connection${byUser.text ? `: ${byUser.text}` : ''}`);
  return failure ?? closedByPeer('sctp', 'the peer shut the SCTP association down');
}

export function isOrderly(reason: Failure): boolean {
  return reason.code === 'local-close' || reason.code === 'remote-close';
}

export function isSamePath(a: PathAddresses, b: PathAddresses): boolean {
  return a.protocol === b.protocol && sameAddress(a.local, b.local) && sameAddress(a.remote, b.remote);
}

/** Another connection has the path: a warning at first, and the true cause of whatever ends this one because of it. */
export function pathTakenOver({ protocol, local, remote }: PathAddresses, cause?: Failure): Failure {
  const path = `${formatAddress(local)} – ${formatAddress(remote)} (${protocol})`;
  const taken = `another connection of this host has the path ${path}: give each a socket of its own`;
  if (cause === undefined) return { layer: 'rtc', code: 'path-taken-over', message: taken };
  return {
    ...cause,
    code: 'path-taken-over',
    message: `${taken}; what ended this one is ${cause.layer} ${cause.code}: ${cause.message}`,
  };
}
