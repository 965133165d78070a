/**
 * Mutation check: do the tests notice when the library is wrong?
 *
 *   npm run mutants                            the deliberate faults below, each against the tests that must notice
 *   npm run mutants -- lost-t3                 those named
 *   npm run mutants -- --check                 none: only whether each still finds its place
 *   npm run mutants -- --sample 60 --seed 7    random ones, each against the tests of its room (mutants/sample.mjs)
 *   npm run mutants -- --sample 60 --list      none: only which ones
 *   npm run mutants -- --sample 20 --rooms ice,stun    those of some rooms
 *
 * Works on a copy of the tree. A deliberate fault is one replacement in one file, and its suite must fail with it, for the first
 * ten the simulator's searches (`SEARCHES`), which know nothing of the fault: the tests that do are printed. docs/testing.md has the table, and says how to read a sample.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyTree, removeCopy, root, runTests, withChange } from './mutants/copy.mjs';
import { sampleMutants } from './mutants/sample.mjs';

/** A fixed seed: the same cases every time. */
const ENVIRONMENT = { SEED: '1', SANSRTC_LONG: '1' };

const CUT = 'test/cut/sample.test.ts';
const SOAK = 'test/soak/schedules.test.ts';
const SEARCHES = [CUT, SOAK];

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
    find: 'MAX_RETRANSMIT_TIMEOUT);\n    this.#arm(now, this.#timeout);\n',
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
    find: '  tcb.sender.clear();\n',
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
    find: 'if (tcb.sender.heldBytes + charge(data.length) > tcb.settings.sendBuffer) {',
    replace: 'if (data.length < 0) {',
  },
  {
    name: 'stale-duplicate',
    fault: 'SCTP: a chunk that has arrived already is delivered once more',
    file: 'src/sctp/rx/tsn-tracker.ts',
    find: "    if (position <= this.cumulative || this.above.has(position)) return 'duplicate';\n",
    replace: "    if (position <= this.cumulative) return 'duplicate';\n",
  },
  {
    name: 'role-by-tie-breaker',
    fault: 'ICE: whoever has the larger tie-breaker refuses, whatever its role',
    file: 'src/ice/role.ts',
    find: "return weWin === (role === 'controlling') ? 'refuse' : 'switch';",
    replace: "return weWin ? 'refuse' : 'switch';",
    suite: ['test/ice/roles.test.ts'],
  },
  {
    name: 'replay-taken',
    fault: 'DTLS: an authentic record does not move the replay window of 1.2',
    file: 'src/dtls/record/reader.ts',
    find: '    read.window.accept(sequence);\n    this.#presentHeader',
    replace: '    this.#presentHeader',
    suite: ['test/dtls/records.test.ts'],
  },
  {
    name: 'no-backoff',
    fault: 'SCTP, sending: T3 comes again after the same time (no exponential back-off)',
    file: 'src/sctp/tx/rto.ts',
    find: '    this.#backoffs++;\n',
    replace: '',
    suite: ['test/sctp/retransmission.test.ts'],
  },
  {
    name: 'window-on-a-burst',
    fault:
      'SCTP, receiving: one busy period is enough for the window to grow, if there ever was one before (a forgotten reset)',
    file: 'src/sctp/rx/window.ts',
    find: 'this.#periods = isNeeded ? this.#periods + 1 : 0;',
    replace: 'this.#periods += isNeeded ? 1 : 0;',
    suite: ['test/sctp/window-bursts.test.ts'],
  },
  {
    name: 'any-tag',
    fault: 'SCTP association: a packet under any verification tag but 0 is taken',
    file: 'src/sctp/association/receive.ts',
    find: 'if (tag !== tcb.initialization.localTag) {',
    replace: 'if (tag === 0) {',
    suite: ['test/sctp/security.test.ts'],
  },
  {
    name: 'ids-used-up',
    fault: 'Channels: an identifier that is free again is not given to a new channel',
    file: 'src/channel/streams.ts',
    find: '    this.#lowest[parity] = Math.min(this.#lowest[parity], stream.id);\n',
    replace: '',
    suite: ['test/channel/closing.test.ts'],
  },
  {
    name: 'message-size-ours',
    fault: "Negotiation: the answer offers our message size, whatever the offer's was",
    file: 'src/negotiation/data-section.ts',
    find: 'Math.min(local.maxMessageSize, offered.maxMessageSize)',
    replace: 'local.maxMessageSize',
    suite: ['test/rtc/message-size.test.ts'],
  },
  {
    name: 'freeze-kept-secret',
    fault: 'Rtc: the layers are not told that the host stood still',
    file: 'src/rtc/stack.ts',
    find: '    for (const { machine } of machines) machine.thaw(missed);\n',
    replace: '',
    suite: ['test/rtc/frozen.test.ts'],
  },
  {
    name: 'anybody-takes-over',
    fault: 'Endpoint: whoever proves a path has it from its owner, who was just heard',
    file: 'src/endpoint/ownership.ts',
    find: 'this.#mayTakeOver(user, route, route.owner, isProof, now)',
    replace: 'isProof',
    suite: ['test/rtc/endpoint-takeover.test.ts'],
  },
  {
    name: 'forgiven-for-ever',
    fault: 'Core: a host that is always late is forgiven each time (a gate that never ends)',
    file: 'src/core/clock.ts',
    find: '    this.#isForgiven = true;\n',
    replace: '',
    suite: ['test/core/clock.test.ts'],
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
  for (const { name, file, find, suite = SEARCHES } of MUTANTS) {
    const missing = suite.find((test) => !existsSync(join(root, test)));
    if (missing !== undefined) throw new Error(`${name}: there is no ${missing}`);
    if (readFileSync(join(root, file), 'utf8').split(find).length !== 2)
      throw new Error(`${name}: what it replaces is not there exactly once in ${file}`);
  }
  const unknown = wanted.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new Error(`no such mutant: ${unknown.join(', ')}`);
}

async function tryDeliberate() {
  const chosen = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const copy = copyTree();
  try {
    const healthy = await runSuite(copy, [...new Set(chosen.flatMap(({ suite = SEARCHES }) => suite))]);
    if (healthy.length > 0) throw new Error(`the tests fail without any mutant: ${healthy.join(', ')}`);
    for (const { name, fault, file, find, replace, suite = SEARCHES } of chosen) {
      const change = (source) => source.replace(find, () => replace);
      const failed = await withChange(copy, file, change, () => runSuite(copy, suite));
      if (failed.length === 0) process.exitCode = 1;
      console.log(`${failed.length > 0 ? 'caught  ' : 'SURVIVED'}  ${name}: ${fault}`);
      for (const line of failed.slice(0, 3)) console.log(`            ${line}`);
    }
  } finally {
    removeCopy(copy);
  }
}

/** The tests that fail. */
async function runSuite(copy, suite) {
  const { failed } = await runTests(copy, {
    args: ['--project', 'unit', ...suite],
    environment: ENVIRONMENT,
    limit: 600_000,
  });
  return failed;
}
