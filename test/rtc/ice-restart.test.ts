/** ICE restart of whole connections (RFC 8445 §9, RFC 8839 §4.4.1.1.1, W3C restartIce): data goes on, both fragments lead home. */
import { describe, expect, test } from 'vitest';
import type { RtcEvent, RtcOptions } from '../../src/index.ts';
import { Endpoint, Rtc, SdpRefusal, SeededRandom, shardOf, shardUsernameFragment } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import type { End, Pair } from './pair.ts';
import {
  certificates,
  channel,
  closedReason,
  makeOpenPair,
  makePair,
  makeUnsignalledPair,
  runUntilOpen,
} from './pair.ts';

/** The offerer of the exchange restarts: both ends have new credentials afterwards. */
function exchange(offerer: End, answerer: End): { offer: string; answer: string } {
  const offer = offerer.rtc.negotiation().offer();
  const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
  offer.accept(answer);
  return { offer: offer.sdp, answer };
}

function fragmentOf(sdp: string): string {
  return /^a=ice-ufrag:(.*)$/m.exec(sdp)?.[1]?.trim() ?? '';
}

function ends(pair: Pair, who: 'offerer' | 'answerer'): [End, End] {
  return who === 'offerer' ? [pair.offerer, pair.answerer] : [pair.answerer, pair.offerer];
}

function count(end: End, type: RtcEvent['type']): number {
  return end.events.filter((event) => event.type === type).length;
}

const BOTH = ['offerer', 'answerer'] as const;

/** What a restart, and the data that goes on meanwhile, are told by. */
const EXPECTED = ['message', 'bufferedamountlow', 'negotiationneeded', 'iceconnectionstatechange'];

