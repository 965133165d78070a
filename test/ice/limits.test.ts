import { describe, expect, it } from 'vitest';
import { candidatePriority, comparePriority, pairPriority } from '../../src/ice/index.ts';
import type { IceCandidate } from '../../src/ice/index.ts';
import type { CryptoProvider } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { vectors } from '../stun/vectors.ts';
import { checkInvariants } from './pair.ts';
import { HandMadePeer, THERE } from './peer.ts';

const remote = (n: number): IceCandidate => ({
  type: 'host',
  protocol: 'udp',
  address: `198.51.${Math.floor(n / 200)}.${(n % 200) + 1}`,
  port: 9,
  foundation: '1',
  component: 1,
  priority: 1000 + n,
});

describe('priorities', () => {
  it('of candidates, as in RFC 8445 §5.1.2.1', () => {
    for (const { type, localPref, component, priority } of vectors.candidatePriority) {
      if (type !== 'host' && type !== 'srflx' && type !== 'prflx' && type !== 'relay') continue;
      expect(candidatePriority(type, localPref, component)).toBe(priority);
    }
  });

  it('of pairs: the three digits order as the 64-bit number does', () => {
    const cases = vectors.pairPriority.map(({ G, D, priority }) => ({
      digits: pairPriority(G, D),
      value: BigInt(priority),
    }));
    for (const one of cases) {
      for (const other of cases) {
        const expected = one.value < other.value ? -1 : one.value > other.value ? 1 : 0;
        expect(Math.sign(comparePriority(one.digits, other.digits))).toBe(expected);
      }
    }
  });

  it('dual stack: IPv6 and IPv4 alternate (RFC 8421)', () => {
    const peer = new HandMadePeer();
    for (const address of ['192.0.2.5', '2001:db8::1', '2001:db8::2']) {
      peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 1 }, 0);
    }
    const sorted = [...peer.agent.localCandidates].sort((a, b) => b.priority - a.priority);
    expect(sorted.map(({ address }) => address)).toEqual([
      '2001:db8::1',
      '192.0.2.1',
      '2001:db8::2',
      '192.0.2.5',
    ]);
  });

  it('foundations are equal for one type and base address, and ice-chars', () => {
    const peer = new HandMadePeer();
    const same = peer.agent.addLocalCandidate(
      { type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5 },
      0,
    );
    const other = peer.agent.addLocalCandidate(
      { type: 'host', protocol: 'udp', address: '192.0.2.9', port: 5 },
      0,
    );
    expect(same.foundation).toBe(peer.agent.localCandidates[0]?.foundation);
    expect(other.foundation).not.toBe(same.foundation);
    expect(other.foundation).toMatch(/^[A-Za-z0-9+/]{1,32}$/);
  });
});

