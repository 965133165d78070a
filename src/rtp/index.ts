/** RTP and RTCP as bytes (RFC 3550): packets, header extensions, retransmission, keyframes. It knows nothing of connections. */
export { RtpPacket } from './packet.ts';
export type * from './rtcp/packet.ts';
export type { ReportBlock } from './rtcp/report-block.ts';
export type {
  DelaySinceLastReceiverReport,
  OtherXrBlock,
  ReceiverReferenceTime,
  XrBlock,
} from './rtcp/xr.ts';
