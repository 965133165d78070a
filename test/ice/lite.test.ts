import { describe, expect, it } from 'vitest';
import { errorCodeOf } from '../../src/stun/index.ts';
import { IcePair } from './pair.ts';
import { HandMadePeer, THERE } from './peer.ts';

function fullAgainstLite(): IcePair {
  const pair = new IcePair({ b: { lite: true } });
  pair.a.host('192.0.2.1', 1000);
  pair.b.host('192.0.2.2', 2000);
  return pair;
}

describe('lite', () => {
  it('a full agent nominates, the lite one answers and never checks', () => {
    const pair = fullAgainstLite();
    pair.signal();
    pair.run(120_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.log.filter(({ from, what }) => from === 'b' && what !== 'success')).toEqual([]);
    expect(pair.b.agent.sendPath?.destination).toEqual({ address: '192.0.2.1', port: 1000 });
    expect(pair.b.states()).not.toContain('disconnected');
  });

  it('roles follow from lite, whatever signalling said', () => {
    const pair = new IcePair({ a: { role: 'controlled' }, b: { lite: true, role: 'controlling' } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    expect([pair.a.agent.role, pair.b.agent.role]).toEqual(['controlling', 'controlled']);
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('a pair is valid once the peer has nominated it, authenticated before', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    const here = { address: '192.0.2.1', port: 1000 };
    peer.check();
    expect(peer.agent.isAuthenticatedPath(here, THERE)).toBe(true);
    expect(peer.agent.isValidPath(here, THERE)).toBe(false);
    peer.check({ useCandidate: true });
    expect(peer.agent.isValidPath(here, THERE)).toBe(true);
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
  });

  it('it cannot become controlling: a controlled peer is told 487, always', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    peer.check({ role: 'controlled', tieBreaker: new Uint8Array(8) });
    expect(peer.sent().map(errorCodeOf)).toEqual([487]);
    expect(peer.agent.role).toBe('controlled');
  });

  it('liveness is the requests that come: 15 s to disconnected, 30 s to failed, back at any time', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    peer.check({ useCandidate: true });
    peer.advance(14_999);
    expect(peer.agent.state).toBe('connected');
    peer.advance(1);
    expect(peer.agent.state).toBe('disconnected');
    peer.check();
    expect(peer.agent.state).toBe('connected');
    peer.advance(29_999);
    expect(peer.agent.state).toBe('disconnected');
    peer.advance(1);
    expect(peer.agent.state).toBe('failed');
    expect(peer.agent.nextTimeout()).toBe(Infinity);
  });

  it('no request at all: failed at the iceConnect gate', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    peer.advance(30_000);
    expect(peer.agent.state).toBe('failed');
    peer.sent();
    expect(peer.events.at(-1)).toMatchObject({ failure: { gate: 'iceConnect' } });
  });

  it('nominated before the description came, by whom it then names: stays', () => {
    const peer = new HandMadePeer({ lite: true });
    peer.check({ useCandidate: true });
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
    peer.introduce();
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
  });

  it('nominated before the description came, by another session: gone', () => {
    const peer = new HandMadePeer({ lite: true });
    peer.check({ useCandidate: true, username: 'agent:other' });
    peer.introduce({}, true);
    expect(peer.agent.selectedPair).toBeUndefined();
    expect(peer.agent.sendPath).toBeUndefined();
    expect(peer.agent.state).toBe('checking');
  });

  it('F5b: the clock jumps by a minute: alive if the next request comes', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    peer.check({ useCandidate: true });
    peer.now += 60_000;
    peer.agent.handleTimeout(peer.now);
    expect(peer.agent.state).toBe('connected');
    peer.advance(5000);
    peer.check();
    peer.advance(10_000);
    expect(peer.agent.state).toBe('connected');
  });

  it('both lite: each takes the pair of the highest priority, without a datagram', () => {
    const pair = new IcePair({ a: { lite: true }, b: { lite: true } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.b.host('192.0.2.2', 2001);
    pair.signal();
    pair.drop = () => {
      throw new RangeError('nothing is ever sent');
    };
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.agent.sendPath).toEqual({
      protocol: 'udp',
      source: { address: '192.0.2.1', port: 1000 },
      destination: { address: '192.0.2.2', port: 2000 },
    });
    expect(pair.a.agent.nextTimeout()).toBe(Infinity);
    expect([pair.a.agent.role, pair.b.agent.role]).toEqual(['controlling', 'controlled']);
  });
});
