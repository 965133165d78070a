/**
 * Messages: sent and received on channels, and what the association says of them.
 *
 *   send → the association … onOutcome (ending.ts), onBufferedAmountLow
 *   onMessage → on a stream without a channel: opening.ts; on a channel: receiving.ts
 */
import type { Bytes } from '../core/bytes.ts';
import { RtcError } from '../core/errors.ts';
import type { SctpMessage } from '../sctp/index.ts';
import type { AskedMessage, ChannelState } from './data-channel.ts';
import { isAck } from './dcep.ts';
import { end, fail } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { ChannelTable } from './channel-table.ts';
import { onEarlyMessage, onFirstMessage, openChannel } from './opening.ts';
import type { ChannelPriority, SendOptions } from './options.ts';
import { PRIORITY, checkSendOptions } from './options.ts';
import type { MessageData, Payload } from './payload.ts';
import { Ppid, checkedData, isUserData, toPayload } from './payload.ts';
import { acceptsData } from './port.ts';
import { receive } from './receiving.ts';
import type { Stream } from './streams.ts';
import { channelOf } from './streams.ts';

const NO_OPTIONS: SendOptions = {};

/** Accepts a message of the application, or answers false, as `DataChannel.send` says. */
export function send(
  table: ChannelTable,
  state: ChannelState,
  message: MessageData,
  options: SendOptions = NO_OPTIONS,
): boolean {
  if (state.phase !== 'open' && state.handle.readyState === 'connecting') {
    throw new RtcError('ERR_INVALID_STATE', '"send" expected an open channel, this one is connecting');
  }
  if (options !== NO_OPTIONS) checkSendOptions(options);
  const data = checkedData(message);
  // The peer may have closed the channel while the message that is answered here was on its way to the host: no misuse.
  if (state.phase !== 'open' || state.id === undefined || !acceptsData(table.port)) return false;
  const payload = toPayload(data, table.port.maxMessageSize);
  const asked = options.id === undefined ? undefined : { state, id: options.id };
  const accepted =
    payload !== undefined && table.port.send(state.id, outgoing(state, payload, options, asked));
  table.onCall?.(state.handle, {
    method: 'send',
    data,
    accepted,
    ...(options === NO_OPTIONS ? {} : { options }),
  });
  if (payload === undefined) refuseTooLarge(table, state, options.id);
  if (!accepted) return false;
  if (asked !== undefined) state.asked.add(asked);
  state.sentSinceLow = true;
  state.messagesSent++;
  state.bytesSent += data.length === 0 ? 0 : payload.data.length;
  table.onActivity();
  return true;
}

/**
 * A user message as the association takes it: the channel's reliability or the message's own; its own priority, or the stream's.
 * @param asked whom its outcome belongs to, if somebody wants to know it.
 */
function outgoing(
  { settings }: ChannelState,
  { ppid, data }: Payload,
  options: SendOptions,
  asked: AskedMessage | undefined,
): SctpMessage {
  const { maxRetransmits = settings.maxRetransmits, maxPacketLifeTime = settings.maxPacketLifeTime } =
    options;
  return {
    ppid,
    data,
    unordered: !settings.ordered,
    maxRetransmits,
    maxPacketLifeTime,
    priority: options.priority === undefined ? undefined : PRIORITY[options.priority],
    token: asked,
  };
}

/** The peer decides how much it takes, so this is an answer and no misuse; nothing else would tell it from a full buffer. */
function refuseTooLarge(table: ChannelTable, state: ChannelState, id: SendOptions['id']): void {
  table.counters.add('messagesTooLarge');
  table.events.push({ type: 'messageoutcome', channel: state.handle, id, outcome: 'too-large' });
  table.onActivity();
}

