/** F2a, F2b, F1f: a peer that vanishes at any stage ends in `closed` with a reason, within its gate, and nothing is left. */
import { describe, expect, test } from 'vitest';
import type { End, Pair } from './pair.ts';
import { channel, closedReason, makeOpenPair, makePair, makeUnsignalledPair } from './pair.ts';

/** Runs until `survivor` has closed and answers how long that took, in virtual milliseconds. */
function timeToClose({ net }: Pair, survivor: End): number {
  const start = net.now;
  const outcome = net.run({ until: () => closedReason(survivor) !== undefined, limit: 120_000 });
  expect(outcome.reason).toBe('condition');
  return net.now - start;
}

function expectNothingLeft(end: End): void {
  const state = end.rtc.inspect();
  expect(end.rtc.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
  expect(state.timeout.at).toBeNull();
  expect(state.queued).toEqual({ events: 0, farewells: 0 });
  for (const layer of [state.ice, state.sctp, state.channels, state.dtls ?? {}]) {
    expect((layer as { timers?: object }).timers ?? {}).toEqual({});
  }
  for (const { bufferedAmount } of end.channels.values()) expect(bufferedAmount).toBe(0);
}

/** Runs until `survivor` has been told `type` (with `state`), then kills the other end without a word. */
function vanishAt(pair: Pair, survivor: End, vanishing: End, type: string, state: string): void {
  const { net } = pair;
  const seen = (): boolean =>
    survivor.events.some((event) => event.type === type && 'state' in event && event.state === state);
  expect(net.run({ until: seen }).reason).toBe('condition');
  vanishing.peer.detach();
}

const stages = [
  { name: 'before it has answered a single check', at: undefined, gate: 'iceConnect', within: 30_000 },
  {
    name: 'after ICE, before DTLS',
    at: ['iceconnectionstatechange', 'connected'],
    gate: 'dtlsHandshake',
    within: 15_000,
  },
  {
    name: 'after DTLS, before SCTP',
    at: ['dtlsstatechange', 'connected'],
    gate: 'sctpConnect',
    // The client's last flight of DTLS 1.3 is not acknowledged.
    answererGate: 'dtlsHandshake',
    within: 30_000,
  },
  // Down since nothing has answered for five seconds; ICE fails on the way, and a restart might still revive it.
  { name: 'after SCTP', at: ['sctpstatechange', 'connected'], gate: 'pathDown', within: 65_000 },
] as const;

describe('a peer that vanishes', () => {
  for (const stage of stages) {
    const { name, at, within } = stage;
    test.each(['offerer', 'answerer'] as const)(
      `F2b: ${name}: the %s closes by its gate, ${stage.gate} or earlier`,
      (who) => {
        const gate = who === 'answerer' && 'answererGate' in stage ? stage.answererGate : stage.gate;
        const pair = makePair({ conditions: { latency: 20 } });
        const [survivor, vanishing] =
          who === 'offerer' ? [pair.offerer, pair.answerer] : [pair.answerer, pair.offerer];
        if (at === undefined) vanishing.peer.detach();
        else vanishAt(pair, survivor, vanishing, at[0], at[1]);
        const elapsed = timeToClose(pair, survivor);
        const reason = closedReason(survivor);
        expect(reason?.gate).toBe(gate);
        expect(reason?.elapsed).toBeGreaterThan(0);
        expect(elapsed).toBeLessThanOrEqual(within + 6000); // one consent interval of slack
        expect(survivor.rtc.connectionState).toBe('failed');
        expectNothingLeft(survivor);
      },
    );
  }

  test('F2b: during a transfer: messages queued and in flight, consent expires, and nobody restarts ICE', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net, offerer, answerer } = pair;
    for (let i = 0; i < 50; i++) channel(offerer).send(new Uint8Array(60_000));
    net.advance(100);
    answerer.peer.detach();
    const elapsed = timeToClose(pair, offerer);
    expect(closedReason(offerer)).toMatchObject({ layer: 'rtc', gate: 'pathDown' });
    expect(elapsed).toBeLessThanOrEqual(71_000);
    expect(offerer.events.some((event) => event.type === 'channelclose' && event.failure !== undefined)).toBe(
      true,
    );
    expectNothingLeft(offerer);
  });

  test('F2b: the SCTP stack of the peer hangs while ICE goes on: dataProgress', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net, offerer, answerer } = pair;
    channel(offerer).send(new Uint8Array(60_000));
    net.advance(1);
    answerer.tap.carries = (data): boolean => (data[0] ?? 255) < 4;
    const elapsed = timeToClose(pair, offerer);
    expect(closedReason(offerer)).toMatchObject({ layer: 'sctp', gate: 'dataProgress' });
    expect(elapsed).toBeGreaterThanOrEqual(29_000);
    expect(elapsed).toBeLessThanOrEqual(32_000);
    expectNothingLeft(offerer);
  });

  test('F1b: both ends are DTLS clients: both end, and say so, long before the handshake deadline', () => {
    const pair = startByHand('client', 'client');
    timeToClose(pair, pair.offerer);
    expect(closedReason(pair.offerer)?.code).toContain('role-conflict');
    expect(pair.net.now).toBeLessThan(5000);
    pair.net.advance(20_000);
    expect(closedReason(pair.answerer)?.layer).toBe('dtls');
  });

  test('F1b: both ends are DTLS servers: a warning, then the end at the deadline', () => {
    const pair = startByHand('server', 'server');
    timeToClose(pair, pair.offerer);
    const reason = closedReason(pair.offerer);
    expect(reason).toMatchObject({ layer: 'dtls', gate: 'dtlsHandshake' });
    expect(pair.offerer.events.some(({ type }) => type === 'warning')).toBe(true);
    expect(pair.net.now).toBeLessThan(16_000);
    expectNothingLeft(pair.offerer);
  });

  test('a path that is cut for 14 s and heals: disconnected, then connected, nothing lost', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net, offerer, answerer } = pair;
    for (let i = 0; i < 20; i++) channel(offerer).send(String(i));
    net.partition([offerer.host]);
    net.advance(14_000);
    expect(offerer.rtc.connectionState).toBe('disconnected');
    net.heal();
    net.advance(10_000);
    expect(offerer.rtc.connectionState).toBe('connected');
    expect(answerer.messages.get('chat')).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  test('F5b: a host frozen for 15 s comes back and goes on', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net, offerer, answerer } = pair;
    net.advance(1000);
    offerer.host.freeze(15_000);
    net.advance(16_000);
    const before = net.datagrams.length;
    net.advance(100);
    expect(net.datagrams.length - before).toBeLessThan(50); // one late timeout, no storm
    channel(offerer).send('back');
    channel(answerer).send('welcome');
    net.advance(5000);
    expect(answerer.messages.get('chat')).toEqual(['back']);
    expect(offerer.messages.get('chat')).toEqual(['welcome']);
    expect(offerer.rtc.connectionState).toBe('connected');
  });
});

function startByHand(offererRole: 'client' | 'server', answererRole: 'client' | 'server'): Pair {
  const pair = makeUnsignalledPair({ conditions: { latency: 10 } });
  const { offerer: a, answerer: b } = pair;
  a.rtc.start({ ...b.rtc.localParameters, iceRole: 'controlling', dtlsRole: offererRole });
  b.rtc.start({ ...a.rtc.localParameters, iceRole: 'controlled', dtlsRole: answererRole });
  for (const candidate of b.rtc.localCandidates) a.rtc.addRemoteCandidate(candidate);
  return pair;
}
