/**
 * A sample of mutants: small changes that a slip could have made, at random places of the protocol rooms, each judged by
 * the suites of its room and, if they let it pass, by those of the rooms above that talk through it. What survives says
 * where a test is missing, or that the change changes nothing; such are listed in equivalent.json, with the reason, and left
 * out, as is what the type checker refuses, and `invariants.ts` of any room: those files judge the library in simulations, and
 * speak up only where it is wrong already, as it is under the deliberate faults of mutants.mjs.
 *
 * The kinds of change take turns, and no line is changed twice. A place's turn follows from the seed and from what
 * stands there, so that the same seed takes the same mutants for as long as their lines stay as they are.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { copyTree, removeCopy, root, runTests, withChange } from './copy.mjs';
import { KINDS, placesIn } from './places.mjs';
import { typeChecker } from './types.mjs';

/** Room → where its tests are: folders, or the beginnings of file names. */
const SUITES = {
  stun: ['test/stun/', 'test/ice/', 'test/trace/summary'],
  ice: [
    'test/ice/',
    'test/rtc/both-lite',
    'test/rtc/nat-rebinding',
    'test/rtc/role-conflicts',
    'test/rtc/vanishing-peer',
  ],
  dtls: ['test/dtls/', 'test/rtc/role-tables', 'test/trace/summary'],
  sctp: [
    'test/sctp/',
    'test/rtc/back-pressure',
    'test/rtc/gap-reports',
    'test/rtc/path-mtu',
    'test/rtc/unreliable',
    'test/trace/summary',
  ],
  channel: [
    'test/channel/',
    'test/rtc/back-pressure',
    'test/rtc/closing-pending',
    'test/rtc/reading',
    'test/trace/summary',
  ],
  sdp: ['test/sdp/', 'test/negotiation/'],
  negotiation: ['test/negotiation/', 'test/rtc/offering-role', 'test/rtc/role-tables', 'test/rtc/signaling'],
  rtp: ['test/rtp/', 'test/media/receive/', 'test/media/rtcp-outbox', 'test/trace/summary'],
  srtp: ['test/srtp/', 'test/transport/srtp'],
  media: [
    'test/media/',
    'test/machine/media',
    'test/rtc/stats',
    'test/rtc/signaling-media',
    'test/tooling/deadlines',
  ],
  transport: ['test/transport/', 'test/rtc/'],
  rtc: ['test/rtc/', 'test/trace/'],
  endpoint: ['test/rtc/endpoint'],
  core: ['test/core/', 'test/stun/', 'test/sdp/', 'test/sctp/packet', 'test/dtls/records'],
  crypto: ['test/crypto/'],
};

/**
 * What judges after the room's own suites, if those let a mutant pass: the table of the gates' defaults, whole conversations,
 * which every room has a part in, and the suites of the two rooms that talk through all others.
 */
const FOR_ALL = [
  'test/tooling/deadlines',
  'test/cut/sample',
  'test/soak/schedules',
  'test/channel/',
  'test/rtc/',
];

/** Rooms that are judged by their own suites alone: these try every byte, or hold whole conversations, and no other one tries more. */
const ALONE = ['crypto', 'sdp', 'rtp', 'srtp', 'media'];

/** The least share that must be caught. */
const FLOOR = 0.85;

/** Fixed, so that a mutant meets the same cases every time. A mutant that eats memory must not take the machine along. */
const ENVIRONMENT = { SEED: '1', FC_SEED: '1', NODE_OPTIONS: '--max-old-space-size=2048' };

/** A run may take so many times what its suites take without a mutant, and so many milliseconds more. */
const PATIENCE = 4;
const GRACE = 60_000;

const UNIT = ['--config', 'scripts/mutants/vitest.config.ts', '--project', 'unit'];

/**
 * Prints what becomes of each; resolves with whether enough were caught.
 * @param options `count`, `seed`; `rooms`, names (default: all); `jobs`, how many at once (default: one a processor);
 * `isListed`: none is run
 */
