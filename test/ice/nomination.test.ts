import { describe, expect, it } from 'vitest';
import type { IceCandidate } from '../../src/ice/index.ts';
import { StunAttributeType as Type, hasAttribute } from '../../src/stun/index.ts';
import { IcePair } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const ELSEWHERE = { address: '192.0.2.3', port: 3000 };
/** Priorities that make a peer-reflexive candidate better or worse than THERE's host candidate. */
const BETTER = 4_000_000_000;
const WORSE = 1;

describe('controlled: the peer nominates', () => {
  it('aggressively, on its first check: selected once our own check has succeeded', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    const [check] = peer.checks();
    expect(peer.agent.selectedPair).toBeUndefined();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(check));
    expect(peer.agent.selectedPair).toMatchObject({ nominated: true, remote: THERE });
  });

  it('regularly, after the pair is valid: selected at once', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    expect(peer.agent.selectedPair).toBeUndefined();
    peer.check({ useCandidate: true });
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
  });

  it('several pairs at once: the better one wins, whatever the order', () => {
    for (const [second, winner] of [
      [BETTER, ELSEWHERE],
      [WORSE, THERE],
    ] as const) {
      const peer = new HandMadePeer().introduce();
      peer.check({ useCandidate: true });
      peer.check({ useCandidate: true, source: ELSEWHERE, priority: second });
      answerFrom(peer, 300);
      expect(peer.agent.selectedPair?.remote).toMatchObject(winner);
    }
  });

  it('data is taken from every validated address, whichever is selected', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    peer.check({ useCandidate: true, source: ELSEWHERE, priority: WORSE });
    answerFrom(peer, 300);
    expect(peer.agent.isValidPath(HERE, THERE)).toBe(true);
    expect(peer.agent.isValidPath(HERE, ELSEWHERE)).toBe(true);
    expect(peer.agent.isValidPath(HERE, { ...ELSEWHERE, port: 3001 })).toBe(false);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
  });

  it('moves to a worse pair once the selected one has gone silent', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    answerFrom(peer, 100);
    peer.now += 4000;
    peer.check({ useCandidate: true, source: ELSEWHERE, priority: WORSE });
    answerFrom(peer, 100);
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE); // heard 4 s ago: still in use
    peer.now += 6000;
    peer.check({ useCandidate: true, source: ELSEWHERE, priority: WORSE });
    expect(peer.agent.selectedPair?.remote).toMatchObject(ELSEWHERE);
    expect(peer.events.filter(({ type }) => type === 'selectedpairchange')).toHaveLength(1);
    peer.sent();
    expect(peer.events.filter(({ type }) => type === 'selectedpairchange')).toHaveLength(2);
  });

  it('a pair that worked long ago must prove itself again before it is selected', () => {
    const peer = new HandMadePeer({ maxBackupPairs: 0 }).introduce();
    peer.check({ useCandidate: true });
    peer.check({ source: ELSEWHERE, priority: BETTER });
    answerFrom(peer, 100);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
    peer.answerFor(40_000);
    peer.check({ useCandidate: true, source: ELSEWHERE });
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
    answerFrom(peer, 100);
    expect(peer.agent.selectedPair?.remote).toMatchObject(ELSEWHERE);
  });

  it('no ping-pong: once a pair works, checks of the peer trigger none of ours', () => {
    const peer = new HandMadePeer().introduce();
    peer.check({ useCandidate: true });
    peer.answerFor(100);
    peer.sent();
    for (let i = 0; i < 100; i++) {
      peer.check({ useCandidate: true });
      peer.advance(10);
    }
    expect(peer.checks()).toEqual([]);
  });

  it("a browser's burst of three checks triggers one check of ours", () => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.sent();
    for (let i = 0; i < 3; i++) {
      peer.check({ useCandidate: true });
      peer.advance(55);
    }
    expect(peer.checks()).toHaveLength(1);
  });

  it('a triggered check replaces one that has waited long: the old answer still counts', () => {
    const peer = new HandMadePeer().introduce();
    const [first] = peer.checks();
    peer.advance(600);
    peer.checks();
    peer.now += 260;
    peer.check({ useCandidate: true });
    peer.advance(50);
    expect(peer.checks()).toHaveLength(1);
    if (first === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(first));
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
  });
});

