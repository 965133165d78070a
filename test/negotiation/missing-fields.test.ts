/** Descriptions that leave out what they should have: what is taken for granted, and what cannot be. */
import { describe, expect, test } from 'vitest';
import { acceptAnswer, answerOffer, prepareOffer, receiveOffer } from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import type { SectionText } from './peer-description.ts';
import { addition, ANSWERED, described, TRANSPORT } from './peer-description.ts';

const AUDIO: SectionText = { media: 'audio', mid: '0' };
const kindsOf = (offer: string): readonly string[] => {
  const { sdp, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
  expectMirror(offer, sdp);
  return plan.sections.map(({ kind }) => kind);
};

describe('a mid', () => {
  test('in an offer: the one section is answered without, several cannot share a transport', () => {
    expect(kindsOf(described([{ media: 'audio' }]))).toEqual(['media']);
    expect(kindsOf(described([{ media: 'audio' }, { media: 'video' }]))).toEqual(['media', 'rejected']);
  });

  test('in an answer: the section is known by its place', () => {
    const { next } = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
    const { plan } = valid(acceptAnswer(next, described([{ media: 'audio', transport: ANSWERED }])));
    expect(plan.sections).toMatchObject([{ kind: 'media', mid: '0' }]);
  });

  test('in a section that is rejected, as Firefox and pion write them', () => {
    expect(
      kindsOf(
        described([
          { media: 'audio', port: 0, formats: '0', lines: ['a=inactive'] },
          { media: 'video', mid: '1' },
        ]),
      ),
    ).toEqual(['rejected', 'media']);
  });

  test('in a later offer, of a section that had none either', () => {
    const offer = described([{ media: 'audio' }]);
    const first = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    const again = answerOffer(
      valid(receiveOffer(first.next, described([{ media: 'audio' }], { version: 2 }))),
      LOCAL_B,
    );
    expectMirror(offer, again.sdp, { ours: first.sdp, theirs: offer });
    // And ours: the peer must find its section in it.
    expect(prepareOffer(again.next, LOCAL_B, { media: [], data: false }).sdp).toMatch(/^m=audio/m);
  });
});

describe('other lines', () => {
  const offer = described([AUDIO]);
  const without = (pattern: RegExp): string => {
    expect(offer).toMatch(pattern);
    return offer.replace(pattern, '');
  };

  test.each([
    ['c=', /c=.*\r\n/],
    ['s=', /s=.*\r\n/],
    ['t=', /t=.*\r\n/],
    ['a group', /a=group.*\r\n/],
    ['a direction', /a=sendrecv\r\n|$/],
  ])('%s: not missed', (_, pattern) => {
    expect(kindsOf(without(pattern))).toEqual(['media']);
  });

  test.each([
    ['credentials', /a=ice-ufrag:.*\r\n/, 'ice-credentials-missing'],
    ['password', /a=ice-pwd:.*\r\n/, 'ice-credentials-missing'],
    ['fingerprint', /a=fingerprint:.*\r\n/, 'fingerprint-missing'],
    ['rtcp-mux', /a=rtcp-mux\r\n/, 'no-application-section'],
    ['rtpmap of a dynamic format', /a=rtpmap:.*\r\n/, 'no-application-section'],
    ['version', /v=0\r\n/, 'version-invalid'],
    ['origin', /o=.*\r\n/, 'origin-invalid'],
  ])('%s: refused, and by which code', (_, pattern, code) => {
    expect(codeOf(receiveOffer(newState(), without(pattern)))).toBe(code);
  });

  test('setup: what the peer would have meant, with a warning; refused when strict', () => {
    const bare = without(/a=setup:.*\r\n/);
    expect(valid(receiveOffer(newState(), bare)).warnings).toMatchObject([{ code: 'setup-missing' }]);
    expect(codeOf(receiveOffer(newState({ strict: true }), bare))).toBe('setup-missing');
  });

  test('all of the transport, at the session level instead', () => {
    const session = described([{ ...AUDIO, transport: [] }], { lines: [...TRANSPORT, 'a=setup:actpass'] });
    expect(kindsOf(session)).toEqual(['media']);
  });

  test('rtcp-mux in an answer: RTCP has no path of its own', () => {
    const { next } = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
    const answer = described([{ ...AUDIO, transport: ANSWERED, lines: ['a=rtpmap:111 opus/48000/2'] }]);
    expect(codeOf(acceptAnswer(next, answer))).toBe('rtcp-mux-missing');
  });
});
