/** Blocks of an extended report (RFC 3611 §4) that are known: receiver reference times, and the answers to them. */

/** RFC 3611 §4.4: the time of a receiver that sends no media, for whoever can answer. */
export interface ReceiverReferenceTime {
  readonly type: 'receiver-reference-time';
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
}

/** RFC 3611 §4.5: the answers to receiver reference times. */
export interface DelaySinceLastReceiverReport {
  readonly type: 'delay-since-last-receiver-report';
  readonly reports: readonly {
    readonly ssrc: number;
    /** Middle 32 bits of the receiver's NTP time. */
    readonly lastReceiverReport: number;
    /** 1/65536 s since then. */
    readonly delay: number;
  }[];
}

/** Another block, as bytes; a view, when read. */
export interface OtherXrBlock {
  readonly type: 'other';
  readonly blockType: number;
  /** The byte behind the block's type. */
  readonly typeSpecific: number;
  readonly data: Uint8Array;
}

export type XrBlock = ReceiverReferenceTime | DelaySinceLastReceiverReport | OtherXrBlock;
