/** F2a, F2c: what the host does not take shuts the window, whole connections through; nothing is lost, nothing waits for ever. */
import { describe, expect, test } from 'vitest';
import type { RtcEvent } from '../../src/index.ts';
import { channel, closedReason, makeOpenPair } from './pair.ts';

/** Sends until the buffer is full or `limit` bytes are accepted; the bytes accepted. */
function flood(chat: ReturnType<typeof channel>, limit: number): number {
  let accepted = 0;
  while (accepted < limit && chat.send(new Uint8Array(10_000))) accepted += 10_000;
  return accepted;
}

function received(messages: readonly (string | Uint8Array)[] = []): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}

const WINDOW = 262_144;

describe('pauseReading', () => {
  test('the peer is held back by the window; resumeReading lets everything through, in order', () => {
    const pair = makeOpenPair({ conditions: { latency: 10 }, answerer: { sctp: { receiveWindow: WINDOW } } });
    const { net, offerer, answerer } = pair;
    channel(answerer).pauseReading();
    const total = flood(channel(offerer), 1_000_000);
    net.advance(20_000);
    expect(answerer.messages.get('chat')).toBeUndefined();
    expect(channel(offerer).bufferedAmount).toBeGreaterThan(total - 2 * WINDOW);
    channel(answerer).resumeReading();
    net.run({ until: () => received(answerer.messages.get('chat')) === total, limit: 30_000 });
    expect(received(answerer.messages.get('chat'))).toBe(total);
    expect(closedReason(offerer)).toBeUndefined();
  });

  test('for ever: readerStalled ends the connection, and what had arrived is given out', () => {
    const pair = makeOpenPair({ conditions: { latency: 10 }, answerer: { sctp: { receiveWindow: WINDOW } } });
    const { net, offerer, answerer } = pair;
    channel(answerer).pauseReading();
    flood(channel(offerer), 1_000_000);
    const startedAt = net.now;
    net.run({ until: () => closedReason(answerer) !== undefined, limit: 120_000 });
    expect(closedReason(answerer)).toMatchObject({ gate: 'readerStalled', elapsed: 60_000 });
    expect(net.now - startedAt).toBeLessThan(63_000);
    expect(received(answerer.messages.get('chat'))).toBeGreaterThan(WINDOW * 0.8);
    net.advance(1000);
    expect(closedReason(offerer)).toMatchObject({ layer: 'sctp' });
    for (const { rtc } of [offerer, answerer]) {
      expect(rtc.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
    }
  });
});

test('sendbufferlow: who was refused hears when there is room', () => {
  const pair = makeOpenPair({ conditions: { latency: 10 }, offerer: { sctp: { sendBuffer: 262_144 } } });
  const { net, offerer, answerer } = pair;
  const total = flood(channel(offerer), Infinity);
  expect(channel(offerer).send(new Uint8Array(10_000))).toBe(false);
  net.run({ until: () => offerer.events.some(({ type }) => type === 'sendbufferlow'), limit: 5000 });
  expect(channel(offerer).send('more')).toBe(true);
  net.run({ until: () => answerer.messages.get('chat')?.includes('more') === true, limit: 5000 });
  expect(received(answerer.messages.get('chat'))).toBe(total + 4);
});

describe('outcomes', () => {
  const outcomes = (events: readonly RtcEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'messageoutcome' ? [`${event.id} ${event.outcome}`] : []));

  test('acknowledged, expired, and discarded with the connection: once each, before channelclose', () => {
    const { net, offerer, answerer } = makeOpenPair({ conditions: { latency: 10 } });
    channel(offerer).send('a', { id: 'a' });
    net.advance(500);
    answerer.peer.detach();
    channel(offerer).send(new Uint8Array(60_000), { id: 'large' });
    channel(offerer).send('late', { id: 'late', maxPacketLifeTime: 100 });
    net.advance(1000);
    expect(outcomes(offerer.events)).toEqual(['a acknowledged', 'late expired']);
    for (let i = 0; i < 1000; i++) channel(offerer).send('x', { id: i });
    offerer.rtc.close();
    net.advance(10);
    expect(outcomes(offerer.events)).toEqual([
      'a acknowledged',
      'late expired',
      'large discarded',
      ...Array.from({ length: 1000 }, (_, i) => `${i} discarded`),
    ]);
    expect(offerer.events.slice(-4).map(({ type }) => type)).toContain('channelclose');
    expect(offerer.events.at(-1)?.type).toBe('closed');
  });
});
