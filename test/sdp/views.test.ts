import { describe, expect, test } from 'vitest';
import type { MediaDescription, SessionDescription } from '../../src/sdp/index.ts';
import {
  hasEndOfCandidates,
  isBundleOnly,
  isDataChannelSection,
  isIceLite,
  isRejected,
  mediaCandidates,
  mediaDirection,
  mediaFingerprints,
  mediaIce,
  mediaIceOptions,
  mediaMaxMessageSize,
  mediaSctpMap,
  mediaSctpPort,
  mediaSetup,
  mediaTlsId,
  parseSdp,
  readBundles,
  readMids,
  sdpError,
} from '../../src/sdp/index.ts';
import { codeOf, recorded, valid } from './recorded.ts';

const DIGEST = Array.from({ length: 32 }, () => 'AB').join(':');
const PASSWORD = 'p'.repeat(22);

/** A description with these session lines and one section with these lines. */
function describeWith(
  session: readonly string[],
  section: readonly string[],
  mediaLine = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
): [SessionDescription, MediaDescription] {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', ...session, mediaLine, ...section, ''];
  const description = valid(parseSdp(lines.join('\r\n')));
  return [description, description.media[0] ?? expect.unreachable()];
}

function first(name: string): [SessionDescription, MediaDescription] {
  const description = valid(parseSdp(recorded(name)));
  return [description, description.media[0] ?? expect.unreachable()];
}

describe('ICE (RFC 8839 §5)', () => {
  test('Firefox: credentials in the section, options in the session', () => {
    const [session, media] = first('data-trickle.firefox-to-firefox.offer.sdp');
    expect(mediaIce(session, media)).toEqual({
      usernameFragment: '1953f41c',
      password: 'e6f64f5b21fb838a97dab166c5bc9e1c',
    });
    expect(mediaIceOptions(session, media)).toEqual(['trickle']);
    expect(isIceLite(session)).toBe(false);
  });

  test('the section speaks before the session', () => {
    const [session, media] = describeWith(
      [`a=ice-ufrag:session`, `a=ice-pwd:${PASSWORD}`, 'a=ice-lite'],
      ['a=ice-ufrag:section'],
    );
    expect(mediaIce(session, media)).toEqual({ usernameFragment: 'section', password: PASSWORD });
    expect(isIceLite(session)).toBe(true);
  });

  test.each([
    ['one without the other', ['a=ice-ufrag:abcd'], 'ice-credentials-missing'],
    ['three characters', ['a=ice-ufrag:abc', `a=ice-pwd:${PASSWORD}`], 'ice-credentials-invalid'],
    [
      'a character outside ice-char',
      ['a=ice-ufrag:ab:d', `a=ice-pwd:${PASSWORD}`],
      'ice-credentials-invalid',
    ],
    [
      '21 characters of password',
      ['a=ice-ufrag:abcd', 'a=ice-pwd:ppppppppppppppppppppp'],
      'ice-credentials-invalid',
    ],
    [
      'two that differ',
      ['a=ice-ufrag:abcd', 'a=ice-ufrag:efgh', `a=ice-pwd:${PASSWORD}`],
      'duplicate-attribute',
    ],
    ['two alike', ['a=ice-ufrag:abcd', 'a=ice-ufrag:abcd', `a=ice-pwd:${PASSWORD}`], 'accepted'],
  ])('credentials: %s', (_, lines, code) => {
    expect(codeOf(mediaIce(...describeWith([], lines)))).toBe(code);
  });

  test.each([
    ['padded base64', 'c2Fu=', 'c2Fuc3J0Yy1maWVsZC1j0Q=='],
    ['base64url', 'a_b-c', 'base64url_base64url-base64'],
    ['a hash sign', 'ab#d', `#${PASSWORD}`],
  ])(
    'C3: credentials in %s are read as the browsers read them, and strictly refused',
    (_, ufrag, password) => {
      const [session, media] = describeWith([], [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${password}`]);
      expect(mediaIce(session, media)).toEqual({ usernameFragment: ufrag, password });
      expect(codeOf(mediaIce(session, media, true))).toBe('ice-credentials-invalid');
    },
  );

  test('C4: white space behind a flag or a value is none of it', () => {
    for (const space of [' ', '\t', '  \t ']) {
      const [session, media] = describeWith(
        [`a=ice-lite${space}`, `a=group:BUNDLE 0${space}`],
        [
          'ice-ufrag:abcd',
          `ice-pwd:${PASSWORD}`,
          'mid:0',
          'setup:active',
          'end-of-candidates',
          'bundle-only',
          'recvonly',
          'sctp-port:5001',
          'max-message-size:1024',
          'tls-id:aaaaaaaaaaaaaaaaaaaaa',
          `fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
        ].map((text) => `a=${text}${space}`),
      );
      expect(isIceLite(session)).toBe(true);
      expect(readMids(session)).toEqual(['0']);
      expect(readBundles(session)).toEqual([['0']]);
      expect(mediaIce(session, media, true)).toEqual({ usernameFragment: 'abcd', password: PASSWORD });
      expect(mediaSetup(session, media)).toBe('active');
      expect(hasEndOfCandidates(session, media)).toBe(true);
      expect(isBundleOnly({ ...media, port: 0 })).toBe(true);
      expect(mediaDirection(session, media)).toBe('recvonly');
      expect(mediaSctpPort(media)).toBe(5001);
      expect(mediaMaxMessageSize(media)).toBe(1024);
      expect(mediaTlsId(session, media)).toBe('aaaaaaaaaaaaaaaaaaaaa');
      expect(mediaFingerprints(session, media)).toHaveLength(1);
    }
    // A name still matches as a whole.
    expect(isIceLite(describeWith(['a=ice-liter', 'a=ice-lite x'], [])[0])).toBe(false);
  });

  test('A10: a hash named like a member of every object is one that nobody knows', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      const [session, media] = describeWith([], [`a=fingerprint:${name} AB:CD`]);
      expect(mediaFingerprints(session, media)).toEqual([{ algorithm: name.toLowerCase(), value: 'AB:CD' }]);
    }
  });

  test('no error quotes a password', () => {
    const [session, media] = describeWith([], ['a=ice-ufrag:abcd', 'a=ice-pwd:secret.secret.secret.secret']);
    expect(JSON.stringify(mediaIce(session, media))).not.toContain('secret');
  });

  test('a candidate that does not read costs itself alone', () => {
    const good = 'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host';
    const [session, media] = describeWith(
      [],
      ['a=mid:7', good, 'a=candidate:?', good, 'a=end-of-candidates'],
    );
    expect(mediaCandidates(media)).toMatchObject([
      { line: 5 },
      { failed: true, code: 'candidate-invalid', line: 6, mid: '7' },
      { line: 7 },
    ]);
    expect(hasEndOfCandidates(session, media)).toBe(true);
  });
});

