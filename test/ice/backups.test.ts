/** Pairs that are kept alive beside the selected one, and a selected one that goes silent. */
import { describe, expect, it } from 'vitest';
import type { IceOptions } from '../../src/ice/index.ts';
import type { Flight } from './pair.ts';
import { IcePair } from './pair.ts';
import { otherRole } from '../../src/ice/role.ts';
import { HandMadePeer, THERE } from './peer.ts';

const SPARE = { address: '192.0.2.3', port: 3000 };

/** Lets time pass; checks to these ports are answered, each from where it went. */
function answer(peer: HandMadePeer, duration: number, alive: readonly number[]): void {
  const end = peer.now + duration;
  for (;;) {
    for (let out = peer.agent.pollTransmit(); out !== undefined; out = peer.agent.pollTransmit()) {
      const { destination } = out;
      if (!alive.includes(destination.port)) continue;
      for (const check of peer.decoded(out.data)) {
        if (check.class === 'request') peer.deliver(peer.success(check), destination);
      }
    }
    if (peer.agent.nextTimeout() > end) break;
    peer.advance(peer.agent.nextTimeout() - peer.now);
  }
  peer.now = end;
}

/** A has two addresses, B has one: two pairs that work, the first of them selected. */
function twoPaths(a: Partial<IceOptions> = {}, b: Partial<IceOptions> = {}): IcePair {
  const pair = new IcePair({ a, b });
  pair.a.host('192.0.2.1', 1000);
  pair.a.host('192.0.2.1', 1001);
  pair.b.host('192.0.2.2', 2000);
  pair.signal();
  pair.run(2000);
  expect(pair.a.agent.selectedPair?.local.port).toBe(1000);
  return pair;
}

/** Over the address of A's with this port. */
function over(port: number): (flight: Flight) => boolean {
  return ({ transmit }) => transmit.source.port === port || transmit.destination.port === port;
}

describe('kept alive', () => {
  it('with a check every 25 s from either end, without a nomination', () => {
    const pair = twoPaths();
    pair.run(100_000);
    const spare = pair.log.filter((flight) => over(1001)(flight) && flight.sentAt >= 2000);
    for (const name of ['a', 'b'] as const) {
      const checks = spare.filter(({ from, what }) => from === name && what.startsWith('request'));
      expect(checks.length).toBeGreaterThanOrEqual(3);
      expect(checks.length).toBeLessThanOrEqual(5);
      expect(checks.every(({ what }) => what === 'request')).toBe(true);
    }
    expect(pair.a.agent.stats().pairs[1]?.consentRequestsSent).toBeGreaterThan(2);
  });

  it('no more than so many, and none with "maxBackupPairs: 0"', () => {
    for (const maxBackupPairs of [0, 2]) {
      const pair = new IcePair({ a: { maxBackupPairs, nominationDelay: 2000 }, b: { maxBackupPairs } });
      pair.drop = (flight) => flight.sentAt < 1000 && over(1000)(flight);
      for (let port = 1000; port < 1006; port++) pair.a.host('192.0.2.1', port);
      pair.b.host('192.0.2.2', 2000);
      pair.signal();
      pair.run(5000);
      const valid = pair.a.agent.inspect().pairs.filter(({ valid: works }) => works).length;
      expect(valid).toBeGreaterThan(3);
      pair.run(60_000);
      const asked = pair.a.agent.stats().pairs.filter(({ consentRequestsSent }) => consentRequestsSent > 0);
      expect(asked).toHaveLength(1 + maxBackupPairs);
    }
  });

  it('one that does not answer is asked again soon, and forgotten when its consent is over', () => {
    const pair = twoPaths();
    pair.drop = over(1001);
    pair.run(25_000 + 10_000);
    const asked = (): number => pair.a.agent.stats().pairs[1]?.consentRequestsSent ?? 0;
    const soon = asked();
    expect(soon).toBeGreaterThanOrEqual(2);
    pair.run(60_000);
    expect(asked()).toBeLessThanOrEqual(soon + 1);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });
});

