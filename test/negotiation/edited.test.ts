import { describe, expect, test } from 'vitest';
import type { MediaPlan, MediaWish, SessionPlan } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  judgeAnswerEdit,
  judgeEdit,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { exchange, LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';

const WISH: MediaWish = {
  direction: 'sendrecv',
  codecs: undefined,
  headerExtensions: undefined,
  encodings: [],
  streams: ['stream'],
};

const LAYERS = ['q', 'h', 'f'].map((rid) => ({ rid, active: true, restrictions: [] }));

/** An offer of audio, video with three layers, and data channels. */
const state = newState();
const offer = prepareOffer(state, LOCAL_A, {
  media: [
    { type: 'add', id: 0, media: 'audio', wish: WISH },
    { type: 'add', id: 2, media: 'video', wish: { ...WISH, encodings: LAYERS } },
  ],
  data: true,
});

function mediaOf({ sections }: Pick<SessionPlan, 'sections'>, kind: 'audio' | 'video'): MediaPlan {
  const found = sections.find((section) => section.kind === 'media' && section.media === kind);
  return found?.kind === 'media' ? found : expect.unreachable(`no ${kind}`);
}

/** What both ends come to where an offer of ours goes out edited. */
function offered(edit: (sdp: string) => string): {
  readonly ours: SessionPlan;
  readonly theirs: SessionPlan;
} {
  const edited = valid(judgeEdit(state, offer, edit(offer.sdp)));
  expect(edited.sdp).toBe(edit(offer.sdp));
  const received = valid(receiveOffer(newState({ newMediaDirection: 'sendrecv' }), edited.sdp));
  const answer = answerOffer(received, LOCAL_B);
  const { plan } = valid(acceptAnswer(edited.next, answer.sdp));
  return { ours: plan, theirs: answer.plan };
}

/** What both ends come to where an answer of ours goes out edited. */
function answered(edit: (sdp: string) => string): {
  readonly ours: SessionPlan;
  readonly theirs: SessionPlan;
} {
  const received = valid(receiveOffer(newState({ newMediaDirection: 'sendrecv' }), offer.sdp));
  const written = answerOffer(received, LOCAL_B);
  const edited = valid(judgeAnswerEdit(received, written, edit(written.sdp)));
  expect(edited.next.agreement?.plan.sections).toEqual(edited.plan.sections);
  const { plan } = valid(acceptAnswer(offer.next, edited.sdp));
  return { ours: edited.plan, theirs: plan };
}

const numbersOf = ({ codecs }: MediaPlan['send']): number[] => codecs.map(({ payloadType }) => payloadType);
const ridsOf = ({ encodings }: MediaPlan['send']): string[] => encodings.map(({ rid }) => rid);

/** What one end sends, the other receives: the edit counts for both. */
function expectMirrored({
  ours,
  theirs,
}: {
  readonly ours: SessionPlan;
  readonly theirs: SessionPlan;
}): void {
  for (const kind of ['audio', 'video'] as const) {
    const [our, their] = [mediaOf(ours, kind), mediaOf(theirs, kind)];
    for (const [sent, received] of [
      [our.send, their.receive],
      [their.send, our.receive],
    ] as const) {
      expect(new Set(numbersOf(sent))).toEqual(new Set(numbersOf(received)));
      expect(sent.headerExtensions).toEqual(received.headerExtensions);
      expect(ridsOf(sent)).toEqual(ridsOf(received));
    }
  }
}

describe.each([
  ['an offer', offered],
  ['an answer', answered],
] as const)('%s of ours, edited', (name, exchanged) => {
  test('says what was written where it means the same', () => {
    const plain = exchanged((sdp) => sdp);
    expect(exchanged((sdp) => sdp.replaceAll('\r\n', '\n'))).toEqual(plain);
    expect(exchanged((sdp) => sdp.replaceAll(/^a=candidate.*\r\n/gm, ''))).toMatchObject({
      ours: { sections: plain.ours.sections },
    });
    expectMirrored(plain);
  });

  test('goes one way', () => {
    const both = exchanged((sdp) => sdp.replace('a=sendrecv', 'a=sendonly'));
    expect(mediaOf(both.ours, 'audio').direction).toBe('sendonly');
    expect(mediaOf(both.theirs, 'audio').direction).toBe('recvonly');
    expect(mediaOf(both.ours, 'video').direction).toBe('sendrecv');
  });

  test('has one codec, with other parameters', () => {
    const both = exchanged((sdp) =>
      sdp
        .replace(/^(m=audio \d+ \S+) .*$/m, (line, head: string) => `${head} ${opusIn(line, sdp)}`)
        .replace(/^(a=fmtp:\d+) minptime.*$/m, '$1 stereo=1'),
    );
    const { send, receive } = mediaOf(both.ours, 'audio');
    expect(receive.codecs).toMatchObject([{ mimeType: 'audio/opus', sdpFmtpLine: 'stereo=1' }]);
    expect(numbersOf(send)).toEqual(numbersOf(receive));
    expect(mediaOf(both.theirs, 'audio').send.codecs).toMatchObject([
      { mimeType: 'audio/opus', sdpFmtpLine: 'stereo=1' },
    ]);
    expectMirrored(both);
  });

  test('has no retransmissions and less feedback', () => {
    const both = exchanged((sdp) => {
      const rtx = new Set([...sdp.matchAll(/^a=rtpmap:(\d+) rtx/gm)].map(([, number]) => number));
      return sdp
        .replace(/^(m=video \d+ \S+) (.*)$/m, (_, head: string, formats: string) =>
          [head, ...formats.split(' ').filter((format) => !rtx.has(format))].join(' '),
        )
        .replaceAll(/^a=rtcp-fb:\d+ nack\r\n/gm, '');
    });
    for (const { send, receive } of [mediaOf(both.ours, 'video'), mediaOf(both.theirs, 'video')]) {
      for (const codec of [...send.codecs, ...receive.codecs]) {
        expect(codec.rtxPayloadType).toBeUndefined();
        expect(codec.rtcpFeedback).not.toContain('nack');
        expect(codec.rtcpFeedback).toContain('nack pli');
      }
    }
    expectMirrored(both);
  });

  test('has fewer header extensions', () => {
    const uri = 'urn:3gpp:video-orientation';
    const both = exchanged((sdp) => sdp.replaceAll(new RegExp(`^a=extmap:\\d+ ${uri}\\r\\n`, 'gm'), ''));
    for (const plan of [both.ours, both.theirs]) {
      const { send, receive } = mediaOf(plan, 'video');
      expect([...send.headerExtensions, ...receive.headerExtensions].map((one) => one.uri)).not.toContain(
        uri,
      );
    }
    expectMirrored(both);
  });

  test('has fewer layers', () => {
    const both = exchanged((sdp) => sdp.replace(/^(a=simulcast:\w+) q;h;f$/m, '$1 q;~f'));
    const layered =
      name === 'an offer' ? mediaOf(both.ours, 'video').send : mediaOf(both.ours, 'video').receive;
    expect(layered.encodings.map(({ rid, active }) => [rid, active])).toEqual([
      ['q', true],
      ['f', false],
    ]);
    expectMirrored(both);
  });

  test('sends other streams', () => {
    const both = exchanged((sdp) => sdp.replace(/^a=msid:\S+/m, 'a=msid:other'));
    expect(mediaOf(both.ours, 'audio').send.streams).toEqual(['other']);
    expect(mediaOf(both.theirs, 'audio').receive.streams).toEqual(['other']);
  });

  test('has other ICE credentials', () => {
    const both = exchanged((sdp) =>
      sdp
        .replaceAll(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:chosen')
        .replaceAll(/^a=ice-pwd:.*$/gm, 'a=ice-pwd:chosenchosenchosenchosen'),
    );
    expect(both.theirs.transport.ice).toMatchObject({
      usernameFragment: 'chosen',
      password: 'chosenchosenchosenchosen',
    });
  });

  test('takes the other role', () => {
    const both = exchanged((sdp) => sdp.replaceAll(/^a=setup:.*$/gm, 'a=setup:passive'));
    expect(both.ours.transport).toMatchObject({ dtlsRole: 'server', localSetup: 'passive' });
    expect(both.theirs.transport).toMatchObject({ dtlsRole: 'client', remoteSetup: 'passive' });
  });
});

function opusIn(_: string, sdp: string): string {
  return /^a=rtpmap:(\d+) opus/m.exec(sdp)?.[1] ?? expect.unreachable('no Opus');
}

const changedUfrag = (sdp: string): string => sdp.replaceAll(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:chosen');

describe('what is known already stays', () => {
  const first = exchange(newState(), newState());

  test('credentials that were told to the peer', () => {
    const again = prepareOffer(offer.next, LOCAL_A);
    expect(codeOf(judgeEdit(offer.next, again, changedUfrag(again.sdp)))).toBe('local-description-changed');
  });

  test('credentials that are agreed on; those of a restart may be others, and new', () => {
    const { state: agreed } = first.offerer;
    const plain = prepareOffer(agreed, LOCAL_A);
    expect(codeOf(judgeEdit(agreed, plain, changedUfrag(plain.sdp)))).toBe('local-description-changed');
    const restart = prepareOffer(agreed, restarted(LOCAL_A));
    const edited = valid(judgeEdit(agreed, restart, changedUfrag(restart.sdp)));
    expect(edited.next.offer).toMatchObject({ restartsIce: true, ice: { usernameFragment: 'chosen' } });
    const { usernameFragment, password } = LOCAL_A.ice;
    const back = restart.sdp
      .replaceAll(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${usernameFragment}`)
      .replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`);
    expect(codeOf(judgeEdit(agreed, restart, back))).toBe('local-description-changed');
  });

  test('the role of a living association, in offers and answers', () => {
    const { state: agreed, plan } = first.offerer;
    const again = prepareOffer(agreed, LOCAL_A);
    const setup = plan.transport.dtlsRole === 'client' ? 'active' : 'passive';
    const other = setup === 'active' ? 'passive' : 'active';
    const said = (role: string) => again.sdp.replace('a=setup:actpass', `a=setup:${role}`);
    expect(codeOf(judgeEdit(agreed, again, said(setup)))).toBe('accepted');
    expect(codeOf(judgeEdit(agreed, again, said(other)))).toBe('local-description-changed');
    const received = valid(receiveOffer(first.answerer.state, again.sdp));
    const written = answerOffer(received, LOCAL_B);
    const turned = written.sdp.replace(`a=setup:${other}`, `a=setup:${setup}`);
    expect(turned).not.toBe(written.sdp);
    expect(codeOf(judgeAnswerEdit(received, written, turned))).toBe('local-description-changed');
  });

  test('the transport of a provisional answer', () => {
    const received = valid(receiveOffer(newState(), offer.sdp));
    const written = answerOffer(received, LOCAL_B);
    expect(codeOf(judgeAnswerEdit(received, written, changedUfrag(written.sdp)))).toBe('accepted');
    for (const edit of [changedUfrag, (sdp: string) => sdp.replaceAll('a=setup:active', 'a=setup:passive')]) {
      const edited = judgeAnswerEdit(received, written, edit(written.sdp), written.plan);
      expect(codeOf(edited)).toBe('local-description-changed');
    }
  });

  test('a strict end takes its own text alone', () => {
    const strict = newState({ strict: true });
    const written = prepareOffer(strict, LOCAL_A);
    expect(judgeEdit(strict, written, written.sdp)).toBe(written);
    expect(codeOf(judgeEdit(strict, written, written.sdp.replaceAll('\r\n', '\n')))).toBe(
      'local-description-changed',
    );
  });
});

test('an answer in which nothing is in use may be edited as far as it says anything', () => {
  const { offerer, answerer } = exchange(newState(), newState());
  const again = prepareOffer(offerer.state, LOCAL_A);
  const received = valid(receiveOffer(answerer.state, again.sdp));
  const chosen = valid(chooseSections(received, [{ index: 0, reject: true }]));
  const written = answerOffer(chosen, LOCAL_B);
  expect(codeOf(judgeAnswerEdit(chosen, written, written.sdp.replaceAll('\r\n', '\n')))).toBe('accepted');
});

test('what is edited out comes again with the next description', () => {
  const audio = valid(judgeEdit(state, offer, offer.sdp.replace('a=sendrecv', 'a=inactive')));
  const received = valid(receiveOffer(newState({ newMediaDirection: 'sendrecv' }), audio.sdp));
  const { next } = valid(acceptAnswer(audio.next, answerOffer(received, LOCAL_B).sdp));
  const again = prepareOffer(next, LOCAL_A).sdp;
  expect(again.match(/^a=(?:sendrecv|inactive)/gm)).toEqual(['a=sendrecv', 'a=sendrecv']);
});
