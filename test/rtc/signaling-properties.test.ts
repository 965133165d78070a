/**
 * Signalling under any order of calls, on handles that are current and on ones that are not: a call that throws has changed nothing,
 * what is taken back has never been, and two ends that are let finish agree.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Media, OfferDraft, PendingOffer, ReceivedOffer, Rtc, WrittenOffer } from '../../src/index.ts';
import { RtcError } from '../../src/index.ts';
import { formatTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { howMany } from '../how-many.ts';
import { events, exchange, makeSignaller, nextOffer, shown } from './signallers.ts';

/** One end, and every handle that it has given out. */
interface End {
  readonly rtc: Rtc;
  readonly drafts: OfferDraft[];
  readonly written: WrittenOffer[];
  readonly pending: PendingOffer[];
  readonly received: ReceivedOffer[];
  readonly media: Media[];
  /** What it has sent, oldest first. */
  readonly sent: { readonly type: 'offer' | 'answer' | 'pranswer'; readonly sdp: string }[];
}

interface Step {
  readonly name: keyof typeof STEPS;
  readonly isSecond: boolean;
  /** Picks a handle or a value. */
  readonly pick: number;
}

function end(rtc: Rtc): End {
  return { rtc, drafts: [], written: [], pending: [], received: [], media: [], sent: [] };
}

/** The newest of a list mostly, and older ones too. */
function picked<T>(list: readonly T[], pick: number): T | undefined {
  return list.at(pick % 3 === 0 ? pick % Math.max(list.length, 1) : -1);
}

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

function draftOf(own: End, pick: number): OfferDraft {
  const draft = picked(own.drafts, pick) ?? own.rtc.negotiation();
  if (!own.drafts.includes(draft)) own.drafts.push(draft);
  return draft;
}

function mediaOf({ rtc, media }: End, pick: number): Media | undefined {
  const all = [...media, ...rtc.media];
  return all[pick % Math.max(all.length, 1)];
}

