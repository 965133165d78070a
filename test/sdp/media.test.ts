/** Media in descriptions: what each view makes of recordings, of the grammars' corners and of lines that do not read. */
import { describe, expect, test } from 'vitest';
import type {
  MediaDescription,
  SdpCodec,
  SdpLine,
  SdpWarning,
  SessionDescription,
} from '../../src/sdp/index.ts';
import {
  allowsMixedExtensions,
  bandwidthLine,
  codecLines,
  extensionLine,
  hasReducedSizeRtcp,
  hasRtcpMux,
  imageAttributesLine,
  isRid,
  isRtcpMuxOnly,
  isStreamIdentifier,
  maxPacketTimeLine,
  mediaBandwidths,
  mediaCodecs,
  mediaExtensions,
  mediaImageAttributes,
  mediaMaxPacketTime,
  mediaPacketTime,
  mediaRids,
  mediaRtcp,
  mediaSimulcast,
  mediaSourceGroups,
  mediaSources,
  mediaStreams,
  packetTimeLine,
  parseFormatParameters,
  parseSdp,
  ridLine,
  rtcpLine,
  simulcastLine,
  sourceGroupLine,
  sourceLines,
  streamLine,
  writeFormatParameters,
} from '../../src/sdp/index.ts';
import { codeOf, recorded, recordedFiles, valid } from './recorded.ts';

/** The attributes that have a view here and a writer. */
const WRITTEN = new Set([
  'rtpmap',
  'fmtp',
  'rtcp-fb',
  'extmap',
  'ssrc',
  'ssrc-group',
  'msid',
  'rid',
  'simulcast',
  'rtcp',
]);

const MISUSE = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }) as Error;

function texts(lines: readonly SdpLine[]): string[] {
  return lines.map(({ text }) => text);
}

/** A description whose one section has these formats and lines, from line 4 on. */
function describeWith(
  formats: string,
  lines: readonly string[],
  session: readonly string[] = [],
): readonly [SessionDescription, MediaDescription] {
  const head = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', ...session];
  const media = `m=video 9 UDP/TLS/RTP/SAVPF ${formats}`;
  const description = valid(parseSdp([...head, media, ...lines, ''].join('\r\n')));
  return [description, description.media[0] ?? expect.unreachable()];
}

function sectionOf(lines: readonly string[], formats = '96'): MediaDescription {
  return describeWith(formats, lines)[1];
}

/** What a view makes of lines, and the numbers of those that it passed over (4 is the first). */
function read<T>(
  view: (media: MediaDescription, warnings: SdpWarning[]) => T,
  lines: readonly string[],
  formats?: string,
): { value: T; ignored: (number | undefined)[] } {
  const warnings: SdpWarning[] = [];
  const value = view(sectionOf(lines, formats), warnings);
  for (const { code, message } of warnings) {
    expect(['line-ignored', 'format-ignored']).toContain(code);
    expect(message).toMatch(/^expected /);
  }
  return { value, ignored: warnings.map(({ line }) => line) };
}

describe('recorded descriptions', () => {
  test.each(recordedFiles)('%s: every line about media is read, and written as it was', (name) => {
    const session = valid(parseSdp(recorded(name)));
    for (const media of session.media) {
      if (media.kind === 'application') continue;
      const warnings: SdpWarning[] = [];
      const simulcast = mediaSimulcast(media);
      const written = [
        ...valid(mediaCodecs(media, warnings)).flatMap(codecLines),
        ...valid(mediaExtensions(session, media, warnings)).map(extensionLine),
        ...mediaSources(media, warnings).flatMap(sourceLines),
        ...mediaSourceGroups(media, warnings).map(sourceGroupLine),
        ...mediaStreams(media, warnings).map(streamLine),
        ...mediaRids(media, warnings).map(ridLine),
        ...[mediaRtcp(media, warnings)].flatMap((rtcp) => (rtcp === undefined ? [] : [rtcpLine(rtcp)])),
        ...(simulcast === undefined ? [] : [simulcastLine(valid(simulcast))]),
      ];
      expect(warnings).toEqual([]);
      const came = media.lines.filter(({ text }) => WRITTEN.has(text.split(':', 1)[0] ?? ''));
      expect(texts(written).sort()).toEqual(texts(came).sort());
    }
  });
});