describe('a selected pair that goes silent', () => {
  it.each<[string, Partial<IceOptions>, Partial<IceOptions>]>([
    ['with renomination', {}, {}],
    ['without', { renomination: false }, {}],
    ['controlled by B', { role: 'controlled' }, { role: 'controlling' }],
    ['controlled by B, without', { role: 'controlled' }, { role: 'controlling', renomination: false }],
  ])('%s: is left for one that answers, long before its consent ends, and both agree', (_, a, b) => {
    const pair = twoPaths(a, b);
    pair.run(20_000);
    pair.drop = over(1000);
    pair.run(13_000);
    expect(pair.a.agent.sendPath?.source.port).toBe(1001);
    expect(pair.b.agent.sendPath?.destination.port).toBe(1001);
    pair.run(120_000);
    for (const { agent } of [pair.a, pair.b]) {
      expect(['connected', 'completed']).toContain(agent.state);
      expect(agent.selectedPair?.nominated).toBe(true);
    }
    expect(pair.a.agent.sendPath?.source.port).toBe(1001);
    expect(pair.b.agent.sendPath?.destination.port).toBe(1001);
  });

  it('stays while its peer sends data over it, or where nothing else answers', () => {
    const pair = twoPaths();
    pair.drop = () => true;
    pair.run(20_000);
    expect(pair.a.count('path-left')).toBe(0);
    expect(pair.a.agent.state).toBe('disconnected');
    pair.run(20_000);
    expect(pair.states()).toEqual(['failed', 'failed']);
  });

  it.each(['controlling', 'controlled'] as const)(
    '%s, with a peer that checks nothing itself: a backup is asked every second, and used after five',
    (role) => {
      const peer = new HandMadePeer({ role }).introduce();
      peer.agent.addRemoteCandidate(
        { type: 'host', protocol: 'udp', ...SPARE, foundation: '2', component: 1, priority: 1000 },
        0,
      );
      peer.check({ role: otherRole(role), source: SPARE, priority: 1000 });
      answer(peer, 300, [THERE.port, SPARE.port]);
      if (role === 'controlled') peer.check({ useCandidate: true });
      answer(peer, 9000, [THERE.port, SPARE.port]);
      expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
      const before = peer.agent.stats().pairs[1]?.consentRequestsSent ?? 0;
      const silentSince = peer.now;
      while (peer.agent.selectedPair?.remote.port === THERE.port && peer.now < silentSince + 20_000)
        answer(peer, 100, [SPARE.port]);
      expect(peer.now - silentSince).toBeLessThan(6000 + 5000 + 1000);
      expect(peer.agent.stats().pairs[1]?.consentRequestsSent ?? 0).toBeGreaterThanOrEqual(before + 3);
      expect(peer.agent.selectedPair?.remote).toMatchObject(SPARE);
      expect(peer.count('path-left')).toBe(1);
      answer(peer, 120_000, [SPARE.port]);
      expect(peer.agent.state).not.toBe('failed');
    },
  );

  it('a controlled agent that has moved goes where the peer nominates, be it back', () => {
    const peer = new HandMadePeer().introduce();
    peer.agent.addRemoteCandidate(
      { type: 'host', protocol: 'udp', ...SPARE, foundation: '2', component: 1, priority: 1000 },
      0,
    );
    answer(peer, 300, [THERE.port, SPARE.port]);
    peer.check({ useCandidate: true, nomination: 3 });
    answer(peer, 16_000, [SPARE.port]);
    expect(peer.agent.selectedPair?.remote).toMatchObject(SPARE);
    peer.check({ useCandidate: true, nomination: 3 });
    answer(peer, 500, [THERE.port, SPARE.port]);
    peer.check({ useCandidate: true, nomination: 3 });
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
  });
});