describe.each(BOTH)('the %s of the first exchange restarts', (who) => {
  test('new credentials at both ends, a new pair, and data goes on meanwhile', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const [restarting, other] = ends(pair, who);
    const before = [restarting, other].map(({ rtc }) => rtc.localParameters.ice.usernameFragment);
    const told = [restarting, other].map((end) => end.events.length);
    for (let i = 0; i < 50; i++) channel(restarting).send(`before ${String(i)}`);
    restarting.rtc.restartIce();
    const { offer, answer } = exchange(restarting, other);
    const after = [restarting, other].map(({ rtc }) => rtc.localParameters.ice.usernameFragment);
    expect([fragmentOf(offer), fragmentOf(answer)]).toEqual(after);
    expect(new Set([...before, ...after]).size).toBe(4);
    for (let i = 0; i < 50; i++) channel(other).send(`after ${String(i)}`);
    pair.net.advance(5_000);
    expect(other.messages.get('chat')).toHaveLength(50);
    expect(restarting.messages.get('chat')).toHaveLength(50);
    for (const [i, end] of [restarting, other].entries()) {
      const { ice, connectionState } = end.rtc.inspect();
      expect(connectionState).toBe('connected');
      expect(ice.selectedPair).toMatchObject({ state: 'succeeded' });
      expect(ice).not.toHaveProperty('previous');
      // DTLS, SCTP and channels notice nothing.
      const since = end.events.slice(told[i]).map(({ type }) => type);
      expect(since.filter((type) => !EXPECTED.includes(type))).toEqual([]);
    }
  });

  test('after the path has been gone for so long that ICE has failed: revived, and nothing is lost', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net } = pair;
    const [restarting, other] = ends(pair, who);
    net.partition([restarting.host]);
    for (let i = 0; i < 20; i++) channel(restarting).send(String(i));
    net.advance(45_000);
    for (const { rtc } of [restarting, other]) {
      expect(rtc.iceConnectionState).toBe('failed');
      expect(rtc.connectionState).toBe('failed');
    }
    const sent = net.datagrams.length;
    net.advance(2_000);
    expect(net.datagrams.length).toBe(sent);
    net.heal();
    restarting.rtc.restartIce();
    exchange(restarting, other);
    net.advance(5_000);
    for (const { rtc } of [restarting, other]) expect(rtc.connectionState).toBe('connected');
    expect(other.messages.get('chat')).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  test('nobody revives it: pathDown ends it, and says so', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const [restarting] = ends(pair, who);
    pair.net.partition([restarting.host]);
    pair.net.advance(80_000);
    expect(closedReason(restarting)).toMatchObject({
      layer: 'rtc',
      code: 'path-down',
      gate: 'pathDown',
      elapsed: 60_000,
    });
    expect(restarting.rtc.isEmpty).toBe(true);
  });

  test('a restart whose answer never comes is ended by pathDown once the old pair is gone', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const [restarting, other] = ends(pair, who);
    restarting.rtc.restartIce();
    restarting.rtc.negotiation().offer();
    pair.net.advance(120_000);
    expect(restarting.rtc.connectionState).toBe('connected');
    other.peer.detach();
    pair.net.advance(80_000);
    expect(closedReason(restarting)).toMatchObject({ gate: 'pathDown' });
  });

  test('rolled back: the old pair and its credentials, and the next offer restarts all the same', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const [restarting, other] = ends(pair, who);
    const before = restarting.rtc.localParameters.ice.usernameFragment;
    restarting.rtc.restartIce();
    const offer = restarting.rtc.negotiation().offer();
    expect(fragmentOf(offer.sdp)).not.toBe(before);
    offer.rollback();
    expect(restarting.rtc.localParameters.ice.usernameFragment).toBe(before);
    pair.net.advance(1_000);
    channel(restarting).send('still here');
    const again = exchange(restarting, other);
    expect(fragmentOf(again.offer)).not.toBe(before);
    pair.net.advance(2_000);
    expect(other.messages.get('chat')).toEqual(['still here']);
    expect(fragmentOf(exchange(restarting, other).offer)).toBe(fragmentOf(again.offer));
  });

  test('no pair of the restart works while the old one does: the old one stays, and a warning says so', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net } = pair;
    const [restarting, other] = ends(pair, who);
    restarting.rtc.restartIce();
    const { offer } = exchange(restarting, other);
    const fragments = new Set([fragmentOf(offer), other.rtc.localParameters.ice.usernameFragment]);
    // A network that passes what it knows, and no check of the new generation.
    for (const end of [restarting, other]) {
      end.tap.carries = (data) => !(data[0] === 0 && data[1] === 1 && namesOne(data, fragments));
    }
    net.advance(40_000);
    for (const end of [restarting, other]) {
      expect(end.rtc.connectionState).toBe('connected');
      const warning = end.events.find((event) => event.type === 'warning');
      expect(warning).toMatchObject({ failure: { code: 'ice-restart-failed', gate: 'iceConnect' } });
      end.tap.carries = () => true;
    }
    channel(restarting).send('as before');
    net.advance(1_000);
    expect(other.messages.get('chat')).toEqual(['as before']);
    // The credentials of before are agreed on no more: the next offer restarts by itself.
    exchange(restarting, other);
    net.advance(2_000);
    expect(restarting.rtc.inspect().ice.selectedPair).toBeDefined();
    expect(restarting.rtc.connectionState).toBe('connected');
  });

  test('a hundred restarts, some before the one before is done: one connection, two generations at the most', () => {
    const often = { maxRestartsPerMinute: 1000 };
    const pair = makeOpenPair({ conditions: { latency: 20 }, offerer: often, answerer: often });
    const [restarting, other] = ends(pair, who);
    for (let i = 0; i < 100; i++) {
      restarting.rtc.restartIce();
      exchange(restarting, other);
      expect(restarting.rtc.usernameFragments.length).toBeLessThanOrEqual(3);
      pair.net.advance(i % 3 === 0 ? 0 : 70);
    }
    channel(restarting).send('alive');
    pair.net.advance(5_000);
    expect(other.messages.get('chat')).toEqual(['alive']);
    expect(count(restarting, 'closed')).toBe(0);
  });
});

test('an offer that restarts must be answered by a restart (RFC 8839 §4.4.1.1.1)', () => {
  const { offerer, answerer } = makeOpenPair();
  const old = exchange(offerer, answerer);
  offerer.rtc.restartIce();
  const offer = offerer.rtc.negotiation().offer();
  expect(refusal(() => offer.accept(old.answer))).toBe('ice-restart-unanswered');
  offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
});

test('another certificate in a restart needs another connection', () => {
  const { answerer, offerer } = makeOpenPair();
  offerer.rtc.restartIce();
  const { sdp } = offerer.rtc.negotiation().offer();
  const changed = sdp.replaceAll(/^a=fingerprint:.*$/gm, (line) => line.replace(/[0-9A-F]{2}(?=\r?$)/, '00'));
  expect(refusal(() => answerer.rtc.receiveOffer(changed))).toBe('dtls-restart-unsupported');
});

