/** What a plan comes to, in plain calls: the difference between what is agreed on and what runs, and nothing else. */
import { describe, expect, test } from 'vitest';
import { audioPlan } from '../negotiation/media-plans.ts';
import type { SectionPlan, SessionPlan } from '../../src/negotiation/index.ts';
import type { PlainCalls } from '../../src/rtc/carry-out.ts';
import { carryOut } from '../../src/rtc/carry-out.ts';

const ICE = { usernameFragment: 'abcd', password: 'p'.repeat(24), lite: false, renomination: false };

const CANDIDATE = {
  type: 'host',
  protocol: 'udp',
  address: '192.0.2.1',
  port: 1,
  foundation: '1',
  component: 1,
  priority: 1,
} as const;

const DATA: SectionPlan = { kind: 'data', mid: '0', sctpPort: 5001, maxMessageSize: 1000 };
const MEDIA: SectionPlan = audioPlan('1', 'sendrecv');
const REFUSED: SectionPlan = { kind: 'rejected', mid: '0', isForData: true };
const REJECTED: SectionPlan = { kind: 'rejected', mid: '1' };

function planOf(
  sections: readonly SectionPlan[],
  transport: Partial<SessionPlan['transport']> = {},
): SessionPlan {
  return {
    sections,
    transport: {
      ice: ICE,
      iceRole: 'controlling',
      dtlsRole: 'client',
      fingerprints: [],
      localSetup: 'actpass',
      remoteSetup: 'active',
      mid: '0',
      mLineIndex: 0,
      iceRestart: false,
      dtlsRestart: false,
      candidates: [],
      endOfCandidates: false,
      ...transport,
    } as SessionPlan['transport'],
  };
}

/** The names of the calls that a plan comes to, with what they are given. */
function callsFor(
  plan: SessionPlan,
  { isStarted = true, hasData = false }: Partial<Pick<PlainCalls, 'isStarted' | 'hasData'>>,
  before?: SessionPlan,
  isProvisional = false,
): unknown[][] {
  const made: unknown[][] = [];
  const note =
    (name: string) =>
    (...given: unknown[]): void =>
      void made.push([name, ...given]);
  let running = hasData;
  const calls: PlainCalls = {
    isStarted,
    get hasData() {
      return running;
    },
    start: (parameters) => {
      running = parameters.data !== false;
      made.push(['start', parameters.data, parameters.sctpPort, parameters.maxMessageSize]);
    },
    setRemoteIceParameters: note('setRemoteIceParameters'),
    setMedia: note('setMedia'),
    openData: note('openData'),
    closeData: note('closeData'),
    setRemoteMaxMessageSize: note('setRemoteMaxMessageSize'),
    addRemoteCandidate: note('addRemoteCandidate'),
    endOfRemoteCandidates: note('endOfRemoteCandidates'),
  };
  carryOut(calls, plan, before, isProvisional);
  return made;
}

describe('the first exchange', () => {
  test('with data alone', () => {
    const candidates = [CANDIDATE] as unknown as SessionPlan['transport']['candidates'];
    expect(callsFor(planOf([DATA], { candidates, endOfCandidates: true }), { isStarted: false })).toEqual([
      ['start', true, 5001, 1000],
      ['setMedia', []],
      ['setRemoteMaxMessageSize', 1000],
      ['addRemoteCandidate', CANDIDATE],
      ['endOfRemoteCandidates'],
    ]);
  });

  test('with media alone', () => {
    expect(callsFor(planOf([MEDIA]), { isStarted: false })).toEqual([
      ['start', false, undefined, undefined],
      ['setMedia', [MEDIA]],
    ]);
  });

  test('with data that is refused: the channels that waited for it close', () => {
    expect(callsFor(planOf([REFUSED, MEDIA]), { isStarted: false })).toEqual([
      ['start', false, undefined, undefined],
      ['setMedia', [MEDIA]],
      ['closeData'],
    ]);
  });

  test('with something else that is refused', () => {
    expect(callsFor(planOf([REJECTED, MEDIA]), { isStarted: false })).not.toContainEqual(['closeData']);
  });
});

describe('a later one', () => {
  test('that changes nothing tells the size of messages again', () => {
    expect(callsFor(planOf([DATA]), { hasData: true }, planOf([DATA]))).toEqual([
      ['setMedia', []],
      ['setRemoteMaxMessageSize', 1000],
    ]);
  });

  test('that restarts ICE', () => {
    expect(callsFor(planOf([MEDIA], { iceRestart: true }), {})).toContainEqual([
      'setRemoteIceParameters',
      ICE,
    ]);
  });

  test('that brings data', () => {
    const parameters = { sctpPort: 5001, maxMessageSize: 1000 };
    expect(callsFor(planOf([MEDIA, DATA]), {}, planOf([MEDIA]))).toEqual([
      ['setMedia', [MEDIA]],
      ['openData', parameters],
    ]);
  });

  test('that drops data', () => {
    expect(callsFor(planOf([REFUSED, MEDIA]), { hasData: true }, planOf([DATA, MEDIA]))).toEqual([
      ['setMedia', [MEDIA]],
      ['closeData'],
    ]);
  });

  test('that says again that data was dropped: who waits for the next goes on waiting', () => {
    const plan = planOf([REFUSED, MEDIA]);
    expect(callsFor(plan, {}, plan)).toEqual([['setMedia', [MEDIA]]]);
  });

  test('whose data, offered under another mid, is refused again', () => {
    const again: SectionPlan = { ...REFUSED, mid: '7' };
    expect(callsFor(planOf([again, MEDIA]), {}, planOf([REFUSED, MEDIA]))).toContainEqual(['closeData']);
  });

  test('that is provisional takes nothing away', () => {
    expect(callsFor(planOf([REFUSED, MEDIA]), { hasData: true }, planOf([DATA, MEDIA]), true)).toEqual([
      ['setMedia', [MEDIA]],
    ]);
  });
});
