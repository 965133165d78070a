/**
 * Atomicity: a description that has gone wrong at any one line is applied as a whole, or leaves no trace: state, `inspect()` and the next
 * offer are byte for byte what they were. The same for an offer of ours that is taken back.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NegotiationState, StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  acceptProvisionalAnswer,
  answerOffer,
  applyOffer,
  chooseSections,
  inspectNegotiation,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../src/negotiation/index.ts';
import { isSdpError, parseSdp } from '../../src/sdp/index.ts';
import type { OfferDraft } from '../../src/index.ts';
import { Rtc, SdpRefusal, SeededRandom } from '../../src/index.ts';
import { howMany } from '../how-many.ts';
import { certificates } from '../rtc/pair.ts';
import { mutationsOf } from '../sdp/mutations.ts';
import { dialect, dialectNames, recorded, recordedFiles, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';
import { mirrorFaults } from './mirror.ts';
import { addition } from './peer-description.ts';

const [certificate] = certificates;

/** One line in so many is tried of each text; in the long run every one. */
const EVERY = howMany(53, 1);

const MEDIA = [addition('audio', 0, { streams: ['s'] }), addition('video', 2)];

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

/** Offers: of browsers, of others, and of our own. */
const OFFERS: readonly (readonly [name: string, text: string])[] = [
  ...recordedFiles
    .filter((name) => name.endsWith(howMany(1, 2) > 1 ? '.offer.sdp' : 'to-firefox.offer.sdp'))
    .map((name) => [name, recorded(name)] as const),
  ...dialectNames.map((name) => [name, dialect(name)] as const),
  ['ours', prepareOffer(newState({ bundlePolicy: 'balanced' }), LOCAL_A, { media: MEDIA, data: true }).sdp],
];

describe.each(OFFERS)('%s, gone wrong at a line', (_, text) => {
  test('is answered as a whole, by the rules, or refused and leaves no trace', () => {
    const fresh = frozen(newState());
    const first = receiveOffer(fresh, text);
    const settled = isSdpError(first) ? fresh : frozen(answerOffer(first, LOCAL_B).next);
    for (const state of new Set<StableState>([fresh, settled])) {
      const before = JSON.stringify(state);
      const offer = prepareOffer(state, LOCAL_B, { media: [], data: false }).sdp;
      for (const { what, text: mutated } of mutationsOf(text, EVERY, text.length)) {
        const received = receiveOffer(state, mutated);
        expect(JSON.stringify(state), what).toBe(before);
        if (isSdpError(received)) continue;
        expectWhole(received, mutated, what);
        const back = rollback(applyOffer(received));
        expect(JSON.stringify(back), what).toBe(before);
        expect(prepareOffer(back, LOCAL_B, { media: [], data: false }).sdp, what).toBe(offer);
      }
    }
  });
});

/** Every section of it stands in the answer, the plan and the state that follows, and is right. */
function expectWhole(
  received: Exclude<ReturnType<typeof receiveOffer>, { failed: true }>,
  text: string,
  what: string,
): void {
  const choices = received.media.map(({ index }) => ({ index, direction: 'sendrecv' }) as const);
  const chosen = chooseSections(received, choices);
  for (const prepared of isSdpError(chosen) ? [received] : [received, chosen]) {
    const local = prepared.plan.transport.iceRestart ? restarted(LOCAL_B) : LOCAL_B;
    const { sdp, plan, next } = answerOffer(prepared, local);
    expect(mirrorFaults(text, sdp), what).toEqual([]);
    const count = valid(parseSdp(text)).media.length;
    expect([plan.sections.length, next.sections.length], what).toEqual([count, count]);
    expect(
      valid(parseSdp(prepareOffer(next, local, { media: [], data: false }).sdp)).media.length,
      what,
    ).toBeGreaterThanOrEqual(count);
  }
}

