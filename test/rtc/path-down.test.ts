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

  it('is not armed before the connection was up', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    expect(pair.offerer.rtc.inspect().gates).toEqual({});
  });
});
