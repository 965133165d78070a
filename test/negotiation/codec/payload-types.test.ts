import { describe, expect, test } from 'vitest';
import type { PayloadTypes } from '../../../src/negotiation/codec/index.ts';
import {
  DEFAULT_CAPABILITIES,
  fromSdpCodecs,
  NO_PAYLOAD_TYPES,
  notePayloadTypes,
  offeredCodecs,
  toSdpCodecs,
} from '../../../src/negotiation/codec/index.ts';
import type { CodecCapability, MediaCodec } from '../../../src/negotiation/media.ts';
import type { SdpCodec } from '../../../src/sdp/index.ts';
import { isSdpError } from '../../../src/sdp/index.ts';
import { CHROMIUM_AUDIO, CHROMIUM_VIDEO, formats } from './formats.ts';

const { audio, video } = DEFAULT_CAPABILITIES;

function noted(known: PayloadTypes, ...sections: SdpCodec[][]): PayloadTypes {
  const result = notePayloadTypes(known, sections);
  if (isSdpError(result)) throw new Error(result.message);
  return result;
}

function numbersOf(codecs: readonly MediaCodec[]): number[] {
  return toSdpCodecs(codecs).map(({ payloadType }) => payloadType);
}

function manyCodecs(count: number): CodecCapability[] {
  return Array.from({ length: count }, (_, index) => ({
    mimeType: `video/x-${index}`,
    clockRate: 90_000,
    rtx: true,
  }));
}

describe('payload types of an offer', () => {
  test('static ones are what they are, the others count from 96', () => {
    const { codecs } = offeredCodecs(audio, NO_PAYLOAD_TYPES);
    expect(codecs.map(({ payloadType, mimeType }) => `${payloadType} ${mimeType}`)).toEqual([
      '96 audio/opus',
      '9 audio/G722',
      '0 audio/PCMU',
      '8 audio/PCMA',
      '97 audio/telephone-event',
      '98 audio/telephone-event',
    ]);
  });

  test('the default capabilities of both kinds fit, all with retransmissions', () => {
    const first = offeredCodecs(audio, NO_PAYLOAD_TYPES);
    const second = offeredCodecs(video, first.known);
    expect(second.codecs).toHaveLength(video.length);
    expect(second.codecs.every(({ rtxPayloadType }) => rtxPayloadType !== undefined)).toBe(true);
    const all = [...numbersOf(first.codecs), ...numbersOf(second.codecs)];
    expect(new Set(all).size).toBe(all.length);
  });

  test('the maximum set of codecs never yields an invalid one: the last preferences are dropped', () => {
    const { codecs, known } = offeredCodecs(manyCodecs(100), NO_PAYLOAD_TYPES);
    const numbers = numbersOf(codecs);
    expect(numbers).toHaveLength(32 + 29);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) {
      expect((number >= 96 && number <= 127) || (number >= 35 && number <= 63)).toBe(true);
    }
    expect(codecs.map(({ mimeType }) => mimeType)).toEqual(manyCodecs(31).map(({ mimeType }) => mimeType));
    expect(codecs.at(-1)?.rtxPayloadType).toBeUndefined();
    expect(offeredCodecs(video, known)).toEqual({ codecs: [], known });
    // Static ones are no dynamic ones.
    expect(offeredCodecs(audio, known).codecs.map(({ payloadType }) => payloadType)).toEqual([9, 0, 8]);
  });

  test('a known codec keeps its number, in every section and every offer', () => {
    const first = offeredCodecs(video, NO_PAYLOAD_TYPES);
    const again = offeredCodecs([...video].reverse(), first.known);
    expect(again.codecs).toEqual([...first.codecs].reverse());
    expect(again.known).toEqual(first.known);
  });

  test("a later section offers a known codec under the peer's number", () => {
    const known = noted(NO_PAYLOAD_TYPES, CHROMIUM_AUDIO, CHROMIUM_VIDEO);
    const { codecs } = offeredCodecs(video, known);
    const vp8 = codecs.find(({ mimeType }) => mimeType === 'video/VP8');
    expect(vp8).toMatchObject({ payloadType: 96, rtxPayloadType: 97 });
    expect(codecs.find(({ mimeType }) => mimeType === 'video/AV1')).toMatchObject({
      payloadType: 45,
      rtxPayloadType: 46,
    });
    const meant = new Map(known.map(({ payloadType, format }) => [payloadType, format]));
    for (const { payloadType, mimeType } of codecs) {
      const format = meant.get(payloadType);
      if (format !== undefined) expect(format).toContain(mimeType.slice(6).toLowerCase());
    }
  });

  test('a section keeps its numbers, where other sections have others for the same', () => {
    const vp8: CodecCapability = { mimeType: 'video/VP8', clockRate: 90_000, rtx: true };
    const ours = offeredCodecs([vp8], NO_PAYLOAD_TYPES);
    const known = noted(ours.known, formats('120 VP8/90000\n124 rtx/90000 apt=120'));
    const theirs = fromSdpCodecs(formats('120 VP8/90000\n124 rtx/90000 apt=120'), 'video');
    expect(numbersOf(offeredCodecs([vp8], known, ours.codecs).codecs)).toEqual([96, 97]);
    expect(numbersOf(offeredCodecs([vp8], known, theirs).codecs)).toEqual([120, 124]);
    // A number that has come to mean something else is not kept.
    const after = noted(known, formats('120 H264/90000'));
    expect(numbersOf(offeredCodecs([vp8], after, theirs).codecs)).toEqual([96, 97]);
  });

  test('another level is the same format, another profile or packetization mode is not', () => {
    const h264 = (fmtp: string): CodecCapability => ({
      mimeType: 'video/H264',
      clockRate: 90_000,
      sdpFmtpLine: fmtp,
    });
    const { known } = offeredCodecs([h264('profile-level-id=42e01f')], NO_PAYLOAD_TYPES);
    expect(offeredCodecs([h264('profile-level-id=42e034')], known).codecs[0]?.payloadType).toBe(96);
    expect(offeredCodecs([h264('profile-level-id=640034')], known).codecs[0]?.payloadType).toBe(97);
    expect(
      offeredCodecs([h264('profile-level-id=42e01f;packetization-mode=1')], known).codecs[0]?.payloadType,
    ).toBe(97);
  });

  test('a static number that means something else is not used', () => {
    const known = noted(NO_PAYLOAD_TYPES, formats('0 opus/48000/2'));
    const { codecs } = offeredCodecs([{ mimeType: 'audio/PCMU', clockRate: 8000 }], known);
    expect(codecs[0]?.payloadType).toBe(96);
  });

  test('equal capabilities in one section have numbers of their own', () => {
    const vp8: CodecCapability = { mimeType: 'video/VP8', clockRate: 90_000, rtx: true };
    const { codecs, known } = offeredCodecs([vp8, vp8], NO_PAYLOAD_TYPES);
    expect(numbersOf(codecs)).toEqual([96, 97, 98, 99]);
    expect(numbersOf(offeredCodecs([vp8, vp8], known).codecs)).toEqual([96, 97, 98, 99]);
  });
});

