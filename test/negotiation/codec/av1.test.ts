import { describe, expect, test } from 'vitest';
import { answeredCodecs, matchAnswer } from '../../../src/negotiation/codec/index.ts';
import type { CodecCapability, MediaCodec } from '../../../src/negotiation/media.ts';
import { isSdpError } from '../../../src/sdp/index.ts';
import { formats } from './formats.ts';

function capability(name: string, sdpFmtpLine?: string): CodecCapability {
  return { mimeType: `video/${name}`, clockRate: 90_000, sdpFmtpLine };
}

function numbers(capabilities: readonly CodecCapability[], offer: string): number[] {
  return answeredCodecs(capabilities, formats(offer), true).receive.map(({ payloadType }) => payloadType);
}

describe('av1-profile-asymmetry', () => {
  test('a format of the same profile comes first, 0 where it is not said', () => {
    const offer = '96 AV1/90000 profile=1\n97 AV1/90000 level-idx=5';
    expect(numbers([capability('AV1', 'profile=0')], offer)).toEqual([97]);
    expect(numbers([capability('AV1', 'profile=1')], offer)).toEqual([96]);
    expect(numbers([capability('AV1', 'profile=1'), capability('AV1')], offer)).toEqual([96, 97]);
  });

  test('where there is none each end says the highest that it receives', () => {
    const { receive, send } = answeredCodecs(
      [capability('AV1', 'profile=0;level-idx=5')],
      formats('96 AV1/90000 profile=2;level-idx=8;tier=1'),
      false,
    );
    expect(receive).toMatchObject([{ payloadType: 96, sdpFmtpLine: 'profile=0;level-idx=5' }]);
    expect(send).toMatchObject([{ payloadType: 96, sdpFmtpLine: 'profile=2;level-idx=8;tier=1' }]);
  });

  test('level and tier are each end’s own', () => {
    const offered: MediaCodec[] = [
      {
        payloadType: 45,
        mimeType: 'video/AV1',
        clockRate: 90_000,
        sdpFmtpLine: 'profile=0;level-idx=0',
        rtcpFeedback: [],
      },
    ];
    const matched = matchAnswer(offered, formats('45 AV1/90000 profile=0;level-idx=4;tier=1'));
    if (isSdpError(matched)) throw new Error(matched.message);
    expect(matched.receive[0]?.sdpFmtpLine).toBe('profile=0;level-idx=0');
    expect(matched.send[0]?.sdpFmtpLine).toBe('profile=0;level-idx=4;tier=1');
  });
});

describe('VP9', () => {
  test('profiles are formats of their own, 0 where it is not said', () => {
    const offer = '98 VP9/90000 max-fs=12288\n100 VP9/90000 profile-id=2';
    expect(numbers([capability('VP9', 'profile-id=2')], offer)).toEqual([100]);
    expect(numbers([capability('VP9', 'profile-id=0')], offer)).toEqual([98]);
    expect(numbers([capability('VP9')], offer)).toEqual([98]);
    expect(numbers([capability('VP9', 'profile-id=1')], offer)).toEqual([]);
  });
});

describe('vp8-fmtp', () => {
  test('max-fr and max-fs are each end’s own and never prevent a match', () => {
    const { receive, send } = answeredCodecs(
      [capability('VP8', 'max-fr=30')],
      formats('96 VP8/90000 max-fs=12288;max-fr=60'),
      false,
    );
    expect(receive).toMatchObject([{ sdpFmtpLine: 'max-fr=30' }]);
    expect(send).toMatchObject([{ sdpFmtpLine: 'max-fs=12288;max-fr=60' }]);
  });
});
