import { expect, test } from 'vitest';
import { checkTraffic } from '../soak/channels.ts';
import { howMany } from '../how-many.ts';

const SEEDS = howMany(6, 25);

test.each([0, 1, 2, 3])(
  `twenty channels of mixed kinds over hostile links: ${SEEDS} seeds, part %d`,
  (part) => {
    for (let seed = part * SEEDS; seed < part * SEEDS + SEEDS; seed++) {
      expect(() => checkTraffic(seed), `seed ${seed}`).not.toThrow();
    }
  },
);

test('seed 1508: a fragment of an unordered message that was given up comes behind the I-FORWARD-TSN', () => {
  expect(() => checkTraffic(1508)).not.toThrow();
});
