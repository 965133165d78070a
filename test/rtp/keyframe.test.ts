import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAv1Keyframe,
  isH264Keyframe,
  isH265Keyframe,
  isKeyframe,
  keyframeDetector,
} from '../../src/rtp/index.ts';

const units = (header: readonly number[], ...all: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.of(...header, ...all.flatMap((unit) => [unit.length >> 8, unit.length & 0xff, ...unit]));

describe('a keyframe of H.264 (RFC 6184)', () => {
  it.each([
    ['an IDR slice in one packet', [0x65, 0x88], true],
    ['a later slice of it', [0x65, 0x08], false],
    ['another slice', [0x41, 0x9a], false],
    ['a sequence parameter set', [0x67, 0x42], true],
    ['a picture parameter set', [0x68, 0xce], false],
    ['an access unit delimiter', [0x09, 0xf0], false],
    ['the first part of an IDR slice (FU-A)', [0x7c, 0x85, 0x88], true],
    ['a later part of it', [0x7c, 0x05, 0x88], false],
    ['the first part of its second slice', [0x7c, 0x85, 0x08], false],
    ['the first part of another slice', [0x7c, 0x81, 0x9a], false],
    ['nothing', [], false],
    ['a header alone', [0x65], false],
  ] as const)('%s: %o', (_, payload, expected) => {
    expect(isH264Keyframe(Uint8Array.from(payload))).toBe(expected);
  });

  it('in an aggregate (STAP-A), wherever it stands', () => {
    expect(isH264Keyframe(units([0x78], [0x67, 0x42], [0x68, 0xce]))).toBe(true);
    expect(isH264Keyframe(units([0x78], [0x09, 0xf0], [0x06, 0x05], [0x65, 0x88]))).toBe(true);
    expect(isH264Keyframe(units([0x78], [0x09, 0xf0], [0x41, 0x9a]))).toBe(false);
  });

  it('not behind a unit without length, or one that ends behind the payload', () => {
    expect(isH264Keyframe(units([0x78], [], [0x67, 0x42]))).toBe(false);
    expect(isH264Keyframe(units([0x78], [0x67, 0x42]).subarray(0, 4))).toBe(false);
  });
});

describe('a keyframe of H.265 (RFC 7798)', () => {
  it.each([
    ['IDR_W_RADL', [19 << 1, 1, 0x80], true],
    ['CRA', [21 << 1, 1, 0x80], true],
    ['a later slice segment of an IRAP picture', [19 << 1, 1, 0x00], false],
    ['TRAIL_R', [1 << 1, 1, 0x80], false],
    ['a video parameter set', [32 << 1, 1, 0x0c], true],
    ['a sequence parameter set', [33 << 1, 1, 0x01], true],
    ['a picture parameter set', [34 << 1, 1, 0xc1], false],
    ['the first part of an IDR picture (FU)', [49 << 1, 1, 0x80 | 19, 0x80], true],
    ['a later part of it', [49 << 1, 1, 19, 0x80], false],
    ['nothing', [], false],
  ] as const)('%s: %o', (_, payload, expected) => {
    expect(isH265Keyframe(Uint8Array.from(payload))).toBe(expected);
  });

  it('in an aggregate (AP), wherever it stands', () => {
    expect(isH265Keyframe(units([48 << 1, 1], [32 << 1, 1, 0x0c], [33 << 1, 1, 0x01]))).toBe(true);
    expect(isH265Keyframe(units([48 << 1, 1], [35 << 1, 1, 0x10], [19 << 1, 1, 0x80]))).toBe(true);
    expect(isH265Keyframe(units([48 << 1, 1], [35 << 1, 1, 0x10], [1 << 1, 1, 0x80]))).toBe(false);
    expect(isH265Keyframe(units([48 << 1, 1], [32 << 1], [33 << 1, 1]).subarray(0, 6))).toBe(true);
  });
});

/** OBUs without a size of their own, as they are sent. */
const SEQUENCE = [1 << 3, 0x00, 0x00];
const KEY_FRAME = [6 << 3, 0b0001_0000];
const INTER_FRAME = [6 << 3, 0b0011_0000];

describe('a keyframe of AV1', () => {
  it.each([
    ['N: a new coded video sequence', [0b0001_1000, ...SEQUENCE], true],
    ['N with Z, which cannot be', [0b1001_1000, ...SEQUENCE], false],
    ['a sequence header and a key frame, without N', [0b0010_0000, 3, ...SEQUENCE, ...KEY_FRAME], true],
    ['a sequence header, the frame in packets to come', [0b0001_0000, ...SEQUENCE], true],
    [
      'a sequence header, repeated before an inter frame',
      [0b0010_0000, 3, ...SEQUENCE, ...INTER_FRAME],
      false,
    ],
    ['a key frame without its sequence header', [0b0001_0000, ...KEY_FRAME], false],
    ['an inter frame', [0b0001_0000, ...INTER_FRAME], false],
    ['each element with its length', [0, 3, ...SEQUENCE, 2, ...KEY_FRAME], true],
    ['an OBU with extension and size', [0b0010_0000, 3, ...SEQUENCE, (6 << 3) | 6, 0, 1, 0x10], true],
    ['the rest of an OBU of the packet before', [0b1010_0000, 3, ...SEQUENCE, ...KEY_FRAME], false],
    ['a length behind the payload', [0b0010_0000, 9, ...SEQUENCE], false],
    ['a length without end', [0b0010_0000, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], false],
    ['nothing', [0b0001_1000], false],
  ] as const)('%s', (_, payload, expected) => {
    expect(isAv1Keyframe(Uint8Array.from(payload))).toBe(expected);
  });
});

describe('isKeyframe', () => {
  it('knows codecs by their MIME types, in any case', () => {
    expect(isKeyframe('video/VP8', Uint8Array.of(0x10, 0x10))).toBe(true);
    expect(isKeyframe('VIDEO/vp8', Uint8Array.of(0x10, 0x11))).toBe(false);
    expect(isKeyframe('video/H264', Uint8Array.of(0x65, 0x88))).toBe(true);
    expect(isKeyframe('audio/opus', Uint8Array.of())).toBe(true);
    expect(isKeyframe('video/raw', Uint8Array.of(1))).toBe(false);
  });

  it.each(['video/VP8', 'video/VP9', 'video/H264', 'video/H265', 'video/AV1'])(
    'never throws, whatever a payload of %s',
    (mimeType) => {
      const detect = keyframeDetector(mimeType);
      expect(detect).toBeDefined();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
          expect(typeof detect?.(payload)).toBe('boolean');
        }),
      );
    },
  );

  it('costs no more than a walk over the payload: aggregates of nothing but headers', () => {
    const payload = new Uint8Array(65_000).fill(1);
    for (const [mimeType, ...header] of [
      ['video/H264', 24],
      ['video/H265', 48 << 1, 1],
      ['video/AV1', 0],
    ] as const) {
      payload.set(header);
      expect(isKeyframe(mimeType, payload)).toBe(false);
    }
  });
});