describe('codecs (RFC 8866 §6.6, RFC 4585 §4.2)', () => {
  const codec = (payloadType: number, name: string, more: Partial<SdpCodec> = {}): SdpCodec => ({
    payloadType,
    name,
    clockRate: 90_000,
    channels: undefined,
    fmtp: undefined,
    feedback: [],
    ...more,
  });

  test('in the order of the m= line, each with its lines', () => {
    const { value, ignored } = read(
      mediaCodecs,
      [
        'a=rtpmap:96 VP8/90000',
        'a=rtpmap:97 rtx/90000',
        'a=fmtp:97 apt=96',
        'a=rtcp-fb:96 nack',
        'a=rtcp-fb:* transport-cc',
        'a=rtcp-fb:96 nack pli',
        'a=rtcp-fb:96 nack',
        'a=rtpmap:111 opus/48000/2',
      ],
      '111 97 96',
    );
    expect(value).toEqual([
      codec(111, 'opus', { clockRate: 48_000, channels: 2, feedback: ['transport-cc'] }),
      codec(97, 'rtx', { fmtp: 'apt=96', feedback: ['transport-cc'] }),
      codec(96, 'VP8', { feedback: ['nack', 'transport-cc', 'nack pli'] }),
    ]);
    expect(ignored).toEqual([]);
  });

  test('static payload types need no rtpmap (RFC 3551 §6), and an rtpmap speaks before them', () => {
    const formats = '0 8 9 10 3 13 18 26 31 34';
    const names = valid(read(mediaCodecs, ['a=rtpmap:3 speex/16000'], formats).value).map(
      ({ name, clockRate, channels }) =>
        `${name}/${clockRate}${channels === undefined ? '' : `/${channels}`}`,
    );
    expect(names).toEqual([
      'PCMU/8000',
      'PCMA/8000',
      'G722/8000',
      'L16/44100/2',
      'speex/16000',
      'CN/8000',
      'G729/8000',
      'JPEG/90000',
      'H261/90000',
      'H263/90000',
    ]);
  });

  test('a format that nothing says anything of is passed over', () => {
    const { value, ignored } = read(mediaCodecs, ['a=rtpmap:96 VP8/90000'], '1 96 35 127');
    expect(value).toEqual([codec(96, 'VP8')]);
    expect(ignored).toEqual([3, 3, 3]);
  });

  test('a format that comes twice is one', () => {
    expect(read(mediaCodecs, ['a=rtpmap:96 VP8/90000'], '96 96').value).toEqual([codec(96, 'VP8')]);
  });

  test.each(['128', '096', 'x', 'webrtc-datachannel', '-1', '1.5', '1e2'])(
    'format %s is no payload type',
    (format) => {
      expect(mediaCodecs(sectionOf([], format))).toMatchObject({ code: 'payload-type-invalid', line: 3 });
    },
  );

  test.each(['a=rtcp-mux', 'a=rtcp-mux-only'])('with %s, 64–95 are RTCP (RFC 5761 §4)', (mux) => {
    const judged = (format: number, lines: readonly string[]): string =>
      codeOf(mediaCodecs(sectionOf([`a=rtpmap:${format} VP8/90000`, ...lines], `${format}`)));
    expect([63, 64, 95, 96].map((format) => judged(format, [mux]))).toEqual([
      'accepted',
      'payload-type-invalid',
      'payload-type-invalid',
      'accepted',
    ]);
    expect([64, 95].map((format) => judged(format, []))).toEqual(['accepted', 'accepted']);
  });

  test.each([
    'a=rtpmap:96',
    'a=rtpmap:96 ',
    'a=rtpmap:96 VP8',
    'a=rtpmap:96 VP8/',
    'a=rtpmap:96 VP8/0',
    'a=rtpmap:96 VP8/90000/0',
    'a=rtpmap:96 VP8/90000/x',
    'a=rtpmap:96 VP8/90000/1/1',
    'a=rtpmap:96 VP8/9e4',
    'a=rtpmap:96 VP8/4294967296',
    'a=rtpmap:96 V P8/90000',
    'a=rtpmap:96 /90000',
    'a=rtpmap:96 VP8\u00e9/90000',
  ])('%j of a listed format refuses the section', (line) => {
    expect(mediaCodecs(sectionOf(['a=mid:v', line]))).toMatchObject({
      code: 'rtpmap-invalid',
      line: 5,
      mid: 'v',
    });
  });

  test.each(['a=rtpmap', 'a=rtpmap:', 'a=rtpmap:x VP8/90000', 'a=rtpmap:97 VP8', 'a=rtpmap:097 VP8/90000'])(
    '%j of none costs itself alone',
    (line) => {
      const { value, ignored } = read(mediaCodecs, [line, 'a=rtpmap:96 VP8/90000']);
      expect(value).toEqual([codec(96, 'VP8')]);
      expect(ignored).toEqual([4]);
    },
  );

  test('two of a format must say the same', () => {
    const both = (other: string): string =>
      codeOf(mediaCodecs(sectionOf(['a=rtpmap:96 VP8/90000', `a=rtpmap:96 ${other}`])));
    expect(both('VP8/90000')).toBe('accepted');
    expect(both('VP9/90000')).toBe('duplicate-attribute');
    expect(both('VP8/90000/1')).toBe('duplicate-attribute');
  });

  test.each([
    'a=fmtp',
    'a=fmtp:',
    'a=fmtp:96',
    'a=fmtp:96 ',
    'a=fmtp:97 x=1',
    'a=fmtp:x y',
    'a=fmtp:* x=1',
    'a=rtcp-fb',
    'a=rtcp-fb:',
    'a=rtcp-fb:96',
    'a=rtcp-fb:*',
    'a=rtcp-fb:97 nack',
    'a=rtcp-fb:** nack',
    'a=rtcp-fb:96 <b>',
  ])('%j costs itself alone', (line) => {
    const { value, ignored } = read(mediaCodecs, ['a=rtpmap:96 VP8/90000', line]);
    expect(value).toEqual([codec(96, 'VP8')]);
    expect(ignored).toEqual([5]);
  });

  test('several fmtp of a format are one, as in browsers', () => {
    const lines = ['a=rtpmap:96 H264/90000', 'a=fmtp:96 a=1;b=2', 'a=fmtp:96 c=3', 'a=fmtp:96 a=1;b=2'];
    expect(read(mediaCodecs, lines).value).toEqual([codec(96, 'H264', { fmtp: 'a=1;b=2;c=3' })]);
  });

  test('feedback of * has a bound, so that lines times formats has one', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `a=rtcp-fb:* x${i}`);
    const { value, ignored } = read(mediaCodecs, ['a=rtpmap:96 VP8/90000', ...lines, 'a=rtcp-fb:* x0']);
    expect(valid(value)[0]?.feedback).toHaveLength(32);
    expect(ignored).toHaveLength(8);
  });

  test('written: rtpmap, rtcp-fb, fmtp', () => {
    expect(texts(codecLines(codec(96, 'H264', { fmtp: 'a=1', feedback: ['nack', 'nack pli'] })))).toEqual([
      'rtpmap:96 H264/90000',
      'rtcp-fb:96 nack',
      'rtcp-fb:96 nack pli',
      'fmtp:96 a=1',
    ]);
    expect(texts(codecLines(codec(96, 'VP8', { fmtp: ' ' })))).toEqual(['rtpmap:96 VP8/90000']);
  });

  test.each([
    codec(128, 'VP8'),
    codec(1.5, 'VP8'),
    codec(-1, 'VP8'),
    codec(96, ''),
    codec(96, 'V 8'),
    codec(96, 'VP8', { clockRate: 0 }),
    codec(96, 'VP8', { channels: 0 }),
    codec(96, 'VP8', { feedback: [''] }),
    codec(96, 'VP8', { feedback: ['nack pli '] }),
  ])('what would not be read back is not written: %j', (bad) => {
    expect(() => codecLines(bad)).toThrow(MISUSE);
  });
});

