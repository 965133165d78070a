/**
 * Mutation check: do the tests notice when the library is wrong?
 *
 *   npm run mutants                            the deliberate faults below, each against the simulator's tests
 *   npm run mutants -- lost-t3                 those named
 *   npm run mutants -- --check                 none: only whether each still finds its place
 *   npm run mutants -- --sample 60 --seed 7    random ones, each against the tests of its room (mutants/sample.mjs)
 *   npm run mutants -- --sample 60 --list      none: only which ones
 *   npm run mutants -- --sample 20 --rooms ice,stun    those of some rooms
 *
 * Works on a copy of the tree. A deliberate fault is one replacement in one file, and the tests of `SUITE` must fail with it:
 * those that do are printed. docs/testing.md has the table, and says how to read a sample.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyTree, removeCopy, root, runTests, withChange } from './mutants/copy.mjs';
import { sampleMutants } from './mutants/sample.mjs';

/** A fixed seed: the same cases every time. */
const ENVIRONMENT = { SEED: '1', SANSRTC_LONG: '1' };

const CUT = 'test/cut/sample.test.ts';
const SOAK = 'test/soak/schedules.test.ts';
const SUITE = [CUT, SOAK];

const MUTANTS = [
  {
    name: 'lost-t3',
    fault: 'SCTP: T3 is not armed when data goes out (a lost timer re-arm)',
    file: 'src/sctp/association/timers.ts',
    find: "  else deadlines.start('t3', sender.rto.timeout);\n",
    replace: '',
  },
  {
    name: 'lost-dtls-rearm',
    fault: 'DTLS: the retransmission timer fires once and is not armed again',
    file: 'src/dtls/retransmission.ts',
    find: "MAX_RETRANSMIT_TIMEOUT);\n    this.#timers.arm('dtlsRetransmit', now + this.#timeout);\n",
    replace: 'MAX_RETRANSMIT_TIMEOUT);\n',
  },
  {
    name: 'sack-gap',
    fault: 'SCTP: a gap block ends one TSN too late (an off-by-one in a SACK gap)',
    file: 'src/sctp/rx/tsn-tracker.ts',
    find: 'u16(this.above.last(i) - this.cumulative)',
    replace: 'u16(this.above.last(i) - this.cumulative + 1)',
  },
  {
    name: 'kept-on-close',
    fault: 'SCTP: an ended association keeps what it was sending (a forgotten release on close)',
    file: 'src/sctp/association/state.ts',
    find: '  a.sender.clear();\n',
    replace: '',
  },
  {
    name: 'channels-left-open',
    fault: 'Rtc: the channels are not closed with the connection',
    file: 'src/channel/sctp-transport.ts',
    find: '    this.#channels.close(reason, now);\n',
    replace: '',
  },
  {
    name: 'role-flipped',
    fault: 'Negotiation: the offerer takes the role of the answerer (a role flipped)',
    file: 'src/negotiation/role.ts',
    find: "const role = answered === 'active' ? 'server' : 'client';",
    replace: "const role = answered === 'active' ? 'client' : 'server';",
  },
  {
    name: 'no-data-progress',
    fault: 'SCTP: the gate dataProgress is never armed (a deadline left out)',
    file: 'src/sctp/association/timers.ts',
    find: "  deadlines.start('dataProgress', gates.dataProgress);\n",
    replace: '',
  },
  {
    name: 'no-consent',
    fault: 'ICE: consent never expires',
    file: 'src/ice/schedule.ts',
    find: "  timers.arm('iceConsent', consent?.expiresAt ?? Infinity);\n",
    replace: '',
  },
  {
    name: 'no-send-buffer',
    fault: 'SCTP: send() takes whatever it is given (a queue bound removed)',
    file: 'src/sctp/association/association.ts',
    find: 'if (a.sender.heldBytes + charge(data.length) > a.settings.sendBuffer) {',
    replace: 'if (data.length < 0) {',
  },
  {
    name: 'stale-duplicate',
    fault: 'SCTP: a chunk that has arrived already is delivered once more',
    file: 'src/sctp/rx/tsn-tracker.ts',
    find: "    if (position <= this.cumulative || this.above.has(position)) return 'duplicate';\n",
    replace: "    if (position <= this.cumulative) return 'duplicate';\n",
  },
];

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean' },
    sample: { type: 'string' },
    rooms: { type: 'string' },
    seed: { type: 'string' },
    jobs: { type: 'string' },
    list: { type: 'boolean' },
  },
});

if (options.sample !== undefined) {
  const isEnough = await sampleMutants({
    count: wholeNumber('sample'),
    seed: wholeNumber('seed') ?? Math.floor(Math.random() * 2 ** 31),
    rooms: options.rooms?.split(','),
    jobs: wholeNumber('jobs'),
    isListed: options.list,
  });
  if (!isEnough) process.exitCode = 1;
} else {
  checkPlaces();
  if (options.check !== true) await tryDeliberate();
}

/** From 1; `undefined` if the option was not given. */
function wholeNumber(name) {
  const given = options[name];
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(given))
    throw new Error(`--${name} expected a whole number from 1, got "${given}"`);
  return Number(given);
}

function checkPlaces() {
  for (const { name, file, find } of MUTANTS) {
    if (readFileSync(join(root, file), 'utf8').split(find).length !== 2)
      throw new Error(`${name}: what it replaces is not there exactly once in ${file}`);
  }
  const unknown = wanted.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new Error(`no such mutant: ${unknown.join(', ')}`);
}

async function tryDeliberate() {
  const copy = copyTree();
  try {
    const healthy = await runSuite(copy);
    if (healthy.length > 0) throw new Error(`the tests fail without any mutant: ${healthy.join(', ')}`);
    for (const { name, fault, file, find, replace } of MUTANTS) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const change = (source) => source.replace(find, () => replace);
      const failed = await withChange(copy, file, change, () => runSuite(copy));
      if (failed.length === 0) process.exitCode = 1;
      console.log(`${failed.length > 0 ? 'caught  ' : 'SURVIVED'}  ${name}: ${fault}`);
      for (const line of failed.slice(0, 3)) console.log(`            ${line}`);
    }
  } finally {
    removeCopy(copy);
  }
}

/** The tests that fail. */
async function runSuite(copy) {
  const { failed } = await runTests(copy, {
    args: ['--project', 'unit', ...SUITE],
    environment: ENVIRONMENT,
    limit: 600_000,
  });
  return failed;
}
