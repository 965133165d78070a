import { expect, test } from 'vitest';
import { howMany } from '../how-many.ts';
import { fuzzAssociation } from '../soak/behind-handshake.ts';

/** Some forge a hundred packets, some a dozen. */
const SEEDS = howMany(10, 30);

test('forged packets into established associations: no throw, no growth, no hang', () => {
  let forged = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      forged += fuzzAssociation(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(forged).toBeGreaterThan(15 * SEEDS);
});
