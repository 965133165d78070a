/**
 * The states of signalling (W3C webrtc-pc §4.3.1, §4.4.1.5) as far as methods reach them: what each step leads to from each state.
 * A step that is not legal there throws and changes nothing.
 */
import { describe, expect, it, test } from 'vitest';
import type { PendingOffer, ReceivedOffer, Rtc } from '../../src/index.ts';
import { makeSignaller, makeSignallers, nextOffer, shown } from './signallers.ts';

type State =
  'stable' | 'have-local-offer' | 'have-remote-offer' | 'have-local-pranswer' | 'have-remote-pranswer';

/** One end in some state, what got it there, and somebody who answers and offers. */
interface Stage {
  readonly rtc: Rtc;
  readonly pending: PendingOffer | undefined;
  readonly received: ReceivedOffer | undefined;
  /** An answer to `pending`. */
  readonly answer: string;
  /** Another offer of the same peer's. */
  readonly offer: string;
}

function stageOf(state: State): Stage {
  const { a: rtc, b: peer } = makeSignallers();
  const isOurs = state === 'have-local-offer' || state === 'have-remote-pranswer';
  const pending = isOurs ? rtc.negotiation().offer() : undefined;
  const answer = pending === undefined ? '' : peer.receiveOffer(pending.sdp).writeAnswer();
  const offer = makeOffer(peer);
  if (state === 'have-remote-pranswer') pending?.acceptProvisional(answer);
  let received: ReceivedOffer | undefined;
  if (state === 'have-remote-offer' || state === 'have-local-pranswer') {
    received = rtc.receiveOffer(offer);
    received.apply();
    if (state === 'have-local-pranswer') received.provisionalAnswer();
  }
  expect(rtc.signalingState).toBe(state);
  return { rtc, pending, received, answer, offer };
}

function makeOffer(peer: Rtc): string {
  return peer.negotiation().write().sdp;
}

const STEPS: Readonly<Record<string, (stage: Stage) => unknown>> = {
  'a local offer': ({ rtc }) => rtc.negotiation().write().commit(),
  'offer()': ({ rtc }) => rtc.negotiation().offer(),
  'a remote offer': ({ rtc, offer }) => {
    rtc.receiveOffer(offer).apply();
  },
  'a remote answer': ({ pending, answer }) => {
    need(pending).accept(answer);
  },
  'a remote pranswer': ({ pending, answer }) => {
    need(pending).acceptProvisional(answer);
  },
  'a local answer': ({ received }) => need(received).answer(),
  'a local pranswer': ({ received }) => need(received).provisionalAnswer(),
  'a local rollback': ({ pending }) => {
    need(pending).rollback();
  },
  'a remote rollback': ({ received }) => {
    need(received).rollback();
  },
};

/** What a handle that is not there could not do: W3C's InvalidStateError. */
class NoHandle extends Error {}

function need<T>(handle: T | undefined): T {
  if (handle === undefined) throw new NoHandle('nobody has such a handle in this state');
  return handle;
}

/** What each step leads to; absent: it throws. */
const TABLE: Readonly<Record<State, Readonly<Record<string, State>>>> = {
  stable: {
    'a local offer': 'have-local-offer',
    'offer()': 'have-local-offer',
    'a remote offer': 'have-remote-offer',
  },
  'have-local-offer': {
    'a local offer': 'have-local-offer',
    'a remote answer': 'stable',
    'a remote pranswer': 'have-remote-pranswer',
    'a local rollback': 'stable',
  },
  'have-remote-offer': {
    'a remote offer': 'have-remote-offer',
    'a local answer': 'stable',
    'a local pranswer': 'have-local-pranswer',
    'a remote rollback': 'stable',
  },
  'have-local-pranswer': {
    'a local answer': 'stable',
    'a local pranswer': 'have-local-pranswer',
  },
  'have-remote-pranswer': {
    'a remote answer': 'stable',
    'a remote pranswer': 'have-remote-pranswer',
  },
};