describe('notePayloadTypes', () => {
  test('one number for two codecs in one BUNDLE group is a conflict', () => {
    for (const [one, other] of [
      ['96 VP8/90000', '96 VP9/90000'],
      ['96 VP9/90000 profile-id=0', '96 VP9/90000 profile-id=2'],
      ['96 opus/48000/2', '96 opus/48000'],
      ['97 rtx/90000 apt=96', '97 rtx/90000 apt=98'],
      ['96 H264/90000 packetization-mode=1', '96 H264/90000'],
    ] as const) {
      const result = notePayloadTypes(NO_PAYLOAD_TYPES, [formats(one), formats(other)]);
      expect(result).toMatchObject({ failed: true, code: 'payload-type-conflict' });
    }
  });

  test('one number for one codec in several sections is none, whatever is declarative', () => {
    noted(
      NO_PAYLOAD_TYPES,
      formats('96 VP8/90000 max-fr=30\n98 H264/90000 profile-level-id=42e01f\n63 red/48000/2 111/111'),
      formats('96 vp8/90000\n98 H264/90000 profile-level-id=42c034\n63 red/48000/2 112/112'),
    );
  });

  test('a number that means something else later is what was said last', () => {
    const before = noted(NO_PAYLOAD_TYPES, formats('96 VP8/90000\n98 VP9/90000'));
    const after = noted(before, formats('96 H264/90000'));
    expect(offeredCodecs([{ mimeType: 'video/VP8', clockRate: 90_000 }], after).codecs).toMatchObject([
      { payloadType: 97 },
    ]);
    expect(offeredCodecs([{ mimeType: 'video/VP9', clockRate: 90_000 }], after).codecs).toMatchObject([
      { payloadType: 98 },
    ]);
    // And nothing has happened to what was known before.
    expect(offeredCodecs([{ mimeType: 'video/VP8', clockRate: 90_000 }], before).codecs).toMatchObject([
      { payloadType: 96 },
    ]);
  });

  test('the table has one entry a number, however often it is noted', () => {
    let known = NO_PAYLOAD_TYPES;
    for (let round = 0; round < 50; round++) {
      known = noted(known, formats(`96 x-${round}/90000\n97 y-${round}/90000`));
    }
    expect(known).toHaveLength(2);
  });
});