describe('DTLS', () => {
  test('Firefox: the fingerprint of the session is that of the section', () => {
    const [session, media] = first('data-trickle.firefox-to-firefox.offer.sdp');
    expect(mediaFingerprints(session, media)).toEqual([
      {
        algorithm: 'sha-256',
        value:
          'B3:43:81:97:AE:06:30:38:43:D3:EF:17:F4:CE:05:C7:02:0D:08:B0:97:F2:36:24:74:28:C4:32:71:15:5A:E1',
      },
    ]);
  });

  test('T110 several fingerprints, either case; those of the section replace those of the session', () => {
    const [session, media] = describeWith(
      [`a=fingerprint:sha-256 ${DIGEST.replaceAll('AB', 'CD')}`],
      [`a=fingerprint:SHA-256 ${DIGEST.toLowerCase()}`, 'a=fingerprint:unheard-of 01:02'],
    );
    expect(mediaFingerprints(session, media)).toEqual([
      { algorithm: 'sha-256', value: DIGEST },
      { algorithm: 'unheard-of', value: '01:02' },
    ]);
  });

  test.each([
    '',
    'sha-256',
    'sha-256 AB:CD',
    `sha-256 ${DIGEST}:AB`,
    `sha-256 ${DIGEST} x`,
    'sha-256 AB-CD',
    'sha 256 AB',
  ])('fingerprint %j is refused', (value) => {
    const [session, media] = describeWith([], [`a=fingerprint:${value}`]);
    expect(codeOf(mediaFingerprints(session, media))).toBe('fingerprint-invalid');
  });

  test.each(['actpass', 'active', 'passive', 'holdconn'])('a=setup:%s', (setup) => {
    expect(mediaSetup(...describeWith([], [`a=setup:${setup}`]))).toBe(setup);
    expect(mediaSetup(...describeWith([`a=setup:${setup}`], []))).toBe(setup);
  });

  test('a=setup: anything else is an error, nothing is nothing', () => {
    expect(mediaSetup(...describeWith([], ['a=setup:ACTIVE']))).toMatchObject({
      code: 'setup-invalid',
      line: 4,
    });
    expect(mediaSetup(...describeWith([], []))).toBeUndefined();
  });

  test('a=tls-id (RFC 8842 §4)', () => {
    expect(mediaTlsId(...describeWith([], [`a=tls-id:${'x'.repeat(20)}`]))).toBe('x'.repeat(20));
    expect(codeOf(mediaTlsId(...describeWith([], [`a=tls-id:${'x'.repeat(19)}`])))).toBe('tls-id-invalid');
  });
});

