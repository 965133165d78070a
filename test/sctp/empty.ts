/** What "nothing is held afterwards" means of an association that has closed. */
import { expect } from 'vitest';
import type { SctpAssociation } from '../../src/sctp/index.ts';
import { events, inspect, sent } from './pair.ts';

/** Polls what is left, then looks: no timer, no queue, no byte, and nothing that time could still bring. */
export function expectNothingHeld(a: SctpAssociation, now: number): void {
  events(a);
  sent(a);
  const { state, timers, nextTimeout, events: queued, send, receive, resets } = inspect(a);
  expect({ state, timers, nextTimeout, queued }).toEqual({
    state: 'closed',
    timers: {},
    nextTimeout: null,
    queued: 0,
  });
  expect(send).toMatchObject({
    bufferedBytes: 0,
    streams: 0,
    outstandingChunks: 0,
    unackedBytes: 0,
    flightBytes: 0,
    lostChunks: 0,
  });
  if (receive !== null) {
    expect(receive).toMatchObject({
      usedBytes: 0,
      fragments: 0,
      openMessages: 0,
      deferredChunks: 0,
      streams: 0,
      ignoredStreams: 0,
    });
  }
  expect(resets).toEqual({ inFlight: [], overdue: false, waiting: 0 });
  expect(a.nextTimeout()).toBe(Infinity);
  expect(a.timeoutReason()).toBeUndefined();
  a.handleTimeout(now + 3_600_000);
  expect([a.pollTransmit(), a.pollEvent(), a.nextTimeout()]).toEqual([undefined, undefined, Infinity]);
}