describe('an answer, gone wrong at a line', () => {
  const offered = frozen(prepareOffer(newState(), LOCAL_A, { media: MEDIA, data: true }).next);
  const answer = answerOffer(
    valid(
      chooseSections(
        valid(receiveOffer(newState(), prepareOffer(newState(), LOCAL_A, { media: MEDIA, data: true }).sdp)),
        [{ index: 0, direction: 'sendrecv' }],
      ),
    ),
    LOCAL_B,
  ).sdp;
  const recordedAnswers = recordedFiles.filter((name) => /^av-data-host.*answer/.test(name)).map(recorded);

  test.each([answer, ...recordedAnswers])(
    'is taken as a whole, or leaves the offer out as it was: %#',
    (text) => {
      const before = JSON.stringify(offered);
      for (let turn = 0; turn < 5; turn++)
        for (const { what, text: mutated } of mutationsOf(text, howMany(5, 1), turn)) {
          const accepted = acceptAnswer(offered, mutated);
          const provisional = acceptProvisionalAnswer(offered, mutated);
          expect(JSON.stringify(offered), what).toBe(before);
          expect(isSdpError(provisional), what).toBe(isSdpError(accepted));
          if (isSdpError(accepted)) continue;
          expect(
            accepted.next.sections.map(({ mid }) => mid),
            what,
          ).toEqual(offered.offer.sections.map(({ mid }) => mid));
          expect(accepted.plan.sections, what).toHaveLength(3);
        }
    },
  );
});

describe('taking back', () => {
  test('from every state that can be left so, exactly what was there, but for a version that was shown', () => {
    const stable = answerOffer(
      valid(receiveOffer(newState(), recorded('av-data-host.chromium-to-firefox.offer.sdp'))),
      LOCAL_B,
    ).next;
    const remote = valid(receiveOffer(stable, recorded('av-data-host.chromium-to-firefox.offer.sdp')));
    const out: readonly NegotiationState[] = [
      prepareOffer(stable, LOCAL_B, { media: MEDIA, data: true }).next,
      prepareOffer(stable, restarted(LOCAL_B), { media: [{ type: 'stop', id: 1 }], data: false }).next,
      prepareOffer(prepareOffer(stable, LOCAL_B).next, LOCAL_B, { media: MEDIA, data: false }).next,
      applyOffer(remote),
    ];
    for (const state of out) {
      const back = rollback(state);
      expect(JSON.stringify({ ...back, nextVersion: stable.nextVersion })).toBe(JSON.stringify(stable));
      expect(inspectNegotiation({ ...back, nextVersion: stable.nextVersion })).toEqual(
        inspectNegotiation(stable),
      );
    }
  });
});

