/** Candidates of our own: their kinds, what the peer is told of them, and how they leave. */
import { describe, expect, it } from 'vitest';
import type { IceCandidate, IceOptions, LocalCandidateInit } from '../../src/ice/index.ts';
import { IcePair } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const RELAY = { type: 'relay', protocol: 'udp', address: '198.51.100.9', port: 49_152 } as const;
const NAME = '9b36eaac-bb2e-49bb-bb78-21c41c499900.local';

function agentWith(options: Partial<IceOptions> = {}): HandMadePeer['agent'] {
  return new HandMadePeer(options).agent;
}

function added(init: LocalCandidateInit, options: Partial<IceOptions> = {}): IceCandidate {
  return agentWith(options).addLocalCandidate(init, 0);
}

describe('what a candidate must be', () => {
  it.each<[string, LocalCandidateInit]>([
    ['base', { ...RELAY, type: 'srflx' }],
    ['base', { type: 'host', protocol: 'tcp', tcpType: 'active', address: '192.0.2.1', port: 9 }],
    ['protocol', { ...RELAY, protocol: 'tcp' }],
    ['tcpType', { ...RELAY, tcpType: 'so' }],
    ['relayProtocol', { ...RELAY, type: 'host', relayProtocol: 'tls' }],
    ['announced', { ...RELAY, announced: NAME }],
    ['announced', { ...RELAY, type: 'host', announced: 'printer.local' }],
    ['overhead', { ...RELAY, overhead: -1 }],
    ['relatedAddress', { ...RELAY, relatedAddress: 'example.org' }],
    ['base.port', { ...RELAY, type: 'srflx', base: { address: '192.0.2.1', port: 0 } }],
  ])('%s: %o', (member, init) => {
    const agent = agentWith();
    expect(() => agent.addLocalCandidate(init, 0)).toThrow(`"${member}"`);
    expect(agent.localCandidates).toHaveLength(1);
  });
});

describe('what the peer is told', () => {
  it('of a relayed candidate: nothing of the server, and a related address only if there is one to tell', () => {
    const { priority, ...relayed } = added({ ...RELAY, url: 'turn:turn.example.org', overhead: 36 });
    expect(relayed).toEqual({
      ...RELAY,
      foundation: expect.any(String) as string,
      component: 1,
      relatedAddress: '0.0.0.0',
      relatedPort: 9,
    });
    expect(priority >>> 24).toBe(0);
    expect(added({ ...RELAY, relatedAddress: '203.0.113.5', relatedPort: 1234 })).toMatchObject({
      relatedAddress: '203.0.113.5',
      relatedPort: 1234,
    });
    expect(added({ ...RELAY, address: '2001:db8::9' })).toMatchObject({ relatedAddress: '::' });
  });

  it('relays by the way to them: UDP before TCP before TLS, within one family and over both', () => {
    const agent = agentWith();
    for (const relayProtocol of ['tls', 'udp', 'tcp'] as const) {
      for (const address of ['198.51.100.1', '2001:db8::1']) {
        const port = 1 + ['tls', 'udp', 'tcp'].indexOf(relayProtocol);
        agent.addLocalCandidate({ ...RELAY, address, port, relayProtocol }, 0);
      }
    }
    const sorted = [...agent.localCandidates].sort((a, b) => b.priority - a.priority).slice(1);
    expect(sorted.map(({ port, address }) => `${port} ${address.includes(':') ? 6 : 4}`)).toEqual([
      '2 6',
      '2 4',
      '3 6',
      '3 4',
      '1 6',
      '1 4',
    ]);
  });

  it('foundations differ by server, for one base', () => {
    const base = HERE;
    const init = { type: 'srflx', protocol: 'udp', address: '203.0.113.1', port: 1, base } as const;
    const one = added({ ...init, url: 'stun:a.example' });
    const other = added({ ...init, url: 'stun:b.example' });
    expect(one.foundation).not.toBe(other.foundation);
  });

  it('of a base that goes by a name: the name, and no foundation or related address that gives it away', () => {
    const agent = new HandMadePeer().agent;
    const base = { address: '192.168.1.7', port: 5000 };
    agent.removeLocalCandidate({ protocol: 'udp', ...HERE }, 0);
    agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...base, announced: NAME.toUpperCase() }, 0);
    agent.addLocalCandidate({ type: 'srflx', protocol: 'udp', address: '203.0.113.1', port: 1, base }, 0);
    const [host, reflexive] = agent.localCandidates;
    expect(host).toMatchObject({ type: 'host', address: NAME, port: 5000 });
    expect(reflexive).toMatchObject({ address: '203.0.113.1', relatedAddress: '0.0.0.0', relatedPort: 9 });
    expect(JSON.stringify(agent.localCandidates)).not.toContain('192.168');
    const plain = added({ type: 'host', protocol: 'udp', ...base });
    expect(plain.foundation).not.toBe(host?.foundation);
    const plainReflexive = added({ type: 'srflx', protocol: 'udp', address: '203.0.113.1', port: 1, base });
    expect(plainReflexive.foundation).not.toBe(reflexive?.foundation);
  });

  it('active TCP candidates say port 9, and leave from their base', () => {
    const base = { address: '192.0.2.1', port: 40_001 };
    expect(
      added({ type: 'host', protocol: 'tcp', tcpType: 'active', address: '192.0.2.1', port: 40_001, base }),
    ).toMatchObject({ tcpType: 'active', port: 9 });
  });

  it('with the policy "relay" the relayed ones alone, without where we are', () => {
    const agent = agentWith({ transportPolicy: 'relay' });
    const host = agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.7', port: 7 }, 0);
    expect(host).toMatchObject({ address: '192.0.2.7' });
    agent.addLocalCandidate({ ...RELAY, relatedAddress: '203.0.113.5', relatedPort: 1234 }, 0);
    expect(agent.localCandidates).toMatchObject([{ ...RELAY, relatedAddress: '0.0.0.0', relatedPort: 9 }]);
  });
});

