import fc from 'fast-check';

/** `FC_SEED` reproduces a failing run, `FC_RUNS` makes every property longer. fast-check prints the seed on failure. */
const seed = process.env['FC_SEED'];
const runs = process.env['FC_RUNS'];
fc.configureGlobal({
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
