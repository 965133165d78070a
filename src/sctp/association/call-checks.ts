/**
 * Checks of the host's calls: each throws an `RtcError` before anything has changed when the host asks for what it may not, and
 * does nothing when all is well.
 *
 *   ERR_INVALID_STATE   nothing new is taken any more, as this end has begun to shut down
 *   ERR_BAD_ARGUMENT    a stream that this end does not have, an empty message, a number out of range
 *
 * What the peer decides is no misuse: how large a message it takes, how many streams, when it shuts down or aborts. The call
 * answers or does nothing then.
 */
import { badArgument, RtcError } from '../../core/errors.ts';
import type { SctpMessage } from '../events.ts';
import type { TransmissionControlBlock } from './state.ts';

/** Refuses a message that could be sent to no peer. */
export function checkSend(tcb: TransmissionControlBlock, streamId: number, message: SctpMessage): void {
  checkOpen(tcb);
  checkStream(streamId, tcb.settings.streams);
  const { length } = message.data;
  if (length === 0) throw badArgument('data', 'at least one byte', length);
  checkLimit('maxRetransmits', message.maxRetransmits);
  checkLimit('maxPacketLifeTime', message.maxPacketLifeTime);
  if (message.priority !== undefined) checkPriority(message.priority);
}

/** Messages and stream resets are taken until this end shuts the association down; `acceptsData` asks about the peer. */
export function checkOpen({ state }: TransmissionControlBlock): void {
  if (state === 'shutdown-pending' || state === 'shutdown-sent') {
    throw new RtcError('ERR_INVALID_STATE', `the association is ${state}`);
  }
}

/** False once the association has ended or is shutting down, by either end's doing. */
export function acceptsData({ state }: TransmissionControlBlock): boolean {
  return state !== 'closed' && !state.startsWith('shutdown');
}

/** Refuses a stream that this end does not have. */
export function checkStream(id: number, count: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= count) {
    throw badArgument('streamId', `an integer from 0 to ${count - 1}`, id);
  }
}

/** Refuses a priority that gives a stream no share. */
export function checkPriority(priority: number): void {
  if (!(priority > 0)) throw badArgument('priority', 'a number above 0', priority);
}

function checkLimit(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0)) throw badArgument(name, 'a number from 0', value);
}
