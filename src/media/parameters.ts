/**
 * Parameters of media: what both ends have agreed on, as the connection carries it out. A `MediaPlan` of a description is one; who signals
 * without SDP writes them.
 */

/** A codec under the number that it has in the packets of one direction. */
export interface CodecParameters {
  /** 0–127. */
  readonly payloadType: number;
  /** `audio/opus`, `video/VP8`; compared without regard to case. */
  readonly mimeType: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  readonly channels?: number | undefined;
  readonly sdpFmtpLine?: string | undefined;
  /** `nack`, `nack pli`, `ccm fir`, `transport-cc`, `goog-remb`, `ack ccfb` (RFC 8888 §6: in place of `transport-cc`). */
  readonly rtcpFeedback: readonly string[];
  /** Of what is sent again (RFC 4588). */
  readonly rtxPayloadType?: number | undefined;
}

/** A source that this end sends from. */
export interface SentSource {
  /** Of which encoding; absent for one plain stream. */
  readonly rid?: string | undefined;
  readonly ssrc: number;
  /** Of what is sent again (RFC 4588). */
  readonly rtxSsrc?: number | undefined;
}

/** What goes one way. */
export interface FlowParameters {
  /** In order of preference; empty where nothing may go. */
  readonly codecs: readonly CodecParameters[];
  readonly headerExtensions: readonly { readonly id: number; readonly uri: string }[];
  /** Empty for one plain stream. */
  readonly encodings: readonly { readonly rid: string; readonly active: boolean }[];
  /** Reduced-size RTCP (RFC 5506) may be sent this way. */
  readonly reducedSizeRtcp: boolean;
}

/** What this end sends. */
export interface SentFlow extends FlowParameters {
  /** The sources to send from; one that is missing is drawn. */
  readonly sources?: readonly SentSource[] | undefined;
}

/** What the peer sends, and the sources that it has told. */
export interface ReceivedFlow extends FlowParameters {
  readonly sources: readonly { readonly ssrc: number }[];
  /** `FID`: a source and where its packets are sent again. */
  readonly sourceGroups: readonly { readonly semantics: string; readonly ssrcs: readonly number[] }[];
}

/** One media: audio or video, one way or both. */
export interface MediaParameters {
  /** For as long as the connection lasts. */
  readonly id: number;
  readonly mid: string | undefined;
  readonly media: 'audio' | 'video';
  /** As seen from this end. */
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  readonly send: SentFlow;
  readonly receive: ReceivedFlow;
}
