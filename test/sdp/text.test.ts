import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SessionDescription } from '../../src/sdp/index.ts';
import { attributes, isSdpError, parseSdp, sdpLine, writeSdp } from '../../src/sdp/index.ts';
import { howMany } from '../how-many.ts';
import { mutatedDescription } from './hostile.ts';
import { codeOf, dialect, dialectNames, recorded, recordedFiles, valid } from './recorded.ts';

const PREAMBLE = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n';
const APPLICATION = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n';

describe('recorded descriptions', () => {
  test.each(recordedFiles)('%s is written back byte for byte', (name) => {
    const text = recorded(name);
    expect(writeSdp(valid(parseSdp(text)))).toBe(text);
  });

  test('all eighty are there', () => {
    expect(recordedFiles).toHaveLength(80);
  });

  test.each(dialectNames)('the dialect %s is written back, with CRLF for LF', (name) => {
    const text = dialect(name);
    expect(writeSdp(valid(parseSdp(text)))).toBe(text.replaceAll(/\r?\n/g, '\r\n'));
  });
});

describe('structure (RFC 8866 §5)', () => {
  test('C4: white space behind an m= line is none of its formats', () => {
    const { media } = valid(parseSdp(`${PREAMBLE}m=application 9 UDP/DTLS/SCTP webrtc-datachannel \r\n`));
    expect(media[0]?.formats).toEqual(['webrtc-datachannel']);
  });

  test.each([
    'm=au\x01dio 9 RTP/AVP 0',
    'm=audio 9 RTP/A\x7fVP 0',
    'm=audio 9 RTP/AVP 0\t1',
    'm=audio 9 RTP//AVP 0',
    'm=audio 9 RTP/AVP 0\u2028',
    'm=<b> 9 RTP/AVP 0',
  ])('C13: what an answer would repeat must be tokens: %j', (line) => {
    expect(codeOf(parseSdp(`${PREAMBLE}${line}\r\n`))).toBe('media-line-invalid');
  });

  test.each(['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0'])(
    'C13: %s in a section is another session',
    (line) => {
      expect(codeOf(parseSdp(`${PREAMBLE}s=-\r\n${APPLICATION}${line}\r\n`))).toBe('line-malformed');
    },
  );

  test.each(['v=0', 'o=- 1 2 IN IP4 127.0.0.1'])('C13: %s comes once', (line) => {
    expect(codeOf(parseSdp(`${PREAMBLE}${line}\r\n`))).toBe('line-malformed');
  });

  test('lines keep their level, their order and their number', () => {
    const text = `${PREAMBLE}s=-\r\na=x:1\r\n${APPLICATION}c=IN IP4 0.0.0.0\r\na=y\r\nm=audio 9/2 RTP/AVP 0 8\r\nz=?\r\n`;
    const { origin, lines, media } = valid(parseSdp(text));
    expect(origin).toEqual({
      username: '-',
      sessionId: '1',
      sessionVersion: '2',
      networkType: 'IN',
      addressType: 'IP4',
      address: '127.0.0.1',
    });
    expect(lines).toEqual([
      { type: 's', text: '-', number: 3 },
      { type: 'a', text: 'x:1', number: 4 },
    ]);
    expect(media).toMatchObject([
      { kind: 'application', port: 9, protocol: 'UDP/DTLS/SCTP', formats: ['webrtc-datachannel'], number: 5 },
      {
        kind: 'audio',
        port: 9,
        portCount: 2,
        formats: ['0', '8'],
        lines: [{ type: 'z', text: '?', number: 9 }],
      },
    ]);
  });

  test('LF ends a line too, the last line end may be missing, blank lines may follow', () => {
    const text = `${PREAMBLE}s=-\r\n`;
    const expected = valid(parseSdp(text));
    for (const same of [text.replaceAll('\r\n', '\n'), text.slice(0, -2), `${text}\r\n\n \r\n`]) {
      expect(parseSdp(same)).toEqual(expected);
    }
  });

  test('an attribute is found by its whole name', () => {
    const { lines } = valid(parseSdp(`${PREAMBLE}a=midi:1\r\na=mid:2\r\na=mid\r\n`));
    expect(attributes(lines, 'mid')).toEqual([
      { value: '2', line: 4 },
      { value: '', line: 5 },
    ]);
  });

  test.each([
    ['nothing', '', 'version-invalid', 1],
    ['another version', 'v=1\r\n', 'version-invalid', 1],
    ['no origin', 'v=0\r\ns=-\r\n', 'origin-invalid', 2],
    ['an origin of five fields', 'v=0\r\no=- 1 2 IN IP4\r\n', 'origin-invalid', 2],
    ['a session id that is no number', 'v=0\r\no=- x 2 IN IP4 h\r\n', 'origin-invalid', 2],
    ['a line that is none', `${PREAMBLE}hello\r\n`, 'line-malformed', 3],
    ['an upper-case type', `${PREAMBLE}A=x\r\n`, 'line-malformed', 3],
    ['a blank line in the middle', `${PREAMBLE}\r\ns=-\r\n`, 'line-malformed', 3],
    ['a lone CR', `${PREAMBLE}a=x\ra=setup:active\r\n`, 'line-malformed', 3],
    ['a NUL', `${PREAMBLE}a=\0\r\n`, 'line-malformed', 3],
    ['a media line without formats', `${PREAMBLE}m=audio 9 RTP/AVP\r\n`, 'media-line-invalid', 3],
    ['a media line with an empty format', `${PREAMBLE}m=audio 9 RTP/AVP \r\n`, 'media-line-invalid', 3],
    ['a port above 65535', `${PREAMBLE}m=audio 65536 RTP/AVP 0\r\n`, 'media-line-invalid', 3],
    ['a port with a leading zero', `${PREAMBLE}m=audio 09 RTP/AVP 0\r\n`, 'media-line-invalid', 3],
    ['a port count that is none', `${PREAMBLE}m=audio 9/x RTP/AVP 0\r\n`, 'media-line-invalid', 3],
  ])('%s is refused with its line', (_, text, code, line) => {
    expect(parseSdp(text)).toMatchObject({ failed: true, code, line });
  });
});