describe('SCTP (RFC 8841)', () => {
  test.each([
    ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', true],
    ['m=application 9 TCP/DTLS/SCTP webrtc-datachannel', true],
    ['m=application 9 DTLS/SCTP webrtc-datachannel', true],
    ['m=application 9 DTLS/SCTP 5000', true],
    ['m=application 9 UDP/DTLS/SCTP 5000', true],
    ['m=application 9 TCP/DTLS/SCTP 5000', true],
    ['m=application 9 DTLS/SCTP 0', false],
    ['m=application 9 DTLS/SCTP 65536', false],
    ['m=application 9 DTLS/SCTP 5000 5001', false],
    ['m=application 9 SCTP/DTLS 5000', false],
    ['m=application 9 UDP/BFCP *', false],
    ['m=video 9 UDP/DTLS/SCTP webrtc-datachannel', false],
  ])('%s: %s', (mediaLine, expected) => {
    expect(isDataChannelSection(describeWith([], [], mediaLine)[1])).toBe(expected);
  });

  test.each([
    ['5000', 5000],
    ['65535', 65_535],
    ['0', 'sctp-port-invalid'],
    ['65536', 'sctp-port-invalid'],
    ['05000', 'sctp-port-invalid'],
    ['', 'sctp-port-invalid'],
  ])('a=sctp-port:%s', (value, expected) => {
    const port = mediaSctpPort(describeWith([], [`a=sctp-port:${value}`])[1]);
    expect(typeof port === 'number' ? port : codeOf(port)).toBe(expected);
  });

  test.each([
    ['262144', 262_144],
    ['0', Infinity],
    ['99999999999999999999999', Number.MAX_SAFE_INTEGER],
    ['-1', 'max-message-size-invalid'],
    ['1e5', 'max-message-size-invalid'],
    ['007', 'max-message-size-invalid'],
  ])('a=max-message-size:%s', (value, expected) => {
    const size = mediaMaxMessageSize(describeWith([], [`a=max-message-size:${value}`])[1]);
    expect(typeof size === 'number' ? size : codeOf(size)).toBe(expected);
  });
});

describe('SCTP before RFC 8841 (draft-ietf-mmusic-sctp-sdp-07)', () => {
  const section = (...lines: readonly string[]): MediaDescription =>
    describeWith([], lines, 'm=application 9 DTLS/SCTP 5000')[1];

  test.each([
    [
      'a=sctpmap:5000 webrtc-datachannel 65535',
      { port: 5000, application: 'webrtc-datachannel', streams: 65_535 },
    ],
    [
      'a=sctpmap:5000 webrtc-datachannel',
      { port: 5000, application: 'webrtc-datachannel', streams: undefined },
    ],
    ['a=sctpmap:5000 clue 2', { port: 5000, application: 'clue', streams: 2 }],
  ])('%s', (line, expected) => {
    expect(mediaSctpMap(section(line))).toEqual(expected);
    expect(mediaSctpPort(section(line))).toBe(5000);
    expect(isDataChannelSection(section(line))).toBe(expected.application === 'webrtc-datachannel');
  });

  test.each([
    'a=sctpmap:',
    'a=sctpmap:5000',
    'a=sctpmap:5000 ',
    'a=sctpmap:0 webrtc-datachannel 1',
    'a=sctpmap:65536 webrtc-datachannel 1',
    'a=sctpmap:05000 webrtc-datachannel 1',
    'a=sctpmap:5000 webrtc-datachannel many',
    'a=sctpmap:5000 webrtc-datachannel -1',
    'a=sctpmap:5000 webrtc-datachannel 1 2',
    'a=sctpmap:5000 webrtc(datachannel) 1',
    'a=sctpmap:5001 webrtc-datachannel 1',
  ])('"%s" is refused, with its line', (line) => {
    const error = mediaSctpMap(section(line));
    expect(error).toMatchObject({ code: 'sctpmap-invalid', line: 4 });
    expect(mediaSctpPort(section(line))).toEqual(error);
    expect(isDataChannelSection(section(line))).toBe(true);
  });

  test('an a=sctpmap a port: that of the m= line counts, and says one thing', () => {
    const data = 'a=sctpmap:5000 webrtc-datachannel 16';
    expect(mediaSctpMap(section('a=sctpmap:5001 clue 1', data, data))).toMatchObject({ streams: 16 });
    expect(codeOf(mediaSctpMap(section(data, 'a=sctpmap:5000 clue 1')))).toBe('duplicate-attribute');
    expect(mediaSctpMap(section())).toBeUndefined();
  });

  test('the port of the m= line is the port, whatever a=sctp-port says', () => {
    expect(mediaSctpPort(section('a=sctp-port:6000'))).toBe(5000);
  });

  test('in the form of RFC 8841 a=sctpmap says nothing: Firefox wrote both for a while', () => {
    const both = describeWith(
      [],
      ['a=sctpmap:5000 webrtc-datachannel 256', 'a=sctp-port:6000'],
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    )[1];
    expect(mediaSctpPort(both)).toBe(6000);
    expect(isDataChannelSection(both)).toBe(true);
  });
});

