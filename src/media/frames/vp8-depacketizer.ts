/**
 * Vp8Depacketizer: packets of VP8 (RFC 7741) as whole frames in their order.
 *
 *     S=1 PID=0 ── packets in a row, of one time ── marker, or another time behind it     one frame
 *
 * After a loss a frame can be decoded where nothing that it needs was lost: a keyframe; the next picture by its id, as when only
 * padding was lost; a picture of the lowest temporal layer by TL0PICIDX, as when others were lost; and one of a higher layer that
 * depends on the lowest alone (Y). Without such fields every loss breaks the row until the next keyframe, which is wished for.
 */
import { Counters } from '../../core/counters.ts';
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, flag, integer, wait, withDefaults } from '../../core/options.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { Vp8Descriptor } from '../../rtp/index.ts';
import { readVp8Descriptor } from '../../rtp/index.ts';
import { KeyframeWish } from '../keyframe-wish.ts';
import type { OrderedPacket } from './reorder-buffer.ts';

/** What is given out, and how a keyframe is wished for. Times are ms. */
export interface Vp8DepacketizerOptions {
  /** Only frames that can be decoded are given out: after a loss none until a keyframe. Default true. */
  readonly onlyDecodable?: boolean | undefined;
  /** How long a stream may begin without a keyframe before one is wished for. Default 200. */
  readonly keyframeDelay?: number | undefined;
  /** From one wish to the next; each wait after that is twice as long, 4 s at the most. Default 500. */
  readonly keyframeInterval?: number | undefined;
  /** How long a keyframe is wished for. Default 10 000. */
  readonly keyframeTimeout?: number | undefined;
  /** The largest frame, bytes. Default 4 MiB. */
  readonly maxFrameBytes?: number | undefined;
}

/** A frame of VP8, as a decoder takes it. */
export interface Vp8Frame {
  /** Without payload descriptors. A view of the packet where there was one alone, which nobody writes to. */
  readonly data: Uint8Array;
  /** Unwrapped, in units of the codec's clock: 90 kHz. */
  readonly timestamp: number;
  readonly isKeyframe: boolean;
  /** It can be decoded: every frame that it depends on was given out. A keyframe depends on none. */
  readonly isContiguous: boolean;
  /** No other frame depends on it. */
  readonly isDiscardable: boolean;
  /** 7 or 15 bits, as sent. */
  readonly pictureId: number | undefined;
  /** TID, 0–3. */
  readonly temporalLayer: number | undefined;
  /** Of a keyframe, in pixels. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** What packets and frames were found to be. */
export type Vp8DepacketizerCounter =
  | 'frames'
  | 'keyframes'
  | 'framesIncomplete'
  | 'framesUndecodable'
  | 'framesMalformed'
  | 'framesTooLarge'
  | 'framesNotTaken'
  | 'packetsMalformed'
  | 'packetsWithoutStart'
  | 'packetsOfOtherCodecs'
  | 'keyframeTimeouts';

const COUNTERS: readonly Vp8DepacketizerCounter[] = [
  'frames',
  'keyframes',
  'framesIncomplete',
  'framesUndecodable',
  'framesMalformed',
  'framesTooLarge',
  'framesNotTaken',
  'packetsMalformed',
  'packetsWithoutStart',
  'packetsOfOtherCodecs',
  'keyframeTimeouts',
];

const DEFAULTS = {
  onlyDecodable: true,
  keyframeDelay: 200,
  keyframeInterval: 500,
  keyframeTimeout: 10_000,
  maxFrameBytes: 4 * 1024 * 1024,
};
/** Packets of a frame, whatever their size. */
const MOST_PARTS = 4096;
/** Frames that wait to be polled. */
const MOST_WAITING = 64;
/** Frame tag, start code, width and height (RFC 6386 §9.1). */
const KEYFRAME_HEADER = 10;

const VP8_DEPACKETIZER_OPTION_RULES: OptionRules<Vp8DepacketizerOptions> = {
  onlyDecodable: flag,
  keyframeDelay: wait,
  keyframeInterval: wait,
  keyframeTimeout: wait,
  maxFrameBytes: integer(1),
};

/** The frame whose packets are coming. */
interface OpenFrame {
  readonly timestamp: number;
  readonly descriptor: Vp8Descriptor;
  /** Something is missing between the frame before and this one. */
  readonly isAfterLoss: boolean;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Of one stream. Packets go in, in their order (`push`), and frames come out (`poll`, until `undefined`). */
export class Vp8Depacketizer {
  readonly #onlyDecodable: boolean;
  readonly #keyframeDelay: number;
  readonly #keyframeInterval: number;
  readonly #maxFrameBytes: number;
  readonly #wish: KeyframeWish;
  readonly #ready = new BoundedQueue<Vp8Frame>(MOST_WAITING);
  readonly #counters = new Counters<Vp8DepacketizerCounter>(COUNTERS);
  #now = -Infinity;
  #hasBegun = false;
  #open: OpenFrame | undefined;
  /** Something was lost since the last whole frame. */
  #isAfterLoss = false;
  /** All that later frames of the lowest layer depend on was given out. */
  #isIntact = false;
  /** The highest temporal layer of which nothing is missing. */
  #intactLayer = 0;
  /** Of the last whole frame, and of the last one of the lowest layer. */
  #pictureId: number | undefined;
  #tl0PictureIndex: number | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
  constructor(options: Vp8DepacketizerOptions = {}) {
    checkOptions('Vp8Depacketizer', options, VP8_DEPACKETIZER_OPTION_RULES);
    const chosen = withDefaults(DEFAULTS, options);
    this.#onlyDecodable = chosen.onlyDecodable;
    this.#keyframeDelay = chosen.keyframeDelay;
    this.#keyframeInterval = chosen.keyframeInterval;
    this.#maxFrameBytes = chosen.maxFrameBytes;
    this.#wish = new KeyframeWish({ interval: chosen.keyframeInterval, timeout: chosen.keyframeTimeout });
  }

