import { describe, expect, test } from 'vitest';
import {
  answeredCodecs,
  DEFAULT_CAPABILITIES,
  fromSdpCodecs,
  matchAnswer,
  NO_PAYLOAD_TYPES,
  offeredCodecs,
  toSdpCodecs,
} from '../../../src/negotiation/codec/index.ts';
import type { CodecCapability } from '../../../src/negotiation/media.ts';
import type { SdpCodec } from '../../../src/sdp/index.ts';
import { CHROMIUM_VIDEO, formats } from './formats.ts';

const { video } = DEFAULT_CAPABILITIES;
const VP8: CodecCapability = { mimeType: 'video/VP8', clockRate: 90_000, rtx: true };

/** Each `rtx` of a section names a format of it, and no format has two. */
function expectSane(codecs: readonly SdpCodec[]): void {
  const others = codecs.filter(({ name }) => name !== 'rtx').map(({ payloadType }) => payloadType);
  const repeated = codecs
    .filter(({ name }) => name === 'rtx')
    .map(({ fmtp }) => Number(/^apt=(\d+)$/.exec(fmtp ?? '')?.[1]));
  for (const apt of repeated) expect(others).toContain(apt);
  expect(new Set(repeated).size).toBe(repeated.length);
}

describe('rtx-codecs', () => {
  test('apt is sane in an offer', () => {
    const offer = toSdpCodecs(offeredCodecs(video, NO_PAYLOAD_TYPES).codecs);
    expectSane(offer);
    expect(offer.filter(({ name }) => name === 'rtx')).toHaveLength(video.length);
    expect(offer.slice(0, 2)).toMatchObject([
      { payloadType: 96, name: 'VP8' },
      { payloadType: 97, name: 'rtx', clockRate: 90_000, fmtp: 'apt=96', feedback: [] },
    ]);
  });

  test('apt is sane in an answer to ourselves, and to a browser', () => {
    for (const offer of [toSdpCodecs(offeredCodecs(video, NO_PAYLOAD_TYPES).codecs), CHROMIUM_VIDEO]) {
      const answer = toSdpCodecs(answeredCodecs(video, offer, false).receive);
      expectSane(answer);
      const numbers = new Map(offer.map((codec) => [codec.payloadType, codec.name]));
      for (const { payloadType, name } of answer) expect(numbers.get(payloadType)).toBe(name);
    }
  });

  test('apt is sane with duplicate codecs', () => {
    const offer = formats(`
      96 VP8/90000
      97 rtx/90000 apt=96
      98 VP8/90000
      99 rtx/90000 apt=98
    `);
    const once = answeredCodecs([VP8], offer, false).receive;
    expect(once).toMatchObject([{ payloadType: 96, rtxPayloadType: 97 }]);
    const twice = answeredCodecs([VP8, VP8], offer, false).receive;
    expect(twice).toMatchObject([
      { payloadType: 96, rtxPayloadType: 97 },
      { payloadType: 98, rtxPayloadType: 99 },
    ]);
    expectSane(toSdpCodecs(twice));
  });

  test('an apt that names nothing, an rtx, no number, or comes again is passed over', () => {
    const offer = formats(`
      96 VP8/90000
      97 rtx/90000 apt=100
      98 rtx/90000 apt=97
      99 rtx/90000
      101 rtx/90000 apt=0x60
      102 RTX/90000 APT=96
      103 rtx/90000 apt=96
    `);
    expect(fromSdpCodecs(offer, 'video')).toMatchObject([{ payloadType: 96, rtxPayloadType: 102 }]);
    expect(answeredCodecs([VP8], offer, false).receive).toMatchObject([{ rtxPayloadType: 102 }]);
  });

  test('retransmissions need both ends', () => {
    const plain = { ...VP8, rtx: false };
    const offer = formats('96 VP8/90000\n97 rtx/90000 apt=96');
    expect(answeredCodecs([plain], offer, false).receive[0]?.rtxPayloadType).toBeUndefined();
    expect(answeredCodecs([VP8], offer.slice(0, 1), false).receive[0]?.rtxPayloadType).toBeUndefined();
    const offered = offeredCodecs([VP8], NO_PAYLOAD_TYPES).codecs;
    expect(matchAnswer(offered, formats('96 VP8/90000'))).toMatchObject({
      receive: [{ payloadType: 96, rtxPayloadType: undefined }],
      send: [{ payloadType: 96, rtxPayloadType: undefined }],
    });
    expect(matchAnswer(offeredCodecs([plain], NO_PAYLOAD_TYPES).codecs, offer)).toMatchObject({
      send: [{ payloadType: 96, rtxPayloadType: undefined }],
    });
  });

  test('in an answer with numbers of its own each end receives under its own', () => {
    const offered = offeredCodecs([VP8], NO_PAYLOAD_TYPES).codecs;
    expect(matchAnswer(offered, formats('110 rtx/90000 apt=109\n109 VP8/90000'))).toMatchObject({
      receive: [{ payloadType: 96, rtxPayloadType: 97 }],
      send: [{ payloadType: 109, rtxPayloadType: 110 }],
    });
  });
});
