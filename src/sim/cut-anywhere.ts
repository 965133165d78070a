/**
 * The search `cutAnywhere`: one scenario, run again and again, each time with one fault at one datagram of one direction.
 *
 *   build(seed), undisturbed      → how many datagrams each direction carries until the scenario is done
 *   for each direction, index, fault:
 *     build(seed) → fault planned → run until done or out of time → the caller's `outcome` says what is wrong
 *
 * Up to its fault a case is the undisturbed run over again, byte by byte, so every index is reached. The first case with
 * something wrong ends it, by a `CutFailure` whose message is one line and whose `place`, given as `only`, is that case
 * alone.
 */
import { badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import {
  callback,
  checkOptions,
  integer,
  listOf,
  nested,
  number,
  oneOf,
  required,
  text,
} from '../core/options.ts';
import { SeededRandom } from '../core/random.ts';
import type { Fault } from './faults.ts';
import type { Link } from './link.ts';
import type { Outcome } from './loop.ts';
import type { LinkEnd, Network } from './network.ts';

/** What is done to a datagram: `delay` is one second, `corrupt` hits one byte, `cut` loses it and all that follow. */
export type CutFault = 'drop' | 'duplicate' | 'delay' | 'swap' | 'corrupt' | 'cut';

/** All of them. */
export const CUT_FAULTS: readonly CutFault[] = ['drop', 'duplicate', 'delay', 'swap', 'corrupt', 'cut'];

/** A scenario on its network, at the moment from which on datagrams are counted. */
export interface CutStage {
  readonly net: Network;
  /** Two or more; every direction between two of them is searched. */
  readonly ends: readonly LinkEnd[];
  /** True when nothing more is to come, well or ill. Asked after every step. */
  readonly isDone: () => boolean;
}

/** What is searched: a stage that can be set again and again. */
export interface CutScenario<Stage extends CutStage> {
  readonly name: string;
  /** Sets the stage anew, the same for the same seed, and runs what comes before the part to be searched. */
  readonly build: (seed: number) => Stage;
}

/** One case: where the fault hits. */
export interface CutPlace {
  /** `from → to`, a link's name. */
  readonly direction: string;
  /** Position in that direction, from 0, counted from when the stage was set. */
  readonly index: number;
  readonly fault: CutFault;
}

/** What must come of a scenario, and how much of it is searched. */
export interface CutOptions<Stage extends CutStage> {
  readonly seed: number;
  /**
   * The outcome that must hold: `undefined`, or a sentence about what is wrong. `fault` is `none` for the undisturbed
   * run, `run` says how it ended.
   */
  readonly outcome: (stage: Stage, fault: CutFault | 'none', run: Outcome) => string | undefined;
  /** Default: all of them. */
  readonly faults?: readonly CutFault[] | undefined;
  /** Virtual milliseconds a case may take. Default 120,000. */
  readonly limit?: number | undefined;
  /** At most so many cases, spread over all of them by the seed. Default: every one. */
  readonly sample?: number | undefined;
  /** This case alone. */
  readonly only?: CutPlace | undefined;
}

/** What was searched, once nothing went wrong. */
export interface CutReport {
  readonly scenario: string;
  readonly seed: number;
  /** Cases run. */
  readonly cases: number;
  /** Cases there are. */
  readonly of: number;
  readonly byFault: Readonly<Record<CutFault, number>>;
  /** Datagrams of each direction in the undisturbed run. */
  readonly datagrams: readonly { readonly direction: string; readonly count: number }[];
}

/** A case whose outcome was not what must hold. `cause` has the error if one was thrown. */
export class CutFailure extends Error {
  readonly scenario: string;
  readonly seed: number;
  /** `undefined`: the undisturbed run. */
  readonly place: CutPlace | undefined;

  constructor(scenario: string, seed: number, place: CutPlace | undefined, what: string, cause?: unknown) {
    const where = place === undefined ? 'undisturbed' : `only: ${JSON.stringify(place)}`;
    super(`cut anywhere: ${scenario}, seed ${seed}, ${where}: ${oneLine(what)}`, { cause });
    this.name = 'CutFailure';
    this.scenario = scenario;
    this.seed = seed;
    this.place = place;
  }
}

const DEFAULT_LIMIT = 120_000;

const PLACE_RULES: OptionRules<CutPlace> = {
  direction: required(text()),
  index: required(integer(0)),
  fault: required(oneOf(CUT_FAULTS)),
};

const CUT_RULES: OptionRules<CutOptions<CutStage>> = {
  seed: required(number(-Number.MAX_VALUE)),
  outcome: required(callback),
  faults: listOf(oneOf(CUT_FAULTS)),
  limit: number(0, Infinity),
  sample: integer(1),
  only: nested(PLACE_RULES),
};
const DELAY = 1000;

/**
 * Runs a scenario with every fault at every datagram. Throws `CutFailure` for the first case that goes wrong,
 * `ERR_BAD_ARGUMENT` for fewer than two ends and a place that does not exist.
 */
export function cutAnywhere<Stage extends CutStage>(
  scenario: CutScenario<Stage>,
  options: CutOptions<Stage>,
): CutReport {
  checkOptions('cutAnywhere', options, CUT_RULES);
  const datagrams = countDatagrams(scenario, options);
  const every = allPlaces(datagrams, options.faults ?? CUT_FAULTS);
  const chosen = choose(every, options);
  const byFault: Record<CutFault, number> = { drop: 0, duplicate: 0, delay: 0, swap: 0, corrupt: 0, cut: 0 };
  for (const place of chosen) {
    runCase(scenario, options, place);
    byFault[place.fault]++;
  }
  return {
    scenario: scenario.name,
    seed: options.seed,
    cases: chosen.length,
    of: every.length,
    byFault,
    datagrams,
  };
}

/** The undisturbed run. */
function countDatagrams<Stage extends CutStage>(
  scenario: CutScenario<Stage>,
  options: CutOptions<Stage>,
): CutReport['datagrams'] {
  const stage = scenario.build(options.seed);
  if (stage.ends.length < 2) throw badArgument('ends', 'at least two', stage.ends.length);
  const links = directionsOf(stage);
  const before = links.map((link) => link.offered);
  play(scenario, options, stage, undefined);
  return links.map((link, i) => ({ direction: link.name, count: link.offered - before[i]! }));
}

function runCase<Stage extends CutStage>(
  scenario: CutScenario<Stage>,
  options: CutOptions<Stage>,
  place: CutPlace,
): void {
  const stage = scenario.build(options.seed);
  const link = directionsOf(stage).find(({ name }) => name === place.direction);
  if (link === undefined) throw badArgument('direction', 'one between two of the ends', place.direction);
  link.inject(link.offered + place.index, faultAt(place, options.seed));
  play(scenario, options, stage, place);
}

/** Runs a stage to its end and judges it. */
function play<Stage extends CutStage>(
  scenario: CutScenario<Stage>,
  options: CutOptions<Stage>,
  stage: Stage,
  place: CutPlace | undefined,
): void {
  const { seed, limit = DEFAULT_LIMIT } = options;
  let wrong: string | undefined;
  try {
    const run = stage.net.run({ until: stage.isDone, limit });
    wrong = options.outcome(stage, place?.fault ?? 'none', run);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new CutFailure(scenario.name, seed, place, what, error);
  }
  if (wrong !== undefined) throw new CutFailure(scenario.name, seed, place, wrong);
}

function faultAt({ fault, index, direction }: CutPlace, seed: number): Fault {
  switch (fault) {
    case 'delay':
      return { type: 'delay', by: DELAY };
    case 'corrupt': {
      const random = new SeededRandom(seed).split(`${direction} ${index}`);
      return { type: 'corrupt', offset: random.u32(), mask: 1 + (random.u32() % 255) };
    }
    case 'drop':
    case 'duplicate':
    case 'swap':
    case 'cut':
      return { type: fault };
  }
}

function directionsOf({ net, ends }: CutStage): Link[] {
  return ends.flatMap((from) => ends.filter((to) => to !== from).map((to) => net.direction(from, to)));
}

function allPlaces(datagrams: CutReport['datagrams'], faults: readonly CutFault[]): CutPlace[] {
  const places: CutPlace[] = [];
  for (const { direction, count } of datagrams) {
    for (let index = 0; index < count; index++) {
      for (const fault of faults) places.push({ direction, index, fault });
    }
  }
  return places;
}

/** A sample takes one place out of each of so many equal stretches: no part of the scenario goes without. */
function choose<Stage extends CutStage>(
  every: readonly CutPlace[],
  { only, sample, seed }: CutOptions<Stage>,
): readonly CutPlace[] {
  if (only !== undefined) return [only];
  if (sample === undefined || sample >= every.length) return every;
  const random = new SeededRandom(seed).split('sample');
  const stretch = every.length / sample;
  return Array.from({ length: sample }, (_, i) => every[Math.floor((i + random.unit()) * stretch)]!);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
