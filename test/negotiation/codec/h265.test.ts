import { describe, expect, test } from 'vitest';
import { answeredCodecs } from '../../../src/negotiation/codec/index.ts';
import { format } from './formats.ts';

function answer(ours: string | undefined, theirs: string): (string | undefined)[] | undefined {
  const capability = { mimeType: 'video/H265', clockRate: 90_000, sdpFmtpLine: ours };
  const { receive, send } = answeredCodecs([capability], [format(`96 H265/90000 ${theirs}`)], false);
  return receive.length === 0 ? undefined : [receive[0]?.sdpFmtpLine, send[0]?.sdpFmtpLine];
}

describe('h265-level-id', () => {
  test('profile, tier and transmission mode are used symmetrically, with their defaults', () => {
    expect(answer('profile-id=1;tier-flag=0;tx-mode=SRST', 'level-id=93')).toBeDefined();
    expect(answer('profile-id=1', 'profile-id=2')).toBeUndefined();
    expect(answer('tier-flag=0', 'tier-flag=1')).toBeUndefined();
    expect(answer(undefined, 'tx-mode=MRST')).toBeUndefined();
    expect(answer(undefined, 'tx-mode=srst')).toBeDefined();
    expect(answer(undefined, 'profile-space=1')).toBeUndefined();
    expect(answer(undefined, 'interop-constraints=B00000000000')).toBeDefined();
  });

  test('the answer has no level above that of the offer, and what is sent none above the answer', () => {
    expect(answer('level-id=180;x=1', 'level-id=93')).toEqual(['level-id=93;x=1', 'level-id=93']);
    expect(answer('level-id=93', 'level-id=180')).toEqual(['level-id=93', 'level-id=93']);
    expect(answer('level-id=156', 'level-id=156')).toEqual(['level-id=156', 'level-id=156']);
  });

  test('is 3.1 where it is absent', () => {
    expect(answer('level-id=180', 'profile-id=1')).toEqual(['level-id=93', 'profile-id=1']);
    expect(answer(undefined, 'level-id=180')).toEqual([undefined, 'level-id=93']);
  });

  test('that is malformed stays as it is', () => {
    expect(answer('level-id=93', 'level-id=high')).toEqual(['level-id=93', 'level-id=high']);
  });

  test('what each end receives above it stays with max-recv-level-id', () => {
    expect(answer('level-id=93;max-recv-level-id=180', 'level-id=90')).toEqual([
      'level-id=90;max-recv-level-id=180',
      'level-id=90',
    ]);
  });
});
