import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vp8DescriptorFields } from '../../src/rtp/index.ts';
import {
  MAX_VP8_DESCRIPTOR,
  isVp8Keyframe,
  readVp8Descriptor,
  setVp8KeyIndex,
  setVp8PictureId,
  setVp8Tl0PictureIndex,
  writeVp8Descriptor,
} from '../../src/rtp/index.ts';
import { there } from './viewed.ts';

function payloadOf(fields: Vp8DescriptorFields, data: readonly number[]): Uint8Array {
  const into = new Uint8Array(MAX_VP8_DESCRIPTOR + data.length);
  const length = writeVp8Descriptor(fields, into, 0);
  into.set(data, length);
  return into.subarray(0, length + data.length);
}

const fields = fc
  .record({
    isDiscardable: fc.boolean(),
    isPartitionStart: fc.boolean(),
    partition: fc.nat(7),
    picture: fc.option(
      fc.oneof(
        fc.record({ pictureIdBits: fc.constant(7 as const), pictureId: fc.nat(0x7f) }),
        fc.record({ pictureIdBits: fc.constant(15 as const), pictureId: fc.nat(0x7fff) }),
      ),
      { nil: undefined },
    ),
    tl0PictureIndex: fc.option(fc.nat(255), { nil: undefined }),
    layer: fc.option(fc.record({ temporalLayer: fc.nat(3), isLayerSync: fc.boolean() }), { nil: undefined }),
    keyIndex: fc.option(fc.nat(31), { nil: undefined }),
  })
  .map(({ picture, layer, ...rest }) => ({
    ...rest,
    pictureId: picture?.pictureId,
    pictureIdBits: picture?.pictureIdBits,
    temporalLayer: layer?.temporalLayer,
    isLayerSync: layer?.isLayerSync ?? false,
  }));

describe('the descriptor of VP8', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fields, (written) => {
        const payload = payloadOf(written, [1, 2, 3]);
        const read = there(readVp8Descriptor(payload));
        expect(read).toMatchObject(written);
        expect(read.length).toBe(payload.length - 3);
      }),
    );
  });

  it('has the forms of RFC 7741 §4.6', () => {
    // §4.6.1, 4.6.2: a key frame in one packet, without and with a picture id. §4.6.4: a long picture id.
    expect(readVp8Descriptor(Uint8Array.of(0x10, 0, 0))).toMatchObject({ length: 1, pictureId: undefined });
    expect(readVp8Descriptor(Uint8Array.of(0x90, 0x80, 0x11, 0))).toMatchObject({
      length: 3,
      pictureId: 17,
      pictureIdBits: 7,
    });
    expect(readVp8Descriptor(Uint8Array.of(0x90, 0x80, 0x92, 0x67, 0))).toMatchObject({
      length: 4,
      pictureId: 4711,
      pictureIdBits: 15,
    });
  });

  it('is rewritten in place, each field alone and in its own width', () => {
    fc.assert(
      fc.property(fields, fc.nat(0x7fff), fc.nat(255), fc.nat(31), (written, id, index, key) => {
        const payload = payloadOf(written, [1, 2, 3]);
        const before = there(readVp8Descriptor(payload));
        setVp8PictureId(payload, before, id);
        setVp8Tl0PictureIndex(payload, before, index);
        setVp8KeyIndex(payload, before, key);
        expect(readVp8Descriptor(payload)).toEqual({
          ...before,
          pictureId: written.pictureId === undefined ? undefined : id % 2 ** there(written.pictureIdBits),
          tl0PictureIndex: written.tl0PictureIndex === undefined ? undefined : index,
          keyIndex: written.keyIndex === undefined ? undefined : key,
        });
        expect([...payload.subarray(before.length)]).toEqual([1, 2, 3]);
      }),
    );
  });

  it('longer than its payload, or with nothing behind it, is none', () => {
    const whole = payloadOf(
      { isPartitionStart: true, pictureId: 4711, tl0PictureIndex: 1, temporalLayer: 1, keyIndex: 3 },
      [0],
    );
    expect(readVp8Descriptor(whole)).toBeDefined();
    for (let length = 0; length < whole.length; length++)
      expect(readVp8Descriptor(whole.subarray(0, length))).toBeUndefined();
  });

  it('never throws, and never claims more than there is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (payload) => {
        const read = readVp8Descriptor(payload);
        if (read !== undefined) expect(read.length).toBeLessThan(payload.length);
        isVp8Keyframe(payload);
      }),
    );
  });
});

describe('a keyframe of VP8', () => {
  it('begins where partition 0 of an intra frame does, and nowhere else', () => {
    const start = { isPartitionStart: true, pictureId: 1 } as const;
    expect(isVp8Keyframe(payloadOf(start, [0x10, 0x02, 0x00]))).toBe(true);
    expect(isVp8Keyframe(payloadOf(start, [0x11, 0x02, 0x00]))).toBe(false);
    expect(isVp8Keyframe(payloadOf({ ...start, partition: 1 }, [0x10]))).toBe(false);
    expect(isVp8Keyframe(payloadOf({ ...start, isPartitionStart: false }, [0x10]))).toBe(false);
    expect(isVp8Keyframe(payloadOf({ ...start, isDiscardable: true }, [0x10]))).toBe(true);
    expect(isVp8Keyframe(Uint8Array.of())).toBe(false);
  });
});