const STEPS = {
  draft: (own: End) => void own.drafts.push(own.rtc.negotiation()),
  addMedia: (own: End, _: End, pick: number) => {
    const direction = DIRECTIONS[pick % 4];
    own.media.push(draftOf(own, pick).addMedia(pick % 2 === 0 ? 'audio' : 'video', { direction }));
  },
  addChannel: (own: End, _: End, pick: number) => void draftOf(own, pick).addChannel('chat'),
  createChannel: (own: End) => void own.rtc.createChannel('direct'),
  setDirection: (own: End, _: End, pick: number) => {
    const media = mediaOf(own, pick);
    if (media !== undefined) draftOf(own, pick).setDirection(media, DIRECTIONS[pick % 4] ?? 'inactive');
  },
  setCodecs: (own: End, _: End, pick: number) => {
    const media = mediaOf(own, pick);
    if (media === undefined) return;
    const codec =
      media.kind === 'audio'
        ? { mimeType: 'audio/PCMU', clockRate: 8000 }
        : { mimeType: 'video/VP8', clockRate: 90_000, rtx: true };
    draftOf(own, pick).setCodecs(media, [codec]);
  },
  stop: (own: End, _: End, pick: number) => {
    const media = mediaOf(own, pick);
    if (media !== undefined) draftOf(own, pick).stop(media);
  },
  restartIce: (own: End, _: End, pick: number) => {
    if (pick % 2 === 0) own.rtc.restartIce();
    else draftOf(own, pick).restartIce();
  },
  offer: (own: End, _: End, pick: number) => {
    const pending = draftOf(own, pick).offer();
    own.pending.push(pending);
    own.sent.push({ type: 'offer', sdp: pending.sdp });
  },
  write: (own: End, _: End, pick: number) => void own.written.push(draftOf(own, pick).write()),
  commit: (own: End, _: End, pick: number) => {
    const pending = picked(own.written, pick)?.commit();
    if (pending === undefined) return;
    own.pending.push(pending);
    own.sent.push({ type: 'offer', sdp: pending.sdp });
  },
  rollback: (own: End, _: End, pick: number) => {
    picked(own.pending, pick)?.rollback({ keepWishes: pick % 2 === 0 });
  },
  receive: (own: End, peer: End, pick: number) => {
    const description = picked(peer.sent, pick);
    if (description?.type === 'offer') own.received.push(own.rtc.receiveOffer(description.sdp));
    else if (description?.type === 'answer') picked(own.pending, pick)?.accept(description.sdp);
    else if (description !== undefined) picked(own.pending, pick)?.acceptProvisional(description.sdp);
  },
  choose: (own: End, _: End, pick: number) => {
    for (const [index, section] of (picked(own.received, pick)?.media ?? []).entries()) {
      if ((pick + index) % 5 === 0) section.reject();
      else section.direction = DIRECTIONS[(pick + index) % 4];
    }
  },
  apply: (own: End, _: End, pick: number) => picked(own.received, pick)?.apply(),
  answer: (own: End, _: End, pick: number) => {
    const sdp = picked(own.received, pick)?.answer();
    if (sdp !== undefined) own.sent.push({ type: 'answer', sdp });
  },
  provisionalAnswer: (own: End, _: End, pick: number) => {
    const sdp = picked(own.received, pick)?.provisionalAnswer();
    if (sdp !== undefined) own.sent.push({ type: 'pranswer', sdp });
  },
  rollbackReceived: (own: End, _: End, pick: number) => picked(own.received, pick)?.rollback(),
  dismiss: (own: End, _: End, pick: number) => picked(own.received, pick)?.dismiss(),
  exchange: (own: End, peer: End, pick: number) => {
    const pending = draftOf(own, pick).offer();
    own.pending.push(pending);
    const received = peer.rtc.receiveOffer(pending.sdp);
    peer.received.push(received);
    for (const section of received.media) if (pick % 4 !== 0) section.direction = 'sendrecv';
    if (pick % 3 === 0) pending.acceptProvisional(received.provisionalAnswer());
    pending.accept(received.answer());
  },
  drain: (own: End) => {
    own.rtc.handleInput({ type: 'timeout', now: own.rtc.inspect().now + 1 });
    events(own.rtc);
  },
};

const steps = fc.array(
  fc.record<Step>({
    name: fc.oneof(
      fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])),
      fc.constantFrom<keyof typeof STEPS>(
        'offer',
        'commit',
        'receive',
        'answer',
        'provisionalAnswer',
        'exchange',
      ),
      fc.constantFrom<keyof typeof STEPS>('receive', 'answer', 'exchange'),
    ),
    isSecond: fc.boolean(),
    pick: fc.nat(30),
  }),
  { maxLength: 60, size: 'max' },
);

/** Does a step; one that throws must have changed nothing. */
function perform(ends: readonly [End, End], { name, isSecond, pick }: Step): void {
  const [own, peer] = isSecond ? [ends[1], ends[0]] : ends;
  const before = shown(own.rtc);
  const isOneCall = name !== 'exchange' && name !== 'choose';
  // Receiving refuses too many restarts, and counts them.
  const counted = /"restartsRefused":\d+/;
  try {
    STEPS[name](own, peer, pick);
  } catch (error) {
    if (!(error instanceof RtcError) || error.code === 'ERR_INTERNAL') throw error;
    if (isOneCall) expect(shown(own.rtc).replace(counted, '')).toBe(before.replace(counted, ''));
  }
}

function requireWhole({ rtc, media }: End): void {
  const { sections } = rtc.inspect().negotiation;
  const mids = sections.map(({ mid }) => mid);
  expect(new Set(mids).size).toBe(mids.length);
  for (const one of rtc.media) expect(one.stopped).toBe(false);
  for (const one of media) if (one.stopped) expect([one.mid, one.parameters]).toEqual([undefined, undefined]);
  const live = rtc.media.map(({ mid }) => mid).filter((mid) => mid !== undefined);
  expect(new Set(live).size).toBe(live.length);
}