  /** The next packet in order. What is not of VP8, or cannot be, is dropped and counted: a loss. */
  push({ event, isContiguous }: OrderedPacket): void {
    this.handleTimeout(event.receivedAt);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#wish.begin(this.#now, this.#keyframeDelay);
    }
    if (!isContiguous) this.#lose();
    const { codec, packet, time } = event;
    if (codec.mimeType.toLowerCase() !== 'video/vp8') {
      this.#counters.add('packetsOfOtherCodecs');
      return;
    }
    const descriptor = readVp8Descriptor(packet.payload);
    if (descriptor === undefined) {
      this.#counters.add('packetsMalformed');
      this.#lose();
      return;
    }
    const isStart = descriptor.isPartitionStart && descriptor.partition === 0;
    // The one before has ended without a marker.
    if (this.#open !== undefined && (isStart || time !== this.#open.timestamp)) this.#finish(this.#open);
    if (isStart) {
      const isAfterLoss = this.#isAfterLoss;
      this.#open = { timestamp: time, descriptor, isAfterLoss, parts: [], bytes: 0 };
      this.#isAfterLoss = false;
    } else if (this.#open === undefined) {
      this.#counters.add('packetsWithoutStart');
      this.#lose();
      return;
    }
    const open = this.#open;
    if (this.#append(open, packet.payload.subarray(descriptor.length)) && packet.marker) this.#finish(open);
  }

  /** The next frame; `undefined`: there is none yet. */
  poll(): Vp8Frame | undefined {
    return this.#ready.shift();
  }

  /** True once for each request for a keyframe that is to be made now: ask after `push` and `handleTimeout`. */
  keyframeWish(): boolean {
    return this.#wish.takeDue();
  }

  /** Runs what is due at `now`. */
  handleTimeout(now: number): void {
    if (now > this.#now) this.#now = now;
    if (this.#wish.handleTimeout(this.#now)) this.#counters.add('keyframeTimeouts');
  }

  /** When `handleTimeout` is due, ms; `Infinity`: no keyframe is wished for. */
  nextTimeout(): number {
    return this.#wish.nextTimeout();
  }

  /** The stream is over: the last frame has ended, where its marker is missing. */
  flush(): void {
    if (this.#open !== undefined) this.#finish(this.#open);
    this.#wish.fulfil();
  }

  /** How many frames there were, and what was none. */
  get counters(): Record<Vp8DepacketizerCounter, number> {
    return this.#counters.snapshot();
  }

  /** @returns false: the frame is too large, and lost */
  #append(open: OpenFrame, part: Uint8Array): boolean {
    open.parts.push(part);
    open.bytes += part.length;
    if (open.bytes <= this.#maxFrameBytes && open.parts.length <= MOST_PARTS) return true;
    this.#counters.add('framesTooLarge');
    this.#open = undefined;
    this.#lose();
    return false;
  }

  /** Something is missing here: the frame that it was of cannot be completed. */
  #lose(): void {
    this.#isAfterLoss = true;
    if (this.#open === undefined) return;
    this.#counters.add('framesIncomplete');
    this.#open = undefined;
  }

  #finish({ timestamp, descriptor, isAfterLoss, parts, bytes }: OpenFrame): void {
    this.#open = undefined;
    const data = joined(parts, bytes);
    const isKeyframe = (data[0]! & 0x01) === 0;
    if (isKeyframe && !hasKeyframeHeader(data)) {
      this.#counters.add('framesMalformed');
      this.#isAfterLoss = true;
      return;
    }
    // What was lost in front of a frame that is not given out is still lost for the next one.
    const isContiguous = this.#follow(descriptor, isKeyframe, isAfterLoss);
    if (!isContiguous) {
      if (!this.#isIntact) this.#wishForKeyframe();
      if (this.#onlyDecodable) {
        this.#counters.add('framesUndecodable');
        return;
      }
    } else if (isKeyframe) this.#wish.fulfil();
    const isTaken = this.#ready.push({
      data,
      timestamp,
      isKeyframe,
      isContiguous,
      isDiscardable: descriptor.isDiscardable,
      pictureId: descriptor.pictureId,
      temporalLayer: descriptor.temporalLayer,
      width: isKeyframe ? readSize(data, 6) : undefined,
      height: isKeyframe ? readSize(data, 8) : undefined,
    });
    this.#counters.add(isTaken ? 'frames' : 'framesNotTaken');
    if (isTaken && isKeyframe) this.#counters.add('keyframes');
    if (!isTaken) this.#isIntact = false;
  }

  /** Whether all that a frame depends on was given out; and what later ones can depend on. */
  #follow(descriptor: Vp8Descriptor, isKeyframe: boolean, isAfterLoss: boolean): boolean {
    const { pictureId, pictureIdBits, tl0PictureIndex, temporalLayer, isLayerSync } = descriptor;
    const nextId =
      this.#pictureId === undefined ? undefined : (this.#pictureId + 1) % 2 ** (pictureIdBits ?? 15);
    const isLossy = isAfterLoss && (pictureId === undefined || pictureId !== nextId);
    const tl0Before = this.#tl0PictureIndex;
    this.#pictureId = pictureId;
    if (isKeyframe) {
      this.#isIntact = true;
      this.#intactLayer = Infinity;
      this.#tl0PictureIndex = tl0PictureIndex;
      return true;
    }
    if (isLossy) {
      // Layers above the lowest are joined again where they depend on that alone.
      this.#intactLayer = 0;
      const isBaseKnown =
        tl0Before !== undefined && tl0PictureIndex !== undefined && temporalLayer !== undefined;
      const baseBefore = (tl0PictureIndex ?? 0) - (temporalLayer === 0 ? 1 : 0);
      if (!isBaseKnown || ((baseBefore - tl0Before) & 0xff) !== 0) this.#isIntact = false;
    }
    const layer = temporalLayer ?? 0;
    if (layer === 0) this.#tl0PictureIndex = tl0PictureIndex;
    if (isLayerSync && layer === this.#intactLayer + 1) this.#intactLayer = layer;
    return this.#isIntact && (layer <= this.#intactLayer || isLayerSync);
  }

  #wishForKeyframe(): void {
    if (this.#wish.isOpen) return;
    this.#wish.begin(this.#now, Math.max(0, this.#wish.lastRequest + this.#keyframeInterval - this.#now));
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const data = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

/** The start code behind the frame tag, and room for the size. */
function hasKeyframeHeader(data: Uint8Array): boolean {
  return data.length >= KEYFRAME_HEADER && data[3] === 0x9d && data[4] === 0x01 && data[5] === 0x2a;
}

/** 14 bits, the lowest byte first; two more are for scaling. */
function readSize(data: Uint8Array, at: number): number {
  return data[at]! | ((data[at + 1]! & 0x3f) << 8);
}
