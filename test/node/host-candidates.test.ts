/** Addresses as deployments have them: announced ones, filters, interfaces that come and go, ranges of ports. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AnnouncedAddresses } from '../../src/node/announced-addresses.ts';
import { filterInterfaces, type InterfaceFilter, type Interfaces } from '../../src/node/interface-filter.ts';
import { hostAddresses, LocalAddresses } from '../../src/node/local-addresses.ts';
import { closeDrivers, connect, DrivenPeer, listen } from './driven-peer.ts';

afterEach(async () => {
  vi.useRealTimers();
  await closeDrivers();
});

function face(address: string, prefix: number, internal = false): NonNullable<Interfaces[string]>[number] {
  const shared = { address, netmask: '', mac: '', internal, cidr: `${address}/${prefix}` };
  return address.includes(':') ? { ...shared, family: 'IPv6', scopeid: 0 } : { ...shared, family: 'IPv4' };
}

const HOST: Interfaces = {
  lo: [face('127.0.0.1', 8, true), face('::1', 128, true)],
  eth0: [face('10.0.0.5', 24), face('2001:db8::5', 64)],
  docker0: [face('172.17.0.1', 16)],
  docker1: [face('172.18.0.1', 16)],
};

/** `address port`, then its base if it has another one. */
function candidatesOf(driver: Awaited<ReturnType<typeof listen>>): string[] {
  const peer = new DrivenPeer(driver);
  const draft = peer.rtc.negotiation();
  draft.addChannel('chat');
  const { sdp } = draft.offer();
  return [...sdp.matchAll(/a=candidate:\S+ 1 (\S+) \d+ (\S+) (\d+) typ host(?: tcptype (\S+))?/g)].map(
    ([, protocol = '', address = '', port = '', tcpType = '']) =>
      `${protocol} ${address} ${port === '9' ? 9 : ''}${tcpType}`.trim(),
  );
}

describe('a filter', () => {
  const cases: [InterfaceFilter, string[]][] = [
    [{}, ['10.0.0.5', '2001:db8::5', '172.17.0.1', '172.18.0.1']],
    [{ names: ['eth0'] }, ['10.0.0.5', '2001:db8::5']],
    [{ exceptNames: ['docker*'] }, ['10.0.0.5', '2001:db8::5']],
    [{ names: ['docker*'], exceptNames: ['docker1'] }, ['172.17.0.1']],
    [{ family: 'IPv6' }, ['2001:db8::5']],
    [{ networks: ['172.16.0.0/12'] }, ['172.17.0.1', '172.18.0.1']],
    [{ networks: ['2001:db8::/32', '10.0.0.5'] }, ['10.0.0.5', '2001:db8::5']],
    [{ exceptNetworks: ['0.0.0.0/0'] }, ['2001:db8::5']],
    [{ names: ['lo'] }, ['127.0.0.1', '::1']],
    [{ names: ['wlan0'] }, []],
  ];
  test.each(cases)('%o', (filter, expected) => {
    expect(hostAddresses(HOST, filter)).toEqual(expected);
  });

  test('none leaves all as it is', () => {
    expect(filterInterfaces(HOST, undefined)).toBe(HOST);
  });
});

