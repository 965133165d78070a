#!/usr/bin/env node
/**
 * `npm run bench:peers`: sansrtc beside the other stacks a server in Node can pick, in turns, each run in new processes. Prints tables and
 * writes a JSON file. How to read them: peers/README.md. `--help` lists the options.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import { CACHE, built, checkouts, installed } from './peers/installations.mjs';
import { USAGE, readOptions } from './peers/options.mjs';
import { Results, timesTheFloor } from './peers/results.mjs';
import { SCENARIOS } from './peers/scenarios/scenarios.mjs';
import { PACKAGES } from './peers/stacks/packages.mjs';

const STACKS = PACKAGES.map(({ name }) => name);
const NAMES = SCENARIOS.map(({ name }) => name);

try {
  const options = readOptions(process.argv.slice(2), NAMES, STACKS);
  if (options.help)
    console.log(USAGE.replace('SCENARIOS', NAMES.join(', ')).replace('STACKS', STACKS.join(', ')));
  else await main(options);
} catch (error) {
  console.error(`bench:peers: ${error.message}`);
  process.exitCode = 1;
}

async function main(options) {
  const { stacks, skipped } = await prepare(options);
  if (stacks.length === 0) throw new Error('there is no stack to measure');
  const scenarios = [];
  const report = {
    ...circumstances(options),
    stacks: stacks.map(({ name, version }) => ({ name, version })),
    skipped,
    scenarios,
  };
  console.log(heading(report));
  const file = options.json ?? join(CACHE, 'latest.json');
  mkdirSync(dirname(file), { recursive: true });
  for (const scenario of SCENARIOS.filter(({ name }) => options.only.includes(name))) {
    const results = await measure(scenario, scenario.contenders ?? stacks, options);
    console.log(results.table());
    scenarios.push(results);
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`); // each time, as a long run may be cut short
  }
  const [flow, floor] = ['bulk', 'floor'].map((name) => scenarios.find((results) => results.name === name));
  if (flow !== undefined && floor !== undefined) console.log(timesTheFloor(flow, floor));
  console.error(`figures in ${file}`);
}

/** The stacks that are there, and why the others are not. */
async function prepare({ peers, packages }) {
  const stacks = [];
  const skipped = [];
  const attempt = async (name, find) => {
    try {
      stacks.push(await find());
    } catch (error) {
      skipped.push({ name, reason: error.message });
    }
  };
  for (const wanted of PACKAGES.filter(({ name }) => peers.includes(name))) {
    if (wanted.version !== undefined) {
      await attempt(wanted.name, () => installed(wanted));
      continue;
    }
    for (const { name, directory } of checkouts(packages)) {
      await attempt(name, () => built(wanted, directory, name));
    }
  }
  return { stacks, skipped };
}

/** All cases of a scenario: the stacks take turns, round by round. */
async function measure(scenario, stacks, { rounds, quick }) {
  const runs = stacks.flatMap((stack) => [
    { stack, settings: {} },
    ...(scenario.variants ?? [])
      .filter(({ of }) => of === stack.file)
      .map(({ name, settings }) => ({ stack, variant: name, settings })),
  ]);
  const columns = stacks.map(({ name }) => name);
  const results = new Results(scenario, columns);
  const seconds = (length) => length * (quick ? 500 : 1000);
  const times = scenario.rounds?.(rounds) ?? rounds;
  for (const each of scenario.cases) {
    for (let round = 0; round < times; round++) {
      for (const { stack, variant, settings } of runs) {
        const place = { case: each.name, column: stack.name, variant };
        progress(
          [scenario.name, each.name, `round ${round + 1} of ${times}:`, stack.name, variant].join(' '),
        );
        if (results.hasFailed(place)) continue;
        try {
          results.add(place, await scenario.run({ stack, settings, seconds, round, quick }, each));
        } catch (error) {
          results.fail(place, error.message);
        }
      }
    }
  }
  progress('');
  return results;
}

function circumstances({ rounds, quick }) {
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    host: `${process.platform} ${release()}, ${process.arch}`,
    cpu: model,
    cores: cpus().length,
    rounds,
    quick,
  };
}

function heading({ date, node, openssl, host, cpu, cores, rounds, quick, stacks, skipped }) {
  const extent = [rounds === 1 ? 'one round' : `medians of ${rounds} rounds`, quick && 'quick'].filter(
    Boolean,
  );
  return [
    `${date}, Node ${node} (OpenSSL ${openssl}), ${host}, ${cores} cores (${cpu.trim()}), ${extent.join(', ')}`,
    stacks.map(({ name, version }) => `${name} ${version}`).join(', '),
    ...skipped.map(({ name, reason }) => `${name} is skipped: ${reason}`),
    '',
  ].join('\n');
}

/** The one line that changes, where somebody looks on. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
