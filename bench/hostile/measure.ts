/**
 * The cost of one attack on one state, in two measures: time, and steps, which are the blocks of code that the engine has
 * counted to have run. Steps are the same on every machine; what they do not see (a copy inside the engine) time shows.
 */
import { Session } from 'node:inspector';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Attack } from './chunks.ts';
import type { State } from './states.ts';
import type { Victim } from './victim.ts';

/** The best of so many tries counts: a busy machine makes them slower, never faster. */
const TRIES = 2;

/** The time for each KB of `said` bytes of the attack, to a victim that holds `size` of the state. */
export function timeOf(state: State, attack: Attack, size: number, said: number): number {
  let best = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const { victim, packets, bytes } = prepare(state, attack, size, said);
    const startedAt = process.hrtime.bigint();
    for (const packet of packets) victim.hear(packet);
    best = Math.min(best, Number(process.hrtime.bigint() - startedAt) / bytes);
  }
  return best;
}

/**
 * Counted by the engine's precise coverage. It sees into functions that are compiled after its beginning alone, so steps are
 * counted before anything else has run; times that are measured afterwards are somewhat long.
 */
export function stepsOf(state: State, attack: Attack, size: number, said: number): number {
  const { victim, packets, bytes } = prepare(state, attack, size, said);
  takeSteps();
  for (const packet of packets) victim.hear(packet);
  return (takeSteps() * 1000) / bytes;
}

let session: Session | undefined;

/** Steps since the last call. */
function takeSteps(): number {
  if (session === undefined) {
    session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }
  let steps = 0;
  session.post('Profiler.takePreciseCoverage', (failure, coverage) => {
    if (failure !== null) throw failure;
    for (const script of coverage.result) {
      if (script.url.startsWith('node:') || script.url.includes('node_modules')) continue;
      for (const { ranges } of script.functions) for (const { count } of ranges) steps += count;
    }
  });
  return steps;
}

function prepare(
  state: State,
  attack: Attack,
  size: number,
  said: number,
): { readonly victim: Victim; readonly packets: readonly Bytes[]; readonly bytes: number } {
  const saying = state.make(size);
  const packets: Bytes[] = [];
  let bytes = 0;
  for (let round = 0; bytes < said; round++) {
    const packet = saying.victim.prepare(...attack.say(saying, round));
    packets.push(packet);
    bytes += packet.length;
  }
  return { victim: saying.victim, packets, bytes };
}