describe('limits', () => {
  const repeat = (line: string, count: number): string =>
    PREAMBLE + APPLICATION + `${line}\r\n`.repeat(count);

  test.each([
    ['maxLength', { maxLength: 100 }, 'sdp-too-large', repeat('a=x', 20)],
    ['maxLines', { maxLines: 10 }, 'too-many-lines', repeat('a=x', 8)],
    ['maxLineLength', { maxLineLength: 60 }, 'line-too-long', repeat(`a=${'x'.repeat(59)}`, 1)],
    ['maxMediaSections', { maxMediaSections: 3 }, 'too-many-media-sections', repeat(APPLICATION.trim(), 3)],
    ['maxCandidates', { maxCandidates: 5 }, 'too-many-candidates', repeat('a=candidate:', 6)],
    ['maxFingerprints', { maxFingerprints: 5 }, 'too-many-fingerprints', repeat('a=fingerprint:', 6)],
  ])('%s bounds a description', (_, limits, code, text) => {
    expect(codeOf(parseSdp(text, limits))).toBe(code);
    expect(codeOf(parseSdp(text))).toBe('accepted');
  });

  test('by default a megabyte is refused before it is looked at', () => {
    expect(codeOf(parseSdp(repeat('a=ssrc:1 cname:x', 60_000)))).toBe('sdp-too-large');
  });
});

describe('writing', () => {
  test.each(['a=x\r\na=setup:active', 'x\n', '\0'])('text that would add a line is refused: %j', (text) => {
    const description: SessionDescription = {
      ...valid(parseSdp(PREAMBLE)),
      lines: [sdpLine('a', text)],
    };
    expect(() => writeSdp(description)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});

describe('whatever comes', () => {
  test('mutated descriptions read or fail, and what reads is written and read to the same', () => {
    fc.assert(
      fc.property(mutatedDescription, (text) => {
        const first = parseSdp(text);
        if (isSdpError(first)) {
          expect(first.message).not.toBe('');
          return;
        }
        const written = writeSdp(first);
        expect(written.length).toBeLessThanOrEqual(text.length * 2 + 2);
        expect(parseSdp(written)).toEqual(first);
      }),
      { numRuns: howMany(100, 400) },
    );
  });

  test('random text reads or fails', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), (text, preamble) => {
        const result = parseSdp(preamble ? PREAMBLE + text : text);
        if (!isSdpError(result)) expect(result.origin.networkType).not.toBe('');
      }),
    );
  });
});
