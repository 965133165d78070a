/**
 * The end of channels. `closing.ts` knows of streams; here is what that means to the channels which have them:
 *
 *   shutDown       the association is to end gracefully: nothing new is taken, all else goes on
 *   closeChannel   the application's `close()`: what is queued goes out first
 *   fail           the channel cannot go on: `channelerror`, what is queued is dropped
 *   onRemoteReset  the peer's close; onLocalReset  the answer to ours; expire  a gate
 *   refuse         a stream that never became a channel
 *   finish         the one way into `closed`
 */
import type { Failure } from '../core/errors.ts';
import type { MessageOutcome } from '../sctp/index.ts';
import type { StreamEnd } from './closing.ts';
import type { AskedMessage, ChannelState } from './data-channel.ts';
import type { RefusalCounter } from './events.ts';
import { channelFailure, expiry } from './failures.ts';
import type { Gate } from './gate.ts';
import type { ChannelTable } from './channel-table.ts';
import type { Stream } from './streams.ts';
import { channelOf } from './streams.ts';

/** The application closes the channel. */
export function closeChannel(table: ChannelTable, state: ChannelState): void {
  if (state.phase === 'closing' || state.phase === 'closed') return;
  if (state.phase === 'drafted') {
    state.phase = 'closed';
    table.onCall?.(state.handle, { method: 'closeChannel' });
    return;
  }
  table.clock.callWithoutTime();
  // An application that closes a channel does not want its messages any more.
  table.counters.add('lateMessages', table.events.dropUnread(state));
  // With the association every stream ends: none is reset.
  if (state.phase === 'shutting-down') state.phase = 'closing';
  else shut(table, state, 'send');
  table.onCall?.(state.handle, { method: 'closeChannel' });
  table.onActivity();
}

/**
 * The association is about to end gracefully (RFC 9260 §9.2), all its streams with it. Channels take nothing more; those that
 * nobody knows of yet close at once.
 */
export function shutDown(table: ChannelTable): void {
  if (table.association === 'closed' || table.association === 'shutting-down') return;
  table.control.flush();
  table.association = 'shutting-down';
  for (const state of table.channels) {
    const stream = table.streamOf(state);
    if (state.phase === 'waiting') {
      shut(table, state, 'discard');
    } else if (state.phase !== 'closing') {
      if (stream !== undefined) table.gates.openAck.disarm(stream);
      state.phase = 'shutting-down';
    }
  }
}

/** The channel cannot go on; the association can. */
export function fail(table: ChannelTable, state: ChannelState, cause: Failure): void {
  state.failure = cause;
  table.events.resume(state);
  table.events.push({ type: 'channelerror', channel: state.handle, failure: cause });
  shut(table, state, 'discard');
}

/** Ends what the channel was waiting for and begins to close its stream, if anything was ever sent there. */
function shut(table: ChannelTable, state: ChannelState, queued: 'send' | 'discard'): void {
  const stream = table.streamOf(state);
  if (stream !== undefined) {
    table.gates.openAck.disarm(stream);
    table.gates.reassembly.disarm(stream);
    table.control.drop(stream.id);
    dropPieces(table, state);
  }
  if (state.phase !== 'waiting') {
    state.phase = 'closing';
    if (stream !== undefined) table.closing.begin(stream, queued);
    return;
  }
  if (stream !== undefined) table.streams.release(stream);
  finish(table, state, undefined);
}

/** Half a message that nobody will read gives back what it has taken of the window. */
function dropPieces(table: ChannelTable, state: ChannelState): void {
  const { bytes, pieces } = state.reader.drop();
  if (pieces > 0) table.port.release(bytes, pieces);
}

/** Resets a stream that never became a channel. */
export function refuse(table: ChannelTable, streamId: number, why: RefusalCounter): void {
  table.counters.add(why);
  const known = table.streams.get(streamId);
  if (known === undefined && table.streams.lostCount >= table.limits.maxRefusedStreams) {
    table.counters.add('unansweredStreams');
    return;
  }
  const stream = known ?? table.streams.occupy(streamId, 'refused');
  table.streams.lose(stream, 'refused');
  table.gates.inboundOpen.disarm(stream);
  dropEarly(table, streamId);
  if (stream.incoming === 'in-use') table.port.ignore(streamId);
  table.closing.begin(stream, 'discard');
}

/** Nobody comes for the messages that have waited on the stream. */
function dropEarly(table: ChannelTable, streamId: number): void {
  for (const { data } of table.early.take(streamId)) {
    table.counters.add('earlyMessagesLost');
    table.port.release(data.length);
  }
}

