/**
 * Loop: the virtual clock and what moves it. Take the earliest thing planned, set the clock to its time, let it happen;
 * until a condition holds, nothing is left, time is up, or time has stopped moving.
 *
 * Time that stops moving is a livelock: machines that answer each other, or call for themselves, without end. An
 * instant is a microsecond wide, so that deadlines which creep ahead by a hair are caught as well.
 */
import { badArgument, RtcError } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { callback, checkOptions, number } from '../core/options.ts';
import { Schedule } from './schedule.ts';

/** When a run ends. */
export interface RunOptions {
  /** Asked before the run and after every step. It only looks: it must not touch a machine. */
  readonly until?: (() => boolean) | undefined;
  /** Milliseconds of virtual time. Default 60,000. */
  readonly limit?: number | undefined;
}

/**
 * Why a run ended: the `condition` holds; `quiescent`, nothing is under way and no machine wants to be woken; the
 * `limit` of virtual time has passed (the clock then stands exactly there); or `livelock`.
 */
export type Outcome =
  | RunReport<'condition' | 'quiescent' | 'limit'>
  | (RunReport<'livelock'> & {
      /** Who did what, over and over. */
      readonly cause: string;
    });

/** How far a run came. */
export interface RunReport<Reason extends string> {
  readonly reason: Reason;
  /** Virtual time at the end, in milliseconds. */
  readonly now: number;
  /** Virtual milliseconds that have passed in this run. */
  readonly elapsed: number;
  /** Steps in this run: inputs to machines and calls of planned functions. */
  readonly steps: number;
}

/** What the loop asks about the things planned in it. */
export interface LoopHandlers<T> {
  /** False: `item`, planned for `at`, has become pointless: it goes away without moving the clock. */
  isDue(item: T, at: number): boolean;
  happen(item: T): void;
}

const DEFAULT_LIMIT = 60_000;

const RUN_RULES: OptionRules<RunOptions> = { until: callback, limit: number(0, Infinity) };

/** Milliseconds. */
const INSTANT = 0.001;

/** How many of the last steps a livelock's cause is read from. */
const REMEMBERED = 64;

/** The clock with its plan. `T` is what can be planned; the handlers do it. */
export class Loop<T> {
  #now: number;
  #steps = 0;
  #running = false;
  readonly #schedule = new Schedule<T>();
  readonly #handlers: LoopHandlers<T>;
  readonly #stepsPerInstant: number;
  #instant: number;
  #stepsThisInstant = 0;
  readonly #lastSteps = new Array<string>(REMEMBERED);

  constructor(start: number, stepsPerInstant: number, handlers: LoopHandlers<T>) {
    this.#now = start;
    this.#instant = start;
    this.#stepsPerInstant = stepsPerInstant;
    this.#handlers = handlers;
  }

  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** How many things are planned. */
  get planned(): number {
    return this.#schedule.size;
  }

  /** Plans `item` for the time `at`; a time that has passed is now. */
  plan(at: number, item: T): void {
    this.#schedule.push(Math.max(at, this.#now), item);
  }

  /** Plans what a caller asked for. Throws `ERR_BAD_ARGUMENT` for a time that has passed. */
  planCall(at: number, item: T): void {
    if (!(at >= this.#now && at < Infinity))
      throw badArgument('time', `a time not before now, ${this.#now}`, at);
    this.#schedule.push(at, item);
  }

  /** Counts a step. `what` says who did what, for the cause of a livelock. */
  step(what: string): void {
    if (this.#now >= this.#instant + INSTANT) {
      this.#instant = this.#now;
      this.#stepsThisInstant = 0;
    }
    this.#lastSteps[this.#steps % REMEMBERED] = what;
    this.#steps++;
    this.#stepsThisInstant++;
  }

  run(options: RunOptions): Outcome {
    checkOptions('run', options, RUN_RULES);
    const limit = options.limit ?? DEFAULT_LIMIT;
    if (this.#running) {
      throw new RtcError(
        'ERR_INVALID_STATE',
        'run() was called from within a step; plan with after() instead',
      );
    }
    this.#running = true;
    try {
      return this.#run(options.until, this.#now + limit);
    } finally {
      this.#running = false;
    }
  }

  /** Sets the clock ahead, over a time in which nothing is planned. */
  skipTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  #run(until: (() => boolean) | undefined, end: number): Outcome {
    const startedAt = this.#now;
    const stepsBefore = this.#steps;
    const report = <Reason extends string>(reason: Reason): RunReport<Reason> => ({
      reason,
      now: this.#now,
      elapsed: this.#now - startedAt,
      steps: this.#steps - stepsBefore,
    });
    this.#instant = this.#now;
    this.#stepsThisInstant = 0;
    if (until?.() === true) return report('condition');
    for (;;) {
      const at = this.#schedule.nextTime();
      const item = this.#schedule.peek();
      if (item === undefined) return report('quiescent');
      if (!this.#handlers.isDue(item, at)) {
        this.#schedule.pop();
        continue;
      }
      if (at > end) {
        this.#now = end;
        return report('limit');
      }
      this.#schedule.pop();
      this.#now = at;
      const stepsSoFar = this.#steps;
      this.#handlers.happen(item);
      if (this.#steps === stepsSoFar) continue;
      if (until?.() === true) return report('condition');
      if (this.#stepsThisInstant > this.#stepsPerInstant) {
        return { ...report('livelock'), cause: this.#livelockCause() };
      }
    }
  }

  #livelockCause(): string {
    const tally = new Map<string, number>();
    for (const what of this.#lastSteps) tally.set(what, (tally.get(what) ?? 0) + 1);
    const often = [...tally].sort((a, b) => b[1] - a[1]).map(([what, times]) => `${what} ×${times}`);
    return (
      `more than ${this.#stepsPerInstant} steps at ${this.#instant} ms; ` +
      `the last ${REMEMBERED} were: ${often.slice(0, 8).join(', ')}`
    );
  }
}
