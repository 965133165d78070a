/**
 * Deadlines: every wait of an association in one table, protocol timers and gates alike.
 *
 * Two things make it more than a TimerTable:
 * - Calls of the application carry no time. What is armed while the clock is stale is *provisional*: it runs from the last
 *   time seen, so that the table is never empty while something waits, and starts again when it is first looked at by a clock
 *   that is right again, so that nothing is cut short.
 * - A host may stand still. What it did not see is not the peer's silence: gates move on by the time that was missed (`thaw`),
 *   and the peer gets `THAW_GRACE` to show itself. Protocol timers just fire, once.
 *
 * While the path is down (`hold`) the rows of `HELD` stand still with what they have left.
 */
import type { Clock } from '../../core/clock.ts';
import { THAW_GRACE } from '../../core/clock.ts';
import { TimerTable, rowIn, rowsOf } from '../../core/timers.ts';

const PROTOCOL_TIMERS = [
  't1',
  't2',
  't3',
  'forwardTsn',
  'sack',
  'reconfig',
  'heartbeat',
  'messageLifetime',
  'pathProbe',
  'pacing',
  'reordering',
  'tailProbe',
] as const;

const GATES = [
  'sctpConnect',
  'dataProgress',
  'zeroWindow',
  'streamReset',
  'peerLiveness',
  'reassembly',
  'readerStalled',
  'shutdown',
] as const;

/** A wait that ends the association, a stream or a request when it takes too long. */
export type GateName = (typeof GATES)[number];
/** A row of the table. */
export type DeadlineName = (typeof PROTOCOL_TIMERS)[number] | GateName;

const NAMES: readonly DeadlineName[] = [...PROTOCOL_TIMERS, ...GATES];
const ROWS = /* @__PURE__ */ rowsOf(NAMES);

/** Stands for no time and no length. */
const NEVER = -Infinity;

/** What waits for the peer over the path. Set-up, shutdown and the path's own gate go on. */
const HELD: readonly DeadlineName[] = [
  't2',
  't3',
  'reconfig',
  'heartbeat',
  'pathProbe',
  'dataProgress',
  'zeroWindow',
  'streamReset',
  'peerLiveness',
  'reassembly',
];

/** What is left of a deadline may be a rounding error of the host's fractions: it must still lie in the future. */
const SHORTEST = 1;

