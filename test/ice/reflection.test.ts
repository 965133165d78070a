/** Whom a peer can make us send to, and how much: third parties by spoofed checks, networks by descriptions. */
import { describe, expect, it } from 'vitest';
import { addressClass, isUnicast } from '../../src/ice/address-class.ts';
import type { AddressClass, IceCandidate, IceOptions } from '../../src/ice/index.ts';
import { HandMadePeer } from './peer.ts';

const VICTIM = { address: '203.0.113.5', port: 53 };

function candidate(address: string, port = 9, priority = 1000): IceCandidate {
  return { type: 'host', protocol: 'udp', address, port, foundation: '1', component: 1, priority };
}

/** Everything the agent has sent, by destination, for `duration` ms; nobody answers. */
function sentTo(peer: HandMadePeer, duration: number): Map<string, { count: number; bytes: number }> {
  const sums = new Map<string, { count: number; bytes: number }>();
  const end = peer.now + duration;
  for (;;) {
    for (let out = peer.agent.pollTransmit(); out !== undefined; out = peer.agent.pollTransmit()) {
      const key = `${out.destination.address}:${out.destination.port}`;
      const sum = sums.get(key) ?? { count: 0, bytes: 0 };
      sum.count++;
      sum.bytes += out.data.length;
      sums.set(key, sum);
    }
    if (peer.agent.nextTimeout() > end) break;
    peer.advance(peer.agent.nextTimeout() - peer.now);
  }
  peer.now = end;
  return sums;
}

function total(sums: ReturnType<typeof sentTo>): number {
  return [...sums.values()].reduce((sum, { count }) => sum + count, 0);
}

describe('A9: reflection', () => {
  it.each([1, 2, 20])(
    'A9: %i spoofed checks bring their victim less than three times what they were',
    (count) => {
      const peer = new HandMadePeer().introduce({}, true);
      sentTo(peer, 0);
      let spent = 0;
      let reflected = 0;
      for (let i = 0; i < count; i++) {
        const request = peer.request({ useCandidate: true });
        spent += request.length;
        peer.deliver(request, VICTIM);
        reflected += sentTo(peer, 300 * (1 + (i % 3))).get('203.0.113.5:53')?.bytes ?? 0;
      }
      reflected += sentTo(peer, 30_000).get('203.0.113.5:53')?.bytes ?? 0;
      expect(reflected).toBeLessThan(3 * spent);
    },
  );

  it('A9: a peer that we know from its checks alone is checked until it answers', () => {
    const peer = new HandMadePeer().introduce({}, true);
    for (let i = 0; i < 10; i++) {
      peer.check({ useCandidate: true });
      expect(sentTo(peer, 1000).size).toBe(1);
    }
    peer.check({ useCandidate: true });
    peer.answerFor(100);
    expect(peer.agent.selectedPair).toBeDefined();
  });

  it('A9: an address that was the peer’s a minute ago is somebody else’s now', () => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.check({ source: VICTIM });
    peer.advance(60);
    for (const check of peer.checks()) peer.deliver(peer.success(check), VICTIM);
    peer.check({ useCandidate: true, priority: 2_000_000_000 });
    peer.answerFor(60_000);
    sentTo(peer, 0);
    const request = peer.request();
    peer.deliver(request, VICTIM);
    const { bytes = 0 } = sentTo(peer, 25_000).get('203.0.113.5:53') ?? {};
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(3 * request.length);
  });

  it('A9: an answer that takes long still counts', () => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.sent();
    peer.check();
    peer.advance(60);
    const [check] = peer.checks();
    peer.advance(2000);
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(check));
    expect(peer.agent.sendPath).toBeDefined();
  });
});

