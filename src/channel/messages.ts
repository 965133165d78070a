/**
 * What is sent and received on channels, and what the association says of it.
 *
 *   send → outbound.ts → the association … onOutcome (ending.ts), onBufferedAmountLow
 *   onMessage → on a stream without a channel: opening.ts; on a channel: receiving.ts
 */
import type { Bytes } from '../core/bytes.ts';
import { RtcError } from '../core/errors.ts';
import { channelOf } from './closing.ts';
import type { ChannelState } from './data-channel.ts';
import { isAck } from './dcep.ts';
import { end, fail } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { Layer } from './layer.ts';
import { onEarlyMessage, onFirstMessage, openChannel } from './opening.ts';
import type { ChannelPriority, SendOptions } from './options.ts';
import { PRIORITY, checkSendOptions } from './options.ts';
import { outgoing } from './outbound.ts';
import type { MessageData } from './payload.ts';
import { Ppid, checkedData, isUserData, toPayload } from './payload.ts';
import { takesOrders } from './port.ts';
import { receive } from './receiving.ts';
import type { Stream } from './streams.ts';

const NO_OPTIONS: SendOptions = {};

export function send(
  layer: Layer,
  state: ChannelState,
  message: MessageData,
  options: SendOptions = NO_OPTIONS,
): boolean {
  if (state.phase === 'waiting' || state.phase === 'opening') {
    throw new RtcError('ERR_INVALID_STATE', '"send" expected an open channel, this one is connecting');
  }
  if (options !== NO_OPTIONS) checkSendOptions(options);
  const data = checkedData(message);
  // The peer may have closed the channel while the message that is answered here was on its way to the host: no misuse.
  if (state.phase !== 'open' || state.id === undefined || !takesOrders(layer.port)) return false;
  const payload = toPayload(data, layer.port.maxMessageSize);
  const asked = options.id === undefined ? undefined : { state, id: options.id };
  const accepted =
    payload !== undefined && layer.port.send(state.id, outgoing(state, payload, options, asked));
  layer.onCall?.(state.handle, {
    method: 'send',
    data,
    accepted,
    ...(options === NO_OPTIONS ? {} : { options }),
  });
  if (payload === undefined) refuseTooLarge(layer, state, options.id);
  if (!accepted) return false;
  if (asked !== undefined) state.asked.add(asked);
  state.sentSinceLow = true;
  state.messagesSent++;
  state.bytesSent += data.length === 0 ? 0 : payload.data.length;
  layer.onActivity();
  return true;
}

/** The peer decides how much it takes, so this is an answer and no misuse; nothing else would tell it from a full buffer. */
function refuseTooLarge(layer: Layer, state: ChannelState, id: SendOptions['id']): void {
  layer.counters.add('messagesTooLarge');
  layer.events.push({ type: 'messageoutcome', channel: state.handle, id, outcome: 'too-large' });
  layer.onActivity();
}

export function setLowThreshold(layer: Layer, state: ChannelState, bytes: number): void {
  state.lowThreshold = bytes;
  if (state.phase === 'open' && state.id !== undefined) {
    layer.port.setBufferedAmountLowThreshold(state.id, bytes);
  }
  layer.onCall?.(state.handle, { method: 'setLowThreshold', bytes });
}

export function setPriority(layer: Layer, state: ChannelState, priority: ChannelPriority): void {
  state.priority = priority;
  const stream = layer.streamOf(state);
  if (stream !== undefined && (state.phase === 'open' || stream.outgoing === 'draining')) {
    layer.port.setPriority(stream.id, PRIORITY[priority]);
  }
  layer.onCall?.(state.handle, { method: 'setPriority', priority });
}

export function pauseReading(layer: Layer, state: ChannelState): void {
  // Of a channel that the peer has closed the last events are on their way, in their order.
  if (state.isPaused || state.phase === 'closing' || state.phase === 'closed') return;
  state.isPaused = true;
  layer.onCall?.(state.handle, { method: 'pauseReading' });
}

export function resumeReading(layer: Layer, state: ChannelState): void {
  if (!state.isPaused) return;
  layer.events.resume(state);
  layer.onCall?.(state.handle, { method: 'resumeReading' });
  layer.onActivity();
}

/** True: the message, or this piece of one, is kept. */
export function onMessage(layer: Layer, streamId: number, ppid: number, data: Bytes): boolean {
  let stream = layer.streams.get(streamId);
  if (stream?.incoming === 'reset' && ppid === Ppid.dcep) {
    end(layer, layer.closing.onReuse(stream));
    stream = undefined;
  }
  if (stream === undefined || stream.occupant === 'half-open') {
    if (isUserData(ppid)) return onEarlyMessage(layer, streamId, { ppid, data });
    onFirstMessage(layer, streamId, ppid, data);
  } else if (typeof stream.occupant === 'string') {
    layer.counters.add('lateMessages');
  } else {
    return onChannelMessage(layer, stream, stream.occupant, ppid, data);
  }
  return false;
}

function onChannelMessage(
  layer: Layer,
  stream: Stream,
  state: ChannelState,
  ppid: number,
  data: Bytes,
): boolean {
  if (state.phase === 'closing') {
    // W3C webrtc-pc §6.2: what arrives on a channel that is not open is discarded.
    layer.counters.add('lateMessages');
    return false;
  }
  // Data may overtake the end of the association's own handshake; it says the same as `connected`.
  if (state.phase === 'waiting' && state.settings.negotiated) openChannel(layer, stream, state);
  const acknowledges = ppid === Ppid.dcep && isAck(data);
  if (state.phase === 'waiting' || (ppid === Ppid.dcep && !acknowledges)) {
    layer.counters.add('protocolViolations');
    fail(layer, state, channelFailure('protocol-violation', 'the peer used the stream for another channel'));
    return false;
  }
  // RFC 8832 §6: user data says as well as an ACK that the peer has the channel; the two may change places.
  if (state.phase === 'opening') openChannel(layer, stream, state);
  return !acknowledges && receive(layer, stream, state, ppid, data);
}

/** Of a channel that drains, the end of draining; of an open one, the application's event. */
export function onBufferedAmountLow(layer: Layer, streamId: number): void {
  const stream = layer.streams.get(streamId);
  if (stream === undefined) return;
  layer.closing.drained(stream);
  const state = channelOf(stream);
  if (state?.phase !== 'open' || !state.sentSinceLow) return;
  state.sentSinceLow = false;
  layer.events.push({ type: 'bufferedamountlow', channel: state.handle });
}
