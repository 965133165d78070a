/**
 * The payload descriptor of VP8 (RFC 7741 §4.2), in front of each packet's part of a frame: read with the places of what a
 * forwarder rewrites, changed there, written anew.
 *
 *     X R N S R PID │ I L T K RSV │ M picture id (7 or 15 bits) │ TL0PICIDX │ TID Y KEYIDX │ VP8
 */

/** What a descriptor says. Fields that are absent are `undefined`; offsets are bytes from the beginning of the payload. */
export interface Vp8Descriptor {
  /** Bytes in front of the VP8 data. */
  readonly length: number;
  /** N: no other frame depends on this one. */
  readonly isDiscardable: boolean;
  /** S: a partition begins here. */
  readonly isPartitionStart: boolean;
  /** PID, 0–7. A frame begins where partition 0 does. */
  readonly partition: number;
  readonly pictureId: number | undefined;
  readonly pictureIdBits: 7 | 15 | undefined;
  readonly pictureIdOffset: number | undefined;
  /** TL0PICIDX, 0–255: grows with each frame of the lowest temporal layer. */
  readonly tl0PictureIndex: number | undefined;
  readonly tl0PictureIndexOffset: number | undefined;
  /** TID, 0–3. */
  readonly temporalLayer: number | undefined;
  /** Y: the frame depends on the lowest temporal layer alone, so that its own can be joined here. */
  readonly isLayerSync: boolean;
  /** KEYIDX, 0–31: grows with each keyframe. */
  readonly keyIndex: number | undefined;
  /** Of the byte with TID, Y and KEYIDX. */
  readonly layerOffset: number | undefined;
}

/** What a descriptor is written from. */
export type Vp8DescriptorFields = Pick<Vp8Descriptor, 'isPartitionStart'> &
  Partial<
    Pick<
      Vp8Descriptor,
      | 'isDiscardable'
      | 'partition'
      | 'pictureId'
      | 'pictureIdBits'
      | 'tl0PictureIndex'
      | 'temporalLayer'
      | 'isLayerSync'
      | 'keyIndex'
    >
  >;

/** The longest descriptor, bytes. */
export const MAX_VP8_DESCRIPTOR = 6;

/** `undefined`: the payload ends within it, or nothing is behind it. */
export function readVp8Descriptor(payload: Uint8Array): Vp8Descriptor | undefined {
  const length = vp8DescriptorLength(payload);
  if (length < 0) return undefined;
  const first = payload[0]!;
  const flags = (first & 0x80) === 0 ? 0 : payload[1]!;
  let at = 2;
  let pictureIdOffset: number | undefined;
  let pictureIdBits: 7 | 15 | undefined;
  let pictureId: number | undefined;
  if ((flags & 0x80) !== 0) {
    pictureIdOffset = at;
    pictureId = payload[at]! & 0x7f;
    pictureIdBits = (payload[at++]! & 0x80) === 0 ? 7 : 15;
    if (pictureIdBits === 15) pictureId = (pictureId << 8) | payload[at++]!;
  }
  const tl0PictureIndexOffset = (flags & 0x40) === 0 ? undefined : at++;
  const hasLayer = (flags & 0x20) !== 0;
  const hasKeyIndex = (flags & 0x10) !== 0;
  const layerOffset = hasLayer || hasKeyIndex ? at : undefined;
  const layer = layerOffset === undefined ? 0 : payload[layerOffset]!;
  return {
    length,
    isDiscardable: (first & 0x20) !== 0,
    isPartitionStart: (first & 0x10) !== 0,
    partition: first & 0x07,
    pictureId,
    pictureIdBits,
    pictureIdOffset,
    tl0PictureIndex: tl0PictureIndexOffset === undefined ? undefined : payload[tl0PictureIndexOffset],
    tl0PictureIndexOffset,
    temporalLayer: hasLayer ? layer >> 6 : undefined,
    isLayerSync: hasLayer && (layer & 0x20) !== 0,
    keyIndex: hasKeyIndex ? layer & 0x1f : undefined,
    layerOffset,
  };
}

