/** Whatever a peer writes of its media: every view answers with data, and what it has read is written and read as the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MediaDescription, SdpLine, SdpWarning, SessionDescription } from '../../src/sdp/index.ts';
import {
  attributeLine,
  bandwidthLine,
  codecLines,
  extensionLine,
  imageAttributesLine,
  isSdpError,
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
  writeSdp,
} from '../../src/sdp/index.ts';
import { howMany } from '../how-many.ts';
import { everyView } from './every-view.ts';
import { mutatedDescription } from './hostile.ts';
import { valid } from './recorded.ts';

const NOBODY: SessionDescription = {
  origin: {
    username: '-',
    sessionId: '1',
    sessionVersion: '1',
    networkType: 'IN',
    addressType: 'IP4',
    address: '0.0.0.0',
  },
  lines: [],
  media: [],
};

/** What is read, written into a section of its own, is read as the same; `undefined` is an error or nothing, and not written. */
function expectFixed<T>(
  media: MediaDescription,
  view: (media: MediaDescription, warnings: SdpWarning[]) => T,
  write: (value: Exclude<T, undefined>) => readonly SdpLine[],
): void {
  const value = view(media, []);
  if (value === undefined || isSdpError(value)) return;
  const lines = write(value as Exclude<T, undefined>);
  const warnings: SdpWarning[] = [];
  const muxed = media.lines.filter(({ text }) => text.startsWith('rtcp-mux'));
  expect(view({ ...media, lines: [...muxed, ...lines] }, warnings)).toEqual(value);
  expect(warnings.filter(({ code }) => code === 'line-ignored')).toEqual([]);
  // Every line is one, and whole.
  const text = writeSdp({ ...NOBODY, media: [{ ...media, lines }] });
  expect(valid(parseSdp(text)).media[0]?.lines.map((line) => line.text)).toEqual(
    lines.map((line) => line.text),
  );
}

function expectAllFixed(session: SessionDescription, media: MediaDescription): void {
  expectFixed(media, mediaCodecs, (codecs) => valid(codecs).flatMap(codecLines));
  const extensions = mediaExtensions(session, media);
  if (!isSdpError(extensions))
    expect(mediaExtensions(NOBODY, { ...media, lines: extensions.map(extensionLine) })).toEqual(extensions);
  expectFixed(media, mediaSources, (sources) => sources.flatMap(sourceLines));
  expectFixed(media, mediaSourceGroups, (groups) => groups.map(sourceGroupLine));
  expectFixed(media, mediaRids, (rids) => rids.map(ridLine));
  expectFixed(media, mediaSimulcast, (simulcast) => [simulcastLine(valid(simulcast))]);
  expectFixed(media, mediaRtcp, (rtcp) => [rtcpLine(rtcp)]);
  expectFixed(media, mediaBandwidths, (bandwidths) => bandwidths.map(bandwidthLine));
  expectFixed(media, mediaPacketTime, (time) => [packetTimeLine(time)]);
  expectFixed(media, mediaMaxPacketTime, (time) => [maxPacketTimeLine(time)]);
  expectFixed(media, mediaImageAttributes, (images) => images.map(imageAttributesLine));
  const isOurs = ({ stream, track }: { stream: string; track: string | undefined }): boolean =>
    isStreamIdentifier(stream) && (track === undefined || isStreamIdentifier(track));
  const ours = mediaStreams(media).filter(isOurs);
  expect(mediaStreams({ ...media, lines: ours.map(streamLine) })).toEqual(ours);
}