describe('format parameters', () => {
  test.each([
    [
      'minptime=10;useinbandfec=1',
      [
        ['minptime', '10'],
        ['useinbandfec', '1'],
      ],
      undefined,
    ],
    [
      ' b = 2 ;; a=1; ',
      [
        ['b', '2'],
        ['a', '1'],
      ],
      'b=2;a=1',
    ],
    ['0-15', [['0-15', undefined]], undefined],
    ['111/111', [['111/111', undefined]], undefined],
    [
      'sprop=a=b==;x',
      [
        ['sprop', 'a=b=='],
        ['x', undefined],
      ],
      undefined,
    ],
    [
      'a=1;a=2;A=3',
      [
        ['a', '1'],
        ['a', '2'],
        ['A', '3'],
      ],
      undefined,
    ],
    ['x=', [['x', '']], undefined],
    ['=x', [['', 'x']], undefined],
    ['', [], undefined],
    [
      '__proto__=1;constructor=2;toString',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
        ['toString', undefined],
      ],
      undefined,
    ],
  ] as const)('%j: order, unknown names and repeated ones are kept', (text, parameters, written) => {
    const read = parseFormatParameters(text);
    expect(read).toEqual(parameters.map(([name, value]) => ({ name, value })));
    expect(writeFormatParameters(read)).toBe(written ?? text);
  });

  test.each([
    { name: 'a;b', value: '1' },
    { name: 'a=b', value: '1' },
    { name: ' a', value: '1' },
    { name: '', value: undefined },
    { name: 'a', value: '1;b=2' },
    { name: 'a', value: '1 ' },
  ])('what would be read as something else is not written: %j', (parameter) => {
    expect(() => writeFormatParameters([parameter])).toThrow(MISUSE);
  });
});

