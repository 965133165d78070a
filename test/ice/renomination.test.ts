/** Better paths found later: renomination where the peer has it, a restart where that is asked for, otherwise nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IceCandidate, IceOptions } from '../../src/ice/index.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import { StunAttributeType as Type, attributeU32, hasAttribute } from '../../src/stun/index.ts';
import { IcePair } from './pair.ts';
import type { Side } from './pair.ts';
import { HandMadePeer, THERE } from './peer.ts';

const ELSEWHERE = { address: '192.0.2.3', port: 3000 };

function elsewhere(priority: number): IceCandidate {
  return { type: 'host', protocol: 'udp', ...ELSEWHERE, foundation: '2', component: 1, priority };
}

/** Controlled, with two valid pairs: the one over THERE is the better one. */
function controlled(options: Partial<IceOptions> = {}): HandMadePeer {
  const peer = new HandMadePeer(options).introduce();
  peer.agent.addRemoteCandidate(elsewhere(1000), 0);
  answerAll(peer, 200);
  return peer;
}

/** Answers the agent's checks, each from the address it went to. */
function answerAll(
  peer: HandMadePeer,
  duration: number,
  isDead: (to: typeof THERE) => boolean = () => false,
): void {
  const end = peer.now + duration;
  for (;;) {
    for (const check of peer.checks()) {
      for (const from of [THERE, ELSEWHERE]) if (!isDead(from)) peer.deliver(peer.success(check), from);
    }
    if (peer.agent.nextTimeout() > end) break;
    peer.advance(peer.agent.nextTimeout() - peer.now);
  }
  peer.now = end;
}

function selected({ agent }: { agent: HandMadePeer['agent'] }): number | undefined {
  return agent.selectedPair?.remote.port;
}

describe('controlled', () => {
  it('a greater value moves it, whatever the priorities; the same one and a smaller one do not', () => {
    const peer = controlled();
    peer.check({ useCandidate: true, nomination: 1 });
    expect(selected(peer)).toBe(THERE.port);
    peer.check({ useCandidate: true, nomination: 2, source: ELSEWHERE });
    expect(selected(peer)).toBe(ELSEWHERE.port);
    peer.check({ useCandidate: true, nomination: 1 });
    expect(selected(peer)).toBe(ELSEWHERE.port);
    expect(peer.count('stale-nomination')).toBe(1);
    peer.check({ useCandidate: true, nomination: 2 });
    expect(selected(peer)).toBe(ELSEWHERE.port);
    peer.check({ useCandidate: true, nomination: 0xffff_ffff });
    expect(selected(peer)).toBe(THERE.port);
  });

  it('libwebrtc sends the value alone, without USE-CANDIDATE', () => {
    const peer = controlled();
    peer.check({ nomination: 7, source: ELSEWHERE });
    expect(selected(peer)).toBe(ELSEWHERE.port);
    // Its checks without a value say nothing, and USE-CANDIDATE alone is older than any value.
    peer.check({ useCandidate: true });
    expect(selected(peer)).toBe(ELSEWHERE.port);
  });

  it('a value of zero is none', () => {
    const peer = controlled();
    peer.check({ nomination: 0 });
    expect(selected(peer)).toBeUndefined();
  });

  it('a pair that is not valid yet waits for its answer; what has been nominated since stays', () => {
    const peer = new HandMadePeer().introduce();
    peer.agent.addRemoteCandidate(elsewhere(1000), 0);
    peer.check({ nomination: 1 });
    const first = peer.checks();
    peer.check({ nomination: 2, source: ELSEWHERE });
    peer.advance(60);
    const second = peer.checks();
    for (const check of second) peer.deliver(peer.success(check), ELSEWHERE);
    expect(selected(peer)).toBe(ELSEWHERE.port);
    for (const check of first) peer.deliver(peer.success(check));
    expect(selected(peer)).toBe(ELSEWHERE.port);
  });

  it('without renomination of ours values mean nothing', () => {
    const peer = controlled({ renomination: false });
    expect(peer.agent.localParameters.renomination).toBe(false);
    peer.check({ nomination: 1 });
    expect(selected(peer)).toBeUndefined();
  });

  it('a lite agent moves at once', () => {
    const peer = new HandMadePeer({ lite: true }).introduce();
    peer.check({ useCandidate: true, nomination: 1 });
    peer.check({ useCandidate: true, nomination: 2, source: ELSEWHERE, priority: 1 });
    expect(selected(peer)).toBe(ELSEWHERE.port);
  });
});

