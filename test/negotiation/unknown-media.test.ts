/** Sections that nothing is known of: they keep their place in the answer, closed, byte for byte what they were (RFC 3264 §6). */
import { describe, expect, test } from 'vitest';
import { answerOffer, chooseSections, prepareOffer, receiveOffer } from '../../src/negotiation/index.ts';
import { parseSdp } from '../../src/sdp/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import type { SectionText } from './peer-description.ts';
import { described } from './peer-description.ts';

const DATA: SectionText = { media: 'application', mid: 'd' };

const UNKNOWN: readonly SectionText[] = [
  { media: 'image', mid: 'x', protocol: 'udptl', formats: 't38', lines: [] },
  {
    media: 'text',
    mid: 'x',
    formats: '98 99',
    lines: ['a=rtcp-mux', 'a=rtpmap:98 t140/1000', 'a=rtpmap:99 red/1000'],
  },
  {
    media: 'message',
    mid: 'x',
    protocol: 'TCP/MSRP',
    formats: '*',
    lines: ['a=path:msrp://host.example:9/x;tcp'],
  },
  { media: 'application', mid: 'x', protocol: 'UDP/BFCP', formats: '*', lines: ['a=floorctrl:c-s'] },
  { media: 'application', mid: 'x', protocol: 'UDP/DTLS/SCTP', formats: 'webrtc-somethingelse', lines: [] },
  { media: 'audio', mid: 'x', protocol: 'RTP/WHATEVER', formats: '0', lines: ['a=rtcp-mux'] },
  { media: 'audio', mid: 'x', formats: '98', lines: ['a=rtcp-mux', 'a=rtpmap:98 speex/16000'] },
  {
    media: 'video',
    mid: 'x',
    formats: '98 99',
    lines: ['a=rtcp-mux', 'a=rtpmap:98 theora/90000', 'a=rtpmap:99 rtx/90000', 'a=fmtp:99 apt=98'],
  },
  { media: '__proto__', mid: 'x', protocol: 'constructor', formats: 'toString', lines: [] },
];

describe.each(UNKNOWN)('m=$media … $protocol $formats', (unknown) => {
  test('is rejected in its place, and out of the group', () => {
    const offer = described([DATA, unknown, { ...DATA, mid: 'e' }]);
    const { sdp, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expectMirror(offer, sdp);
    expect(plan.sections.map(({ kind }) => kind)).toEqual(['data', 'rejected', 'rejected']);
    const [, section] = valid(parseSdp(sdp)).media;
    const isMedia = unknown.media !== 'application';
    expect(section?.lines.map(({ text }) => text)).toEqual([
      'IN IP4 0.0.0.0',
      'mid:x',
      ...(isMedia ? ['inactive'] : []),
    ]);
  });

  test('keeps its place in our later offers', () => {
    const offer = described([DATA, unknown]);
    const { next } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    const [, ours] = valid(parseSdp(prepareOffer(next, LOCAL_B, { media: [], data: false }).sdp)).media;
    const [, theirs] = valid(parseSdp(offer)).media;
    expect(ours).toMatchObject({
      kind: theirs?.kind,
      port: 0,
      protocol: theirs?.protocol,
      formats: theirs?.formats,
    });
  });

  test('has the tag and is rejected all the same: the tag moves on', () => {
    const offer = described([unknown, DATA]);
    const { sdp, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expectMirror(offer, sdp);
    expect(plan.transport.mid).toBe(isTakenWithTheTag(unknown) ? 'x' : 'd');
  });

  test('alone is nothing to agree on', () => {
    expect(codeOf(receiveOffer(newState(), described([unknown])))).toBe('no-application-section');
  });
});

/** RTP over DTLS in every respect but its codecs: with the tag it is kept open, for Chromium refuses an answer that rejects it. */
function isTakenWithTheTag({ media, protocol, formats }: SectionText): boolean {
  return (
    (media === 'audio' || media === 'video') && protocol === undefined && formats?.startsWith('98') === true
  );
}

test('what is kept open for its tag alone carries nothing, whatever is chosen', () => {
  const speex = { media: 'audio', mid: 'x', formats: '98', lines: ['a=rtcp-mux', 'a=rtpmap:98 speex/16000'] };
  const received = valid(receiveOffer(newState(), described([speex, DATA])));
  const chosen = valid(chooseSections(received, [{ index: 0, direction: 'sendrecv' }]));
  expect(answerOffer(chosen, LOCAL_B).plan.sections[0]).toMatchObject({
    kind: 'media',
    direction: 'inactive',
  });
});

test('a session of nothing is refused: there is nothing to connect for', () => {
  expect(codeOf(receiveOffer(newState(), described([])))).toBe('no-application-section');
});

test.each([
  'RTP/AVP',
  'RTP/AVPF',
  'RTP/SAVP',
  'RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  'UDP/TLS/RTP/SAVPF',
  'TCP/DTLS/RTP/SAVP',
  'TCP/DTLS/RTP/SAVPF',
])('the profile %s is taken where there is a fingerprint, and repeated (RFC 9429 §5.1.2)', (protocol) => {
  const offer = described([{ media: 'audio', mid: '0', protocol }]);
  const { sdp, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
  expectMirror(offer, sdp);
  expect(plan.sections.map(({ kind }) => kind)).toEqual(['media']);
  expect(sdp).toMatch(`m=audio 9 ${protocol} 111`);
});

test.each(['UDP/DTLS/SCTP', 'TCP/DTLS/SCTP', 'DTLS/SCTP'])(
  'data channels over %s are taken, and it is repeated',
  (protocol) => {
    const offer = described([{ media: 'application', mid: '0', protocol }]);
    const { sdp } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expectMirror(offer, sdp);
    expect(sdp).toMatch(`m=application 9 ${protocol} webrtc-datachannel`);
  },
);