export async function sampleMutants({ count, seed, rooms, jobs = availableParallelism(), isListed = false }) {
  const unknown = (rooms ?? []).filter((room) => !Object.hasOwn(SUITES, room));
  if (unknown.length > 0) throw new Error(`no such room: ${unknown.join(', ')}`);
  const mutants = allMutants().filter(({ room }) => rooms === undefined || rooms.includes(room));
  const chosen = sample(mutants, count, seed, compiles(typeChecker()));
  if (isListed) {
    for (const mutant of chosen) console.log(describe(mutant));
    return true;
  }
  console.log(
    `${chosen.length} mutants, --seed ${seed}; ${equivalents().length} listed as equivalent are left out`,
  );
  const copies = Array.from({ length: Math.min(jobs, chosen.length) }, copyTree);
  try {
    const durations = await healthyRun(copies[0], chosen, jobs);
    const waiting = chosen.map((mutant, i) => ({ mutant, place: `${i + 1}/${chosen.length}` }));
    const outcomes = await Promise.all(copies.map((copy) => judgeAll(copy, waiting, durations)));
    return summarize(outcomes.flat());
  } finally {
    copies.forEach(removeCopy);
  }
}

// --- which ones ---

/** Every mutant of the protocol rooms but those listed: what `placesIn` tells of each, its file, and its line before and after. */
export function allMutants() {
  const mutants = Object.keys(SUITES).flatMap(sourcesOf).flatMap(mutantsOf);
  const left = new Map(equivalents().map((listed) => [identity(listed), listed]));
  const found = mutants.filter((mutant) => left.has(identity(mutant)));
  for (const mutant of found) left.delete(identity(mutant));
  for (const { file, before } of left.values())
    throw new Error(`equivalent.json lists what is not in ${file} any more: ${before}`);
  return mutants.filter((mutant) => !found.includes(mutant));
}

/** `count` of those that are `sound`. */
export function sample(mutants, count, seed, sound = () => true) {
  const drawn = mutants
    .map((mutant) => ({ ...mutant, lot: draw(seed, mutant) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1));
  const turns = KINDS.map((kind) => drawn.filter((mutant) => mutant.kind === kind));
  const chosen = new Map();
  while (chosen.size < count && turns.some((turn) => turn.length > 0)) {
    for (const turn of turns) {
      const place = ({ file, line }) => `${file}:${line}`;
      const next = turn.find((mutant) => !chosen.has(place(mutant)) && sound(mutant));
      turn.splice(0, next === undefined ? turn.length : turn.indexOf(next) + 1);
      if (next !== undefined && chosen.size < count) chosen.set(place(next), next);
    }
  }
  return [...chosen.values()];
}

function sourcesOf(room) {
  const inFolder = filesBelow(`src/${room}/`).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('/invariants.ts'),
  );
  return [...filesBelow('src/').filter((file) => file === `src/${room}.ts`), ...inFolder].map((file) => ({
    room,
    file,
  }));
}

function mutantsOf({ room, file }) {
  const source = readFileSync(join(root, file), 'utf8');
  const lines = source.split('\n');
  const seen = new Map();
  return placesIn(source).map((place) => {
    const { line, start, end, replacement } = place;
    const before = lines[line - 1];
    const lineStart = source.lastIndexOf('\n', start - 1) + 1;
    const after = before.slice(0, start - lineStart) + replacement + before.slice(end - lineStart);
    const mutant = { ...place, room, file, before: before.trim(), after: after.trim() };
    const occurrence = (seen.get(identity(mutant)) ?? 0) + 1;
    seen.set(identity(mutant), occurrence);
    return { ...mutant, occurrence };
  });
}

function equivalents() {
  return JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'));
}

/** A mutant that does not compile is none that anybody could ship. */
function compiles(isWellTyped) {
  return ({ file, start, end, replacement }) => {
    const source = readFileSync(join(root, file), 'utf8');
    return isWellTyped(file, source.slice(0, start) + replacement + source.slice(end));
  };
}

/** Stays the same when lines above come and go. */
function identity({ file, before, after }) {
  return JSON.stringify([file, before, after]);
}

/** By chance, and the same each time. */
function draw(seed, mutant) {
  return createHash('sha256')
    .update(`${seed} ${mutant.occurrence} ${identity(mutant)}`)
    .digest('hex');
}

// --- what becomes of them ---

