/**
 * The template dependency structure (RTP Payload Format For AV1 v1.0, A.8.2): what the frames of a coded video sequence depend on
 * and are needed for, as templates that frames refer to. It comes with the first packet of a keyframe.
 */
import type { BitReader } from '../bit-reader.ts';

/**
 * What a frame is to a decode target, which is what one receiver wants to decode (A.8.3, table A.1). `switch`: who wants the target
 * may begin with this frame, if it can be decoded.
 */
export type DecodeTargetIndication = 'not-present' | 'discardable' | 'switch' | 'required';

/** What many frames have in common. */
export interface DependencyTemplate {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
  /** One a decode target. */
  readonly indications: readonly DecodeTargetIndication[];
  /** Frames that it refers to, counted back from its own number. */
  readonly frameDifferences: readonly number[];
  /** One a chain: the frame before in it, counted back; 0: none is needed. */
  readonly chainDifferences: readonly number[];
}

/** What a receiver may decode. */
export interface DecodeTarget {
  /** The highest that it has. */
  readonly spatialLayer: number;
  readonly temporalLayer: number;
  /** The chain whose frames are enough to go on with it after a loss; `undefined`: there are no chains. */
  readonly chain: number | undefined;
}

/** The templates of a sequence, shared by all its frames. */
export interface DependencyStructure {
  /** 0–63, of the first template. */
  readonly templateIdOffset: number;
  readonly templates: readonly DependencyTemplate[];
  /** At most 32. */
  readonly decodeTargets: readonly DecodeTarget[];
  readonly chainCount: number;
  /** One a spatial layer; `undefined`: not told. */
  readonly resolutions: readonly { readonly width: number; readonly height: number }[] | undefined;
}

/** Bounds of libwebrtc's, beyond which no browser goes. Ids have six bits, and decode targets five. */
const MAX_TEMPLATES = 64;
const MAX_SPATIAL_LAYERS = 4;
const MAX_TEMPORAL_LAYERS = 8;

const INDICATIONS = ['not-present', 'discardable', 'switch', 'required'] as const;

/** Values of next_layer_idc (table A.2); 0: the layer of the one before. */
const NEXT_TEMPORAL_LAYER = 1;
const NEXT_SPATIAL_LAYER = 2;
const NO_MORE_LAYERS = 3;

/** `undefined`: it ends early, or goes beyond a bound. */
export function readDependencyStructure(bits: BitReader): DependencyStructure | undefined {
  const templateIdOffset = bits.bits(6);
  const targetCount = bits.bits(5) + 1;
  const layers = readLayers(bits);
  if (layers === undefined) return undefined;
  const indications = layers.map(() => readIndications(bits, targetCount));
  const frameDifferences = layers.map(() => readTemplateDifferences(bits));
  const chainCount = bits.nonSymmetric(targetCount + 1);
  const chains: (number | undefined)[] = [];
  for (let target = 0; target < targetCount; target++)
    chains.push(chainCount === 0 ? undefined : bits.nonSymmetric(chainCount));
  const chainDifferences = layers.map(() => readChainDifferences(bits, chainCount, 4));
  const resolutions = bits.flag() ? readResolutions(bits, layers) : undefined;
  if (bits.failed) return undefined;
  const templates = layers.map((layer, i) => ({
    ...layer,
    indications: indications[i] ?? [],
    frameDifferences: frameDifferences[i] ?? [],
    chainDifferences: chainDifferences[i] ?? [],
  }));
  const decodeTargets = chains.map((chain, target) => decodeTarget(templates, target, chain));
  return { templateIdOffset, templates, decodeTargets, chainCount, resolutions };
}

/** One a decode target. */
export function readIndications(bits: BitReader, targetCount: number): DecodeTargetIndication[] {
  const indications: DecodeTargetIndication[] = [];
  while (indications.length < targetCount) indications.push(INDICATIONS[bits.bits(2)] ?? 'not-present');
  return indications;
}

/** One a chain, of `width` bits each. */
export function readChainDifferences(bits: BitReader, chainCount: number, width: 4 | 8): number[] {
  const differences: number[] = [];
  while (differences.length < chainCount) differences.push(bits.bits(width));
  return differences;
}

/** The next one follows from that before. */
function readLayers(bits: BitReader): { spatialLayer: number; temporalLayer: number }[] | undefined {
  const layers: { spatialLayer: number; temporalLayer: number }[] = [];
  let spatialLayer = 0;
  let temporalLayer = 0;
  while (layers.length < MAX_TEMPLATES) {
    layers.push({ spatialLayer, temporalLayer });
    const next = bits.bits(2);
    if (next === NO_MORE_LAYERS) return layers;
    if (next === NEXT_TEMPORAL_LAYER) temporalLayer++;
    if (next === NEXT_SPATIAL_LAYER) {
      temporalLayer = 0;
      spatialLayer++;
    }
    if (spatialLayer >= MAX_SPATIAL_LAYERS || temporalLayer >= MAX_TEMPORAL_LAYERS) return undefined;
  }
  return undefined;
}

function readTemplateDifferences(bits: BitReader): number[] {
  const differences: number[] = [];
  while (bits.flag()) differences.push(bits.bits(4) + 1);
  return differences;
}

function readResolutions(
  bits: BitReader,
  layers: readonly { readonly spatialLayer: number }[],
): { width: number; height: number }[] {
  const resolutions: { width: number; height: number }[] = [];
  const count = (layers.at(-1)?.spatialLayer ?? 0) + 1;
  while (resolutions.length < count)
    resolutions.push({ width: bits.bits(16) + 1, height: bits.bits(16) + 1 });
  return resolutions;
}

/** The layers of what is present for it. */
function decodeTarget(
  templates: readonly DependencyTemplate[],
  target: number,
  chain: number | undefined,
): DecodeTarget {
  let spatialLayer = 0;
  let temporalLayer = 0;
  for (const template of templates) {
    if (template.indications[target] === 'not-present') continue;
    spatialLayer = Math.max(spatialLayer, template.spatialLayer);
    temporalLayer = Math.max(temporalLayer, template.temporalLayer);
  }
  return { spatialLayer, temporalLayer, chain };
}
