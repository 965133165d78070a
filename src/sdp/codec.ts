/** Codecs of a media section: `rtpmap` and `fmtp` (RFC 8866 §6.6, §6.15), `rtcp-fb` (RFC 4585 §4.2). */

/** One `name=value` of an attribute, in the order in which they stand. A name alone has no value. */
export interface SdpParameter {
  readonly name: string;
  readonly value: string | undefined;
}

/** A format of an `m=` line over RTP, and what the section says of it. */
export interface SdpCodec {
  /** 0–127. */
  readonly payloadType: number;
  /** `opus`, `VP8`: as written, and compared without regard to case. */
  readonly name: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  /** The number behind the second slash of the `rtpmap`, where there is one. */
  readonly channels: number | undefined;
  /** The format's `fmtp`, verbatim; `undefined` where there is none. */
  readonly fmtp: string | undefined;
  /** What `rtcp-fb` of this format and of `*` say, in order: `nack`, `nack pli`, `ccm fir`. */
  readonly feedback: readonly string[];
}
