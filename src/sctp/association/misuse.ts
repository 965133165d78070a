/**
 * What the host may not ask of an association: each check throws an `RtcError` before anything has changed, and does nothing
 * when all is well.
 *
 *   ERR_INVALID_STATE   nothing new is taken any more
 *   ERR_BAD_ARGUMENT    a stream that does not exist, an empty message, a number out of range
 *   ERR_TOO_LARGE       a message that the peer does not take, or that never fits the send buffer
 */
import { badArgument, RtcError } from '../../core/errors.ts';
import type { SctpMessage } from '../events.ts';
import type { Association } from './state.ts';

/** Refuses a message that could never be sent; whether there is room for it now is another question. */
export function checkSend(a: Association, streamId: number, message: SctpMessage): void {
  checkOpen(a);
  checkStream(streamId, a.outboundStreams);
  const { length } = message.data;
  if (length === 0) throw badArgument('data', 'at least one byte', length);
  if (length > a.maxMessageSize) {
    throw new RtcError('ERR_TOO_LARGE', `a message of ${length} bytes, the limit is ${a.maxMessageSize}`);
  }
  checkLimit('maxRetransmits', message.maxRetransmits);
  checkLimit('maxPacketLifeTime', message.maxPacketLifeTime);
  if (message.priority !== undefined) checkPriority(message.priority);
}

/** Messages and stream resets are taken until the association shuts down. */
export function checkOpen({ state }: Association): void {
  if (state === 'closed' || state.startsWith('shutdown')) {
    throw new RtcError('ERR_INVALID_STATE', `the association is ${state}`);
  }
}

export function checkStream(id: number, count: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= count) {
    throw badArgument('streamId', `an integer from 0 to ${count - 1}`, id);
  }
}

export function checkPriority(priority: number): void {
  if (!(priority > 0)) throw badArgument('priority', 'a number above 0', priority);
}

function checkLimit(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0)) throw badArgument(name, 'a number from 0', value);
}
