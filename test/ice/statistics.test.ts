/** What `stats()` counts, pair by pair. */
import { describe, expect, it } from 'vitest';
import type { IcePairStats } from '../../src/ice/index.ts';
import { IcePair } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

function firstPair({ agent }: HandMadePeer | { agent: HandMadePeer['agent'] }): IcePairStats {
  const [pair] = agent.stats().pairs;
  if (pair === undefined) throw new RangeError('no pair');
  return pair;
}

describe('what passes over a pair', () => {
  it('checks, their retransmissions not; answers; and the round trips of those that were sent once', () => {
    const peer = new HandMadePeer().introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.advance(260);
    expect(peer.checks()).toHaveLength(1);
    expect(firstPair(peer)).toMatchObject({ requestsSent: 1, responsesReceived: 0, totalRoundTripTime: 0 });
    peer.deliver(peer.success(check));
    expect(firstPair(peer)).toMatchObject({ requestsSent: 1, responsesReceived: 1, totalRoundTripTime: 0 });
    peer.check();
    peer.check();
    expect(firstPair(peer)).toMatchObject({ requestsReceived: 2, responsesSent: 2 });
    expect(firstPair(peer).roundTripTime).toBeUndefined();
  });

  it('consent checks, apart; round trips add up', () => {
    const pair = IcePair.connected({ delay: 10 });
    const before = firstPair(pair.a).responsesReceived;
    pair.run(60_000);
    const one = firstPair(pair.a);
    expect(one.consentRequestsSent).toBe(pair.a.count('consent-sent'));
    expect(one.requestsSent).toBe(pair.a.count('check-sent'));
    expect(one.responsesReceived).toBe(before + one.consentRequestsSent);
    expect(one.totalRoundTripTime).toBe(20 * one.responsesReceived);
    expect(one.requestsReceived).toBe(pair.a.count('request-received'));
    expect(one.responsesSent).toBe(pair.a.count('response-sent'));
  });

  it('datagrams of the layers above: their number, bytes and times', () => {
    const peer = new HandMadePeer().introduce();
    peer.agent.noteSent(100, 1);
    peer.agent.noteReceived(HERE, { ...THERE, port: 1 }, 'udp', 100, 1);
    expect(firstPair(peer)).toMatchObject({
      packetsSent: 0,
      packetsReceived: 0,
      lastPacketSentAt: -Infinity,
    });
    peer.answerFor(100);
    peer.agent.noteSent(100, 101);
    peer.agent.noteSent(50, 102);
    peer.agent.noteReceived(HERE, THERE, 'udp', 7, 103);
    expect(firstPair(peer)).toMatchObject({
      packetsSent: 2,
      bytesSent: 150,
      lastPacketSentAt: 102,
      packetsReceived: 1,
      bytesReceived: 7,
      lastPacketReceivedAt: 103,
    });
  });
});

describe('the whole', () => {
  it('says which pair is in use, by a number that no other has, over a restart too', () => {
    const pair = IcePair.connected();
    const { pairInUse, pairChanges, pairs } = pair.a.agent.stats();
    expect(pairChanges).toBe(1);
    expect(pairs.find(({ id }) => id === pairInUse)).toMatchObject({ nominated: true, valid: true });
    pair.restart();
    const during = pair.a.agent.stats();
    expect(during.pairInUse).toBe(pairInUse);
    expect(new Set(during.pairs.map(({ id }) => id)).size).toBe(during.pairs.length);
    pair.run(10_000);
    const after = pair.a.agent.stats();
    expect(after.pairInUse).not.toBe(pairInUse);
    expect(after.pairChanges).toBe(2);
    expect(after.localUsernameFragment).toBe(pair.a.agent.localParameters.usernameFragment);
  });

  it('shows of our own candidates what the peer is not told', () => {
    const peer = new HandMadePeer();
    peer.agent.addLocalCandidate(
      {
        type: 'relay',
        protocol: 'udp',
        address: '198.51.100.9',
        port: 1,
        relayProtocol: 'tls',
        url: 'turns:t',
      },
      0,
    );
    expect(peer.agent.stats().localCandidates[1]).toMatchObject({ relayProtocol: 'tls', url: 'turns:t' });
    expect(peer.agent.stats()).not.toHaveProperty('pairInUse');
  });
});
