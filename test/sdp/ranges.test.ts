/** Ranges of what stands in a description: the ends of each, and what lies just beyond them. */
import { describe, expect, test } from 'vitest';
import {
  mediaIce,
  mediaFingerprints,
  mediaMaxMessageSize,
  mediaSctpPort,
  mediaTlsId,
  parseCandidate,
  parseCandidateInit,
  parseSdp,
} from '../../src/sdp/index.ts';
import type { MediaDescription, SessionDescription } from '../../src/sdp/index.ts';
import { codeOf, valid } from './recorded.ts';

const APPLICATION = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel';

function describeWith(
  lines: readonly string[],
  media = APPLICATION,
): readonly [SessionDescription, MediaDescription] {
  const session = valid(parseSdp(['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', media, ...lines, ''].join('\r\n')));
  const [section] = session.media;
  if (section === undefined) throw new Error('no section');
  return [session, section];
}

const STRICTNESS = [true, false];

describe.each(STRICTNESS)('ICE credentials, strict: %s', (strict) => {
  const judged = (ufrag: number, pwd: number): string =>
    codeOf(
      mediaIce(...describeWith([`a=ice-ufrag:${'u'.repeat(ufrag)}`, `a=ice-pwd:${'p'.repeat(pwd)}`]), strict),
    );

  test('a username fragment has 4 to 256 characters (RFC 8839 §5.4)', () => {
    expect([4, 256].map((length) => judged(length, 22))).toEqual(['accepted', 'accepted']);
    expect([3, 257].map((length) => judged(length, 22))).toEqual([
      'ice-credentials-invalid',
      'ice-credentials-invalid',
    ]);
  });

  test('a password has 22 to 256 characters', () => {
    expect([22, 256].map((length) => judged(4, length))).toEqual(['accepted', 'accepted']);
    expect([21, 257].map((length) => judged(4, length))).toEqual([
      'ice-credentials-invalid',
      'ice-credentials-invalid',
    ]);
  });
});

describe('candidates', () => {
  /** One whose words are replaced by those given. */
  function candidate(changes: Record<number, string> = {}, more = ''): string {
    const words = ['1', '1', 'udp', '1', '192.0.2.1', '9', 'typ', 'host'];
    return words.map((word, i) => changes[i] ?? word).join(' ') + more;
  }

  test.each([
    ['foundation', 0, ['x', 'x'.repeat(32)], ['x'.repeat(33)]],
    ['component', 1, ['1', '256'], ['0', '257', '01', '']],
    ['priority', 3, ['0', '1', '4294967295'], ['4294967296', '-1', '']],
    ['port', 5, ['1', '65535'], ['0', '65536', '']],
  ])('%s', (_, place, taken, refused) => {
    for (const value of taken)
      expect([value, codeOf(parseCandidate(candidate({ [place]: value })))]).toEqual([value, 'accepted']);
    for (const value of refused)
      expect([value, codeOf(parseCandidate(candidate({ [place]: value })))]).toEqual([
        value,
        'candidate-invalid',
      ]);
  });

  test('port 0 is one of TCP', () => {
    expect(codeOf(parseCandidate(candidate({ 2: 'tcp', 5: '0' })))).toBe('accepted');
    expect(codeOf(parseCandidate(candidate({ 2: 'tcp', 5: '65536' })))).toBe('candidate-invalid');
  });

  test('rport', () => {
    const related = (port: number): string =>
      codeOf(parseCandidate(candidate({}, ` raddr 0.0.0.0 rport ${port}`)));
    expect([0, 65_535, 65_536].map(related)).toEqual(['accepted', 'accepted', 'candidate-invalid']);
  });

  test.each(STRICTNESS)('ufrag, strict: %s', (strict) => {
    const lengths = [3, 4, 256, 257];
    const outcomes = ['candidate-unsupported', 'accepted', 'accepted', 'candidate-unsupported'];
    const inside = (length: number): string =>
      codeOf(parseCandidate(candidate({}, ` ufrag ${'u'.repeat(length)}`), strict));
    const beside = (length: number): string => {
      const usernameFragment = 'u'.repeat(length);
      return codeOf(parseCandidateInit({ candidate: `candidate:${candidate()}`, usernameFragment }, strict));
    };
    expect(lengths.map(inside)).toEqual(outcomes);
    expect(lengths.map(beside)).toEqual(outcomes);
  });

  test('1024 characters in all', () => {
    const room = 1024 - candidate({}, ' x ').length;
    expect(codeOf(parseCandidate(candidate({}, ` x ${'y'.repeat(room)}`)))).toBe('accepted');
    expect(codeOf(parseCandidate(candidate({}, ` x ${'y'.repeat(room + 1)}`)))).toBe('candidate-invalid');
  });

  test('extensions come in pairs', () => {
    expect(codeOf(parseCandidate(candidate({}, ' x y')))).toBe('accepted');
    expect(codeOf(parseCandidate(candidate({}, ' x')))).toBe('candidate-invalid');
    expect(codeOf(parseCandidate(candidate({}, ' x  z w')))).toBe('candidate-invalid');
    expect(codeOf(parseCandidate(candidate({}, '  y z w')))).toBe('candidate-invalid');
  });
});

test('a=tls-id has 20 to 255 characters (RFC 8842 §4)', () => {
  const judged = (length: number): string =>
    codeOf(mediaTlsId(...describeWith([`a=tls-id:${'t'.repeat(length)}`])));
  expect([19, 20, 255, 256].map(judged)).toEqual([
    'tls-id-invalid',
    'accepted',
    'accepted',
    'tls-id-invalid',
  ]);
});

test.each([
  ['md2', 16],
  ['md5', 16],
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['SHA-384', 48],
  ['sha-512', 64],
])('a=fingerprint of %s has %d bytes (RFC 8122 §5)', (algorithm, length) => {
  const judged = (bytes: number): string => {
    const digest = new Array<string>(bytes).fill('aB').join(':');
    return codeOf(mediaFingerprints(...describeWith([`a=fingerprint:${algorithm} ${digest}`])));
  };
  expect([length - 1, length, length + 1].map(judged)).toEqual([
    'fingerprint-invalid',
    'accepted',
    'fingerprint-invalid',
  ]);
});

test.each([
  ['0', undefined],
  ['1', 1],
  ['65535', 65_535],
  ['65536', undefined],
])('a=sctp-port:%s', (text, port) => {
  const [, media] = describeWith([`a=sctp-port:${text}`]);
  expect(mediaSctpPort(media)).toEqual(port ?? expect.objectContaining({ code: 'sctp-port-invalid' }));
});

test.each([
  ['1', 1],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740992', Number.MAX_SAFE_INTEGER],
])('a=max-message-size:%s', (text, size) => {
  expect(mediaMaxMessageSize(describeWith([`a=max-message-size:${text}`])[1])).toBe(size);
});

test.each([
  ['0', 0],
  ['65535', 65_535],
])('the port of an m= line: %s', (text, port) => {
  expect(describeWith([], APPLICATION.replace('9', text))[1].port).toBe(port);
});

test.each(['65536', '-1', '09', '9/65536', '9/', '/2', ''])('no port of an m= line: "%s"', (text) => {
  const description = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', APPLICATION.replace('9', text), ''].join(
    '\r\n',
  );
  expect(codeOf(parseSdp(description))).toBe('media-line-invalid');
});