describe.each(Object.keys(TABLE) as State[])('in %s', (state) => {
  it.each(Object.keys(STEPS))('%s', (step) => {
    const stage = stageOf(state);
    const before = shown(stage.rtc);
    const expected = TABLE[state][step];
    if (expected !== undefined) {
      STEPS[step]?.(stage);
      expect(stage.rtc.signalingState).toBe(expected);
      return;
    }
    expect(() => STEPS[step]?.(stage)).toThrow();
    expect(shown(stage.rtc)).toBe(before);
    expect(stage.rtc.signalingState).toBe(state);
  });

  it('after the end nothing is left to do', () => {
    const stage = stageOf(state);
    stage.rtc.close();
    expect(stage.rtc.signalingState).toBe('closed');
    for (const step of Object.values(STEPS)) expect(() => step(stage)).toThrow();
    expect(() => stage.rtc.negotiation()).toThrow('closed');
  });
});

test('a handle whose moment has passed throws and changes nothing', () => {
  const { a, b } = makeSignallers();
  const pending = a.negotiation().offer();
  const received = b.receiveOffer(pending.sdp);
  const other = b.receiveOffer(pending.sdp);
  const answer = received.answer();
  pending.accept(answer);
  const before = [shown(a), shown(b)];
  const stale = expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error;
  for (const call of [
    () => pending.accept(answer),
    () => pending.acceptProvisional(answer),
    () => pending.rollback(),
    () => received.answer(),
    () => received.apply(),
    () => received.writeAnswer(),
    () => received.rollback(),
    () => other.answer(),
  ]) {
    expect(call).toThrow(stale);
  }
  expect([shown(a), shown(b)]).toEqual(before);
});

describe('rollback (W3C §4.4.1.5, RFC 9429 §4.1.10.2)', () => {
  it('of an offer of ours: the state and the next offer are those of before', () => {
    const { a } = makeSignallers();
    const before = [shown(a), nextOffer(a)];
    const draft = a.negotiation();
    draft.addMedia('audio');
    draft.offer().rollback();
    expect(a.media).toEqual([]);
    while (a.pollOutput().type !== 'timeout');
    expect([shown(a), nextOffer(a)]).toEqual(before);
  });

  it('of an applied offer: the state and the next offer are those of before', () => {
    const { a, b } = makeSignallers();
    const draft = b.negotiation();
    draft.addMedia('video');
    const { sdp } = draft.offer();
    const before = [shown(a), nextOffer(a)];
    const received = a.receiveOffer(sdp);
    received.apply();
    expect(a.signalingState).toBe('have-remote-offer');
    received.rollback();
    expect([shown(a), nextOffer(a)]).toEqual(before);
    // It may come again.
    expect(a.receiveOffer(sdp).answer()).toContain('m=video');
  });

  it('is of one’s own kind: the peer’s offer is no business of a pending one', () => {
    const { received, rtc } = stageOf('have-remote-offer');
    const pending = makeSignaller({}, 3).negotiation().offer();
    expect(() => pending.accept('v=0')).toThrow();
    need(received).rollback();
    expect(rtc.signalingState).toBe('stable');
    expect(() => need(received).answer()).toThrow('moved on');
  });
});

describe('a refused description changes nothing', () => {
  it('an answer that is none, or another one’s: the offer stays out', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const before = shown(a);
    for (const wrong of ['', 'v=0', 'x'.repeat(1000), pending.sdp.replaceAll('a=ice-ufrag', 'a=x')]) {
      expect(() => pending.accept(wrong)).toThrow();
      expect(() => pending.acceptProvisional(wrong)).toThrow();
      expect(shown(a)).toBe(before);
    }
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(a.signalingState).toBe('stable');
  });

  it('an offer that is none, in whatever state', () => {
    for (const state of Object.keys(TABLE) as State[]) {
      const { rtc } = stageOf(state);
      const before = shown(rtc);
      expect(() => rtc.receiveOffer('v=0')).toThrow();
      expect(shown(rtc)).toBe(before);
    }
  });
});