describe('controlling: we nominate', () => {
  it('one pair, the best one, and then check nothing else', () => {
    const pair = new IcePair({ a: { maxBackupPairs: 0 }, b: { maxBackupPairs: 0 } });
    for (const port of [1000, 1001, 1002]) pair.a.host('192.0.2.1', port);
    for (const port of [2000, 2001]) pair.b.host('192.0.2.2', port);
    pair.signal();
    pair.run(3900);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.sent('a', 'request+use')).toHaveLength(1);
    expect(pair.b.agent.selectedPair?.local).toMatchObject({ ...pair.a.agent.selectedPair?.remote });
    const settled = pair.now;
    pair.run(3000);
    expect(
      pair.log.filter(({ sentAt, what }) => sentAt > settled && what === 'request').length,
    ).toBeLessThanOrEqual(2);
  });

  it('checks that cannot lead to a better pair are sent no more, the nominated one and its own are', () => {
    const peer = new HandMadePeer({ role: 'controlling', maxBackupPairs: 0 }).introduce();
    peer.agent.addRemoteCandidate(
      { type: 'host', protocol: 'udp', ...ELSEWHERE, foundation: '2', component: 1, priority: 1000 },
      0,
    );
    const [toThere] = peer.checks();
    peer.advance(50);
    expect(peer.checks()).toHaveLength(1);
    expect(peer.agent.inspect().pairs.map(({ state }) => state)).toEqual(['in-progress', 'in-progress']);
    if (toThere === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(toThere));
    peer.advance(5);
    const [nomination] = peer.checks();
    if (nomination === undefined) throw new RangeError('no nomination');
    peer.deliver(peer.success(nomination));
    expect(peer.agent.inspect().pairs.map(({ state }) => state)).toEqual(['succeeded', 'waiting']);
    peer.advance(3900);
    expect(peer.checks()).toEqual([]);
    expect(peer.count('check-retransmitted')).toBe(0);
  });

  it('controlled: what may still lead to a better pair goes on, what may not ends', () => {
    const peer = new HandMadePeer({ maxBackupPairs: 0 }).introduce();
    for (const [i, priority] of [4_000_000_000, 1000].entries()) {
      peer.agent.addRemoteCandidate(
        {
          type: 'host',
          protocol: 'udp',
          ...ELSEWHERE,
          port: 3000 + i,
          foundation: '2',
          component: 1,
          priority,
        },
        0,
      );
    }
    const [toThere] = peer.checks();
    peer.advance(100);
    peer.checks();
    if (toThere === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(toThere));
    peer.check({ useCandidate: true });
    expect(peer.agent.inspect().pairs.map(({ state }) => state)).toEqual([
      'in-progress',
      'succeeded',
      'waiting',
    ]);
    peer.advance(1000);
    expect(peer.count('check-retransmitted')).toBeGreaterThan(1);
  });

  it('a nomination that gets lost is sent again', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    let lost = 0;
    pair.drop = ({ what }) => what === 'request+use' && lost++ < 3;
    pair.signal();
    pair.run(5000);
    expect(lost).toBe(4);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('a nomination that is never answered moves on to the next best pair', () => {
    const peer = new HandMadePeer({
      role: 'controlling',
      maxTransmissions: 3,
      nominationDelay: 0,
    }).introduce();
    const other: IceCandidate = {
      type: 'host',
      protocol: 'udp',
      ...ELSEWHERE,
      foundation: '2',
      component: 1,
      priority: 5,
    };
    peer.agent.addRemoteCandidate(other, 0);
    peer.advance(60);
    const [toThere, toElsewhere] = peer.checks();
    if (toThere === undefined || toElsewhere === undefined) throw new RangeError('no checks');
    peer.deliver(peer.success(toThere));
    peer.deliver(peer.success(toElsewhere), ELSEWHERE);
    peer.advance(100);
    expect(peer.checks().map((check) => hasAttribute(check, Type.useCandidate))).toEqual([true]);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
    peer.advance(2000);
    expect(peer.agent.inspect().pairs.map(({ state }) => state)).toEqual(['failed', 'succeeded']);
    expect(peer.agent.sendPath?.destination).toEqual(ELSEWHERE);
  });

  it('an offer of USE-CANDIDATE from a controlled peer means nothing', () => {
    const peer = new HandMadePeer({ role: 'controlling', nominationDelay: 60_000 }).introduce();
    peer.check({ role: 'controlled', useCandidate: true });
    expect(peer.agent.selectedPair).toBeUndefined();
  });
});

/** Answers the agent's checks, each from the address it went to, for `duration` milliseconds. */
function answerFrom(peer: HandMadePeer, duration: number): void {
  const end = peer.now + duration;
  for (;;) {
    for (const check of peer.checks()) {
      // Only the address the check was for makes a symmetric answer; the other one is ignored.
      peer.deliver(peer.success(check), THERE);
      peer.deliver(peer.success(check), ELSEWHERE);
    }
    if (peer.agent.nextTimeout() > end) break;
    peer.advance(peer.agent.nextTimeout() - peer.now);
  }
  peer.now = end;
}
