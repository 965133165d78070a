/**
 * The contract of media: what a connection is handed to carry RTP, what it may call, what it is told.
 *
 *   in:   RTP │ RTCP, authenticated → routed to its stream → events
 *   out:  `sender.write(packet)` → queue of the stream → RTP when polled │ RTCP by timers and by need
 */
import type { Clock } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import type { PathUser } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { App, ApplicationFeedback, RtpPacket } from '../rtp/index.ts';
import type { SrtpSupport } from '../srtp/index.ts';
import type { MediaInspection } from './inspection.ts';
import type { MediaOptions } from './options.ts';
import type { CodecParameters, MediaParameters } from './parameters.ts';
import type { RtpStats } from './rtp-stats.ts';

/** A stream of the peer's: the same object in every event that belongs to it. */
export interface RtpStream {
  /** Of the media it belongs to. */
  readonly mediaId: number;
  readonly kind: 'audio' | 'video';
  readonly mid: string | undefined;
  /** Of a simulcast. */
  readonly rid: string | undefined;
  readonly ssrc: number;
  /** Ids of header extensions by their URIs, for `RtpPacket.extension`. */
  readonly extensionIds: ReadonlyMap<string, number>;
}

/** A packet of the peer's. Header and payload are views of memory that is the receiver's: nobody writes to it any more. */
export interface RtpEvent {
  readonly type: 'rtp';
  readonly stream: RtpStream;
  readonly packet: RtpPacket;
  readonly codec: CodecParameters;
  /** The sequence number, unwrapped: it grows by one a packet and never wraps. */
  readonly sequence: number;
  /** The timestamp, unwrapped, in units of the codec's clock. */
  readonly time: number;
  /** Milliseconds on the caller's clock. */
  readonly receivedAt: number;
  /** It was lost, and has been sent again (RFC 4588, or as it was). */
  readonly isRecovered: boolean;
}

/** What became of a packet, as the peer's feedback has it: transport-wide, or by source (RFC 8888). */
export interface PacketResult {
  /** Unwrapped, in the order of sending. */
  readonly transportSequence: number;
  readonly mediaId: number;
  readonly ssrc: number;
  /** Bytes of the RTP packet. */
  readonly size: number;
  /** Milliseconds on the caller's clock. */
  readonly sentAt: number;
  /**
   * Milliseconds on the peer's clock, of which only differences count, among results of one kind of feedback; `undefined`: it did not
   * come, so far.
   */
  readonly arrivedAt: number | undefined;
}

/** What media tell. */
export type MediaStreamEvent =
  | RtpEvent
  /** A stream of the peer's is heard for the first time. */
  | { readonly type: 'rtpstreamstart'; readonly stream: RtpStream }
  /** Nothing has come for `pauseTimeout`. It goes on with `rtpstreamresume`. */
  | { readonly type: 'rtpstreampause'; readonly stream: RtpStream; readonly failure: Failure }
  | { readonly type: 'rtpstreamresume'; readonly stream: RtpStream }
  /** By a BYE, another source in its place, a change of what is agreed on, or silence for `streamTimeout`. */
  | { readonly type: 'rtpstreamend'; readonly stream: RtpStream; readonly failure: Failure }
  /** A keyframe was asked for and has not come within `keyframeTimeout`: the requests have stopped. */
  | { readonly type: 'keyframetimeout'; readonly stream: RtpStream; readonly failure: Failure }
  /** The peer wants a keyframe of what this end sends. */
  | {
      readonly type: 'keyframerequest';
      readonly mediaId: number;
      readonly rid: string | undefined;
      readonly reason: 'pli' | 'fir';
    }
  /** The peer's clock beside the timestamps of a stream, for lip-sync (RFC 3550 §6.4.1). */
  | {
      readonly type: 'senderreport';
      readonly stream: RtpStream;
      /** Milliseconds since 1900, on the peer's clock. */
      readonly ntpTime: number;
      /** Unwrapped, as `RtpEvent.time`. */
      readonly time: number;
    }
  /** What feedback says of packets sent (`PacketResult`), oldest first. */
  | { readonly type: 'packetresults'; readonly results: readonly PacketResult[] }
  /** The peer's estimate of what it can receive, bits per second. */
  | { readonly type: 'remb'; readonly bitrate: number; readonly ssrcs: readonly number[] }
  /** A tone of DTMF (RFC 4733) has ended, or its end was lost. `duration`: ms. */
  | {
      readonly type: 'dtmf';
      readonly stream: RtpStream;
      readonly tone: string;
      readonly duration: number;
    }
  /** RTCP of an application's own. */
  | { readonly type: 'rtcp'; readonly packet: App | ApplicationFeedback };

