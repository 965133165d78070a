/** Sections that are stopped, and places that are used again (RFC 9429 §5.2.2, RFC 3264 §8.2). */
import { describe, expect, test } from 'vitest';
import type { MediaChange, PreparedLocalOffer, StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { attributes, mediaMid, parseSdp } from '../../src/sdp/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { addition, ANSWERED, described } from './peer-description.ts';

const STOP_AUDIO: MediaChange = { type: 'stop', id: 0 };

/** `audio 9 0 111 9`: kind, port, mid and formats of each section. */
const linesOf = (sdp: string): readonly string[] =>
  valid(parseSdp(sdp)).media.map((media) => {
    const { kind, port, formats } = media;
    return `${kind} ${port === 0 ? 'closed' : 'live'} ${String(mediaMid(media))} ${formats.join(',')}`;
  });
const groupOf = (sdp: string): string | undefined =>
  attributes(valid(parseSdp(sdp)).lines, 'group')[0]?.value;

interface Ends {
  readonly offerer: StableState;
  readonly answerer: StableState;
}

interface Exchanged extends Ends {
  readonly offer: string;
  readonly answer: string;
}

/** Offer and answer, each looked at; the answerer wants what is offered, both ways. */
function exchange({ offerer, answerer }: Ends, media: readonly MediaChange[]): Exchanged {
  const offered = prepareOffer(offerer, LOCAL_A, { media, data: false });
  return answeredBy(offered, answerer);
}

function answeredBy(offered: PreparedLocalOffer, answerer: StableState): Exchanged {
  const received = valid(receiveOffer(answerer, offered.sdp));
  const choices = received.media.map(({ index }) => ({ index, direction: 'sendrecv' }) as const);
  const { sdp, next } = answerOffer(valid(chooseSections(received, choices)), LOCAL_B);
  expectMirror(offered.sdp, sdp);
  return {
    offer: offered.sdp,
    answer: sdp,
    offerer: valid(acceptAnswer(offered.next, sdp)).next,
    answerer: next,
  };
}

const start = (): Exchanged =>
  exchange({ offerer: newState(), answerer: newState() }, [addition('audio', 0), addition('video', 2)]);

describe('stopping', () => {
  test('port 0 with the formats of before, out of BUNDLE, and nothing of a transport; the peer mirrors it', () => {
    const first = start();
    const [before = ''] = linesOf(first.offer);
    const { offer, answer, offerer, answerer } = exchange(first, [STOP_AUDIO]);
    expect(linesOf(offer)[0]).toBe(before.replace('live', 'closed'));
    expect(linesOf(answer)[0]).toBe(before.replace('live', 'closed'));
    expect([groupOf(offer), groupOf(answer)]).toEqual(['BUNDLE 1', 'BUNDLE 1']);
    const [section] = valid(parseSdp(offer)).media;
    expect(section?.lines.map(({ text }) => text.split(':')[0])).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:msid|ice-ufrag|fingerprint|candidate)$/)]),
    );
    for (const { agreement } of [offerer, answerer])
      expect(agreement?.plan.sections.map(({ kind }) => kind)).toEqual(['rejected', 'media']);
  });

  test('twice is once', () => {
    const once = exchange(start(), [STOP_AUDIO]);
    const again = exchange(once, [STOP_AUDIO, STOP_AUDIO]);
    expect(linesOf(again.offer)).toEqual(linesOf(once.offer));
  });

  test('of all media: data channels hold the transport, which stays as it is', () => {
    const { offerer, answerer, answer } = exchange(start(), [STOP_AUDIO, { type: 'stop', id: 2 }]);
    expect(linesOf(answer).map((line) => line.split(' ', 2).join(' '))).toEqual([
      'audio closed',
      'video closed',
      'application live',
    ]);
    for (const { agreement } of [offerer, answerer])
      expect(agreement?.plan.transport).toMatchObject({ iceRestart: false, dtlsRestart: false });
  });

  test('by the answer: the offerer is left with a section that is closed, and may use its place', () => {
    const offered = prepareOffer(newState(), LOCAL_A, {
      media: [addition('audio', 0), addition('video', 2)],
      data: false,
    });
    const received = valid(
      chooseSections(valid(receiveOffer(newState(), offered.sdp)), [{ index: 0, reject: true }]),
    );
    const { sdp } = answerOffer(received, LOCAL_B);
    expectMirror(offered.sdp, sdp);
    const { next } = valid(acceptAnswer(offered.next, sdp));
    const again = prepareOffer(next, LOCAL_A, { media: [addition('video', 4)], data: false });
    expect(linesOf(again.sdp).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'video live 2',
      'video live 1',
    ]);
  });

  test('of what the peer offers no more: port 0 in its offer is port 0 in our answer', () => {
    const { answerer, offerer } = start();
    const offered = prepareOffer(offerer, LOCAL_A, { media: [STOP_AUDIO], data: false });
    const received = valid(receiveOffer(answerer, offered.sdp));
    expect(received.media.map(({ index }) => index)).toEqual([1]);
    expect(linesOf(answerOffer(received, LOCAL_B).sdp)[0]).toMatch('audio closed 0');
  });
});

