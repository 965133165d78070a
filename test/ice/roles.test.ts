import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import { judgeRole } from '../../src/ice/role.ts';
import {
  StunAttributeType as Type,
  attributeValue,
  errorCodeOf,
  hasAttribute,
} from '../../src/stun/index.ts';
import { vectors } from '../stun/vectors.ts';
import { IcePair } from './pair.ts';
import { HandMadePeer } from './peer.ts';

const LOWEST = new Uint8Array(8);
const HIGHEST = new Uint8Array(8).fill(0xff);

function tieBreaker(text: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes[7] = Number(text);
  return bytes;
}

describe('RFC 8445 §7.3.1.1, every case', () => {
  it.each(vectors.roleConflict.cases)(
    '$local with $localTie receives $request with $requestTie: $outcome',
    ({ local, localTie, request, requestTie, outcome }) => {
      const claimed = request === 'ICE-CONTROLLING' ? 'controlling' : 'controlled';
      const verdict = judgeRole(local, tieBreaker(localTie), claimed, tieBreaker(requestTie));
      const expected = outcome.startsWith('reply 487')
        ? 'refuse'
        : outcome.startsWith('switch')
          ? 'switch'
          : 'no-conflict';
      expect(verdict).toBe(expected);
    },
  );

  it('tie-breakers are compared as 64-bit numbers', () => {
    const high = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
    const low = new Uint8Array([0, 255, 255, 255, 255, 255, 255, 255]);
    expect(judgeRole('controlled', high, 'controlled', low)).toBe('switch');
    expect(judgeRole('controlled', low, 'controlled', high)).toBe('refuse');
  });
});

describe('in the agent', () => {
  it('refusing: 487 with integrity, the request has no other effect', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce();
    peer.sent();
    peer.check({ role: 'controlling', tieBreaker: LOWEST, useCandidate: true });
    const [answer] = peer.sent();
    expect(answer && errorCodeOf(answer)).toBe(487);
    expect(answer?.integrityOffset).toBeGreaterThan(0);
    expect(peer.agent.role).toBe('controlling');
    expect(peer.agent.inspect().pairs[0]).toMatchObject({ nominated: false });
  });

  it('switching: the request is answered, and our checks carry the new role', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce({}, true);
    peer.check({ role: 'controlling', tieBreaker: HIGHEST });
    expect(peer.agent.role).toBe('controlled');
    const [answer, check] = peer.sent();
    expect(answer?.class).toBe('success');
    expect(check && hasAttribute(check, Type.iceControlled)).toBe(true);
  });

  it('a 487 turns the role, renews the tie-breaker (§16.1) and checks again', () => {
    const peer = new HandMadePeer({ role: 'controlled' }).introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.error(check, 487));
    expect(peer.agent.role).toBe('controlling');
    peer.advance(50);
    const [again] = peer.checks();
    const before = attributeValue(check, Type.iceControlled);
    const after = again && attributeValue(again, Type.iceControlling);
    expect(after).toBeDefined();
    expect(toHex(after ?? LOWEST)).not.toBe(toHex(before ?? LOWEST));
  });

  it('a stale 487, about a role already left, turns nothing', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce();
    const [check] = peer.checks(); // sent as controlling
    if (check === undefined) throw new RangeError('no check');
    peer.check({ role: 'controlling', tieBreaker: HIGHEST }); // makes us controlled
    expect(peer.agent.role).toBe('controlled');
    peer.deliver(peer.error(check, 487));
    expect(peer.agent.role).toBe('controlled');
    expect(peer.count('stale-role-conflict')).toBe(1);
  });

  it('SEC: a 487 without integrity, or with a wrong one, turns nothing', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.error(check, 487, ''));
    peer.deliver(peer.error(check, 487, 'x'.repeat(22)));
    expect(peer.agent.role).toBe('controlling');
    expect(peer.count('bad-integrity')).toBe(2);
  });

  it.each(['controlling', 'controlled'] as const)(
    'both ends %s: one of them turns, and they connect',
    (role) => {
      for (let seed = 0; seed < 20; seed++) {
        const pair = new IcePair({ seed, loss: seed % 2 === 0 ? 0 : 0.3, a: { role }, b: { role } });
        pair.a.host('192.0.2.1', 1000);
        pair.b.host('192.0.2.2', 2000);
        pair.signal();
        pair.run(15_000, () => pair.states().every((state) => state === 'completed'));
        expect(pair.states()).toEqual(['completed', 'completed']);
        expect([pair.a.agent.role, pair.b.agent.role].sort()).toEqual(['controlled', 'controlling']);
      }
    },
  );

  it('both ends controlling with the same tie-breaker still converge', () => {
    const same = { random: new HandMadePeer().random };
    const pair = new IcePair({ a: { ...same }, b: { role: 'controlling' } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(15_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('setRole before checks decides', () => {
    const peer = new HandMadePeer({ role: 'controlling' });
    peer.agent.setRole('controlled');
    peer.introduce();
    const [check] = peer.checks();
    expect(check && hasAttribute(check, Type.iceControlled)).toBe(true);
  });
});
