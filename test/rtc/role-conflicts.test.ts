/**
 * F1b F1f: what a connection says when its ends do not agree who is DTLS client, or one of them says nothing: on a
 * simulated network, with paths that ICE has proved. None of it hangs, each has a name, and the text says who should do
 * what.
 */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Failure } from '../../src/core/errors.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import type { End, Pair } from './pair.ts';
import { closedReason, makeOpenPair, makeUnsignalledPair, runUntilOpen } from './pair.ts';

const crypto = nodeCrypto();

/** Both ends are told their roles by hand. */
function startByHand(pair: Pair, a: DtlsRole, b: DtlsRole): void {
  const { offerer, answerer } = pair;
  offerer.rtc.createChannel('chat');
  offerer.rtc.start({ ...answerer.rtc.localParameters, iceRole: 'controlling', dtlsRole: a });
  answerer.rtc.start({ ...offerer.rtc.localParameters, iceRole: 'controlled', dtlsRole: b });
  for (const candidate of answerer.rtc.localCandidates) offerer.rtc.addRemoteCandidate(candidate);
  for (const candidate of offerer.rtc.localCandidates) answerer.rtc.addRemoteCandidate(candidate);
}

/** An exchange in which the answer's `a=setup` is turned round on its way. */
function signalTurned(pair: Pair): void {
  const draft = pair.offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  const answer = pair.answerer.rtc.receiveOffer(offer.sdp).answer();
  const said = answer.includes('a=setup:active') ? 'active' : 'passive';
  offer.accept(answer.replace(`a=setup:${said}`, `a=setup:${said === 'active' ? 'passive' : 'active'}`));
}

function warnings(end: End): Failure[] {
  return end.events.flatMap((event) => (event.type === 'warning' ? [event.failure] : []));
}

/** When DTLS began, which is when the path was proved. */
function dtlsStart(end: End): number {
  return end.events.find((event) => event.type === 'dtlsstatechange')?.at ?? NaN;
}

function isDtls(data: Uint8Array): boolean {
  return (data[0] ?? 0) >= 20 && (data[0] ?? 0) <= 63;
}

describe('both active', () => {
  const fix =
    /Both peers act as DTLS client .*One side must be passive: check that the answer's a=setup is the complement/;

  test('F1b by hand: both ends know it within a second, not at the deadline', () => {
    const pair = makeUnsignalledPair({ crypto });
    startByHand(pair, 'client', 'client');
    pair.net.run({ limit: 2000 });
    for (const end of [pair.offerer, pair.answerer]) {
      expect(closedReason(end)).toMatchObject({ code: 'role-conflict-both-active' });
      expect(closedReason(end)?.message).toMatch(fix);
      expect(end.events.at(-1)?.at).toBeLessThan(dtlsStart(end) + 1000);
      expect(end.rtc.isEmpty).toBe(true);
    }
    expect(warnings(pair.offerer).concat(warnings(pair.answerer)).length).toBeGreaterThan(0);
  });

  test('F1b through SDP: the text quotes what each description said', () => {
    const pair = makeUnsignalledPair({ crypto });
    signalTurned(pair);
    expect(pair.offerer.rtc.inspect().negotiation.dtlsRole).toBe('client');
    expect(pair.answerer.rtc.inspect().negotiation.dtlsRole).toBe('client');
    pair.net.run({ limit: 2000 });
    expect(closedReason(pair.offerer)?.message).toMatch(fix);
    expect(closedReason(pair.offerer)?.message).toContain('local a=setup:actpass, remote a=setup:passive');
    expect(closedReason(pair.answerer)?.message).toContain('local a=setup:active, remote a=setup:actpass');
  });
});

describe('both passive', () => {
  test.each(['by hand', 'through SDP'])('F1b %s: a warning after 3 s, the end at 15 s', (how) => {
    const pair = makeUnsignalledPair({ crypto, answerer: { setup: 'passive' } });
    if (how === 'by hand') startByHand(pair, 'server', 'server');
    else signalTurned(pair);
    pair.net.run({ limit: 20_000 });
    const at = (end: End, type: string): number =>
      (end.events.find((event) => event.type === type)?.at ?? NaN) - dtlsStart(end);
    const { offerer, answerer } = pair;
    expect([at(offerer, 'warning'), at(answerer, 'warning')]).toEqual([3000, 3000]);
    expect(Math.min(at(offerer, 'closed'), at(answerer, 'closed'))).toBe(15_000);
    expect(warnings(answerer)[0]).toMatchObject({ code: 'role-conflict-both-passive' });
    expect(warnings(answerer)[0]?.message).toMatch(
      /One side must be active: check that the answer's a=setup/,
    );
    // The offerer has been told that its peer is active, so it blames peer and path.
    const code = how === 'by hand' ? 'role-conflict-both-passive' : 'no-client-hello';
    expect(warnings(offerer)[0]).toMatchObject({ code });
    const [first] = [offerer, answerer].filter((end) => closedReason(end)?.gate === 'dtlsHandshake');
    expect(closedReason(first ?? offerer)).toMatchObject({ gate: 'dtlsHandshake', elapsed: 15_000 });
  });
});

