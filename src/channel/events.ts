/** Events of channels, for the application; and the calls, counters and state that traces and inspection show. */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import type { MessageOutcome } from '../sctp/index.ts';
import type { ChannelInspection, DataChannel } from './data-channel.ts';
import type { ChannelPriority, GateName, SendOptions } from './options.ts';
import type { ChannelRole } from './streams.ts';

/** What an application is told of its channels. */
export type ChannelEvent =
  /** The peer opened a channel; it is open already. */
  | { readonly type: 'datachannel'; readonly channel: DataChannel }
  /** A channel of our own making is open. */
  | { readonly type: 'channelopen'; readonly channel: DataChannel }
  /** One whole message; binary `data` belongs to the receiver of the event. */
  | { readonly type: 'message'; readonly channel: DataChannel; readonly data: string | Bytes }
  /** The peer is closing the channel: nothing can be sent any more, and what was queued is dropped. */
  | { readonly type: 'channelclosing'; readonly channel: DataChannel }
  /** The channel's last event. `failure` says why, unless one of the sides called `close()` and all went well. */
  | { readonly type: 'channelclose'; readonly channel: DataChannel; readonly failure?: Failure }
  /** The channel is beyond use and on its way to `channelclose`. */
  | { readonly type: 'channelerror'; readonly channel: DataChannel; readonly failure: Failure }
  /**
   * A message sent with an `id` has ended: once for each, before the channel's `channelclose` at the latest. One that was
   * refused as `too-large` has this event in any case, without an `id` if it had none.
   */
  | {
      readonly type: 'messageoutcome';
      readonly channel: DataChannel;
      readonly id: number | string | undefined;
      readonly outcome: MessageOutcome;
    }
  /** `bufferedAmount` has fallen to `bufferedAmountLowThreshold`. */
  | { readonly type: 'bufferedamountlow'; readonly channel: DataChannel };

/** W3C `RTCSctpTransportState`. */
export type SctpTransportState = 'connecting' | 'connected' | 'closed';

/** What happens to channels, and to the association that carries them. */
export type SctpTransportEvent =
  | ChannelEvent
  | { readonly type: 'sctpstatechange'; readonly state: SctpTransportState }
  /**
   * What is queued and unacknowledged, over all channels, has fallen to `sctp.sendBufferLowThreshold` (half the send buffer
   * by default): what `send` has refused may fit now.
   */
  | { readonly type: 'sendbufferlow' };

/** A call on a channel's handle that has changed something, or was refused for want of room or for its size. */
export type ChannelCall =
  | {
      readonly method: 'send';
      readonly data: string | Uint8Array;
      readonly options?: SendOptions | undefined;
      readonly accepted: boolean;
    }
  | { readonly method: 'pauseReading' }
  | { readonly method: 'resumeReading' }
  | { readonly method: 'setLowThreshold'; readonly bytes: number }
  | { readonly method: 'setPriority'; readonly priority: ChannelPriority }
  | { readonly method: 'closeChannel' };

/** Why a stream was refused. */
export type RefusalCounter =
  | 'openMalformed'
  | 'openBadStreamId'
  | 'openOverLimit'
  | 'openTextTooLong'
  | 'openExpired'
  | 'firstMessageNotOpen';

/**
 * Streams refused, by reason, and those that there was no room to refuse; channels of the peer's that should not have had an
 * identifier of ours; channels closed for breaking the rules; messages dropped as their channel was closing; messages that
 * waited for their channel, and those that none came for; messages of ours that `send` refused for their size.
 */
export type ChannelCounter =
  | RefusalCounter
  | 'openWrongParity'
  | 'unansweredStreams'
  | 'protocolViolations'
  | 'badUserMessages'
  | 'lateMessages'
  | 'earlyMessages'
  | 'earlyMessagesLost'
  | 'messagesTooLarge';

/** Every counter of the channels, in the order in which they are shown. */
export const CHANNEL_COUNTERS: readonly ChannelCounter[] = [
  'openMalformed',
  'openBadStreamId',
  'openOverLimit',
  'openTextTooLong',
  'openExpired',
  'firstMessageNotOpen',
  'openWrongParity',
  'unansweredStreams',
  'protocolViolations',
  'badUserMessages',
  'lateMessages',
  'earlyMessages',
  'earlyMessagesLost',
  'messagesTooLarge',
];

/** `DataChannels.inspect()`: plain, JSON-safe data. */
export interface ChannelsInspection {
  readonly association: 'connecting' | 'connected' | 'shutting-down' | 'closed';
  readonly role: ChannelRole | null;
  /** Every channel that is not closed, in order of creation. */
  readonly channels: readonly ChannelInspection[];
  /** Streams without a channel: an OPEN begun, a refusal under way, an identifier given up. */
  readonly halfOpenStreams: number;
  readonly refusedStreams: number;
  readonly quarantinedStreams: number;
  /** The earliest deadline of each gate that somebody waits at, in milliseconds of the caller's clock. */
  readonly timers: Partial<Record<GateName, number>>;
  readonly queuedEvents: number;
  /** OPENs and ACKs for which the association's send buffer has had no room yet. */
  readonly queuedControl: number;
  /** Messages on streams that have no channel yet, and the bytes of user data in them. */
  readonly earlyMessages: number;
  readonly earlyBytes: number;
  readonly counters: Readonly<Record<ChannelCounter, number>>;
}
