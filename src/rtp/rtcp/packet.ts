/**
 * RTCP packets as plain data, one type a packet (RFC 3550 §6, RFC 3611, RFC 4585, RFC 5104, RFC 8888, draft-holmer-rmcat-transport-wide-cc).
 * SSRCs are 0–2^32−1. Views into the packet that was read are said to be so; everything else is the reader's.
 */
import type { ReportBlock } from './report-block.ts';
import type { XrBlock } from './xr.ts';

/** RFC 3550 §6.4.1. */
export interface SenderReport {
  readonly type: 'sender-report';
  readonly ssrc: number;
  /** NTP time, 64 bits as two halves: seconds since 1900 and their fraction in 2^-32 s. */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly reports: readonly ReportBlock[];
}

/** RFC 3550 §6.4.2. */
export interface ReceiverReport {
  readonly type: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

/** RFC 3550 §6.5: `cname` is what matters of it. */
export interface SourceDescription {
  readonly type: 'source-description';
  readonly chunks: readonly {
    readonly ssrc: number;
    readonly items: readonly { readonly type: SdesItem; readonly text: string }[];
  }[];
}

/** RFC 3550 §6.5.1, RFC 7941 (`mid`, RFC 8843 §15.2; `rtp-stream-id`, `repaired-rtp-stream-id`, RFC 8852 §4.1). A number: another one. */
export type SdesItem =
  | 'cname'
  | 'name'
  | 'email'
  | 'phone'
  | 'loc'
  | 'tool'
  | 'note'
  | 'mid'
  | 'rtp-stream-id'
  | 'repaired-rtp-stream-id'
  | number;

/** RFC 3550 §6.6. */
export interface Bye {
  readonly type: 'bye';
  readonly ssrcs: readonly number[];
  readonly reason?: string | undefined;
}

/** RFC 3550 §6.7. */
export interface App {
  readonly type: 'app';
  readonly ssrc: number;
  /** 0–31. */
  readonly subtype: number;
  /** Four characters of ASCII. */
  readonly name: string;
  /** Whole words; a view, when read. */
  readonly data: Uint8Array;
}

/** RFC 3611. */
export interface ExtendedReport {
  readonly type: 'extended-report';
  readonly ssrc: number;
  readonly blocks: readonly XrBlock[];
}

/** RFC 4585 §6.2.1: packets that are wanted again. */
export interface Nack {
  readonly type: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** 16 bits each, in the order of the packet. */
  readonly sequenceNumbers: readonly number[];
}

/** RFC 4585 §6.3.1: a keyframe is wanted. */
export interface PictureLossIndication {
  readonly type: 'pli';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** RFC 5104 §4.3.1: a keyframe is wanted, once for each number. */
export interface FullIntraRequest {
  readonly type: 'fir';
  readonly senderSsrc: number;
  /** `sequenceNumber`: 0–255, another one for each new request. */
  readonly entries: readonly { readonly ssrc: number; readonly sequenceNumber: number }[];
}

/** draft-alvestrand-rmcat-remb-03. */
export interface Remb {
  readonly type: 'remb';
  readonly senderSsrc: number;
  /** Bits per second. */
  readonly bitrate: number;
  readonly ssrcs: readonly number[];
}

/** draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. */
export interface TransportFeedback {
  readonly type: 'transport-feedback';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Of the first packet that is told of, 16 bits. */
  readonly baseSequenceNumber: number;
  /** Multiples of 64 ms, 24 bits, signed. */
  readonly referenceTime: number;
  /** 0–255. */
  readonly feedbackCount: number;
  /** One a packet from the first on: arrival in 250 µs after the one before (the first: after the reference time), `null`: it did not come. */
  readonly deltas: readonly (number | null)[];
}

/** RFC 8888 §3.1. */
export interface CongestionFeedback {
  readonly type: 'congestion-feedback';
  readonly senderSsrc: number;
  /** Middle 32 bits of NTP time. */
  readonly reportTimestamp: number;
  readonly streams: readonly {
    readonly ssrc: number;
    readonly firstSequenceNumber: number;
    /** `null`: it did not come. `ecn`: 0–3; `arrivedBefore`: 1/1024 s before the report, 13 bits, 0x1ffe: more, 0x1fff: unknown. */
    readonly packets: readonly ({ readonly ecn: number; readonly arrivedBefore: number } | null)[];
  }[];
}

/** RFC 4585 §6.4: feedback of an application's own; REMB is one that is known. */
export interface ApplicationFeedback {
  readonly type: 'application-feedback';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Whole words; a view, when read. */
  readonly data: Uint8Array;
}

/** Any RTCP packet that is known. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Bye
  | App
  | ExtendedReport
  | Nack
  | PictureLossIndication
  | FullIntraRequest
  | Remb
  | TransportFeedback
  | CongestionFeedback
  | ApplicationFeedback;
