/** A server process with `UdpDriver` survives everything that a stranger or a peer tries, with its other connections alive. */
import { afterEach, expect, it } from 'vitest';
import { closeDrivers } from './driven-peer.ts';
import { Siege } from './siege.ts';

let siege: Siege | undefined;

afterEach(async () => {
  await closeDrivers();
  await siege?.server.stop();
});

it('A2, A3, A4, A5: a besieged server lives, its guests notice nothing, and nothing is left of the others', async () => {
  siege = await Siege.begin();
  const guest = await siege.join();
  expect(await siege.isEchoed(guest)).toBe(true);

  expect(await siege.refusedOffers(50)).toBe(50);
  await siege.forgottenOffers(20);
  await siege.badParameters();
  await siege.noise(300);
  await siege.vanishing(5);
  await siege.spoofedChecks(guest);
  await siege.rudePeer();

  expect(await siege.isEchoed(guest)).toBe(true);
  const live = siege;
  await expect
    .poll(() => live.report(), { timeout: 20_000, interval: 100 })
    .toMatchObject({
      connections: 1,
      armed: 1,
      internalErrors: 0,
      errors: { 'a fault of the application': 2 },
    });
  expect(await siege.isEchoed(guest)).toBe(true);
  expect(guest.ended).toBeUndefined();
});
