/**
 * The opening of channels: identifiers, the OPEN we send, the OPEN that comes in.
 *
 *   ours      createChannel, or draftChannel and adoptChannels → an identifier, when the role is known → establish, when the association is up → openChannel
 *   theirs    onStreamData: half open → onFirstMessage: ACK, openChannel; or refused
 *   neither   onEarlyMessage: half open, until one of these makes the channel
 */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import { isFailure } from '../core/decode.ts';
import type { DataChannel } from './data-channel.ts';
import { ChannelState } from './data-channel.ts';
import type { DcepOpen } from './dcep.ts';
import { decodeDcep, encodeAck, encodeOpen } from './dcep.ts';
import type { RefusalCounter } from './events.ts';
import { fail, refuse } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { ChannelTable } from './channel-table.ts';
import type { EarlyMessage } from './early-messages.ts';
import type { ChannelLimits, DataChannelOptions } from './options.ts';
import { MAX_STREAM_ID, PRIORITY, localSettings, remoteSettings } from './options.ts';
import { Ppid } from './payload.ts';
import { receiveEarly } from './receiving.ts';
import type { ChannelRole, Stream } from './streams.ts';
import { hasParityOf, parityOf } from './streams.ts';

const NO_FREE_ID = channelFailure('no-stream-id', 'all stream identifiers of our parity are in use');

/**
 * A new channel. Misuse is thrown before anything changes, as `DataChannels.createChannel` says; what the peer has a part in
 * fails the channel instead.
 */
export function createChannel(table: ChannelTable, label: string, options: DataChannelOptions): DataChannel {
  const state = draftChannel(table, label, options, []);
  adopt(table, state);
  return state.handle;
}

/**
 * A channel in the making: nobody knows of it but its handle. Throws as `createChannel` does.
 * @param beside the other channels of the same draft
 */
export function draftChannel(
  table: ChannelTable,
  label: string,
  options: DataChannelOptions,
  beside: readonly ChannelState[],
): ChannelState {
  const settings = localSettings(label, options, table.limits);
  checkOurs(table, settings.id, beside);
  const state = new ChannelState(settings, table.limits.maxMessageSize, table.owner);
  state.phase = 'drafted';
  return state;
}

/** Makes real what was drafted, but for what the application has closed since. Throws as `createChannel` does, for one or all. */
export function adoptChannels(table: ChannelTable, drafted: readonly ChannelState[]): void {
  const wanted = drafted.filter(({ phase }) => phase === 'drafted');
  const before: ChannelState[] = [];
  for (const state of wanted) {
    checkOurs(table, state.settings.id, before);
    before.push(state);
  }
  for (const state of wanted) adopt(table, state);
}

function adopt(table: ChannelTable, state: ChannelState): void {
  if (table.isOver) {
    state.phase = 'closed';
    return;
  }
  state.phase = 'waiting';
  const negotiatedId = state.settings.id;
  table.clock.callWithoutTime();
  const obstacle = obstacleTo(table, negotiatedId);
  table.admit(state);
  if (obstacle !== undefined) {
    fail(table, state, obstacle);
  } else {
    const id = negotiatedId ?? (table.role === undefined ? undefined : freeId(table, table.role));
    if (id !== undefined) occupy(table, id, state);
    establish(table, state);
  }
  table.onActivity();
}

/** Throws for what this end alone is to blame for: its own channels, opening or open, that leave no room. */
function checkOurs(
  table: ChannelTable,
  negotiatedId: number | undefined,
  beside: readonly ChannelState[],
): void {
  const isOurs = ({ settings, phase }: ChannelState): boolean =>
    settings.origin === 'local' && phase !== 'closing';
  const occupant = negotiatedId === undefined ? undefined : table.streams.get(negotiatedId)?.occupant;
  const isWanted = negotiatedId !== undefined && beside.some(({ settings }) => settings.id === negotiatedId);
  if (isWanted || (typeof occupant === 'object' && isOurs(occupant))) {
    throw badArgument('id', 'a stream that no other channel has', negotiatedId);
  }
  const { maxChannels } = table.limits;
  const ours = (): number => [...table.channels].filter(isOurs).length + beside.length;
  if (isFull(table, beside.length) && ours() >= maxChannels) {
    throw new RtcError('ERR_LIMIT', `"maxChannels" is ${maxChannels}, and so many are in use`);
  }
}

