import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import { toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { IceCandidate } from '../../src/ice/index.ts';
import { IceAgent } from '../../src/ice/index.ts';
import { IcePair, LOCAL_CLOSE } from './pair.ts';

const host = (address: string, port: number, priority = 2_000_000_000): IceCandidate => ({
  type: 'host',
  protocol: 'udp',
  address,
  port,
  foundation: '1',
  component: 1,
  priority,
});

describe('connecting', () => {
  it('host to host: one check each way, then nomination', () => {
    const pair = new IcePair({ delay: 10 });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(200);
    expect(pair.log.map(({ sentAt, from, what }) => `${sentAt} ${from} ${what}`)).toEqual([
      '0 a request', // A -> check -> B
      '0 b request', // A <- check <- B, at the same moment
      '10 a success',
      '10 b success',
      '20 a request+use', // A nominates as soon as it knows that the pair works
      '30 b success',
    ]);
    expect(pair.a.events.map(({ type }) => type)).toEqual([
      'statechange',
      'pairvalid',
      'statechange',
      'selectedpairchange',
      'statechange',
    ]);
    expect(pair.a.states()).toEqual(['checking', 'connected', 'completed']);
    expect(pair.b.states()).toEqual(['checking', 'connected', 'completed']);
    expect(pair.a.agent.selectedPair?.remote.address).toBe('192.0.2.2');
    expect(pair.b.agent.selectedPair?.nominated).toBe(true);
  });

  it('data may flow on the valid pair before nomination', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(25);
    expect(pair.b.agent.selectedPair).toBeUndefined();
    expect(pair.b.agent.sendPath).toEqual({
      protocol: 'udp',
      source: { address: '192.0.2.2', port: 2000 },
      destination: { address: '192.0.2.1', port: 1000 },
    });
    expect(
      pair.b.agent.isValidPath({ address: '192.0.2.2', port: 2000 }, { address: '192.0.2.1', port: 1000 }),
    ).toBe(true);
  });

  it('the round trip is measured', () => {
    expect(IcePair.connected({ delay: 37 }).a.agent.roundTripTime).toBe(74);
  });

  it('loopback connects', () => {
    const pair = new IcePair();
    pair.a.host('127.0.0.1', 1000);
    pair.b.host('127.0.0.1', 2000);
    pair.signal();
    pair.run(200);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('dual stack: families never mix, and IPv6 is preferred', () => {
    const pair = new IcePair();
    for (const [side, last] of [
      [pair.a, 1],
      [pair.b, 2],
    ] as const) {
      side.host(`192.0.2.${last}`, 1000);
      side.host(`2001:db8::${last}`, 1000);
    }
    pair.signal();
    pair.run(1000);
    expect(pair.a.agent.inspect().pairs).toHaveLength(2);
    expect(pair.a.agent.selectedPair?.remote.address).toBe('2001:db8::2');
    expect(pair.b.agent.selectedPair?.remote.address).toBe('2001:db8::1');
  });

  it('a better pair that does not answer costs the nomination delay and no more', () => {
    const pair = new IcePair({ a: { nominationDelay: 300 } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.a.agent.addRemoteCandidate(host('192.0.2.99', 9, 2_130_706_431), 0);
    pair.run(1000);
    expect(pair.a.agent.selectedPair?.remote.address).toBe('192.0.2.2');
    // The pair is valid at 20, the delay ends at 320.
    expect(pair.sent('a', 'request+use').map(({ sentAt }) => sentAt)).toEqual([320]);
  });

  it('new checks are at least Ta apart', () => {
    const pair = new IcePair({ a: { checkInterval: 20 } });
    pair.a.host('192.0.2.1', 1000);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    for (let i = 0; i < 10; i++) pair.a.agent.addRemoteCandidate(host(`198.51.100.${String(i + 1)}`, 9), 0);
    pair.run(199);
    const times = pair.sent('a', 'request').map(({ sentAt }) => sentAt);
    expect(times).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180]);
  });

  it('a check is sent again after 250 ms, doubling to 3 s, and given up after 12', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    pair.a.agent.addRemoteCandidate(host('198.51.100.1', 9), 0);
    pair.run(29_000);
    const seconds = pair.sent('a', 'request').map(({ sentAt }) => sentAt / 1000);
    expect(seconds).toEqual([0, 0.25, 0.75, 1.75, 3.75, 6.75, 9.75, 12.75, 15.75, 18.75, 21.75, 24.75]);
    expect(pair.a.agent.inspect().pairs[0]?.state).toBe('failed');
  });

  it('the first packets lost: connected by the first retransmission', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.drop = ({ sentAt }) => sentAt < 100;
    pair.signal();
    pair.run(1000, () => pair.b.agent.state === 'completed' && pair.a.agent.state === 'completed');
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.now).toBeLessThan(400);
  });

  it('F2a: nothing answers: failed at the iceConnect gate, saying so', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.drop = () => true;
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(60_000);
    expect(pair.a.states()).toEqual(['checking', 'failed']);
    expect(pair.a.events.at(-1)).toEqual({
      type: 'failed',
      failure: {
        layer: 'ice',
        code: 'connect-timeout',
        message:
          'no candidate pair worked: 1 local and 1 remote candidates; nothing valid was heard from the peer',
        gate: 'iceConnect',
        elapsed: 30_000,
        peerSilentFor: 30_000,
      },
    });
  });

  it('F2a: the gate also ends a session whose peer never trickles a candidate', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    expect(pair.a.agent.timeoutReason()).toBe('iceConnect');
    pair.run(30_000);
    expect(pair.a.agent.state).toBe('failed');
  });
});

