/**
 * How channels end. `closing.ts` knows of streams; here is what that means to the channels which have them:
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
import { channelOf } from './closing.ts';
import type { AskedMessage, ChannelState } from './data-channel.ts';
import type { RefusalCounter } from './events.ts';
import { channelFailure, expiry } from './failures.ts';
import type { Gate } from './gate.ts';
import type { Layer } from './layer.ts';
import type { Stream } from './streams.ts';

/** The application closes the channel. */
export function closeChannel(layer: Layer, state: ChannelState): void {
  if (state.phase === 'closing' || state.phase === 'closed') return;
  layer.clock.callWithoutTime();
  // Whoever closes a channel does not want to hear from it any more.
  layer.counters.add('lateMessages', layer.events.dropUnread(state));
  // With the association every stream ends: none is reset.
  if (state.phase === 'shutting-down') state.phase = 'closing';
  else shut(layer, state, 'send');
  layer.onCall?.(state.handle, { method: 'closeChannel' });
  layer.onActivity();
}

/**
 * The association is about to end gracefully (RFC 9260 §9.2), all its streams with it. Channels take nothing more; those that
 * nobody knows of yet close at once.
 */
export function shutDown(layer: Layer): void {
  if (layer.association === 'closed' || layer.association === 'shutting-down') return;
  layer.control.flush();
  layer.association = 'shutting-down';
  for (const state of layer.channels) {
    const stream = layer.streamOf(state);
    if (state.phase === 'waiting') {
      shut(layer, state, 'discard');
    } else if (state.phase !== 'closing') {
      if (stream !== undefined) layer.gates.openAck.disarm(stream);
      state.phase = 'shutting-down';
    }
  }
}

/** The channel cannot go on; the association can. */
export function fail(layer: Layer, state: ChannelState, cause: Failure): void {
  state.failure = cause;
  layer.events.resume(state);
  layer.events.push({ type: 'channelerror', channel: state.handle, failure: cause });
  shut(layer, state, 'discard');
}

/** Ends what the channel was waiting for and begins to close its stream, if anything was ever sent there. */
function shut(layer: Layer, state: ChannelState, queued: 'send' | 'discard'): void {
  const stream = layer.streamOf(state);
  if (stream !== undefined) {
    layer.gates.openAck.disarm(stream);
    layer.gates.reassembly.disarm(stream);
    layer.control.drop(stream.id);
    dropPieces(layer, state);
  }
  if (state.phase !== 'waiting') {
    state.phase = 'closing';
    if (stream !== undefined) layer.closing.begin(stream, queued);
    return;
  }
  if (stream !== undefined) layer.streams.release(stream);
  finish(layer, state, undefined);
}

/** Half a message that nobody will read gives back what it has taken of the window. */
function dropPieces(layer: Layer, state: ChannelState): void {
  const { bytes, pieces } = state.reader.drop();
  if (pieces > 0) layer.port.release(bytes, pieces);
}

/** Resets a stream that never became a channel. */
export function refuse(layer: Layer, streamId: number, why: RefusalCounter): void {
  layer.counters.add(why);
  const known = layer.streams.get(streamId);
  if (known === undefined && layer.streams.lostCount >= layer.limits.maxRefusedStreams) {
    layer.counters.add('unansweredStreams');
    return;
  }
  const stream = known ?? layer.streams.occupy(streamId, 'refused');
  layer.streams.lose(stream, 'refused');
  layer.gates.inboundOpen.disarm(stream);
  dropEarly(layer, streamId);
  if (stream.incoming === 'in-use') layer.port.ignore(streamId);
  layer.closing.begin(stream, 'discard');
}

/** Nobody comes for the messages that have waited on the stream. */
function dropEarly(layer: Layer, streamId: number): void {
  for (const { data } of layer.early.take(streamId)) {
    layer.counters.add('earlyMessagesLost');
    layer.port.release(data.length);
  }
}