/** Sets the `bufferedAmount`, in bytes, at which `bufferedamountlow` is due. */
export function setLowThreshold(table: ChannelTable, state: ChannelState, bytes: number): void {
  state.lowThreshold = bytes;
  if (state.phase === 'open' && state.id !== undefined) {
    table.port.setBufferedAmountLowThreshold(state.id, bytes);
    // It is above the new one again, so that falling to it is news.
    if (state.handle.bufferedAmount > bytes) state.sentSinceLow = true;
  }
  table.onCall?.(state.handle, { method: 'setLowThreshold', bytes });
}

/** Sets the stream's share of the path; it holds from the stream's next turn on. */
export function setPriority(table: ChannelTable, state: ChannelState, priority: ChannelPriority): void {
  state.priority = priority;
  const stream = table.streamOf(state);
  if (stream !== undefined && (state.phase === 'open' || stream.outgoing === 'draining')) {
    table.port.setPriority(stream.id, PRIORITY[priority]);
  }
  table.onCall?.(state.handle, { method: 'setPriority', priority });
}

/** Keeps back the messages that have not come out yet, and those that follow. */
export function pauseReading(table: ChannelTable, state: ChannelState): void {
  // Of a channel that the peer has closed the last events are on their way, in their order.
  if (state.isPaused || state.phase === 'closing' || state.phase === 'closed') return;
  state.isPaused = true;
  table.onCall?.(state.handle, { method: 'pauseReading' });
}

/** Gives out what was kept back, and goes on. */
export function resumeReading(table: ChannelTable, state: ChannelState): void {
  if (!state.isPaused) return;
  table.events.resume(state);
  table.onCall?.(state.handle, { method: 'resumeReading' });
  table.onActivity();
}

/** True: the message, or this piece of one, is kept. */
export function onMessage(table: ChannelTable, streamId: number, ppid: number, data: Bytes): boolean {
  let stream = table.streams.get(streamId);
  if (stream?.incoming === 'reset' && ppid === Ppid.dcep) {
    end(table, table.closing.onReuse(stream));
    stream = undefined;
  }
  if (stream === undefined || stream.occupant === 'half-open') {
    if (isUserData(ppid)) return onEarlyMessage(table, streamId, { ppid, data });
    onFirstMessage(table, streamId, ppid, data);
  } else if (typeof stream.occupant === 'string') {
    table.counters.add('lateMessages');
  } else {
    return onChannelMessage(table, stream, stream.occupant, ppid, data);
  }
  return false;
}

function onChannelMessage(
  table: ChannelTable,
  stream: Stream,
  state: ChannelState,
  ppid: number,
  data: Bytes,
): boolean {
  if (state.phase === 'closing') {
    // W3C webrtc-pc §6.2: what arrives on a channel that is not open is discarded.
    table.counters.add('lateMessages');
    return false;
  }
  // Data may overtake the end of the association's own handshake; it says the same as `connected`.
  if (state.phase === 'waiting' && state.settings.negotiated) openChannel(table, stream, state);
  const acknowledges = ppid === Ppid.dcep && isAck(data);
  if (state.phase === 'waiting' || (ppid === Ppid.dcep && !acknowledges)) {
    table.counters.add('protocolViolations');
    fail(table, state, channelFailure('protocol-violation', 'the peer used the stream for another channel'));
    return false;
  }
  // RFC 8832 §6: user data says as well as an ACK that the peer has the channel; the two may change places.
  if (state.phase === 'opening') openChannel(table, stream, state);
  return !acknowledges && receive(table, stream, state, ppid, data);
}

/** Of a channel that drains, the end of draining; of an open one, the application's event. */
export function onBufferedAmountLow(table: ChannelTable, streamId: number): void {
  const stream = table.streams.get(streamId);
  if (stream === undefined) return;
  if (stream.outgoing === 'draining') table.closing.drained(stream);
  const state = channelOf(stream);
  if (state?.phase !== 'open' || !state.sentSinceLow) return;
  state.sentSinceLow = false;
  table.events.push({ type: 'bufferedamountlow', channel: state.handle });
}