/** A packet to send. What it refers to is not copied: it must not change until the connection is over, and may be shared with others. */
export interface OutgoingPacket {
  readonly payload: Uint8Array;
  /** In units of the codec's clock; its low 32 bits are sent. */
  readonly timestamp: number;
  readonly marker?: boolean | undefined;
  /** Of the codecs agreed on. Default: the first. */
  readonly payloadType?: number | undefined;
  /**
   * Where the sender counts by itself, absent. Otherwise: unwrapped, larger than all before or missing among them; what is left out
   * counts as lost on the way.
   */
  readonly sequence?: number | undefined;
  /** Further header extensions by their URIs; one that is not agreed on is left out. */
  readonly extensions?: readonly { readonly uri: string; readonly value: Uint8Array }[] | undefined;
  /** Bytes of the payload that are sent in place of its own: rewritten picture ids. */
  readonly patch?: PayloadPatch | undefined;
}

/** Other bytes at the beginning of a payload: the first `replaced` bytes are not sent, `bytes` are in their place. */
export interface PayloadPatch {
  readonly replaced: number;
  readonly bytes: Uint8Array;
}

/** One stream that this end sends: of a media, or of one of its encodings. The same object for as long as that lives. */
export interface RtpSender {
  readonly mediaId: number;
  readonly rid: string | undefined;
  readonly ssrc: number;
  /** A packet can be sent: media are agreed on in this direction, and the path is there. */
  readonly isWritable: boolean;
  /** Bytes that wait. */
  readonly bufferedAmount: number;
  /**
   * Queues a packet; it never waits. False: it was dropped, and counted, as the queue is full or nothing can be sent. Throws
   * `ERR_BAD_ARGUMENT` for what can be no packet.
   */
  write(packet: OutgoingPacket): boolean;
  /** Queues tones of DTMF, `0-9A-D#*` and `,` for a pause. False: no telephone-event is agreed on, or too many wait. */
  writeDtmf(tones: string, options?: DtmfOptions): boolean;
}

/** How tones are sent. */
export interface DtmfOptions {
  /** Milliseconds a tone, 40–6000. Default 100. */
  readonly duration?: number | undefined;
  /** Milliseconds between, 30–6000. Default 70. */
  readonly gap?: number | undefined;
}

/** What a connection gives its media. */
export interface MediaEnvironment {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Largest UDP payload before more is known. */
  readonly mtu: number;
  /** RTCP's name of this end (RFC 7022), the one that its descriptions say. */
  readonly cname: string;
  /** A handle was called. */
  readonly onActivity: () => void;
}

/** Calls on senders, as data, for traces. */
export type SenderCall =
  | { readonly method: 'writeRtp'; readonly packet: OutgoingPacket; readonly result: boolean }
  | {
      readonly method: 'writeDtmf';
      readonly tones: string;
      readonly options?: DtmfOptions | undefined;
      readonly result: boolean;
    };

/** Media of one connection, as its stack knows them. */
export interface MediaUser extends PathUser<MediaStreamEvent> {
  /** Who is told of each call on a sender. */
  onSenderCall: ((sender: RtpSender, call: SenderCall) => void) | undefined;
  /** What is agreed on from now on, all of it. */
  setMedia(media: readonly MediaParameters[], now: number): void;
  /** `undefined`: no such media, or no such encoding of it. */
  sender(mediaId: number, rid?: string): RtpSender | undefined;
  /** Asks the peer for a keyframe of a stream of this media: by PLI, or FIR where that alone is agreed on. @returns false: nothing agreed on */
  requestKeyframe(mediaId: number, rid: string | undefined, now: number): boolean;
  /** Tells the peer what this end can receive, bits per second. @returns false: not agreed on */
  sendRemb(bitrate: number, now: number): boolean;
  inspect(): MediaInspection;
  /** W3C's stats objects of this moment, `timestamp` milliseconds on the caller's clock. */
  stats(transportId: string, timestamp: number): readonly RtpStats[];
}

/** Media as a connection is handed them at construction: `rtpMedia()` of `sansrtc/media`. Who uses data alone does not carry them. */
export interface MediaSupport {
  /** What it was made with, as plain data: a trace says it, and a replay makes the same again. */
  readonly options: Readonly<MediaOptions>;
  readonly srtp: SrtpSupport;
  create(environment: MediaEnvironment): MediaUser;
}
