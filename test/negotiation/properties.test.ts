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
import { mutatedDescription } from '../sdp/hostile.ts';
import { recorded, valid } from '../sdp/recorded.ts';
import { exchange, LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';

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
        const answer = valid(parseSdp(sdp));
        expect(answer.media).toHaveLength(valid(parseSdp(text)).media.length);
        expect(plan.transport.fingerprints.length).toBeGreaterThan(0);
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
