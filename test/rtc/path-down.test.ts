/** The gate `pathDown`: how long a connection that was up may be without a path. */
import { describe, expect, it } from 'vitest';
import { makeOpenPair } from './pair.ts';
import type { End, Pair } from './pair.ts';

/** Consent that lasts, so that the connection is `disconnected` for long. */
const PATIENT = { ice: { consentTimeout: 300_000 } } as const;

function cut({ net, offerer, answerer }: Pair): void {
  net.partition([offerer.host], [answerer.host]);
}

function disconnectedAt({ events }: End): number {
  const event = events.find((one) => one.type === 'iceconnectionstatechange' && one.state === 'disconnected');
  return event?.at ?? NaN;
}

describe('the gate pathDown', () => {
  it('ends a connection that has had no path for 60 s, and says so', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 }, offerer: PATIENT, answerer: PATIENT });
    cut(pair);
    const { net, offerer } = pair;
    net.run({ limit: 200_000, until: () => offerer.rtc.isEmpty });
    const last = offerer.events.at(-1);
    expect(last).toMatchObject({
      type: 'closed',
      reason: { layer: 'rtc', code: 'path-down', gate: 'pathDown', elapsed: 60_000, peerSilentFor: 60_000 },
    });
    expect(last?.at).toBe(disconnectedAt(offerer) + 60_000);
  });

  it('has an option, and is named as the reason of the deadline', () => {
    const options = { ...PATIENT, pathDownTimeout: 3000 };
    const pair = makeOpenPair({ conditions: { latency: 20 }, offerer: options, answerer: PATIENT });
    cut(pair);
    const { net, offerer } = pair;
    net.run({ limit: 60_000, until: () => offerer.rtc.iceConnectionState === 'disconnected' });
    expect(offerer.rtc.inspect().gates).toEqual({ pathDown: net.now + 3000 });
    net.run({ limit: 60_000, until: () => offerer.rtc.isEmpty });
    expect(offerer.events.at(-1)).toMatchObject({ reason: { code: 'path-down', elapsed: 3000 } });
  });

  it('holds what waits for the peer, and lets it go on when the path is back', () => {
    const gates = { dataProgress: 8000 };
    const pair = makeOpenPair({
      conditions: { latency: 20 },
      offerer: { ...PATIENT, sctp: { gates } },
      answerer: PATIENT,
    });
    cut(pair);
    const { net, offerer, answerer } = pair;
    net.run({ limit: 60_000, until: () => offerer.rtc.iceConnectionState === 'disconnected' });
    offerer.channels.get('chat')?.send('still there?');
    net.run({ limit: net.now + 30_000 });
    expect(offerer.rtc.connectionState).toBe('disconnected');
    net.heal();
    net.run({ limit: net.now + 20_000, until: () => answerer.messages.has('chat') });
    expect(answerer.messages.get('chat')).toEqual(['still there?']);
    expect(offerer.rtc.inspect().gates).toEqual({});
    expect(offerer.rtc.connectionState).toBe('connected');
  });

  it('holds what channels wait for, too: an OPEN, a close, and those that are begun meanwhile', () => {
    // Longer than it takes until the connection is `disconnected`.
    const gates = { openAck: 15_000 };
    const pair = makeOpenPair({
      conditions: { latency: 20 },
      offerer: { ...PATIENT, channels: { gates } },
      answerer: PATIENT,
    });
    const { net, offerer, answerer } = pair;
    cut(pair);
    const early = offerer.rtc.createChannel('early');
    offerer.channels.get('chat')?.send('the last word');
    offerer.channels.get('chat')?.close();
    net.run({ limit: 60_000, until: () => offerer.rtc.iceConnectionState === 'disconnected' });
    net.advance(10_000);
    const late = offerer.rtc.createChannel('late');
    net.advance(10_000);
    expect(offerer.rtc.iceConnectionState).toBe('disconnected');
    net.heal();
    net.run({ limit: 20_000, until: () => late.readyState === 'open' && early.readyState === 'open' });
    net.advance(2000);
    expect([early, late].map(({ readyState }) => readyState)).toEqual(['open', 'open']);
    expect(answerer.messages.get('chat')).toEqual(['the last word']);
    expect(offerer.events.filter(({ type }) => type === 'channelerror')).toEqual([]);
    expect(offerer.rtc.inspect().channels.timers).toEqual({});
  });

  it('has no deadline where it is switched off, and the connection waits to be restarted', () => {
    const options = { pathDownTimeout: Infinity };
    const pair = makeOpenPair({ conditions: { latency: 20 }, offerer: options, answerer: options });
    const { net, offerer, answerer } = pair;
    cut(pair);
    net.advance(600_000);
    expect(offerer.rtc.connectionState).toBe('failed');
    net.heal();
    offerer.rtc.restartIce();
    const offer = offerer.rtc.negotiation().offer();
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    net.advance(5000);
    expect([offerer, answerer].map(({ rtc }) => rtc.connectionState)).toEqual(['connected', 'connected']);
  });

  it('is not armed before the connection was up', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    expect(pair.offerer.rtc.inspect().gates).toEqual({});
  });
});