/** Why a channel cannot be, by what the peer has: its channels, its streams, resets it owes us. */
function obstacleTo(table: ChannelTable, negotiatedId: number | undefined): Failure | undefined {
  if (isFull(table)) {
    return channelFailure('too-many-channels', `"maxChannels" is ${table.limits.maxChannels}, of both sides`);
  }
  if (negotiatedId === undefined) {
    const isExhausted = table.role !== undefined && freeId(table, table.role) === undefined;
    return isExhausted ? NO_FREE_ID : undefined;
  }
  const occupant = table.streams.get(negotiatedId)?.occupant;
  if (occupant === undefined || occupant === 'half-open') return undefined;
  return channelFailure(
    'id-in-use',
    `stream ${negotiatedId} is the peer's, or was used before and is not reset`,
  );
}

/** The role is known: channels that wait for it get their identifiers, in order of creation. */
export function setRole(table: ChannelTable, role: ChannelRole): void {
  if (table.role === role) return;
  if (table.role !== undefined) {
    throw new RtcError('ERR_INVALID_STATE', `the role is "${table.role}" and cannot become "${role}"`);
  }
  table.role = role;
  table.clock.callWithoutTime();
  for (const state of table.channels) {
    if (state.id !== undefined) continue;
    const id = freeId(table, role);
    if (id === undefined) {
      fail(table, state, NO_FREE_ID);
    } else {
      occupy(table, id, state);
      establish(table, state);
    }
  }
}

/** True if the places are taken, `more` of them by channels that are yet to be made. */
function isFull(table: ChannelTable, more = 0): boolean {
  return table.channels.size + table.gates.inboundOpen.size + more >= table.limits.maxChannels;
}

/** The lowest identifier of our parity that is free, `undefined` if none is. */
function freeId(table: ChannelTable, role: ChannelRole): number | undefined {
  const id = table.streams.lowestFree(parityOf(role));
  return id < table.port.outboundStreams ? id : undefined;
}

function occupy(table: ChannelTable, id: number, state: ChannelState): Stream {
  state.id = id;
  const early = table.streams.get(id);
  if (early === undefined) return table.streams.occupy(id, state);
  table.gates.inboundOpen.disarm(early);
  early.occupant = state;
  return early;
}

/** Opens a channel as soon as it has both an identifier and an association that is up. */
export function establish(table: ChannelTable, state: ChannelState): void {
  const stream = table.streamOf(state);
  if (stream === undefined || table.association !== 'connected') return;
  if (stream.id >= table.port.outboundStreams) {
    fail(
      table,
      state,
      channelFailure('no-stream-id', `the peer takes ${table.port.outboundStreams} streams`),
    );
    return;
  }
  if (state.settings.negotiated) {
    openChannel(table, stream, state);
    return;
  }
  const data = encodeOpen({ ...state.settings, priority: PRIORITY[state.priority] });
  if (data.length > table.port.maxMessageSize) {
    const message = `the OPEN has ${data.length} bytes, "maxMessageSize" is ${table.port.maxMessageSize}`;
    fail(table, state, channelFailure('open-too-large', message));
    return;
  }
  table.gates.openAck.arm(stream);
  table.control.send(stream.id, data, state);
}

/**
 * RFC 8832 §6 wants user data sent ordered until something has been heard on the channel. A channel is open, and `send`
 * allowed, only when it has been, so that every message can have the channel's own reliability.
 */