describe('a whole connection', () => {
  /** Two that have agreed on audio, video and data channels, and have sent nothing. */
  function agreed(): readonly [Rtc, Rtc] {
    const [ours, theirs] = [1, 2].map((seed) => new Rtc({ certificate, random: new SeededRandom(seed) })) as [
      Rtc,
      Rtc,
    ];
    const draft = ours.negotiation();
    draft.addMedia('audio', { streams: ['s'] });
    draft.addMedia('video', { direction: 'sendonly' });
    draft.addChannel('chat');
    const offer = draft.offer();
    const received = theirs.receiveOffer(offer.sdp);
    for (const media of received.media) media.direction = 'sendrecv';
    offer.accept(received.answer());
    return [ours, theirs];
  }

  /** All that can be seen of it: the connection as it shows itself, and the offer that it would make. */
  const seen = (rtc: Rtc): string =>
    JSON.stringify([rtc.inspect(), rtc.negotiation().write().sdp, rtc.media.length]);

  /** True if it was refused for what it says; anything else that is thrown is a fault. */
  function isRefused(step: () => unknown): boolean {
    try {
      step();
      return false;
    } catch (error) {
      if (error instanceof SdpRefusal) return true;
      throw error;
    }
  }

  test('hears an offer that has gone wrong at a line, as the first and as a later one', () => {
    const [ours, theirs] = agreed();
    const later = ours.negotiation();
    later.addMedia('audio');
    const texts = [
      later.write().sdp,
      recorded('av-data-host.firefox-to-chromium.offer.sdp'),
      dialect('mediasoup-client'),
    ];
    const fresh = new Rtc({ certificate, random: new SeededRandom(3) });
    for (const rtc of [fresh, theirs]) {
      const before = seen(rtc);
      for (const text of texts)
        for (const { what, text: mutated } of mutationsOf(text, howMany(41, 1), text.length)) {
          if (isRefused(() => rtc.receiveOffer(mutated))) expect(seen(rtc), what).toBe(before);
          // Found good: looked at, chosen from, written, and declined.
          else {
            const received = rtc.receiveOffer(mutated);
            for (const media of received.media) media.direction = 'recvonly';
            isRefused(() => received.writeAnswer());
            received.dismiss();
            expect(seen(rtc), what).toBe(before);
          }
        }
    }
  });

  test('has applied an offer that has gone wrong at a line, and takes it back', () => {
    const [ours, theirs] = agreed();
    const later = ours.negotiation();
    later.addMedia('video');
    later.restartIce();
    const text = later.write().sdp;
    const before = seen(theirs);
    for (const { what, text: mutated } of mutationsOf(text, howMany(29, 1), 2)) {
      if (isRefused(() => theirs.receiveOffer(mutated))) continue;
      const received = theirs.receiveOffer(mutated);
      received.apply();
      expect(theirs.signalingState, what).toBe('have-remote-offer');
      received.rollback();
      expect(seen(theirs), what).toBe(before);
    }
  });

  test('waits for an answer, and one comes that has gone wrong at a line', () => {
    const pending = () => {
      const [ours, theirs] = agreed();
      const draft = ours.negotiation();
      draft.addMedia('audio', { direction: 'sendonly' });
      const offer = draft.offer();
      return { ours, offer, answer: theirs.receiveOffer(offer.sdp).writeAnswer() };
    };
    const shown = (rtc: Rtc): string => JSON.stringify([rtc.inspect(), rtc.media.map(({ mid }) => mid)]);
    let at = pending();
    let before = shown(at.ours);
    for (const { what, text } of mutationsOf(at.answer, howMany(19, 1), 1)) {
      if (isRefused(() => at.offer.accept(text))) expect(shown(at.ours), what).toBe(before);
      else {
        expect(at.ours.inspect().negotiation, what).toMatchObject({ signalingState: 'stable', offer: null });
        at = pending();
        before = shown(at.ours);
      }
    }
    at.offer.accept(at.answer);
    expect(at.ours.signalingState).toBe('stable');
  });

  /**
   * What is seen, line by line, without the version, which was shown, without the credentials if those of a restart were, and without events
   * that wait to be told.
   */
  function shown(rtc: Rtc, restarts: boolean): readonly string[] {
    const lines = [...leaves(rtc.inspect(), ''), ...rtc.negotiation().write().sdp.split('\r\n')];
    const changing = restarts
      ? /^o=|nextVersion|queued|restartWanted|ice-ufrag|ice-pwd/
      : /^o=|nextVersion|queued/;
    return lines.filter((line) => !changing.test(line));
  }

  const wish = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      media: fc.constantFrom('audio' as const, 'video' as const),
    }),
    fc.record({ kind: fc.constantFrom('stop' as const, 'turn' as const, 'codecs' as const), at: fc.nat(3) }),
    fc.record({ kind: fc.constantFrom('channel' as const, 'restart' as const) }),
  );

  test('takes back any draft: all that can be seen is as before, but for the version, and credentials where a restart stays wanted', () => {
    fc.assert(
      fc.property(fc.array(wish, { minLength: 1, maxLength: 6 }), (wishes) => {
        const [ours] = agreed();
        const restarts = wishes.some(({ kind }) => kind === 'restart');
        const before = shown(ours, restarts);
        const draft = ours.negotiation();
        for (const one of wishes) carryOut(ours, draft, one);
        draft.offer().rollback();
        expect(shown(ours, restarts)).toEqual(before);
        expect(ours.inspect().negotiation.restartWanted).toBe(restarts);
      }),
      { numRuns: howMany(60, 600) },
    );
  });
});

/** Every value in it, by its path. */
function leaves(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${path} = ${String(value)}`];
  return Object.entries(value).flatMap(([name, part]) => leaves(part, `${path}.${name}`));
}

type Wish =
  | { readonly kind: 'add'; readonly media: 'audio' | 'video' }
  | { readonly kind: 'stop' | 'turn' | 'codecs'; readonly at: number }
  | { readonly kind: 'channel' | 'restart' };

/** Wishes it of the draft; of media that is gone nothing can be wished. */
function carryOut(rtc: Rtc, draft: OfferDraft, wish: Wish): void {
  if (wish.kind === 'add') draft.addMedia(wish.media);
  else if (!('at' in wish)) {
    if (wish.kind === 'channel') draft.addChannel('more');
    else draft.restartIce();
  } else {
    const media = rtc.media[wish.at];
    if (media === undefined) return;
    if (wish.kind === 'stop') draft.stop(media);
    else if (wish.kind === 'turn') draft.setDirection(media, 'inactive');
    else
      draft.setCodecs(media, [
        {
          mimeType: media.kind === 'audio' ? 'audio/PCMU' : 'video/VP8',
          clockRate: media.kind === 'audio' ? 8000 : 90_000,
        },
      ]);
  }
}
