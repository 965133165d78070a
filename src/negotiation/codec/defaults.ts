/**
 * What this end is taken to do where the application does not say: what browsers have in common. The library carries packets and reads
 * no media, so this is what an application can forward or has codecs for, and each media can have a list of its own.
 */
import type { CodecCapability } from '../media.ts';

/** Of a video codec: requests for key frames, for packets, and both ways of bandwidth estimation. */
const VIDEO_FEEDBACK: readonly string[] = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'];

function video(name: string, sdpFmtpLine?: string): CodecCapability {
  return {
    mimeType: `video/${name}`,
    clockRate: 90_000,
    sdpFmtpLine,
    rtcpFeedback: VIDEO_FEEDBACK,
    rtx: true,
  };
}

function h264(profileLevelId: string, packetizationMode: 0 | 1): CodecCapability {
  return video(
    'H264',
    `level-asymmetry-allowed=1;packetization-mode=${String(packetizationMode)};profile-level-id=${profileLevelId}`,
  );
}

/**
 * The codecs of each kind in order of preference. Audio: opus, G.722, PCMU, PCMA, telephone events. Video: VP8, VP9 (profiles 0 and 2),
 * H.264 (Constrained Baseline, Baseline, Main and High), AV1 (profile 0), H.265 (Main), each with retransmissions.
 */
export const DEFAULT_CAPABILITIES: {
  readonly audio: readonly CodecCapability[];
  readonly video: readonly CodecCapability[];
} = {
  audio: [
    {
      mimeType: 'audio/opus',
      clockRate: 48_000,
      channels: 2,
      sdpFmtpLine: 'minptime=10;useinbandfec=1',
      rtcpFeedback: ['transport-cc'],
    },
    { mimeType: 'audio/G722', clockRate: 8000 },
    { mimeType: 'audio/PCMU', clockRate: 8000 },
    { mimeType: 'audio/PCMA', clockRate: 8000 },
    { mimeType: 'audio/telephone-event', clockRate: 48_000, sdpFmtpLine: '0-15' },
    { mimeType: 'audio/telephone-event', clockRate: 8000, sdpFmtpLine: '0-15' },
  ],
  video: [
    video('VP8'),
    video('VP9', 'profile-id=0'),
    video('VP9', 'profile-id=2'),
    h264('42e01f', 1),
    h264('42e01f', 0),
    h264('42001f', 1),
    h264('42001f', 0),
    h264('4d001f', 1),
    h264('4d001f', 0),
    h264('64001f', 1),
    h264('640c1f', 1),
    video('AV1', 'level-idx=5;profile=0;tier=0'),
    video('H265', 'level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST'),
  ],
};
