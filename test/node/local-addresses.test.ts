import { describe, expect, test } from 'vitest';
import type { Interfaces } from '../../src/node/interface-filter.ts';
import { hostAddresses, LocalAddresses } from '../../src/node/local-addresses.ts';

const PORT = 5000;

function entry(address: string, cidr: string, internal = false): NonNullable<Interfaces[string]>[number] {
  const common = { address, netmask: '', mac: '', internal, cidr };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

const HOST: Interfaces = {
  lo: [entry('127.0.0.1', '127.0.0.1/8', true), entry('::1', '::1/128', true)],
  eth0: [entry('192.0.2.7', '192.0.2.7/24'), entry('2001:db8::7', '2001:db8::7/64')],
  docker0: [entry('172.17.0.1', '172.17.0.1/16'), entry('fe80::1', 'fe80::1/64')],
};

function addresses(bound: string, interfaces: Interfaces = HOST): string[] {
  return new LocalAddresses({ address: bound, port: PORT }, () => interfaces).all.map(
    ({ address }) => address,
  );
}

describe('the addresses a socket can be reached at', () => {
  test('bound to one address: that one', () => {
    const local = new LocalAddresses({ address: '127.0.0.1', port: PORT }, () => HOST);
    expect(local.all).toEqual([{ address: '127.0.0.1', port: PORT }]);
  });

  test('bound to 0.0.0.0: every IPv4 interface but loopback (RFC 8445 §5.1.1.1)', () => {
    expect(addresses('0.0.0.0')).toEqual(['192.0.2.7', '172.17.0.1']);
  });

  test('bound to "::": both families, link-local IPv6 left out', () => {
    expect(addresses('::')).toEqual(['192.0.2.7', '2001:db8::7', '172.17.0.1']);
  });

  test('a host with loopback alone offers loopback', () => {
    expect(addresses('0.0.0.0', { lo: HOST['lo'] })).toEqual(['127.0.0.1']);
  });

  test('a host with no interface at all still has an address', () => {
    expect(addresses('0.0.0.0', {})).toEqual(['127.0.0.1']);
    expect(addresses('::', {})).toEqual(['::1']);
  });
});

test('the addresses to bind one by one: what a wildcard would offer, of both families', () => {
  expect(hostAddresses(HOST)).toEqual(['192.0.2.7', '2001:db8::7', '172.17.0.1']);
  expect(hostAddresses({ lo: HOST['lo'] })).toEqual(['127.0.0.1', '::1']);
});

describe('the local end of a path', () => {
  const local = new LocalAddresses({ address: '::', port: PORT }, () => HOST);

  test('is the address on the subnet of the peer', () => {
    expect(local.towards('172.17.0.9')).toEqual({ address: '172.17.0.1', port: PORT });
    expect(local.towards('192.0.2.9')).toEqual({ address: '192.0.2.7', port: PORT });
    expect(local.towards('2001:db8::9')).toEqual({ address: '2001:db8::7', port: PORT });
  });

  test('is the first address of the family for a peer behind a router', () => {
    expect(local.towards('198.51.100.1')).toEqual({ address: '192.0.2.7', port: PORT });
    expect(local.towards('2001:db8:ffff::1')).toEqual({ address: '2001:db8::7', port: PORT });
  });

  test('stays the same for more peers than are remembered', () => {
    const remotes = Array.from({ length: 5000 }, (_, i) => `172.17.${String(i >> 8)}.${String(i & 255)}`);
    const chosen = new Set([...remotes, ...remotes].map((remote) => local.towards(remote).address));
    expect([...chosen]).toEqual(['172.17.0.1']);
  });
});
