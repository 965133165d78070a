import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDescriptions } from '../../src/negotiation/edit/compare.ts';
import type { LocalEdit, MediaEdit } from '../../src/negotiation/edit/edit.ts';
import type { OfferSetup } from '../../src/negotiation/index.ts';
import { readSections } from '../../src/negotiation/section.ts';
import type { RemoteSession } from '../../src/negotiation/section.ts';
import type { SdpError } from '../../src/sdp/index.ts';
import { isSdpError, parseSdp } from '../../src/sdp/index.ts';
import { recorded, valid } from '../sdp/recorded.ts';

const SETUPS: readonly OfferSetup[] = ['actpass', 'active', 'passive'];

/** Audio and video with data channels, simulcast, as Chromium writes it: what applications have learnt to edit. */
const AV = recorded('av-data-host.chromium-to-chromium.offer.sdp');
const SIMULCAST = recorded('simulcast-3-rids.chromium-to-chromium.offer.sdp');
const DATA = recorded('data-host.chromium-to-chromium.offer.sdp');

function sessionOf(text: string): RemoteSession | SdpError {
  const session = parseSdp(text);
  return isSdpError(session) ? session : readSections(session);
}

function compare(written: string, edited: string): LocalEdit | SdpError {
  const session = sessionOf(edited);
  if (isSdpError(session)) return session;
  return compareDescriptions({ written: valid(sessionOf(written)), edited: session }, SETUPS);
}

/** What was written, as an edit that changes nothing. */
const unchanged = (text: string): LocalEdit => valid(compare(text, text));

function media(edit: LocalEdit, kind: 'audio' | 'video'): MediaEdit {
  const found = edit.sections.filter((section) => section.kind === 'media');
  return found[kind === 'audio' || found.length === 1 ? 0 : 1] ?? expect.unreachable(`no ${kind}`);
}

const lines = (text: string): string[] => text.split('\r\n').slice(0, -1);
const join = (all: readonly string[]): string => `${all.join('\r\n')}\r\n`;
const without = (text: string, pattern: RegExp): string =>
  join(lines(text).filter((line) => !pattern.test(line)));

/** A line behind the first one that matches. */
function inserted(text: string, behind: RegExp, line: string): string {
  const all = lines(text);
  const at = all.findIndex((one) => behind.test(one));
  expect(at).toBeGreaterThan(-1);
  all.splice(at + 1, 0, line);
  return join(all);
}

/** The source of video, and the one that sends again what is lost of it. */
const repairedSource = (text: string): string => /^a=ssrc-group:FID (\d+)/m.exec(text)?.[1] ?? '';
const repairSource = (text: string): string => /^a=ssrc-group:FID \d+ (\d+)/m.exec(text)?.[1] ?? '';

/** The attributes of each section in the order that sdp-transform gives them: by name. */
function sorted(text: string): string {
  return text
    .split(/(?=^m=)/m)
    .map((section) => {
      const all = lines(section);
      const attributes = all.filter((line) => line.startsWith('a='));
      // What is said of one format keeps its order.
      attributes.sort((a, b) => a.slice(0, 5).localeCompare(b.slice(0, 5)));
      return join([...all.filter((line) => !line.startsWith('a=')), ...attributes]);
    })
    .join('');
}

