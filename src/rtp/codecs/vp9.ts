/**
 * The payload descriptor of VP9 (RFC 9628 §4.2), in front of each packet's part of a layer frame: read with the places of what a
 * forwarder rewrites, and changed there.
 *
 *     I P L F B E V Z │ M picture id │ TID U SID D │ TL0PICIDX (not if F) │ P_DIFF N … (if F and P) │ scalability structure (if V) │ VP9
 */
import { readU16 } from '../../core/bytes.ts';
import { setPictureId } from './vp8.ts';

/** What a descriptor says. Fields that are absent are `undefined`; offsets are bytes from the beginning of the payload. */
export interface Vp9Descriptor {
  /** Bytes in front of the VP9 data. */
  readonly length: number;
  readonly pictureId: number | undefined;
  readonly pictureIdBits: 7 | 15 | undefined;
  readonly pictureIdOffset: number | undefined;
  /** P: the layer frame depends on pictures before. */
  readonly isInterPicture: boolean;
  /** F: what a picture depends on is told with it, and not by a structure. */
  readonly isFlexible: boolean;
  /** B: a layer frame begins here. A picture begins with that of its lowest spatial layer. */
  readonly isFrameStart: boolean;
  /** E: a layer frame ends here. A picture ends with the marker. */
  readonly isFrameEnd: boolean;
  /** Z: no higher spatial layer of the picture depends on this one. */
  readonly isNotForHigherLayers: boolean;
  /** TID, 0–7. */
  readonly temporalLayer: number | undefined;
  /** U: later pictures of higher temporal layers depend on nothing of these before this one, so that they can be joined here. */
  readonly isSwitchingUpPoint: boolean;
  /** SID, 0–7. */
  readonly spatialLayer: number | undefined;
  /** D: the layer frame depends on the spatial layer below it. */
  readonly isInterLayer: boolean;
  /** TL0PICIDX, 0–255. */
  readonly tl0PictureIndex: number | undefined;
  readonly tl0PictureIndexOffset: number | undefined;
  /** P_DIFF: pictures that this one depends on, counted back from its own id; three at the most. */
  readonly referenceDifferences: readonly number[];
  /** Of the scalability structure, which `readVp9Structure` reads. */
  readonly structureOffset: number | undefined;
}

/** The scalability structure (RFC 9628 §4.2.1), told with keyframes. */
export interface Vp9Structure {
  /** 1–8. */
  readonly spatialLayers: number;
  /** One a spatial layer, the lowest first; `undefined`: not told. */
  readonly resolutions: readonly { readonly width: number; readonly height: number }[] | undefined;
  /** The pictures of a group, over and over; `undefined`: not told. */
  readonly group: readonly Vp9GroupPicture[] | undefined;
}

/** One picture of a group. */
export interface Vp9GroupPicture {
  /** 0–7. */
  readonly temporalLayer: number;
  /** U. */
  readonly isSwitchingUpPoint: boolean;
  /** P_DIFF, three at the most. */
  readonly referenceDifferences: readonly number[];
}

const NO_DIFFERENCES: readonly number[] = [];
const MAX_DIFFERENCES = 3;

/** `undefined`: the payload ends within it, nothing is behind it, or it has more references than there can be. */
export function readVp9Descriptor(payload: Uint8Array): Vp9Descriptor | undefined {
  if (payload.length < 2) return undefined;
  const first = payload[0]!;
  const isInterPicture = (first & 0x40) !== 0;
  const isFlexible = (first & 0x10) !== 0;
  let at = 1;
  let pictureId: number | undefined;
  let pictureIdBits: 7 | 15 | undefined;
  const pictureIdOffset = (first & 0x80) === 0 ? undefined : at;
  if (pictureIdOffset !== undefined) {
    pictureId = payload[at]! & 0x7f;
    pictureIdBits = (payload[at++]! & 0x80) === 0 ? 7 : 15;
    if (pictureIdBits === 15) pictureId = (pictureId << 8) | (payload[at++] ?? 0);
  }
  const hasLayers = (first & 0x20) !== 0;
  const layers = hasLayers ? (payload[at++] ?? 0) : 0;
  const tl0PictureIndexOffset = hasLayers && !isFlexible ? at++ : undefined;
  let referenceDifferences = NO_DIFFERENCES;
  if (isFlexible && isInterPicture) {
    const read = readFlexibleDifferences(payload, at);
    if (read === undefined) return undefined;
    referenceDifferences = read;
    at += read.length;
  }
  const structureOffset = (first & 0x02) === 0 ? undefined : at;
  if (structureOffset !== undefined) at = structureEnd(payload, structureOffset);
  if (at < 0 || at >= payload.length) return undefined;
  return {
    length: at,
    pictureId,
    pictureIdBits,
    pictureIdOffset,
    isInterPicture,
    isFlexible,
    isFrameStart: (first & 0x08) !== 0,
    isFrameEnd: (first & 0x04) !== 0,
    isNotForHigherLayers: (first & 0x01) !== 0,
    temporalLayer: hasLayers ? layers >> 5 : undefined,
    isSwitchingUpPoint: hasLayers && (layers & 0x10) !== 0,
    spatialLayer: hasLayers ? (layers >> 1) & 0x07 : undefined,
    isInterLayer: hasLayers && (layers & 0x01) !== 0,
    tl0PictureIndex: tl0PictureIndexOffset === undefined ? undefined : payload[tl0PictureIndexOffset],
    tl0PictureIndexOffset,
    referenceDifferences,
    structureOffset,
  };
}

