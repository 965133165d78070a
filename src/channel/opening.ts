/**
 * How channels open: identifiers, the OPEN we send, the OPEN that comes in.
 *
 *   ours      createChannel → an identifier, when the role is known → establish, when the association is up → openChannel
 *   theirs    onStreamData: half open → onFirstMessage: ACK, openChannel; or refused
 *   neither   onEarlyMessage: half open, until one of these makes the channel
 */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import { judgeFirstMessage } from './admission.ts';
import type { DataChannel } from './data-channel.ts';
import { ChannelState } from './data-channel.ts';
import { encodeAck, encodeOpen } from './dcep.ts';
import { fail, refuse } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { Layer } from './layer.ts';
import type { EarlyMessage } from './early-messages.ts';
import type { DataChannelOptions } from './options.ts';
import { MAX_STREAM_ID, PRIORITY, localSettings, remoteSettings } from './options.ts';
import { receiveEarly } from './receiving.ts';
import type { ChannelRole, Stream } from './streams.ts';
import { hasParityOf, parityOf } from './streams.ts';

const NO_FREE_ID = channelFailure('no-stream-id', 'all stream identifiers of our parity are in use');

/**
 * A new channel. Misuse is thrown before anything changes, as `DataChannels.createChannel` says; what the peer has a part in
 * fails the channel instead.
 */
export function createChannel(layer: Layer, label: string, options: DataChannelOptions): DataChannel {
  const settings = localSettings(label, options, layer.limits);
  checkOurs(layer, options.id);
  const state = new ChannelState(settings, layer.limits.maxMessageSize, layer.owner);
  if (layer.association === 'closed' || layer.association === 'shutting-down') {
    state.phase = 'closed';
    return state.handle;
  }
  layer.clock.callWithoutTime();
  const obstacle = obstacleTo(layer, options.id);
  layer.channels.add(state);
  if (obstacle !== undefined) {
    fail(layer, state, obstacle);
  } else {
    const id = options.id ?? (layer.role === undefined ? undefined : freeId(layer, layer.role));
    if (id !== undefined) occupy(layer, id, state);
    establish(layer, state);
  }
  layer.onActivity();
  return state.handle;
}

/** What this end alone has brought about, so that it is misuse: channels of its own that are on their way or open. */
function checkOurs(layer: Layer, negotiatedId: number | undefined): void {
  const isOurs = ({ settings, phase }: ChannelState): boolean =>
    settings.origin === 'local' && phase !== 'closing';
  const occupant = negotiatedId === undefined ? undefined : layer.streams.get(negotiatedId)?.occupant;
  if (typeof occupant === 'object' && isOurs(occupant)) {
    throw badArgument('id', 'a stream that no other channel has', negotiatedId);
  }
  const { maxChannels } = layer.limits;
  if (isFull(layer) && [...layer.channels].filter(isOurs).length >= maxChannels) {
    throw new RtcError('ERR_LIMIT', `"maxChannels" is ${maxChannels}, and so many are in use`);
  }
}

/** Why a channel cannot be, by what the peer has: its channels, its streams, resets it owes us. */
function obstacleTo(layer: Layer, negotiatedId: number | undefined): Failure | undefined {
  if (isFull(layer)) {
    return channelFailure('too-many-channels', `"maxChannels" is ${layer.limits.maxChannels}, of both sides`);
  }
  if (negotiatedId === undefined) {
    const isExhausted = layer.role !== undefined && freeId(layer, layer.role) === undefined;
    return isExhausted ? NO_FREE_ID : undefined;
  }
  const occupant = layer.streams.get(negotiatedId)?.occupant;
  if (occupant === undefined || occupant === 'half-open') return undefined;
  return channelFailure(
    'id-in-use',
    `stream ${negotiatedId} is the peer's, or was used before and is not reset`,
  );
}

/** The role is known: channels that wait for it get their identifiers, in order of creation. */
export function setRole(layer: Layer, role: ChannelRole): void {
  if (layer.role === role) return;
  if (layer.role !== undefined) {
    throw new RtcError('ERR_INVALID_STATE', `the role is "${layer.role}" and cannot become "${role}"`);
  }
  layer.role = role;
  layer.clock.callWithoutTime();
  for (const state of layer.channels) {
    if (state.id !== undefined) continue;
    const id = freeId(layer, role);
    if (id === undefined) {
      fail(layer, state, NO_FREE_ID);
    } else {
      occupy(layer, id, state);
      establish(layer, state);
    }
  }
}

function isFull(layer: Layer): boolean {
  return layer.channels.size + layer.gates.inboundOpen.size >= layer.limits.maxChannels;
}

