/** Connections without data channels: connected once ICE and DTLS are, and no SCTP until data is agreed on. */
import { describe, expect, test } from 'vitest';
import { closedReason, makeUnsignalledPair } from './pair.ts';
import {
  BOTH,
  connectedWithoutData,
  heard,
  openData,
  parametersOf,
  sctpPackets,
  startBoth,
} from './plain-ends.ts';

describe('a connection without data', () => {
  test('is connected, sends no INIT, arms no timer of SCTP, and stays', () => {
    const pair = connectedWithoutData();
    pair.net.advance(120_000);
    for (const end of [pair.offerer, pair.answerer]) {
      const { connectionState, data, sctp, channels } = end.rtc.inspect();
      expect(connectionState).toBe('connected');
      expect(data).toEqual({ state: 'none', associations: 0 });
      expect(sctp).toMatchObject({ state: 'new', timers: {} });
      expect(channels.timers).toEqual({});
      expect(sctpPackets(end)).toBe(0);
      expect(heard(end, 'sctpstatechange')).toEqual([]);
      expect(end.rtc.inspect().counters.droppedSctp).toBe(0);
    }
  });

  test.each(['close', 'shutdown'] as const)('%s() ends it in order at both ends', (method) => {
    const { net, offerer, answerer } = connectedWithoutData();
    const waiting = offerer.rtc.createChannel('never');
    offerer.rtc[method]();
    net.advance(1000);
    expect(closedReason(offerer)).toMatchObject({ code: 'local-close' });
    expect(closedReason(answerer)).toMatchObject({ layer: 'dtls', code: 'remote-close' });
    expect(waiting.readyState).toBe('closed');
    for (const { rtc } of [offerer, answerer]) expect(rtc.isEmpty).toBe(true);
  });

  test('with a lite end, which sends no checks: it has a deadline all the same', () => {
    const { net, offerer, answerer } = connectedWithoutData({
      conditions: { latency: 20 },
      answerer: { iceLite: true },
    });
    net.advance(60_000);
    expect(answerer.rtc.connectionState).toBe('connected');
    offerer.peer.detach();
    net.advance(120_000);
    expect(closedReason(answerer)).toMatchObject({ code: 'path-down', gate: 'pathDown' });
  });

  test('a peer that is gone is missed by ICE', () => {
    const { net, offerer, answerer } = connectedWithoutData();
    answerer.peer.detach();
    net.advance(120_000);
    expect(closedReason(offerer)).toMatchObject({ code: 'path-down', gate: 'pathDown' });
  });

  test.each(BOTH)('data that comes later: channels of the %s open', (who) => {
    const pair = connectedWithoutData();
    pair.net.advance(5000);
    const chat = openData(pair, 'chat', who);
    chat.send('hello');
    pair.net.advance(1000);
    const other = who === 'offerer' ? pair.answerer : pair.offerer;
    expect(other.messages.get('chat')).toEqual(['hello']);
    expect(heard(other, 'sctpstatechange').map(({ state }) => state)).toEqual(['connecting', 'connected']);
  });

  test('channels made before data is agreed on wait for it, negotiated ones too', () => {
    const pair = connectedWithoutData();
    const { offerer, answerer } = pair;
    const early = offerer.rtc.createChannel('early');
    const arranged = [offerer, answerer].map(({ rtc }) =>
      rtc.createChannel('arranged', { negotiated: true, id: 7 }),
    );
    pair.net.advance(60_000);
    for (const channel of [early, ...arranged]) expect(channel.readyState).toBe('connecting');
    openData(pair, 'another');
    pair.net.advance(1000);
    for (const channel of [early, ...arranged]) expect(channel.readyState).toBe('open');
  });

  test('an INIT that overtakes the word that data is agreed on is dropped and counted, and costs no time', () => {
    const pair = connectedWithoutData();
    const { net, offerer, answerer } = pair;
    const chat = answerer.rtc.createChannel('chat');
    answerer.rtc.openData();
    net.advance(100);
    expect(offerer.rtc.inspect()).toMatchObject({
      data: { state: 'none' },
      sctp: { state: 'new', timers: {} },
    });
    expect(offerer.rtc.inspect().counters.droppedSctp).toBe(1);
    offerer.rtc.openData();
    const { reason } = net.run({ until: () => chat.readyState === 'open', limit: 200 });
    // INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, then OPEN and ACK: no retransmission timer is in it.
    expect(reason).toBe('condition');
  });

  test('a peer that is never told sends INITs in vain, and gives up by its own gate', () => {
    const { net, offerer, answerer } = connectedWithoutData();
    answerer.rtc.openData();
    net.advance(40_000);
    expect(closedReason(answerer)).toMatchObject({
      layer: 'sctp',
      code: 'connect-timeout',
      gate: 'sctpConnect',
    });
    expect(offerer.rtc.inspect().counters.droppedSctp).toBeGreaterThan(3);
    expect(closedReason(offerer)).toMatchObject({ code: 'remote-close' });
  });
});

describe('data by default', () => {
  test('parameters that say nothing of data have it, as ever', () => {
    const pair = makeUnsignalledPair();
    const chat = pair.offerer.rtc.createChannel('chat');
    startBoth(pair);
    pair.net.advance(3000);
    expect(chat.readyState).toBe('open');
    expect(pair.answerer.rtc.inspect().data).toEqual({ state: 'open', associations: 1 });
  });

  test('what is no flag is refused', () => {
    const { offerer, answerer } = makeUnsignalledPair();
    const parameters = parametersOf(answerer, 1);
    expect(() => {
      offerer.rtc.start({ ...parameters, data: 'no' as unknown as boolean });
    }).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});