/** Milliseconds of each file of tests. Throws if one fails without a mutant: then nothing can be judged. */
async function healthyRun(copy, chosen, jobs) {
  const suites = [...new Set(chosen.flatMap(suitesFor))];
  const { failed, durations } = await runTests(copy, {
    args: [...UNIT, '--maxWorkers', String(jobs), ...suites],
    environment: { ...ENVIRONMENT, MUTANT_SUITES: JSON.stringify(suites) },
    limit: 3_600_000,
  });
  if (failed.length > 0) throw new Error(`the tests fail without any mutant: ${failed.join(', ')}`);
  return durations;
}

async function judgeAll(copy, waiting, durations) {
  const outcomes = [];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { mutant, place } = next;
    const start = performance.now();
    const failed = await judge(copy, mutant, durations);
    const seconds = Math.round((performance.now() - start) / 1000);
    const verdict = failed.length > 0 ? 'caught' : 'SURVIVED';
    console.log(`${place} ${verdict} after ${seconds} s: ${describe(mutant)}`);
    if (failed[0] !== undefined) console.log(`      ${failed[0]}`);
    outcomes.push({ mutant, failed });
  }
  return outcomes;
}

function judge(copy, mutant, durations) {
  const suites = suitesFor(mutant);
  const usual = suites.reduce((sum, file) => sum + (durations[file] ?? 0), 0);
  const { file, start, end, replacement } = mutant;
  const change = (source) => source.slice(0, start) + replacement + source.slice(end);
  return withChange(copy, file, change, async () => {
    const { failed } = await runTests(copy, {
      args: [...UNIT, '--maxWorkers', '1', '--bail', '1', ...suites],
      environment: { ...ENVIRONMENT, MUTANT_SUITES: JSON.stringify(suites) },
      limit: GRACE + PATIENCE * usual,
    });
    return failed;
  });
}

/** The room's test files, the likeliest to notice first: those named like the source, those that import it, small ones. */
function suitesFor({ room, file }) {
  const name = basename(file, '.ts');
  const rank = (test) => {
    if (basename(test, '.test.ts') === name) return 0;
    if (readFileSync(join(root, test), 'utf8').includes(`/${name}.ts'`)) return 1;
    return SUITES[room].some((place) => place.endsWith('/') && test.startsWith(place)) ? 2 : 3;
  };
  const size = (test) => statSync(join(root, test)).size;
  const tests = SUITES[room].flatMap(testsAt).sort((a, b) => rank(a) - rank(b) || size(a) - size(b));
  return [...new Set([...tests, ...(ALONE.includes(room) ? [] : FOR_ALL.flatMap(testsAt))])];
}

function testsAt(place) {
  const found = filesBelow('test/').filter((file) => file.startsWith(place) && file.endsWith('.test.ts'));
  if (found.length === 0) throw new Error(`no tests at ${place}`);
  return found;
}

const listings = new Map();

/** Paths from the root, with slashes, sorted. */
function filesBelow(folder) {
  if (!listings.has(folder)) {
    const found = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    listings.set(folder, found.map((file) => folder + file.replaceAll('\\', '/')).sort());
  }
  return listings.get(folder);
}

// --- the report ---

function describe({ kind, file, line, before, after }) {
  return `${kind} ${file}:${line}\n      - ${before}\n      + ${after}`;
}

/** Whether enough were caught. */
function summarize(outcomes) {
  function count(name, isMeant) {
    const meant = outcomes.filter(isMeant);
    const ofThem = meant.filter(({ failed }) => failed.length > 0).length;
    if (meant.length > 0) console.log(`  ${name.padEnd(11)} ${ofThem} of ${meant.length} caught`);
  }
  const survivors = outcomes.filter(({ failed }) => failed.length === 0);
  const caught = outcomes.length - survivors.length;
  const share = caught / outcomes.length;
  if (survivors.length > 0) console.log('\nsurvived:');
  for (const { mutant } of survivors) console.log(`   ${describe(mutant)}`);
  console.log('');
  for (const kind of KINDS) count(kind, ({ mutant }) => mutant.kind === kind);
  for (const room of Object.keys(SUITES)) count(room, ({ mutant }) => mutant.room === room);
  console.log(
    `${caught} of ${outcomes.length} caught, ${Math.floor(100 * share)} %; at least ${100 * FLOOR} % must be`,
  );
  return share >= FLOOR;
}
