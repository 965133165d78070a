import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Consent } from '../../src/ice/consent.ts';
import type { Flight } from './pair.ts';
import { IcePair, checkInvariants } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const gaps = (flights: readonly Flight[]): number[] =>
  flights.slice(1).map(({ sentAt }, index) => sentAt - (flights[index]?.sentAt ?? 0));

describe('consent (RFC 7675)', () => {
  it('checks every 4 to 6 s, each in a transaction of its own', () => {
    const pair = IcePair.connected();
    const start = pair.now;
    pair.run(300_000);
    const checks = pair.sent('a', 'request+use', start);
    for (const gap of gaps(checks)) {
      expect(gap).toBeGreaterThanOrEqual(4000);
      expect(gap).toBeLessThanOrEqual(6000);
    }
    expect(checks.length).toBeGreaterThan(50);
    expect(new Set(gaps(checks).map(Math.round)).size).toBeGreaterThan(10); // randomised
    expect(pair.a.count('check-retransmitted')).toBe(0);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.agent.inspect().queues.transactions).toBe(0);
  });

  it('never below 4 s apart while nothing is answered either', () => {
    const pair = IcePair.connected();
    const cutAt = pair.now;
    pair.drop = () => true;
    pair.run(28_000);
    for (const gap of gaps(pair.sent('a', 'request+use', cutAt))) {
      expect(gap).toBeGreaterThanOrEqual(4000);
      expect(gap).toBeLessThanOrEqual(4500);
    }
  });

  it('F2b: the path is cut: disconnected 5 s after the first unanswered check, failed 30 s after the last answered one', () => {
    const pair = IcePair.connected();
    const cutAt = pair.now;
    pair.drop = () => true;
    pair.run(60_000, () => pair.a.agent.state === 'disconnected');
    const [firstLost] = pair.sent('a', 'request+use', cutAt);
    expect(pair.now - (firstLost?.sentAt ?? 0)).toBeCloseTo(5000);
    expect(pair.a.agent.sendPath).toBeDefined();
    pair.run(60_000, () => pair.a.agent.state === 'failed');
    expect(pair.a.states().slice(-2)).toEqual(['disconnected', 'failed']);
    expect(pair.a.events.at(-1)).toMatchObject({
      type: 'failed',
      failure: { layer: 'ice', code: 'consent-expired', gate: 'iceConsent', elapsed: 30_000 },
    });
    expect(pair.a.agent.sendPath).toBeUndefined();
    const sentBefore = pair.log.length;
    pair.run(60_000);
    expect(pair.log.slice(sentBefore).filter(({ from }) => from === 'a')).toEqual([]);
  });

  it('B1: while data comes a pair is not disconnected, though checks are lost; consent still ends', () => {
    const pair = IcePair.connected();
    const { agent } = pair.a;
    const path = agent.sendPath;
    if (path === undefined) throw new Error('no pair is in use');
    pair.drop = () => true;
    for (let i = 0; i < 28; i++) {
      pair.run(1000);
      agent.noteData(path.source, path.destination, path.protocol, pair.now);
    }
    expect(pair.a.states().at(-1)).toBe('completed');
    // Of another path it says nothing.
    pair.run(8000, () => agent.state === 'disconnected');
    agent.noteData({ address: '192.0.2.77', port: 7 }, path.destination, path.protocol, pair.now);
    expect(agent.state).not.toBe('completed');
    pair.run(10_000);
    expect(agent.state).toBe('failed');
  });

  it('B1: data says nothing while no answer is awaited: the wait begins with a check', () => {
    const pair = IcePair.connected();
    const { agent } = pair.a;
    const path = agent.sendPath;
    if (path === undefined) throw new Error('no pair is in use');
    const asked = pair.sent('a', 'request+use').length;
    const deadline = agent.nextTimeout();
    agent.noteData(path.source, path.destination, path.protocol, pair.now);
    expect(agent.nextTimeout()).toBe(deadline);
    pair.drop = () => true;
    pair.run(10_000, () => pair.sent('a', 'request+use').length > asked);
    const since = pair.now;
    pair.run(10_000, () => agent.state === 'disconnected');
    expect(pair.now - since).toBeCloseTo(5000);
  });

  it('B1: data over a pair that counts as disconnected brings it back at once, over another one does not', () => {
    const pair = IcePair.connected();
    const { agent } = pair.a;
    const path = agent.sendPath;
    if (path === undefined) throw new Error('no pair is in use');
    pair.drop = () => true;
    pair.run(15_000, () => agent.state === 'disconnected');
    agent.noteData(path.source, { address: '192.0.2.77', port: 7 }, path.protocol, pair.now);
    agent.noteData(path.source, path.destination, 'tcp', pair.now);
    expect(agent.state).toBe('disconnected');
    agent.noteData(path.source, path.destination, path.protocol, pair.now);
    expect(agent.state).toBe('completed');
    const since = pair.now;
    pair.run(10_000, () => agent.state === 'disconnected');
    expect(pair.now - since).toBeCloseTo(5000);
  });

  it('B1: data before any pair works changes nothing', () => {
    const peer = new HandMadePeer().introduce();
    const deadline = peer.agent.nextTimeout();
    peer.agent.noteData(HERE, THERE, 'udp', 5000);
    expect(peer.agent.state).toBe('checking');
    expect(peer.agent.nextTimeout()).toBe(deadline);
  });

  it('consent runs from the time the answered check was sent, not from its answer', () => {
    const peer = new HandMadePeer({ role: 'controlled' }).introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.advance(200);
    peer.deliver(peer.success(check)); // sent at 0, answered at 200
    peer.advance(29_799);
    expect(peer.agent.state).toBe('disconnected');
    peer.advance(1);
    expect(peer.agent.state).toBe('failed');
  });

  it('requests of the peer do not renew consent', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    for (let i = 0; i < 35; i++) {
      peer.check();
      peer.advance(1000);
      peer.sent();
    }
    expect(peer.agent.state).toBe('failed');
  });

  it('disconnected and back: the path returns within 30 s', () => {
    const pair = IcePair.connected();
    pair.drop = () => true;
    pair.run(15_000);
    expect(pair.states()).toEqual(['disconnected', 'disconnected']);
    pair.drop = () => false;
    pair.run(6000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('one lost consent check, or its answer, is not a disconnection', () => {
    for (let seed = 0; seed < 20; seed++) {
      const pair = IcePair.connected({ seed });
      let lost = 0;
      pair.drop = ({ from, what }) => from === 'a' && what === 'request+use' && lost++ === 0;
      pair.run(30_000);
      expect(lost).toBeGreaterThan(1);
      expect(pair.a.states()).not.toContain('disconnected');
    }
  });

  it('a late answer to an earlier check counts', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    peer.advance(6000);
    const [first] = peer.checks();
    peer.advance(6000);
    expect(peer.agent.state).toBe('disconnected');
    if (first === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(first));
    expect(peer.agent.state).toBe('connected');
  });

  it('requests are answered for as long as the session lasts', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(60_000);
    peer.check();
    expect(peer.sent()[0]?.class).toBe('success');
  });

  it('in numbers: whatever is answered when, the next check is 4 to 6 s after the last', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.boolean(), (spread, answered) => {
        const consent = new Consent(
          { consentInterval: 5000, consentTimeout: 30_000, disconnectedTimeout: 5000 },
          0,
          spread,
        );
        consent.checkSent(5000, spread);
        if (answered) consent.answered(5000, spread);
        expect(consent.nextCheckAt).toBeGreaterThanOrEqual(9000);
        expect(consent.nextCheckAt).toBeLessThan(11_000);
        expect(consent.expiresAt).toBe(answered ? 35_000 : 30_000);
        expect(consent.disconnectsAt).toBe(answered ? Infinity : 10_000);
      }),
    );
  });
});

