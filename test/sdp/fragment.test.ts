/** Fragments of trickled candidates (RFC 8840 §9; RFC 9725 for WHIP), read and written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SdpFragment, SdpWarning } from '../../src/sdp/index.ts';
import {
  FRAGMENT_MEDIA_TYPE,
  fragmentCandidates,
  isSdpError,
  parseSdpFragment,
  sdpLine,
  writeSdpFragment,
} from '../../src/sdp/index.ts';
import { howMany } from '../how-many.ts';
import { codeOf, recorded, recordedFiles, valid } from './recorded.ts';

const MISUSE = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }) as Error;

const PASSWORD = 'P2uYro0UCOQ4zxjKXaWCBui1';
const HOST = '1387637174 1 udp 2122260223 192.0.2.1 61764 typ host';
const SRFLX = '473322822 1 udp 1686052607 203.0.113.7 61764 typ srflx raddr 192.0.2.1 rport 61764';

/** As a WHIP client sends it: all in the section that speaks for the BUNDLE group. */
const OF_WHIP = [
  'a=group:BUNDLE 0 1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=ice-ufrag:EsAw',
  `a=ice-pwd:${PASSWORD}`,
  `a=candidate:${HOST} generation 0 ufrag EsAw`,
  `a=candidate:${SRFLX}`,
  'a=end-of-candidates',
];

/** As RFC 8840 has it: credentials for all, a section each. */
const OF_SIP = [
  'a=ice-ufrag:8hhY',
  `a=ice-pwd:${PASSWORD}`,
  'a=ice-options:trickle ice2',
  'm=audio 9 RTP/AVP 0',
  'a=mid:1',
  `a=candidate:${HOST}`,
  'm=video 9 RTP/AVP 31',
  'a=mid:2',
  'a=end-of-candidates',
];

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}

function read(lines: readonly string[]): { fragment: SdpFragment; warnings: SdpWarning[] } {
  const warnings: SdpWarning[] = [];
  return { fragment: valid(parseSdpFragment(text(lines), {}, warnings)), warnings };
}