/** The deadlines of one association, on the clock of its connection. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #table = new TimerTable<DeadlineName>(NAMES);
  /** When each row was last armed from the start. */
  readonly #since = new Array<number>(NAMES.length).fill(NEVER);
  /** The length of each row that was armed while stale, and how many there are. */
  readonly #provisional = new Array<number>(NAMES.length).fill(NEVER);
  #provisionalRows = 0;
  /** While the path is down: what each held row has left, and since when. */
  #held: Map<DeadlineName, number> | undefined;
  #heldAt = 0;
  /** Milliseconds for which the path was down or the host stood still. */
  #asleep = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time less what the path was down and the host stood still: for waits that begin and end without a row. */
  get awake(): number {
    return (this.#held === undefined ? this.#clock.now : this.#heldAt) - this.#asleep;
  }

  /** Arms `name` for `length` milliseconds from now unless it is armed already. */
  start(name: DeadlineName, length: number): void {
    if (!this.isArmed(name)) this.restart(name, length);
  }

  /** Arms `name` for `length` milliseconds from now, replacing what was armed. */
  restart(name: DeadlineName, length: number): void {
    if (this.#held !== undefined && HELD.includes(name)) {
      this.#held.set(name, length);
      this.#since[rowOf(name)] = this.#clock.now;
      return;
    }
    this.#setProvisional(name, this.#clock.isStale ? length : NEVER);
    // Before the first time seen a row is armed at 0: it is provisional and moves with that time.
    this.#arm(name, Math.max(this.#clock.now, 0), length);
  }

  /** Arms `name` for the time `at`, or disarms it with Infinity. For what has a time of its own. */
  set(name: DeadlineName, at: number): void {
    this.#table.arm(name, at);
  }

  /** Brings the deadline of an armed `name` forward to `length` from now; a later one stays as it is. */
  shorten(name: DeadlineName, length: number): void {
    this.#date();
    if (this.#table.deadline(name) > this.#clock.now + length && this.isArmed(name)) {
      const since = this.#since[rowOf(name)]!;
      this.restart(name, length);
      this.#since[rowOf(name)] = since;
    }
  }

  stop(name: DeadlineName): void {
    this.#held?.delete(name);
    if (!this.#table.isArmed(name)) return;
    this.#table.disarm(name);
    this.#setProvisional(name, NEVER);
  }

  stopAll(): void {
    this.#table.disarmAll();
    this.#provisional.fill(NEVER);
    this.#provisionalRows = 0;
    this.#held = undefined;
  }

  isArmed(name: DeadlineName): boolean {
    return this.#table.isArmed(name) || (this.#held?.has(name) ?? false);
  }

  /** Milliseconds since `name` was last armed from the start. */
  elapsed(name: DeadlineName): number {
    const since = this.#since[rowOf(name)]!;
    return since === NEVER ? 0 : this.#clock.now - since;
  }

  /** Disarms and names the earliest row that is due; `undefined` if none is. */
  takeDue(): DeadlineName | undefined {
    this.#date();
    return this.#table.takeDue(this.#clock.now);
  }

  /** The earliest deadline; Infinity when none is armed. */
  next(): number {
    this.#date();
    return this.#table.next();
  }

  /** Whose it is. */
  nextName(): DeadlineName | undefined {
    this.#date();
    return this.#table.nextName();
  }

  /** Stops the held rows' clocks. */
  hold(): void {
    this.#date();
    const { now } = this.#clock;
    this.#held = new Map();
    this.#heldAt = now;
    for (const name of HELD) {
      if (!this.#table.isArmed(name)) continue;
      this.#held.set(name, Math.max(0, this.#table.deadline(name) - now));
      this.#table.disarm(name);
      this.#setProvisional(name, NEVER);
    }
  }

  /** Lets the held rows' clocks run on. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    const { now } = this.#clock;
    this.#asleep += now - this.#heldAt;
    for (const [name, left] of held) this.#table.arm(name, now + left);
  }

  /** The host stood still for `missed` milliseconds: as much longer the peer may be silent. */
  thaw(missed: number): void {
    const { now } = this.#clock;
    if (this.#held === undefined) this.#asleep += missed;
    for (const gate of GATES) {
      if (!this.#table.isArmed(gate)) continue;
      this.#table.arm(gate, Math.max(this.#table.deadline(gate) + missed, now + THAW_GRACE));
    }
  }

  /** Every armed deadline, for inspection. */
  armed(): Partial<Record<DeadlineName, number>> {
    this.#date();
    return this.#table.armed();
  }

  #arm(name: DeadlineName, from: number, length: number): void {
    this.#table.arm(name, from + Math.max(length, SHORTEST));
    this.#since[rowOf(name)] = from;
  }

  #setProvisional(name: DeadlineName, length: number): void {
    const row = rowOf(name);
    if ((this.#provisional[row] === NEVER) !== (length === NEVER))
      this.#provisionalRows += length === NEVER ? -1 : 1;
    this.#provisional[row] = length;
  }

  /** What was armed while the clock was stale counts from now on, if it is right again. */
  #date(): void {
    if (this.#provisionalRows === 0 || this.#clock.isStale) return;
    for (const name of NAMES) {
      const length = this.#provisional[rowOf(name)]!;
      if (length === NEVER) continue;
      this.#arm(name, this.#clock.now, length);
      this.#setProvisional(name, NEVER);
    }
  }
}

function rowOf(name: DeadlineName): number {
  return rowIn(ROWS, name);
}