describe('RTCP (RFC 3605, 5761, 8858, 5506)', () => {
  test.each([
    [
      'a=rtcp:9 IN IP4 0.0.0.0',
      { port: 9, address: { networkType: 'IN', addressType: 'IP4', address: '0.0.0.0' } },
    ],
    ['a=rtcp:53020', { port: 53_020, address: undefined }],
  ])('%s', (line, expected) => {
    const { value, ignored } = read(mediaRtcp, [line]);
    expect(value).toEqual(expected);
    expect(ignored).toEqual([]);
    expect(`a=${rtcpLine(expected).text}`).toBe(line);
  });

  test.each([
    'a=rtcp',
    'a=rtcp:',
    'a=rtcp:65536',
    'a=rtcp:x',
    'a=rtcp:9 IN',
    'a=rtcp:9 IN IP4',
    'a=rtcp:9 IN IP4 a b',
    'a=rtcp:9  IN IP4',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaRtcp, [line])).toEqual({ value: undefined, ignored: [4] });
    expect(read(mediaRtcp, [line, 'a=rtcp:9'])).toEqual({
      value: { port: 9, address: undefined },
      ignored: [4],
    });
  });

  test('what would not be read back is not written', () => {
    const address = { networkType: 'IN', addressType: 'IP4', address: 'a b' };
    for (const rtcp of [
      { port: 65_536, address: undefined },
      { port: 9, address },
    ])
      expect(() => rtcpLine(rtcp)).toThrow(MISUSE);
  });

  test('flags', () => {
    const flags = (line: string): boolean[] =>
      [hasRtcpMux, isRtcpMuxOnly, hasReducedSizeRtcp].map((flag) => flag(sectionOf([line])));
    expect(flags('a=rtcp-mux')).toEqual([true, false, false]);
    expect(flags('a=rtcp-mux-only')).toEqual([true, true, false]);
    expect(flags('a=rtcp-rsize')).toEqual([false, false, true]);
    expect(flags('a=rtcp-muxer')).toEqual([false, false, false]);
  });
});

