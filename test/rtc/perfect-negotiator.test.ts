import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PerfectNegotiatorOptions, RtcOptions, Signal } from '../../src/index.ts';
import { PerfectNegotiator, Rtc, RtcError, SdpRefusal, SeededRandom } from '../../src/index.ts';
import { howMany, IS_LONG } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { certificates } from './pair.ts';

/** One end: its Rtc, who negotiates for it, and its signals on their way. Only signals travel; time hardly moves. */
class End {
  readonly rtc: Rtc;
  readonly negotiator: PerfectNegotiator;
  readonly outbox: Signal[] = [];
  readonly refusals: RtcError[] = [];
  #now = 0;

  constructor(
    polite: boolean,
    options: Partial<PerfectNegotiatorOptions> = {},
    rtc: Partial<RtcOptions> = {},
  ) {
    const [one, other] = certificates;
    const random = new SeededRandom(polite ? 1 : 2);
    this.rtc = new Rtc({ certificate: polite ? one : other, random, ...rtc });
    this.negotiator = new PerfectNegotiator(this.rtc, { polite, ...options });
    this.rtc.addLocalCandidate({
      type: 'host',
      protocol: 'udp',
      address: polite ? '192.0.2.1' : '192.0.2.2',
      port: 5000,
    });
  }

  hear(signal: unknown): void {
    this.refusals.push(...this.negotiator.handleSignal(signal));
    this.drain();
  }

