/**
 * What hostile but authenticated input costs: every chunk type in every state, for each KB received, for a state of N and of
 * 10 N. It must not grow with the state. Prints a table; exit code 1 when a row breaks its bound.
 *
 *   npm run bench:hostile [-- name …]     of the attacks; without one, all
 */
import { ATTACKS } from './hostile/chunks.ts';
import { stepsOf, timeOf } from './hostile/measure.ts';
import { STATES } from './hostile/states.ts';

const SMALL = 300;
/** Bytes of each attack. */
const SAID = 6_000;
/** How many times as many steps ten times the state may take. */
const STEEPEST = 1.5;
/** Steps beside that for each thing held: what is let go of once, on the way, was paid for by what brought it. */
const LETTING_GO = 40;
/** Steps for each KB that any row may take. */
const DEAREST = 50_000;

const wanted = process.argv.slice(2);
const attacks = ATTACKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

type Measure = typeof stepsOf;

interface Row {
  readonly small: number;
  readonly large: number;
  readonly state: string;
}

/** The state in which the attack's cost grows most. */
function steepest(attack: (typeof ATTACKS)[number], cost: Measure): Row {
  const rows = STATES.map((state): Row => {
    const small = cost(state, attack, SMALL, SAID);
    const large = cost(state, attack, 10 * SMALL, SAID);
    return { small, large, state: `${state.name}${state.interleaving ? ' (I-DATA)' : ''}` };
  });
  return rows.reduce((worst, row) =>
    row.large - STEEPEST * row.small > worst.large - STEEPEST * worst.small ? row : worst,
  );
}

function cell(cost: number): string {
  return cost.toFixed(0).padStart(6);
}

const startedAt = process.cpuUsage();
const steps = attacks.map((attack) => steepest(attack, stepsOf));
let broken = 0;
console.log(
  `| said | steps per KB, N = ${SMALL} | N = ${10 * SMALL} | in the state | µs per KB, median | most |`,
);
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [i, attack] of attacks.entries()) {
  const { small, large, state } = steps[i]!;
  const sorted = STATES.map((held) => timeOf(held, attack, 10 * SMALL, SAID)).sort((a, b) => a - b);
  const isBroken = large > STEEPEST * small + (LETTING_GO * 10 * SMALL * 1000) / SAID || large > DEAREST;
  if (isBroken) broken++;
  const median = sorted[sorted.length >> 1] ?? 0;
  console.log(
    `| ${attack.name} | ${cell(small)} | ${cell(large)} | ${state} | ${cell(median)} | ${cell(sorted.at(-1) ?? 0)} |${isBroken ? ' TOO DEAR' : ''}`,
  );
}
const { user, system } = process.cpuUsage(startedAt);
console.log(`\n${attacks.length} rows, ${broken} too dear, ${((user + system) / 1e6).toFixed(0)} s of CPU`);
process.exitCode = broken > 0 ? 1 : 0;