describe('the peer uses a place again', () => {
  const stopped = exchange(start(), [STOP_AUDIO]);
  const { ice, fingerprints } = LOCAL_A;
  const transport = [
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    `a=fingerprint:sha-256 ${fingerprints[0]?.value ?? ''}`,
    'a=setup:actpass',
  ];
  const video = { media: 'video', mid: '1', transport };
  const offers = (first: object): string =>
    described([{ media: 'audio', mid: '7', transport, ...first }, video], { version: 9 });

  test('the new mid lives, with the direction from the other side, and the old one is gone', () => {
    const offer = offers({ lines: ['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2', 'a=sendonly'] });
    const received = valid(receiveOffer(stopped.answerer, offer));
    const { sdp, plan, next } = answerOffer(
      valid(chooseSections(received, [{ index: 0, direction: 'sendrecv' }])),
      LOCAL_B,
    );
    expectMirror(offer, sdp);
    expect(plan.sections[0]).toMatchObject({ kind: 'media', mid: '7', direction: 'recvonly' });
    expect(groupOf(sdp)).toBe('BUNDLE 7 1');
    expect(next.sections.map(({ mid }) => mid)).toEqual(['7', '1']);
  });

  test('for another kind', () => {
    const offer = offers({ media: 'video', mid: 'x' });
    const { plan } = answerOffer(valid(receiveOffer(stopped.answerer, offer)), LOCAL_B);
    expect(plan.sections[0]).toMatchObject({ kind: 'media', media: 'video', mid: 'x' });
    const data = offers({ media: 'application', mid: 'd' });
    expect(valid(receiveOffer(stopped.answerer, data)).plan.sections[0]).toMatchObject({ kind: 'data' });
  });

  test('it is other media than before, with another id', () => {
    const [before] = start().answerer.agreement?.plan.sections ?? [];
    const [after] = valid(receiveOffer(stopped.answerer, offers({}))).plan.sections;
    if (before?.kind !== 'media' || after?.kind !== 'media') return expect.unreachable();
    expect(after.id).not.toBe(before.id);
  });

  test('a section that is in use is not to be had: by another mid, or for another kind', () => {
    const { answerer } = start();
    expect(codeOf(receiveOffer(answerer, offers({})))).toBe('mid-mismatch');
    expect(codeOf(receiveOffer(answerer, offers({ media: 'video' })))).toBe('section-mismatch');
    expect(codeOf(receiveOffer(answerer, described([video])))).toBe('section-count-mismatch');
  });

  test('not in an answer: it repeats the kind and the mid of the offer', () => {
    const { next } = prepareOffer(stopped.offerer, LOCAL_A, { media: [], data: false });
    const answer = (media: string, mid: string): string =>
      described(
        [
          { media, mid, transport: ANSWERED },
          { ...video, transport: ANSWERED },
        ],
        { group: ['1'] },
      );
    expect(codeOf(acceptAnswer(next, answer('video', '0')))).toBe('section-mismatch');
    expect(codeOf(acceptAnswer(next, answer('audio', '7')))).toBe('mid-mismatch');
  });
});

describe('this end uses a place again', () => {
  test('the first that both have closed, under a mid that was never there, and all that follows is well formed', () => {
    const stopped = exchange(start(), [STOP_AUDIO]);
    const { offer, answer, offerer, answerer } = exchange(stopped, [addition('video', 4)]);
    expect(linesOf(offer).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'video live 2',
      'video live 1',
    ]);
    expect(groupOf(answer)).toBe(groupOf(offer));
    const later = exchange({ offerer, answerer }, [addition('audio', 6)]);
    expect(later.offer.match(/^a=mid:.*/gm)).toEqual(['a=mid:2', 'a=mid:1', 'a=mid:3']);
  });

  test('not in the offer that closes it: the peer has not agreed yet', () => {
    const offered = prepareOffer(start().offerer, LOCAL_A, {
      media: [STOP_AUDIO, addition('audio', 4)],
      data: false,
    });
    expect(linesOf(offered.sdp).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'audio closed 0',
      'video live 1',
      'audio live 2',
    ]);
  });

  test('the other end may do so, too: places and mids are common, and the count never falls', () => {
    let ends = start();
    const counts: number[] = [];
    const mids = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const id = ends.offerer.agreement?.plan.sections.find(({ kind }) => kind === 'media');
      const stop: readonly MediaChange[] = id?.kind === 'media' ? [{ type: 'stop', id: id.id }] : [];
      const closed = exchange(ends, stop);
      const swapped = { offerer: closed.answerer, answerer: closed.offerer };
      // The credentials stay with their end.
      const offered = prepareOffer(swapped.offerer, LOCAL_B, {
        media: [addition('audio', 100 + 2 * round)],
        data: false,
      });
      const received = valid(receiveOffer(swapped.answerer, offered.sdp));
      const { sdp, next } = answerOffer(received, LOCAL_A);
      expectMirror(offered.sdp, sdp);
      ends = { ...closed, offerer: next, answerer: valid(acceptAnswer(offered.next, sdp)).next };
      counts.push(next.sections.length);
      for (const mid of offered.sdp.match(/^a=mid:.*/gm) ?? []) mids.add(mid);
    }
    expect(counts).toEqual([2, 2, 2, 2, 2, 2]);
    expect(mids.size).toBe(7);
  });
});
