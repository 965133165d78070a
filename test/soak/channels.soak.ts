import { test } from 'vitest';
import { checkTraffic } from './channels.ts';

test('10,000 seeds of traffic on twenty channels of mixed kinds over hostile links', () => {
  for (let seed = 1000; seed < 11_000; seed++) {
    try {
      checkTraffic(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
