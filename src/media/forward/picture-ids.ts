/**
 * PictureIds: the picture ids, TL0PICIDX and KEYIDX of VP8 (RFC 7741 §4.2) and VP9 (RFC 9628 §4.2) as one row over many sources.
 * A decoder tells by them what it has missed, so that another source must go on where the one before ended.
 *
 *     of the sources   511  512  513 │ 32767   0   1      picture ids: 7 or 15 bits
 *     sent             511  512  513 │   514 515 516      always 15 bits, for in 7 no row goes on behind a longer one
 *
 * Payloads are shared and never written to: the descriptor is written anew, as a patch.
 */
import { SerialUnwrapper } from '../../rtp/index.ts';
import type { PayloadPatch } from '../contract.ts';
import { Renumbering } from './renumbering.ts';

/** Of the descriptor of a payload, what is rewritten. Offsets are bytes from the beginning of the payload. */
export interface PictureFields {
  readonly pictureId: number | undefined;
  readonly pictureIdBits: 7 | 15 | undefined;
  readonly pictureIdOffset: number | undefined;
  readonly tl0PictureIndex: number | undefined;
  readonly tl0PictureIndexOffset: number | undefined;
  /** Of VP8 alone. */
  readonly keyIndex?: number | undefined;
  readonly layerOffset?: number | undefined;
}

const PICTURE_ID_MASK = 0x7fff;

/** Where the pictures of the sources before have ended, as sent; `undefined`: they had no such field. */
export interface LastPicture {
  /** Unwrapped. */
  readonly id: number | undefined;
  readonly tl0: number | undefined;
  readonly key: number | undefined;
}

/** A counter of a source that wraps: what is added to it, so that it goes on by one behind the source before. */
class Counted {
  readonly #mask: number;
  #offset: number | undefined;
  /** As sent. */
  last: number | undefined;

  constructor(bits: number) {
    this.#mask = 2 ** bits - 1;
  }

  begin(last: number | undefined): void {
    this.#offset = undefined;
    this.last = last;
  }

  /** @param isNew nothing behind this packet has been sent yet */
  sent(value: number, isNew: boolean): number {
    this.#offset ??= this.last === undefined ? 0 : this.last + 1 - value;
    const sent = (value + this.#offset) & this.#mask;
    if (isNew) this.last = sent;
    return sent;
  }
}

/** Of one source that is sent. */
export class PictureIds {
  readonly #ids: Renumbering;
  #unwrapper = new SerialUnwrapper(15);
  /** Of the ids of this source; `undefined`: none has come yet. */
  #bits: 7 | 15 | undefined;
  /** RTP time of the latest picture of this source. */
  #time = 0;
  /** Of the sources before. */
  #idBefore: number | undefined;
  readonly #tl0 = new Counted(8);
  readonly #keys = new Counted(5);

  /** @param memory how many pictures of a source are remembered, a power of two */
  constructor(memory: number) {
    this.#ids = new Renumbering(memory);
  }

  /** The last picture that was sent, of this source or one before. */
  get last(): LastPicture {
    const id = this.#bits === undefined ? this.#idBefore : this.#ids.lastSent;
    return { id, tl0: this.#tl0.last, key: this.#keys.last };
  }

  /** The source begins, behind pictures of another one. */
  begin(after: LastPicture): void {
    this.#bits = undefined;
    this.#idBefore = after.id;
    this.#tl0.begin(after.tl0);
    this.#keys.begin(after.key);
  }

  /** The source ends: ids that nobody knows of are taken back. */
  end(): void {
    if (this.#bits !== undefined) this.#ids.end();
  }

  /**
   * Finds the picture of a packet a place in the row. False: there is none, as the ids of its source began anew after it.
   * @param time RTP time, unwrapped
   * @param isNew no later packet of its source has come yet
   */
  admit({ pictureId, pictureIdBits }: PictureFields, time: number, isNew: boolean): boolean {
    if (pictureId === undefined || pictureIdBits === undefined) return true;
    const { largest } = this.#ids;
    if (this.#bits === pictureIdBits) {
      const unwrapped = this.#unwrapper.peek(pictureId);
      const isOfNext = unwrapped > largest || (unwrapped === largest && time === this.#time);
      if (isNew && isOfNext) return true;
      // What comes late and is of no picture in the row is from before the ids began anew.
      if (!isNew) return unwrapped <= largest && this.#ids.standing(unwrapped) !== 'old';
    } else if (!isNew) return false;
    // The first of this source; or its ids have another width, or run back, and are counted from here.
    this.#unwrapper = new SerialUnwrapper(pictureIdBits);
    const first = this.#unwrapper.peek(pictureId);
    const { id } = this.last;
    this.#ids.start(first, id === undefined ? first : id + 1);
    this.#bits = pictureIdBits;
    return true;
  }

  /** A packet is sent on that was admitted. @returns what its payload begins with instead; `undefined`: it stays as it is */
  take(payload: Uint8Array, fields: PictureFields, time: number, isNew: boolean): PayloadPatch | undefined {
    const { pictureId, pictureIdBits, tl0PictureIndex, keyIndex } = fields;
    let id: number | undefined;
    if (pictureId !== undefined) {
      id = this.#ids.take(this.#unwrapper.unwrap(pictureId)) & PICTURE_ID_MASK;
      if (isNew) this.#time = time;
    }
    const tl0 = tl0PictureIndex === undefined ? undefined : this.#tl0.sent(tl0PictureIndex, isNew);
    const key = keyIndex === undefined ? undefined : this.#keys.sent(keyIndex, isNew);
    if (id === pictureId && pictureIdBits !== 7 && tl0 === tl0PictureIndex && key === keyIndex) {
      return undefined;
    }
    return patchOf(payload, fields, id, tl0, key);
  }

  /** A packet that was admitted is not sent on, as no other of its picture is: the row closes up. */
  leaveOut({ pictureId }: PictureFields, time: number, isNew: boolean): void {
    if (pictureId === undefined) return;
    const unwrapped = this.#unwrapper.unwrap(pictureId);
    if (isNew) this.#time = time;
    if (this.#ids.standing(unwrapped) === 'new') this.#ids.leaveOut(unwrapped);
  }
}

/** The beginning of the payload with these values, as far as the last of them. */
function patchOf(
  payload: Uint8Array,
  fields: PictureFields,
  id: number | undefined,
  tl0: number | undefined,
  key: number | undefined,
): PayloadPatch {
  const { pictureIdOffset = -1, pictureIdBits, tl0PictureIndexOffset = -1, layerOffset = -1 } = fields;
  const idEnd = pictureIdOffset < 0 ? 0 : pictureIdOffset + (pictureIdBits === 7 ? 1 : 2);
  const keyOffset = key === undefined ? -1 : layerOffset;
  const replaced = Math.max(idEnd, tl0PictureIndexOffset + 1, keyOffset + 1);
  /** What a short id has less than a long one. */
  const growth = pictureIdBits === 7 ? 1 : 0;
  const bytes = new Uint8Array(replaced + growth);
  for (let at = 0; at < replaced; at++) bytes[at < idEnd ? at : at + growth] = payload[at]!;
  if (id !== undefined) {
    bytes[pictureIdOffset] = 0x80 | (id >> 8);
    bytes[pictureIdOffset + 1] = id;
  }
  if (tl0 !== undefined) bytes[tl0PictureIndexOffset + growth] = tl0;
  if (key !== undefined) bytes[keyOffset + growth] = (payload[keyOffset]! & 0xe0) | key;
  return { replaced, bytes };
}
