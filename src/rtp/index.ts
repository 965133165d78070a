/**
 * RTP and RTCP as bytes (RFC 3550): packets, header extensions, retransmission, keyframes. It knows nothing of connections.
 *
 * @module
 */
export { RtpPacket } from './packet.ts';
export { setMarker, setPayloadType, setSequenceNumber, setSsrc, setTimestamp } from './header.ts';
export { RtpWriter, fitsOneByteForm } from './writer.ts';
export { SerialUnwrapper } from './serial-unwrapper.ts';
export { MIDDLE_UNITS, middleOf, millisecondsOf, ntpOf } from './ntp.ts';
export { originalSequenceNumber, unwrapRtx } from './rtx.ts';
export { type RedBlock, readRed, writeRed } from './red.ts';
export * from './extensions/uris.ts';
export { readMid, readRid, writeMid, writeRid } from './extensions/stream-id.ts';
export {
  TRANSPORT_SEQUENCE_LENGTH,
  readTransportSequence,
  writeTransportSequence,
} from './extensions/transport-sequence.ts';
export {
  ABSOLUTE_SEND_TIME_LENGTH,
  absoluteSendTimeOf,
  readAbsoluteSendTime,
  writeAbsoluteSendTime,
} from './extensions/absolute-send-time.ts';
export { type AudioLevel, readAudioLevel, writeAudioLevel } from './extensions/audio-level.ts';
export {
  type VideoOrientation,
  readVideoOrientation,
  writeVideoOrientation,
} from './extensions/video-orientation.ts';
export { type PlayoutDelay, readPlayoutDelay, writePlayoutDelay } from './extensions/playout-delay.ts';
export {
  type AbsoluteCaptureTime,
  readAbsoluteCaptureTime,
  writeAbsoluteCaptureTime,
} from './extensions/absolute-capture-time.ts';
export {
  type VideoLayer,
  type VideoLayerSize,
  type VideoLayersAllocation,
  readVideoLayersAllocation,
  writeVideoLayersAllocation,
} from './extensions/video-layers-allocation.ts';
export type {
  DecodeTarget,
  DecodeTargetIndication,
  DependencyStructure,
  DependencyTemplate,
} from './extensions/dependency-structure.ts';
export {
  type DependencyDescriptor,
  type KnownDependency,
  type UnknownDependency,
  DependencyDescriptorReader,
} from './extensions/dependency-descriptor.ts';
export { type KeyframeDetector, isKeyframe, keyframeDetector } from './codecs/keyframe.ts';
export {
  type Vp8Descriptor,
  type Vp8DescriptorFields,
  MAX_VP8_DESCRIPTOR,
  isVp8Keyframe,
  readVp8Descriptor,
  setVp8KeyIndex,
  setVp8PictureId,
  setVp8Tl0PictureIndex,
  writeVp8Descriptor,
} from './codecs/vp8.ts';
export {
  type Vp9Descriptor,
  type Vp9GroupPicture,
  type Vp9Structure,
  isVp9Keyframe,
  readVp9Descriptor,
  readVp9Structure,
  setVp9PictureId,
  setVp9Tl0PictureIndex,
} from './codecs/vp9.ts';
export { isH264Keyframe, isH265Keyframe } from './codecs/h26x.ts';
export { isAv1Keyframe } from './codecs/av1.ts';
export type * from './rtcp/packet.ts';
export type { ReportBlock } from './rtcp/report-block.ts';
export type {
  DelaySinceLastReceiverReport,
  OtherXrBlock,
  ReceiverReferenceTime,
  XrBlock,
} from './rtcp/xr.ts';

export { MAX_NAMED_PACKETS, readRtcp, rtcpLength, writeRtcp } from './rtcp/compound.ts';
export { isRtcp } from './rtcp/packet-types.ts';
export type { RtcpCompound } from './rtcp/compound.ts';
export { MAX_REPORT_BLOCKS, splitReports } from './rtcp/report-block.ts';
