/** RTP and RTCP as bytes (RFC 3550): packets, header extensions, retransmission, keyframes. It knows nothing of connections. */
export { RtpPacket } from './packet.ts';
export { setMarker, setPayloadType, setSequenceNumber, setSsrc, setTimestamp } from './header.ts';
export { RtpWriter, fitsOneByteForm } from './writer.ts';
export { SerialUnwrapper } from './serial-unwrapper.ts';
export { middleOf, millisecondsOf, ntpOf } from './ntp.ts';
export { originalSequenceNumber, unwrapRtx } from './rtx.ts';
export * from './extensions/uris.ts';
export type * from './rtcp/packet.ts';
export type { ReportBlock } from './rtcp/report-block.ts';
export type {
  DelaySinceLastReceiverReport,
  OtherXrBlock,
  ReceiverReferenceTime,
  XrBlock,
} from './rtcp/xr.ts';
