/** Filters of candidates: ours and the peer's, by type, protocol, family and network. */
import { describe, expect, it } from 'vitest';
import type { CandidateFilter } from '../../src/ice/candidate-filter.ts';
import { CandidateRules } from '../../src/ice/candidate-filter.ts';
import type { IceCandidate } from '../../src/ice/index.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

function accepts(filter: CandidateFilter, address: string, type: IceCandidate['type'] = 'host'): boolean {
  return new CandidateRules(filter).accepts({ type, protocol: 'udp', address });
}

describe('networks', () => {
  it.each<[string, string, boolean]>([
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.129/25', '192.0.2.128', true],
    ['10.0.0.0/7', '11.255.255.255', true],
    ['10.0.0.0/7', '12.0.0.0', false],
    ['0.0.0.0/0', '255.1.1.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['192.0.2.1/32', '192.0.2.1', true],
    ['192.0.2.1/32', '192.0.2.0', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::', false],
  ])('%s has %s: %s', (network, address, isIn) => {
    expect(accepts({ allow: [network] }, address)).toBe(isIn);
    expect(accepts({ deny: [network] }, address)).toBe(!isIn);
  });

  it.each(['::ffff:10.1.2.3', '64:ff9b::10.1.2.3', '2002:a01:203::1', '::10.1.2.3'])(
    '%s stands for an address that is denied, and is not allowed by it',
    (address) => {
      expect(accepts({ deny: ['10.0.0.0/8'] }, address)).toBe(false);
      expect(accepts({ allow: ['10.0.0.0/8'] }, address)).toBe(address.startsWith('::ffff'));
    },
  );

  it.each([
    '192.0.2.0',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/08',
    '2001:db8::/129',
    'a/8',
    '::/0/0',
    'fe80::%1/64',
  ])('%s is no network', (network) => {
    expect(() => new HandMadePeer({ remoteCandidateFilter: { deny: [network] } })).toThrow(
      '"remoteCandidateFilter.deny[0]"',
    );
  });
});

describe('members', () => {
  it('all must agree', () => {
    const filter: CandidateFilter = { types: ['host', 'relay'], families: [6], allow: ['2001:db8::/32'] };
    expect(accepts(filter, '2001:db8::1')).toBe(true);
    expect(accepts(filter, '2001:db8::1', 'srflx')).toBe(false);
    expect(accepts(filter, '192.0.2.1')).toBe(false);
    expect(accepts(filter, '2001:db9::1')).toBe(false);
    expect(accepts({ protocols: ['tcp'] }, '192.0.2.1')).toBe(false);
    expect(accepts({ types: [] }, '192.0.2.1')).toBe(false);
    expect(accepts({}, 'a.local')).toBe(false);
  });

  it.each<[string, object]>([
    ['families[0]', { families: [5] }],
    ['types[0]', { types: ['udp'] }],
    ['localCandidateFilter', { cidr: [] }],
  ])('%s is refused', (name, filter) => {
    expect(() => new HandMadePeer({ localCandidateFilter: filter })).toThrow(name);
  });
});

describe('what does not pass', () => {
  it('of our own: is not told, and its base serves what does', () => {
    const peer = new HandMadePeer({ localCandidateFilter: { types: ['srflx'] } }).introduce();
    expect(peer.agent.localCandidates).toEqual([]);
    expect(peer.agent.inspect().pairs).toEqual([]);
    const mapped = { address: '203.0.113.1', port: 1 };
    peer.agent.addLocalCandidate({ type: 'srflx', protocol: 'udp', ...mapped, base: HERE }, 0);
    expect(peer.agent.localCandidates).toMatchObject([mapped]);
    expect(peer.checks()).toHaveLength(1);
  });

  it("of the peer's: is not used, and what comes from there is not answered", () => {
    const peer = new HandMadePeer({ remoteCandidateFilter: { deny: ['192.0.2.0/28'] } }).introduce();
    expect(peer.agent.remoteCandidates).toEqual([]);
    peer.check();
    peer.advance(1000);
    expect(peer.sent()).toEqual([]);
    expect(peer.count('candidate-filtered')).toBe(2);
    peer.check({ source: { ...THERE, address: '192.0.2.77' } });
    expect(peer.sent().length).toBeGreaterThan(0);
  });

  it("an address that a name of the peer's resolves to", () => {
    const peer = new HandMadePeer({ remoteCandidateFilter: { families: [6] } }).introduce({}, true);
    const address = '9b36eaac-bb2e-49bb-bb78-21c41c499900.local';
    peer.agent.addRemoteCandidate(
      { type: 'host', protocol: 'udp', address, port: 1, foundation: '1', component: 1, priority: 1 },
      0,
    );
    peer.agent.handleResolved(address, ['192.0.2.2', '2001:db8::2'], 0);
    expect(peer.agent.remoteCandidates).toMatchObject([{ address: '2001:db8::2' }]);
  });
});

describe('zones (RFC 4007 §11, RFC 8839 §5.1)', () => {
  it("the peer's are not used: they mean something on its host alone", () => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.agent.addRemoteCandidate(
      {
        type: 'host',
        protocol: 'udp',
        address: 'fe80::1%eth0',
        port: 1,
        foundation: '1',
        component: 1,
        priority: 1,
      },
      0,
    );
    expect(peer.agent.remoteCandidates).toEqual([]);
    expect(peer.count('candidate-unusable')).toBe(1);
  });

  it('ours are not told', () => {
    const { agent } = new HandMadePeer();
    agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: 'fe80::7%eth0', port: 1 }, 0);
    expect(agent.localCandidates[1]).toMatchObject({ address: 'fe80::7' });
  });
});

describe('both families (RFC 8421 §4)', () => {
  it('checks alternate between IPv6 and IPv4, from the first on', () => {
    const peer = new HandMadePeer();
    for (let i = 1; i < 4; i++) {
      const port = 1000;
      if (i > 1)
        peer.agent.addLocalCandidate(
          { type: 'host', protocol: 'udp', address: `192.0.2.${10 + i}`, port },
          0,
        );
      peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: `2001:db8::${i}`, port }, 0);
    }
    peer.introduce({}, true);
    for (const [i, address] of ['192.0.2.2', '2001:db8::99'].entries()) {
      peer.agent.addRemoteCandidate(
        {
          type: 'host',
          protocol: 'udp',
          address,
          port: 1,
          foundation: '1',
          component: 1,
          priority: 2_130_706_431 - i,
        },
        0,
      );
    }
    const families = peer.agent.inspect().pairs.map(({ remote }) => (remote.address.includes(':') ? 6 : 4));
    expect(families).toEqual([6, 4, 6, 4, 6, 4]);
  });
});
