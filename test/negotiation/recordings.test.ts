/** Every recording of a browser's: offers are answered by the rules, answers are taken by an offer of ours of the same shape. */
import { describe, expect, test } from 'vitest';
import type { MediaPlan, SectionPlan, StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { parseSdp } from '../../src/sdp/index.ts';
import { recorded, recordedFiles, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { addition } from './peer-description.ts';

const OFFERS = recordedFiles.filter((name) => name.endsWith('.offer.sdp'));
const ANSWERS = recordedFiles.filter((name) => name.endsWith('.answer.sdp'));

const kindsOf = (sdp: string): readonly string[] => valid(parseSdp(sdp)).media.map(({ kind }) => kind);
const shapeOf = (sections: readonly SectionPlan[]): readonly string[] =>
  sections.map((section) =>
    section.kind === 'media' ? `${section.media} ${section.direction}` : section.kind,
  );

describe.each(OFFERS)('%s', (name) => {
  const offer = recorded(name);
  const received = valid(receiveOffer(newState({ strict: true }), offer));

  test('is answered if nothing is chosen: data channels open, media wait', () => {
    const { sdp, plan, next } = answerOffer(received, LOCAL_B);
    expectMirror(offer, sdp);
    expect(shapeOf(plan.sections)).toEqual(
      kindsOf(offer).map((kind) => (kind === 'application' ? 'data' : `${kind} inactive`)),
    );
    expect(received.warnings).toEqual([]);
    expect(next.signalingState).toBe('stable');
    expect(plan.transport.candidates.length > 0).toBe(offer.includes('a=candidate:'));
  });

  test('is answered with media both ways, and our next offer keeps what was agreed on', () => {
    const choices = received.media.map(
      ({ index }) => ({ index, direction: 'sendrecv', streams: ['s'] }) as const,
    );
    const { sdp, plan, next } = answerOffer(valid(chooseSections(received, choices)), LOCAL_B);
    expectMirror(offer, sdp);
    const wanted = name.startsWith('av-recvonly')
      ? 'sendonly'
      : name.startsWith('simulcast')
        ? 'recvonly'
        : 'sendrecv';
    for (const section of plan.sections) {
      if (section.kind !== 'media') continue;
      // Chromium adds a track as sendonly to a data session, Firefox as sendrecv.
      if (!name.startsWith('data-then-video')) expect([wanted, 'sendrecv']).toContain(section.direction);
      expect(section.receive.codecs.length).toBeGreaterThan(0);
      expect(section.send.codecs.map(({ payloadType }) => payloadType)).toEqual(
        section.receive.codecs.map(({ payloadType }) => payloadType),
      );
    }
    const again = prepareOffer(next, LOCAL_B, { media: [], data: false });
    const codecsOf = (text: string): readonly (readonly string[])[] =>
      valid(parseSdp(text)).media.map(({ formats }) => formats);
    for (const [index, formats] of codecsOf(sdp).entries()) {
      // The answer's formats, in its order, before any others (RFC 9429 §5.2.2).
      expect(codecsOf(again.sdp)[index]?.slice(0, formats.length)).toEqual(formats);
    }
    expect(
      valid(parseSdp(again.sdp)).media.map(
        ({ lines }) => lines.find(({ text }) => text.startsWith('mid:'))?.text,
      ),
    ).toEqual(
      valid(parseSdp(offer)).media.map(
        ({ lines }) => lines.find(({ text }) => text.startsWith('mid:'))?.text,
      ),
    );
  });

  test('is answered with everything but the first section rejected', () => {
    const choices = received.media
      .filter(({ index }) => index > 0)
      .map(({ index }) => ({ index, reject: true }) as const);
    const { sdp } = answerOffer(valid(chooseSections(received, choices)), LOCAL_B);
    expectMirror(offer, sdp);
  });

  test('comes again with new credentials: an ICE restart, which the answer follows', () => {
    const first = answerOffer(received, LOCAL_B);
    const restart = offer
      .replaceAll(/a=ice-ufrag:.*/g, 'a=ice-ufrag:again')
      .replaceAll(/a=ice-pwd:.*/g, 'a=ice-pwd:0123456789012345678901');
    const second = valid(receiveOffer(first.next, restart));
    expect(second.plan.transport).toMatchObject({ iceRestart: true, dtlsRestart: false });
    const { sdp } = answerOffer(second, restarted(LOCAL_B));
    expectMirror(restart, sdp, { ours: first.sdp, theirs: offer });
  });
});

describe.each(ANSWERS)('%s', (name) => {
  const answer = recorded(name);
  const kinds = kindsOf(answer);
  const direction = name.startsWith('av-recvonly') ? 'recvonly' : 'sendrecv';
  const encodings = name.startsWith('simulcast')
    ? ['l', 'm', 'h'].map((rid) => ({ rid, active: true, restrictions: [] }))
    : [];

  test('is taken by an offer of ours with the same sections', () => {
    const media = kinds.flatMap((kind, id) =>
      kind === 'application' ? [] : [addition(kind, id * 2, { direction, streams: ['s'], encodings })],
    );
    const state = name.startsWith('data-then-video') ? withData(answer) : newState();
    const { sdp, next } = prepareOffer(state, LOCAL_A, { media, data: kinds.includes('application') });
    expect(kindsOf(sdp)).toEqual(kinds);
    const { plan } = valid(acceptAnswer(next, renumbered(answer, sdp)));
    expect(plan.sections.map(({ kind }) => kind)).toEqual(
      kinds.map((kind) => (kind === 'application' ? 'data' : 'media')),
    );
    for (const section of plan.sections) if (section.kind === 'media') expectFlows(section);
  });
});

function expectFlows({ direction, send, receive, media }: MediaPlan): void {
  if (direction === 'sendrecv' || direction === 'sendonly') expect(send.codecs.length).toBeGreaterThan(0);
  if (direction === 'sendrecv' || direction === 'recvonly') expect(receive.codecs.length).toBeGreaterThan(0);
  for (const { mimeType } of [...send.codecs, ...receive.codecs]) expect(mimeType).toMatch(`${media}/`);
}

/** The answer with the numbers of our offer for header extensions: those of the recorded offer mean other things, or nothing, to us. */
function renumbered(answer: string, offer: string): string {
  const offered = new Map([...offer.matchAll(/^a=extmap:(\d+) (\S+)/gm)].map(([, id, uri]) => [uri, id]));
  return answer.replaceAll(
    /^a=extmap:\d+(\/\w+)? (\S+)\r\n/gm,
    (_, direction: string | undefined, uri: string) => {
      const id = offered.get(uri);
      return id === undefined ? '' : `a=extmap:${id}${direction ?? ''} ${uri}\r\n`;
    },
  );
}

/** A session in which the data section alone was answered as here. */
function withData(answer: string): StableState {
  const { next } = prepareOffer(newState(), LOCAL_A);
  const [first = ''] = answer.replace('BUNDLE 0 1', 'BUNDLE 0').split('m=video');
  return valid(acceptAnswer(next, first)).next;
}