const RELAYED: IceCandidate = {
  type: 'relay',
  protocol: 'udp',
  ...ELSEWHERE,
  foundation: '2',
  component: 1,
  priority: 1000,
};

/** Controlling, with a relayed pair selected. */
function overRelay(renomination: boolean, options: Partial<IceOptions> = {}): HandMadePeer {
  const peer = new HandMadePeer({ role: 'controlling', ...options }).introduce({ renomination }, true);
  peer.agent.addRemoteCandidate(RELAYED, 0);
  answerAll(peer, 1000);
  expect(selected(peer)).toBe(ELSEWHERE.port);
  return peer;
}

/** A direct candidate comes, and its checks are answered from now on. */
function direct(peer: HandMadePeer): void {
  peer.agent.addRemoteCandidate(
    { type: 'host', protocol: 'udp', ...THERE, foundation: '1', component: 1, priority: 2_130_706_431 },
    peer.now,
  );
}

function nominations(checks: readonly StunMessage[]): (number | undefined)[] {
  return checks
    .filter((check) => hasAttribute(check, Type.useCandidate))
    .map((check) => attributeU32(check, Type.nomination));
}

describe('controlling', () => {
  it('a peer with renomination: relayed → direct, with a greater value, at once', () => {
    const peer = overRelay(true);
    direct(peer);
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(check));
    peer.advance(60);
    const [nomination] = peer.checks();
    if (nomination === undefined) throw new RangeError('no nomination');
    expect(nominations([nomination])).toEqual([2]);
    expect(selected(peer)).toBe(ELSEWHERE.port);
    peer.deliver(peer.success(nomination));
    expect(selected(peer)).toBe(THERE.port);
  });

  it('consent checks repeat the value of their own pair', () => {
    const peer = overRelay(true);
    direct(peer);
    answerAll(peer, 500);
    expect(selected(peer)).toBe(THERE.port);
    peer.advance(6500);
    expect(new Set(nominations(peer.checks()))).toEqual(new Set([2]));
  });

  it('a peer without: no check, no nomination, no event', () => {
    const peer = overRelay(false);
    direct(peer);
    answerAll(peer, 20_000);
    expect(selected(peer)).toBe(ELSEWHERE.port);
    expect(peer.events.some(({ type }) => type === 'restartwanted')).toBe(false);
  });

  it('a peer without, and restarts wanted: one event that says which pair, and no second nomination', () => {
    const peer = overRelay(false, { pathUpgrade: 'restart' });
    direct(peer);
    answerAll(peer, 60_000);
    expect(selected(peer)).toBe(ELSEWHERE.port);
    expect(peer.events.filter(({ type }) => type === 'restartwanted')).toMatchObject([
      { pair: { remote: THERE, valid: true } },
    ]);
  });

  it('pathUpgrade "none": not even a peer with renomination', () => {
    const peer = overRelay(true, { pathUpgrade: 'none' });
    direct(peer);
    answerAll(peer, 20_000);
    expect(selected(peer)).toBe(ELSEWHERE.port);
  });

  it('a direct pair is not left for a direct one because of its priority', () => {
    const peer = new HandMadePeer({ role: 'controlling' }).introduce({ renomination: true }, true);
    peer.agent.addRemoteCandidate(elsewhere(1000), 0);
    answerAll(peer, 1000);
    direct(peer);
    answerAll(peer, 60_000);
    expect(selected(peer)).toBe(ELSEWHERE.port);
  });
});

