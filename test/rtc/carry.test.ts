/** Nothing that a layer has said stays where nobody has carried it, whoever made it speak, inside of a drain or outside. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataChannel, Rtc } from '../../src/index.ts';
import { makePair, makeUnsignalledPair } from './pair.ts';

describe('an event that a call brings about', () => {
  it('B4: two lite ends connect, though a candidate is trickled after the start', () => {
    const { net, offerer, answerer } = makeUnsignalledPair({
      offerer: { iceLite: true },
      answerer: { iceLite: true },
    });
    const draft = offerer.rtc.negotiation();
    const channel = draft.addChannel('x');
    const offer = draft.offer();
    const withoutCandidates = offer.sdp.replace(/a=candidate.*\r\n/g, '');
    offer.accept(answerer.rtc.receiveOffer(withoutCandidates).answer());
    net.run({ limit: 500 });
    for (const candidate of offerer.rtc.localCandidates) answerer.rtc.addRemoteCandidate(candidate);
    net.run({ limit: 10_000, until: () => channel.readyState === 'open' });
    expect(channel.readyState).toBe('open');
  });

  it('B5: bufferedamountlow is heard in the drain in which it comes up, not with the next input', () => {
    const { net, offerer, answerer } = makePair({ conditions: { latency: 50 } });
    offerer.tap.hears = (event) => {
      if (event.type === 'channelopen' || event.type === 'bufferedamountlow') {
        event.channel.send(new Uint8Array(1000));
      }
    };
    const received = (): number => answerer.messages.get('chat')?.length ?? 0;
    net.run({ limit: 3000, until: () => received() > 300 });
    // One message a round trip would be thirty of them.
    expect(received()).toBeGreaterThan(300);
  });
});

type Call = (rtc: Rtc) => void;

const CALLS: Readonly<Record<string, Call>> = {
  addLocalCandidate: (rtc) => {
    for (const candidate of rtc.localCandidates) rtc.addLocalCandidate({ ...candidate, type: 'host' });
  },
  addRemoteCandidate: (rtc) => rtc.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.99 99 typ host'),
  endOfCandidates: (rtc) => rtc.addRemoteCandidate(''),
  createChannel: (rtc) => rtc.createChannel('another'),
  negotiatedChannel: (rtc) => rtc.createChannel('pre-arranged', { negotiated: true, id: 100 }),
  offer: (rtc) => rtc.negotiation().offer(),
  offerAndRollBack: (rtc) => rtc.negotiation().offer().rollback(),
  close: (rtc) => rtc.close(),
};

const CHANNEL_CALLS: Readonly<Record<string, (channel: DataChannel) => void>> = {
  send: (channel) => channel.send('a word'),
  closeChannel: (channel) => channel.close(),
  pauseReading: (channel) => channel.pauseReading(),
  resumeReading: (channel) => channel.resumeReading(),
};

describe('no call leaves an event uncarried', () => {
  it('whatever is called, in whatever state, at once or inside of an event', () => {
    const call = fc.record({
      at: fc.integer({ min: 0, max: 700 }),
      name: fc.constantFrom(...Object.keys(CALLS), ...Object.keys(CHANNEL_CALLS)),
      end: fc.constantFrom('offerer' as const, 'answerer' as const),
    });
    fc.assert(
      fc.property(
        fc.array(call, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 20 }),
        (calls, liteOfferer, liteAnswerer, eventsUntilCall) => {
          // The simulator asserts `invariantViolation` after every step: an uncarried event is one.
          const pair = makePair({
            conditions: { latency: 20 },
            offerer: { iceLite: liteOfferer },
            answerer: { iceLite: liteAnswerer },
          });
          const perform = ({ name, end }: { name: string; end: 'offerer' | 'answerer' }): void => {
            const { rtc, channels } = pair[end];
            try {
              CALLS[name]?.(rtc);
              const chat = channels.get('chat');
              if (chat !== undefined) CHANNEL_CALLS[name]?.(chat);
            } catch (error) {
              // Misuse in this state: refused before anything has changed.
              expect(error).toMatchObject({ name: 'RtcError' });
            }
          };
          let heard = 0;
          const inside = calls.at(-1);
          for (const end of [pair.offerer, pair.answerer]) {
            end.tap.hears = () => {
              if (++heard === eventsUntilCall && inside !== undefined) perform(inside);
            };
          }
          for (const one of calls) pair.net.after(one.at, () => perform(one));
          pair.net.run({ limit: 2000 });
          expect(pair.offerer.rtc.invariantViolation()).toBeUndefined();
          expect(pair.answerer.rtc.invariantViolation()).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});
