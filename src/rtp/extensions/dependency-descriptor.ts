/**
 * DependencyDescriptorReader: the dependency descriptors of one stream (RTP Payload Format For AV1 v1.0, appendix A), which tell a
 * forwarder of any codec what each frame depends on and is needed for, without a look into its payload.
 *
 *     first, last, template, frame number │ [ flags │ [ structure ] │ [ active targets ] │ [ own indications, references, chains ] ]
 *
 * Descriptors refer to a structure that came before, so the reader keeps the newest. Who joins late has none yet: frames are unknown,
 * and no error, until the next keyframe. So is a frame of before the structure, and one whose template the structure does not have.
 */
import { BitReader } from '../bit-reader.ts';
import { SerialUnwrapper } from '../serial-unwrapper.ts';
import type {
  DecodeTargetIndication,
  DependencyStructure,
  DependencyTemplate,
} from './dependency-structure.ts';
import { readChainDifferences, readDependencyStructure, readIndications } from './dependency-structure.ts';

/** What a packet tells of its frame. */
export type DependencyDescriptor = KnownDependency | UnknownDependency;

/** What can be told of a frame in any case. */
interface DependencyPlace {
  /** The packet begins the frame, or ends it; a picture may have a frame for each spatial layer. */
  readonly isFrameStart: boolean;
  readonly isFrameEnd: boolean;
  /** Unwrapped; it grows by one a frame in the order of decoding. */
  readonly frameNumber: number;
}

/** A frame whose structure is not known, or no longer. */
export interface UnknownDependency extends DependencyPlace {
  readonly isKnown: false;
}

/** A frame of the structure that is known. */
export interface KnownDependency extends DependencyPlace {
  readonly isKnown: true;
  /** The same object for all frames of a coded video sequence. */
  readonly structure: DependencyStructure;
  /** This packet brought the structure: a keyframe begins. */
  readonly isSequenceStart: boolean;
  readonly spatialLayer: number;
  readonly temporalLayer: number;
  /** As in `DependencyTemplate`; the template's own where the frame says nothing else. */
  readonly indications: readonly DecodeTargetIndication[];
  readonly frameDifferences: readonly number[];
  readonly chainDifferences: readonly number[];
  /** Bit i: decode target i is sent at present. The newest that has been told. */
  readonly activeDecodeTargets: number;
}

const MANDATORY_LENGTH = 3;

/** Reads the descriptors of one stream. */
export class DependencyDescriptorReader {
  readonly #bits = new BitReader();
  readonly #frames = new SerialUnwrapper(16);
  #structure: DependencyStructure | undefined;
  /** Of the packet and the frame that brought it. */
  #structureSequence = -1;
  #structureFrame = -1;
  #activeDecodeTargets = 0;
  #activeSequence = -1;

  /** The newest that has come. */
  get structure(): DependencyStructure | undefined {
    return this.#structure;
  }

  /**
   * @param sequence of the packet, unwrapped: what is older than what is known already changes nothing of it
   * @returns `undefined`: malformed, and nothing is learnt from it
   */
  read(value: Uint8Array, sequence: number): DependencyDescriptor | undefined {
    if (value.length < MANDATORY_LENGTH) return undefined;
    const bits = this.#bits;
    bits.reset(value);
    const isFrameStart = bits.flag();
    const isFrameEnd = bits.flag();
    const templateId = bits.bits(6);
    const wrapped = bits.bits(16);
    const isExtended = value.length > MANDATORY_LENGTH;
    const hasStructure = isExtended && bits.flag();
    const hasActive = isExtended && bits.flag();
    const hasIndications = isExtended && bits.flag();
    const hasDifferences = isExtended && bits.flag();
    const hasChains = isExtended && bits.flag();

    // A structure comes with what begins a frame, or it is none.
    if (hasStructure && !isFrameStart) return undefined;
    const brought = hasStructure ? readDependencyStructure(bits) : undefined;
    if (hasStructure && brought === undefined) return undefined;
    const frameNumber = this.#frames.peek(wrapped);
    const structure = brought ?? this.#structureOf(frameNumber);
    const template = structure && templateOf(structure, templateId);
    if (structure === undefined || template === undefined) {
      if (brought !== undefined) return undefined;
      this.#frames.unwrap(wrapped);
      return { isKnown: false, isFrameStart, isFrameEnd, frameNumber };
    }

    const targetCount = structure.decodeTargets.length;
    const active = hasActive ? bits.bits(targetCount) : undefined;
    const indications = hasIndications ? readIndications(bits, targetCount) : template.indications;
    const frameDifferences = hasDifferences ? readOwnDifferences(bits) : template.frameDifferences;
    const chainDifferences = hasChains
      ? readChainDifferences(bits, structure.chainCount, 8)
      : template.chainDifferences;
    if (bits.failed) return undefined;

    this.#frames.unwrap(wrapped);
    if (brought !== undefined) this.#take(brought, sequence, frameNumber);
    if (active !== undefined && sequence >= this.#activeSequence) {
      this.#activeDecodeTargets = active;
      this.#activeSequence = sequence;
    }
    return {
      isKnown: true,
      isFrameStart,
      isFrameEnd,
      frameNumber,
      structure: brought === undefined ? structure : (this.#structureOf(frameNumber) ?? structure),
      isSequenceStart: brought !== undefined,
      spatialLayer: template.spatialLayer,
      temporalLayer: template.temporalLayer,
      indications,
      frameDifferences,
      chainDifferences,
      activeDecodeTargets: this.#activeDecodeTargets,
    };
  }

  /** The structure that a frame belongs to; frames of before it came belong to one that is gone. */
  #structureOf(frameNumber: number): DependencyStructure | undefined {
    return frameNumber >= this.#structureFrame ? this.#structure : undefined;
  }

  /** With a new structure all targets are active, unless it says otherwise (A.4). A packet that comes again brings nothing new. */
  #take(structure: DependencyStructure, sequence: number, frameNumber: number): void {
    if (sequence <= this.#structureSequence) return;
    this.#structure = structure;
    this.#structureSequence = sequence;
    this.#structureFrame = frameNumber;
    if (sequence < this.#activeSequence) return;
    this.#activeDecodeTargets = 2 ** structure.decodeTargets.length - 1;
    this.#activeSequence = sequence;
  }
}

function templateOf(structure: DependencyStructure, templateId: number): DependencyTemplate | undefined {
  return structure.templates[(templateId + 64 - structure.templateIdOffset) % 64];
}

/** Of 4, 8 or 12 bits each. */
function readOwnDifferences(bits: BitReader): number[] {
  const differences: number[] = [];
  for (let size = bits.bits(2); size !== 0; size = bits.bits(2)) differences.push(bits.bits(4 * size) + 1);
  return differences;
}