/** Sets the picture id in place, in the width that it has; larger values are cut to it. Does nothing where there is none. */
export function setVp9PictureId(payload: Uint8Array, descriptor: Vp9Descriptor, pictureId: number): void {
  setPictureId(payload, descriptor, pictureId);
}

/** Sets TL0PICIDX in place: the low 8 bits. Does nothing where there is none. */
export function setVp9Tl0PictureIndex(payload: Uint8Array, descriptor: Vp9Descriptor, index: number): void {
  const at = descriptor.tl0PictureIndexOffset;
  if (at !== undefined) payload[at] = index;
}

/**
 * Whether a keyframe begins in this payload: the beginning of a layer frame that depends on no other picture, in the lowest spatial
 * layer. Higher ones of the same picture, and later packets, look alike but for that.
 */
export function isVp9Keyframe(payload: Uint8Array): boolean {
  if (payload.length < 2) return false;
  const first = payload[0]!;
  if ((first & 0x48) !== 0x08) return false;
  if ((first & 0x20) === 0) return true;
  const at = (first & 0x80) === 0 ? 1 : (payload[1]! & 0x80) === 0 ? 2 : 3;
  return at < payload.length && (payload[at]! & 0x0e) === 0;
}

/** P_DIFF in 7 bits each, with a bit that says whether another follows. */
function readFlexibleDifferences(payload: Uint8Array, start: number): number[] | undefined {
  const differences: number[] = [];
  for (let at = start; differences.length < MAX_DIFFERENCES && at < payload.length; at++) {
    differences.push(payload[at]! >> 1);
    if ((payload[at]! & 0x01) === 0) return differences;
  }
  return undefined;
}

/** Where a structure ends, which takes at most 32 bytes and 4 a picture of its group; -1: behind the payload. */
function structureEnd(payload: Uint8Array, start: number): number {
  const { length } = payload;
  if (start >= length) return -1;
  const first = payload[start]!;
  let at = start + 1;
  if ((first & 0x10) !== 0) at += 4 * ((first >> 5) + 1);
  if ((first & 0x08) !== 0) {
    if (at >= length) return -1;
    for (let pictures = payload[at++]!; pictures > 0 && at < length; pictures--)
      at += 1 + ((payload[at]! >> 2) & 0x03);
  }
  return at > length ? -1 : at;
}

/** The structure that a descriptor of this payload has; `undefined`: it has none. */
export function readVp9Structure(payload: Uint8Array, descriptor: Vp9Descriptor): Vp9Structure | undefined {
  const start = descriptor.structureOffset;
  if (start === undefined) return undefined;
  const first = payload[start]!;
  const spatialLayers = (first >> 5) + 1;
  let at = start + 1;
  let resolutions: { width: number; height: number }[] | undefined;
  if ((first & 0x10) !== 0) {
    resolutions = [];
    for (; resolutions.length < spatialLayers; at += 4)
      resolutions.push({ width: readU16(payload, at), height: readU16(payload, at + 2) });
  }
  if ((first & 0x08) === 0) return { spatialLayers, resolutions, group: undefined };
  const group: Vp9GroupPicture[] = [];
  for (let pictures = payload[at++]!; pictures > 0; pictures--) {
    const head = payload[at++]!;
    const count = (head >> 2) & 0x03;
    group.push({
      temporalLayer: head >> 5,
      isSwitchingUpPoint: (head & 0x10) !== 0,
      referenceDifferences: count === 0 ? NO_DIFFERENCES : [...payload.subarray(at, at + count)],
    });
    at += count;
  }
  return { spatialLayers, resolutions, group };
}