describe('no response', () => {
  test('F1f STUN flows and DTLS does not: said after 3 s, with what was sent, and ended at 15 s', () => {
    const pair = makeUnsignalledPair({ crypto });
    pair.answerer.tap.carries = (data) => !isDtls(data);
    startByHand(pair, 'client', 'server');
    pair.net.run({ limit: 20_000 });
    expect(warnings(pair.offerer)[0]?.message).toMatch(
      /No answer to our ClientHello for 3000 ms \(\d+ datagrams, \d+ bytes sent;.*Check that the peer acts as DTLS server/,
    );
    expect(closedReason(pair.offerer)).toMatchObject({
      code: 'no-response',
      gate: 'dtlsHandshake',
      elapsed: 15_000,
    });
  });

  test("F1f the peer's ClientHello never comes: the active peer or the path is to blame", () => {
    const pair = makeUnsignalledPair({ crypto });
    pair.answerer.tap.carries = (data) => !isDtls(data);
    const draft = pair.offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
    pair.net.run({ limit: 20_000 });
    expect(closedReason(pair.offerer)?.message).toMatch(
      /No ClientHello for \d+ ms .*The peer is active and should have sent one: check that it applied our description/,
    );
  });

  test('F1f our own packets come back from a mirror: no conflict, and counted', () => {
    const pair = makeUnsignalledPair({ crypto });
    const { offerer, answerer, net } = pair;
    const own: Uint8Array[] = [];
    offerer.tap.carries = (data) => {
      if (isDtls(data)) own.push(data);
      return !isDtls(data);
    };
    offerer.tap.input = (input, pass): void => {
      pass();
      if (input.type !== 'receive') return;
      for (const data of own.splice(0)) offerer.rtc.handleInput({ ...input, data });
    };
    startByHand(pair, 'client', 'server');
    net.run({ limit: 10_000 });
    const { dtls } = offerer.rtc.inspect();
    expect(dtls?.counters.hellosReflected).toBeGreaterThan(1);
    expect(dtls?.handshake.suspectsRoleConflict).toBe(false);
    expect(warnings(offerer).map(({ code }) => code)).toEqual(['no-response']);
    expect(answerer.rtc.inspect().dtls?.state).toBe('connecting');
  });
});

describe('a ClientHello that comes too early', () => {
  test('F1c is kept, and answered in the instant in which the path becomes valid', () => {
    const pair = makeUnsignalledPair({ crypto });
    const { offerer, answerer, net } = pair;
    // The server's own checks are lost until the client, whose path is valid first, has sent its hello.
    let isHelloSent = false;
    let mostKept = 0;
    let answeredAt = NaN;
    answerer.tap.carries = (data) => {
      isHelloSent ||= isDtls(data);
      return true;
    };
    offerer.tap.carries = (data) => {
      if (isDtls(data) && Number.isNaN(answeredAt)) answeredAt = net.now;
      return isHelloSent || isDtls(data) || (data[0] === 1 && data[1] === 1);
    };
    offerer.tap.input = (_, pass): void => {
      pass();
      mostKept = Math.max(mostKept, offerer.rtc.inspect().earlyDatagrams);
    };
    startByHand(pair, 'server', 'client');
    runUntilOpen(pair);
    expect(mostKept).toBeGreaterThan(0);
    expect(answeredAt).toBe(dtlsStart(offerer));
    expect(offerer.rtc.inspect().earlyDatagrams).toBe(0);
  });

  test('SEC-13 DTLS from where no check has come from is dropped unread', () => {
    const pair = makeOpenPair({ crypto });
    const { answerer } = pair;
    const hello = Uint8Array.of(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    answerer.rtc.handleInput({
      type: 'receive',
      now: pair.net.now,
      protocol: 'udp',
      source: { address: '203.0.113.9', port: 9 },
      destination: { address: '192.0.2.2', port: 5000 },
      data: hello,
    });
    expect(answerer.rtc.inspect().counters.droppedUnvalidatedPath).toBe(1);
    expect(answerer.rtc.inspect().dtls?.counters.plaintextIgnored).toBe(0);
  });
});

test('F1e inspect() shows role, setups, flights and retransmissions while a handshake is on its way', () => {
  const pair = makeUnsignalledPair({ crypto });
  pair.answerer.tap.carries = (data) => !isDtls(data);
  startByHand(pair, 'client', 'server');
  pair.net.run({
    until: () => (pair.offerer.rtc.inspect().dtls?.counters.retransmissions ?? 0) >= 3,
    limit: 15_000,
  });
  const { dtls, dtlsRole, setups } = pair.offerer.rtc.inspect();
  expect([dtlsRole, setups]).toEqual(['client', { local: null, remote: null }]);
  expect(dtls).toMatchObject({
    role: 'client',
    state: 'connecting',
    handshake: {
      state: 'await-server-hello',
      flight: { number: 1, transmissions: 4 },
      suspectsRoleConflict: false,
    },
    counters: { retransmissions: 3 },
    timers: { dtlsRetransmit: expect.any(Number), dtlsHandshake: expect.any(Number) },
  });
  expect(JSON.parse(JSON.stringify(dtls))).toEqual(dtls);
});
