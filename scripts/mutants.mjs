/**
 * Mutation check: does a deliberate fault in the library turn the simulator's tests red?
 *
 *   node scripts/mutants.mjs            every mutant
 *   node scripts/mutants.mjs lost-t3    those named
 *   node scripts/mutants.mjs --check    none: only whether each still finds its place
 *
 * Works on a copy of the tree. Each mutant is one replacement in one file, and the tests of `SUITE` must fail with it: those
 * that do are printed. docs/testing.md has the table.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A fixed seed: the same cases every time. */
const SEED = '1';

const CUT = 'test/cut/sample.test.ts';
const SOAK = 'test/soak/schedules.test.ts';
const SUITE = [CUT, SOAK];

const MUTANTS = [
  {
    name: 'lost-t3',
    fault: 'SCTP: T3 is not armed when data goes out (a lost timer re-arm)',
    file: 'src/sctp/association/upkeep.ts',
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
    file: 'src/rtc/stack.ts',
    find: "    this.#channels.close(isOrderly(reason) ? undefined : reason, now, isOurs ? 'dropped' : 'given-out');\n",
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
    file: 'src/sctp/association/upkeep.ts',
    find: "  deadlines.start('dataProgress', gates.dataProgress);\n",
    replace: '',
  },
  {
    name: 'no-consent',
    fault: 'ICE: consent never expires',
    file: 'src/ice/agent.ts',
    find: "    this.#timers.arm('iceConsent', consent?.expiresAt ?? Infinity);\n",
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

const wanted = process.argv.slice(2);
for (const { name, file, find } of MUTANTS) {
  if (readFileSync(join(root, file), 'utf8').split(find).length !== 2)
    throw new Error(`${name}: what it replaces is not there exactly once in ${file}`);
}
if (wanted.includes('--check')) process.exit(0);

const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
try {
  copyTree();
  const healthy = runTests();
  if (healthy.length > 0) throw new Error(`the tests fail without any mutant: ${healthy.join(', ')}`);
  let survivors = 0;
  for (const mutant of MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const failed = tryMutant(mutant);
    const isCaught = failed.length > 0;
    if (!isCaught) survivors++;
    console.log(`${isCaught ? 'caught  ' : 'SURVIVED'}  ${mutant.name}: ${mutant.fault}`);
    for (const line of failed.slice(0, 3)) console.log(`            ${line}`);
  }
  if (survivors > 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** Everything git knows or would take, and the installed packages by a link. */
function copyTree() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of new Set(
    listed.split('\n').filter((line) => /^(src|test|scripts|examples)\/|^[^/]+$/.test(line)),
  )) {
    try {
      cpSync(join(root, file), join(copy, file));
    } catch (error) {
      // Deleted in the work tree.
      if (error.code !== 'ENOENT') throw error;
    }
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
}

function tryMutant({ file, find, replace }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    return runTests();
  } finally {
    writeFileSync(path, source);
  }
}

/** The tests that fail, as `file > name: message`. */
function runTests() {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const run = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'unit',
      '--reporter=json',
      `--outputFile=${report}`,
      ...SUITE,
    ],
    { cwd: copy, encoding: 'utf8', env: { ...process.env, SEED, SANSRTC_LONG: '1' }, timeout: 600_000 },
  );
  if (run.error !== undefined) return [`no end: ${run.error.message}`];
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ title, failureMessages }) => {
        const [message = ''] = (failureMessages[0] ?? '').split('\n');
        return `${file.slice(copy.length + 1)} > ${title}: ${message.slice(0, 300)}`;
      }),
  );
}