test('a thousand restarts before any input wait as one', () => {
  const unlimited = { maxRestartsPerMinute: 10_000 };
  const pair = makeOpenPair({ offerer: unlimited, answerer: unlimited });
  const { offerer, answerer, net } = pair;
  for (let i = 0; i < 1_000; i++) {
    offerer.rtc.restartIce();
    exchange(offerer, answerer);
  }
  for (const { rtc } of [offerer, answerer]) expect(rtc.inspect().deferred).toBeLessThan(1_005);
  net.advance(5_000);
  for (const { rtc } of [offerer, answerer]) expect(rtc.connectionState).toBe('connected');
});

describe('negotiationneeded', () => {
  const needs = (end: End): number => count(end, 'negotiationneeded');

  test('is told once a restart is wanted and nothing is out, and again after a rollback', () => {
    const { offerer, net } = makeOpenPair();
    const { rtc } = offerer;
    rtc.restartIce();
    rtc.restartIce();
    net.advance(10);
    expect(needs(offerer)).toBe(1);
    rtc.negotiation().offer().rollback();
    net.advance(10);
    expect(needs(offerer)).toBe(2);
  });

  test('waits for the exchange that is under way, and is settled by a restart of the peer', () => {
    const { offerer, answerer, net } = makeOpenPair();
    const offer = offerer.rtc.negotiation().offer();
    offerer.rtc.restartIce();
    net.advance(10);
    expect(needs(offerer)).toBe(0);
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    net.advance(10);
    expect(needs(offerer)).toBe(1);
    answerer.rtc.restartIce();
    exchange(answerer, offerer);
    const plain = offerer.rtc.negotiation().offer();
    expect(fragmentOf(plain.sdp)).toBe(offerer.rtc.localParameters.ice.usernameFragment);
    expect(needs(offerer)).toBe(1);
  });
});

test('glare: whoever is asked rolls its restart back, answers the other, and has restarted, too', () => {
  const { offerer, answerer, net } = makeOpenPair({ conditions: { latency: 20 } });
  offerer.rtc.restartIce();
  answerer.rtc.restartIce();
  const polite = offerer.rtc.negotiation().offer();
  const impolite = answerer.rtc.negotiation().offer();
  expect(() => offerer.rtc.receiveOffer(impolite.sdp)).toThrow('glare');
  polite.rollback();
  impolite.accept(offerer.rtc.receiveOffer(impolite.sdp).answer());
  channel(offerer).send('all is well');
  net.advance(5_000);
  expect(answerer.messages.get('chat')).toEqual(['all is well']);
  for (const { rtc } of [offerer, answerer]) {
    expect(rtc.usernameFragments).toEqual([rtc.localParameters.ice.usernameFragment]);
    expect(rtc.connectionState).toBe('connected');
  }
});

describe('restarts without end', () => {
  test('offers beyond maxRestartsPerMinute are refused and counted, and a minute later taken again', () => {
    const { offerer, answerer, net } = makeOpenPair({
      conditions: { latency: 20 },
      answerer: { maxRestartsPerMinute: 3 },
    });
    for (let i = 0; i < 3; i++) {
      offerer.rtc.restartIce();
      exchange(offerer, answerer);
      net.advance(1000);
    }
    offerer.rtc.restartIce();
    const offer = offerer.rtc.negotiation().offer();
    expect(() => answerer.rtc.receiveOffer(offer.sdp)).toThrow('ice-restart-limit');
    expect(answerer.rtc.inspect().restartsRefused).toBe(1);
    // Our own restarts are our own business, and the connection lives.
    offer.rollback();
    answerer.rtc.restartIce();
    exchange(answerer, offerer);
    net.advance(60_000);
    exchange(offerer, answerer);
    channel(offerer).send('still here');
    net.advance(1000);
    expect(answerer.messages.get('chat')).toEqual(['still here']);
  });

  test('without SDP they throw', () => {
    const { offerer, net } = makeByHand({ maxRestartsPerMinute: 2 });
    const parameters = (i: number) => ({ usernameFragment: `peer${i}`, password: `${'p'.repeat(22)}${i}` });
    for (let i = 0; i < 2; i++) offerer.rtc.setRemoteIceParameters(parameters(i));
    expect(() => {
      offerer.rtc.setRemoteIceParameters(parameters(2));
    }).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }));
    net.advance(1000);
  });
});