  drain(): void {
    this.rtc.handleInput({ type: 'timeout', now: (this.#now += 0.01) });
    for (;;) {
      const output = this.rtc.pollOutput();
      if (output.type === 'timeout') break;
      if (output.type === 'event') this.negotiator.handleEvent(output.event);
    }
    for (
      let signal = this.negotiator.pollSignal();
      signal !== undefined;
      signal = this.negotiator.pollSignal()
    ) {
      this.outbox.push(JSON.parse(JSON.stringify(signal)) as Signal);
    }
  }
}

/** A polite end and an impolite one. */
function pair(rtc: Partial<RtcOptions> = {}): [End, End] {
  return [new End(true, {}, rtc), new End(false)];
}

/** Everything arrives, one signal after the other. */
function exchangeAll(ends: readonly [End, End]): void {
  for (let round = 0; round < 200; round++) {
    for (const end of ends) end.drain();
    if (ends.every(({ outbox }) => outbox.length === 0)) return;
    for (const [index, end] of ends.entries()) {
      const signal = end.outbox.shift();
      if (signal !== undefined) ends[1 - index]!.hear(signal);
    }
  }
  expect.unreachable('the ends never fall silent');
}

/** Both stable, and of one mind about every section. */
function expectAgreement(ends: readonly [End, End]): void {
  expect(ends.map(({ rtc }) => rtc.signalingState)).toEqual(['stable', 'stable']);
  const [ours, theirs] = ends.map(({ rtc }) => rtc.inspect().negotiation);
  expect(ours?.sections.map(({ kind, mid }) => [kind, mid])).toEqual(
    theirs?.sections.map(({ kind, mid }) => [kind, mid]),
  );
  const mirrored = {
    sendrecv: 'sendrecv',
    sendonly: 'recvonly',
    recvonly: 'sendonly',
    inactive: 'inactive',
  } as const;
  expect(ours?.media.map(({ direction }) => mirrored[direction])).toEqual(
    theirs?.media.map(({ direction }) => direction),
  );
  expect(ends.map(({ negotiator }) => negotiator.inspect())).toMatchObject([
    { offering: false, queued: 0, held: 0 },
    { offering: false, queued: 0, held: 0 },
  ]);
}

const kindOf = (signal: Signal): string => ('candidate' in signal ? 'candidate' : signal.description.type);

describe('PerfectNegotiator', () => {
  test('offers what its draft has, and answers', () => {
    const ends = pair();
    const [polite, impolite] = ends;
    const chat = polite.negotiator.draft.addChannel('chat');
    const camera = polite.negotiator.draft.addMedia('video', { direction: 'sendonly' });
    polite.negotiator.negotiate();
    polite.drain();
    expect(polite.outbox.map(kindOf)).toEqual(['offer']);
    exchangeAll(ends);
    expectAgreement(ends);
    expect(chat.readyState).toBe('connecting');
    expect(camera.mid).toBe('0');
    expect(impolite.rtc.media).toHaveLength(1);
    expect([...polite.refusals, ...impolite.refusals]).toEqual([]);
  });

  test.each([
    ['an Rtc that is not polite itself', {}],
    ['an Rtc that is', { polite: true }],
  ])(
    'offers that cross: the polite end gives way, and offers again what it wished for (%s)',
    (_, options) => {
      const ends = pair(options);
      const [polite, impolite] = ends;
      const voice = polite.negotiator.draft.addMedia('audio');
      polite.negotiator.negotiate();
      const camera = impolite.negotiator.draft.addMedia('video');
      impolite.negotiator.negotiate();
      exchangeAll(ends);
      expectAgreement(ends);
      expect(polite.negotiator.inspect().offersRolledBack).toBe(1);
      expect(impolite.negotiator.inspect().offersIgnored).toBe(1);
      expect([voice.stopped, camera.stopped]).toEqual([false, false]);
      expect(ends.map(({ rtc }) => rtc.media.map(({ kind }) => kind).sort())).toEqual([
        ['audio', 'video'],
        ['audio', 'video'],
      ]);
    },
  );

  test('a draft that was wished while an offer was out goes with the next one', () => {
    const ends = pair();
    const [polite, impolite] = ends;
    polite.negotiator.draft.addMedia('audio');
    polite.negotiator.negotiate();
    polite.negotiator.draft.addMedia('video');
    polite.negotiator.negotiate();
    polite.drain();
    expect(polite.outbox.map(kindOf)).toEqual(['offer']);
    exchangeAll(ends);
    expectAgreement(ends);
    expect(impolite.rtc.media.map(({ kind }) => kind)).toEqual(['audio', 'video']);
  });

  test('a restart of ICE is offered, and survives an offer that crosses it', () => {
    const ends = pair();
    const [polite, impolite] = ends;
    polite.negotiator.draft.addChannel('chat');
    polite.negotiator.negotiate();
    exchangeAll(ends);
    const before = polite.rtc.localParameters.ice.usernameFragment;
    polite.rtc.restartIce();
    polite.drain();
    expect(polite.outbox.map(kindOf)).toContain('offer');
    impolite.negotiator.draft.addMedia('audio');
    impolite.negotiator.negotiate();
    exchangeAll(ends);
    expectAgreement(ends);
    expect(polite.negotiator.inspect().offersRolledBack).toBe(1);
    expect(polite.rtc.inspect().negotiation.restartWanted).toBe(false);
    expect(polite.rtc.localParameters.ice.usernameFragment).not.toBe(before);
  });

  test('this end chooses what becomes of an offer before it is answered', () => {
    const polite = new End(true, {
      onOffer: ({ media }) => {
        for (const section of media) section.direction = 'recvonly';
      },
    });
    const impolite = new End(false);
    impolite.negotiator.draft.addMedia('audio');
    impolite.negotiator.negotiate();
    exchangeAll([polite, impolite]);
    expect(polite.rtc.media[0]?.currentDirection).toBe('recvonly');
    expect(impolite.rtc.media[0]?.currentDirection).toBe('sendonly');
  });

  test('candidates of an offer that was passed over are passed over, too', () => {
    const [polite, impolite] = pair();
    polite.negotiator.draft.addChannel('chat');
    polite.negotiator.negotiate();
    polite.drain();
    impolite.negotiator.draft.addChannel('chat');
    impolite.negotiator.negotiate();
    impolite.drain();
    for (const signal of polite.outbox) impolite.hear(signal);
    const { usernameFragment } = polite.rtc.localParameters.ice;
    const candidate = {
      candidate: 'candidate:1 1 udp 1 192.0.2.9 9 typ host',
      sdpMid: '0',
      usernameFragment,
    };
    impolite.hear({ candidate });
    expect(impolite.negotiator.inspect()).toMatchObject({ ignoring: true, offerCandidatesIgnored: 1 });
    expect(impolite.refusals).toEqual([]);
  });

  test('signals that come early wait for their turn, those that come twice or too late do nothing', () => {
    const [polite, impolite] = pair();
    polite.negotiator.draft.addChannel('chat');
    polite.negotiator.negotiate();
    polite.drain();
    const offer = polite.outbox[0]!;
    const candidate = { candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.9 9 typ host' }, sequence: 1 };
    impolite.hear(candidate);
    impolite.hear(candidate);
    expect(impolite.negotiator.inspect()).toMatchObject({ held: 1, signalsRepeated: 1 });
    impolite.hear(offer);
    impolite.hear(offer);
    expect(impolite.negotiator.inspect()).toMatchObject({ held: 0, signalsRepeated: 2 });
    expect(impolite.outbox.map(kindOf)).toEqual(['answer']);
  });

  test('what never comes is given up once too much waits for it', () => {
    const end = new End(false, { maxHeld: 3 });
    for (const sequence of [5, 6, 7]) end.hear({ candidate: null, sequence });
    expect(end.negotiator.inspect()).toMatchObject({ held: 3, signalsMissed: 0 });
    end.hear({ candidate: null, sequence: 8 });
    expect(end.negotiator.inspect()).toMatchObject({ held: 0, signalsMissed: 5 });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'offer'],
    ['an empty object', {}],
    ['a description of nothing', { description: {} }],
    ['a rollback', { description: { type: 'rollback', sdp: '' } }],
    ['an offer without text', { description: { type: 'offer', sdp: 7 } }],
    ['a candidate that is a number', { candidate: 7 }],
    ['a sequence that is none', { candidate: null, sequence: -1 }],
  ])('%s is no signal: answered, counted, never thrown', (_, signal) => {
    const end = new End(true);
    const [refusal] = end.negotiator.handleSignal(signal);
    expect(refusal).toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
    expect(end.negotiator.inspect().signalsRefused).toBe(1);
  });

  test('a description or candidate that is refused is answered with its code, and changes nothing', () => {
    const end = new End(true);
    end.negotiator.draft.addChannel('chat');
    end.negotiator.negotiate();
    end.drain();
    const before = JSON.stringify(end.rtc.inspect().negotiation);
    for (const signal of [
      { description: { type: 'answer', sdp: 'v=0' } },
      { description: { type: 'pranswer', sdp: 'x' } },
      { candidate: { candidate: 'candidate:rubbish' } },
    ]) {
      const [refusal] = end.negotiator.handleSignal(signal);
      expect(refusal).toBeInstanceOf(SdpRefusal);
    }
    expect(JSON.stringify(end.rtc.inspect().negotiation)).toBe(before);
    expect(end.negotiator.inspect()).toMatchObject({ offering: true, signalsRefused: 3 });
  });

  test('an offer that is no description takes back none of ours', () => {
    const end = new End(true);
    end.negotiator.draft.addChannel('chat');
    end.negotiator.negotiate();
    end.drain();
    const answered = end.negotiator.handleSignal({ description: { type: 'offer', sdp: 'x' } });
    expect(answered).toMatchObject([{ code: 'ERR_SDP', sdpCode: 'line-malformed' }]);
    expect(end.negotiator.inspect()).toMatchObject({ offering: true, offersRolledBack: 0 });
  });

  test('an answer to no offer is passed over', () => {
    const end = new End(true);
    expect(end.negotiator.handleSignal({ description: { type: 'answer', sdp: 'v=0' } })).toEqual([]);
    expect(end.negotiator.inspect().answersIgnored).toBe(1);
  });

  test('nobody polls: candidates are dropped, and offers refused', () => {
    const [polite, impolite] = [new End(true, { maxQueued: 1 }), new End(false)];
    impolite.negotiator.draft.addChannel('chat');
    impolite.negotiator.negotiate();
    impolite.drain();
    const { description } = impolite.outbox[0] as Extract<Signal, { description: unknown }>;
    expect(polite.negotiator.handleSignal({ description })).toEqual([]);
    expect(polite.negotiator.handleSignal({ description })).toMatchObject([{ code: 'ERR_LIMIT' }]);
    polite.negotiator.handleEvent({ type: 'icegatheringstatechange', state: 'complete' });
    expect(polite.negotiator.inspect()).toMatchObject({ queued: 1, candidatesDropped: 1 });
  });

  test('an end that is over says nothing more', () => {
    const ends = pair();
    const [polite] = ends;
    polite.negotiator.draft.addChannel('chat');
    polite.negotiator.negotiate();
    polite.rtc.close();
    polite.drain();
    expect(polite.outbox).toEqual([]);
    expect(polite.negotiator.handleSignal({ candidate: null })).toMatchObject([
      { code: 'ERR_INVALID_STATE' },
    ]);
  });

  test('options are judged', () => {
    const { rtc } = new End(true);
    expect(() => new PerfectNegotiator(rtc, {} as PerfectNegotiatorOptions)).toThrow(RtcError);
    expect(() => new PerfectNegotiator(rtc, { polite: true, maxHeld: -1 })).toThrow(RtcError);
  });
});

describe('two ends that wish what they like, over a way that delays and reorders', () => {
  const LENGTH = 50;
  const SESSIONS = howMany(10, 200);
  const step = fc.record({
    kind: fc.constantFrom(
      'wait',
      'add',
      'set',
      'stop',
      'channel',
      'restart',
      'deliver',
      'deliver',
      'garbage',
    ),
    by: fc.constantFrom(0 as const, 1 as const),
    a: fc.nat(999),
  });
  const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

  function take(ends: readonly [End, End], { kind, by, a }: { kind: string; by: 0 | 1; a: number }): void {
    const end = ends[by];
    const { negotiator, rtc } = end;
    const media = rtc.media[a % Math.max(1, rtc.media.length)];
    const isFull = rtc.media.length > 6;
    if (kind === 'add' && !isFull)
      negotiator.draft.addMedia(a % 2 === 0 ? 'audio' : 'video', { direction: DIRECTIONS[a % 4]! });
    if (kind === 'set' && media !== undefined) negotiator.draft.setDirection(media, DIRECTIONS[a % 4]!);
    if (kind === 'stop' && media !== undefined) negotiator.draft.stop(media);
    if (kind === 'channel' && a % 4 === 0) negotiator.draft.addChannel(`channel ${a}`);
    if (kind === 'restart' && a % 4 === 0) rtc.restartIce();
    if (['add', 'set', 'stop', 'channel'].includes(kind) && a % 3 > 0) negotiator.negotiate();
    if (kind === 'garbage') {
      const answered = negotiator.handleSignal(
        [{}, { description: { type: 'offer', sdp: 'x' } }, null][a % 3],
      );
      expect(answered.length).toBeLessThanOrEqual(1);
    }
    if (kind === 'deliver') {
      const [signal] = ends[1 - by]!.outbox.splice(a % Math.max(1, ends[1 - by]!.outbox.length), 1);
      if (signal !== undefined) end.hear(signal);
    }
    end.drain();
  }

  test(`agree in the end, after ${SESSIONS * LENGTH} steps`, () => {
    const seed = freshSeed(`two PerfectNegotiators, ${SESSIONS * LENGTH} steps`);
    const counted = { offersRolledBack: 0, offersIgnored: 0 };
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { minLength: LENGTH, maxLength: LENGTH }), (polite, steps) => {
        const ends = pair({ polite });
        for (const one of steps) take(ends, one);
        for (const { negotiator } of ends) negotiator.negotiate();
        exchangeAll(ends);
        expectAgreement(ends);
        expect(ends.flatMap(({ refusals }) => refusals.map(({ message }) => message))).toEqual([]);
        counted.offersRolledBack += ends[0].negotiator.inspect().offersRolledBack;
        counted.offersIgnored += ends[1].negotiator.inspect().offersIgnored;
      }),
      { numRuns: SESSIONS, seed },
    );
    if (!IS_LONG) return;
    expect(counted.offersRolledBack).toBeGreaterThan(0);
    expect(counted.offersIgnored).toBeGreaterThan(0);
  });
});