describe('round trips', () => {
  /** Both pairs work from the start; answers over THERE take `slow` ms, over ELSEWHERE none. */
  function after(slow: (n: number) => number, duration: number): HandMadePeer {
    const peer = new HandMadePeer({ role: 'controlling', backupInterval: 5000 }).introduce({
      renomination: true,
    });
    peer.agent.addRemoteCandidate(elsewhere(1000), 0);
    const waiting: { at: number; check: StunMessage }[] = [];
    const end = peer.now + duration;
    let n = 0;
    while (peer.now < end) {
      for (let out = peer.agent.pollTransmit(); out !== undefined; out = peer.agent.pollTransmit()) {
        const [check] = peer.decoded(out.data);
        if (check?.class !== 'request') continue;
        const isSlow = out.destination.port === THERE.port;
        if (isSlow) waiting.push({ at: peer.now + slow(n++), check });
        else peer.deliver(peer.success(check), ELSEWHERE);
      }
      for (const one of waiting.filter(({ at }) => at <= peer.now)) {
        waiting.splice(waiting.indexOf(one), 1);
        peer.deliver(peer.success(one.check));
      }
      peer.advance(10);
    }
    return peer;
  }

  it('one of less than half is taken, once three in a row say so', () => {
    expect(selected(after(() => 200, 8000))).toBe(THERE.port);
    expect(selected(after(() => 200, 60_000))).toBe(ELSEWHERE.port);
  });

  it('a single slow answer decides nothing, nor does a small difference', () => {
    expect(selected(after((n) => (n % 3 === 0 ? 200 : 10), 120_000))).toBe(THERE.port);
    expect(selected(after(() => 5, 120_000))).toBe(THERE.port);
  });
});

describe('both ends', () => {
  /** Two ends with a host and a relayed address each, whose host pair the network loses until `opensAt`. */
  function twoEnds(seed: number, opensAt: number, a: Partial<IceOptions>, b: Partial<IceOptions>): IcePair {
    const pair = new IcePair({ seed, a, b });
    const add = (side: Side, n: number): void => {
      const address = `198.51.100.${n}`;
      side.host(`192.0.2.${n}`, 1000);
      side.agent.addLocalCandidate({ type: 'relay', protocol: 'udp', address, port: 2000, overhead: 36 }, 0);
      side.bases.push({ address, port: 2000 });
    };
    add(pair.a, 1);
    add(pair.b, 2);
    pair.drop = ({ transmit, sentAt }) =>
      sentAt < opensAt && (transmit.source.port === 1000 || transmit.destination.port === 1000);
    pair.signal();
    return pair;
  }

  it('relayed at first; direct, within a round trip of the check that shows it', () => {
    const pair = twoEnds(1, 3000, {}, {});
    pair.run(2900);
    for (const { agent } of [pair.a, pair.b]) expect(agent.sendPath).toMatchObject({ overhead: 36 });
    pair.run(20_000);
    for (const { agent } of [pair.a, pair.b]) {
      expect(agent.selectedPair).toMatchObject({ local: { type: 'host' }, remote: { type: 'host' } });
      expect(agent.sendPath).not.toHaveProperty('overhead');
    }
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('whoever has it, whenever the direct path opens: both agree', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 10_000 }),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(false, true),
        (seed, opensAt, hasA, hasB, isLiteB) => {
          const pair = twoEnds(
            seed,
            opensAt,
            { renomination: hasA },
            { renomination: hasB, ...(isLiteB ? { lite: true } : {}) },
          );
          pair.run(60_000);
          const [a, b] = [pair.a.agent.selectedPair, pair.b.agent.selectedPair];
          expect(a?.local).toMatchObject({ address: b?.remote.address, port: b?.remote.port });
          expect(a?.remote).toMatchObject({ address: b?.local.address, port: b?.local.port });
        },
      ),
      { numRuns: 60 },
    );
  });
});
