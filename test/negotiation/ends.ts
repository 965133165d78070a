/** Two ends of a negotiation, and what they put into their descriptions. */
import type {
  DataPlan,
  LocalEnd,
  NegotiationOptions,
  SessionPlan,
  StableState,
} from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  createNegotiation,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { expect } from 'vitest';
import { parseCandidateLine } from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { expectMirror } from './mirror.ts';

export const DIGEST_A: string = Array.from({ length: 32 }, () => 'AA').join(':');
export const DIGEST_B: string = Array.from({ length: 32 }, () => 'BB').join(':');

export const LOCAL_A: LocalEnd = {
  ice: { usernameFragment: 'aaaa', password: 'password-of-a/22chars+'.replaceAll('-', '+'), lite: false },
  candidates: [valid(parseCandidateLine('candidate:1 1 udp 2122260223 192.0.2.1 5001 typ host'))],
  endOfCandidates: true,
  fingerprints: [{ algorithm: 'sha-256', value: DIGEST_A }],
  sctpPort: 5000,
  maxMessageSize: 262_144,
};

export const LOCAL_B: LocalEnd = {
  ...LOCAL_A,
  ice: { usernameFragment: 'bbbb', password: 'password+of+b/22chars+', lite: false },
  candidates: [],
  endOfCandidates: false,
  fingerprints: [{ algorithm: 'sha-256', value: DIGEST_B }],
};

/** The same end with new ICE credentials: what an ICE restart looks like. */
export function restarted(local: LocalEnd): LocalEnd {
  const { usernameFragment, password, lite } = local.ice;
  return { ...local, ice: { usernameFragment: `${usernameFragment}2`, password: `${password}2`, lite } };
}

/** What a plan says of the data channels. */
export function dataOf({ sections }: Pick<SessionPlan, 'sections'>): DataPlan {
  return sections.find((section) => section.kind === 'data') ?? expect.unreachable('no data section');
}

export function newState(options: Partial<NegotiationOptions> = {}): StableState {
  return createNegotiation({ sessionId: '4611686018427387904', ...options });
}

export interface Exchange {
  readonly offer: string;
  readonly answer: string;
  readonly offerer: { readonly state: StableState; readonly plan: SessionPlan };
  readonly answerer: { readonly state: StableState; readonly plan: SessionPlan };
  readonly warnings: readonly string[];
}

/** offerer ── offer ──▶ answerer, offerer ◀── answer ── answerer; nothing may be refused. */
export function exchange(
  from: StableState,
  to: StableState,
  fromLocal: LocalEnd = LOCAL_A,
  toLocal: LocalEnd = LOCAL_B,
): Exchange {
  const offered = prepareOffer(from, fromLocal);
  const received = valid(receiveOffer(to, offered.sdp));
  const answered = answerOffer(received, toLocal);
  expectMirror(offered.sdp, answered.sdp);
  const accepted = valid(acceptAnswer(offered.next, answered.sdp));
  return {
    offer: offered.sdp,
    answer: answered.sdp,
    offerer: { state: accepted.next, plan: accepted.plan },
    answerer: { state: answered.next, plan: answered.plan },
    warnings: [...received.warnings, ...accepted.warnings].map(({ code }) => code),
  };
}
