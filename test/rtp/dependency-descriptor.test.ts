import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  DecodeTargetIndication,
  DependencyDescriptor,
  DependencyStructure,
  DependencyTemplate,
  KnownDependency,
} from '../../src/rtp/index.ts';
import { DependencyDescriptorReader } from '../../src/rtp/index.ts';
import { BitWriter } from './bit-writer.ts';

const INDICATIONS: readonly DecodeTargetIndication[] = ['not-present', 'discardable', 'switch', 'required'];

type WrittenStructure = Pick<
  DependencyStructure,
  'templateIdOffset' | 'templates' | 'resolutions' | 'chainCount'
> & {
  readonly chains: readonly number[];
};

interface Written {
  readonly isFrameStart?: boolean;
  readonly isFrameEnd?: boolean;
  readonly templateId: number;
  readonly frameNumber: number;
  readonly structure?: WrittenStructure;
  /** With how many decode targets. */
  readonly active?: { readonly mask: number; readonly targets: number };
  readonly indications?: readonly DecodeTargetIndication[];
  readonly frameDifferences?: readonly number[];
  readonly chainDifferences?: readonly number[];
}

function writeIndications(bits: BitWriter, indications: readonly DecodeTargetIndication[]): void {
  for (const indication of indications) bits.bits(2, INDICATIONS.indexOf(indication));
}

function writeStructure(bits: BitWriter, structure: WrittenStructure): void {
  const { templates, chains, chainCount, resolutions } = structure;
  const targets = templates[0]?.indications.length ?? 0;
  bits.bits(6, structure.templateIdOffset).bits(5, targets - 1);
  templates.forEach(({ spatialLayer, temporalLayer }, i) => {
    const next = templates[i + 1];
    if (next === undefined) bits.bits(2, 3);
    else if (next.spatialLayer > spatialLayer) bits.bits(2, 2);
    else bits.bits(2, next.temporalLayer > temporalLayer ? 1 : 0);
  });
  for (const { indications } of templates) writeIndications(bits, indications);
  for (const { frameDifferences } of templates) {
    for (const difference of frameDifferences) bits.flag(true).bits(4, difference - 1);
    bits.flag(false);
  }
  bits.nonSymmetric(targets + 1, chainCount);
  if (chainCount > 0) for (const chain of chains) bits.nonSymmetric(chainCount, chain);
  for (const { chainDifferences } of templates)
    for (const difference of chainDifferences) bits.bits(4, difference);
  bits.flag(resolutions !== undefined);
  for (const { width, height } of resolutions ?? []) bits.bits(16, width - 1).bits(16, height - 1);
}

function write(descriptor: Written): Uint8Array {
  const { structure, active, indications, frameDifferences, chainDifferences } = descriptor;
  const bits = new BitWriter()
    .flag(descriptor.isFrameStart ?? true)
    .flag(descriptor.isFrameEnd ?? true)
    .bits(6, descriptor.templateId % 64)
    .bits(16, descriptor.frameNumber % 0x1_0000);
  const extended = [structure, active, indications, frameDifferences, chainDifferences];
  if (extended.every((part) => part === undefined)) return bits.finish();
  for (const part of extended) bits.flag(part !== undefined);
  if (structure !== undefined) writeStructure(bits, structure);
  if (active !== undefined) bits.bits(active.targets, active.mask);
  if (indications !== undefined) writeIndications(bits, indications);
  if (frameDifferences !== undefined) {
    for (const difference of frameDifferences) {
      const size = difference <= 16 ? 1 : difference <= 256 ? 2 : 3;
      bits.bits(2, size).bits(4 * size, difference - 1);
    }
    bits.bits(2, 0);
  }
  for (const difference of chainDifferences ?? []) bits.bits(8, difference);
  return bits.finish();
}

/** `S`, `D`, `-`, `R` as in the tables of A.10.2. */
function template(
  spatialLayer: number,
  temporalLayer: number,
  frameDifferences: readonly number[],
  chainDifferences: readonly number[],
  symbols: string,
): DependencyTemplate {
  const indications = Array.from(symbols, (symbol) => INDICATIONS['-DSR'.indexOf(symbol)] ?? 'not-present');
  return { spatialLayer, temporalLayer, frameDifferences, chainDifferences, indications };
}