export function openChannel(table: ChannelTable, stream: Stream, state: ChannelState): void {
  table.gates.openAck.disarm(stream);
  state.phase = table.association === 'shutting-down' ? 'shutting-down' : 'open';
  if (state.phase === 'open') table.opened++;
  table.port.setBufferedAmountLowThreshold(stream.id, state.lowThreshold);
  table.port.setPriority(stream.id, PRIORITY[state.priority]);
  const type = state.settings.origin === 'remote' ? 'datachannel' : 'channelopen';
  table.events.push({ type, channel: state.handle });
  receiveEarly(table, stream, state);
}

/** The first bytes of an unfinished message: on an unknown stream, an OPEN that must not take for ever. */
export function onStreamData(table: ChannelTable, streamId: number): void {
  if (table.streams.get(streamId) !== undefined) return;
  if (isFull(table)) refuse(table, streamId, 'openOverLimit');
  else table.gates.inboundOpen.arm(table.streams.occupy(streamId, 'half-open'));
}

/** User data on a stream that has no channel. True: it is kept, for a negotiated channel that we make yet, or an OPEN to come. */
export function onEarlyMessage(table: ChannelTable, streamId: number, message: EarlyMessage): boolean {
  const isKept =
    streamId < Math.min(table.port.outboundStreams, MAX_STREAM_ID + 1) &&
    !(table.streams.get(streamId) === undefined && isFull(table)) &&
    table.early.keep(streamId, message);
  if (!isKept) {
    table.counters.add('earlyMessagesLost');
    refuse(table, streamId, 'firstMessageNotOpen');
    return false;
  }
  table.counters.add('earlyMessages');
  onStreamData(table, streamId);
  return true;
}

/**
 * RFC 8832 §6: a valid OPEN of the peer's parity, or by `tolerateParity` of any, is answered, and the channel open; all else
 * resets the stream.
 */
export function onFirstMessage(table: ChannelTable, streamId: number, ppid: number, data: Bytes): void {
  const waiting = table.streams.get(streamId);
  if (waiting !== undefined) table.gates.inboundOpen.disarm(waiting);
  const { outboundStreams } = table.port;
  const strictRole = table.tolerateParity ? undefined : table.role;
  const open = judgeFirstMessage(streamId, ppid, data, strictRole, outboundStreams, table.limits);
  if (typeof open === 'string' || isFull(table)) {
    refuse(table, streamId, typeof open === 'string' ? open : 'openOverLimit');
    return;
  }
  if (hasParityOf(table.role, streamId)) table.counters.add('openWrongParity');
  const state = new ChannelState(remoteSettings(open), table.limits.maxMessageSize, table.owner);
  table.admit(state);
  openChannel(table, occupy(table, streamId, state), state);
  table.control.send(streamId, encodeAck());
}

/**
 * What to make of the first message on a stream that is not in use (RFC 8832 §6): the OPEN to accept, or the reason for which the
 * stream is to be reset.
 * @param role ours, whose identifiers the peer may not open; `undefined` if it may
 */
function judgeFirstMessage(
  streamId: number,
  ppid: number,
  data: Uint8Array,
  role: ChannelRole | undefined,
  outboundStreams: number,
  limits: ChannelLimits,
): DcepOpen | RefusalCounter {
  if (ppid !== Ppid.dcep) return 'firstMessageNotOpen';
  const message = decodeDcep(data, limits);
  if (isFailure(message))
    return message.reason === 'dcep-text-too-long' ? 'openTextTooLong' : 'openMalformed';
  if (message.type !== 'open') return 'firstMessageNotOpen';
  const isOurs = hasParityOf(role, streamId);
  // Beyond our outbound streams there is none to answer on; 65535 is reserved (RFC 8832 §8.2).
  return isOurs || streamId >= Math.min(outboundStreams, MAX_STREAM_ID + 1) ? 'openBadStreamId' : message;
}
