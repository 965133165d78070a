/**
 * The allocation of video layers: which layers a sender sends, over all its streams of one source, and the rate, size and frame
 * rate it aims at in each. A forwarder chooses by it. (libwebrtc, docs/native-code/rtp-hdrext/video-layers-allocation00.)
 *
 *     stream, streams, layers of all │ [ layers of each ] │ temporal layers of each, 2 bits │ rates, leb128 │ [ sizes, frame rates ]
 */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, Writer } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import { MAX_LEB128_BYTES, leb128Length, readLeb128 } from '../leb128.ts';

/** What a sender sends. */
export interface VideoLayersAllocation {
  /** Of the stream that this came with, 0–3, among those of the same source. */
  readonly streamIndex: number;
  /** 1–4. */
  readonly streamCount: number;
  /** The active ones, by stream and spatial layer in rising order; none: nothing is sent. */
  readonly layers: readonly VideoLayer[];
}

/** One spatial layer of one stream. */
export interface VideoLayer {
  /** 0–3. */
  readonly streamIndex: number;
  /** 0–3. */
  readonly spatialLayer: number;
  /** Bits per second for each temporal layer, 1–4 of them, each with all that it depends on; sent in steps of 1,000. */
  readonly bitrates: readonly number[];
  /** `undefined`: not told. For all layers, or for none. */
  readonly size: VideoLayerSize | undefined;
}

/** How large the pictures of a layer are, and how many at the most. */
export interface VideoLayerSize {
  /** 1–65,536. */
  readonly width: number;
  readonly height: number;
  /** A second, 0–255. */
  readonly frameRate: number;
}

const MAX_STREAMS = 4;
const MAX_LAYERS = 4;
const MAX_TEMPORAL_LAYERS = 4;
const SIZE_LENGTH = 5;
const KILO = 1000;

/** `undefined`: it ends early, or with what is no size of each layer. */
export function readVideoLayersAllocation(value: Uint8Array): VideoLayersAllocation | undefined {
  const { length } = value;
  if (length === 0) return undefined;
  const first = value[0]!;
  if (first === 0 && length === 1) return { streamIndex: 0, streamCount: 1, layers: [] };
  const streamCount = ((first >> 4) & 0x03) + 1;
  const shared = first & 0x0f;
  let at = 1 + (shared === 0 ? (streamCount + 1) >> 1 : 0);
  const places: { streamIndex: number; spatialLayer: number }[] = [];
  for (let streamIndex = 0; streamIndex < streamCount; streamIndex++) {
    const own = ((value[1 + (streamIndex >> 1)] ?? 0) >> (streamIndex % 2 === 0 ? 4 : 0)) & 0x0f;
    const mask = shared === 0 ? own : shared;
    for (let spatialLayer = 0; spatialLayer < MAX_LAYERS; spatialLayer++)
      if ((mask & (1 << spatialLayer)) !== 0) places.push({ streamIndex, spatialLayer });
  }
  const counts = at;
  at += (places.length + 3) >> 2;
  if (at > length) return undefined;
  const rates: number[][] = [];
  for (let layer = 0; layer < places.length; layer++) {
    const temporalLayers = ((value[counts + (layer >> 2)]! >> (6 - 2 * (layer % 4))) & 0x03) + 1;
    const bitrates: number[] = [];
    for (; bitrates.length < temporalLayers; at += leb128Length(value, at, length)) {
      const rate = readLeb128(value, at, length);
      if (rate < 0) return undefined;
      bitrates.push(rate * KILO);
    }
    rates.push(bitrates);
  }
  const hasSizes = at < length;
  if (hasSizes && length - at !== SIZE_LENGTH * places.length) return undefined;
  const layers = places.map((place, layer) => ({
    ...place,
    bitrates: rates[layer] ?? [],
    size: hasSizes ? readSize(value, at + SIZE_LENGTH * layer) : undefined,
  }));
  return { streamIndex: first >> 6, streamCount, layers };
}

