/** Limits of a description, to the character: what just fits is taken, one more is refused by the name of its limit. */
import { describe, expect, test } from 'vitest';
import type { SdpLimits } from '../../src/sdp/index.ts';
import { parseSdp } from '../../src/sdp/index.ts';
import { DEFAULT_SDP_LIMITS } from '../../src/sdp/limits.ts';
import { codeOf } from './recorded.ts';

const PREAMBLE = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-'];
const SECTION = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel';

function text(...lines: readonly string[]): string {
  return [...PREAMBLE, ...lines, ''].join('\r\n');
}

function times(count: number, line: string): string[] {
  return new Array<string>(count).fill(line);
}

function numbered(count: number, line: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => line(i));
}

/** A description of exactly so much, and the limit's code. */
const SIZES: readonly (readonly [keyof SdpLimits, string, (size: number) => string])[] = [
  ['maxLength', 'sdp-too-large', (size) => text(`a=${'x'.repeat(size - text('a=').length)}`)],
  ['maxLines', 'too-many-lines', (size) => text(...times(size - 3, 'a=x'))],
  ['maxLineLength', 'line-too-long', (size) => text(`a=${'x'.repeat(size - 2)}`)],
  ['maxMediaSections', 'too-many-media-sections', (size) => text(...times(size, SECTION))],
  ['maxSessionLines', 'too-many-session-lines', (size) => text(...times(size - 1, 'a=x'), SECTION)],
  ['maxSectionLines', 'too-many-section-lines', (size) => text(SECTION, ...times(size, 'a=x'))],
  ['maxPayloadTypes', 'too-many-payload-types', (size) => text(`m=audio 9 RTP/AVP${' 96'.repeat(size)}`)],
  [
    'maxSources',
    'too-many-sources',
    (size) => text(SECTION, ...numbered(size, (i) => `a=ssrc:${i} cname:x`)),
  ],
  [
    'maxSources',
    'too-many-sources',
    (size) => text(SECTION, `a=ssrc-group:SIM ${numbered(size, String).join(' ')}`),
  ],
  ['maxRids', 'too-many-rids', (size) => text(SECTION, ...times(size, 'a=rid:'))],
  ['maxCandidates', 'too-many-candidates', (size) => text(SECTION, ...times(size, 'a=candidate:'))],
  ['maxFingerprints', 'too-many-fingerprints', (size) => text(...times(size, 'a=fingerprint:'))],
  ['maxFingerprints', 'too-many-fingerprints', (size) => text(SECTION, ...times(size, 'a=fingerprint:'))],
];

describe.each(SIZES)('%s', (limit, code, sized) => {
  test('as given: 60 fit, 61 do not', () => {
    expect(codeOf(parseSdp(sized(60), { [limit]: 60 }))).toBe('accepted');
    expect(codeOf(parseSdp(sized(61), { [limit]: 60 }))).toBe(code);
  });

  test('by default', () => {
    // A line of so many characters is bounded by others first.
    const others = {
      maxLength: Infinity,
      maxLines: Infinity,
      maxLineLength: Infinity,
      maxSessionLines: Infinity,
    };
    const limits = { ...others, [limit]: DEFAULT_SDP_LIMITS[limit] };
    expect(codeOf(parseSdp(sized(DEFAULT_SDP_LIMITS[limit]), limits))).toBe('accepted');
    expect(codeOf(parseSdp(sized(DEFAULT_SDP_LIMITS[limit] + 1), limits))).toBe(code);
  });
});

test('the defaults', () => {
  expect(DEFAULT_SDP_LIMITS).toEqual({
    maxLength: 262_144,
    maxLines: 16_384,
    maxLineLength: 16_384,
    maxMediaSections: 256,
    maxSessionLines: 256,
    maxSectionLines: 4096,
    maxPayloadTypes: 64,
    maxSources: 64,
    maxRids: 32,
    maxCandidates: 128,
    maxFingerprints: 16,
  });
});

test('a source is one, however many lines say something of it', () => {
  const lines = ['a=ssrc:1 cname:x', 'a=ssrc:1 msid:a b', 'a=ssrc:2 cname:x', 'a=ssrc-group:FID 1 2'];
  expect(codeOf(parseSdp(text(SECTION, ...lines), { maxSources: 2 }))).toBe('accepted');
});

test('candidates count section by section', () => {
  const section = [SECTION, ...times(5, 'a=candidate:')];
  expect(codeOf(parseSdp(text(...section, ...section), { maxCandidates: 5 }))).toBe('accepted');
});
