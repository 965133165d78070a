import { describe, expect, test } from 'vitest';
import { answeredCodecs, matchAnswer } from '../../../src/negotiation/codec/index.ts';
import { H264_RULES } from '../../../src/negotiation/codec/h264.ts';
import type { CodecCapability, MediaCodec } from '../../../src/negotiation/media.ts';
import { isSdpError } from '../../../src/sdp/index.ts';
import { format } from './formats.ts';

const ASYMMETRIC = 'level-asymmetry-allowed=1;';

function capability(fmtp: string | undefined): CodecCapability {
  return { mimeType: 'video/H264', clockRate: 90_000, sdpFmtpLine: fmtp };
}

function answer(
  ours: string | undefined,
  theirs: string,
): Record<'receive' | 'send', MediaCodec | undefined> {
  const { receive, send } = answeredCodecs([capability(ours)], [format(`96 H264/90000 ${theirs}`)], false);
  return { receive: receive[0], send: send[0] };
}

/** Whether formats with these profile-level-ids can be agreed on as one. */
function agree(ours: string, theirs: string): boolean {
  return answer(`profile-level-id=${ours}`, `profile-level-id=${theirs}`).receive !== undefined;
}

describe('h264-profile-levels', () => {
  test('constraint flags tell profiles, as RFC 6184 table 5 has them', () => {
    const profiles: Record<string, string[]> = {
      'constrained baseline': ['42e01f', '42c01f', '42401f', '4d801f', '4de01f', '58c01f', '42f00b'],
      baseline: ['42001f', '42801f', '42a00c', '58801f'],
      main: ['4d001f', '4d401f', '4d5028'],
      extended: ['58001f', '58201f'],
      high: ['64001f', '640034'],
      'constrained high': ['640c1f', '640c34'],
      'high 10': ['6e001f'],
      'high 10 intra': ['6e101f'],
      'high 4:4:4': ['f4001f'],
      // Reserved bits: nobody knows what of.
      'reserved 42': ['42e11f'],
      'reserved 42 without': ['42011f'],
      'reserved 4d': ['4d811f'],
      'reserved 58': ['58c11f'],
      'reserved 64': ['64011f'],
      'reserved 64 constrained': ['640d1f'],
    };
    const all = Object.entries(profiles).flatMap(([name, ids]) => ids.map((id) => ({ name, id })));
    for (const one of all) {
      for (const other of all) {
        expect(agree(one.id, other.id), `${one.id} and ${other.id}`).toBe(one.name === other.name);
      }
    }
  });

  test('upper case is the same, and what is malformed is equal to itself alone', () => {
    expect(agree('42e01f', '42E01F')).toBe(true);
    expect(agree('42e01f', '42e01g')).toBe(false);
    expect(agree('42e01f', '42e01')).toBe(false);
    expect(agree('own', 'own')).toBe(true);
  });

  test('without a profile-level-id it is what browsers take it for: Constrained Baseline 3.1', () => {
    expect(answer('profile-level-id=42e01f', '').receive).toBeDefined();
    expect(answer(undefined, 'profile-level-id=42c01f').receive).toBeDefined();
    expect(answer('profile-level-id=42001f', 'max-fr=30').receive).toBeUndefined();
  });

  test('packetization modes are formats of their own; 0 where it is not said', () => {
    expect(answer('packetization-mode=1', 'packetization-mode=1').receive).toBeDefined();
    expect(answer('packetization-mode=1', 'packetization-mode=0').receive).toBeUndefined();
    expect(answer('packetization-mode=1', 'max-fr=30').receive).toBeUndefined();
    expect(answer('packetization-mode=0', 'max-fr=30').receive).toBeDefined();
  });

  test('level 5.2 negotiates down to 3.1 with the offered number', () => {
    const { receive, send } = answer('profile-level-id=42e01f', 'profile-level-id=42e034');
    expect(receive).toMatchObject({ payloadType: 96, sdpFmtpLine: 'profile-level-id=42e01f' });
    expect(send).toMatchObject({ payloadType: 96, sdpFmtpLine: 'profile-level-id=42e01f' });
  });

  test('without asymmetry on both ends the lower level is answered, under flags of our own', () => {
    const { receive, send } = answer(
      `${ASYMMETRIC}profile-level-id=42e034;x=1`,
      'profile-level-id=42c01f;max-fs=1',
    );
    expect(receive?.sdpFmtpLine).toBe(`${ASYMMETRIC}profile-level-id=42e01f;x=1`);
    expect(send?.sdpFmtpLine).toBe('profile-level-id=42c01f;max-fs=1');
  });

  test('with asymmetry on both ends each has its own level', () => {
    const { receive, send } = answer(
      `${ASYMMETRIC}profile-level-id=42e034`,
      `${ASYMMETRIC}profile-level-id=42e01f`,
    );
    expect(receive?.sdpFmtpLine).toBe(`${ASYMMETRIC}profile-level-id=42e034`);
    expect(send?.sdpFmtpLine).toBe(`${ASYMMETRIC}profile-level-id=42e01f`);
  });

  test('level 1b lies between 1 and 1.1, however it is written', () => {
    const agreed = (ours: string, theirs: string): (string | undefined)[] => {
      const { receive, send } =
        H264_RULES.agree?.(`profile-level-id=${ours}`, `profile-level-id=${theirs}`) ?? {};
      return [receive, send].map((fmtp) => fmtp?.replace('profile-level-id=', ''));
    };
    // As 1.1 with constraint_set3_flag for profiles 66, 77 and 88; as level_idc 9 for others.
    expect(agreed('42f00b', '42e00b')).toEqual(['42f00b', '42f00b']);
    expect(agreed('42f00b', '42e00a')).toEqual(['42e00a', '42e00a']);
    expect(agreed('42f00b', '4de01f')).toEqual(['42f00b', '4df00b']);
    expect(agreed('640009', '64000a')).toEqual(['64000a', '64000a']);
    expect(agreed('640009', '64000b')).toEqual(['640009', '640009']);
  });
});

describe('h264-unidirectional', () => {
  test('an answer may lower the level of what we send, and of what we receive', () => {
    const offered: MediaCodec[] = [
      {
        payloadType: 96,
        mimeType: 'video/H264',
        clockRate: 90_000,
        sdpFmtpLine: 'profile-level-id=42e034',
        rtcpFeedback: [],
      },
    ];
    const matched = matchAnswer(offered, [format('96 H264/90000 profile-level-id=42e01f')]);
    if (isSdpError(matched)) throw new Error(matched.message);
    expect(matched.receive[0]?.sdpFmtpLine).toBe('profile-level-id=42e01f');
    expect(matched.send[0]?.sdpFmtpLine).toBe('profile-level-id=42e01f');
  });

  test('of equal formats each capability takes one, in order', () => {
    const offer = [
      format('96 H264/90000 profile-level-id=42e01f'),
      format('97 H264/90000 profile-level-id=42e034'),
    ];
    const { receive } = answeredCodecs([capability('profile-level-id=42e034')], offer, false);
    expect(receive.map(({ payloadType }) => payloadType)).toEqual([96]);
  });
});
