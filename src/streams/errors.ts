/** StreamsError: what a promise of this room rejects with, unless that is a signal's own reason. */
import { SHUT_DOWN } from '../channel/index.ts';
import type { ErrorCode, Failure } from '../core/errors.ts';
import { RtcError } from '../core/errors.ts';

/**
 * A wait that has come to nothing:
 *
 * - `ERR_CLOSED`: the channel or its connection has ended; `failure` says why, where it was not in order
 * - `ERR_TIMEOUT`: the deadline has passed
 * - `ERR_TOO_LARGE`: the peer takes no message of this size (`channel.maxMessageSize`)
 */
export class StreamsError extends RtcError {
  /** Why the channel or the connection has ended, as its last event says; `undefined` where nobody has said so. */
  readonly failure: Failure | undefined;

  constructor(code: ErrorCode, message: string, failure?: Failure) {
    super(code, message);
    this.name = 'StreamsError';
    this.failure = failure;
  }
}

/** An `ERR_CLOSED`: who waited for what, and why it will not come. */
export function closedError(what: string, failure: Failure | undefined): StreamsError {
  const why = failure === undefined ? '' : `: ${failure.message} (${failure.layer}, ${failure.code})`;
  return new StreamsError('ERR_CLOSED', `${what}: it has closed${why}`, failure);
}

/** True for the end of a connection that `rtc.shutdown()` has brought about: all that it had accepted was delivered. */
export function isDelivered({ code, message }: Failure): boolean {
  return code === SHUT_DOWN.code && message === SHUT_DOWN.message;
}
