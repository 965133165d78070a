/** A peer whose address changes while it is connected: followed within seconds, by ends of every role, full or lite. */
import { describe, expect, it } from 'vitest';
import type { IceOptions } from '../../src/ice/index.ts';
import { hasAttribute, StunAttributeType as Type } from '../../src/stun/index.ts';
import { IcePair } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const INSIDE = '192.0.2.1:1000';

/** A behind a NAT that forgets nothing, B in the open. */
function behindNat(a: Partial<IceOptions>, b: Partial<IceOptions>, seed = 1): IcePair {
  const pair = new IcePair({ a, b, seed });
  pair.a.nat.set(INSIDE, { address: '203.0.113.9', port: 40_000 });
  pair.a.host('192.0.2.1', 1000);
  pair.b.host('192.0.2.2', 2000);
  pair.signal();
  pair.run(2000);
  expect(pair.b.agent.sendPath?.destination.port).toBe(40_000);
  return pair;
}

describe('B3: a NAT that gives the peer another port', () => {
  it.each([
    ['controlled', { role: 'controlling' }, { role: 'controlled' }, 8000],
    ['controlling', { role: 'controlled' }, { role: 'controlling' }, 8000],
    ['lite', { role: 'controlling' }, { role: 'controlled', lite: true }, 8000],
  ] as const)('B3: the %s end follows, and nobody is disconnected for good', (_, a, b, within) => {
    for (let seed = 0; seed < 10; seed++) {
      const pair = behindNat(a, b, seed);
      pair.run(seed * 900);
      pair.a.nat.set(INSIDE, { address: '203.0.113.9', port: 40_001 });
      pair.run(within, () => pair.b.agent.sendPath?.destination.port === 40_001);
      expect(pair.b.agent.sendPath?.destination.port).toBe(40_001);
      pair.run(60_000);
      expect(pair.states().every((state) => state === 'completed' || state === 'connected')).toBe(true);
    }
  });

  it('B3: an old address that comes back is followed, too', () => {
    const pair = behindNat({}, {});
    for (const port of [40_001, 40_000, 40_001]) {
      pair.a.nat.set(INSIDE, { address: '203.0.113.9', port });
      pair.run(9000);
      expect(pair.b.agent.sendPath?.destination.port).toBe(port);
    }
  });

  it('B3: the controlling end says in each consent check which pair it uses, the controlled one does not', () => {
    const pair = IcePair.connected();
    const since = pair.now;
    pair.run(20_000);
    expect(pair.sent('a', 'request', since)).toEqual([]);
    expect(pair.sent('a', 'request+use', since).length).toBeGreaterThan(2);
    expect(pair.sent('b', 'request+use', since)).toEqual([]);
  });
});

describe('B3: what is not followed', () => {
  const ELSEWHERE = { address: '203.0.113.66', port: 6 };

  it('B3: a check from elsewhere, while the pair in use answers', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    peer.answerFor(100);
    for (let i = 0; i < 5; i++) {
      peer.check({ useCandidate: true, source: ELSEWHERE, priority: 1 });
      // Answers come from wherever the check went: both addresses are the peer's.
      for (let step = 0; step < 40; step++) {
        for (const check of peer.checks()) {
          peer.deliver(peer.success(check), ELSEWHERE);
          peer.deliver(peer.success(check), THERE);
        }
        peer.advance(50);
      }
      expect(peer.agent.sendPath?.destination).toEqual(THERE);
    }
  });

  it('B3: an old check, replayed from elsewhere, where nobody answers', () => {
    const peer = new HandMadePeer().introduce();
    const old = peer.request({ useCandidate: true });
    peer.deliver(old);
    peer.answerFor(100);
    peer.deliver(old, ELSEWHERE);
    peer.answerFor(20_000);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
  });

  it('B3: by a lite end, an old check, replayed from elsewhere, while the peer checks on', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    const old = peer.request({ useCandidate: true });
    peer.deliver(old);
    for (let i = 0; i < 20; i++) {
      peer.advance(1250);
      peer.deliver(old, ELSEWHERE);
      peer.advance(1250);
      peer.check({ useCandidate: true });
      expect(peer.agent.sendPath?.destination).toEqual(THERE);
    }
  });

  it('B3: a doubt costs one check, and the pair in use keeps it', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    peer.answerFor(100);
    peer.check({ source: ELSEWHERE, priority: 1 });
    peer.advance(60);
    const [toElsewhere] = peer.checks();
    if (toElsewhere === undefined) throw new RangeError('no check');
    peer.now += 1;
    peer.deliver(peer.success(toElsewhere), ELSEWHERE);
    expect(peer.agent.timeoutReason()).toBeDefined();
    peer.advance(60);
    const [doubt] = peer.checks();
    expect(doubt && hasAttribute(doubt, Type.useCandidate)).toBe(false);
    if (doubt === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(doubt), THERE, HERE);
    peer.advance(3000);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
    expect(peer.checks()).toEqual([]);
  });
});