describe('A9: scanning', () => {
  it('A9: one offer of 64 ports makes us send two checks to each, and not twelve', () => {
    const peer = new HandMadePeer().introduce({}, true);
    for (let port = 1; port <= 64; port++) peer.agent.addRemoteCandidate(candidate('203.0.113.5', port), 0);
    const sums = sentTo(peer, 60_000);
    expect(total(sums)).toBeLessThanOrEqual(128);
    expect(sums.size).toBe(64);
    expect(peer.count('unanswered-limit')).toBeGreaterThan(0);
  });

  it('A9: however candidates trickle, and over however many local addresses', () => {
    const peer = new HandMadePeer().introduce({}, true);
    for (let i = 2; i < 5; i++)
      peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: `192.0.2.${i}`, port: 1 }, 0);
    let sent = 0;
    for (let port = 1; port <= 64; port++) {
      peer.agent.addRemoteCandidate(candidate('203.0.113.5', port), peer.now);
      sent += total(sentTo(peer, 300));
    }
    expect(sent + total(sentTo(peer, 60_000))).toBeLessThan(400);
  });

  it('A9: a few destinations get all twelve: a NAT may take its time', () => {
    const peer = new HandMadePeer().introduce({}, true);
    for (let port = 1; port <= 10; port++) peer.agent.addRemoteCandidate(candidate('203.0.113.5', port), 0);
    const counts = [...sentTo(peer, 29_000).values()].map(({ count }) => count);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(10);
  });

  it('A9: the relayed candidate comes last of 60, and connects', () => {
    const peer = new HandMadePeer().introduce({}, true);
    for (let n = 1; n < 60; n++) peer.agent.addRemoteCandidate(candidate(`198.51.100.${n}`, 9, 5000), 0);
    peer.agent.addRemoteCandidate({ ...candidate('192.0.2.2', 2000, 1), type: 'relay' }, 0);
    peer.answerFor(10_000);
    expect(peer.agent.sendPath?.destination).toEqual({ address: '192.0.2.2', port: 2000 });
  });

  it('A9: maxUnansweredDestinations is checked', () => {
    expect(() => new HandMadePeer({ maxUnansweredDestinations: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});

describe('A9: which addresses are tried', () => {
  const INSIDE = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '100.64.0.1', '192.168.0.1', '172.31.0.1'];
  const INSIDE_V6 = ['::1', 'fe80::1', 'fd00::1', '64:ff9b::7f00:1', '2002:a00:1::1', '::ffff:127.0.0.1'];

  function tried(
    own: readonly string[],
    theirs: readonly string[],
    options: Partial<IceOptions> = {},
  ): string[] {
    const peer = new HandMadePeer(options).introduce({}, true);
    // Order must not matter: a candidate of ours may come after theirs.
    for (const [i, address] of theirs.entries()) peer.agent.addRemoteCandidate(candidate(address, i + 1), 0);
    for (const address of own)
      peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 77 }, 0);
    const reached = new Set(
      [...sentTo(peer, 20_000).keys()].map((key) => key.slice(0, key.lastIndexOf(':'))),
    );
    expect(peer.count('candidate-not-tried') + reached.size).toBeGreaterThanOrEqual(theirs.length);
    return [...reached];
  }

  it('A9: a server with a public address sends nothing to loopback, link-local or private ones', () => {
    expect(tried(['2001:db8::9'], [...INSIDE, ...INSIDE_V6])).toEqual([]);
    expect(tried([], ['198.51.100.1'])).toEqual(['198.51.100.1']);
  });

  it.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['10.9.9.9', ['10.1.2.3', '100.64.0.1', '192.168.0.1', '172.31.0.1']],
    ['169.254.1.1', ['169.254.169.254']],
  ])('A9: with a candidate of its own at %s, its like', (own, expected) => {
    expect(new Set(tried([own], INSIDE))).toEqual(new Set(expected));
  });

  it('A9: remoteAddressClasses says it as data', () => {
    expect(tried([], INSIDE, { remoteAddressClasses: ['link-local'] })).toEqual(['169.254.169.254']);
    expect(tried(['10.9.9.9'], [...INSIDE, '198.51.100.1'], { remoteAddressClasses: ['public'] })).toEqual([
      '198.51.100.1',
    ]);
    for (const wrong of ['public', [3], ['everything'], {}]) {
      expect(() => new HandMadePeer({ remoteAddressClasses: wrong as AddressClass[] })).toThrow(
        expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
      );
    }
  });

  it('A9: an authentic check from a private address is answered and checked back, and connects', () => {
    const peer = new HandMadePeer().introduce({}, true);
    const source = { address: '10.1.2.3', port: 4 };
    peer.agent.addRemoteCandidate(candidate(source.address, source.port), 0);
    expect(peer.checks()).toEqual([]);
    peer.check({ useCandidate: true, source });
    peer.advance(60);
    const checks = peer.checks();
    expect(checks).toHaveLength(1);
    for (const check of checks) peer.deliver(peer.success(check), source);
    expect(peer.agent.selectedPair?.remote).toMatchObject(source);
  });

  it.each<[string, AddressClass]>([
    ['8.8.8.8', 'public'],
    ['172.15.0.1', 'public'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['100.63.255.255', 'public'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['100.128.0.1', 'public'],
    ['169.254.0.1', 'link-local'],
    ['127.255.255.255', 'loopback'],
    ['2001:db8::1', 'public'],
    ['::1', 'loopback'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'private'],
    ['fdff::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::1', 'private'],
    ['2002:7f00:1::', 'loopback'],
    ['2001:0:1:2:3:4:80ff:fffe', 'loopback'],
    ['2001:db8::5efe:a00:1', 'private'],
  ])('A9: %s is %s', (address, expected) => {
    expect(addressClass(address)).toBe(expected);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    '::',
    'ff02::1',
    '::ffff:0.0.0.0',
    '64:ff9b::e000:1',
    'x.local',
  ])('A9: %s is never tried', (address) => {
    expect(isUnicast(address)).toBe(false);
  });
});