describe('reading', () => {
  test('the media type', () => {
    expect(FRAGMENT_MEDIA_TYPE).toBe('application/trickle-ice-sdpfrag');
  });

  test('of a WHIP client: a group, and one of its sections', () => {
    const { fragment, warnings } = read(OF_WHIP);
    expect(fragment).toMatchObject({
      ice: undefined,
      iceOptions: [],
      endOfCandidates: false,
      lines: [],
      bundles: [['0', '1']],
      media: [
        {
          kind: 'audio',
          port: 9,
          protocol: 'UDP/TLS/RTP/SAVPF',
          formats: ['111'],
          mid: '0',
          ice: { usernameFragment: 'EsAw', password: PASSWORD },
          endOfCandidates: true,
          lines: [],
        },
      ],
    });
    expect(fragment.media[0]?.candidates).toMatchObject([
      { type: 'host', address: '192.0.2.1', port: 61_764, usernameFragment: 'EsAw' },
      { type: 'srflx', address: '203.0.113.7', relatedAddress: '192.0.2.1' },
    ]);
    expect(warnings).toEqual([]);
  });

  test('its candidates, as a connection takes them', () => {
    expect(fragmentCandidates(read(OF_WHIP).fragment)).toEqual([
      {
        candidate: `candidate:${HOST} generation 0 ufrag EsAw`,
        sdpMid: '0',
        sdpMLineIndex: null,
        usernameFragment: 'EsAw',
      },
      { candidate: `candidate:${SRFLX}`, sdpMid: '0', sdpMLineIndex: null, usernameFragment: 'EsAw' },
      { candidate: '', sdpMid: '0', sdpMLineIndex: null, usernameFragment: 'EsAw' },
    ]);
  });

  test('of RFC 8840: credentials for all, and the end of one section', () => {
    const { fragment } = read(OF_SIP);
    expect(fragment.ice).toEqual({ usernameFragment: '8hhY', password: PASSWORD });
    expect(fragment.iceOptions).toEqual(['trickle', 'ice2']);
    const of = (candidate: string, sdpMid: string): unknown => ({
      candidate,
      sdpMid,
      sdpMLineIndex: null,
      usernameFragment: '8hhY',
    });
    expect(fragmentCandidates(fragment)).toEqual([of(`candidate:${HOST}`, '1'), of('', '2')]);
  });

  test('an end before the sections is that of each', () => {
    const { fragment } = read(['a=end-of-candidates', ...OF_SIP.slice(0, -1)]);
    expect(fragmentCandidates(fragment).map(({ candidate, sdpMid }) => [candidate, sdpMid])).toEqual([
      [`candidate:${HOST}`, '1'],
      ['', '1'],
      ['', '2'],
    ]);
  });

  test('a section speaks for itself before the fragment does', () => {
    const own = [...OF_SIP.slice(0, 5), 'a=ice-ufrag:mine', `a=ice-pwd:${PASSWORD}`, `a=candidate:${HOST}`];
    expect(fragmentCandidates(read(own).fragment)[0]?.usernameFragment).toBe('mine');
  });

  test('what nobody knows stays where it is', () => {
    const { fragment } = read([
      'a=ice-lite',
      'a=group:LS 0 1',
      'a=__proto__:x',
      'm=audio 9 RTP/AVP 0',
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      'a=group:BUNDLE 0',
      'a=ice-ufrag :x',
    ]);
    expect(fragment.lines.map((line) => line.text)).toEqual(['ice-lite', 'group:LS 0 1', '__proto__:x']);
    expect(fragment.media[0]?.lines.map((line) => line.text)).toEqual([
      'IN IP4 0.0.0.0',
      'group:BUNDLE 0',
      'ice-ufrag :x',
    ]);
  });

  test('LF, no line end at the end, nothing at all', () => {
    const expected = parseSdpFragment(text(OF_WHIP));
    expect(parseSdpFragment(OF_WHIP.join('\n'))).toEqual(expected);
    expect(parseSdpFragment(text([]))).toMatchObject({ bundles: [], media: [], lines: [], ice: undefined });
  });

  test('a candidate or an option that does not read costs itself alone', () => {
    const { fragment, warnings } = read([
      'a=ice-options:trickle \u00e9',
      'm=audio 9 RTP/AVP 0',
      'a=mid:0',
      'a=candidate:nonsense',
      'a=candidate:1 1 sctp 1 192.0.2.1 1 typ host',
      `a=candidate:${HOST}`,
    ]);
    expect(fragment.iceOptions).toEqual(['trickle']);
    expect(fragment.media[0]?.candidates).toHaveLength(1);
    expect(warnings).toMatchObject([
      { code: 'line-ignored', line: 1 },
      { code: 'candidate-ignored', line: 4, mid: '0' },
      { code: 'candidate-ignored', line: 5, mid: '0' },
    ]);
  });

  test.each([
    ['a description', ['v=0', 'o=- 1 1 IN IP4 0.0.0.0'], 'line-malformed'],
    ['an origin', ['o=- 1 1 IN IP4 0.0.0.0'], 'line-malformed'],
    ['text', ['hello'], 'line-malformed'],
    ['an m= line without a format', ['m=audio 9 RTP/AVP'], 'media-line-invalid'],
    ['a mid that is no token', ['m=audio 9 RTP/AVP 0', 'a=mid:a b'], 'mid-invalid'],
    ['a mid twice', ['m=audio 9 RTP/AVP 0', 'a=mid:0', 'm=audio 9 RTP/AVP 0', 'a=mid:0'], 'mid-duplicate'],
    ['two mids', ['m=audio 9 RTP/AVP 0', 'a=mid:0', 'a=mid:1'], 'duplicate-attribute'],
    ['a group of no tokens', ['a=group:BUNDLE (0)'], 'bundle-invalid'],
    ['a password alone', [`a=ice-pwd:${PASSWORD}`], 'ice-credentials-missing'],
    ['a short password', ['a=ice-ufrag:8hhY', 'a=ice-pwd:x'], 'ice-credentials-invalid'],
    ['a fragment alone', ['m=audio 9 RTP/AVP 0', 'a=ice-ufrag:8hhY'], 'ice-credentials-missing'],
    [
      'two passwords',
      ['a=ice-ufrag:8hhY', `a=ice-pwd:${PASSWORD}`, `a=ice-pwd:${PASSWORD}x`],
      'duplicate-attribute',
    ],
    [
      'two fragments',
      ['m=audio 9 RTP/AVP 0', 'a=ice-ufrag:8hhY', 'a=ice-ufrag:8hhZ', `a=ice-pwd:${PASSWORD}`],
      'duplicate-attribute',
    ],
  ])('%s is refused', (_, lines, code) => {
    const result = parseSdpFragment(text(lines));
    expect(codeOf(result)).toBe(code);
    expect(isSdpError(result) ? result.message : '').not.toContain(PASSWORD);
  });

  test('the limits of a description hold', () => {
    const section = ['m=audio 9 RTP/AVP 0', 'a=mid:0'];
    const many = [...section, ...new Array<string>(129).fill(`a=candidate:${HOST}`)];
    expect(codeOf(parseSdpFragment(text(many)))).toBe('too-many-candidates');
    expect(codeOf(parseSdpFragment(text(many), { maxCandidates: 129 }))).toBe('accepted');
    expect(codeOf(parseSdpFragment('a=x\r\n'.repeat(60_000)))).toBe('sdp-too-large');
    expect(codeOf(parseSdpFragment('a=x\r\n'.repeat(257)))).toBe('too-many-session-lines');
    expect(() => parseSdpFragment('', { maxLines: -1 })).toThrow(MISUSE);
  });
});