/** Bytes in front of the VP8 data; -1 where `readVp8Descriptor` has none. */
export function vp8DescriptorLength(payload: Uint8Array): number {
  const { length } = payload;
  let at = 1;
  if (length > 1 && (payload[0]! & 0x80) !== 0) {
    const flags = payload[at++]!;
    if ((flags & 0x80) !== 0 && at < length) at += (payload[at]! & 0x80) === 0 ? 1 : 2;
    if ((flags & 0x40) !== 0) at++;
    if ((flags & 0x30) !== 0) at++;
  }
  return at < length ? at : -1;
}

/** Sets the picture id in place, in the width that it has; larger values are cut to it. Does nothing where there is none. */
export function setVp8PictureId(payload: Uint8Array, descriptor: Vp8Descriptor, pictureId: number): void {
  setPictureId(payload, descriptor, pictureId);
}

/** Sets TL0PICIDX in place: the low 8 bits. Does nothing where there is none. */
export function setVp8Tl0PictureIndex(payload: Uint8Array, descriptor: Vp8Descriptor, index: number): void {
  const at = descriptor.tl0PictureIndexOffset;
  if (at !== undefined) payload[at] = index;
}

/** Sets KEYIDX in place: the low 5 bits. Does nothing where there is none. */
export function setVp8KeyIndex(payload: Uint8Array, descriptor: Vp8Descriptor, index: number): void {
  const at = descriptor.layerOffset;
  if (at !== undefined && descriptor.keyIndex !== undefined)
    payload[at] = (payload[at]! & 0xe0) | (index & 0x1f);
}

/** Writes a descriptor at `offset`, `MAX_VP8_DESCRIPTOR` bytes at the most. @returns its length */
export function writeVp8Descriptor(fields: Vp8DescriptorFields, into: Uint8Array, offset: number): number {
  const { pictureId, tl0PictureIndex, temporalLayer, keyIndex } = fields;
  const flags =
    (pictureId === undefined ? 0 : 0x80) |
    (tl0PictureIndex === undefined ? 0 : 0x40) |
    (temporalLayer === undefined ? 0 : 0x20) |
    (keyIndex === undefined ? 0 : 0x10);
  let at = offset;
  into[at++] =
    (flags === 0 ? 0 : 0x80) |
    (fields.isDiscardable === true ? 0x20 : 0) |
    (fields.isPartitionStart ? 0x10 : 0) |
    ((fields.partition ?? 0) & 0x07);
  if (flags === 0) return 1;
  into[at++] = flags;
  if (pictureId !== undefined) {
    const isLong = (fields.pictureIdBits ?? 15) === 15;
    if (isLong) into[at++] = 0x80 | (pictureId >> 8);
    into[at++] = isLong ? pictureId : pictureId & 0x7f;
  }
  if (tl0PictureIndex !== undefined) into[at++] = tl0PictureIndex;
  if (temporalLayer !== undefined || keyIndex !== undefined)
    into[at++] =
      ((temporalLayer ?? 0) << 6) | (fields.isLayerSync === true ? 0x20 : 0) | ((keyIndex ?? 0) & 0x1f);
  return at - offset;
}

/** Whether a keyframe begins in this payload: the start of partition 0, with the inverse key frame bit clear (RFC 6386 §9.1). */
export function isVp8Keyframe(payload: Uint8Array): boolean {
  const at = vp8DescriptorLength(payload);
  return at > 0 && (payload[0]! & 0x17) === 0x10 && (payload[at]! & 0x01) === 0;
}

/** A picture id as VP8 and VP9 have it: M, which tells the width, then 7 or 15 bits. */
export function setPictureId(
  payload: Uint8Array,
  descriptor: { readonly pictureIdOffset: number | undefined; readonly pictureIdBits: 7 | 15 | undefined },
  pictureId: number,
): void {
  const at = descriptor.pictureIdOffset;
  if (at === undefined) return;
  if (descriptor.pictureIdBits === 7) {
    payload[at] = pictureId & 0x7f;
    return;
  }
  payload[at] = 0x80 | (pictureId >> 8);
  payload[at + 1] = pictureId;
}
