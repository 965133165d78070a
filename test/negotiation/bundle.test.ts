/** BUNDLE (RFC 9143): one transport, who speaks for it, and what cannot share it. */
import { describe, expect, test } from 'vitest';
import type { NegotiationOptions, SectionPlan } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { attributes, parseSdp } from '../../src/sdp/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import type { SectionText } from './peer-description.ts';
import { addition, ANSWERED, described, TRANSPORT } from './peer-description.ts';

const AUDIO: SectionText = { media: 'audio', mid: 'a' };
const VIDEO: SectionText = { media: 'video', mid: 'v' };
const DATA: SectionText = { media: 'application', mid: 'd' };
const BUNDLE_ONLY = ['a=bundle-only'];

const kindsOf = (sections: readonly SectionPlan[]): readonly string[] => sections.map(({ kind }) => kind);

/** What the answer makes of each section, after a look at whether it mirrors. */
function answered(offer: string, options: Partial<NegotiationOptions> = {}): readonly string[] {
  const { sdp, plan } = answerOffer(valid(receiveOffer(newState(options), offer)), LOCAL_B);
  expectMirror(offer, sdp);
  return kindsOf(plan.sections);
}

describe('their offer', () => {
  test('without BUNDLE: the data channels, or else the first media section', () => {
    expect(answered(described([AUDIO, VIDEO, DATA], { group: null }))).toEqual([
      'rejected',
      'rejected',
      'data',
    ]);
    expect(answered(described([AUDIO, VIDEO], { group: null }))).toEqual(['media', 'rejected']);
  });

  test('in two groups: the group that the data channels are in', () => {
    const offer = described([AUDIO, VIDEO, DATA], { group: ['a', 'v'], lines: ['a=group:BUNDLE d'] });
    expect(answered(offer)).toEqual(['rejected', 'rejected', 'data']);
  });

  test('max-bundle: port 0 in the group is a section in use, with a warning where it does not say bundle-only', () => {
    const video = { ...VIDEO, port: 0 };
    const offer = described([AUDIO, video], { group: ['a', 'v'] });
    expect(answered(offer)).toEqual(['media', 'media']);
    const { warnings } = valid(receiveOffer(newState(), offer));
    expect(warnings).toMatchObject([{ code: 'bundle-only-missing', mid: 'v' }]);
    expect(answered(offer, { strict: true })).toEqual(['media', 'rejected']);
  });

  test('a bundle-only section needs no transport, and no rtcp-mux, of its own', () => {
    const video = { ...VIDEO, port: 0, lines: [...BUNDLE_ONLY, 'a=rtpmap:96 VP8/90000'] };
    const offer = described([AUDIO, video], { group: ['a', 'v'] });
    expect(answered(offer, { strict: true })).toEqual(['media', 'media']);
    expect(valid(receiveOffer(newState(), offer)).warnings).toEqual([]);
  });

  test('bundle-only outside of a group is a section that is not in use', () => {
    const video = { ...VIDEO, port: 0, lines: [...BUNDLE_ONLY, 'a=rtpmap:96 VP8/90000'] };
    expect(answered(described([AUDIO, video], { group: ['a'] }))).toEqual(['media', 'rejected']);
  });

  test('the tag moves to the next section if this end rejects the first, and its transport counts', () => {
    const offer = described([
      AUDIO,
      { ...VIDEO, transport: ['a=ice-ufrag:next', ...TRANSPORT.slice(1), 'a=setup:actpass'] },
    ]);
    const received = valid(
      chooseSections(valid(receiveOffer(newState(), offer)), [{ index: 0, reject: true }]),
    );
    const { sdp, plan } = answerOffer(received, LOCAL_B);
    expectMirror(offer, sdp);
    expect(kindsOf(plan.sections)).toEqual(['rejected', 'media']);
    expect(plan.transport).toMatchObject({ mid: 'v', mLineIndex: 1, ice: { usernameFragment: 'next' } });
  });

  test('the tag cannot move to a section that tells no transport', () => {
    const video = { ...VIDEO, port: 0, lines: [...BUNDLE_ONLY, 'a=rtcp-mux', 'a=rtpmap:96 VP8/90000'] };
    const received = valid(receiveOffer(newState(), described([AUDIO, video], { group: ['a', 'v'] })));
    expect(codeOf(chooseSections(received, [{ index: 0, reject: true }]))).toBe('bundle-tag-rejected');
  });

  test('a group that names what is not there, or a section twice, is refused', () => {
    for (const group of [
      ['a', 'x'],
      ['a', 'a'],
      ['a', 'v', 'a'],
    ])
      expect(codeOf(receiveOffer(newState(), described([AUDIO, VIDEO], { group })))).toBe('bundle-invalid');
    const twice = described([AUDIO, VIDEO], { group: ['a', 'v'], lines: ['a=group:BUNDLE v'] });
    expect(codeOf(receiveOffer(newState(), twice))).toBe('bundle-invalid');
  });

  test('groups of other kinds are of no concern, and not repeated', () => {
    const offer = described([AUDIO, VIDEO], { lines: ['a=group:LS a v', 'a=group:FID a v', 'a=group:ANAT'] });
    expect(answered(offer)).toEqual(['media', 'media']);
  });
});

