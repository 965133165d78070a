/** ICE over TCP (RFC 6544): who connects, which candidates pair, and checks that TCP repeats by itself. */
import { describe, expect, test } from 'vitest';
import type { IceCandidate, IceTransmit, TcpType } from '../../src/ice/index.ts';
import { decodeStun } from '../../src/stun/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { IcePair } from './pair.ts';
import type { Side } from './pair.ts';
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
    expect(peer.agent.selectedPair?.remote).toMatchObject({
      type: 'prflx',
      protocol: 'tcp',
      tcpType: 'active',
    });
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

const ACTIVE_BASE = { address: '192.0.2.1', port: 40_001 };

/** A candidate of the peer's over TCP. */
function overTcp(tcpType: TcpType | undefined, port = 443): IceCandidate {
  const { address } = THERE;
  return {
    type: 'host',
    protocol: 'tcp',
    tcpType,
    address,
    port,
    foundation: '1',
    component: 1,
    priority: 5,
  };
}

/** An agent with a candidate of each direction, and none over UDP. */
function ofAllDirections(): HandMadePeer {
  const peer = listening();
  peer.agent.removeLocalCandidate({ protocol: 'udp', ...HERE }, 0);
  const { address } = HERE;
  peer.agent.addLocalCandidate(
    { type: 'host', protocol: 'tcp', tcpType: 'active', address, port: 9, base: ACTIVE_BASE },
    0,
  );
  peer.agent.addLocalCandidate({ type: 'host', protocol: 'tcp', tcpType: 'so', address, port: 50_000 }, 0);
  return peer.introduce({}, true);
}

describe('directions', () => {
  test('host: active before passive before so; reflexive: so before active before passive (RFC 6544 §4.2)', () => {
    const { agent } = ofAllDirections();
    const order = (type: string): (string | undefined)[] =>
      [...agent.localCandidates]
        .filter((one) => one.type === type)
        .sort((a, b) => b.priority - a.priority)
        .map(({ tcpType }) => tcpType);
    expect(order('host')).toEqual(['active', 'passive', 'so']);
    for (const [i, tcpType] of (['active', 'passive', 'so'] as const).entries()) {
      const address = '203.0.113.1';
      agent.addLocalCandidate(
        { type: 'srflx', protocol: 'tcp', tcpType, address, port: 600 + i, base: { ...HERE, port: 700 + i } },
        0,
      );
    }
    expect(order('srflx')).toEqual(['so', 'active', 'passive']);
    // One type, one direction: still no two of one priority.
    agent.addLocalCandidate({ type: 'host', protocol: 'tcp', address: '192.0.2.50', port: 1 }, 0);
    agent.addLocalCandidate({ type: 'host', protocol: 'tcp', address: '2001:db8::50', port: 1 }, 0);
    const priorities = agent.localCandidates.map(({ priority }) => priority);
    expect(new Set(priorities).size).toBe(priorities.length);
  });

  test('active pairs with passive, so with so; nothing begins at a passive one, and nothing goes to an active one', () => {
    const peer = ofAllDirections();
    for (const tcpType of ['active', 'passive', 'so', undefined] as const) {
      peer.agent.addRemoteCandidate(overTcp(tcpType, tcpType === 'passive' ? 443 : 444), 0);
    }
    const pairs = peer.agent.inspect().pairs.map(({ local, remote }) => [local.tcpType, remote.tcpType]);
    expect(pairs.sort()).toEqual([
      ['active', 'passive'],
      ['so', 'so'],
    ]);
    expect(peer.count('candidate-tcp')).toBe(2);
  });

  test('checks leave from the base, and what comes back there makes the pair valid', () => {
    const peer = ofAllDirections();
    peer.agent.addRemoteCandidate(overTcp('passive'), 0);
    const [out] = transmits(peer);
    const destination = { ...THERE, port: 443 };
    expect(out).toMatchObject({ protocol: 'tcp', source: ACTIVE_BASE, destination });
    const check = decodeStun(out?.data ?? new Uint8Array(0));
    if (isFailure(check)) throw new TypeError(check.reason);
    // The peer sees the port of the connection, which is nobody's base.
    const mapped = { address: HERE.address, port: 53_211 };
    peer.agent.handlePacket(
      peer.success(check, undefined, mapped),
      { protocol: 'tcp', source: destination, destination: ACTIVE_BASE },
      5,
    );
    expect(peer.agent.inspect().pairs).toMatchObject([
      { local: { type: 'host', tcpType: 'active', port: 9 }, valid: true, roundTripTime: 5 },
    ]);
    expect(peer.agent.sendPath).toMatchObject({ protocol: 'tcp', source: ACTIVE_BASE, destination });
  });

  test('behind a NAT the local candidate is a peer-reflexive one, active too', () => {
    const peer = ofAllDirections();
    peer.agent.addRemoteCandidate(overTcp('passive'), 0);
    const check = decodeStun(transmits(peer)[0]?.data ?? new Uint8Array(0));
    if (isFailure(check)) throw new TypeError(check.reason);
    const mapped = { address: '203.0.113.8', port: 53_211 };
    const path = { protocol: 'tcp', source: { ...THERE, port: 443 }, destination: ACTIVE_BASE } as const;
    peer.agent.handlePacket(peer.success(check, undefined, mapped), path, 5);
    expect(peer.agent.inspect().pairs).toMatchObject([
      { local: { type: 'prflx', tcpType: 'active', ...mapped, relatedPort: ACTIVE_BASE.port } },
    ]);
  });
});

describe('what is lost', () => {
  test('is repeated by TCP: a check is sent once, and its pair fails when nothing has come', () => {
    const peer = ofAllDirections();
    peer.agent.addRemoteCandidate(overTcp('passive'), 0);
    peer.advance(29_000);
    expect(transmits(peer)).toHaveLength(1);
    expect(peer.agent.inspect().pairs).toMatchObject([{ state: 'in-progress' }]);
    peer.advance(1000);
    expect(peer.agent.state).toBe('failed');
  });
});

describe('two agents', () => {
  /** A listens, B connects, from behind a NAT that gives its connection another port. */
  test('one active, one passive: connected over TCP, with consent ever after', () => {
    const pair = new IcePair();
    const tcp = (side: Side, address: string, port: number, tcpType: TcpType): void => {
      const base = { address, port };
      side.agent.addLocalCandidate({ type: 'host', protocol: 'tcp', tcpType, address, port, base }, 0);
      side.bases.push(base);
    };
    tcp(pair.a, '192.0.2.1', 443, 'passive');
    tcp(pair.b, '10.0.0.2', 40_001, 'active');
    pair.b.nat.set('10.0.0.2:40001', { address: '192.0.2.2', port: 55_555 });
    pair.signal();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.agent.selectedPair?.remote).toMatchObject({
      type: 'prflx',
      tcpType: 'active',
      port: 55_555,
    });
    expect(pair.b.agent.selectedPair?.remote).toMatchObject({ type: 'host', tcpType: 'passive' });
    pair.run(120_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });
});
