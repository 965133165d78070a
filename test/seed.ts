/** A seed that is new in every run, and printed: `SEED=…` in the environment brings the run back. */
export function freshSeed(purpose: string): number {
  const given = process.env['SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${purpose}: SEED=${seed}`);
  return seed;
}