/** RFC 8831 §6.7: an end that sees the peer's direction reset resets its own. */
export function onRemoteReset(table: ChannelTable, streamId: number): void {
  const stream = table.streams.get(streamId);
  if (stream === undefined) return;
  const state = channelOf(stream);
  switch (state?.phase) {
    case 'drafted':
    case 'waiting': // Nothing has been said on the stream yet: this is about a former use of it.
      return;
    case 'opening': // RFC 8832 §6: a reset instead of an ACK refuses the channel.
      fail(table, state, channelFailure('open-refused', 'the peer refused the channel'));
      break;
    case 'open':
      table.events.resume(state);
      table.events.push({ type: 'channelclosing', channel: state.handle });
      shut(table, state, 'discard');
      break;
    case 'shutting-down': // The association, which ends, answers it.
      break;
    case 'closing':
    case 'closed':
      table.closing.discard(stream);
      break;
    case undefined:
      if (stream.occupant === 'half-open') {
        stream.incoming = 'reset';
        refuse(table, streamId, table.early.has(streamId) ? 'firstMessageNotOpen' : 'openMalformed');
      }
  }
  end(table, table.closing.onRemoteReset(stream));
}

/** The association says how our reset of a stream went. */
export function onLocalReset(
  table: ChannelTable,
  streamId: number,
  outcome: 'performed' | 'denied' | 'timeout',
): void {
  const stream = table.streams.get(streamId);
  if (stream !== undefined) end(table, table.closing.onLocalReset(stream, outcome));
}

/** The association has given up what waited on the stream: its channel cannot go on, the others can. */
export function onStreamStalled(table: ChannelTable, streamId: number, cause: Failure): void {
  const stream = table.streams.get(streamId);
  const state = stream === undefined ? undefined : channelOf(stream);
  if (stream === undefined || stream.occupant === 'half-open') {
    if (stream !== undefined) table.gates.inboundOpen.disarm(stream);
    refuse(table, streamId, 'openExpired');
  } else if (state !== undefined && state.phase !== 'closing') {
    fail(table, state, cause);
  }
}

/** The wait of `stream` at `gate` is over, after `elapsed` milliseconds. */
export function expire(table: ChannelTable, gate: Gate<Stream>, stream: Stream, elapsed: number): void {
  const state = channelOf(stream);
  const cause = expiry(gate.name, elapsed, table.port.peerSilentFor);
  switch (gate.name) {
    case 'openAck':
    case 'reassembly':
      if (state !== undefined) fail(table, state, cause);
      return;
    case 'inboundOpen':
      refuse(table, stream.id, table.early.has(stream.id) ? 'firstMessageNotOpen' : 'openExpired');
      return;
    case 'closeDrain':
      if (state !== undefined) state.failure ??= cause;
      table.closing.discard(stream);
      return;
    case 'streamReset':
      end(table, table.closing.giveUp(stream, cause));
  }
}

/** A stream has come to its end, perhaps: the channel that had it closes. */
export function end(table: ChannelTable, reached: StreamEnd | undefined): void {
  if (reached?.channel !== undefined) finish(table, reached.channel, reached.failure, reached.isDelivered);
}

/**
 * The association is over, for the reason `cause`: every channel closes, once, and nothing is waited for any more.
 * @param unread messages that were not polled come out first, or, as this end has had enough, do not.
 */
export function closeAll(
  table: ChannelTable,
  cause: Failure | undefined,
  unread: 'given-out' | 'dropped',
): void {
  if (table.association === 'closed') return;
  table.association = 'closed';
  for (const gate of Object.values(table.gates)) gate.clear();
  table.control.clear();
  table.counters.add('earlyMessagesLost', table.early.count);
  table.early.clear();
  table.streams.clear();
  for (const state of table.channels) {
    if (unread === 'dropped') table.counters.add('lateMessages', table.events.dropUnread(state));
    finish(table, state, cause);
  }
}

/** The one way into `closed`: the channel's last event, with the first cause. */
export function finish(
  table: ChannelTable,
  state: ChannelState,
  cause: Failure | undefined,
  isDelivered = false,
): void {
  table.events.resume(state);
  // Acknowledgements may be on their way still; what is known now is said now, and once.
  for (const asked of state.asked) onOutcome(table, asked, isDelivered ? 'acknowledged' : 'discarded');
  const first = state.failure ?? cause;
  state.phase = 'closed';
  table.channels.delete(state);
  table.events.push({
    type: 'channelclose',
    channel: state.handle,
    ...(first === undefined ? {} : { failure: first }),
  });
}

/** A message that was asked about has ended. Of one that has already ended here the association's word is ignored. */
export function onOutcome(table: ChannelTable, asked: AskedMessage, outcome: MessageOutcome): void {
  const { state, id } = asked;
  if (state.asked.delete(asked)) {
    table.events.push({ type: 'messageoutcome', channel: state.handle, id, outcome });
  }
}