describe('header extensions (RFC 8285)', () => {
  const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';

  test('with direction and attributes; those of the session after those of the section', () => {
    const [session, media] = describeWith(
      '96',
      [`a=extmap:4 ${MID}`, 'a=extmap:2/sendonly urn:x some thing', 'a=extmap:255/inactive urn:y'],
      ['a=extmap:7 urn:z', `a=extmap:4 ${MID}`],
    );
    const warnings: SdpWarning[] = [];
    const extensions = valid(mediaExtensions(session, media, warnings));
    expect(extensions).toEqual([
      { id: 4, uri: MID, direction: undefined, attributes: undefined },
      { id: 2, uri: 'urn:x', direction: 'sendonly', attributes: 'some thing' },
      { id: 255, uri: 'urn:y', direction: 'inactive', attributes: undefined },
      { id: 7, uri: 'urn:z', direction: undefined, attributes: undefined },
    ]);
    expect(warnings).toEqual([]);
    expect(texts(extensions.map(extensionLine))).toEqual([
      `extmap:4 ${MID}`,
      'extmap:2/sendonly urn:x some thing',
      'extmap:255/inactive urn:y',
      'extmap:7 urn:z',
    ]);
  });

  test.each(['session', 'section'])(
    'an id of two URIs refuses the section: the other one in the %s',
    (where) => {
      const other = ['a=extmap:1 urn:b'];
      const of =
        where === 'session'
          ? describeWith('96', ['a=extmap:1 urn:a'], other)
          : describeWith('96', ['a=extmap:1 urn:a', ...other]);
      expect(codeOf(mediaExtensions(...of))).toBe('extmap-duplicate');
    },
  );

  test.each([
    'a=extmap',
    'a=extmap:',
    'a=extmap:1',
    'a=extmap:0 urn:a',
    'a=extmap:256 urn:a',
    'a=extmap:4096 urn:a',
    'a=extmap:01 urn:a',
    'a=extmap:1/ urn:a',
    'a=extmap:1/both urn:a',
    'a=extmap:x urn:a',
    'a=extmap:1 \u00e9',
  ])('%j costs itself alone', (line) => {
    const [session, media] = describeWith('96', [line, 'a=extmap:3 urn:c']);
    const warnings: SdpWarning[] = [];
    expect(valid(mediaExtensions(session, media, warnings))).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: 'line-ignored', line: 4 }]);
  });

  test('both forms in one stream, said at either level', () => {
    const flag = ['a=extmap-allow-mixed'];
    expect(allowsMixedExtensions(...describeWith('96', []))).toBe(false);
    expect(allowsMixedExtensions(...describeWith('96', flag))).toBe(true);
    expect(allowsMixedExtensions(...describeWith('96', [], flag))).toBe(true);
  });

  test.each([
    { id: 0, uri: 'urn:a' },
    { id: 256, uri: 'urn:a' },
    { id: 1, uri: '' },
    { id: 1, uri: 'a b' },
    { id: 1, uri: 'urn:a', attributes: '' },
    { id: 1, uri: 'urn:a', attributes: ' x' },
  ])('what would not be read back is not written: %j', (bad) => {
    expect(() => extensionLine({ direction: undefined, attributes: undefined, ...bad })).toThrow(MISUSE);
  });
});

describe('sources (RFC 5576)', () => {
  test('each with its attributes, in the order in which it comes first', () => {
    const lines = [
      'a=ssrc:4294967295 cname:a:b c',
      'a=ssrc:0 x',
      'a=ssrc:4294967295 msid:s t',
      'a=ssrc:0 __proto__:y',
      'a=ssrc:0 x',
    ];
    const { value, ignored } = read(mediaSources, lines);
    expect(value).toEqual([
      {
        ssrc: 0xffff_ffff,
        attributes: [
          { name: 'cname', value: 'a:b c' },
          { name: 'msid', value: 's t' },
        ],
      },
      {
        ssrc: 0,
        attributes: [
          { name: 'x', value: undefined },
          { name: '__proto__', value: 'y' },
          { name: 'x', value: undefined },
        ],
      },
    ]);
    expect(ignored).toEqual([]);
    expect(texts(value.flatMap(sourceLines)).sort()).toEqual(lines.map((line) => line.slice(2)).sort());
  });

  test.each([
    'a=ssrc',
    'a=ssrc:',
    'a=ssrc:1',
    'a=ssrc:1 :x',
    'a=ssrc:4294967296 cname:x',
    'a=ssrc:-1 cname:x',
    'a=ssrc:x cname:x',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaSources, [line, 'a=ssrc:7 cname:x'])).toMatchObject({
      value: [{ ssrc: 7 }],
      ignored: [4],
    });
  });

  test('groups', () => {
    const lines = ['a=ssrc-group:FID 1 2', 'a=ssrc-group:SIM 1 3 4294967295', 'a=ssrc-group:FID'];
    const { value, ignored } = read(mediaSourceGroups, lines);
    expect(value).toEqual([
      { semantics: 'FID', ssrcs: [1, 2] },
      { semantics: 'SIM', ssrcs: [1, 3, 0xffff_ffff] },
      { semantics: 'FID', ssrcs: [] },
    ]);
    expect(ignored).toEqual([]);
    expect(texts(value.map(sourceGroupLine))).toEqual(lines.map((line) => line.slice(2)));
  });

  test.each([
    'a=ssrc-group',
    'a=ssrc-group:',
    'a=ssrc-group:FID x',
    'a=ssrc-group:FID 1  2',
    'a=ssrc-group:F(D 1',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaSourceGroups, [line])).toEqual({ value: [], ignored: [4] });
  });

  test('what would not be read back is not written', () => {
    expect(() => sourceLines({ ssrc: 2 ** 32, attributes: [] })).toThrow(MISUSE);
    expect(() => sourceLines({ ssrc: 1, attributes: [{ name: 'a b', value: undefined }] })).toThrow(MISUSE);
    expect(() => sourceLines({ ssrc: 1, attributes: [{ name: 'a', value: 'x ' }] })).toThrow(MISUSE);
    expect(() => sourceGroupLine({ semantics: 'FID', ssrcs: [1.5] })).toThrow(MISUSE);
    expect(() => sourceGroupLine({ semantics: '', ssrcs: [1] })).toThrow(MISUSE);
  });
});

