import fc from 'fast-check';
import { expect, test } from 'vitest';
import { howMany, IS_LONG } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { HAPPENINGS, Model, STEPS } from './model.ts';

/** Steps of one session. */
const LENGTH = 50;
const SESSIONS = howMany(20, 200);

const step = fc.record({
  by: fc.constantFrom(0 as const, 1 as const),
  kind: fc.constantFrom(...STEPS),
  a: fc.nat(999),
  b: fc.nat(999),
});

const steps = fc.array(step, { minLength: LENGTH, maxLength: LENGTH });

/** Of the two roles one end alone insists on one. */
const setup = fc.constantFrom('auto' as const, 'active' as const, 'passive' as const);
const options = fc.record({
  bundlePolicy: fc.constantFrom('balanced' as const, 'max-compat' as const, 'must-bundle' as const),
  newMediaDirection: fc.constantFrom('inactive' as const, 'recvonly' as const, 'sendrecv' as const),
});

test(`two ends agree after whatever ${SESSIONS * LENGTH} steps, and nothing that is refused or taken back leaves a trace`, () => {
  const seed = freshSeed(`two ends, ${SESSIONS * LENGTH} steps`);
  const done = new Map<string, number>();
  fc.assert(
    fc.property(options, options, setup, steps, (ours, theirs, dtlsSetup, taken) => {
      const model = new Model([{ ...ours, dtlsSetup }, theirs]);
      for (const one of taken) model.take(one);
      model.finish();
      for (const [what, count] of model.done) done.set(what, (done.get(what) ?? 0) + count);
    }),
    { numRuns: SESSIONS, seed },
  );
  // A model in which something never happens proves nothing about it.
  if (IS_LONG) expect([...done.keys()].sort()).toEqual([...HAPPENINGS].sort());
});
