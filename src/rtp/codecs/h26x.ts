/**
 * Keyframes of H.264 (RFC 6184) and H.265 (RFC 7798), seen from their NAL units: a packet holds one, a part of one (FU), or
 * several with their lengths in front (STAP-A, AP).
 *
 * A keyframe begins with its parameter sets, or with its first slice where these came before or by signalling. Both are said
 * to begin one, for a packet cannot tell whether the other came.
 */
import { readU16 } from '../../core/bytes.ts';

/** RFC 6184 §5.2 and H.264 table 7-1. */
const H264_IDR = 5;
const H264_SPS = 7;
const H264_STAP_A = 24;
const H264_FU_A = 28;

/** RFC 7798 §4.4 and H.265 table 7-1. IRAP: BLA, IDR and CRA, with what is reserved for their like. */
const H265_FIRST_IRAP = 16;
const H265_LAST_IRAP = 23;
const H265_VPS = 32;
const H265_SPS = 33;
const H265_AP = 48;
const H265_FU = 49;

/** Whether a keyframe begins in this payload: a sequence parameter set, or the first slice of an IDR picture. */
export function isH264Keyframe(payload: Uint8Array): boolean {
  if (payload.length < 2) return false;
  const type = payload[0]! & 0x1f;
  if (type === H264_STAP_A) return someUnit(payload, 1, beginsH264);
  if (type === H264_FU_A)
    return (payload[1]! & 0x80) !== 0 && beginsWithH264(payload[1]! & 0x1f, payload, 2, payload.length);
  return beginsH264(payload, 0, payload.length);
}

/** Whether a keyframe begins in this payload: a video or sequence parameter set, or the first slice of an IRAP picture. */
export function isH265Keyframe(payload: Uint8Array): boolean {
  if (payload.length < 3) return false;
  const type = (payload[0]! >> 1) & 0x3f;
  if (type === H265_AP) return someUnit(payload, 2, beginsH265);
  if (type === H265_FU)
    return (payload[2]! & 0x80) !== 0 && beginsWithH265(payload[2]! & 0x3f, payload, 3, payload.length);
  return beginsH265(payload, 0, payload.length);
}

/** Whether one of the units of an aggregate does; the rest is left where one ends behind the payload. */
function someUnit(
  payload: Uint8Array,
  start: number,
  begins: (payload: Uint8Array, at: number, end: number) => boolean,
): boolean {
  for (let at = start; at + 2 < payload.length;) {
    const length = readU16(payload, at);
    at += 2;
    if (length === 0 || at + length > payload.length) return false;
    if (begins(payload, at, at + length)) return true;
    at += length;
  }
  return false;
}

function beginsH264(payload: Uint8Array, at: number, end: number): boolean {
  return beginsWithH264(payload[at]! & 0x1f, payload, at + 1, end);
}

function beginsH265(payload: Uint8Array, at: number, end: number): boolean {
  return beginsWithH265((payload[at]! >> 1) & 0x3f, payload, at + 2, end);
}

/** A slice header begins with first_mb_in_slice, whose Exp-Golomb code of 0 is one bit, set (H.264 §7.3.3, §9.1). */
function beginsWithH264(type: number, payload: Uint8Array, at: number, end: number): boolean {
  return type === H264_SPS || (type === H264_IDR && at < end && (payload[at]! & 0x80) !== 0);
}

/** A slice header begins with first_slice_segment_in_pic_flag (H.265 §7.3.6.1). */
function beginsWithH265(type: number, payload: Uint8Array, at: number, end: number): boolean {
  if (type === H265_VPS || type === H265_SPS) return true;
  return type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP && at < end && (payload[at]! & 0x80) !== 0;
}