test.each(['a=ice-ufrag', 'a=ice-pwd'])(
  '%s alone changes: a restart, as browsers take it; refused where the letter counts',
  (name) => {
    for (const strictSdp of [false, true]) {
      const { offerer, answerer, net } = makeOpenPair({ answerer: { strictSdp } });
      const other = 'x'.repeat(30);
      const { sdp } = offerer.rtc.negotiation().offer();
      const half = sdp.replace(new RegExp(`${name}:.*`), `${name}:${other}`);
      const before = answerer.rtc.localParameters.ice;
      const answer = (): string => answerer.rtc.receiveOffer(half).answer();
      if (strictSdp) {
        expect(answer).toThrow('ice-restart-incomplete');
      } else {
        answer();
        const { usernameFragment, password } = answerer.rtc.localParameters.ice;
        expect(usernameFragment).not.toBe(before.usernameFragment);
        expect(password).not.toBe(before.password);
      }
      net.advance(100);
      expect(answerer.rtc.connectionState).toBe('connected');
    }
  },
);

test('candidates of a restart that come before its offer wait for it', () => {
  const pair = makePair({ conditions: { latency: 20 } });
  runUntilOpen(pair);
  const { offerer, answerer, net } = pair;
  offerer.rtc.restartIce();
  const offer = offerer.rtc.negotiation().offer();
  const usernameFragment = fragmentOf(offer.sdp);
  const line = /^a=(candidate:.*)$/m.exec(offer.sdp)?.[1]?.trim() ?? '';
  // Without the candidates that its description has.
  const bare = offer.sdp.replaceAll(/^a=(candidate|end-of-candidates).*\r\n/gm, '');
  answerer.rtc.addRemoteCandidate({ candidate: line, usernameFragment });
  answerer.rtc.addRemoteCandidate({ candidate: line, usernameFragment: 'nobody' });
  offer.accept(answerer.rtc.receiveOffer(bare).answer());
  net.advance(2_000);
  expect(answerer.rtc.inspect().ice.remoteCandidates.map(({ type }) => type)).toEqual(['host']);
});

test('candidates of generations that never come are kept to a bound, and the latest are kept', () => {
  const { offerer, net } = makeOpenPair();
  for (let i = 0; i < 1_000; i++) {
    offerer.rtc.addRemoteCandidate({
      candidate: `candidate:1 1 udp 1 192.0.2.${String(i % 250)} ${String(i + 1)} typ host`,
      usernameFragment: `gen${String(i)}`,
    });
  }
  net.advance(10);
  expect(offerer.rtc.inspect().ice.counters['candidate-foreign']).toBe(1_000 - 32);
});

describe('before the time is told', () => {
  test('the first exchange and two restarts of the peer: the last credentials count', () => {
    const { offerer, answerer, net } = makeUnsignalledPair({ conditions: { latency: 20 } });
    const draft = offerer.rtc.negotiation();
    draft.addChannel('chat');
    const first = draft.offer();
    first.accept(answerer.rtc.receiveOffer(first.sdp).answer());
    for (let i = 0; i < 2; i++) {
      offerer.rtc.restartIce();
      exchange(offerer, answerer);
    }
    const fragments = [offerer, answerer].map(({ rtc }) => rtc.localParameters.ice.usernameFragment);
    expect(offerer.rtc.usernameFragments).toHaveLength(2);
    runUntilOpen({ net, offerer, answerer });
    net.advance(5_000);
    expect([offerer, answerer].map(({ rtc }) => rtc.usernameFragments)).toEqual(
      fragments.map((one) => [one]),
    );
  });

  test('restarts of a living connection, one of them taken back', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { offerer, answerer, net } = pair;
    for (let i = 0; i < 3; i++) {
      answerer.rtc.restartIce();
      answerer.rtc.negotiation().offer().rollback();
      exchange(answerer, offerer);
      offerer.rtc.restartIce();
      exchange(offerer, answerer);
    }
    const { usernameFragment } = offerer.rtc.localParameters.ice;
    channel(offerer).send('all the same');
    net.advance(5_000);
    expect(answerer.messages.get('chat')).toEqual(['all the same']);
    expect(offerer.rtc.usernameFragments).toEqual([usernameFragment]);
    expect(offerer.rtc.connectionState).toBe('connected');
    expect(answerer.rtc.connectionState).toBe('connected');
  });

  test('closed before it: nothing is thrown', () => {
    const { offerer, answerer, net } = makeOpenPair();
    offerer.rtc.restartIce();
    exchange(offerer, answerer);
    offerer.rtc.close();
    net.advance(5_000);
    expect(closedReason(offerer)?.code).toBe('local-close');
  });
});

