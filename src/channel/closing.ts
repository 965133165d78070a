/**
 * Closing: how a stream comes to its end (RFC 8831 §6.7), whether a channel had it or not.
 *
 *   our direction:   in-use ─▶ draining ─▶ resetting ─▶ reset      (draining: only with something queued)
 *   the peer's:      in-use ─▶ reset
 *   both reset       the identifier is free again
 *   no answer        the stream is given up after `streamReset`: quarantined, its identifier taken for good
 *
 * Each step answers a `StreamEnd` when it was the last one.
 */
import type { Failure } from '../core/errors.ts';
import type { ChannelState } from './data-channel.ts';
import { channelFailure } from './failures.ts';
import type { Gates } from './gate.ts';
import { DEFAULT_PRIORITY, PRIORITY } from './options.ts';
import type { SctpPort } from './port.ts';
import { acceptsData } from './port.ts';
import type { Stream, StreamTable } from './streams.ts';
import { channelOf } from './streams.ts';

/** A stream has come to its end, and so has the channel that had it. */
export interface StreamEnd {
  readonly channel: ChannelState | undefined;
  /** Why it ended otherwise than by both resets. */
  readonly failure: Failure | undefined;
  /** The peer has reset its view of our direction: it has all that was sent before. */
  readonly isDelivered: boolean;
}

/** Moves the streams of one association through their closing; it holds nothing of its own. */
export class Closing {
  readonly #port: SctpPort;
  readonly #streams: StreamTable;
  readonly #gates: Gates<Stream>;

  constructor(port: SctpPort, streams: StreamTable, gates: Gates<Stream>) {
    this.#port = port;
    this.#streams = streams;
    this.#gates = gates;
  }

  /** Resets our direction: after what is queued, or instead of it. */
  begin(stream: Stream, queued: 'send' | 'discard'): void {
    if (queued === 'discard') this.#port.discard(stream.id);
    this.#port.setBufferedAmountLowThreshold(stream.id, 0);
    if (this.#port.bufferedAmount(stream.id) > 0) {
      stream.outgoing = 'draining';
      this.#gates.closeDrain.arm(stream);
    } else {
      this.#awaitReset(stream);
    }
    if (acceptsData(this.#port)) this.#port.resetStreams([stream.id]);
  }

  /** Nobody waits for what is still queued: the peer has closed its direction, or draining took too long. */
  discard(stream: Stream): void {
    if (stream.outgoing !== 'draining') return;
    this.#port.discard(stream.id);
    this.drained(stream);
  }

  /** Everything queued has been sent: from here on the clock of the reset itself runs. */
  drained(stream: Stream): void {
    if (stream.outgoing !== 'draining') return;
    this.#gates.closeDrain.disarm(stream);
    this.#awaitReset(stream);
  }

  /** The association says how our reset went. Nothing happens if we do not wait for one. */
  onLocalReset(stream: Stream, outcome: 'performed' | 'denied' | 'timeout'): StreamEnd | undefined {
    if (stream.outgoing === 'in-use' || stream.outgoing === 'reset') return undefined;
    this.drained(stream);
    switch (outcome) {
      case 'performed':
        stream.outgoing = 'reset';
        return this.#endIfReset(stream);
      case 'denied':
        return this.giveUp(stream, channelFailure('reset-denied', 'the peer refused to reset the stream'));
      case 'timeout':
        return this.giveUp(stream, channelFailure('reset-timeout', 'the peer did not reset the stream'));
    }
  }

  /** The peer has reset its direction; ours is on its way by now. */
  onRemoteReset(stream: Stream): StreamEnd | undefined {
    stream.incoming = 'reset';
    return this.#endIfReset(stream);
  }

  /**
   * The peer, having reset its direction, speaks again on the stream: it reuses the identifier, so it has seen our reset,
   * and the answer that says so has been overtaken.
   */
  onReuse(stream: Stream): StreamEnd | undefined {
    stream.outgoing = 'reset';
    return this.#endIfReset(stream);
  }

  /** Waits no longer. A reset that comes after all still frees the identifier. */
  giveUp(stream: Stream, failure: Failure): StreamEnd {
    this.#disarm(stream);
    const channel = channelOf(stream);
    this.#streams.lose(stream, 'quarantined');
    // Half a message of it must not count as one that is waited for.
    if (stream.incoming === 'in-use') this.#port.ignore(stream.id);
    return { channel, failure, isDelivered: stream.outgoing === 'reset' };
  }

  #endIfReset(stream: Stream): StreamEnd | undefined {
    if (stream.outgoing !== 'reset' || stream.incoming !== 'reset') return undefined;
    this.#disarm(stream);
    this.#streams.release(stream);
    return { channel: channelOf(stream), failure: undefined, isDelivered: true };
  }

  /** Nothing is queued any more: the association may forget the stream when it is reset. */
  #awaitReset(stream: Stream): void {
    stream.outgoing = 'resetting';
    this.#gates.streamReset.arm(stream);
    this.#port.setPriority(stream.id, PRIORITY[DEFAULT_PRIORITY]);
  }

  #disarm(stream: Stream): void {
    this.#gates.closeDrain.disarm(stream);
    this.#gates.streamReset.disarm(stream);
  }
}