describe('BUNDLE (RFC 5888, RFC 8843)', () => {
  const sections = (group: string, ...media: readonly string[]): SessionDescription =>
    valid(parseSdp(['v=0', 'o=- 1 1 IN IP4 127.0.0.1', `a=group:${group}`, ...media, ''].join('\r\n')));
  const AUDIO = 'm=audio 9 UDP/TLS/RTP/SAVPF 0';

  test('mids and groups in order; other groups are passed over', () => {
    const session = sections('BUNDLE b a', AUDIO, 'a=mid:a', AUDIO, 'a=mid:b', AUDIO);
    expect(readMids(session)).toEqual(['a', 'b', undefined]);
    expect(readBundles(session)).toEqual([['b', 'a']]);
    expect(readBundles(sections('LS x y', AUDIO, 'a=mid:a'))).toEqual([]);
  });

  test.each([
    ['an unknown mid', sections('BUNDLE a z', AUDIO, 'a=mid:a')],
    ['a mid twice', sections('BUNDLE a a', AUDIO, 'a=mid:a')],
  ])('a group with %s is refused', (_, session) => {
    expect(codeOf(readBundles(session))).toBe('bundle-invalid');
  });

  test('a mid is a token, and one section has it', () => {
    expect(codeOf(readMids(sections('LS', AUDIO, 'a=mid:a', AUDIO, 'a=mid:a')))).toBe('mid-duplicate');
    expect(codeOf(readMids(sections('LS', AUDIO, 'a=mid:a b')))).toBe('mid-invalid');
  });

  test('port 0 rejects, except bundle-only within a group', () => {
    const session = sections(
      'BUNDLE a b c',
      ...[AUDIO, 'a=mid:a', 'a=bundle-only'],
      ...[AUDIO.replace(' 9 ', ' 0 '), 'a=mid:b', 'a=bundle-only'],
      ...[AUDIO.replace(' 9 ', ' 0 '), 'a=mid:c'],
      ...[AUDIO.replace(' 9 ', ' 0 '), 'a=mid:d', 'a=bundle-only'],
    );
    const bundles = valid(readBundles(session));
    expect(session.media.map((media) => isRejected(media, bundles))).toEqual([false, false, true, true]);
    expect(session.media.map(isBundleOnly)).toEqual([false, true, false, true]);
  });
});

test('direction: the section, else the session, else sendrecv', () => {
  expect(mediaDirection(...describeWith(['a=recvonly'], ['a=inactive']))).toBe('inactive');
  expect(mediaDirection(...describeWith(['a=recvonly'], []))).toBe('recvonly');
  expect(mediaDirection(...describeWith([], []))).toBe('sendrecv');
});

test('an error takes the place of what it is about, and nothing else', () => {
  const plan = { line: 7, mid: '0', ice: { password: 'secret' } };
  expect(sdpError('mid-invalid', 'expected a token', plan)).toEqual({
    failed: true,
    code: 'mid-invalid',
    message: 'expected a token',
    line: 7,
    mid: '0',
  });
});
