import { describe, expect, test } from 'vitest';
import {
  answeredCodecs,
  DEFAULT_CAPABILITIES,
  NO_PAYLOAD_TYPES,
  offeredCodecs,
} from '../../../src/negotiation/codec/index.ts';
import type { CodecCapability } from '../../../src/negotiation/media.ts';
import { CHROMIUM_AUDIO, CHROMIUM_VIDEO, formats } from './formats.ts';

const RED: CodecCapability = { mimeType: 'audio/red', clockRate: 48_000, channels: 2 };
const OPUS: CodecCapability = { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 };

function answer(capabilities: readonly CodecCapability[], offer: string): unknown {
  return answeredCodecs(capabilities, formats(offer), false).receive.map(({ payloadType, sdpFmtpLine }) => [
    payloadType,
    sdpFmtpLine,
  ]);
}

describe('redundant audio (RFC 2198)', () => {
  test('is offered with the number of the codec that it holds, wherever it stands', () => {
    const { codecs } = offeredCodecs(
      [RED, { mimeType: 'audio/PCMU', clockRate: 8000 }, OPUS],
      NO_PAYLOAD_TYPES,
    );
    expect(codecs.map(({ payloadType, sdpFmtpLine }) => [payloadType, sdpFmtpLine])).toEqual([
      [96, '97/97'],
      [0, undefined],
      [97, undefined],
    ]);
  });

  test('holds as many as the application says', () => {
    const { codecs } = offeredCodecs([OPUS, { ...RED, sdpFmtpLine: '111/111/111' }], NO_PAYLOAD_TYPES);
    expect(codecs[1]?.sdpFmtpLine).toBe('96/96/96');
  });

  test('is not offered without a codec for it to hold', () => {
    const { codecs } = offeredCodecs([{ ...OPUS, channels: 1 }, RED], NO_PAYLOAD_TYPES);
    expect(codecs.map(({ mimeType }) => mimeType)).toEqual(['audio/opus']);
  });

  test("is answered with the offer's numbers, if what it holds is answered", () => {
    expect(answer([RED, OPUS], '111 opus/48000/2\n63 red/48000/2 111/111')).toEqual([
      [111, undefined],
      [63, '111/111'],
    ]);
    for (const held of ['112/112', '111/112', '63/63', 'x', '']) {
      expect(answer([RED, OPUS], `111 opus/48000/2\n63 red/48000/2 ${held}`)).toEqual([[111, undefined]]);
    }
  });

  test('is not answered unless the application has it, nor alone', () => {
    const { receive } = answeredCodecs(DEFAULT_CAPABILITIES.audio, CHROMIUM_AUDIO, false);
    expect(receive.map(({ mimeType }) => mimeType)).not.toContain('audio/red');
    expect(answer([RED], '63 red/48000/2 111/111\n111 opus/48000/2')).toEqual([]);
  });

  test('of video holds anything, and is answered like any other format', () => {
    const capabilities: CodecCapability[] = [
      { mimeType: 'video/VP8', clockRate: 90_000 },
      { mimeType: 'video/red', clockRate: 90_000, rtx: true },
      { mimeType: 'video/ulpfec', clockRate: 90_000 },
    ];
    const { receive } = answeredCodecs(capabilities, CHROMIUM_VIDEO, false);
    expect(receive.map(({ payloadType, rtxPayloadType }) => [payloadType, rtxPayloadType])).toEqual([
      [96, undefined],
      [118, 119],
      [120, undefined],
    ]);
  });
});