describe('announced addresses', () => {
  const four = { address: '10.0.0.5', port: 3478 };
  const other = { address: '10.1.0.5', port: 3479 };
  const six = { address: '2001:db8::5', port: 3478 };

  test('stand for the first bound address of their family, in its place', () => {
    const announced = new AnnouncedAddresses(['203.0.113.7', '203.0.113.8'], false);
    expect(announced.candidates('udp', [four, other, six])).toEqual([
      { type: 'host', protocol: 'udp', address: '203.0.113.7', port: 3478, base: four },
      { type: 'host', protocol: 'udp', address: '203.0.113.8', port: 3478, base: four },
      { type: 'host', protocol: 'udp', ...other },
      { type: 'host', protocol: 'udp', ...six },
    ]);
  });

  test('with ports of their own, for a bound address that is named, beside the bound ones', () => {
    const announced = new AnnouncedAddresses(
      [
        { address: '203.0.113.7', port: 40_000, tcpPort: 443, local: '10.1.0.5' },
        { address: '2001:DB8:0::7' },
      ],
      true,
    );
    expect(announced.candidates('udp', [four, other, six])).toEqual([
      { type: 'host', protocol: 'udp', ...four },
      { type: 'host', protocol: 'udp', address: '203.0.113.7', port: 40_000, base: other },
      { type: 'host', protocol: 'udp', ...other },
      { type: 'host', protocol: 'udp', address: '2001:db8::7', port: 3478, base: six },
      { type: 'host', protocol: 'udp', ...six },
    ]);
    expect(announced.candidates('tcp', [other])[0]).toMatchObject({ address: '203.0.113.7', port: 443 });
  });

  test('are what the peer is told, and it connects through them', async () => {
    // A second loopback address stands for the public one; nothing translates, so the peer finds the bound one by our checks.
    const driver = await listen({ announcedAddresses: ['127.0.0.99'], tcp: {} });
    expect(candidatesOf(driver)).toEqual(['udp 127.0.0.99', 'tcp 127.0.0.99 passive']);
    const [a, z] = [new DrivenPeer(driver), new DrivenPeer(await listen())];
    await connect(a, z);
    z.send('through it');
    while (a.received().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('a wildcard', () => {
  test('is a candidate for each interface that the filter admits', async () => {
    const driver = await listen({
      address: '0.0.0.0',
      tcp: { active: true, passive: true },
      networkInterfaces: () => HOST,
      interfaces: { exceptNames: ['docker*'] },
    });
    expect(candidatesOf(driver)).toEqual(['udp 10.0.0.5', 'tcp 10.0.0.5 passive', 'tcp 10.0.0.5 9active']);
  });

  test('addresses that come are offered to everybody, those that vanish are withdrawn', async () => {
    let interfaces: Interfaces = { eth0: HOST['eth0'] };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const driver = await listen({
      address: '0.0.0.0',
      networkInterfaces: () => interfaces,
      interfacePollInterval: 5000,
    });
    const peer = new DrivenPeer(driver);
    const told = (): string[] => peer.rtc.localCandidates.map(({ address }) => address);
    expect(told()).toEqual(['10.0.0.5']);
    interfaces = { wlan0: [face('192.168.1.5', 24)], ...interfaces };
    vi.advanceTimersByTime(5000);
    expect(told()).toEqual(['10.0.0.5', '192.168.1.5']);
    interfaces = { wlan0: interfaces['wlan0'] };
    vi.advanceTimersByTime(5000);
    expect(told()).toEqual(['192.168.1.5']);
    expect(driver.addresses.map(({ address }) => address)).toEqual(['192.168.1.5']);
    interfaces = {};
    vi.advanceTimersByTime(5000);
    expect(told()).toEqual([]);
    interfaces = { eth0: HOST['eth0'] };
    vi.advanceTimersByTime(5000);
    expect(told()).toEqual(['10.0.0.5']);
  });

  test('what stays keeps its place; a socket of one address loses it with its interface, and has it again', () => {
    const all = new LocalAddresses({ address: '::', port: 1 }, () => HOST);
    const before = all.all;
    const { eth0, ...rest } = HOST;
    expect(all.refresh(rest)).toEqual({ added: [], removed: before.slice(0, 2) });
    expect(all.refresh({ eth0, ...rest })).toEqual({ added: before.slice(0, 2), removed: [] });
    expect(all.all).toEqual([...before.slice(2), ...before.slice(0, 2)]);
    const bound = { address: '10.0.0.5', port: 1 };
    const one = new LocalAddresses(bound, () => HOST);
    expect(one.refresh(HOST)).toEqual({ added: [], removed: [] });
    expect(one.refresh(rest)).toEqual({ added: [], removed: [bound] });
    expect(one.towards('192.0.2.1')).toEqual(bound);
    expect(one.refresh(HOST)).toEqual({ added: [bound], removed: [] });
    // What no interface has shown cannot be missed: 127.0.0.2, an address that is routed to us.
    const hidden = new LocalAddresses({ address: '127.0.0.2', port: 1 }, () => HOST);
    expect(hidden.refresh(HOST)).toEqual({ added: [], removed: [] });
  });
});

test('sockets and TCP are bound within a range of ports', async () => {
  const port = { min: 47_000, max: 47_999 };
  const drivers = await Promise.all([listen({ port, tcp: {} }), listen({ port, tcp: {} })]);
  const ports = drivers.flatMap(({ addresses, tcpAddresses }) => [...addresses, ...tcpAddresses]);
  for (const place of ports) {
    expect(place.port).toBeGreaterThanOrEqual(port.min);
    expect(place.port).toBeLessThanOrEqual(port.max);
  }
});
