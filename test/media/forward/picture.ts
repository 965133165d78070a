/** Payloads of VP8 and VP9, written, and read as a receiver reads what it was sent. */
import type { OutgoingPacket } from '../../../src/media/index.ts';
import type { Vp8Descriptor, Vp9Descriptor } from '../../../src/rtp/index.ts';
import {
  MAX_VP8_DESCRIPTOR,
  readVp8Descriptor,
  readVp9Descriptor,
  writeVp8Descriptor,
} from '../../../src/rtp/index.ts';

/** Of a packet of VP8. */
export interface Vp8Init {
  readonly id?: number;
  readonly bits?: 7 | 15;
  readonly tl0?: number;
  readonly tid?: number;
  readonly sync?: boolean;
  readonly key?: number;
  readonly isKeyframe?: boolean;
  readonly isStart?: boolean;
  /** Behind the descriptor's first byte of VP8. */
  readonly body?: readonly number[];
}

/** A payload with this descriptor. */
export function vp8(init: Vp8Init): Uint8Array {
  const { id, bits, tl0, tid, sync, key, isKeyframe = false, isStart = true, body = [7, 7, 7] } = init;
  const payload = new Uint8Array(MAX_VP8_DESCRIPTOR + 1 + body.length);
  const length = writeVp8Descriptor(
    {
      isPartitionStart: isStart,
      ...(id !== undefined && { pictureId: id, pictureIdBits: bits ?? 15 }),
      ...(tl0 !== undefined && { tl0PictureIndex: tl0 }),
      ...(tid !== undefined && { temporalLayer: tid, isLayerSync: sync ?? false }),
      ...(key !== undefined && { keyIndex: key }),
    },
    payload,
    0,
  );
  payload[length] = isKeyframe ? 0x10 : 0x11;
  payload.set(body, length + 1);
  return payload.slice(0, length + 1 + body.length);
}

/** Of a packet of VP9. */
export interface Vp9Init {
  readonly id?: number;
  readonly bits?: 7 | 15;
  readonly tl0?: number;
  readonly tid?: number;
  readonly sid?: number;
  /** U. */
  readonly isUp?: boolean;
  readonly isKeyframe?: boolean;
  readonly isStart?: boolean;
  readonly isEnd?: boolean;
}

/** A payload of VP9 in non-flexible mode, with layers where it has a `tl0`. */
export function vp9(init: Vp9Init): Uint8Array {
  const { id, bits = 15, tl0, tid = 0, sid = 0, isUp = false, isKeyframe = false } = init;
  const { isStart = true, isEnd = true } = init;
  return Uint8Array.from([
    (id === undefined ? 0 : 0x80) |
      (isKeyframe ? 0 : 0x40) |
      (tl0 === undefined ? 0 : 0x20) |
      (isStart ? 0x08 : 0) |
      (isEnd ? 0x04 : 0),
    ...(id === undefined ? [] : bits === 7 ? [id] : [0x80 | (id >> 8), id & 0xff]),
    ...(tl0 === undefined ? [] : [(tid << 5) | (isUp ? 0x10 : 0) | (sid << 1), tl0]),
    9,
    9,
  ]);
}

/** The payload as it leaves. */
export function sentPayload(packet: OutgoingPacket | undefined): Uint8Array {
  if (packet === undefined) throw new Error('it was not sent on');
  const { payload, patch } = packet;
  return patch === undefined
    ? payload
    : Uint8Array.from([...patch.bytes, ...payload.subarray(patch.replaced)]);
}

/** What a receiver reads of it. Throws where it can read nothing. */
export function sentVp8(packet: OutgoingPacket | undefined): Vp8Descriptor {
  const descriptor = readVp8Descriptor(sentPayload(packet));
  if (descriptor === undefined) throw new Error('no descriptor of VP8');
  return descriptor;
}

/** The same of VP9. */
export function sentVp9(packet: OutgoingPacket | undefined): Vp9Descriptor {
  const descriptor = readVp9Descriptor(sentPayload(packet));
  if (descriptor === undefined) throw new Error('no descriptor of VP9');
  return descriptor;
}
