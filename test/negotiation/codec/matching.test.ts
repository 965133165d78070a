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
import type { MediaCodec } from '../../../src/negotiation/media.ts';
import { isSdpError } from '../../../src/sdp/index.ts';
import { CHROMIUM_AUDIO, CHROMIUM_VIDEO, FIREFOX_AUDIO, format, formats } from './formats.ts';

const { audio, video } = DEFAULT_CAPABILITIES;

function named(codecs: readonly MediaCodec[]): string[] {
  return codecs.map(({ payloadType, mimeType }) => `${payloadType} ${mimeType}`);
}

describe('answeredCodecs', () => {
  test("the answerer takes over the offerer's numbers, in the offer's order", () => {
    const { receive, send } = answeredCodecs(audio, CHROMIUM_AUDIO, false);
    const expected = [
      '111 audio/opus',
      '9 audio/G722',
      '0 audio/PCMU',
      '8 audio/PCMA',
      '110 audio/telephone-event',
      '126 audio/telephone-event',
    ];
    expect(named(receive)).toEqual(expected);
    expect(named(send)).toEqual(expected);
  });

  test('opus: each end has its own parameters, and minptime never prevents a match', () => {
    const { receive, send } = answeredCodecs(audio, FIREFOX_AUDIO, false);
    expect(receive[0]).toMatchObject({ payloadType: 109, sdpFmtpLine: 'minptime=10;useinbandfec=1' });
    expect(send[0]).toMatchObject({ sdpFmtpLine: 'maxplaybackrate=48000;stereo=1;useinbandfec=1' });
  });

  test('G.722 is 8 kHz on the wire, with and without a number of channels', () => {
    expect(named(answeredCodecs(audio, formats('9 G722/8000/1'), false).receive)).toEqual(['9 audio/G722']);
    expect(answeredCodecs(audio, formats('9 G722/16000'), false).receive).toEqual([]);
  });

  test('names are compared without regard to case', () => {
    expect(named(answeredCodecs(video, formats('96 vp8/90000'), false).receive)).toEqual(['96 video/VP8']);
  });

  test('the answer is in our order where that is wanted, and what is sent in that of the offer', () => {
    const own = [...audio].reverse();
    const { receive, send } = answeredCodecs(own, CHROMIUM_AUDIO, true);
    expect(named(receive).slice(-2)).toEqual(['9 audio/G722', '111 audio/opus']);
    expect(named(send)[0]).toBe('111 audio/opus');
  });

  test('feedback is what both have, and forward error correction is not answered', () => {
    const { receive } = answeredCodecs(video, CHROMIUM_VIDEO, false);
    expect(receive.find(({ payloadType }) => payloadType === 98)?.rtcpFeedback).toEqual(['nack']);
    expect(named(receive)).toEqual([
      '96 video/VP8',
      '102 video/H264',
      '108 video/H264',
      '45 video/AV1',
      '98 video/VP9',
      '100 video/VP9',
    ]);
  });

  test('nothing is common where only companions of a codec are', () => {
    const none = { receive: [], send: [] };
    expect(answeredCodecs(audio, formats('13 CN/8000\n101 telephone-event/8000'), false)).toEqual(none);
    expect(answeredCodecs(audio, [], false)).toEqual(none);
    expect(answeredCodecs([], CHROMIUM_AUDIO, false)).toEqual(none);
  });

  test('a codec that neither end knows the parameters of is matched by name, clock rate and channels', () => {
    const own = [{ mimeType: 'audio/x-own', clockRate: 16_000, channels: 2, sdpFmtpLine: 'mode=1' }];
    const { receive } = answeredCodecs(own, formats('100 X-OWN/16000/2 mode=2'), false);
    expect(receive).toMatchObject([{ payloadType: 100, mimeType: 'audio/x-own', sdpFmtpLine: 'mode=1' }]);
    expect(answeredCodecs(own, formats('100 x-own/16000'), false).receive).toEqual([]);
    expect(answeredCodecs(own, formats('100 x-own/8000/2'), false).receive).toEqual([]);
  });

  test('a capability that is listed twice answers twice only what is offered twice', () => {
    const vp8 = { mimeType: 'video/VP8', clockRate: 90_000 };
    expect(named(answeredCodecs([vp8, vp8], formats('96 VP8/90000'), true).receive)).toEqual([
      '96 video/VP8',
    ]);
    expect(named(answeredCodecs([vp8, vp8], formats('96 VP8/90000\n97 VP8/90000'), true).receive)).toEqual([
      '96 video/VP8',
      '97 video/VP8',
    ]);
  });
});

