/** The ICE role of an end whose offer is out: RFC 8445 §6.1.1, from the offer on. */
import { describe, expect, it } from 'vitest';
import type { Pair } from './pair.ts';
import { makePair, makeUnsignalledPair, runUntilOpen } from './pair.ts';

function roles({ offerer, answerer }: Pair): string[] {
  return [offerer.rtc.inspect().ice.role, answerer.rtc.inspect().ice.role];
}

function conflicts({ offerer, answerer }: Pair): number[] {
  return [offerer, answerer].map(({ rtc }) => rtc.inspect().ice.counters['role-conflict']);
}

describe('E2: the offerer is controlling from its offer on', () => {
  it.each([0, 60, 1000])(
    'E2: an answer that takes %i ms longer than the first checks meets no conflict',
    (late) => {
      const pair = makeUnsignalledPair();
      const { net, offerer, answerer } = pair;
      const draft = offerer.rtc.negotiation();
      draft.addChannel('chat');
      const offer = draft.offer();
      expect(roles(pair)).toEqual(['controlling', 'controlled']);
      const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
      net.advance(late);
      offer.accept(answer);
      runUntilOpen(pair);
      expect(roles(pair)).toEqual(['controlling', 'controlled']);
      expect(conflicts(pair)).toEqual([0, 0]);
    },
  );

  it('E2: an offer taken back leaves the role to whoever offers next', () => {
    const pair = makeUnsignalledPair();
    const { offerer, answerer } = pair;
    const glare = answerer.rtc.negotiation().offer();
    expect(roles(pair)).toEqual(['controlled', 'controlling']);
    const draft = offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    expect(roles(pair)).toEqual(['controlling', 'controlling']);
    glare.rollback();
    expect(roles(pair)).toEqual(['controlling', 'controlled']);
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    runUntilOpen(pair);
    expect(conflicts(pair)).toEqual([0, 0]);
  });

  it.each([
    ['offerer', ['controlled', 'controlling']],
    ['answerer', ['controlling', 'controlled']],
  ] as const)(
    'E2: where the %s is lite the other one controls, before the answer and after it',
    (lite, expected) => {
      const pair = makeUnsignalledPair({ [lite]: { iceLite: true } });
      const draft = pair.offerer.rtc.negotiation();
      draft.addChannel('chat');
      const offer = draft.offer();
      const answer = pair.answerer.rtc.receiveOffer(offer.sdp).answer();
      pair.net.advance(500);
      expect(pair.offerer.rtc.inspect().ice.role).toBe(expected[0]);
      offer.accept(answer);
      runUntilOpen(pair);
      expect(roles(pair)).toEqual(expected);
      expect(conflicts(pair)).toEqual([0, 0]);
    },
  );

  it('E2: two lite ends: the offerer', () => {
    const pair = makePair({ offerer: { iceLite: true }, answerer: { iceLite: true } });
    pair.net.advance(100);
    expect(roles(pair)).toEqual(['controlling', 'controlled']);
  });

  it('E2: a later offer changes no role', () => {
    const pair = makePair();
    runUntilOpen(pair);
    pair.answerer.rtc.negotiation().offer();
    expect(roles(pair)).toEqual(['controlling', 'controlled']);
  });
});
