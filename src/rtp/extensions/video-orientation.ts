/** The orientation of video (3GPP TS 26.114 §7.4.5): how a picture is to be turned before it is shown. Sent with keyframes and changes. */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes } from '../../core/bytes.ts';

/** How to turn a picture. */
export interface VideoOrientation {
  /** Degrees, clockwise. */
  readonly rotation: 0 | 90 | 180 | 270;
  /** F: mirrored, before it is turned. */
  readonly isFlipped: boolean;
  /** C: taken by the camera that looks away from the user. */
  readonly isBackCamera: boolean;
}

const ROTATIONS = [0, 90, 180, 270] as const;

/** `undefined`: not one byte. */
export function readVideoOrientation(value: Uint8Array): VideoOrientation | undefined {
  if (value.length !== 1) return undefined;
  const bits = value[0]!;
  return {
    rotation: ROTATIONS[bits & 0x03] ?? 0,
    isFlipped: (bits & 0x04) !== 0,
    isBackCamera: (bits & 0x08) !== 0,
  };
}

/** The value of the extension. */
export function writeVideoOrientation(orientation: VideoOrientation): Bytes {
  const value = ownBytes(1);
  value[0] =
    (orientation.isBackCamera ? 0x08 : 0) | (orientation.isFlipped ? 0x04 : 0) | (orientation.rotation / 90);
  return value;
}