/** RFC 8831 §6.7: whoever sees the peer's direction reset resets its own. */
export function onRemoteReset(layer: Layer, streamId: number): void {
  const stream = layer.streams.get(streamId);
  if (stream === undefined) return;
  const state = channelOf(stream);
  switch (state?.phase) {
    case 'waiting': // Nothing has been said on the stream yet: this is about a former use of it.
      return;
    case 'opening': // RFC 8832 §6: a reset instead of an ACK refuses the channel.
      fail(layer, state, channelFailure('open-refused', 'the peer refused the channel'));
      break;
    case 'open':
      layer.events.resume(state);
      layer.events.push({ type: 'channelclosing', channel: state.handle });
      shut(layer, state, 'discard');
      break;
    case 'shutting-down': // The association, which ends, answers it.
      break;
    case 'closing':
    case 'closed':
      layer.closing.discard(stream);
      break;
    case undefined:
      if (stream.occupant === 'half-open') {
        stream.incoming = 'reset';
        refuse(layer, streamId, layer.early.has(streamId) ? 'firstMessageNotOpen' : 'openMalformed');
      }
  }
  end(layer, layer.closing.onRemoteReset(stream));
}

export function onLocalReset(
  layer: Layer,
  streamId: number,
  outcome: 'performed' | 'denied' | 'timeout',
): void {
  const stream = layer.streams.get(streamId);
  if (stream !== undefined) end(layer, layer.closing.onLocalReset(stream, outcome));
}

/** The association has given up what waited on the stream: its channel cannot go on, the others can. */
export function onStreamStalled(layer: Layer, streamId: number, cause: Failure): void {
  const stream = layer.streams.get(streamId);
  const state = stream === undefined ? undefined : channelOf(stream);
  if (stream === undefined || stream.occupant === 'half-open') {
    if (stream !== undefined) layer.gates.inboundOpen.disarm(stream);
    refuse(layer, streamId, 'openExpired');
  } else if (state !== undefined && state.phase !== 'closing') {
    fail(layer, state, cause);
  }
}

export function expire(layer: Layer, gate: Gate<Stream>, stream: Stream, elapsed: number): void {
  const state = channelOf(stream);
  const cause = expiry(gate.name, elapsed, layer.port.peerSilentFor);
  switch (gate.name) {
    case 'openAck':
    case 'reassembly':
      if (state !== undefined) fail(layer, state, cause);
      return;
    case 'inboundOpen':
      refuse(layer, stream.id, layer.early.has(stream.id) ? 'firstMessageNotOpen' : 'openExpired');
      return;
    case 'closeDrain':
      if (state !== undefined) state.failure ??= cause;
      layer.closing.discard(stream);
      return;
    case 'streamReset':
      end(layer, layer.closing.giveUp(stream, cause));
  }
}

/** A stream has come to its end, perhaps: the channel that had it closes. */
export function end(layer: Layer, reached: StreamEnd | undefined): void {
  if (reached?.channel !== undefined) finish(layer, reached.channel, reached.failure, reached.isDelivered);
}

/**
 * The association is over, for the reason `cause`: every channel closes, once, and nothing is waited for any more.
 * @param unread messages that were not polled come out first, or, as this end has had enough, do not.
 */
export function closeAll(layer: Layer, cause: Failure | undefined, unread: 'given-out' | 'dropped'): void {
  if (layer.association === 'closed') return;
  layer.association = 'closed';
  for (const gate of Object.values(layer.gates)) gate.clear();
  layer.control.clear();
  layer.counters.add('earlyMessagesLost', layer.early.count);
  layer.early.clear();
  layer.streams.clear();
  for (const state of layer.channels) {
    if (unread === 'dropped') layer.counters.add('lateMessages', layer.events.dropUnread(state));
    finish(layer, state, cause);
  }
}

/** The one way into `closed`: the channel's last event, with the first cause. */
export function finish(
  layer: Layer,
  state: ChannelState,
  cause: Failure | undefined,
  isDelivered = false,
): void {
  layer.events.resume(state);
  // Acknowledgements may be on their way still; what is known now is said now, and once.
  for (const asked of state.asked) onOutcome(layer, asked, isDelivered ? 'acknowledged' : 'discarded');
  const first = state.failure ?? cause;
  state.phase = 'closed';
  layer.channels.delete(state);
  layer.events.push({
    type: 'channelclose',
    channel: state.handle,
    ...(first === undefined ? {} : { failure: first }),
  });
}

/** A message that was asked about has ended; what the association says of one that has ended here is old news. */
export function onOutcome(layer: Layer, asked: AskedMessage, outcome: MessageOutcome): void {
  const { state, id } = asked;
  if (state.asked.delete(asked)) {
    layer.events.push({ type: 'messageoutcome', channel: state.handle, id, outcome });
  }
}