/** Words that grammars are made of, and such as they are not. */
const word = fc.oneof(
  fc.constantFrom(
    '96',
    '97',
    '0',
    '8',
    '111',
    '*',
    '70',
    '127',
    '128',
    '4294967295',
    '007',
    '-1',
    '1e3',
    '1.5',
  ),
  fc.constantFrom(
    'send',
    'recv',
    'sendonly',
    'IN',
    'IP4',
    'apt=96',
    'nack',
    'pli',
    'FID',
    'cname:x',
    'msid:s t',
  ),
  fc.constantFrom(
    'VP8/90000',
    'opus/48000/2',
    'rtx/0',
    'urn:x',
    '1/sendrecv',
    'pt=96,97',
    'a,~b;c',
    'rid=a',
    '[x=1,y=[1:2]]',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', '__proto__=1', 'constructor:x', 'hasOwnProperty'),
  fc.constantFrom('', ' ', '\t', ';', '=', ',', ':', '/', '[', ']', '~', '\u00e9', '\u2028', '\ud800'),
  fc.string({ maxLength: 8 }),
);

const NAMES = [
  'rtpmap:',
  'fmtp:',
  'rtcp-fb:',
  'extmap:',
  'ssrc:',
  'ssrc-group:',
  'msid:',
  'rid:',
  'simulcast:',
  'rtcp:',
  'rtcp-mux',
  'ptime:',
  'maxptime:',
  'imageattr:',
  'extmap-allow-mixed',
  'candidate:',
  'mid:',
  '__proto__:',
] as const;

const line = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NAMES), fc.array(word, { maxLength: 5 }), fc.constantFrom(' ', ' ', ' ', ''))
    .map(([name, words, between]) => `a=${name}${words.join(between)}`),
  fc.tuple(fc.constantFrom('AS', 'TIAS', '__proto__', ''), word).map(([type, value]) => `b=${type}:${value}`),
);

const description = fc
  .tuple(
    fc.array(line, { maxLength: 4 }),
    fc.array(
      fc.tuple(
        fc.constantFrom('96', '96 97 0', '111 8 __proto__', '70', '0 0'),
        fc.array(line, { maxLength: 20 }),
      ),
      {
        maxLength: 3,
      },
    ),
  )
  .map(([session, sections]) =>
    [
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      ...session,
      ...sections.flatMap(([formats, lines]) => [`m=video 9 UDP/TLS/RTP/SAVPF ${formats}`, ...lines]),
    ].join('\r\n'),
  );

describe.each([
  ['made by the grammars', description],
  ['recorded, and gone wrong', mutatedDescription],
])('descriptions %s', (_, arbitrary) => {
  test('every view answers with data, and what it has read is written and read as the same', () => {
    let sections = 0;
    fc.assert(
      fc.property(arbitrary, (text) => {
        const session = parseSdp(text);
        if (isSdpError(session)) return;
        everyView(session);
        for (const media of session.media) {
          sections++;
          expectAllFixed(session, media);
        }
      }),
      { numRuns: howMany(300, 10_000) },
    );
    expect(sections).toBeGreaterThan(50);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('what reads is written and read to the same', () => {
    fc.assert(
      fc.property(arbitrary, (text) => {
        const first = parseSdp(text);
        if (isSdpError(first)) return;
        const written = writeSdp(first);
        expect(parseSdp(written)).toEqual(first);
        expect(writeSdp(valid(parseSdp(written)))).toBe(written);
      }),
      { numRuns: howMany(300, 10_000) },
    );
  });
});

test('parameters of any text are a fixed point', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join(';')),
      ),
      (text) => {
        const parameters = parseFormatParameters(text);
        const written = writeFormatParameters(parameters);
        expect(parseFormatParameters(written)).toEqual(parameters);
      },
    ),
    { numRuns: howMany(500, 20_000) },
  );
});

test('names of the language are data', () => {
  const lines = [
    'a=rtpmap:96 __proto__/90000',
    'a=fmtp:96 __proto__=1;constructor=2',
    'a=rtcp-fb:96 constructor',
    'a=ssrc:1 __proto__:x',
    'a=rid:__proto__ send __proto__=1',
    'a=simulcast:send __proto__;constructor',
    'a=msid:__proto__ constructor',
    'a=extmap:1 __proto__',
    'b=__proto__:1',
    'a=imageattr:96 send [__proto__=1]',
  ];
  const [media] = valid(
    parseSdp(['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', ...lines].join('\n')),
  ).media;
  if (media === undefined) return expect.unreachable();
  const warnings: SdpWarning[] = [];
  const read = {
    codecs: mediaCodecs(media, warnings),
    sources: mediaSources(media, warnings),
    rids: mediaRids(media, warnings),
    simulcast: mediaSimulcast(media),
    streams: mediaStreams(media, warnings),
    extensions: mediaExtensions(NOBODY, media, warnings),
    bandwidths: mediaBandwidths(media, warnings),
    images: mediaImageAttributes(media, warnings),
  };
  expect(warnings).toEqual([]);
  expect(JSON.stringify(read).split('__proto__')).toHaveLength(lines.join().split('__proto__').length);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(attributeLine('__proto__', 'x').text).toBe('__proto__:x');
});