/** Whatever is under way is taken back or finished; then both agree in one exchange each way. */
function settle([a, b]: readonly [End, End]): void {
  for (const { rtc, pending, received } of [a, b]) {
    for (const one of received) if (rtc.signalingState === 'have-remote-offer') attempt(() => one.dismiss());
    for (const one of pending) attempt(() => one.rollback());
  }
}

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof RtcError)) throw error;
  }
}

/** Steps that only wish something; a restart stays wanted. */
const WISHES: readonly (keyof typeof STEPS)[] = [
  'draft',
  'addMedia',
  'addChannel',
  'setDirection',
  'setCodecs',
  'stop',
  'write',
];

/** Credentials that have been shown are not shown again by another restart. */
function comparable(rtc: Rtc): string {
  const offer = nextOffer(rtc);
  const { restartWanted } = rtc.inspect().negotiation;
  return restartWanted ? offer.replaceAll(/^(a=ice-(?:ufrag|pwd)):.*$/gm, '$1') : offer;
}

function negotiationOf(rtc: Rtc): unknown {
  return { ...rtc.inspect().negotiation, nextVersion: 0 };
}

function describeMedia({ kind, mid, direction, currentDirection, stopped }: Media): unknown {
  return [kind, mid, direction, currentDirection, stopped];
}

describe('any order of calls', () => {
  it('throws or changes, keeps mids apart, and nothing that ended comes back', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, polite) => {
        const ends = [end(makeSignaller({ polite }, 1)), end(makeSignaller({ polite: !polite }, 2))] as const;
        const counts = [0, 0];
        const ended = new Set<Media>();
        for (const step of list) {
          perform(ends, step);
          for (const [index, one] of ends.entries()) {
            requireWhole(one);
            const { length } = one.rtc.inspect().negotiation.sections;
            expect(length).toBeGreaterThanOrEqual(counts[index] ?? 0);
            counts[index] = length;
            for (const media of one.media) if (media.stopped) ended.add(media);
          }
          for (const media of ended) expect(media.stopped).toBe(true);
        }
        settle(ends);
        for (const { rtc } of ends) {
          expect(rtc.signalingState).toMatch(/^stable$|pranswer$/);
          rtc.close();
          expect(rtc.media).toEqual([]);
        }
      }),
      { numRuns: howMany(50, 1000) },
    );
  });

  it('an offer that is taken back has never been: what comes next is the same to the letter', () => {
    fc.assert(
      fc.property(steps, steps, (list, more) => {
        const ends = [end(makeSignaller({ polite: true }, 1)), end(makeSignaller({}, 2))] as const;
        for (const step of list) perform(ends, step);
        settle(ends);
        const { rtc } = ends[0];
        // Answers that were delivered late or never may have left the ends at odds: then as it is.
        attempt(() => exchange(rtc, ends[1].rtc));
        attempt(() => rtc.negotiation().write().commit().rollback());
        if (rtc.signalingState !== 'stable') return;
        events(rtc);
        const before = [comparable(rtc), negotiationOf(rtc), rtc.media.map(describeMedia)];
        const draft = rtc.negotiation();
        const own = end(rtc);
        own.drafts.push(draft);
        for (const step of more) if (WISHES.includes(step.name)) perform([own, ends[1]], step);
        own.drafts[0]?.offer().rollback();
        events(rtc);
        expect([comparable(rtc), negotiationOf(rtc), rtc.media.map(describeMedia)]).toEqual(before);
      }),
      { numRuns: howMany(30, 500) },
    );
  });

  it('is done again by a replay, byte for byte', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, polite) => {
        const { rtc, recorder } = recordRtc({ seed: 3, polite });
        rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.3', port: 5000 });
        const ends = [end(rtc), end(makeSignaller({ polite: !polite }, 2))] as const;
        for (const step of list) perform(ends, step);
        events(rtc);
        const outcome = replay(formatTrace(recorder.trace));
        expect(outcome.identical ? '' : outcome.divergence.message).toBe('');
        expect(outcome.rtc.inspect().negotiation).toEqual(rtc.inspect().negotiation);
      }),
      { numRuns: howMany(20, 300) },
    );
  });
});