describe('an edit that says the same', () => {
  test.each([
    ['the text itself', AV, (text: string) => text],
    ['LF for CRLF', AV, (text: string) => text.replaceAll('\r\n', '\n')],
    ['no line end at the end', AV, (text: string) => text.slice(0, -2)],
    ['attributes in another order, as sdp-transform writes them', AV, sorted],
    ['white space behind lines', AV, (text: string) => text.replaceAll(/^([am]=.*)$/gm, '$1 ')],
    ['more white space in a group', AV, (text: string) => text.replace(/BUNDLE /, 'BUNDLE   ')],
    ['msid-semantic without its blank', AV, (text: string) => text.replace('semantic: WMS', 'semantic:WMS')],
    ['no a=ice-options:trickle (simple-peer)', DATA, (text: string) => without(text, /^a=ice-options/)],
    ['no candidates', AV, (text: string) => without(text, /^a=candidate/)],
    [
      'a candidate more, and the end of candidates',
      DATA,
      (text: string) =>
        inserted(
          inserted(text, /^a=ice-ufrag/, 'a=candidate:9 1 udp 1 198.51.100.1 9 typ host'),
          /^a=ice-ufrag/,
          'a=end-of-candidates',
        ),
    ],
    [
      'another default address and port',
      DATA,
      (text: string) => text.replace(/^(m=application) \d+/m, '$1 9').replace(/^c=.*$/m, 'c=IN IP6 ::'),
    ],
    ['b=AS and b=TIAS', AV, (text: string) => inserted(text, /^m=video/, 'b=AS:500\r\nb=TIAS:500000')],
    ['ptime and maxptime', AV, (text: string) => inserted(text, /^m=audio/, 'a=ptime:60\r\na=maxptime:120')],
    [
      'a=content and a=label',
      AV,
      (text: string) => inserted(text, /^m=video/, 'a=content:slides\r\na=label:1'),
    ],
    [
      'a=x-google-flag:conference',
      AV,
      (text: string) => inserted(text, /^m=video/, 'a=x-google-flag:conference'),
    ],
    ['another name for the session', AV, (text: string) => text.replace('s=-', 's=a talk')],
    [
      'the transport in the tagged section alone',
      AV,
      (text: string) =>
        text
          .split(/(?=^m=)/m)
          .map((section, at) =>
            at < 2 ? section : without(section, /^a=(ice-|fingerprint|setup|candidate)/),
          )
          .join(''),
    ],
    [
      'the fingerprint at the level of the session',
      DATA,
      (text: string) => {
        const line = lines(text).find((one) => one.startsWith('a=fingerprint')) ?? expect.unreachable();
        return inserted(without(text, /^a=fingerprint/), /^t=/, line);
      },
    ],
    ['a direction of the data channels', DATA, (text: string) => inserted(text, /^m=/, 'a=sendrecv')],
  ])('%s', (_, text, edit) => {
    expect(compare(text, edit(text))).toEqual(unchanged(text));
  });
});