describe('our offer', () => {
  const media = [addition('audio', 0), addition('audio', 2), addition('video', 4), addition('video', 6)];
  const shapeOf = (bundlePolicy: 'balanced' | 'max-compat' | 'must-bundle'): readonly string[] => {
    const { sdp } = prepareOffer(newState({ bundlePolicy }), LOCAL_A, { media, data: true });
    const session = valid(parseSdp(sdp));
    expect(attributes(session.lines, 'group').map(({ value }) => value)).toEqual(['BUNDLE 0 1 2 3 4']);
    return session.media.map(({ kind, port, lines }) => {
      const isBundleOnly = lines.some(({ text }) => text === 'bundle-only');
      expect(port === 0).toBe(isBundleOnly);
      // A page of Firefox dies of a section without them.
      const own = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'];
      expect(own.filter((name) => attributes(lines, name).length !== 1)).toEqual([]);
      if (isBundleOnly) expect(attributes(lines, 'candidate')).toEqual([]);
      return isBundleOnly ? `${kind} bundle-only` : kind;
    });
  };

  test('max-compat: every section tells the transport', () => {
    expect(shapeOf('max-compat')).toEqual(['audio', 'audio', 'video', 'video', 'application']);
  });

  test('balanced: the first of each kind does', () => {
    expect(shapeOf('balanced')).toEqual([
      'audio',
      'audio bundle-only',
      'video',
      'video bundle-only',
      'application',
    ]);
  });

  test('must-bundle: the one with the tag does', () => {
    const [first, ...others] = shapeOf('must-bundle');
    // Not the data section, though media may be stopped, and browsers give up their transport with it: they want it on the first.
    expect(first).toBe('audio');
    expect(others.every((shape) => shape.endsWith('bundle-only'))).toBe(true);
  });

  test('a later offer is bundle-only in nothing that was agreed on', () => {
    const first = prepareOffer(newState({ bundlePolicy: 'must-bundle' }), LOCAL_A, { media, data: false });
    const answer = answerOffer(valid(receiveOffer(newState(), first.sdp)), LOCAL_B);
    expectMirror(first.sdp, answer.sdp);
    const { next } = valid(acceptAnswer(first.next, answer.sdp));
    const added = prepareOffer(next, LOCAL_A, { media: [addition('video', 8)], data: false });
    const bundleOnly = valid(parseSdp(added.sdp)).media.map(({ lines }) =>
      lines.some(({ text }) => text === 'bundle-only'),
    );
    expect(bundleOnly).toEqual([false, false, false, false, true]);
  });
});

describe('their answer', () => {
  const offered = prepareOffer(newState(), LOCAL_A, {
    media: [addition('audio', 0), addition('video', 2)],
    data: false,
  });
  const audio = { ...AUDIO, mid: '0', transport: ANSWERED };
  const video = { ...VIDEO, mid: '1', transport: ANSWERED };
  const codeOfAnswer = (answer: string): string => codeOf(acceptAnswer(offered.next, answer));

  test('takes all in one group, or one alone', () => {
    expect(codeOfAnswer(described([audio, video]))).toBe('accepted');
    expect(codeOfAnswer(described([audio, { ...video, port: 0 }], { group: null }))).toBe('accepted');
    expect(codeOfAnswer(described([{ ...audio, port: 0 }, video], { group: ['1'] }))).toBe('accepted');
  });

  test('takes two without a group, which would be two transports: refused, and the offer stays', () => {
    expect(codeOfAnswer(described([audio, video], { group: null }))).toBe('bundle-required');
    expect(codeOfAnswer(described([audio, video], { group: ['0'] }))).toBe('bundle-required');
    expect(codeOfAnswer(described([audio, video]))).toBe('accepted');
  });

  test('rejects the section with the tag: the next that is in use speaks', () => {
    const { plan, next } = valid(
      acceptAnswer(offered.next, described([{ ...audio, port: 0 }, video], { group: ['1'] })),
    );
    expect(plan.transport).toMatchObject({ mid: '1', mLineIndex: 1 });
    const { sdp } = prepareOffer(next, LOCAL_A, { media: [], data: false });
    expect(attributes(valid(parseSdp(sdp)).lines, 'group')[0]?.value).toBe('BUNDLE 1');
  });

  test('tells the transport in the section with the tag alone', () => {
    const bare = { ...video, transport: [] };
    const { plan } = valid(acceptAnswer(offered.next, described([audio, bare])));
    expect(plan.transport).toMatchObject({ mid: '0', ice: { usernameFragment: 'peer' } });
  });
});
