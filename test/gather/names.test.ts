/** Names of servers: resolved by the host, once at a time, one address of each family. */
import { expect, it } from 'vitest';
import { formatAddress } from '../../src/core/address.ts';
import { PUBLIC, SOCKET6, STUN, World, stunServer } from './world.ts';

const NAMED = { iceServers: [{ urls: 'stun:stun.example.org' }] };

it('a name is asked for once, whoever waits', () => {
  const world = World.usual();
  world.names.set('stun.example.org', [STUN.address]);
  const ids = [world.gather(NAMED), world.gather(NAMED), world.gather(NAMED)];
  world.run(1000);
  for (const id of ids) expect(world.told(id)).toEqual(['gathering', `+srflx ${PUBLIC}:14000`, 'complete']);
  expect(world.asked).toEqual(['stun.example.org']);
});

it('after a minute it is asked for anew', () => {
  const world = World.usual();
  world.names.set('stun.example.org', [STUN.address]);
  world.gather(NAMED);
  world.run(59_000);
  world.gather(NAMED);
  world.run(2000);
  expect(world.asked.length).toBe(1);
  world.gather(NAMED);
  world.run(1000);
  expect(world.asked.length).toBe(2);
});

it('that has hundreds of addresses, and others that are none, gives one of each family', () => {
  const world = World.usual();
  world.gatherer.addSocket(SOCKET6);
  const many = Array.from({ length: 300 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
  world.names.set('stun.example.org', ['nonsense', '0.0.0.0', '224.0.0.1', '2001:db8::1', ...many]);
  world.gather(NAMED);
  world.run(1000);
  const asked = new Set(world.sent.map(({ destination }) => formatAddress(destination)));
  expect([...asked].sort()).toEqual(['192.0.0.0:3478', '[2001:db8::1]:3478'].sort());
  expect(world.count('nameAddressesIgnored')).toBe(3 + 299);
});

it('that does not resolve is an error at once, one that nobody answers for at the gate', () => {
  const world = World.usual();
  world.names.set('stun.example.org', []);
  const none = world.gather(NAMED);
  const silent = world.gather({ iceServers: [{ urls: 'stun:other.example.org' }] });
  world.run(20_000);
  expect(world.told(none)).toEqual(['gathering', '701 stun:stun.example.org', 'complete']);
  expect(world.told(silent)).toEqual(['gathering', '701 stun:other.example.org', 'complete']);
  expect(world.of(none).at(-1)?.at).toBe(10);
  expect(world.of(silent).at(-1)?.at).toBe(10_000);
  expect(world.count('namesFailed')).toBe(1);
});

it('what was not asked for is not listened to', () => {
  const world = World.usual();
  world.names.set('stun.example.org', [STUN.address]);
  world.gather(NAMED);
  world.run(1000);
  world.reply({ type: 'resolved', now: world.now, name: 'stun.example.org', addresses: ['192.0.2.66'] });
  world.reply({ type: 'resolved', now: world.now, name: 'evil.example.org', addresses: ['192.0.2.66'] });
  expect(world.count('repliesIgnored')).toBe(2);
  expect(world.gatherer.inspect().names).toBe(1);
});

it('a server that moves is found where it is by the next restart', () => {
  const world = World.usual();
  world.names.set('stun.example.org', [STUN.address]);
  const id = world.gather(NAMED);
  world.run(61_000);
  world.names.set('stun.example.org', ['192.0.2.9']);
  world.servers.set('192.0.2.9:3478', stunServer());
  world.gatherer.restart(id);
  world.run(1000);
  expect(world.sent.some(({ destination }) => destination.address === '192.0.2.9')).toBe(true);
});
