import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isVp9Keyframe,
  readVp9Descriptor,
  readVp9Structure,
  setVp9PictureId,
  setVp9Tl0PictureIndex,
} from '../../src/rtp/index.ts';
import { there } from './viewed.ts';

/** I, L, B, and V with two spatial layers, their sizes, and a group of two pictures. */
const KEYFRAME = Uint8Array.of(
  ...[0b1010_1010, 0x92, 0x69, 0x00, 0x07],
  ...[0b0011_1000, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68],
  ...[0x02, 0b0000_0100, 0x02, 0b0011_1000, 0x01, 0x03],
  ...[0xa2, 0x49],
);

/** I, P, L, F: flexible, with three references. */
const FLEXIBLE = Uint8Array.of(0b1111_0100, 0x2a, 0b0111_0010, 0x03, 0x05, 0x08, 0xee);

describe('the descriptor of VP9', () => {
  it('of a keyframe has the structure of its layers', () => {
    const read = there(readVp9Descriptor(KEYFRAME));
    expect(read).toEqual({
      length: KEYFRAME.length - 2,
      pictureId: 4713,
      pictureIdBits: 15,
      pictureIdOffset: 1,
      isInterPicture: false,
      isFlexible: false,
      isFrameStart: true,
      isFrameEnd: false,
      isNotForHigherLayers: false,
      temporalLayer: 0,
      isSwitchingUpPoint: false,
      spatialLayer: 0,
      isInterLayer: false,
      tl0PictureIndex: 7,
      tl0PictureIndexOffset: 4,
      referenceDifferences: [],
      structureOffset: 5,
    });
    expect(readVp9Structure(KEYFRAME, read)).toEqual({
      spatialLayers: 2,
      resolutions: [
        { width: 320, height: 180 },
        { width: 640, height: 360 },
      ],
      group: [
        { temporalLayer: 0, isSwitchingUpPoint: false, referenceDifferences: [2] },
        { temporalLayer: 1, isSwitchingUpPoint: true, referenceDifferences: [1, 3] },
      ],
    });
  });

  it('of flexible mode has its references, and no TL0PICIDX', () => {
    expect(readVp9Descriptor(FLEXIBLE)).toMatchObject({
      length: 6,
      pictureId: 42,
      pictureIdBits: 7,
      isInterPicture: true,
      isFlexible: true,
      isFrameStart: false,
      isFrameEnd: true,
      temporalLayer: 3,
      isSwitchingUpPoint: true,
      spatialLayer: 1,
      tl0PictureIndex: undefined,
      referenceDifferences: [1, 2, 4],
    });
  });

  it('with a fourth reference is none', () => {
    expect(
      readVp9Descriptor(Uint8Array.of(0b1111_0100, 0x2a, 0x00, 0x03, 0x05, 0x09, 0x02, 0xee)),
    ).toBeUndefined();
  });

  it('longer than its payload, or with nothing behind it, is none', () => {
    for (const [whole, data] of [
      [KEYFRAME, 2],
      [FLEXIBLE, 1],
    ] as const)
      for (let length = 0; length <= whole.length - data; length++)
        expect(readVp9Descriptor(whole.subarray(0, length))).toBeUndefined();
  });

  it('is rewritten in place, each field alone and in its own width', () => {
    const keyframe = KEYFRAME.slice();
    const before = there(readVp9Descriptor(keyframe));
    setVp9PictureId(keyframe, before, 0x8001);
    setVp9Tl0PictureIndex(keyframe, before, 0x1ff);
    expect(readVp9Descriptor(keyframe)).toEqual({ ...before, pictureId: 1, tl0PictureIndex: 255 });
    const flexible = FLEXIBLE.slice();
    const other = there(readVp9Descriptor(flexible));
    setVp9PictureId(flexible, other, 0x81);
    setVp9Tl0PictureIndex(flexible, other, 9);
    expect(readVp9Descriptor(flexible)).toEqual({ ...other, pictureId: 1 });
  });

  it('never throws, and never claims more than there is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
        const read = readVp9Descriptor(payload);
        isVp9Keyframe(payload);
        if (read === undefined) return;
        expect(read.length).toBeLessThan(payload.length);
        expect(read.referenceDifferences.length).toBeLessThanOrEqual(3);
        const structure = readVp9Structure(payload, read);
        expect(structure === undefined).toBe(read.structureOffset === undefined);
        expect(structure?.group?.length ?? 0).toBeLessThan(payload.length);
      }),
    );
  });
});

describe('a keyframe of VP9', () => {
  it('begins with the lowest spatial layer, where its frame begins', () => {
    expect(isVp9Keyframe(KEYFRAME)).toBe(true);
    expect(isVp9Keyframe(FLEXIBLE)).toBe(false);
    // Without layers.
    expect(isVp9Keyframe(Uint8Array.of(0b1000_1000, 0x01, 0xee))).toBe(true);
    // A later packet of it; one of the layer above; one that depends on pictures before.
    expect(isVp9Keyframe(Uint8Array.of(0b1000_0000, 0x01, 0xee))).toBe(false);
    expect(isVp9Keyframe(Uint8Array.of(0b1010_1000, 0x01, 0b0000_0011, 0x00, 0xee))).toBe(false);
    expect(isVp9Keyframe(Uint8Array.of(0b1100_1000, 0x01, 0xee))).toBe(false);
    expect(isVp9Keyframe(Uint8Array.of(0b1010_1000))).toBe(false);
  });
});