describe('matchAnswer', () => {
  const offered = offeredCodecs(video, NO_PAYLOAD_TYPES).codecs;
  const [vp8] = offered;

  test("the answer's order becomes the offerer's preference for sending", () => {
    const answer = toSdpCodecs([...offered].reverse());
    const matched = matchAnswer(offered, answer);
    expect(matched).toEqual({ receive: offered, send: [...offered].reverse() });
  });

  test('numbers may differ: what is received has ours, what is sent the answer’s', () => {
    const answer = formats('120 VP8/90000 max-fr=30 [nack]\n121 rtx/90000 apt=120');
    expect(matchAnswer(offered, answer)).toEqual({
      receive: [{ ...vp8, rtcpFeedback: ['nack'] }],
      send: [
        { ...vp8, payloadType: 120, rtxPayloadType: 121, sdpFmtpLine: 'max-fr=30', rtcpFeedback: ['nack'] },
      ],
    });
  });

  test('numbers that are swapped are what the answer says', () => {
    const [first, second] = offered;
    const swapped = [
      format(`${first?.payloadType ?? 0} VP9/90000 profile-id=0`),
      format(`${second?.payloadType ?? 0} VP8/90000`),
    ];
    const matched = matchAnswer(offered, swapped);
    if (isSdpError(matched)) throw new Error(matched.message);
    expect(named(matched.receive)).toEqual(['96 video/VP8', '98 video/VP9']);
    expect(named(matched.send)).toEqual(['96 video/VP9', '98 video/VP8']);
  });

  test('a format under our number is what we offered, whatever its parameters say', () => {
    const h264 = offered.find(({ sdpFmtpLine }) => sdpFmtpLine?.includes('42001f'));
    const matched = matchAnswer(
      offered,
      formats(`${h264?.payloadType ?? 0} H264/90000 profile-level-id=6e0028;packetization-mode=1`),
    );
    if (isSdpError(matched)) throw new Error(matched.message);
    expect(matched.receive.map(({ payloadType }) => payloadType)).toEqual([h264?.payloadType]);
  });

  test('a codec of ours is answered once, also where its number stands at another format', () => {
    const matched = matchAnswer(offered, formats('100 VP9/90000 profile-id=0\n98 VP9/90000 profile-id=3'));
    if (isSdpError(matched)) throw new Error(matched.message);
    expect(named(matched.receive)).toEqual(['98 video/VP9']);
    expect(named(matched.send)).toEqual(['100 video/VP9']);
  });

  test('what was not offered is passed over; nothing left is an error', () => {
    expect(matchAnswer(offered, formats('50 VP7/90000\n96 VP8/90000'))).toMatchObject({
      send: [{ payloadType: 96 }],
    });
    expect(matchAnswer(offered, formats('50 VP7/90000'))).toMatchObject({ code: 'codec-mismatch' });
    expect(matchAnswer(offered, [])).toMatchObject({ code: 'codec-mismatch' });
  });
});

describe('toSdpCodecs and fromSdpCodecs', () => {
  test('give back what an offer of ours says', () => {
    for (const media of ['audio', 'video'] as const) {
      const { codecs } = offeredCodecs(DEFAULT_CAPABILITIES[media], NO_PAYLOAD_TYPES);
      expect(fromSdpCodecs(toSdpCodecs(codecs), media)).toEqual(codecs);
    }
  });

  test('show everything that is offered', () => {
    expect(named(fromSdpCodecs(CHROMIUM_VIDEO, 'video'))).toContain('120 video/ulpfec');
    expect(fromSdpCodecs(CHROMIUM_VIDEO, 'video')).toHaveLength(8);
  });
});