describe('F5b: the clock jumps', () => {
  it.each([1000, 5000, 20_000, 29_000, 60_000, 3_600_000])(
    '%i ms of freeze: at most one check, and the connection lives if the peer answers',
    (gap) => {
      const pair = IcePair.connected();
      const events = pair.a.events.length;
      pair.freeze(gap);
      const woken = pair.now;
      expect(
        pair.log.filter(({ from, sentAt }) => from === 'a' && sentAt === woken).length,
      ).toBeLessThanOrEqual(1);
      pair.run(60_000);
      expect(pair.states()).toEqual(['completed', 'completed']);
      expect(pair.a.events.slice(events)).toEqual([]);
    },
  );

  it('frozen for longer than consent lasts, and the peer is gone: failed, but only after an unanswered check', () => {
    const pair = IcePair.connected();
    pair.drop = () => true;
    pair.freeze(60_000);
    const woken = pair.now;
    expect(pair.a.agent.state).toBe('completed');
    pair.run(9_999);
    expect(pair.sent('a', 'request+use', woken).length).toBeGreaterThanOrEqual(2);
    expect(pair.a.agent.state).toBe('disconnected');
    pair.run(1);
    expect(pair.a.agent.state).toBe('failed');
  });

  it('what arrives before the late timeout is handled counts', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    peer.advance(6000);
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.now += 50_000;
    peer.deliver(peer.success(check)); // it lay in the socket's buffer
    expect(peer.agent.state).toBe('connected');
    checkInvariants(peer.agent, peer.now);
  });

  it('frozen while checking: each open check is sent once again, no more', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    for (let i = 1; i <= 5; i++) {
      pair.a.agent.addRemoteCandidate(
        {
          type: 'host',
          protocol: 'udp',
          address: `198.51.100.${i}`,
          port: 9,
          foundation: '1',
          component: 1,
          priority: i,
        },
        0,
      );
    }
    pair.run(1000);
    pair.freeze(40_000);
    expect(pair.sent('a', 'request', pair.now)).toHaveLength(5);
    expect(pair.a.agent.state).toBe('checking');
    // The gate is as much longer as was missed: a second of its 30 had passed, and the next check was due at 1750.
    pair.run(29_000 - 751);
    expect(pair.a.agent.state).toBe('checking');
    pair.run(1);
    expect(pair.a.agent.state).toBe('failed');
  });

  it('frozen over the end of the connect gate: it stands open for 10 s more', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    pair.run(29_000);
    pair.freeze(40_000);
    pair.run(9_999);
    expect(pair.a.agent.state).toBe('checking');
    pair.run(1);
    expect(pair.a.agent.state).toBe('failed');
  });

  it('a host that is late every time does not live for ever on forgiveness', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    for (let i = 0; i < 10; i++) {
      peer.now += 10_000;
      peer.agent.handleTimeout(peer.now);
    }
    expect(peer.agent.state).toBe('failed');
  });

  it('time running backwards is the last time seen', () => {
    const pair = IcePair.connected();
    const deadline = pair.a.agent.nextTimeout();
    pair.a.agent.handleTimeout(0);
    expect(pair.a.agent.nextTimeout()).toBe(deadline);
  });
});
