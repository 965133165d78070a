import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VideoLayersAllocation } from '../../src/rtp/index.ts';
import { readVideoLayersAllocation, writeVideoLayersAllocation } from '../../src/rtp/index.ts';

const size = fc.record({
  width: fc.integer({ min: 1, max: 65_536 }),
  height: fc.integer({ min: 1, max: 65_536 }),
  frameRate: fc.nat(255),
});

const allocation: fc.Arbitrary<VideoLayersAllocation> = fc
  .record({
    streamCount: fc.integer({ min: 1, max: 4 }),
    hasSizes: fc.boolean(),
    places: fc.subarray(
      Array.from({ length: 16 }, (_, place) => place),
      { minLength: 1 },
    ),
    stream: fc.nat(3),
    bitrates: fc.array(
      fc.array(
        fc.nat(0xffff_ffff).map((kilobits) => kilobits * 1000),
        { minLength: 1, maxLength: 4 },
      ),
      { minLength: 16, maxLength: 16 },
    ),
    sizes: fc.array(size, { minLength: 16, maxLength: 16 }),
  })
  .map(({ streamCount, hasSizes, places, stream, bitrates, sizes }) => ({
    streamIndex: stream % streamCount,
    streamCount,
    layers: places
      .filter((place) => place < 4 * streamCount)
      .map((place) => ({
        streamIndex: place >> 2,
        spatialLayer: place & 3,
        bitrates: bitrates[place] ?? [],
        size: hasSizes ? sizes[place] : undefined,
      })),
  }))
  .filter(({ layers }) => layers.length > 0);

/** Three streams of a simulcast, one layer each, as a browser sends them. */
const SIMULCAST: VideoLayersAllocation = {
  streamIndex: 0,
  streamCount: 3,
  layers: [150_000, 500_000, 1_200_000].map((bitrate, streamIndex) => ({
    streamIndex,
    spatialLayer: 0,
    bitrates: [bitrate],
    size: { width: 320 << streamIndex, height: 180 << streamIndex, frameRate: 30 },
  })),
};

describe('video layers allocation', () => {
  it('is read as it was written, with sizes and without', () => {
    fc.assert(
      fc.property(allocation, (written) => {
        const value = writeVideoLayersAllocation(written);
        expect(readVideoLayersAllocation(value)).toEqual(written);
      }),
    );
  });

  it('of a simulcast has the layout of its description', () => {
    expect([...writeVideoLayersAllocation(SIMULCAST)]).toEqual([
      ...[0x21, 0x00, 0x96, 0x01, 0xf4, 0x03, 0xb0, 0x09],
      ...[0x01, 0x3f, 0x00, 0xb3, 30],
      ...[0x02, 0x7f, 0x01, 0x67, 30],
      ...[0x04, 0xff, 0x02, 0xcf, 30],
    ]);
  });

  it('with different layers in each stream names them a stream', () => {
    const written = {
      streamIndex: 1,
      streamCount: 2,
      layers: [
        { streamIndex: 0, spatialLayer: 0, bitrates: [100_000, 200_000], size: undefined },
        { streamIndex: 1, spatialLayer: 1, bitrates: [127_000], size: undefined },
      ],
    };
    const value = writeVideoLayersAllocation(written);
    expect([...value]).toEqual([0x50, 0x12, 0x40, 100, 0xc8, 0x01, 127]);
    expect(readVideoLayersAllocation(value)).toEqual(written);
  });

  it('of nothing is one byte', () => {
    expect([...writeVideoLayersAllocation({ streamIndex: 2, streamCount: 3, layers: [] })]).toEqual([0]);
    expect(readVideoLayersAllocation(Uint8Array.of(0))).toEqual({
      streamIndex: 0,
      streamCount: 1,
      layers: [],
    });
  });

  it('cut short is none, unless it ends where the sizes would begin', () => {
    const value = writeVideoLayersAllocation(SIMULCAST);
    for (let length = 0; length < value.length; length++)
      expect(readVideoLayersAllocation(value.subarray(0, length)) === undefined).toBe(length !== 8);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (value) => {
        const read = readVideoLayersAllocation(value);
        if (read !== undefined) expect(read.layers.length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it.each<[string, Partial<VideoLayersAllocation>]>([
    ['no stream', { streamCount: 0 }],
    ['a stream that is not there', { streamIndex: 3 }],
    ['layers out of order', { layers: [...SIMULCAST.layers].reverse() }],
    ['a layer twice', { layers: [...SIMULCAST.layers, ...SIMULCAST.layers.slice(2)] }],
    [
      'a size for some alone',
      { layers: SIMULCAST.layers.map((l, i) => (i > 0 ? { ...l, size: undefined } : l)) },
    ],
    ['no temporal layer', { layers: SIMULCAST.layers.map((l) => ({ ...l, bitrates: [] })) }],
    ['a rate below zero', { layers: SIMULCAST.layers.map((l) => ({ ...l, bitrates: [-5000] })) }],
    [
      'a width of zero',
      { layers: SIMULCAST.layers.map((l) => ({ ...l, size: { width: 0, height: 1, frameRate: 1 } })) },
    ],
  ])('refuses to say %s', (_, wrong) => {
    expect(() => writeVideoLayersAllocation({ ...SIMULCAST, ...wrong })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});
