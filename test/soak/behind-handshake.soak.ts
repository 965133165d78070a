import { test } from 'vitest';
import { fuzzAssociation } from './behind-handshake.ts';

test('60 s of forged packets into established associations: no throw, no growth, no hang', () => {
  const until = performance.now() + 60_000;
  for (let seed = 1; performance.now() < until; seed++) {
    try {
      fuzzAssociation(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
