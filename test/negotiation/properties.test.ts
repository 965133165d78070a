import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../src/negotiation/index.ts';
import { isSdpError, parseSdp } from '../../src/sdp/index.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import { certificates } from '../rtc/pair.ts';
import { mutatedDescription } from '../sdp/hostile.ts';
import { recorded, valid } from '../sdp/recorded.ts';
import type { PeerSection } from './browser-end.ts';
import { added, groupIn, sectionsIn, written } from './browser-end.ts';
import { addition } from './peer-description.ts';
import { exchange, LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';
import { expectMirror } from './mirror.ts';

const [certificate] = certificates;

/** Frozen to the leaves: a step that wrote to it would throw. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

describe('hostile descriptions', () => {
  const fresh = frozen(newState());
  const chromium = recorded('data-host.chromium-to-firefox.offer.sdp');
  const settled = frozen(answerOffer(valid(receiveOffer(newState(), chromium)), LOCAL_B).next);
  const pending = frozen(prepareOffer(newState(), LOCAL_A).next);

  test('an offer is answerable or an error; the state it met is as it was', () => {
    fc.assert(
      fc.property(mutatedDescription, fc.constantFrom(fresh, settled), (text, state) => {
        const before = JSON.stringify(state);
        const received = receiveOffer(state, text);
        expect(JSON.stringify(state)).toBe(before);
        if (isSdpError(received)) return;
        const local = received.plan.transport.iceRestart ? restarted(LOCAL_B) : LOCAL_B;
        const { sdp, plan } = answerOffer(received, local);
        expectMirror(text, sdp);
        const answer = valid(parseSdp(sdp));
        expect(answer.media).toHaveLength(valid(parseSdp(text)).media.length);
        expect(plan.transport.fingerprints.length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });

  test('after whatever was taken, an offer of ours with more of everything is well-formed, and would be taken', () => {
    const media = [addition('audio', 0), addition('video', 2)];
    fc.assert(
      fc.property(mutatedDescription, fc.constantFrom(fresh, settled), (text, state) => {
        const received = receiveOffer(state, text);
        if (isSdpError(received)) return;
        const local = received.plan.transport.iceRestart ? restarted(LOCAL_B) : LOCAL_B;
        const { next } = answerOffer(received, local);
        const { sdp } = prepareOffer(next, local, { media, data: true });
        valid(parseSdp(sdp));
        valid(receiveOffer(newState(), sdp));
      }),
      { numRuns: 400 },
    );
  });

  test('an answer is a plan or an error; the offer stays pending', () => {
    fc.assert(
      fc.property(mutatedDescription, (text) => {
        const before = JSON.stringify(pending);
        const result = acceptAnswer(pending, text);
        expect(JSON.stringify(pending)).toBe(before);
        if (!isSdpError(result)) expect(result.next.signalingState).toBe('stable');
      }),
      { numRuns: 400 },
    );
  });
});

describe('two ends through any sequence of exchanges', () => {
  const step = fc.record({
    offerer: fc.constantFrom(0, 1),
    kind: fc.constantFrom('plain', 'restart', 'rollback'),
  });
  const preference = fc.constantFrom('auto', 'active', 'passive');

  test('F1a roles are complements and never change, versions only grow', () => {
    fc.assert(
      fc.property(preference, fc.array(step, { minLength: 1, maxLength: 8 }), (dtlsSetup, steps) => {
        const states: [StableState, StableState] = [newState({ dtlsSetup }), newState()];
        const locals: [typeof LOCAL_A, typeof LOCAL_A] = [LOCAL_A, LOCAL_B];
        let roles: readonly string[] | undefined;
        for (const { offerer, kind } of steps) {
          const answerer = 1 - offerer;
          const [from, to] = [states[offerer], states[answerer]!];
          if (kind === 'rollback') {
            states[offerer] = rollback(prepareOffer(from, locals[offerer]).next);
            expect(states[offerer].nextVersion).toBe(from.nextVersion + 1);
            continue;
          }
          if (kind === 'restart' && from.agreement !== undefined) {
            locals[0] = restarted(locals[0]);
            locals[1] = restarted(locals[1]);
          }
          const result = exchange(from, to, locals[offerer], locals[answerer]);
          states[offerer] = result.offerer.state;
          states[answerer] = result.answerer.state;
          const now = states.map(({ agreement }) => agreement?.plan.transport.dtlsRole ?? 'none');
          expect(new Set(now)).toEqual(new Set(['client', 'server']));
          expect(now).toEqual(roles ?? now);
          roles = now;
        }
      }),
    );
  });
});

describe('a session of many sections', () => {
  const media = fc.constantFrom<PeerSection['media']>('audio', 'video', 'smell', 'application');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('theirs' as const), add: fc.option(media), close: fc.option(fc.nat(9)) }),
    fc.record({ kind: fc.constant('ours' as const), close: fc.option(fc.nat(9)) }),
    fc.record({ kind: fc.constantFrom('drop' as const, 'rollback' as const), add: fc.option(media) }),
  );
  /** What is no data channels' the peer may close. */
  const closing = (sections: readonly PeerSection[], at: number | null): PeerSection[] =>
    sections.map((section, i) =>
      i === at && section.media !== 'application' ? { ...section, isLive: false } : section,
    );

  test('both ends agree about each, whoever offers, and whatever was dropped or taken back in between', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        let state = newState();
        let peer: PeerSection[] = [];
        for (const [number, { kind, ...rest }] of steps.entries()) {
          const mid = `m${number}`;
          const add = 'add' in rest ? rest.add : null;
          const close = 'close' in rest ? rest.close : null;
          let offered = peer;
          if (add !== null) offered = added(offered, add, mid);
          if (!offered.some((one) => one.isLive && one.media === 'application'))
            offered = added(offered, 'application', `${mid}d`);
          // What is closed only now has no place to give away yet.
          offered = closing(offered, close);
          const before = JSON.stringify(state);
          if (kind === 'drop') {
            valid(receiveOffer(state, written(offered, 'actpass')));
            expect(JSON.stringify(state)).toBe(before);
          } else if (kind === 'rollback') {
            const back = rollback(prepareOffer(state, LOCAL_A).next);
            expect(JSON.stringify({ ...back, nextVersion: state.nextVersion })).toBe(before);
            state = back;
          } else if (kind === 'theirs') {
            const offer = written(offered, 'actpass');
            const { sdp, plan, next } = answerOffer(valid(receiveOffer(state, offer)), LOCAL_A);
            expectMirror(offer, sdp);
            const answer = sectionsIn(sdp);
            expect(answer.map(({ mid: said }) => said)).toEqual(offered.map(({ mid: said }) => said));
            expect(answer.map((one) => one.media)).toEqual(offered.map((one) => one.media));
            expect(groupIn(sdp)[0]).toBe(plan.transport.mid);
            peer = answer;
            state = next;
          } else {
            const ours = prepareOffer(state, LOCAL_A);
            const said = sectionsIn(ours.sdp);
            expect(said.slice(0, peer.length)).toEqual(peer.length === 0 ? [] : peer);
            peer = closing(said, close);
            state = valid(acceptAnswer(ours.next, written(peer, setupFor(state)))).next;
          }
          if (kind === 'drop' || kind === 'rollback') continue;
          expect(state.sections.map((one) => one.mid)).toEqual(peer.map((one) => one.mid));
          expect(state.sections.map((one) => one.kind !== 'rejected')).toEqual(
            peer.map(({ isLive }) => isLive),
          );
          expect(state.agreement?.plan.sections.map((one) => [one.kind, one.mid])).toEqual(
            state.sections.map((one) => [one.kind, one.mid]),
          );
          expect(state.sections.filter((one) => one.kind === 'data')).toHaveLength(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** What the peer answers: its role stays what it is. */
function setupFor({ agreement }: StableState): string {
  return agreement?.plan.transport.dtlsRole === 'client' ? 'passive' : 'active';
}

describe('two connections and their drafts', () => {
  const step = fc.record({
    by: fc.constantFrom(0, 1),
    kind: fc.constantFrom('draft', 'drop', 'offer', 'rollback', 'decline'),
    channels: fc.nat(2),
  });

  test('agree about sections, and have the channels of the offers that were made', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
        const ends = [0, 1].map((seed) => new Rtc({ certificate, random: new SeededRandom(seed) }));
        const drafts = ends.map((rtc) => rtc.negotiation());
        const made = [0, 0];
        for (const { by, kind, channels } of steps) {
          const [rtc, other] = [ends[by]!, ends[1 - by]!];
          const draft = drafts[by]!;
          for (let i = 0; i < channels; i++) draft.addChannel(`${kind} ${i}`);
          if (kind !== 'draft') drafts[by] = rtc.negotiation();
          if (kind === 'offer' || kind === 'rollback' || kind === 'decline') {
            const offer = draft.offer();
            if (kind !== 'rollback') {
              const received = other.receiveOffer(offer.sdp);
              if (kind === 'offer') offer.accept(received.answer());
            }
            if (kind === 'offer') made[by]! += draft.channels.length;
            else offer.rollback();
          }
          expect(ends.map((end) => end.inspect().channels.channels.length)).toEqual(made);
          expect(ends.map(({ signalingState }) => signalingState)).toEqual(['stable', 'stable']);
          const [ours, theirs] = ends.map((end) => end.inspect().negotiation.sections);
          expect(ours).toEqual(theirs);
        }
      }),
      { numRuns: 100 },
    );
  });
});
