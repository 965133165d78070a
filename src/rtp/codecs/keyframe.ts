/** Keyframes by codec: where a receiver can begin to decode, and a forwarder switch to another source. */
import { isAv1Keyframe } from './av1.ts';
import { isH264Keyframe, isH265Keyframe } from './h26x.ts';
import { isVp8Keyframe } from './vp8.ts';
import { isVp9Keyframe } from './vp9.ts';

/** Whether a keyframe begins in a payload. Never throws; bytes that are none of the codec begin none. */
export type KeyframeDetector = (payload: Uint8Array) => boolean;

const DETECTORS: ReadonlyMap<string, KeyframeDetector> = new Map([
  ['video/vp8', isVp8Keyframe],
  ['video/vp9', isVp9Keyframe],
  ['video/h264', isH264Keyframe],
  ['video/h265', isH265Keyframe],
  ['video/av1', isAv1Keyframe],
]);

/** The detector of a codec, to keep for its packets. `undefined`: none is known. */
export function keyframeDetector(mimeType: string): KeyframeDetector | undefined {
  return DETECTORS.get(mimeType.toLowerCase());
}

/**
 * Whether a keyframe begins in `payload`: of VP8, VP9, H.264, H.265 and AV1, by MIME type without regard to case. Packets of audio
 * stand alone: true. Of any other video it cannot be told: false.
 */
export function isKeyframe(mimeType: string, payload: Uint8Array): boolean {
  const detect = keyframeDetector(mimeType);
  return detect === undefined ? /^audio\//i.test(mimeType) : detect(payload);
}
