/**
 * Media of a session, as offer and answer speak of them: what an end can do, what it wants, what both have agreed on. Names and meanings
 * are those of W3C's RTCRtpCodec, RTCRtpHeaderExtensionParameters and RTCRtpEncodingParameters where these have one.
 */
import type { Direction, SdpParameter, SdpSource, SdpSourceGroup } from '../sdp/index.ts';

/** What a section for media may carry. */
export type MediaKind = 'audio' | 'video';

/** A codec that this end can do. */
export interface CodecCapability {
  /** `audio/opus`, `video/VP8`; compared without regard to case. */
  readonly mimeType: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  /** Of audio; 1 where it is not said. */
  readonly channels?: number | undefined;
  /** What this end says of it in `fmtp`. */
  readonly sdpFmtpLine?: string | undefined;
  /**
   * RTCP feedback that this end gives and takes: `nack`, `nack pli`, `transport-cc`; `ack ccfb`, of one codec as good as of all of a
   * section, is congestion control feedback (RFC 8888), and where the other end has it as well nobody gives `transport-cc`.
   */
  readonly rtcpFeedback?: readonly string[] | undefined;
  /** Lost packets may be sent again (RFC 4588). Default false. */
  readonly rtx?: boolean | undefined;
}

/** A codec under the number that it has in the packets of one direction. */
export interface MediaCodec {
  /** 0–127. */
  readonly payloadType: number;
  readonly mimeType: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  readonly channels?: number | undefined;
  /** What the end that receives says of it. */
  readonly sdpFmtpLine?: string | undefined;
  readonly rtcpFeedback: readonly string[];
  /** The number of what is sent again (RFC 4588), where that is agreed on. */
  readonly rtxPayloadType?: number | undefined;
}

/** A header extension under the number that it has in a BUNDLE group. */
export interface MediaHeaderExtension {
  /** 1–14, or up to 255 where both ends take the two-byte form as well. */
  readonly id: number;
  readonly uri: string;
}

/** One of several encodings of a media source that are sent at once (simulcast). */
export interface MediaEncoding {
  readonly rid: string;
  /** False: agreed on, and not to be sent at first (`~`). */
  readonly active: boolean;
  /** `max-width=1280` and the like (RFC 8851 §5). */
  readonly restrictions: readonly SdpParameter[];
}

/** What this end wants of one media section. */
export interface MediaWish {
  readonly direction: Direction;
  /** In order of preference; at least one. `undefined`: whatever the connection can do, in the order that was agreed on last. */
  readonly codecs: readonly CodecCapability[] | undefined;
  /** URIs. `undefined`: whatever the connection can do. */
  readonly headerExtensions: readonly string[] | undefined;
  /** What is to be sent as simulcast; empty for one plain stream. */
  readonly encodings: readonly MediaEncoding[];
  /** The rids that are to be received, in order. `undefined`: all that the peer offers. */
  readonly receivedRids?: readonly string[] | undefined;
  /** The identifiers of the MediaStreams that what is sent belongs to. */
  readonly streams: readonly string[];
}

/** What goes one way. */
export interface MediaFlow {
  /** In the order of preference of the end that receives. Empty where nothing may go. */
  readonly codecs: readonly MediaCodec[];
  readonly headerExtensions: readonly MediaHeaderExtension[];
  /** Empty for one plain stream. */
  readonly encodings: readonly MediaEncoding[];
  readonly streams: readonly string[];
  /** Reduced-size RTCP (RFC 5506) may be sent this way. */
  readonly reducedSizeRtcp: boolean;
}

/** A source that this end sends from. */
export interface SentSource {
  /** Of which encoding; absent for one plain stream. */
  readonly rid?: string | undefined;
  /** 1–4294967295. */
  readonly ssrc: number;
  /** Of what is sent again (RFC 4588). */
  readonly rtxSsrc?: number | undefined;
}

/** What this end sends: its flow, and the sources that it has told. */
export interface SentFlow extends MediaFlow {
  /** Absent where this end does not name its sources: whoever sends draws them. */
  readonly sources?: readonly SentSource[] | undefined;
}

/** What the peer will send: its flow, and the sources that it has told. */
export interface ReceivedFlow extends MediaFlow {
  readonly sources: readonly SdpSource[];
  readonly sourceGroups: readonly SdpSourceGroup[];
}

/** What the connection has to do for a media section. */
export interface MediaPlan {
  readonly kind: 'media';
  /** Of the media that the section is for, as long as the session lasts: even for what this end has added, odd for the peer's. */
  readonly id: number;
  readonly mid: string | undefined;
  readonly media: MediaKind;
  /** Agreed on, as seen from this end: what W3C calls the current direction. */
  readonly direction: Direction;
  readonly send: SentFlow;
  readonly receive: ReceivedFlow;
}

/** A change of what this end wants of its media, for the next offer. */
export type MediaChange =
  | { readonly type: 'add'; readonly id: number; readonly media: MediaKind; readonly wish: MediaWish }
  | { readonly type: 'set'; readonly id: number; readonly wish: Partial<MediaWish> }
  | { readonly type: 'stop'; readonly id: number };

/** What this end makes of one section of an offer of the peer's. What is absent is decided by what was wished before. */
export interface SectionChoice {
  /** The index of the `m=` line. */
  readonly index: number;
  readonly reject?: true | undefined;
  /** What this end wants; the answer says what the offer leaves of it. */
  readonly direction?: Direction | undefined;
  readonly codecs?: readonly CodecCapability[] | undefined;
  readonly headerExtensions?: readonly string[] | undefined;
  readonly streams?: readonly string[] | undefined;
  /** The rids that this end receives, of those offered; in order. */
  readonly encodings?: readonly string[] | undefined;
}

/** A media section of an offer of the peer's, for whoever answers. */
export interface OfferedMedia {
  /** The index of its `m=` line. */
  readonly index: number;
  readonly mid: string | undefined;
  readonly media: MediaKind;
  /** The media that it goes on with; `undefined` for new ones. */
  readonly id: number | undefined;
  /** As the peer says it, of itself. */
  readonly direction: Direction;
  /** Every codec that is offered, under the offer's numbers. */
  readonly codecs: readonly MediaCodec[];
  readonly headerExtensions: readonly MediaHeaderExtension[];
  /** What the peer would send as simulcast. */
  readonly encodings: readonly MediaEncoding[];
  /** The identifiers of the peer's MediaStreams. */
  readonly streams: readonly string[];
  /** What the answer says if nothing else is chosen; `undefined`: it rejects the section. */
  readonly answer: Direction | undefined;
}