describe('streams (RFC 8830)', () => {
  test.each([
    [['a=msid:s t'], [['s', 't']]],
    [['a=msid:s'], [['s', undefined]]],
    [['a=msid:- t'], [['-', 't']]],
    [
      ['a=msid:s t', 'a=msid:s t', 'a=msid:u t'],
      [
        ['s', 't'],
        ['u', 't'],
      ],
    ],
    [['a=msid:{0b7f} {3c}'], [['{0b7f}', '{3c}']]],
    [['a=msid:a+b/c= d='], [['a+b/c=', 'd=']]],
    [['a=msid:__proto__'], [['__proto__', undefined]]],
    [['a=ssrc:1 msid:s t', 'a=ssrc:2 msid:s t', 'a=ssrc:2 cname:x'], [['s', 't']]],
    [['a=ssrc:1 msid:s t', 'a=msid:u'], [['u', undefined]]],
    [[], []],
  ])('%j', (lines, streams) => {
    const { value, ignored } = read(mediaStreams, lines);
    expect(value).toEqual(streams.map(([stream, track]) => ({ stream, track })));
    expect(ignored).toEqual([]);
  });

  test.each(['a=msid', 'a=msid:', 'a=msid:a b c', 'a=msid:\u00e9'])('%j costs itself alone', (line) => {
    expect(read(mediaStreams, [line, 'a=msid:s'])).toEqual({
      value: [{ stream: 's', track: undefined }],
      ignored: [4],
    });
  });

  test('written as tokens of 64 characters at most', () => {
    expect(streamLine({ stream: 's', track: undefined }).text).toBe('msid:s');
    expect(streamLine({ stream: '-', track: 't' }).text).toBe('msid:- t');
    for (const bad of ['', 'a b', 'a=', 'x'.repeat(65), 'a\r\na=x']) {
      expect(isStreamIdentifier(bad)).toBe(false);
      expect(() => streamLine({ stream: bad, track: undefined })).toThrow(MISUSE);
      expect(() => streamLine({ stream: 's', track: bad })).toThrow(MISUSE);
    }
  });
});

describe('rids (RFC 8851)', () => {
  test('with formats and restrictions, known or not', () => {
    const lines = [
      'a=rid:h send pt=96,97;max-width=1280;max-fps=30;x;__proto__=1',
      'a=rid:l_1-A recv',
      `a=rid:${'r'.repeat(255)} send max-br=64000`,
    ];
    const { value, ignored } = read(mediaRids, lines);
    expect(value).toEqual([
      {
        id: 'h',
        direction: 'send',
        payloadTypes: [96, 97],
        restrictions: [
          { name: 'max-width', value: '1280' },
          { name: 'max-fps', value: '30' },
          { name: 'x', value: undefined },
          { name: '__proto__', value: '1' },
        ],
      },
      { id: 'l_1-A', direction: 'recv', payloadTypes: undefined, restrictions: [] },
      {
        id: 'r'.repeat(255),
        direction: 'send',
        payloadTypes: undefined,
        restrictions: [{ name: 'max-br', value: '64000' }],
      },
    ]);
    expect(ignored).toEqual([]);
    expect(texts(value.map(ridLine))).toEqual(lines.map((line) => line.slice(2)));
  });

  test.each([
    'a=rid',
    'a=rid:',
    'a=rid:a',
    'a=rid:a sendrecv',
    'a=rid:a! send',
    'a=rid: send',
    `a=rid:${'r'.repeat(256)} send`,
    'a=rid:a send pt=',
    'a=rid:a send pt',
    'a=rid:a send pt=128',
    'a=rid:a send pt=96,',
    'a=rid:a send pt=96;pt=97',
    'a=rid:b recv',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaRids, ['a=rid:b send', line])).toMatchObject({
      value: [{ id: 'b', direction: 'send' }],
      ignored: [5],
    });
  });

  test('what would not be read back is not written', () => {
    const rid = { id: 'a', direction: 'send', payloadTypes: undefined, restrictions: [] } as const;
    expect(isRid('a b')).toBe(false);
    expect(() => ridLine({ ...rid, id: 'a b' })).toThrow(MISUSE);
    expect(() => ridLine({ ...rid, payloadTypes: [] })).toThrow(MISUSE);
    expect(() => ridLine({ ...rid, payloadTypes: [128] })).toThrow(MISUSE);
    expect(() => ridLine({ ...rid, restrictions: [{ name: 'pt', value: '96' }] })).toThrow(MISUSE);
    expect(() => ridLine({ ...rid, restrictions: [{ name: 'a', value: '1;b' }] })).toThrow(MISUSE);
  });
});

