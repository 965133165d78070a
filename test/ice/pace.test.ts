/** How fast checks leave: Ta, what a check of the peer's triggers, and one budget for many agents. */
import { describe, expect, it } from 'vitest';
import { CheckBudget } from '../../src/ice/index.ts';
import type { IceCandidate, IceOptions } from '../../src/ice/index.ts';
import { StunAttributeType as Type, hasAttribute } from '../../src/stun/index.ts';
import { IcePair } from './pair.ts';
import { HandMadePeer, THERE } from './peer.ts';

function remote(port: number): IceCandidate {
  return {
    type: 'host',
    protocol: 'udp',
    address: '192.0.2.9',
    port,
    foundation: '1',
    component: 1,
    priority: port,
  };
}

/** When the agent's checks leave, within `duration` milliseconds, if nobody answers. */
function times(peer: HandMadePeer, duration: number): number[] {
  const all: number[] = [];
  const end = peer.now + duration;
  for (;;) {
    for (let count = peer.checks().length; count > 0; count--) all.push(peer.now);
    if (peer.agent.nextTimeout() > end) return all;
    peer.advance(peer.agent.nextTimeout() - peer.now);
  }
}

function manyCandidates(options: Partial<IceOptions> = {}): HandMadePeer {
  const peer = new HandMadePeer({ retransmitTimeout: 10_000, ...options }).introduce({}, true);
  for (let port = 1; port <= 5; port++) peer.agent.addRemoteCandidate(remote(port), 0);
  return peer;
}

describe('one agent', () => {
  it('checks of its own accord are Ta apart', () => {
    expect(times(manyCandidates(), 1000)).toEqual([0, 50, 100, 150, 200]);
    expect(times(manyCandidates({ checkInterval: 20 }), 1000)).toEqual([0, 20, 40, 60, 80]);
  });

  it('a triggered one leaves 5 ms after the one before, at once if nothing was sent', () => {
    const peer = manyCandidates();
    expect(times(peer, 1)).toEqual([0]);
    peer.now = 1;
    peer.check({ source: THERE });
    expect(times(peer, 10)).toEqual([5]);
    peer.now = 11;
    peer.check({ source: { ...THERE, port: 77 } });
    expect(times(peer, 0)).toEqual([11]);
    // What nothing has triggered waits for Ta after it.
    expect(times(peer, 60)).toEqual([61]);
  });

  it('a nomination waits for no tick', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.now = 2;
    peer.deliver(peer.success(check));
    peer.advance(3);
    expect(peer.now).toBe(5);
    expect(peer.checks().map((one) => hasAttribute(one, Type.useCandidate))).toEqual([true]);
  });
});

describe('a connect costs round trips', () => {
  it.each([0, 1, 5, 50])('%i ms one way: both have selected within two round trips and 5 ms', (delay) => {
    const pair = new IcePair({ delay });
    for (let port = 1000; port < 1004; port++) pair.a.host('192.0.2.1', port);
    for (let port = 2000; port < 2004; port++) pair.b.host('192.0.2.2', port);
    pair.signal();
    const both = (): boolean => [pair.a, pair.b].every(({ agent }) => agent.selectedPair !== undefined);
    pair.run(10_000, both);
    expect(pair.now).toBeLessThanOrEqual(Math.max(2 * delay, 5) + 2 * delay);
  });
});

describe('a budget of many', () => {
  it('an interval apart, in the order in which they ask', () => {
    const budget = new CheckBudget();
    expect([0, 0, 3, 100].map((now) => budget.reserve(now))).toEqual([0, 5, 10, 100]);
    expect(() => new CheckBudget(-1)).toThrow('"interval"');
    expect(() => new CheckBudget(NaN)).toThrow('"interval"');
    expect(() => new HandMadePeer({ checkBudget: {} as never })).toThrow('"checkBudget"');
  });

  it('agents that share one send 5 ms apart, each at its own pace, and none is left out', () => {
    const checkBudget = new CheckBudget();
    const peers = Array.from({ length: 30 }, () => manyCandidates({ checkBudget }));
    const all: number[] = [];
    const counts = peers.map(() => 0);
    for (let now = 0; now <= 2000; now++) {
      for (const [i, peer] of peers.entries()) {
        peer.now = now;
        if (peer.agent.nextTimeout() <= now) peer.agent.handleTimeout(now);
        const sent = peer.checks().length;
        counts[i] = (counts[i] ?? 0) + sent;
        for (let n = 0; n < sent; n++) all.push(now);
      }
    }
    expect(counts).toEqual(peers.map(() => 5));
    expect(all.slice(1).every((at, i) => at - (all[i] ?? at) >= 5)).toBe(true);
    expect(all.at(-1)).toBeLessThanOrEqual(150 * 5 + 50);
  });

  it('what the peer triggers waits for nobody', () => {
    const checkBudget = new CheckBudget();
    for (let i = 0; i < 1000; i++) checkBudget.reserve(0);
    const peer = new HandMadePeer({ checkBudget }).introduce();
    expect(times(peer, 100)).toEqual([]);
    peer.now = 100;
    peer.check();
    expect(times(peer, 0)).toEqual([100]);
  });
});
