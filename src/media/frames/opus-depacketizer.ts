/**
 * OpusDepacketizer: packets of Opus (RFC 7587), plain or with copies of earlier ones (RED, RFC 2198), as frames in their order.
 *
 *     RED   [18][19] 20 │ [20][21] 22 │ …     21 was lost: its copy is given out in front of 22, copies of what is known are not
 *
 * In silence a sender may leave out packets (DTX); the timestamps go on, and nothing is missing.
 */
import { Counters } from '../../core/counters.ts';
import { BoundedQueue } from '../../core/queue.ts';
import { readRed } from '../../rtp/index.ts';
import type { CodecParameters } from '../parameters.ts';
import type { OrderedPacket } from './reorder-buffer.ts';

/** An Opus packet, as a decoder takes it. */
export interface OpusFrame {
  /** A view of the packet that it came in, which nobody writes to. */
  readonly data: Uint8Array;
  /** Unwrapped, in units of the codec's clock: 48 kHz. */
  readonly timestamp: number;
  /** In the same units; what its table of contents says (RFC 6716 §3.1). */
  readonly duration: number;
  /** Every one can be decoded by itself. */
  readonly isKeyframe: true;
  /** False: what was between it and the frame before is lost. */
  readonly isContiguous: boolean;
  /** There is no sound in it: 1 or 2 bytes (DTX). */
  readonly isDtx: boolean;
  /** It was lost, and is a copy that came in a later packet. */
  readonly isCopy: boolean;
}

/** What packets were found to be. */
export type OpusDepacketizerCounter =
  'frames' | 'framesFromCopies' | 'framesNotTaken' | 'packetsMalformed' | 'packetsOfOtherCodecs';

const COUNTERS: readonly OpusDepacketizerCounter[] = [
  'frames',
  'framesFromCopies',
  'framesNotTaken',
  'packetsMalformed',
  'packetsOfOtherCodecs',
];

/** Frames that wait to be polled: a few packets with all the copies that one can have. */
const MOST_WAITING = 256;
/** RFC 6716 §3.2.5, in units of 48 kHz. */
const LONGEST = 5760;
const LONGEST_SILENCE = 2;

/** Of one stream. Packets go in, in their order (`push`), and frames come out (`poll`, until `undefined`). */
export class OpusDepacketizer {
  readonly #ready = new BoundedQueue<OpusFrame>(MOST_WAITING);
  readonly #counters = new Counters<OpusDepacketizerCounter>(COUNTERS);
  /** Where the last frame ends. */
  #end = -Infinity;
  /** Something in front of the next packet was lost, or could not be given out. */
  #isAfterLoss = false;
  #codec: CodecParameters | undefined;
  #isRed = false;
  /** Of Opus in RED, as far as the description says: `111/111`. */
  #opusType: number | undefined;

  /** The next packet in order. What is not of Opus, or cannot be, is dropped and counted. */
  push({ event, isContiguous }: OrderedPacket): void {
    if (!isContiguous) this.#isAfterLoss = true;
    if (event.codec !== this.#codec && !this.#learn(event.codec)) {
      this.#counters.add('packetsOfOtherCodecs');
      return;
    }
    const isNext = !this.#isAfterLoss;
    this.#isAfterLoss = false;
    const { payload } = event.packet;
    if (!this.#isRed) {
      this.#add(payload, event.time, isNext, false);
      return;
    }
    const blocks = readRed(payload);
    if (blocks === undefined) {
      this.#counters.add('packetsMalformed');
      this.#isAfterLoss = true;
      return;
    }
    for (const { payloadType, timestampOffset, payload: data } of blocks) {
      const isCopy = timestampOffset > 0;
      const timestamp = event.time - timestampOffset;
      if (data.length === 0 || (isCopy && timestamp < this.#end)) continue;
      if (payloadType !== (this.#opusType ?? payloadType)) this.#counters.add('packetsOfOtherCodecs');
      else this.#add(data, timestamp, isNext && !this.#isAfterLoss, isCopy);
    }
  }

  /** The next frame; `undefined`: there is none yet. */
  poll(): OpusFrame | undefined {
    return this.#ready.shift();
  }

  /** How many frames there were, and what was none. */
  get counters(): Record<OpusDepacketizerCounter, number> {
    return this.#counters.snapshot();
  }

  #learn(codec: CodecParameters): boolean {
    const mimeType = codec.mimeType.toLowerCase();
    if (mimeType !== 'audio/opus' && mimeType !== 'audio/red') return false;
    this.#codec = codec;
    this.#isRed = mimeType === 'audio/red';
    const told = /^\s*(\d+)/.exec(codec.sdpFmtpLine ?? '')?.[1];
    this.#opusType = told === undefined ? undefined : Number(told);
    return true;
  }

  /** @param isNext nothing is missing in front of it; else nothing is where it begins as the last frame ends: a copy fills a gap */
  #add(data: Uint8Array, timestamp: number, isNext: boolean, isCopy: boolean): void {
    const duration = opusDuration(data);
    if (duration === undefined) {
      this.#counters.add('packetsMalformed');
      this.#isAfterLoss = true;
      return;
    }
    const isContiguous = isNext || timestamp === this.#end;
    const isDtx = data.length <= LONGEST_SILENCE;
    const isTaken = this.#ready.push({
      data,
      timestamp,
      duration,
      isKeyframe: true,
      isContiguous,
      isDtx,
      isCopy,
    });
    if (isTaken) this.#end = timestamp + duration;
    else this.#isAfterLoss = true;
    this.#counters.add(!isTaken ? 'framesNotTaken' : isCopy ? 'framesFromCopies' : 'frames');
  }
}

/**
 * How long an Opus packet lasts, in units of 48 kHz, by its table of contents (RFC 6716 §3.1, §3.2). `undefined`: it is none, as one
 * without a byte, of no frames, or of more than 120 ms.
 */
export function opusDuration(data: Uint8Array): number | undefined {
  if (data.length === 0) return undefined;
  const toc = data[0]!;
  const code = toc & 0x03;
  // RFC 6716 §3.4, R4 and R5: there is the length of the first of two frames, or how many there are.
  if (code >= 2 && data.length < 2) return undefined;
  // R3, of two frames of one size: what is left has to be halved.
  if (code === 1 && (data.length & 1) === 0) return undefined;
  const frames = code === 0 ? 1 : code < 3 ? 2 : data[1]! & 0x3f;
  const duration = frames * frameDuration(toc >> 3);
  return duration === 0 || duration > LONGEST ? undefined : duration;
}

/** Of one frame, by configuration: SILK 10, 20, 40, 60 ms; hybrid 10, 20 ms; CELT 2.5, 5, 10, 20 ms (RFC 6716 §3.1). */
function frameDuration(configuration: number): number {
  if (configuration >= 16) return 120 << (configuration & 3);
  if (configuration >= 12) return 480 << (configuration & 1);
  return (configuration & 3) === 3 ? 2880 : 480 << (configuration & 3);
}