describe('simulcast (RFC 8853)', () => {
  const rid = (text: string): { rid: string; paused: boolean } =>
    text.startsWith('~') ? { rid: text.slice(1), paused: true } : { rid: text, paused: false };
  const streams = (text: string): { rid: string; paused: boolean }[][] =>
    text === '' ? [] : text.split(';').map((stream) => stream.split(',').map(rid));

  test.each([
    ['send l;m;h', 'l;m;h', ''],
    ['recv 1,~2;3', '', '1,~2;3'],
    ['send 1;~4 recv 5;6', '1;~4', '5;6'],
    ['recv 5;6 send 1;~4', '1;~4', '5;6'],
    [' send rid=a;b', 'a;b', ''],
    ['send rid=a;b recv rid=c', 'a;b', 'c'],
  ])('%j', (value, send, recv) => {
    const simulcast = valid(mediaSimulcast(sectionOf([`a=simulcast:${value}`])) ?? expect.unreachable());
    expect(simulcast).toEqual({ send: streams(send), recv: streams(recv) });
    const { text } = simulcastLine(simulcast);
    expect(mediaSimulcast(sectionOf([`a=${text}`]))).toEqual(simulcast);
  });

  test.each([
    '',
    'send',
    'send a send b',
    'both a',
    'send a;',
    'send ;a',
    'send a,,b',
    'send ~',
    'send ~~a',
    'send a recv',
    'send a b',
    'send a recv b c',
  ])('%j is refused', (value) => {
    const media = sectionOf(['a=mid:v', `a=simulcast:${value}`]);
    expect(mediaSimulcast(media)).toMatchObject({ code: 'simulcast-invalid', line: 5, mid: 'v' });
  });

  test('one that differs is refused, the same again is not, none is none', () => {
    const of = (...values: string[]): string =>
      codeOf(mediaSimulcast(sectionOf(values.map((value) => `a=simulcast:${value}`))));
    expect(of('send a', 'send a')).toBe('accepted');
    expect(of('send a', 'send b')).toBe('duplicate-attribute');
    expect(mediaSimulcast(sectionOf([]))).toBeUndefined();
  });

  test('what would not be read back is not written', () => {
    expect(() => simulcastLine({ send: [], recv: [] })).toThrow(MISUSE);
    expect(() => simulcastLine({ send: [[]], recv: [] })).toThrow(MISUSE);
    expect(() => simulcastLine({ send: [[rid('a b')]], recv: [] })).toThrow(MISUSE);
  });
});