describe('writing', () => {
  test.each([
    ['of a WHIP client', OF_WHIP],
    ['of RFC 8840', OF_SIP],
  ])('%s: as it was', (_, lines) => {
    expect(writeSdpFragment(read(lines).fragment)).toBe(text(lines));
  });

  test.each([
    ['a mid of two words', { media: [{ ...read(OF_SIP).fragment.media[0], mid: 'a b' }] }],
    ['a group of two words', { bundles: [['a b']] }],
    ['a short fragment', { ice: { usernameFragment: 'x', password: PASSWORD } }],
    ['a password with a line end', { ice: { usernameFragment: '8hhY', password: `${PASSWORD}\r\na=x` } }],
    ['an option of two words', { iceOptions: ['a b'] }],
    ['a line of two', { lines: [sdpLine('a', 'x\r\na=y')] }],
  ])('%s is refused', (_, change) => {
    const fragment = { ...read(OF_SIP).fragment, ...change } as SdpFragment;
    expect(() => writeSdpFragment(fragment)).toThrow(MISUSE);
    try {
      writeSdpFragment(fragment);
    } catch (error) {
      expect(String(error)).not.toContain(PASSWORD);
    }
  });
});

/** Lines of fragments and of descriptions, and such as are neither. */
const line = fc.oneof(
  fc.constantFrom(
    ...OF_WHIP,
    ...OF_SIP,
    ...recordedFiles.slice(0, 8).flatMap((name) => recorded(name).split('\r\n')),
  ),
  fc
    .tuple(
      fc.constantFrom(
        'mid:',
        'group:BUNDLE ',
        'ice-ufrag:',
        'ice-pwd:',
        'ice-options:',
        'candidate:',
        'end-of-candidates',
        '',
      ),
      fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.constantFrom(
          '__proto__',
          'constructor',
          ' \t ',
          `${HOST} \u00e9 x`,
          `${HOST} a b\t`,
          `${HOST} raddr fe80::1%0`,
        ),
      ),
    )
    .map(([name, value]) => `a=${name}${value}`),
);

describe('whatever comes', () => {
  test('reads or fails, and what is written reads as the same', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\r\n', '\n'), (lines, end) => {
        const first = parseSdpFragment(lines.join(end));
        if (isSdpError(first)) return;
        const written = writeSdpFragment(first);
        const second = valid(parseSdpFragment(written));
        expect(writeSdpFragment(second)).toBe(written);
        expect(fragmentCandidates(second)).toEqual(fragmentCandidates(first));
        expect(withoutNumbers(second)).toEqual(withoutNumbers(first));
      }),
      { numRuns: howMany(1000, 20_000) },
    );
  });
});

/** Unknown lines stand behind the known ones when they are written. */
function withoutNumbers(fragment: SdpFragment): unknown {
  return JSON.parse(JSON.stringify(fragment, (name, value: unknown) => (name === 'number' ? 0 : value)));
}
