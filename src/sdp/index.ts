/**
 * SDP: text ↔ data, lossless, with typed views of what WebRTC needs. No state and no negotiation; usable alone.
 *
 * @module
 */
export type { Direction, SdpAttribute } from './attributes.ts';
export {
  attributes,
  hasAttribute,
  inheritedAttribute,
  mediaDirection,
  mediaMid,
  singleAttribute,
} from './attributes.ts';
export { isBundleOnly, isRejected, readBundles, readMids } from './bundle.ts';
export type { CandidateInit, SdpCandidate, SdpCandidateExtension } from './candidate.ts';
export {
  candidateInit,
  parseCandidate,
  parseCandidateInit,
  parseCandidateLine,
  writeCandidate,
  writeCandidateLine,
} from './candidate.ts';
export type { SdpCodec } from './codec.ts';
export { codecLines, mediaCodecs } from './codec.ts';
export type { MediaDescription, SdpLine, SdpOrigin, SessionDescription } from './description.ts';
export { attributeLine, sdpLine } from './description.ts';
export type { SdpFingerprint, Setup } from './dtls.ts';
export { isTlsId, mediaFingerprints, mediaSetup, mediaTlsId } from './dtls.ts';
export type {
  SdpAttributeCode,
  SdpError,
  SdpErrorCode,
  SdpNegotiationCode,
  SdpPlace,
  SdpSyntaxCode,
  SdpWarning,
} from './error.ts';
export { isSdpError, sdpError } from './error.ts';
export type { SdpExtension } from './extension.ts';
export { allowsMixedExtensions, extensionLine, mediaExtensions } from './extension.ts';
export type { SdpFragment, SdpFragmentLevel, SdpFragmentMedia } from './fragment.ts';
export { FRAGMENT_MEDIA_TYPE, fragmentCandidates, parseSdpFragment, writeSdpFragment } from './fragment.ts';
export type { SdpCandidateAt, SdpIceParameters } from './ice.ts';
export { hasEndOfCandidates, isIceLite, mediaCandidates, mediaIce, mediaIceOptions } from './ice.ts';
export type { SdpImageAttributes, SdpImageSets } from './image.ts';
export { imageAttributesLine, mediaImageAttributes } from './image.ts';
export type { SdpLimits } from './limits.ts';
export { DEFAULT_SDP_LIMITS, SDP_LIMIT_RULES } from './limits.ts';
export type { SdpParameter } from './parameter.ts';
export { parseFormatParameters, writeFormatParameters } from './parameter.ts';
export { parseSdp } from './parse.ts';
export type { SdpBandwidth } from './rate.ts';
export {
  bandwidthLine,
  maxPacketTimeLine,
  mediaBandwidths,
  mediaMaxPacketTime,
  mediaPacketTime,
  packetTimeLine,
} from './rate.ts';
export type { SdpRtcp, SdpRtcpAddress } from './rtcp.ts';
export { hasReducedSizeRtcp, hasRtcpMux, isRtcpMuxOnly, mediaRtcp, rtcpLine } from './rtcp.ts';
export type { SctpMap } from './sctp.ts';
export {
  DATA_CHANNEL_FORMAT,
  isDataChannelSection,
  isSctpPortFormat,
  mediaMaxMessageSize,
  mediaSctpMap,
  mediaSctpPort,
} from './sctp.ts';
export type { SdpRid, SdpSimulcast, SdpSimulcastRid } from './simulcast.ts';
export { isRid, mediaRids, mediaSimulcast, ridLine, simulcastLine } from './simulcast.ts';
export type { SdpSource, SdpSourceGroup, SdpStream } from './source.ts';
export {
  isStreamIdentifier,
  mediaSourceGroups,
  mediaSources,
  mediaStreams,
  sourceGroupLine,
  sourceLines,
  streamLine,
} from './source.ts';
export { isIceText, isTolerableIceText } from './token.ts';
export { writeSdp } from './write.ts';