test('without SDP: restartIce, the peer follows, and each tells the other its parameters', () => {
  const { offerer, answerer, net } = makeByHand();
  const before = [offerer, answerer].map(({ rtc }) => rtc.localParameters.ice.usernameFragment);
  offerer.rtc.restartIce();
  answerer.rtc.setRemoteIceParameters(offerer.rtc.localParameters.ice);
  offerer.rtc.setRemoteIceParameters(answerer.rtc.localParameters.ice);
  offerer.rtc.addRemoteCandidate(answerer.rtc.localCandidates[0] ?? null);
  answerer.rtc.addRemoteCandidate(offerer.rtc.localCandidates[0] ?? null);
  net.advance(5_000);
  for (const [i, { rtc }] of [offerer, answerer].entries()) {
    expect(rtc.localParameters.ice.usernameFragment).not.toBe(before[i]);
    expect(rtc.connectionState).toBe('connected');
    expect(rtc.inspect().ice).not.toHaveProperty('previous');
  }
});

describe('behind an endpoint', () => {
  test('both fragments lead to the connection, and none is left behind', () => {
    const { net, server, client, endpoint } = serve({});
    const [fragment] = server.usernameFragments;
    client.restartIce();
    const offer = client.negotiation().offer();
    offer.accept(server.receiveOffer(offer.sdp).answer());
    expect(server.usernameFragments).toHaveLength(2);
    expect(server.usernameFragments[1]).toBe(fragment);
    net.advance(3_000);
    expect(server.connectionState).toBe('connected');
    expect(endpoint.inspect().counters.droppedUnknownUsername).toBe(0);
    client.close();
    net.advance(3_000);
    expect(endpoint.size).toBe(0);
    // Nobody is found by either name any more: another connection may have them.
    endpoint.add(new Rtc({ certificate: certificates[0], ice: { usernameFragment: fragment ?? '' } }));
  });

  test('a restart keeps the shard that the fragment names', () => {
    const fragment = shardUsernameFragment(77, new SeededRandom(5));
    const { server, client } = serve({ ice: { usernameFragment: fragment } });
    client.restartIce();
    const offer = client.negotiation().offer();
    offer.accept(server.receiveOffer(offer.sdp).answer());
    const [renewed = ''] = server.usernameFragments;
    expect(renewed).not.toBe(fragment);
    expect(renewed.slice(0, 2)).toBe(fragment.slice(0, 2));
    expect(shardOf(new Uint8Array(0))).toBeUndefined();
  });
});

function refusal(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SdpRefusal) return error.sdpCode;
    throw error;
  }
  return undefined;
}

/** True if a check's USERNAME begins with one of `fragments`. */
function namesOne(data: Uint8Array, fragments: ReadonlySet<string>): boolean {
  const text = String.fromCharCode(...data.subarray(20, 60));
  return [...fragments].some((fragment) => text.includes(`${fragment}:`));
}

function makeByHand(options: Partial<RtcOptions> = {}): Pair {
  const pair = makeUnsignalledPair({ conditions: { latency: 20 }, offerer: options });
  const { offerer, answerer, net } = pair;
  offerer.rtc.start({ ...answerer.rtc.localParameters, iceRole: 'controlling', dtlsRole: 'client' });
  answerer.rtc.start({ ...offerer.rtc.localParameters, iceRole: 'controlled', dtlsRole: 'server' });
  offerer.rtc.addRemoteCandidate(answerer.rtc.localCandidates[0] ?? null);
  answerer.rtc.addRemoteCandidate(offerer.rtc.localCandidates[0] ?? null);
  net.advance(3_000);
  return pair;
}

function serve(options: Partial<RtcOptions>) {
  const net = new Network({ seed: 11, defaults: { latency: 20 } });
  const endpoint = new Endpoint();
  const server = new Rtc({ certificate: certificates[0], random: new SeededRandom(1), ...options });
  server.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 3478 });
  endpoint.add(server);
  net.host('192.0.2.1').attach(endpoint, { port: 3478 });
  const client = new Rtc({ certificate: certificates[1], random: new SeededRandom(2) });
  client.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.2', port: 5000 });
  net.host('192.0.2.2').attach(client, { port: 5000 });
  const draft = client.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(server.receiveOffer(offer.sdp).answer());
  net.advance(3_000);
  return { net, server, client, endpoint };
}
