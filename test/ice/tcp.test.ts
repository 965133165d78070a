/** ICE over TCP (RFC 6544), the passive side: peers connect to us, and the checks they send make the pairs. */
import { describe, expect, test } from 'vitest';
import type { IceTransmit } from '../../src/ice/index.ts';
import { decodeStun } from '../../src/stun/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const OVER_TCP = { protocol: 'tcp', source: THERE, destination: HERE } as const;

/** An agent that listens on TCP at the same address and port as on UDP. */
function listening(): HandMadePeer {
  const peer = new HandMadePeer();
  peer.agent.addLocalCandidate({ type: 'host', protocol: 'tcp', ...HERE }, 0);
  return peer;
}

function transmits({ agent }: HandMadePeer): IceTransmit[] {
  const all: IceTransmit[] = [];
  for (let out = agent.pollTransmit(); out !== undefined; out = agent.pollTransmit()) all.push(out);
  return all;
}

describe('a passive TCP candidate', () => {
  test('comes after the UDP candidate of the same address, and says "passive"', () => {
    const [udp, tcp] = listening().agent.localCandidates;
    expect(tcp).toMatchObject({ type: 'host', protocol: 'tcp', tcpType: 'passive', ...HERE });
    expect(tcp?.foundation).not.toBe(udp?.foundation);
    expect(tcp?.priority).toBeLessThan(udp?.priority ?? 0);
  });

  test('forms no pair by itself: we connect to nobody', () => {
    const peer = listening().introduce();
    expect(peer.agent.inspect().pairs.map(({ local }) => local.protocol)).toEqual(['udp']);
  });

  //  peer                          agent
  //   ── request (TCP) ──────────────▶      a peer-reflexive active candidate
  //   ◀───────────── response (TCP) ──
  //   ◀────────────── request (TCP) ──      the triggered check, over the same connection
  //   ── response (TCP) ─────────────▶      valid
  test('a check that comes over TCP is answered over TCP, checked back over TCP, and makes a pair of its own', () => {
    const peer = listening().introduce();
    transmits(peer);
    peer.agent.handlePacket(peer.request({ useCandidate: true }), OVER_TCP, peer.now);
    peer.advance(60);
    const out = transmits(peer).filter(({ protocol }) => protocol === 'tcp');
    expect(out).toMatchObject([
      { source: HERE, destination: THERE },
      { source: HERE, destination: THERE },
    ]);
    const check = decodeStun(out[1]?.data ?? new Uint8Array(0));
    if (isFailure(check)) throw new TypeError(check.reason);

    expect(peer.agent.isValidPath(HERE, THERE, 'tcp')).toBe(false);
    peer.deliver(peer.success(check)); // over UDP: the wrong way
    expect(peer.count('asymmetric-response')).toBe(1);
    peer.agent.handlePacket(peer.success(check), OVER_TCP, peer.now);
    expect(peer.agent.isValidPath(HERE, THERE, 'tcp')).toBe(true);
    expect(peer.agent.isValidPath(HERE, THERE, 'udp')).toBe(false);
    expect(peer.agent.selectedPair?.remote).toMatchObject({ type: 'prflx', protocol: 'tcp' });
    expect(peer.agent.sendPath).toMatchObject({ protocol: 'tcp', source: HERE, destination: THERE });
  });

  test('without one, what comes over TCP is dropped and counted', () => {
    const peer = new HandMadePeer().introduce();
    transmits(peer);
    peer.agent.handlePacket(peer.request(), OVER_TCP, peer.now);
    expect(transmits(peer)).toEqual([]);
    expect(peer.count('unknown-destination')).toBe(1);
  });
});
