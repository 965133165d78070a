import { describe, expect, test } from 'vitest';
import { checkCapability, DEFAULT_CAPABILITIES } from '../../../src/negotiation/codec/index.ts';

const OPUS = { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 };

function check(value: unknown, media?: 'audio' | 'video'): () => void {
  return () => {
    checkCapability(value, 'codecs[0]', media);
  };
}

describe('checkCapability', () => {
  test('takes what can be offered', () => {
    for (const media of ['audio', 'video'] as const) {
      for (const capability of DEFAULT_CAPABILITIES[media]) expect(check(capability, media)).not.toThrow();
    }
    expect(check({ mimeType: 'VIDEO/vp8', clockRate: 90_000, rtx: true }, 'video')).not.toThrow();
    expect(check({ mimeType: 'audio/x-own', clockRate: 1, sdpFmtpLine: 'a=1; b' })).not.toThrow();
  });

  test.each([
    [undefined, /"codecs\[0\]" expected a codec/],
    ['audio/opus', /"codecs\[0\]"/],
    [{}, /mimeType/],
    [{ ...OPUS, mimeType: 'opus' }, /mimeType/],
    [{ ...OPUS, mimeType: 'text/opus' }, /mimeType/],
    [{ ...OPUS, mimeType: 'audio/op us' }, /mimeType/],
    [{ ...OPUS, mimeType: 'audio/opus\r\n' }, /mimeType/],
    [{ ...OPUS, mimeType: 'audio/rtx' }, /rtx: true/],
    [{ ...OPUS, clockRate: 0 }, /clockRate/],
    [{ ...OPUS, clockRate: 1.5 }, /clockRate/],
    [{ ...OPUS, clockRate: Number.NaN }, /clockRate/],
    [{ ...OPUS, channels: 0 }, /channels/],
    [{ ...OPUS, channels: 256 }, /channels/],
    [{ ...OPUS, sdpFmtpLine: '' }, /sdpFmtpLine/],
    [{ ...OPUS, sdpFmtpLine: 'a=1\r\na=sendonly' }, /sdpFmtpLine/],
    [{ ...OPUS, sdpFmtpLine: 'a'.repeat(4097) }, /sdpFmtpLine/],
    [{ ...OPUS, sdpFmtpLine: 1 }, /sdpFmtpLine/],
    [{ ...OPUS, rtcpFeedback: 'nack' }, /rtcpFeedback/],
    [{ ...OPUS, rtcpFeedback: ['nack\n'] }, /rtcpFeedback/],
    [{ ...OPUS, rtcpFeedback: [''] }, /rtcpFeedback/],
    [{ ...OPUS, rtcpFeedback: Array.from({ length: 33 }, () => 'nack') }, /rtcpFeedback/],
    [{ ...OPUS, rtx: 'yes' }, /rtx/],
  ])('refuses %j', (value, message) => {
    expect(check(value)).toThrow(message);
    expect(check(value)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });

  test('refuses another kind than that of the section', () => {
    expect(check(OPUS, 'audio')).not.toThrow();
    expect(check(OPUS, 'video')).toThrow(/a type of "video"/);
  });
});
