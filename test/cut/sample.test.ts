/** A sample of every search, another one each time. `npm run test:cut` runs every case. */
import { describe, expect, test } from 'vitest';
import { howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { searches } from './scenarios.ts';
import { materials } from './stage.ts';

const SAMPLE = howMany(12, 40);

const seed = freshSeed('cut anywhere, sampled');

describe.each([materials.js(), materials.node()])('cut anywhere, a sample, $name crypto', (crypto) => {
  test.each(searches(crypto).map((search) => [search.name, search] as const))('%s', (_, search) => {
    const { cases, of } = search.run({ seed, sample: SAMPLE });
    expect(cases).toBe(Math.min(SAMPLE, of));
  });
});
