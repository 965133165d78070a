/** The bounds of who may have to do with one path. The behaviour of whole endpoints is endpoint-takeover.test.ts's. */
import { expect, it } from 'vitest';
import { Rtc, SeededRandom } from '../../src/index.ts';
import type { RouteHolder } from '../../src/endpoint/ownership.ts';
import { Ownership } from '../../src/endpoint/ownership.ts';
import type { Route } from '../../src/endpoint/routes.ts';
import { certificates } from './pair.ts';

const LOCAL = { address: '198.51.100.1', port: 3478 };
const REMOTE = { address: '203.0.113.7', port: 9 };

interface User extends RouteHolder<User> {
  readonly routes: Set<Route<User>>;
}

function ownership(): Ownership<User> {
  const options = { maxRoutesPerConnection: 4, takeoverSilence: 10_000, onSharedPath: undefined };
  return new Ownership<User>(options, { add: () => undefined });
}

function user(seed: number): User {
  return {
    rtc: new Rtc({ certificate: certificates[0], random: new SeededRandom(seed) }),
    pathUse: 'exclusive',
    routes: new Set(),
  };
}

it('A5: a path without an owner has sixteen claimants at the most: each costs a copy of what comes', () => {
  const paths = ownership();
  const users = Array.from({ length: 20 }, (_, seed) => user(seed));
  for (const one of users) expect(paths.checking(one, 'udp', LOCAL, REMOTE, 0)).toBe(true);
  // Once more changes nothing.
  for (const one of users) paths.checking(one, 'udp', LOCAL, REMOTE, 0);
  const route = paths.find('udp', LOCAL, REMOTE);
  expect([...(route?.claimants ?? [])]).toEqual(users.slice(0, 16));
  for (const one of users) paths.release(one);
  expect(paths.size).toBe(0);
});

it('A5: one connection has to do with so many paths at the most, and the oldest goes', () => {
  const paths = ownership();
  const one = user(1);
  for (let port = 1; port <= 10; port++) paths.checking(one, 'udp', LOCAL, { ...REMOTE, port }, 0);
  expect(Array.from(one.routes, ({ remote }) => remote.port)).toEqual([7, 8, 9, 10]);
  expect(paths.size).toBe(4);
  paths.release(one);
  expect(paths.size).toBe(0);
});