describe('trickle', () => {
  it('candidates one by one, in both directions, after the parameters', () => {
    const pair = new IcePair();
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    pair.b.agent.setRemoteParameters(pair.a.agent.localParameters, 0);
    pair.run(500);
    pair.a.host('192.0.2.1', 1000, pair.now);
    pair.b.host('192.0.2.2', 2000, pair.now);
    pair.a.agent.addRemoteCandidate(host('192.0.2.2', 2000), pair.now);
    pair.run(500);
    expect(pair.states()).toEqual(['connected', 'connected']);
    pair.b.agent.endOfRemoteCandidates(pair.now);
    expect(pair.b.agent.state).toBe('completed');
  });

  it('candidates that come before the parameters are used once these have come', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.a.agent.addRemoteCandidate(host('192.0.2.2', 2000), 0);
    expect(pair.a.agent.nextTimeout()).toBe(Infinity);
    pair.signal();
    pair.run(200);
    expect(pair.a.agent.state).toBe('completed');
  });

  it('a peer-reflexive candidate becomes the signalled one and stays connected', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.tell(pair.b);
    // A knows B's credentials only: B's check is how it learns the address.
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    pair.run(200);
    expect(pair.a.agent.selectedPair?.remote.type).toBe('prflx');
    const [candidate] = pair.b.agent.localCandidates;
    if (candidate === undefined) throw new RangeError('no candidate');
    pair.a.agent.addRemoteCandidate(candidate, pair.now);
    expect(pair.a.agent.selectedPair).toMatchObject({
      remote: { type: 'host' },
      nominated: true,
      state: 'succeeded',
    });
    expect(pair.a.agent.inspect().pairs).toHaveLength(1);
    expect(pair.a.agent.remoteCandidates).toHaveLength(1);
  });

  it('F1c: the first check comes before the answerer has the offer: answered at once, checked back later', () => {
    const pair = new IcePair({ a: { role: 'controlled' }, b: { role: 'controlling' } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.tell(pair.b);
    pair.run(100);
    expect(pair.sent('a', 'success').length).toBeGreaterThan(0); // B's check was authenticated by A's own password
    expect(pair.sent('a', 'request')).toEqual([]); // B's password is not known yet
    expect(pair.b.agent.state).toBe('completed');
    const here = { address: '192.0.2.1', port: 1000 };
    const there = { address: '192.0.2.2', port: 2000 };
    expect(pair.a.agent.isAuthenticatedPath(here, there)).toBe(true);
    expect(pair.a.agent.isValidPath(here, there)).toBe(false);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, pair.now);
    pair.run(100);
    expect(pair.a.agent.isValidPath(here, there)).toBe(true);
    // The nomination that came early is not lost either.
    expect(pair.a.agent.selectedPair?.remote.address).toBe('192.0.2.2');
  });

  it('early pairs of another session go when the description comes', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.tell(pair.b);
    pair.run(60);
    const stranger = new IceAgent({ crypto: jsCrypto(), random: new SeededRandom(9), role: 'controlled' });
    pair.a.agent.setRemoteParameters(stranger.localParameters, pair.now);
    expect(pair.a.agent.remoteCandidates).toEqual([]);
    expect(pair.a.agent.inspect().pairs).toEqual([]);
    pair.run(7000);
    expect(pair.a.count('foreign-username')).toBeGreaterThan(0);
  });

  it.each([
    ['candidate-tcp', { protocol: 'tcp' as const, tcpType: 'active' as const, port: 9 }],
    ['candidate-mdns', { address: 'printer.local' }],
    ['candidate-unusable', { address: 'example.org' }],
    ['candidate-unusable', { address: '0.0.0.0' }],
    ['candidate-unusable', { address: '224.0.0.1' }],
    ['candidate-unusable', { address: '::' }],
    ['candidate-unusable', { port: 0 }],
    ['candidate-parked', { usernameFragment: 'other' }],
    ['candidate-duplicate', { address: '192.0.2.2', port: 2000 }],
  ] as const)('remote candidate ignored and counted: %s %j', (counter, change) => {
    const pair = IcePair.connected();
    pair.a.agent.addRemoteCandidate({ ...host('203.0.113.5', 5000), ...change }, pair.now);
    expect(pair.a.count(counter)).toBe(1);
    expect(pair.a.agent.remoteCandidates).toHaveLength(1);
  });

  it('a peer whose candidates are all mDNS names is found by its checks', () => {
    const pair = new IcePair({ a: { role: 'controlled' }, b: { role: 'controlling' } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.tell(pair.b);
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, 0);
    pair.a.agent.addRemoteCandidate({ ...host('192.0.2.2', 2000), address: 'abcd.local' }, 0);
    pair.run(200);
    expect(pair.a.agent.selectedPair?.remote).toMatchObject({ type: 'prflx', address: '192.0.2.2' });
  });
});