describe('an edit that says less, or something else that this end can keep', () => {
  test('ICE credentials in every section (libp2p: the same text for both)', () => {
    const ufrag = 'libp2p+webrtc+v1/abcdefghijklmnopqrstuvwxyz';
    const edited = AV.replaceAll(/a=ice-ufrag:.*/g, `a=ice-ufrag:${ufrag}`).replaceAll(
      /a=ice-pwd:.*/g,
      `a=ice-pwd:${ufrag}`,
    );
    expect(compare(AV, edited)).toEqual({
      ...unchanged(AV),
      ice: { usernameFragment: ufrag, password: ufrag },
    });
  });

  test.each(['active', 'passive'] as const)('a=setup:%s for actpass', (setup) => {
    expect(compare(AV, AV.replaceAll('setup:actpass', `setup:${setup}`))).toEqual({
      ...unchanged(AV),
      setup,
    });
  });

  test.each([
    ['a=max-message-size:16384', 16_384],
    ['a=x', 65_536],
  ])('max-message-size, now %s', (line, maxMessageSize) => {
    const edited =
      line === 'a=x' ? without(DATA, /^a=max-message-size/) : DATA.replace(/^a=max-message-size.*$/m, line);
    expect(compare(DATA, edited)).toEqual({
      ...unchanged(DATA),
      sections: [{ kind: 'data', maxMessageSize }],
    });
  });

  test.each([
    ['sendonly', 'sendrecv'],
    ['recvonly', 'sendrecv'],
    ['inactive', 'sendrecv'],
    ['inactive', 'sendonly'],
    ['inactive', 'recvonly'],
  ] as const)('%s for %s', (now, before) => {
    const written = AV.replaceAll('a=sendrecv', `a=${before}`);
    const edit = valid(compare(written, written.replace(`a=${before}`, `a=${now}`)));
    expect(media(edit, 'audio').direction).toBe(now);
    expect(media(edit, 'video').direction).toBe(before);
  });

  test('codecs in another order (a preferred codec)', () => {
    const edited = AV.replace(/^(m=audio \d+ \S+) (\d+) (\d+)/m, '$1 $3 $2');
    const [first, second, ...others] = media(unchanged(AV), 'audio').codecs;
    expect(media(valid(compare(AV, edited)), 'audio').codecs).toEqual([second, first, ...others]);
  });

  test('one codec alone', () => {
    const edited = AV.replace(/^(m=audio \d+ \S+) (\d+) .*$/m, '$1 $2');
    expect(media(valid(compare(AV, edited)), 'audio').codecs).toEqual([
      media(unchanged(AV), 'audio').codecs[0],
    ]);
  });

  test.each([
    'stereo=1;sprop-stereo=1',
    'minptime=10;useinbandfec=1;usedtx=1',
    'maxaveragebitrate=510000; cbr=1',
    'x-google-start-bitrate=800',
  ])('fmtp of Opus: %s', (fmtp) => {
    const edited = AV.replace(/^a=fmtp:111 .*$/m, `a=fmtp:111 ${fmtp}`);
    const codec = media(valid(compare(AV, edited)), 'audio').codecs.find(
      ({ payloadType }) => payloadType === 111,
    );
    expect(codec).toEqual({
      ...media(unchanged(AV), 'audio').codecs.find(({ payloadType }) => payloadType === 111),
      fmtp,
    });
  });

  test('x-google-start-bitrate where there was no fmtp', () => {
    const edited = inserted(AV, /^a=rtpmap:96 VP8/, 'a=fmtp:96 x-google-start-bitrate=1000');
    const [codec] = media(valid(compare(AV, edited)), 'video').codecs;
    expect(codec).toMatchObject({ payloadType: 96, fmtp: 'x-google-start-bitrate=1000' });
  });

  test.each<[string, (text: string) => string]>([
    ['all sources', (text) => without(text, /^a=ssrc/)],
    ['retransmissions', (text) => without(text, new RegExp(`^a=ssrc(-group:|:${repairSource(text)} )`))],
    ['names of streams of sources', (text) => without(text, /^a=ssrc:\d+ msid/)],
  ])('sources left out: %s', (_, edit) => {
    const edited = edit(AV);
    expect(edited).not.toBe(AV);
    expect(compare(AV, edited)).toEqual(unchanged(AV));
  });

  test('feedback left out', () => {
    const edit = valid(compare(AV, without(AV, /^a=rtcp-fb:.* transport-cc/)));
    expect(media(edit, 'video').codecs[0]?.feedback).not.toContain('transport-cc');
    expect(media(edit, 'video').codecs[0]?.feedback).toContain('nack');
  });

  test('header extensions left out', () => {
    const edit = valid(compare(AV, without(AV, /^a=extmap:\d+ urn:3gpp:video-orientation/)));
    const before = media(unchanged(AV), 'video').extensions;
    expect(media(edit, 'video').extensions).toHaveLength(before.length - 1);
  });

  test('the two-byte form of header extensions, reduced-size RTCP', () => {
    const edited = without(without(AV, /^a=extmap-allow-mixed/), /^a=rtcp-rsize/);
    const before = media(unchanged(AV), 'video');
    expect(before).toMatchObject({ mixedExtensions: true, reducedSizeRtcp: true });
    expect(media(valid(compare(AV, edited)), 'video')).toEqual({
      ...before,
      mixedExtensions: false,
      reducedSizeRtcp: false,
    });
  });

  test('another stream, none, and several', () => {
    const streams = (line: string) =>
      media(valid(compare(SIMULCAST, SIMULCAST.replace(/^a=msid:.*$/m, line))), 'video').streams;
    expect(streams('a=msid:one track')).toEqual(['one']);
    expect(streams('a=msid:- track')).toEqual([]);
    expect(streams('a=msid:one track\r\na=msid:two track')).toEqual(['one', 'two']);
  });

  test('encodings left out, paused, or given up', () => {
    const { rids, simulcast } = media(unchanged(SIMULCAST), 'video').simulcast;
    const [first, second, third] = rids.map(({ id }) => id);
    expect(simulcast?.send).toHaveLength(3);
    const now = (line: string) =>
      media(valid(compare(SIMULCAST, SIMULCAST.replace(/^a=simulcast:.*$/m, line))), 'video').simulcast
        .simulcast;
    expect(now(`a=simulcast:send ${first};~${third}`)?.send).toEqual([
      [{ rid: first, paused: false }],
      [{ rid: third, paused: true }],
    ]);
    expect(now('a=label:none')).toBeUndefined();
    const edited = without(SIMULCAST, new RegExp(`^a=rid:${second} `));
    expect(media(valid(compare(SIMULCAST, edited)), 'video').simulcast.rids).toEqual([rids[0], rids[2]]);
  });
});

