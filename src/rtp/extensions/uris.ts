/** URIs of header extensions, by which both ends agree on ids for them (RFC 8285 §5). */

/** RFC 8843 §15. */
export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** RFC 8852 §4.3. */
export const RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** Of the stream that a packet of RTX repairs (RFC 8852 §4.3). */
export const REPAIRED_RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
/** draft-holmer-rmcat-transport-wide-cc-extensions-01 §2. */
export const TRANSPORT_SEQUENCE_URI =
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** draft-alvestrand-rmcat-remb-03 gives its use; the name is libwebrtc's. */
export const ABSOLUTE_SEND_TIME_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
/** RFC 6464 §5. */
export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
/** 3GPP TS 26.114 §7.4.5. */
export const VIDEO_ORIENTATION_URI = 'urn:3gpp:video-orientation';
/** libwebrtc's. */
export const PLAYOUT_DELAY_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
/** libwebrtc's. */
export const ABSOLUTE_CAPTURE_TIME_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';
/** RTP Payload Format For AV1 (v1.0), appendix A. */
export const DEPENDENCY_DESCRIPTOR_URI =
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';
/** libwebrtc's. */
export const VIDEO_LAYERS_ALLOCATION_URI =
  'http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00';
