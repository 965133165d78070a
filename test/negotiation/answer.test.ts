import { describe, expect, test } from 'vitest';
import { acceptAnswer, answerOffer, prepareOffer, receiveOffer } from '../../src/negotiation/index.ts';
import {
  attributes,
  isRejected,
  mediaDirection,
  mediaMid,
  parseSdp,
  readBundles,
} from '../../src/sdp/index.ts';
import { codeOf, recorded, recordedFiles, valid } from '../sdp/recorded.ts';
import { dataOf, DIGEST_A, LOCAL_A, LOCAL_B, newState } from './ends.ts';

const OFFERS = recordedFiles.filter((name) => name.endsWith('.offer.sdp'));
const hasData = (name: string): boolean => recorded(name).includes('webrtc-datachannel');

/** A description of lines, CRLF and a preamble added. */
const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', ...lines, ''].join('\r\n');

const TRANSPORT = [
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${DIGEST_A}`,
  'a=setup:actpass',
];
const DATA = [
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:data',
  'a=sctp-port:5000',
];
const AUDIO = ['m=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'c=IN IP4 0.0.0.0', 'a=mid:audio', 'a=recvonly'];
const CANDIDATE = 'a=candidate:1 1 udp 2122260223 192.0.2.9 4000 typ host';

const withPort0 = (section: readonly string[]): string[] => section.map((line) => line.replace(' 9 ', ' 0 '));

describe('recorded offers', () => {
  test.each(OFFERS)('%s is answered section by section', (name) => {
    const offer = valid(parseSdp(recorded(name)));
    const offered = valid(readBundles(offer));
    const received = valid(receiveOffer(newState({ strict: true }), recorded(name)));
    const { sdp: text, plan } = answerOffer(received, LOCAL_B);
    const { transport, sections } = plan;
    const answer = valid(parseSdp(text));
    const bundles = valid(readBundles(answer));

    // Whatever could be media is taken, without any.
    const isKept = offer.media.map((media) => !isRejected(media, offered));
    expect(answer.media.map(({ kind, protocol }) => ({ kind, protocol }))).toEqual(
      offer.media.map(({ kind, protocol }) => ({ kind, protocol })),
    );
    for (const [i, { formats }] of answer.media.entries())
      expect(offer.media[i]?.formats).toEqual(expect.arrayContaining([...formats]));
    expect(answer.media.map(mediaMid)).toEqual(offer.media.map(mediaMid));
    expect(answer.media.map((media) => !isRejected(media, bundles))).toEqual(isKept);
    expect(bundles).toEqual([offer.media.filter((_, i) => isKept[i]).map(mediaMid)]);
    expect(transport).toMatchObject({ mid: bundles[0]?.[0] });
    for (const media of answer.media) {
      if (media.kind !== 'application') expect(mediaDirection(answer, media)).toBe('inactive');
      if (media.port !== 0) continue;
      expect(media.lines.map(({ text: line }) => line.split(':')[0])).toEqual([
        'IN IP4 0.0.0.0',
        'mid',
        'inactive',
      ]);
    }
    expect(transport).toMatchObject({ dtlsRole: 'client', iceRole: 'controlled', trickle: true });
    expect(sections.map(({ kind, mid }) => ({ kind, mid }))).toEqual(
      offer.media.map((media, i) => ({
        kind: isKept[i] === true ? (media.kind === 'application' ? 'data' : 'media') : 'rejected',
        mid: mediaMid(media),
      })),
    );
    if (hasData(name)) expect(dataOf({ sections }).sctpPort).toBe(5000);
    const section = offer.media[transport.mLineIndex] ?? expect.unreachable();
    // Firefox lists some for RTCP, too.
    expect(transport.candidates).toHaveLength(
      attributes(section.lines, 'candidate').filter(({ value }) => value.split(' ')[1] === '1').length,
    );
    expect(received.warnings).toEqual([]);
  });

  test('mDNS candidates keep their names, which ICE has resolved', () => {
    const { plan, warnings } = valid(
      receiveOffer(newState(), recorded('data-mdns.chromium-to-firefox.offer.sdp')),
    );
    const names = plan.transport.candidates.map(({ address }) => address);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^[0-9a-f-]{36}\.local$/);
    expect(warnings).toEqual([]);
  });
});

describe('C12: the tagged section of a group, until media is there', () => {
  const CODEC = ['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 useinbandfec=1'];
  const TAGGED = [...AUDIO, ...TRANSPORT, CANDIDATE, ...CODEC];
  const BUNDLED = [...withPort0(DATA), 'a=bundle-only'];
  const offer = sdp('a=group:BUNDLE audio data', ...TAGGED, ...BUNDLED);
  const answered = (text: string): ReturnType<typeof answerOffer> =>
    answerOffer(valid(receiveOffer(newState(), text)), LOCAL_A);
  const sectionOf = (text: string, mid: string): string =>
    text.split(/(?=m=)/).find((section) => section.includes(`a=mid:${mid}`)) ?? '';

  test('C12: is accepted as inactive, with the codecs in common, rtcp-mux and our transport', () => {
    const { sdp: answer, plan } = answered(offer);
    expect(answer).toContain('a=group:BUNDLE audio data\r\n');
    const audio = sectionOf(answer, 'audio');
    expect(audio).toMatch(/^m=audio [1-9]\d* UDP\/TLS\/RTP\/SAVPF 111 0\r\n/);
    for (const line of [
      'a=inactive',
      'a=setup:active',
      `a=ice-ufrag:${LOCAL_A.ice.usernameFragment}`,
      'a=rtcp-mux',
      'a=rtpmap:111 opus/48000/2',
    ]) {
      expect(audio).toContain(`${line}\r\n`);
    }
    // Candidates stand in the tagged section alone (RFC 9143 §10.1.2).
    expect(audio.match(/a=candidate:/g)).toHaveLength(1);
    expect(sectionOf(answer, 'data')).not.toContain('a=candidate:');
    // The transport is the tagged section's, the port of SCTP the data channels'.
    expect(dataOf(plan).sctpPort).toBe(5000);
    expect(plan.transport).toMatchObject({
      mid: 'audio',
      mLineIndex: 0,
      ice: { usernameFragment: 'abcd' },
    });
    expect(plan.transport.candidates).toHaveLength(1);
  });

  test('C12: its transport counts, not the one the data channels would have had alone', () => {
    const own = TRANSPORT.map((line) => line.replace('abcd', 'efgh'));
    const separate = sdp(
      'a=group:BUNDLE audio data',
      ...TAGGED,
      ...DATA,
      ...own,
      CANDIDATE.replace('4000', '5000'),
    );
    expect(answered(separate).plan.transport).toMatchObject({
      ice: { usernameFragment: 'abcd' },
      candidates: [{ port: 4000 }],
    });
  });

  test.each([
    ['without rtcp-mux', TAGGED.filter((line) => line !== 'a=rtcp-mux')],
    [
      'without DTLS',
      TAGGED.map((line) => line.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVPF')).filter(
        (line) => !line.startsWith('a=fingerprint'),
      ),
    ],
    [
      'of formats nobody names',
      TAGGED.map((line) => line.replace('111 0', '111')).filter((line) => !line.includes('rtpmap')),
    ],
  ])('C12: a section %s is rejected as before', (_, section) => {
    const { sdp: answer, plan } = answered(
      sdp('a=group:BUNDLE audio data', ...section, ...DATA, ...TRANSPORT),
    );
    expect(answer).toContain('a=group:BUNDLE data\r\n');
    expect(answer).toContain('m=audio 0 ');
    expect(plan.transport).toMatchObject({ mid: 'data', mLineIndex: 1 });
  });

  test('a malformed rtpmap of a codec that is listed refuses the offer', () => {
    const broken = offer.replace('opus/48000/2', 'o\x01us/48000');
    expect(receiveOffer(newState(), broken)).toMatchObject({ code: 'rtpmap-invalid', mid: 'audio' });
  });

  test('C12: a section that is not tagged is inactive, too; one of another group is rejected', () => {
    const video = [...TAGGED].map((line) =>
      line.replace('audio', 'video').replace('111 opus/48000/2', '111 VP8/90000'),
    );
    const other = video.map((line) => line.replace(/\b111\b/, '112'));
    const { sdp: answer } = answered(sdp('a=group:BUNDLE audio video data', ...TAGGED, ...other, ...BUNDLED));
    expect(answer).toContain('a=group:BUNDLE audio video data\r\n');
    expect(sectionOf(answer, 'video')).toContain('a=inactive\r\n');
    const apart = sdp('a=group:BUNDLE audio', 'a=group:BUNDLE data', ...TAGGED, ...DATA, ...TRANSPORT);
    expect(answered(apart).sdp).toContain('m=audio 0 ');
  });

  test.each([
    ['111 unknown/8000', 'm=audio 5001 UDP/TLS/RTP/SAVPF 111'],
    ['34 H263/90000', 'm=audio 5001 UDP/TLS/RTP/SAVPF 34'],
  ])('C12: a tagged section without a codec in common stays open, with its first codec (%s)', (map, line) => {
    const format = map.split(' ')[0] ?? '';
    const section = TAGGED.filter((text) => !text.includes(':111 ')).map((text) =>
      text.replace('111 0', format),
    );
    const { sdp: answer, plan } = answered(
      sdp('a=group:BUNDLE audio data', ...section, `a=rtpmap:${map}`, ...DATA, ...TRANSPORT),
    );
    expect(answer).toContain(`${line}\r\n`);
    expect(sectionOf(answer, 'audio')).toContain(`a=inactive\r\na=rtcp-mux\r\na=rtpmap:${map}\r\n`);
    expect(plan.sections[0]).toMatchObject({ kind: 'media', direction: 'inactive' });
  });

  test('C12: stays through later exchanges of either side, until the peer closes it', () => {
    const first = answered(offer);
    const again = answerOffer(valid(receiveOffer(first.next, offer)), LOCAL_A);
    expect(again.sdp).toContain('a=group:BUNDLE audio data\r\n');
    const ours = prepareOffer(again.next, LOCAL_A);
    expect(ours).toMatchObject({ mid: 'audio', mLineIndex: 0 });
    // The codecs agreed on come first, under the numbers of the peer's offer.
    expect(sectionOf(ours.sdp, 'audio')).toMatch(/^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 111 0 /);
    expect(sectionOf(ours.sdp, 'audio')).toContain(
      'a=inactive\r\na=rtcp-mux\r\na=rtcp-mux-only\r\na=rtcp-rsize\r\n',
    );
    const kept = offer.replaceAll('actpass', 'passive').replace('a=recvonly', 'a=inactive');
    const accepted = valid(acceptAnswer(ours.next, kept));
    expect(accepted.plan.transport).toMatchObject({ mid: 'audio', iceRestart: false });
    expect(accepted.next.sections.map(({ kind }) => kind)).toEqual(['media', 'data']);
    const closed = sdp('a=group:BUNDLE data', ...withPort0(AUDIO), ...DATA, ...TRANSPORT).replaceAll(
      'actpass',
      'passive',
    );
    const without = valid(acceptAnswer(ours.next, closed));
    expect(without.next.sections.map(({ kind }) => kind)).toEqual(['rejected', 'data']);
    expect(prepareOffer(without.next, LOCAL_A).sdp).toContain('a=group:BUNDLE data\r\nm=audio 0 ');
  });
});

describe('rejecting sections (RFC 3264 §6, RFC 8843 §7.3)', () => {
  test('the tag moves from the section we reject to ours', () => {
    const offer = sdp('a=group:BUNDLE audio data', ...AUDIO, ...TRANSPORT, ...DATA, ...TRANSPORT);
    const { sdp: answer } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expect(answer).toContain('a=group:BUNDLE data\r\n');
    expect(answer).toContain(
      'm=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:audio\r\na=inactive\r\nm=application',
    );
  });

  test('without a group there is none in the answer', () => {
    const offer = sdp(...AUDIO, ...TRANSPORT, ...DATA, ...TRANSPORT);
    expect(answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B).sdp).not.toContain('group');
  });

  test('a section without a mid is answered without one', () => {
    const offer = sdp(...DATA.filter((line) => !line.includes('mid')), ...TRANSPORT);
    const { sdp: answer, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expect(answer).not.toContain('a=mid');
    expect(plan.transport.mid).toBeUndefined();
  });

  test('protocol and format are repeated', () => {
    const offer = sdp(...DATA.map((line) => line.replace('UDP/', '')), ...TRANSPORT);
    expect(answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B).sdp).toContain(
      'm=application 9 DTLS/SCTP webrtc-datachannel\r\n',
    );
  });

  test('of two data channel sections the first is kept', () => {
    const second = DATA.map((line) => line.replace('a=mid:data', 'a=mid:more'));
    const offer = sdp(...DATA, ...TRANSPORT, ...second, ...TRANSPORT);
    const { sdp: answer } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expect(answer.match(/m=application \d+/g)).toEqual(['m=application 9', 'm=application 0']);
  });

  test('an unknown kind of section is rejected like any other', () => {
    const offer = sdp('m=smell 9 UDP/ODOUR rose', 'c=IN IP4 0.0.0.0', 'a=mid:s', ...DATA, ...TRANSPORT);
    expect(answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B).sdp).toContain(
      'm=smell 0 UDP/ODOUR rose\r\n',
    );
  });

  test('port 0 without bundle-only: taken for what a group has, with a warning, and refused when strict', () => {
    const offer = sdp('a=group:BUNDLE data', ...withPort0(DATA), ...TRANSPORT);
    const { warnings } = valid(receiveOffer(newState(), offer));
    expect(warnings).toMatchObject([{ code: 'bundle-only-missing', mid: 'data' }]);
    expect(codeOf(receiveOffer(newState({ strict: true }), offer))).toBe('no-application-section');
    const alone = sdp(...withPort0(DATA), ...TRANSPORT);
    expect(codeOf(receiveOffer(newState(), alone))).toBe('no-application-section');
  });

  test('bundle-only behind a rejected tag: refused, unless it has a transport of its own', () => {
    const group = ['a=group:BUNDLE audio data', ...AUDIO, ...TRANSPORT];
    const bare = sdp(...group, ...withPort0(DATA), 'a=bundle-only');
    expect(codeOf(receiveOffer(newState(), bare))).toBe('bundle-tag-rejected');
    const complete = sdp(...group, ...withPort0(DATA), 'a=bundle-only', ...TRANSPORT);
    expect(codeOf(receiveOffer(newState({ strict: true }), complete))).toBe('bundle-tag-rejected');
    const { warnings } = valid(receiveOffer(newState(), complete));
    expect(warnings).toMatchObject([{ code: 'bundle-only-promoted', mid: 'data' }]);
  });

  test('candidates of the tagged section count where the ICE credentials are the same', () => {
    const shared = sdp('a=group:BUNDLE audio data', ...AUDIO, ...TRANSPORT, CANDIDATE, ...DATA, ...TRANSPORT);
    expect(valid(receiveOffer(newState(), shared)).plan.transport.candidates).toMatchObject([
      { address: '192.0.2.9' },
    ]);
    const other = TRANSPORT.map((line) => line.replace('abcd', 'wxyz'));
    const apart = sdp('a=group:BUNDLE audio data', ...AUDIO, ...other, CANDIDATE, ...DATA, ...TRANSPORT);
    expect(valid(receiveOffer(newState(), apart)).plan.transport.candidates).toEqual([]);
  });
});

describe('the transport of an offer', () => {
  const offer = (...changes: readonly ((line: string) => string | undefined)[]): string => {
    const lines = [...DATA, ...TRANSPORT].flatMap((line) => {
      let changed: string | undefined = line;
      for (const change of changes) changed = changed === undefined ? undefined : change(changed);
      return changed === undefined ? [] : [changed];
    });
    return sdp('a=group:BUNDLE data', ...lines);
  };
  const without =
    (name: string) =>
    (line: string): string | undefined =>
      line.startsWith(`a=${name}:`) ? undefined : line;

  test.each([
    ['F1a B16 no fingerprint', offer(without('fingerprint')), 'fingerprint-missing'],
    [
      'T110 SHA-1 alone',
      offer((line) =>
        line.startsWith('a=fingerprint') ? `a=fingerprint:sha-1 ${DIGEST_A.slice(0, 59)}` : line,
      ),
      'fingerprint-unsupported',
    ],
    ['no ICE credentials', offer(without('ice-ufrag'), without('ice-pwd')), 'ice-credentials-missing'],
    ['SCTP port 0', offer((line) => line.replace('5000', '0')), 'sctp-port-invalid'],
    ['F1a B4 holdconn', offer((line) => line.replace('actpass', 'holdconn')), 'setup-holdconn'],
    ['an unknown setup', offer((line) => line.replace('actpass', 'maybe')), 'setup-invalid'],
  ])('%s: refused', (_, text, code) => {
    expect(receiveOffer(newState(), text)).toMatchObject({ failed: true, code, mid: 'data' });
  });

  test('F1a B15 bundled sections that disagree in setup are refused', () => {
    const active = TRANSPORT.map((line) => line.replace('actpass', 'active'));
    const text = sdp('a=group:BUNDLE audio data', ...AUDIO, ...active, ...DATA, ...TRANSPORT);
    expect(codeOf(receiveOffer(newState(), text))).toBe('setup-mismatch');
    const apart = sdp('a=group:BUNDLE data', ...AUDIO, ...active, ...DATA, ...TRANSPORT);
    expect(codeOf(receiveOffer(newState(), apart))).toBe('accepted');
  });

  test('what is missing is assumed, with a warning, and refused when strict', () => {
    const text = offer(without('setup'), without('sctp-port'));
    const { plan, warnings } = valid(receiveOffer(newState(), text));
    expect(plan.transport).toMatchObject({ dtlsRole: 'client', trickle: false });
    expect(dataOf(plan)).toMatchObject({ sctpPort: 5000, maxMessageSize: 65_536 });
    expect(warnings.map(({ code }) => code)).toEqual(['sctp-port-missing', 'setup-missing']);
    expect(codeOf(receiveOffer(newState({ strict: true }), text))).toBe('sctp-port-missing');
    expect(codeOf(receiveOffer(newState({ strict: true }), offer(without('setup'))))).toBe('setup-missing');
  });

  test('candidates that ICE cannot use are left out, each with its line', () => {
    const text =
      offer() +
      [
        CANDIDATE,
        'a=candidate:broken',
        CANDIDATE.replace('192.0.2.9', 'host.example'),
        CANDIDATE.replace('1 1 udp', '1 2 udp'),
        `${CANDIDATE} ufrag zzzz`,
        `${CANDIDATE} ufrag abcd`,
        '',
      ].join('\r\n');
    const { plan, warnings } = valid(receiveOffer(newState(), text));
    expect(plan.transport.candidates).toHaveLength(2);
    expect(warnings.map(({ code, line }) => [code, line])).toEqual([
      ['candidate-ignored', 15],
      ['candidate-unresolved', 16],
      ['candidate-ignored', 17],
      ['candidate-ignored', 18],
    ]);
  });
});

describe('later offers (RFC 3264 §8)', () => {
  const first = sdp('a=group:BUNDLE audio data', ...AUDIO, ...TRANSPORT, ...DATA, ...TRANSPORT);
  const { next: state } = answerOffer(valid(receiveOffer(newState(), first)), LOCAL_B);

  test.each([
    ['the same again', first, 'accepted'],
    [
      'the rejected slot used for something else',
      sdp('m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:v', ...DATA, ...TRANSPORT),
      'accepted',
    ],
    ['one section fewer', sdp(...DATA, ...TRANSPORT), 'section-count-mismatch'],
    ['data and audio swapped', sdp(...DATA, ...TRANSPORT, ...AUDIO, ...TRANSPORT), 'section-mismatch'],
    ['another mid', first.replaceAll('data\r\n', 'data2\r\n'), 'mid-mismatch'],
    ['the data channels switched off', sdp(...AUDIO, ...withPort0(DATA), ...TRANSPORT), 'accepted'],
    [
      'another protocol in the section',
      sdp(...AUDIO, 'm=application 9 UDP/BFCP *', 'a=mid:data', ...TRANSPORT),
      'section-mismatch',
    ],
  ])('%s: %s', (_, text, code) => {
    expect(codeOf(receiveOffer(state, text))).toBe(code);
  });

  test('our own later offer keeps the rejected section in its place', () => {
    const { sdp: offer, mid, mLineIndex } = prepareOffer(state, LOCAL_B);
    expect({ mid, mLineIndex }).toEqual({ mid: 'data', mLineIndex: 1 });
    expect(offer).toContain('a=group:BUNDLE data\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\n');
    expect(codeOf(receiveOffer(newState(), offer))).toBe('accepted');
  });
});
