/** A4: 10,000 refused offers and 10,000 hostile connections, against a server process: its heap stays as it was. */
import { afterAll, expect, test } from 'vitest';
import { closeDrivers } from '../node/driven-peer.ts';
import { Siege } from '../node/siege.ts';

const ROUNDS = 100;
/** Bytes: what a warm process moves by itself, far below what one leak of 20 KB in 10,000 would make (200 MB). */
const FLAT = 12 * 1024 * 1024;

afterAll(closeDrivers);

test('A4: 10,000 refused offers and 10,000 hostile connections leave nothing behind', async () => {
  const siege = await Siege.begin();
  try {
    const guest = await siege.join();
    const round = async (): Promise<void> => {
      expect(await siege.refusedOffers(100)).toBe(100);
      await siege.forgottenOffers(10);
      await siege.badParameters();
      await siege.vanishing(95);
      await siege.noise(50);
      await siege.spoofedChecks(guest);
      for (let i = 0; i < 4; i++) await siege.rudePeer();
      expect(await siege.isEchoed(guest)).toBe(true);
    };
    const settled = async (): Promise<number> => {
      await expect
        .poll(async () => (await siege.report()).connections, { timeout: 30_000, interval: 200 })
        .toBe(1);
      const { heap, routes, armed, internalErrors } = await siege.report();
      expect({ armed, internalErrors }).toEqual({ armed: 1, internalErrors: 0 });
      expect(routes).toBeLessThan(5);
      return heap;
    };
    for (let i = 0; i < 5; i++) await round();
    const before = await settled();
    for (let i = 0; i < ROUNDS; i++) await round();
    expect((await settled()) - before).toBeLessThan(FLAT);
    expect(guest.ended).toBeUndefined();
  } finally {
    await siege.server.stop();
  }
});
