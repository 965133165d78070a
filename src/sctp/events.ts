/** Events of an association, for its owner, its states, and the names of its counters. */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import type { SctpCause } from './packet/causes.ts';

/** States of RFC 9260 §4; `new` is CLOSED before the first step, `closed` is CLOSED for good. */
export type SctpState =
  | 'new'
  | 'cookie-wait'
  | 'cookie-echoed'
  | 'established'
  | 'shutdown-pending'
  | 'shutdown-sent'
  | 'shutdown-received'
  | 'shutdown-ack-sent'
  | 'closed';

/** A user message to send. `data` is copied, 1 byte at the least (RFC 9260 §3.3.1 knows no empty message). */
export interface SctpMessage {
  /** Payload protocol identifier, 32 bits (RFC 8831 §8). */
  readonly ppid: number;
  readonly data: Uint8Array;
  /** Delivered as soon as it is complete, whatever is missing before it. */
  readonly unordered?: boolean | undefined;
  /** RFC 3758 §3.5 by count: give the message up rather than retransmit a chunk of it more often than this. */
  readonly maxRetransmits?: number | undefined;
  /** RFC 3758 §4.1: give the message up this many milliseconds after `send`. */
  readonly maxPacketLifeTime?: number | undefined;
  /** Its share of the path against other streams' messages, above 0. Default: its stream's (`setPriority`). */
  readonly priority?: number | undefined;
  /** Asks for one `messageoutcome` event, which gives it back. */
  readonly token?: unknown;
}

/**
 * How a message ended. `acknowledged`: the peer has all of it. `expired`: its time ran out, `abandoned`: its
 * retransmissions did; the peer may have it all the same. `discarded`: the stream or the association ended first.
 * `too-large`: `send` has refused it, for the peer does not take so much, or our send buffer never holds it.
 */
export type MessageOutcome = 'acknowledged' | 'expired' | 'abandoned' | 'discarded' | 'too-large';

/** A whole message of the peer. */
export interface SctpMessageEvent {
  readonly type: 'message';
  readonly streamId: number;
  readonly ppid: number;
  /** The whole message, in memory of its own. */
  readonly data: Bytes;
  readonly unordered: boolean;
}

/** What an association tells its owner. */
export type SctpEvent =
  /** Both ends know of the association: data flows. */
  | { readonly type: 'connected' }
  | SctpMessageEvent
  /** The first chunk of a stream arrived and its message is not complete yet. Once a stream (until it is reset). */
  | { readonly type: 'streamdata'; readonly streamId: number }
  /**
   * RFC 6525. `remote`: the peer started its outgoing side anew. `local`: our own request has ended; after `denied` and
   * `timeout` the stream's sequence goes on where it was. The answer that was too late for `timeout` may still come: as
   * a second event.
   */
  | {
      readonly type: 'streamreset';
      readonly streamId: number;
      readonly origin: 'local' | 'remote';
      readonly outcome: 'performed' | 'denied' | 'timeout';
    }
  /**
   * The gate `reassembly`, for a stream alone: a message of it will never be whole, or never has its turn. What waited of
   * it has been dropped, and what still comes is, until the peer resets the stream.
   */
  | { readonly type: 'streamstalled'; readonly streamId: number; readonly failure: Failure }
  /** `bufferedAmount(streamId)` fell from above its threshold to it or below. */
  | { readonly type: 'bufferedamountlow'; readonly streamId: number }
  /** A message sent with a token has ended: once for each. One refused as `too-large` has it without a token, too. */
  | {
      readonly type: 'messageoutcome';
      readonly streamId: number;
      readonly token: unknown;
      readonly outcome: MessageOutcome;
    }
  /** What is queued and unacknowledged, over all streams, fell from above `sendBufferLowThreshold` to it or below. */
  | { readonly type: 'sendbufferlow' }
  /** The last event. Without a failure: both ends shut down gracefully. */
  | {
      readonly type: 'closed';
      readonly failure?: Failure | undefined;
      readonly origin: 'local' | 'remote';
      readonly causes: readonly SctpCause[];
    };

/** Names of an association's counters; all exist from the start. */
export const COUNTERS = [
  'packets-sent',
  'packets-received',
  'messages-sent',
  'messages-received',
  'retransmitted-chunks',
  'fast-retransmits',
  'tail-loss-probes',
  'retransmission-timeouts',
  'abandoned-messages',
  'expired-messages',
  'refused-too-large',
  'heartbeats-sent',
  'path-mtu-probes-sent',
  'path-mtu-probes-lost',
  'path-mtu-black-holes',
  // What was dropped, by reason:
  'packet-too-short',
  'bad-checksum',
  'malformed-chunk',
  'malformed-parameter',
  'malformed-init',
  'malformed-sack',
  'malformed-reconfig',
  'malformed-forward-tsn',
  'wrong-port',
  'wrong-tag',
  'unexpected-chunk',
  'late-setup-chunk',
  'unknown-chunk',
  'unknown-cookie',
  'duplicate-tsn',
  'tsn-out-of-window',
  'receive-window-full',
  'receive-window-grown',
  'fragments-full',
  'open-messages-full',
  'deferred-reset-full',
  'gaps-full',
  'stream-states-full',
  'stalled-streams',
  'ignored-chunk',
  'invalid-stream',
  'message-out-of-turn',
  'late-fragment',
  'stale-sack',
  'invalid-sack',
  'invalid-forward-tsn',
  'stale-reset',
  'invalid-reset',
  'stray-heartbeat-ack',
  'error-received',
  'reply-queue-full',
  'sacks-merged',
] as const;

/** The name of a counter. */
export type SctpCounter = (typeof COUNTERS)[number];