/** The lowest identifier of our parity that is free, `undefined` if none is. */
function freeId(layer: Layer, role: ChannelRole): number | undefined {
  const id = layer.streams.lowestFree(parityOf(role));
  return id < layer.port.outboundStreams ? id : undefined;
}

function occupy(layer: Layer, id: number, state: ChannelState): Stream {
  state.id = id;
  const early = layer.streams.get(id);
  if (early === undefined) return layer.streams.occupy(id, state);
  layer.gates.inboundOpen.disarm(early);
  early.occupant = state;
  return early;
}

/** Opens a channel as soon as it has both an identifier and an association that is up. */
export function establish(layer: Layer, state: ChannelState): void {
  const stream = layer.streamOf(state);
  if (stream === undefined || layer.association !== 'connected') return;
  if (stream.id >= layer.port.outboundStreams) {
    fail(
      layer,
      state,
      channelFailure('no-stream-id', `the peer takes ${layer.port.outboundStreams} streams`),
    );
    return;
  }
  if (state.settings.negotiated) {
    openChannel(layer, stream, state);
    return;
  }
  const data = encodeOpen({ ...state.settings, priority: PRIORITY[state.priority] });
  if (data.length > layer.port.maxMessageSize) {
    const message = `the OPEN has ${data.length} bytes, "maxMessageSize" is ${layer.port.maxMessageSize}`;
    fail(layer, state, channelFailure('open-too-large', message));
    return;
  }
  layer.gates.openAck.arm(stream);
  layer.control.send(stream.id, data, state);
}

/**
 * RFC 8832 §6 wants user data sent ordered until something has been heard on the channel. A channel is open, and `send`
 * allowed, only when it has been, so that every message can have the channel's own reliability.
 */
export function openChannel(layer: Layer, stream: Stream, state: ChannelState): void {
  layer.gates.openAck.disarm(stream);
  state.phase = layer.association === 'shutting-down' ? 'shutting-down' : 'open';
  layer.port.setBufferedAmountLowThreshold(stream.id, state.lowThreshold);
  layer.port.setPriority(stream.id, PRIORITY[state.priority]);
  const type = state.settings.origin === 'remote' ? 'datachannel' : 'channelopen';
  layer.events.push({ type, channel: state.handle });
  receiveEarly(layer, stream, state);
}

/** The first bytes of an unfinished message: on an unknown stream, an OPEN that must not take for ever. */
export function onStreamData(layer: Layer, streamId: number): void {
  if (layer.streams.get(streamId) !== undefined) return;
  if (isFull(layer)) refuse(layer, streamId, 'openOverLimit');
  else layer.gates.inboundOpen.arm(layer.streams.occupy(streamId, 'half-open'));
}

/** User data on a stream that has no channel. True: it is kept, for a negotiated channel that we make yet, or an OPEN to come. */
export function onEarlyMessage(layer: Layer, streamId: number, message: EarlyMessage): boolean {
  const isKept =
    streamId < Math.min(layer.port.outboundStreams, MAX_STREAM_ID + 1) &&
    !(layer.streams.get(streamId) === undefined && isFull(layer)) &&
    layer.early.keep(streamId, message);
  if (!isKept) {
    layer.counters.add('earlyMessagesLost');
    refuse(layer, streamId, 'firstMessageNotOpen');
    return false;
  }
  layer.counters.add('earlyMessages');
  onStreamData(layer, streamId);
  return true;
}

/**
 * RFC 8832 §6: a valid OPEN of the peer's parity, or by `tolerateParity` of any, is answered, and the channel open; all else
 * resets the stream.
 */
export function onFirstMessage(layer: Layer, streamId: number, ppid: number, data: Bytes): void {
  const waiting = layer.streams.get(streamId);
  if (waiting !== undefined) layer.gates.inboundOpen.disarm(waiting);
  const { outboundStreams } = layer.port;
  const strictRole = layer.tolerateParity ? undefined : layer.role;
  const open = judgeFirstMessage(streamId, ppid, data, strictRole, outboundStreams, layer.limits);
  if (typeof open === 'string' || isFull(layer)) {
    refuse(layer, streamId, typeof open === 'string' ? open : 'openOverLimit');
    return;
  }
  if (hasParityOf(layer.role, streamId)) layer.counters.add('openWrongParity');
  const state = new ChannelState(remoteSettings(open), layer.limits.maxMessageSize, layer.owner);
  layer.channels.add(state);
  openChannel(layer, occupy(layer, streamId, state), state);
  layer.control.send(streamId, encodeAck());
}