/** A.10.2.1: one spatial layer, three temporal ones. */
const L1T3: WrittenStructure = {
  templateIdOffset: 0,
  templates: [
    template(0, 0, [], [0], 'SSS'),
    template(0, 0, [4], [4], 'SSS'),
    template(0, 1, [2], [2], 'SD-'),
    template(0, 2, [1], [1], 'D--'),
    template(0, 2, [1], [3], 'D--'),
  ],
  chains: [0, 0, 0],
  chainCount: 1,
  resolutions: [{ width: 1280, height: 720 }],
};

/** The first three rows of each spatial layer of A.10.2.2, with two spatial layers and two chains. */
const L2T2: WrittenStructure = {
  templateIdOffset: 60,
  templates: [
    template(0, 0, [], [0, 0], 'SSSS'),
    template(0, 0, [4], [4, 3], 'RRSS'),
    template(0, 1, [2], [2, 1], 'R-D-'),
    template(1, 0, [1], [1, 1], 'SS--'),
    template(1, 0, [4, 1], [1, 1], 'RR--'),
    template(1, 1, [2, 1], [3, 2], 'D---'),
  ],
  chains: [1, 1, 0, 0],
  chainCount: 2,
  resolutions: undefined,
};

function known(descriptor: DependencyDescriptor | undefined): KnownDependency {
  if (descriptor?.isKnown !== true) throw new TypeError('not known');
  return descriptor;
}

/** A reader that has read a keyframe with this structure, in packet 100, frame 10. */
function joined(structure: WrittenStructure): DependencyDescriptorReader {
  const reader = new DependencyDescriptorReader();
  known(reader.read(write({ templateId: structure.templateIdOffset, frameNumber: 10, structure }), 100));
  return reader;
}