describe('more than an edit is refused, and named', () => {
  const replaced = (pattern: RegExp | string, by: string) => (text: string) => text.replace(pattern, by);
  test.each<[string, string, (text: string) => string, string]>([
    ['another session', DATA, replaced(/^o=- \d+/m, 'o=- 1'), '"o="'],
    ['another version', DATA, replaced(/^(o=- \d+) \d+/m, '$1 99'), '"o="'],
    ['another address in o=', DATA, replaced(/^(o=.*) \S+$/m, '$1 192.0.2.1'), '"o="'],
    ['another fingerprint', DATA, replaced(/(a=fingerprint:sha-256 )../, '$1FF'), '"a=fingerprint"'],
    [
      'another fingerprint besides',
      DATA,
      (text) => inserted(text, /^a=fingerprint/, `a=fingerprint:sha-256 ${Array(32).fill('AA').join(':')}`),
      '"a=fingerprint"',
    ],
    ['no fingerprint', DATA, (text) => without(text, /^a=fingerprint/), '"a=fingerprint"'],
    ['a=setup:holdconn', DATA, replaced('setup:actpass', 'setup:holdconn'), '"a=setup"'],
    ['no a=setup', DATA, (text) => without(text, /^a=setup/), '"a=setup"'],
    ['a=setup in one section', AV, replaced('setup:actpass', 'setup:active'), '"a=setup"'],
    [
      'ICE credentials in one section',
      AV,
      replaced(/a=ice-ufrag:.*/, 'a=ice-ufrag:other'),
      'ICE credentials',
    ],
    ['no ICE credentials', DATA, (text) => without(text, /^a=ice-(?:ufrag|pwd)/), 'ICE credentials'],
    ['a=ice-lite', DATA, (text) => inserted(text, /^t=/, 'a=ice-lite'), '"a=ice-lite"'],
    [
      'an ICE option',
      DATA,
      replaced('ice-options:trickle', 'ice-options:trickle renomination'),
      '"a=ice-options"',
    ],
    ['a=tls-id', DATA, (text) => inserted(text, /^a=setup/, `a=tls-id:${'x'.repeat(20)}`), '"a=tls-id"'],
    [
      'another mid',
      DATA,
      (text) => text.replace('a=mid:0', 'a=mid:x').replace('BUNDLE 0', 'BUNDLE x'),
      '"a=mid"',
    ],
    ['a group less', DATA, (text) => without(text, /^a=group/), '"a=group"'],
    ['another tag', AV, replaced(/BUNDLE (\S+) (\S+)/, 'BUNDLE $2 $1'), '"a=group"'],
    ['a mid out of the group', AV, replaced(/(BUNDLE .*) \S+$/m, '$1'), '"a=group"'],
    [
      'a section more',
      DATA,
      (text) => `${text}m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:9\r\n`,
      'there were 1 sections and are 2',
    ],
    [
      'a section less',
      AV,
      (text) => text.slice(0, text.lastIndexOf('m=')).replace(/(BUNDLE .*) \S+/, '$1'),
      'sections',
    ],
    ['another kind', AV, replaced('m=video', 'm=audio'), '"m="'],
    ['another protocol', AV, replaced('UDP/TLS/RTP/SAVPF', 'RTP/SAVPF'), '"m="'],
    ['port 0', AV, replaced(/m=video \d+/, 'm=video 0'), 'the port in "m="'],
    ['another port of SCTP', DATA, replaced('sctp-port:5000', 'sctp-port:5001'), 'the port of SCTP'],
    ['no port of SCTP', DATA, (text) => without(text, /^a=sctp-port/), 'the port of SCTP'],
    ['the older form', DATA, replaced('webrtc-datachannel', '5000'), 'the format in "m="'],
    [
      'a larger max-message-size',
      DATA,
      replaced(/(max-message-size:)\d+/, '$1262145'),
      '"a=max-message-size"',
    ],
    ['no limit to messages', DATA, replaced(/(max-message-size:)\d+/, '$10'), '"a=max-message-size"'],
    [
      'a wider direction',
      AV.replaceAll('a=sendrecv', 'a=recvonly'),
      replaced('a=recvonly', 'a=sendrecv'),
      'direction',
    ],
    [
      'the other direction',
      AV.replaceAll('a=sendrecv', 'a=recvonly'),
      replaced('a=recvonly', 'a=sendonly'),
      'direction',
    ],
    [
      'a codec more',
      AV,
      (text) => inserted(text.replace(/^(m=audio .*)$/m, '$1 127'), /^m=audio/, 'a=rtpmap:127 x/8000'),
      'payload type',
    ],
    ['another codec', AV, replaced('a=rtpmap:96 VP8', 'a=rtpmap:96 H264'), 'payload type 96'],
    ['another clock rate', AV, replaced('opus/48000', 'opus/16000'), 'payload type 111'],
    ['another number of channels', AV, replaced('opus/48000/2', 'opus/48000/1'), 'payload type 111'],
    ['another profile', AV, replaced(/profile-level-id=42001f/, 'profile-level-id=64001f'), 'payload type'],
    ['another apt', AV, replaced(/apt=96/, 'apt=98'), 'payload type'],
    [
      'more feedback (NACK for Opus)',
      AV,
      (text) => inserted(text, /^a=rtpmap:111/, 'a=rtcp-fb:111 nack'),
      '"a=rtcp-fb"',
    ],
    [
      'a header extension more',
      AV,
      (text) => inserted(text, /^m=video/, 'a=extmap:30 urn:x'),
      'header extension',
    ],
    [
      'another number of a header extension',
      AV,
      replaced(/a=extmap:(\d+) urn:3gpp/, 'a=extmap:30 urn:3gpp'),
      'header extension',
    ],
    ['an encoding more', SIMULCAST, replaced(/^(a=simulcast:send .*)$/m, '$1;more'), '"a=simulcast"'],
    ['a rid more', SIMULCAST, (text) => inserted(text, /^a=rid/, 'a=rid:more send'), '"a=rid"'],
    ['no rtcp-mux', AV, (text) => without(text, /^a=rtcp-mux/), '"a=rtcp-mux"'],
    ['another source', AV, replaced(/^a=ssrc:\d+ cname/m, 'a=ssrc:1 cname'), '"a=ssrc"'],
    ['another name of a source', AV, replaced(/^(a=ssrc:\d+ cname):.*$/m, '$1:x'), '"a=ssrc"'],
    ['another group of sources', AV, replaced(/^(a=ssrc-group:)FID/m, '$1SIM'), '"a=ssrc-group"'],
    [
      'sources of a group in another order',
      AV,
      replaced(/^(a=ssrc-group:FID) (\d+) (\d+)/m, '$1 $3 $2'),
      '"a=ssrc-group"',
    ],
    ['sources of a group without it', AV, (text) => without(text, /^a=ssrc-group/), '"a=ssrc-group"'],
    ['a group without its sources', AV, (text) => without(text, /^a=ssrc:/), '"a=ssrc"'],
    [
      'a source of retransmissions alone',
      AV,
      (text) => without(text, new RegExp(`^a=ssrc(-group:|:${repairedSource(text)} )`)),
      '"a=ssrc-group"',
    ],
    ['a source more', AV, (text) => inserted(text, /^m=video/, 'a=ssrc:1 cname:x'), '"a=ssrc"'],
    [
      'a=crypto',
      AV,
      (text) => inserted(text, /^m=audio/, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'),
      '"a=crypto"',
    ],
    ['an attribute nobody knows', AV, (text) => inserted(text, /^t=/, 'a=frobnicate'), '"a=frobnicate"'],
    ['a key', AV, (text) => inserted(text, /^t=/, 'k=clear:secret'), '"k="'],
  ])('%s', (_, text, edit, what) => {
    const edited = edit(text);
    expect(edited).not.toBe(text);
    expect(compare(text, edited)).toMatchObject({
      failed: true,
      code: 'local-description-changed',
      message: expect.stringContaining(what),
    });
  });

  test.each<[string, (text: string) => string, string]>([
    [
      'ICE credentials that are none',
      replaced(/a=ice-ufrag:.*/, 'a=ice-ufrag:a b c d'),
      'ice-credentials-invalid',
    ],
    [
      'such as browsers alone take',
      replaced(/a=ice-ufrag:.*/, 'a=ice-ufrag:____'),
      'ice-credentials-invalid',
    ],
    ['half of the credentials', (text) => without(text, /^a=ice-pwd/), 'ice-credentials-missing'],
    ['a fingerprint that is none', replaced(/(a=fingerprint:sha-256).*/, '$1 x'), 'fingerprint-invalid'],
    ['two mids', (text) => inserted(text, /^a=mid/, 'a=mid:y'), 'duplicate-attribute'],
    ['no description', () => 'x', 'line-malformed'],
    ['nothing', () => '', 'version-invalid'],
  ])('what is malformed has the code of its kind: %s', (_, edit, code) => {
    expect(compare(DATA, edit(DATA))).toMatchObject({ code });
  });

  test('neither the password nor a fingerprint stands in an error', () => {
    const secret = 'asecretpasswordof22chars';
    const edited = AV.replace(/a=ice-pwd:.*/, `a=ice-pwd:${secret}`);
    expect(JSON.stringify(compare(AV, edited))).not.toContain(secret);
  });

  test('a line that was added is named by its number', () => {
    const edited = inserted(DATA, /^a=mid/, 'a=frobnicate');
    const at = lines(edited).indexOf('a=frobnicate') + 1;
    expect(compare(DATA, edited)).toMatchObject({ line: at, mid: '0' });
  });
});

describe('any edit of a line', () => {
  const edit = fc.record({
    kind: fc.constantFrom('drop', 'repeat', 'swap', 'replace', 'insert', 'cut', 'type'),
    at: fc.nat(400),
    to: fc.nat(400),
    text: fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        'a=',
        'a=:',
        'a=sendonly',
        'a=inactive',
        'a=setup:passive',
        'a=rtpmap:111 opus/48000/2',
        'a=fmtp:96 __proto__=1;constructor=2',
        'a=fmtp:111 stereo=1',
        'a=rtcp-fb:* nack',
        'a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level',
        'a=simulcast:send ~x,y;z recv w',
        'a=rid:__proto__ send',
        'a=ssrc:1 __proto__:x',
        'a=max-message-size:1',
        'a=fingerprint:sha-256 AB',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'b=AS:1',
      ),
    ),
  });

  function mutated(
    text: string,
    { kind, at, to, text: line }: { kind: string; at: number; to: number; text: string },
  ): string {
    const all = lines(text);
    const i = at % all.length;
    const old = all[i] ?? '';
    if (kind === 'drop') all.splice(i, 1);
    else if (kind === 'repeat') all.splice(to % all.length, 0, old);
    else if (kind === 'swap') [all[i], all[to % all.length]] = [all[to % all.length] ?? '', old];
    else if (kind === 'replace') all[i] = line;
    else if (kind === 'insert') all.splice(i, 0, line);
    else if (kind === 'cut') all[i] = old.slice(0, to % (old.length + 1));
    else all[i] = old.slice(0, to % (old.length + 1)) + line;
    return join(all);
  }

  test('is accepted with what it says, and no more than was written, or refused; nothing throws', () => {
    const texts = { AV, SIMULCAST, DATA };
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('AV' as const, 'SIMULCAST' as const, 'DATA' as const),
        edit,
        (name, change) => {
          const text = texts[name];
          const edited = mutated(text, change);
          const result = compare(text, edited);
          if (isSdpError(result)) return;
          accepted++;
          const before = unchanged(text);
          expect(result.sections.map(({ kind }) => kind)).toEqual(before.sections.map(({ kind }) => kind));
          for (const [index, section] of result.sections.entries()) {
            const old = before.sections[index];
            if (section.kind === 'data' && old?.kind === 'data') {
              expect(section.maxMessageSize).toBeLessThanOrEqual(old.maxMessageSize);
            }
            if (section.kind !== 'media' || old?.kind !== 'media') continue;
            const numbers = old.codecs.map(({ payloadType }) => payloadType);
            for (const codec of section.codecs) {
              expect(numbers).toContain(codec.payloadType);
            }
            const ids = old.extensions.map(({ id }) => id);
            for (const { id } of section.extensions) expect(ids).toContain(id);
            for (const rid of section.simulcast.rids) expect(old.simulcast.rids).toContainEqual(rid);
            if (old.direction !== 'sendrecv')
              expect([old.direction, 'inactive']).toContain(section.direction);
          }
          // What it says is what its text says.
          expect({ ...unchanged(edited), ice: result.ice }).toEqual(result);
        },
      ),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
