/**
 * Keyframes of AV1, seen from its aggregation header and OBUs (RTP Payload Format For AV1 v1.0 §4.4; AV1 bitstream §5.3, §5.9.2).
 *
 *     Z Y W W N - - - │ [ length ] OBU │ [ length ] OBU …      the last of W elements has no length; W = 0: each has one
 */
import { leb128Length, readLeb128 } from '../leb128.ts';

const OBU_SEQUENCE_HEADER = 1;
const OBU_FRAME_HEADER = 3;
const OBU_FRAME = 6;

/**
 * Whether a coded video sequence, and a keyframe with it, begins in this payload: N says so; or, where a sender does not set it, a
 * sequence header that no other frame than a keyframe follows.
 */
export function isAv1Keyframe(payload: Uint8Array): boolean {
  const end = payload.length;
  if (end < 2) return false;
  const head = payload[0]!;
  // Z: the packet goes on with an OBU of the one before. N with it cannot be.
  if ((head & 0x80) !== 0) return false;
  if ((head & 0x08) !== 0) return true;
  const elements = (head >> 4) & 0x03;
  let hasSequenceHeader = false;
  let at = 1;
  for (let element = 1; at < end; element++) {
    let elementEnd = end;
    if (element !== elements) {
      const length = readLeb128(payload, at, end);
      at += leb128Length(payload, at, end);
      if (length < 0 || at + length > end) return false;
      elementEnd = at + length;
    }
    if (at < elementEnd) {
      const type = (payload[at]! >> 3) & 0x0f;
      if (type === OBU_SEQUENCE_HEADER) hasSequenceHeader = true;
      else if (type === OBU_FRAME || type === OBU_FRAME_HEADER)
        return hasSequenceHeader && isKeyFrameHeader(payload, at, elementEnd);
    }
    at = elementEnd;
  }
  return hasSequenceHeader;
}

/** show_existing_frame is 0 and frame_type is KEY_FRAME, the three bits behind the OBU's own header; a header that is cut off may be one. */
function isKeyFrameHeader(payload: Uint8Array, start: number, end: number): boolean {
  const head = payload[start]!;
  let at = start + ((head & 0x04) === 0 ? 1 : 2);
  if ((head & 0x02) !== 0) at += leb128Length(payload, at, end);
  return at >= end || (payload[at]! & 0xe0) === 0;
}