describe('the dependency descriptor', () => {
  it('with a structure (L1T3 of A.10.2.1)', () => {
    const reader = new DependencyDescriptorReader();
    const read = known(reader.read(write({ templateId: 0, frameNumber: 10, structure: L1T3 }), 100));
    expect(read).toMatchObject({
      isFrameStart: true,
      isFrameEnd: true,
      isSequenceStart: true,
      spatialLayer: 0,
      temporalLayer: 0,
      frameDifferences: [],
      chainDifferences: [0],
      activeDecodeTargets: 0b111,
    });
    expect(read.structure).toEqual({
      templateIdOffset: 0,
      templates: L1T3.templates,
      chainCount: 1,
      decodeTargets: [
        { spatialLayer: 0, temporalLayer: 2, chain: 0 },
        { spatialLayer: 0, temporalLayer: 1, chain: 0 },
        { spatialLayer: 0, temporalLayer: 0, chain: 0 },
      ],
      resolutions: [{ width: 1280, height: 720 }],
    });
    expect(reader.structure).toBe(read.structure);
  });

  it('of three bytes refers to a template, whose data it shares', () => {
    const reader = joined(L2T2);
    const read = known(reader.read(write({ templateId: 65, frameNumber: 13 }), 103));
    expect(read).toMatchObject({
      isSequenceStart: false,
      spatialLayer: 1,
      temporalLayer: 1,
      indications: ['discardable', 'not-present', 'not-present', 'not-present'],
      frameDifferences: [2, 1],
      chainDifferences: [3, 2],
      activeDecodeTargets: 0b1111,
    });
    expect(read.indications).toBe(reader.structure?.templates[5]?.indications);
    expect(read.frameNumber).toBe(0x1_0000 + 13);
  });

  it('with indications, references and chains of its own', () => {
    const own = {
      indications: ['switch', 'required', 'discardable', 'not-present'],
      frameDifferences: [1, 17, 300, 4096],
      chainDifferences: [255, 0],
    } as const;
    const read = known(joined(L2T2).read(write({ templateId: 61, frameNumber: 11, ...own }), 101));
    expect(read).toMatchObject({ ...own, spatialLayer: 0, temporalLayer: 0 });
  });

  describe('who joins late', () => {
    it('knows no frame before the first structure, and that is no error', () => {
      const reader = new DependencyDescriptorReader();
      const before = write({ templateId: 3, frameNumber: 9, active: { mask: 1, targets: 3 } });
      expect(reader.read(before, 99)).toEqual({
        isKnown: false,
        isFrameStart: true,
        isFrameEnd: true,
        frameNumber: 0x1_0000 + 9,
      });
      known(reader.read(write({ templateId: 0, frameNumber: 10, structure: L1T3 }), 100));
    });

    it('a template that the structure does not have is unknown', () => {
      const reader = joined(L1T3);
      expect(reader.read(write({ templateId: 5, frameNumber: 11 }), 101)?.isKnown).toBe(false);
      expect(reader.read(write({ templateId: 63, frameNumber: 11 }), 102)?.isKnown).toBe(false);
    });
  });

  describe('in another order', () => {
    it('a frame of before the structure is unknown, though its template is there', () => {
      const reader = joined(L1T3);
      expect(reader.read(write({ templateId: 1, frameNumber: 9 }), 99)?.isKnown).toBe(false);
      expect(reader.read(write({ templateId: 1, frameNumber: 10 }), 101)?.isKnown).toBe(true);
    });

    it('a structure of before the newest says what its own frame is, and nothing of others', () => {
      const reader = joined(L2T2);
      const late = known(reader.read(write({ templateId: 0, frameNumber: 5, structure: L1T3 }), 95));
      expect(late.structure.templates).toHaveLength(5);
      expect(reader.structure?.templates).toHaveLength(6);
      expect(late.activeDecodeTargets).toBe(0b1111);
    });

    it('a keyframe that comes again brings no other structure', () => {
      const reader = joined(L1T3);
      const { structure } = reader;
      const again = known(reader.read(write({ templateId: 0, frameNumber: 10, structure: L1T3 }), 100));
      expect(again.structure).toBe(structure);
      expect(reader.structure).toBe(structure);
    });

    it('active decode targets are those of the newest packet that tells them', () => {
      const reader = joined(L1T3);
      const active = (mask: number) => ({ active: { mask, targets: 3 } });
      const tell = (frameNumber: number, sequence: number, mask: number): number =>
        known(reader.read(write({ templateId: 1, frameNumber, ...active(mask) }), sequence))
          .activeDecodeTargets;
      expect(tell(14, 120, 0b110)).toBe(0b110);
      expect(tell(12, 110, 0b100)).toBe(0b110);
      expect(tell(15, 121, 0b001)).toBe(0b001);
      const next = { templateId: 60, frameNumber: 20, structure: L2T2 };
      expect(known(reader.read(write(next), 130)).activeDecodeTargets).toBe(0b1111);
    });

    it('a structure with a frame number far back begins anew', () => {
      const reader = joined(L1T3);
      known(reader.read(write({ templateId: 1, frameNumber: 30_000 }), 101));
      known(reader.read(write({ templateId: 60, frameNumber: 7, structure: L2T2 }), 102));
      expect(known(reader.read(write({ templateId: 61, frameNumber: 8 }), 103)).spatialLayer).toBe(0);
    });

    it('frame numbers wrap', () => {
      const reader = new DependencyDescriptorReader();
      const first = known(reader.read(write({ templateId: 0, frameNumber: 65_535, structure: L1T3 }), 1));
      const second = known(reader.read(write({ templateId: 1, frameNumber: 65_536 }), 2));
      expect(second.frameNumber).toBe(first.frameNumber + 1);
    });
  });

  describe('malformed', () => {
    it('teaches nothing: cut short anywhere', () => {
      const value = write({
        templateId: 60,
        frameNumber: 11,
        structure: L2T2,
        active: { mask: 3, targets: 4 },
        indications: ['switch', 'required', 'discardable', 'not-present'],
      });
      for (let length = 4; length < value.length; length++) {
        const reader = joined(L1T3);
        const { structure } = reader;
        expect(reader.read(value.subarray(0, length), 101)).toBeUndefined();
        expect(reader.structure).toBe(structure);
        expect(known(reader.read(write({ templateId: 1, frameNumber: 12 }), 102)).activeDecodeTargets).toBe(
          0b111,
        );
      }
      expect(new DependencyDescriptorReader().read(Uint8Array.of(0, 0), 1)).toBeUndefined();
    });

    it('a structure that does not begin a frame, or lacks the template of its own frame', () => {
      const reader = new DependencyDescriptorReader();
      const value = { templateId: 0, frameNumber: 1, structure: L1T3 };
      expect(reader.read(write({ ...value, isFrameStart: false }), 1)).toBeUndefined();
      expect(reader.read(write({ ...value, templateId: 9 }), 1)).toBeUndefined();
      expect(reader.structure).toBeUndefined();
    });

    it('more layers or templates than there can be', () => {
      const layer = (spatialLayer: number, temporalLayer: number) =>
        template(spatialLayer, temporalLayer, [], [], 'S');
      const none = { templateIdOffset: 0, chains: [], chainCount: 0, resolutions: undefined };
      const read = (templates: readonly DependencyTemplate[]) =>
        new DependencyDescriptorReader().read(
          write({ templateId: 0, frameNumber: 1, structure: { ...none, templates } }),
          1,
        );
      expect(read(Array.from({ length: 5 }, (_, i) => layer(i, 0)))).toBeUndefined();
      expect(read(Array.from({ length: 4 }, (_, i) => layer(i, 0)))).toBeDefined();
      expect(read(Array.from({ length: 9 }, (_, i) => layer(0, i)))).toBeUndefined();
      expect(read(Array.from({ length: 65 }, () => layer(0, 0)))).toBeUndefined();
      expect(read(Array.from({ length: 64 }, () => layer(0, 0)))).toBeDefined();
    });

    it('or random: never throws, and shows no more than the bits can say', () => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 255 }), { maxLength: 8 }), (values) => {
          const reader = joined(L2T2);
          values.forEach((value, i) => {
            if (value.length > 3) value[3] = (value[3] ?? 0) | (i % 2 === 0 ? 0x80 : 0);
            const read = reader.read(value, 101 + i);
            if (read?.isKnown !== true) return;
            expect(read.structure.templates.length).toBeLessThanOrEqual(64);
            expect(read.indications).toHaveLength(read.structure.decodeTargets.length);
            expect(read.chainDifferences).toHaveLength(read.structure.chainCount);
            expect(read.frameDifferences.length).toBeLessThan(255 * 2);
          });
        }),
      );
    });
  });

  it('is read as it was written: any structure', () => {
    const structures = fc
      .record({
        templateIdOffset: fc.nat(63),
        targets: fc.integer({ min: 1, max: 6 }),
        chainCount: fc.nat(3),
        steps: fc.array(fc.constantFrom(0, 1, 2), { maxLength: 5 }),
        seed: fc.array(fc.nat(1000), { minLength: 120, maxLength: 120 }),
        hasResolutions: fc.boolean(),
      })
      .map(({ templateIdOffset, targets, chainCount, steps, seed, hasResolutions }) => {
        let drawn = 0;
        const draw = (below: number): number => (seed[drawn++ % seed.length] ?? 0) % below;
        const chosen = Math.min(chainCount, targets);
        let spatialLayer = 0;
        let temporalLayer = 0;
        const templates = [0, ...steps].map((step, i) => {
          if (i > 0 && step === 1) temporalLayer++;
          if (i > 0 && step === 2 && spatialLayer < 3) {
            spatialLayer++;
            temporalLayer = 0;
          }
          return {
            spatialLayer,
            temporalLayer,
            indications: Array.from({ length: targets }, () => INDICATIONS[draw(4)] ?? 'not-present'),
            frameDifferences: Array.from({ length: draw(3) }, () => draw(16) + 1),
            chainDifferences: Array.from({ length: chosen }, () => draw(16)),
          };
        });
        return {
          templateIdOffset,
          templates,
          chainCount: chosen,
          chains: Array.from({ length: targets }, () => draw(Math.max(1, chosen))),
          resolutions: hasResolutions
            ? Array.from({ length: spatialLayer + 1 }, () => ({
                width: draw(999) + 1,
                height: draw(999) + 1,
              }))
            : undefined,
        };
      });
    fc.assert(
      fc.property(structures, (structure) => {
        const value = write({ templateId: structure.templateIdOffset, frameNumber: 1, structure });
        const read = known(new DependencyDescriptorReader().read(value, 1));
        const { decodeTargets, ...rest } = read.structure;
        const { chains, ...written } = structure;
        expect(rest).toEqual(written);
        expect(decodeTargets.map(({ chain }) => chain)).toEqual(
          chains.map((chain) => (structure.chainCount === 0 ? undefined : chain)),
        );
      }),
    );
  });
});
