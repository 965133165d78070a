/** Ends of an association, as those of its user: in order, or with a failure, or of the data channels alone. */
import type { Failure } from '../core/errors.ts';
import type { SctpEvent } from '../sctp/index.ts';

/** How an association has ended. */
export type AssociationClosed = Extract<SctpEvent, { type: 'closed' }>;

/** The end of what `shutdown` has found not set up yet. */
export const CLOSED_HERE: Failure = { layer: 'rtc', code: 'local-close', message: 'closed by this end' };

/** The end that `shutdown` has asked for. */
export const SHUT_DOWN: Failure = {
  layer: 'rtc',
  code: 'local-close',
  message: 'shut down by this end: all that it had accepted was delivered',
};

/** The end of the data channels of a connection that lives on. Its code stands in the ABORT that says so. */
export const DATA_CLOSED: Failure = {
  layer: 'channel',
  code: 'data-closed',
  message: 'the ends agree on data channels no longer',
};

/** Neither end has aborted, and no gate has expired. */
export function isShutDown({ failure, causes }: AssociationClosed): boolean {
  return failure === undefined && causes.length === 0;
}

/**
 * The peer has ended its data channels alone, by `closeData` or a description, and that has overtaken what its signalling says
 * of it.
 */
export function isDataClosed({ origin, causes }: AssociationClosed): boolean {
  return origin === 'remote' && causes.some((cause) => isByUser(cause) && cause.text === DATA_CLOSED.code);
}

/**
 * The end of the association as that of its user. An ABORT without a cause (RFC 9260 §3.3.7 allows it) is how werift and
 * aiortc close.
 */
export function endReason({ failure, origin, causes }: AssociationClosed): Failure {
  if (origin === 'remote' && failure?.code === 'aborted-by-peer' && causes.length === 0)
    return remoteClose('the peer closed the connection (an ABORT without a cause)');
  const byUser = origin === 'remote' && causes.find(isByUser);
  if (byUser) return remoteClose(`the peer closed the connection${byUser.text ? `: ${byUser.text}` : ''}`);
  return failure ?? remoteClose('the peer shut the SCTP association down');
}

/** RFC 9260 §3.3.10.12: how browsers say "close() was called"; with any other cause an ABORT is a failure. */
const USER_INITIATED_ABORT = 12;

function isByUser({ code }: AssociationClosed['causes'][number]): boolean {
  return code === USER_INITIATED_ABORT;
}

function remoteClose(message: string): Failure {
  return { layer: 'sctp', code: 'remote-close', message };
}