describe('NAT', () => {
  it('behind a NAT: peer-reflexive on both ends of the pair', () => {
    const pair = new IcePair();
    pair.a.host('10.0.0.1', 1000);
    pair.a.nat.set('10.0.0.1:1000', { address: '198.51.100.1', port: 40_000 });
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(2000);
    expect(pair.a.agent.selectedPair?.local).toMatchObject({
      type: 'prflx',
      address: '198.51.100.1',
      port: 40_000,
      relatedAddress: '10.0.0.1',
    });
    expect(pair.b.agent.selectedPair?.remote).toMatchObject({ type: 'prflx', address: '198.51.100.1' });
    expect(pair.a.agent.sendPath?.source).toEqual({ address: '10.0.0.1', port: 1000 });
    // Both ends compute the same priority, so that they agree on the better of two pairs.
    expect(pair.a.agent.selectedPair?.priority).toEqual(pair.b.agent.selectedPair?.priority);
  });

  it('1:1 NAT: a server-reflexive candidate over the same base makes no pair of its own', () => {
    const pair = new IcePair({ b: { role: 'controlled' } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('10.0.0.2', 2000);
    pair.b.agent.addLocalCandidate(
      {
        type: 'srflx',
        protocol: 'udp',
        address: '203.0.113.2',
        port: 2000,
        base: { address: '10.0.0.2', port: 2000 },
      },
      0,
    );
    pair.b.nat.set('10.0.0.2:2000', { address: '203.0.113.2', port: 2000 });
    pair.signal();
    pair.run(2000);
    expect(pair.b.agent.inspect().pairs).toHaveLength(1);
    expect(pair.b.agent.selectedPair?.local).toMatchObject({ type: 'srflx', address: '203.0.113.2' });
    expect(pair.a.agent.selectedPair?.remote).toMatchObject({ type: 'srflx', address: '203.0.113.2' });
  });

  it('link-local IPv6 pairs with its like alone', () => {
    const pair = new IcePair();
    pair.a.host('fe80::1', 1000);
    pair.a.agent.addRemoteCandidate(host('2001:db8::2', 1), 0);
    pair.a.agent.addRemoteCandidate(host('fe80::2', 1), 0);
    expect(pair.a.agent.inspect().pairs.map(({ remote }) => remote.address)).toEqual(['fe80::2']);
  });
});

describe('the API', () => {
  const crypto = jsCrypto();
  const make = (options = {}): IceAgent =>
    new IceAgent({ crypto, random: new SeededRandom(1), role: 'controlling', ...options });

  it.each([
    [{ role: 'leading' }, 'role'],
    [{ usernameFragment: 'abc' }, 'usernameFragment'],
    [{ password: 'short' }, 'password'],
    [{ checkInterval: 0 }, 'checkInterval'],
    [{ consentInterval: 4000 }, 'consentInterval'],
    [{ maxPairs: Number.NaN }, 'maxPairs'],
  ])('refuses %j', (options, name) => {
    expect(() => make(options)).toThrow(`"${name}"`);
  });

  it('a refused password does not appear in the error', () => {
    expect(() => make({ password: 'sEcReT' })).not.toThrow('sEcReT');
    expect(() => make({ password: 'sEcReT' })).toThrow('6 characters');
  });

  it.each([
    [{ address: 'localhost' }, 'address'],
    [{ address: '0.0.0.0' }, 'address'],
    [{ port: 0 }, 'port'],
    [{ type: 'srflx' }, 'base'],
    [{ protocol: 'sctp' }, 'protocol'],
    [{ foundation: 'a b' }, 'foundation'],
  ])('refuses the local candidate %j and changes nothing', (change, name) => {
    const agent = make();
    const init = { type: 'host', protocol: 'udp', address: '192.0.2.1', port: 1, ...change } as never;
    expect(() => agent.addLocalCandidate(init, 0)).toThrow(`"${name}"`);
    expect(agent.localCandidates).toEqual([]);
  });

  it('the same local address twice is one candidate, in whatever spelling', () => {
    const agent = make();
    const first = agent.addLocalCandidate(
      { type: 'host', protocol: 'udp', address: '2001:DB8::1', port: 1 },
      0,
    );
    const again = agent.addLocalCandidate(
      { type: 'host', protocol: 'udp', address: '2001:db8:0::1', port: 1 },
      0,
    );
    expect(again).toEqual(first);
    expect(first.address).toBe('2001:db8::1');
  });

  it('local candidates are bounded', () => {
    const agent = make({ maxLocalCandidates: 1 });
    agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 1 }, 0);
    expect(() =>
      agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 2 }, 0),
    ).toThrow('more than 1');
  });

  it('remote credentials cannot change, repeating them is fine', () => {
    const pair = IcePair.connected();
    pair.tell(pair.a);
    expect(() => pair.a.agent.setRemoteParameters(pair.a.agent.localParameters, pair.now)).toThrow(
      'ICE restart',
    );
    expect(() => pair.a.agent.setRole('controlled')).toThrow('fixed');
  });

  it('F2c: close() in any state leaves nothing armed or queued', () => {
    for (const at of [0, 5, 15, 55, 300, 7000]) {
      const pair = new IcePair();
      pair.a.host('192.0.2.1', 1000);
      pair.b.host('192.0.2.2', 2000);
      pair.signal();
      pair.run(at);
      const { agent } = pair.a;
      agent.close(LOCAL_CLOSE, pair.now);
      agent.close(LOCAL_CLOSE, pair.now);
      expect(agent.state).toBe('closed');
      expect(agent.nextTimeout()).toBe(Infinity);
      expect(agent.pollTransmit()).toBeUndefined();
      expect(agent.pollEvent()).toBeUndefined();
      expect(agent.inspect()).toMatchObject({
        timers: {},
        queues: { transmits: 0, events: 0, triggeredChecks: 0, transactions: 0 },
      });
      pair.run(10_000);
      expect(agent.inspect().queues.transmits).toBe(0);
      expect(() =>
        agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.3', port: 1 }, 0),
      ).toThrow('closed');
    }
  });

  it('F1e: inspect() is plain JSON and shows no password', () => {
    const pair = IcePair.connected();
    const view = pair.a.agent.inspect();
    const text = JSON.stringify(view);
    expect(JSON.parse(text)).toEqual(view);
    expect(text).not.toContain(pair.a.agent.localParameters.password);
    expect(text).not.toContain(pair.b.agent.localParameters.password);
    expect(view).toMatchObject({ state: 'completed', role: 'controlling', consent: { disconnected: false } });
  });

  it('the same seed gives the same bytes, another seed others', () => {
    const bytes = (seed: number): string => {
      const pair = new IcePair({ seed, loss: 0.2 });
      const sent: string[] = [];
      pair.drop = ({ transmit }) => {
        sent.push(toHex(transmit.data));
        return false;
      };
      pair.a.host('192.0.2.1', 1000);
      pair.b.host('192.0.2.2', 2000);
      pair.signal();
      pair.run(20_000);
      return sent.join();
    };
    expect(bytes(7)).toBe(bytes(7));
    expect(bytes(7)).not.toBe(bytes(8));
  });
});