/**
 * The value of the extension. Rates are rounded to steps of 1,000. Without layers it is one byte, which names no streams. Throws
 * `ERR_BAD_ARGUMENT` for what it cannot say.
 */
export function writeVideoLayersAllocation(allocation: VideoLayersAllocation): Bytes {
  const { streamIndex, streamCount, layers } = allocation;
  checkAllocation(allocation);
  const writer = new Writer(64);
  if (layers.length === 0) return writer.u8(0).finish();
  const masks = new Array<number>(streamCount).fill(0);
  for (const layer of layers)
    masks[layer.streamIndex] = (masks[layer.streamIndex] ?? 0) | (1 << layer.spatialLayer);
  const [shared = 0] = masks;
  const isShared = shared !== 0 && masks.every((mask) => mask === shared);
  writer.u8((streamIndex << 6) | ((streamCount - 1) << 4) | (isShared ? shared : 0));
  if (!isShared)
    for (let stream = 0; stream < streamCount; stream += 2)
      writer.u8(((masks[stream] ?? 0) << 4) | (masks[stream + 1] ?? 0));
  for (let layer = 0; layer < layers.length; layer += 4) {
    let counts = 0;
    for (let i = 0; i < 4; i++) counts = (counts << 2) | ((layers[layer + i]?.bitrates.length ?? 1) - 1);
    writer.u8(counts);
  }
  for (const { bitrates } of layers)
    for (const rate of bitrates) writeLeb128(writer, Math.round(rate / KILO));
  for (const { size } of layers)
    if (size !== undefined)
      writer
        .u16(size.width - 1)
        .u16(size.height - 1)
        .u8(size.frameRate);
  return writer.finish();
}

function readSize(value: Uint8Array, at: number): VideoLayerSize {
  return {
    width: readU16(value, at) + 1,
    height: readU16(value, at + 2) + 1,
    frameRate: value[at + 4]!,
  };
}

function checkAllocation({ streamIndex, streamCount, layers }: VideoLayersAllocation): void {
  if (!isWithin(streamCount, 1, MAX_STREAMS)) throw badArgument('streamCount', '1 to 4', streamCount);
  if (!isWithin(streamIndex, 0, streamCount - 1))
    throw badArgument('streamIndex', `0 to ${String(streamCount - 1)}`, streamIndex);
  let last = -1;
  for (const layer of layers) {
    const { spatialLayer, bitrates, size } = layer;
    const place = layer.streamIndex * MAX_LAYERS + spatialLayer;
    if (!isWithin(layer.streamIndex, 0, streamCount - 1) || !isWithin(spatialLayer, 0, MAX_LAYERS - 1))
      throw badArgument('layers', 'layers of these streams', place);
    if (place <= last) throw badArgument('layers', 'rising order', place);
    last = place;
    if (!isWithin(bitrates.length, 1, MAX_TEMPORAL_LAYERS))
      throw badArgument('bitrates', '1 to 4 temporal layers', bitrates.length);
    for (const rate of bitrates)
      if (!isWithin(Math.round(rate / KILO), 0, 2 ** (7 * MAX_LEB128_BYTES) - 1))
        throw badArgument('bitrates', 'bits per second', rate);
    if ((size === undefined) !== (layers[0]?.size === undefined))
      throw badArgument('size', 'a size of each layer, or of none', size);
    if (size !== undefined) checkSize(size);
  }
}

function checkSize({ width, height, frameRate }: VideoLayerSize): void {
  if (!isWithin(width, 1, 0x1_0000)) throw badArgument('width', '1 to 65536', width);
  if (!isWithin(height, 1, 0x1_0000)) throw badArgument('height', '1 to 65536', height);
  if (!isWithin(frameRate, 0, 0xff)) throw badArgument('frameRate', '0 to 255', frameRate);
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function writeLeb128(writer: Writer, value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writer.u8(0x80 | (rest & 0x7f));
  writer.u8(rest);
}
