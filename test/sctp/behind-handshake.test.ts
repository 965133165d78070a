import { expect, test } from 'vitest';
import { fuzzAssociation } from '../soak/behind-handshake.ts';

test('forged packets into established associations: no throw, no growth, no hang', () => {
  let forged = 0;
  for (let seed = 1; seed <= 30; seed++) {
    try {
      forged += fuzzAssociation(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(forged).toBeGreaterThan(500);
});
