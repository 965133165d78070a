/**
 * A gate: one named wait with one duration, held by any number of keys at once.
 *
 * All waits of a gate last equally long and time does not go back, so the order of arming is the order of expiry: the
 * earliest deadline is the first entry of a Map, with nothing to sort and nothing to scan. While the path is down (`hold`) all
 * stand still with what they have left.
 */
import type { Clock } from '../core/clock.ts';
import { THAW_GRACE } from '../core/clock.ts';
import type { ChannelGates, GateName } from './options.ts';

/** How many keys wait, at all gates of a layer together: while none does, no gate need be asked. */
export interface Waits {
  count: number;
  /** How many of them were armed while the clock was stale, and wait for the next time told. */
  undated: number;
}

/** A wait of one name. */
export class Gate<Key> {
  readonly name: GateName;
  /** Milliseconds from arming to expiry; `Infinity` switches the gate off. */
  readonly duration: number;
  readonly #clock: Clock;
  readonly #waits: Waits;
  readonly #since = new Map<Key, number>();
  /** Keys armed while the clock was stale: their wait begins with the next time told, or it would be cut short. They are last in the Map. */
  readonly #undated = new Set<Key>();
  /** Since when it stands still; `undefined`: it does not. */
  #heldAt: number | undefined;

  constructor(name: GateName, duration: number, clock: Clock, waits: Waits = { count: 0, undated: 0 }) {
    this.name = name;
    this.duration = duration;
    this.#clock = clock;
    this.#waits = waits;
  }

  /** How many keys wait. */
  get size(): number {
    return this.#since.size;
  }

  has(key: Key): boolean {
    return this.#since.has(key);
  }

  /** Starts the wait of `key`, or starts it again. */
  arm(key: Key): void {
    this.date();
    this.disarm(key);
    this.#since.set(key, this.#clock.now);
    this.#waits.count++;
    if (!this.#clock.isStale) return;
    this.#undated.add(key);
    this.#waits.undated++;
  }

  disarm(key: Key): void {
    if (!this.#since.delete(key)) return;
    this.#waits.count--;
    if (this.#undated.delete(key)) this.#waits.undated--;
  }

  clear(): void {
    this.#waits.count -= this.#since.size;
    this.#waits.undated -= this.#undated.size;
    this.#since.clear();
    this.#undated.clear();
  }

  /** Stops its clock, for nothing of the peer's can come. Again: nothing happens. */
  hold(): void {
    this.date();
    this.#heldAt ??= this.#clock.now;
  }

  /** Lets its clock run on. What was armed meanwhile waits from now on. */
  release(): void {
    const { now } = this.#clock;
    const heldAt = this.#heldAt;
    this.#heldAt = undefined;
    if (heldAt === undefined) return;
    for (const [key, since] of this.#since) this.#since.set(key, since + now - Math.max(since, heldAt));
  }

  /** The host stood still for `missed` milliseconds: the peer may take that much longer, and at least `THAW_GRACE` from now. */
  thaw(missed: number): void {
    this.date();
    if (this.#heldAt !== undefined) return;
    const earliest = this.#clock.now + THAW_GRACE - this.duration;
    for (const [key, since] of this.#since) this.#since.set(key, Math.max(since + missed, earliest));
  }

  /** The earliest deadline, `Infinity` if nobody waits, or it stands still. */
  next(): number {
    this.date();
    if (this.#since.size === 0 || this.#heldAt !== undefined) return Infinity;
    const first = this.#since.values().next();
    return first.done === true ? Infinity : first.value + this.duration;
  }

  /** Ends and answers the earliest wait if it is due, with the milliseconds it has lasted. */
  takeDue(): { readonly key: Key; readonly elapsed: number } | undefined {
    const at = this.next();
    if (at > this.#clock.now || at === Infinity) return undefined;
    const first = this.#since.entries().next();
    if (first.done === true) return undefined;
    const [key, since] = first.value;
    this.disarm(key);
    return { key, elapsed: this.#clock.now - since };
  }

  /** What was armed while the clock was stale waits from now on, if it is right again. */
  date(): void {
    if (this.#undated.size === 0 || this.#clock.isStale) return;
    for (const key of this.#undated) this.#since.set(key, this.#clock.now);
    this.#waits.undated -= this.#undated.size;
    this.#undated.clear();
  }
}

/** One gate of each name. */
export type Gates<Key> = Readonly<Record<GateName, Gate<Key>>>;

/** The gates of one layer, with their durations in milliseconds; `waits` counts who waits at them. */
export function makeGates<Key>(durations: ChannelGates, clock: Clock, waits?: Waits): Gates<Key> {
  return {
    openAck: new Gate('openAck', durations.openAck, clock, waits),
    inboundOpen: new Gate('inboundOpen', durations.inboundOpen, clock, waits),
    closeDrain: new Gate('closeDrain', durations.closeDrain, clock, waits),
    streamReset: new Gate('streamReset', durations.streamReset, clock, waits),
    reassembly: new Gate('reassembly', durations.reassembly, clock, waits),
  };
}

const NAMES = ['openAck', 'inboundOpen', 'closeDrain', 'streamReset', 'reassembly'] as const;

/** Of several gates the one that expires first; of equal ones, the first of their list. */
export function earliestGate<Key>(gates: Gates<Key>): Gate<Key> {
  let earliest = gates.openAck;
  let at = earliest.next();
  for (const name of NAMES) {
    const next = gates[name].next();
    if (next >= at) continue;
    earliest = gates[name];
    at = next;
  }
  return earliest;
}

/** The earliest deadline of each gate at which somebody waits. */
export function armedGates<Key>(gates: Gates<Key>): Partial<Record<GateName, number>> {
  const armed: Partial<Record<GateName, number>> = {};
  for (const name of NAMES) if (gates[name].next() !== Infinity) armed[name] = gates[name].next();
  return armed;
}