describe('the policy "relay"', () => {
  it('forms no pair on a host candidate, and answers no check that comes to one', () => {
    const peer = new HandMadePeer({ transportPolicy: 'relay' }).introduce();
    peer.check();
    peer.advance(1000);
    expect(peer.sent()).toEqual([]);
    expect(peer.count('unknown-destination')).toBe(1);
    expect(peer.agent.inspect().pairs).toEqual([]);
  });

  it('pairs what is relayed; its overhead is told with the path', () => {
    const peer = new HandMadePeer({ transportPolicy: 'relay' }).introduce();
    peer.agent.addLocalCandidate({ ...RELAY, overhead: 36 }, 0);
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    const relayed = { address: RELAY.address, port: RELAY.port };
    peer.deliver(peer.success(check, undefined, relayed), THERE, relayed);
    expect(peer.agent.sendPath).toEqual({
      protocol: 'udp',
      source: relayed,
      destination: THERE,
      overhead: 36,
    });
  });
});

describe('removing', () => {
  const SECOND = { address: '192.0.2.1', port: 1001 };

  function twoPaths(): IcePair {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.host(SECOND.address, SECOND.port);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(2000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.agent.selectedPair?.local.port).toBe(1000);
    return pair;
  }

  it('a base takes its candidates and pairs with it, and nothing is answered there any more', () => {
    const peer = new HandMadePeer().introduce();
    peer.agent.addLocalCandidate(
      { type: 'srflx', protocol: 'udp', address: '203.0.113.1', port: 1, base: HERE },
      0,
    );
    peer.answerFor(100);
    expect(peer.agent.sendPath).toBeDefined();
    expect(peer.agent.removeLocalCandidate({ protocol: 'udp', ...HERE }, peer.now)).toBe(true);
    expect(peer.agent.localCandidates).toEqual([]);
    expect(peer.agent.inspect().pairs).toEqual([]);
    expect(peer.agent.state).toBe('checking');
    peer.sent();
    peer.check();
    expect(peer.sent()).toEqual([]);
    expect(peer.count('unknown-destination')).toBe(1);
    expect(peer.agent.removeLocalCandidate({ protocol: 'udp', ...HERE }, peer.now)).toBe(false);
  });

  it('a candidate that shares its base leaves alone', () => {
    const peer = new HandMadePeer();
    const mapped = { address: '203.0.113.1', port: 1 };
    peer.agent.addLocalCandidate({ type: 'srflx', protocol: 'udp', ...mapped, base: HERE }, 0);
    peer.introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(check, undefined, mapped));
    expect(peer.agent.inspect().pairs).toMatchObject([{ local: mapped, valid: true }]);
    expect(peer.agent.removeLocalCandidate({ protocol: 'udp', ...mapped }, 0)).toBe(true);
    expect(peer.agent.localCandidates).toMatchObject([HERE]);
    expect(peer.agent.inspect().pairs).toMatchObject([{ local: HERE, valid: true }]);
  });

  it.each(['a', 'b'] as const)('the selected pair of %s fails over at once, and the peer follows', (name) => {
    const pair = new IcePair({ [name === 'a' ? 'a' : 'b']: {} });
    const side = pair[name];
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    side.host(name === 'a' ? '192.0.2.1' : '192.0.2.2', 3000);
    // Both work before the better one is nominated.
    pair.signal();
    pair.run(2000);
    const used = side.agent.selectedPair?.local.port;
    const { port: spare } = side.bases.find(({ port }) => port !== used) ?? { port: 0 };
    const gone = side.bases.find(({ port }) => port === used);
    if (gone === undefined) throw new RangeError('nothing selected');
    expect(side.agent.removeLocalCandidate({ protocol: 'udp', ...gone }, pair.now)).toBe(true);
    side.bases.splice(side.bases.indexOf(gone), 1);
    pair.run(1500);
    expect(pair.a.agent.sendPath?.source.port).toBe(name === 'a' ? spare : 1000);
    expect(pair.b.agent.sendPath?.source.port).toBe(name === 'b' ? spare : 2000);
    pair.run(60_000);
    for (const { agent } of [pair.a, pair.b]) expect(['connected', 'completed']).toContain(agent.state);
  });

  it('a spare pair that has not answered for long is asked before it is used', () => {
    const pair = twoPaths();
    pair.run(120_000);
    pair.a.agent.removeLocalCandidate({ protocol: 'udp', address: '192.0.2.1', port: 1000 }, pair.now);
    pair.a.bases.splice(0, 1);
    expect(pair.a.agent.state).not.toBe('failed');
    pair.run(1000, () => pair.a.agent.selectedPair !== undefined);
    expect(pair.a.agent.selectedPair?.local).toMatchObject(SECOND);
  });

  it('during a restart both generations lose it', () => {
    const pair = twoPaths();
    pair.a.agent.restart(pair.now);
    pair.a.agent.removeLocalCandidate({ protocol: 'udp', address: '192.0.2.1', port: 1000 }, pair.now);
    pair.a.bases.splice(0, 1);
    expect(pair.a.agent.isValidPath({ address: '192.0.2.1', port: 1000 }, pair.b.bases[0] ?? THERE)).toBe(
      false,
    );
    pair.b.agent.restart(pair.now);
    pair.signal();
    pair.run(2000);
    expect(pair.a.agent.selectedPair?.local).toMatchObject(SECOND);
  });

  it('a rank that has become free is given again: priorities stay unique', () => {
    const { agent } = new HandMadePeer();
    const host = (port: number): LocalCandidateInit => ({
      type: 'host',
      protocol: 'udp',
      address: '192.0.2.1',
      port,
    });
    for (let port = 1; port < 30; port++) {
      agent.addLocalCandidate(host(port), 0);
      if (port % 3 === 0)
        agent.removeLocalCandidate({ protocol: 'udp', address: '192.0.2.1', port: port - 1 }, 0);
    }
    const priorities = agent.localCandidates.map(({ priority }) => priority);
    expect(new Set(priorities).size).toBe(priorities.length);
  });
});