describe('bounds', () => {
  it('signalled candidates beyond the limit are refused and counted', () => {
    const peer = new HandMadePeer({ maxRemoteCandidates: 10 }).introduce();
    for (let n = 0; n < 100; n++) peer.agent.addRemoteCandidate(remote(n), 0);
    expect(peer.agent.remoteCandidates).toHaveLength(10);
    expect(peer.count('candidate-limit')).toBe(91);
  });

  it('10 000 trickled candidates, at once or one by one, of every kind: bounded lists, each refusal counted', () => {
    const peer = new HandMadePeer().introduce();
    for (let n = 0; n < 10_000; n++) {
      const one = remote(n % 5000);
      const kinds = [
        one,
        { ...one, protocol: 'tcp', tcpType: 'passive' },
        { ...one, address: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}.local` },
        { ...one, usernameFragment: 'foreign' },
      ] as const;
      peer.agent.addRemoteCandidate(kinds[n % 4] ?? one, peer.now);
      if (n % 100 === 0) peer.advance(10);
    }
    const view = peer.agent.inspect();
    expect(view.remoteCandidates.length).toBeLessThanOrEqual(64);
    expect(view.pairs.length).toBeLessThanOrEqual(100);
    expect(view.queues.transactions).toBeLessThanOrEqual(256);
    const { counters } = view;
    const refused =
      counters['candidate-limit'] +
      counters['candidate-duplicate'] +
      counters['candidate-foreign'] +
      counters['name-limit'];
    // 16 names are asked for, and 32 candidates wait for a description that they belong to.
    expect(refused + view.remoteCandidates.length + 16 + 32).toBeGreaterThanOrEqual(10_000);
    // The one that works is still found, by its check.
    peer.check({ source: { address: '203.0.113.9', port: 9 }, useCandidate: true });
    checkInvariants(peer.agent, peer.now);
  });

  it('SEC: an authenticated peer that changes its port for ever costs a bounded list, and the working pair stays', () => {
    const peer = new HandMadePeer({ maxRemoteCandidates: 10, maxPairs: 10 }).introduce();
    peer.check({ useCandidate: true });
    peer.answerFor(100);
    for (let port = 10_000; port < 10_200; port++) {
      peer.check({ source: { ...THERE, port }, useCandidate: true });
      peer.advance(1);
    }
    peer.sent();
    const view = peer.agent.inspect();
    expect(view.remoteCandidates).toHaveLength(10);
    expect(view.pairs.length).toBeLessThanOrEqual(10);
    expect(view.queues.triggeredChecks).toBeLessThanOrEqual(10);
    expect(view.queues.transactions).toBeLessThanOrEqual(20);
    expect(view.selectedPair?.remote).toMatchObject(THERE);
    expect(view.remoteCandidates.at(-1)?.port).toBe(10_199); // the latest address is still served
    checkInvariants(peer.agent, peer.now);
  });

  it('the lowest pairs make room, valid ones never do', () => {
    const peer = new HandMadePeer({ maxPairs: 3, maxRemoteCandidates: 100 }).introduce();
    peer.answerFor(100);
    for (let n = 0; n < 20; n++) {
      peer.agent.addRemoteCandidate({ ...remote(n), priority: 4_000_000_000 + n }, peer.now);
    }
    const { pairs } = peer.agent.inspect();
    expect(pairs.map(({ remote: { priority } }) => priority)).toEqual([
      4_000_000_019, 4_000_000_018, 2_130_706_431,
    ]);
    expect(pairs[2]?.valid).toBe(true);
    expect(peer.count('pair-limit')).toBe(18);
  });

  it('a peer found by its check is preferred to pairs that never worked', () => {
    const peer = new HandMadePeer({ maxPairs: 3 }).introduce({}, true);
    for (let n = 0; n < 3; n++) peer.agent.addRemoteCandidate(remote(n), 0);
    peer.check({ priority: 1 });
    expect(peer.agent.inspect().pairs.map(({ remote: { type } }) => type)).toContain('prflx');
  });

  it('a host that does not drain: datagrams are dropped at the limit and counted', () => {
    const peer = new HandMadePeer({ maxQueuedTransmits: 5 }).introduce();
    for (let i = 0; i < 20; i++) peer.check();
    expect(peer.agent.inspect().queues.transmits).toBe(5);
    expect(peer.count('transmit-limit')).toBeGreaterThan(10);
  });

  it('checks awaiting an answer are bounded: the oldest is given up', () => {
    const peer = new HandMadePeer({ maxTransactions: 3 }).introduce({}, true);
    for (let n = 0; n < 10; n++) peer.agent.addRemoteCandidate(remote(n), 0);
    peer.advance(450);
    const view = peer.agent.inspect();
    expect(view.queues.transactions).toBe(3);
    expect(view.pairs.filter(({ state }) => state === 'failed')).toHaveLength(7);
    expect(view.counters['transaction-limit']).toBe(7);
  });
});

describe('A10: what is dropped is not made first', () => {
  it('A10: answers whose queue is full cost no integrity, and are counted', () => {
    let macs = 0;
    const crypto = jsCrypto();
    const hmac: CryptoProvider['hmac'] = (hash, key) => {
      const handle = crypto.hmac(hash, key);
      return {
        ...handle,
        mac: (...parts) => {
          macs++;
          return handle.mac(...parts);
        },
      };
    };
    const counting = Object.create(crypto, { hmac: { value: hmac } }) as CryptoProvider;
    const peer = new HandMadePeer({ crypto: counting, maxQueuedTransmits: 4 }).introduce({}, true);
    for (let i = 0; i < 4; i++) peer.check();
    const before = macs;
    for (let i = 0; i < 100; i++) peer.check();
    expect(macs - before).toBe(100); // theirs are verified, ours are not made
    expect(peer.sent()).toHaveLength(4);
    expect(peer.count('response-sent') + peer.count('transmit-limit')).toBe(104);
    peer.answerFor(600);
    expect(peer.agent.sendPath).toBeDefined();
  });
});