describe('rates (RFC 8866 §5.8, §6.4, §6.5)', () => {
  test('b= of any type, in order', () => {
    const lines = ['b=AS:50', 'b=TIAS:9007199254740991', 'b=X-YZ:0', 'b=AS:60'];
    const { value, ignored } = read(mediaBandwidths, lines);
    expect(value).toEqual([
      { type: 'AS', value: 50 },
      { type: 'TIAS', value: Number.MAX_SAFE_INTEGER },
      { type: 'X-YZ', value: 0 },
      { type: 'AS', value: 60 },
    ]);
    expect(ignored).toEqual([]);
    expect(texts(value.map(bandwidthLine))).toEqual(lines.map((line) => line.slice(2)));
  });

  test.each(['b=', 'b=AS', 'b=AS:', 'b=AS:-1', 'b=AS:1.5', 'b=:1', 'b=A S:1', 'b=AS:9007199254740992'])(
    '%j costs itself alone',
    (line) => {
      expect(read(mediaBandwidths, [line, 'b=AS:1'])).toEqual({
        value: [{ type: 'AS', value: 1 }],
        ignored: [4],
      });
    },
  );

  test('ptime and maxptime', () => {
    const media = sectionOf(['a=ptime:20', 'a=maxptime:2.5']);
    expect([mediaPacketTime(media), mediaMaxPacketTime(media)]).toEqual([20, 2.5]);
    expect([packetTimeLine(20).text, maxPacketTimeLine(2.5).text]).toEqual(['ptime:20', 'maxptime:2.5']);
    expect(mediaPacketTime(sectionOf([]))).toBeUndefined();
  });

  test.each([
    'a=ptime',
    'a=ptime:',
    'a=ptime:0',
    'a=ptime:0.0',
    'a=ptime:-1',
    'a=ptime:1e3',
    'a=ptime:x',
    'a=ptime:1.',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaPacketTime, [line, 'a=ptime:10'])).toEqual({ value: 10, ignored: [4] });
  });

  test('what would not be read back is not written', () => {
    expect(() => bandwidthLine({ type: 'A:S', value: 1 })).toThrow(MISUSE);
    expect(() => bandwidthLine({ type: 'AS', value: -1 })).toThrow(MISUSE);
    for (const time of [0, -1, NaN, Infinity, 1e30]) expect(() => packetTimeLine(time)).toThrow(MISUSE);
  });
});

describe('sizes of images (RFC 6236)', () => {
  test.each([
    [
      'a=imageattr:97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv [x=330,y=250]',
      {
        payloadType: 97,
        send: [
          [
            ['x', '800'],
            ['y', '640'],
            ['sar', '1.1'],
            ['q', '0.6'],
          ],
          [
            ['x', '480'],
            ['y', '320'],
          ],
        ],
        recv: [
          [
            ['x', '330'],
            ['y', '250'],
          ],
        ],
      },
    ],
    [
      'a=imageattr:* recv [x=[320:16:640],y=[240,480],par=[1.2-1.3],__proto__=1]',
      {
        payloadType: '*',
        send: undefined,
        recv: [
          [
            ['x', '[320:16:640]'],
            ['y', '[240,480]'],
            ['par', '[1.2-1.3]'],
            ['__proto__', '1'],
          ],
        ],
      },
    ],
    ['a=imageattr:97 send * recv *', { payloadType: 97, send: '*', recv: '*' }],
  ])('%s', (line, { payloadType, send, recv }) => {
    const sets = (of: typeof send): unknown =>
      Array.isArray(of) ? of.map((set) => set.map(([name, value]) => ({ name, value }))) : of;
    const { value, ignored } = read(mediaImageAttributes, [line]);
    expect(value).toEqual([{ payloadType, send: sets(send), recv: sets(recv) }]);
    expect(ignored).toEqual([]);
    expect(texts(value.map(imageAttributesLine))).toEqual([line.slice(2)]);
  });

  test.each([
    'a=imageattr',
    'a=imageattr:97',
    'a=imageattr:128 send *',
    'a=imageattr:97 [x=1,y=1]',
    'a=imageattr:97 send',
    'a=imageattr:97 send recv *',
    'a=imageattr:97 send * send *',
    'a=imageattr:97 send * [x=1]',
    'a=imageattr:97 send [x=1] *',
    'a=imageattr:97 send []',
    'a=imageattr:97 send [x]',
    'a=imageattr:97 send [=1]',
    'a=imageattr:97 send [x=]',
    'a=imageattr:97 send [x=1',
    'a=imageattr:97 send [x=1]]',
    'a=imageattr:97 send [x=[1,[2]]',
    'a=imageattr:97 send [x=1][y=1]',
  ])('%j costs itself alone', (line) => {
    expect(read(mediaImageAttributes, [line])).toEqual({ value: [], ignored: [4] });
  });

  test('what would not be read back is not written', () => {
    const sets = [[{ name: 'x', value: '1,y=2' }]];
    expect(() => imageAttributesLine({ payloadType: 97, send: sets, recv: undefined })).toThrow(MISUSE);
    expect(() => imageAttributesLine({ payloadType: 97, send: [], recv: undefined })).toThrow(MISUSE);
    expect(() => imageAttributesLine({ payloadType: 97, send: undefined, recv: undefined })).toThrow(MISUSE);
  });
});
