/**
 * Clock: the time of one connection, and what is known about it.
 *
 *     an input tells the time ─▶ fresh ─the drain after it is over─▶ stale: a call comes nobody knows how long after
 *
 * What a call arms while the time is stale counts from the next time told, so that no wait is cut short by it.
 *
 * A host may stand still: a laptop sleeps, a process is stopped, a collection takes seconds. A deadline that is missed by
 * `FREEZE` or more says so. What the machines did not see then is no silence of the peer's, so they are told how much they
 * missed (`Machine.thaw`); once, until the peer is heard again, for a gate must also end for a host that is always late.
 *
 * A connection has one clock, shared by its layers; a layer used alone owns one. Time goes on between entry points, never
 * within one.
 */

/** A deadline missed by this much, in milliseconds, means that the host stood still; less is the slack of its timers. */
export const FREEZE = 3000;

/** Milliseconds that a peer has, at the least, to answer after the host stood still. */
export const THAW_GRACE = 3000;

/** What runs on a clock: asked when it would have been due, and told what it has missed. */
export interface Sleeper {
  nextTimeout(): number;
  thaw(missed: number): void;
}

/** The last time seen, and whether it is now. */
export class Clock {
  /** The last time seen, milliseconds; -Infinity before the first. */
  now: number;
  /** True from a call without a time until the next time told: `now` may be long ago. */
  isStale = true;
  /** Inputs whose time was earlier than one seen before. */
  wentBackwards = 0;
  /** How often the host stood still. */
  freezes = 0;
  /** True: the owner alone moves this clock, and what its layers are told is what it says already. */
  readonly isShared: boolean;
  #wasTold = false;
  #isForgiven = false;

  /** @param now what the time is taken to be before it is told */
  constructor(isShared = false, now: number = -Infinity) {
    this.isShared = isShared;
    this.now = now;
  }

  /** The owner is told the time, and `sleeper` how long the host stood still, if it did. */
  advance(now: number, sleeper: Sleeper): void {
    const before = this.#wasTold ? this.now : Infinity;
    this.#wasTold = true;
    this.isStale = false;
    if (now >= this.now) this.now = now;
    else this.wentBackwards++;
    if (now - before < FREEZE || this.#isForgiven) return;
    const missed = now - Math.max(before, sleeper.nextTimeout());
    if (!(missed >= FREEZE)) return;
    this.freezes++;
    this.#isForgiven = true;
    sleeper.thaw(missed);
  }

  /** A layer is told the time: it is the owner of its clock, or hears nothing new. */
  observe(now: number, layer: Sleeper): void {
    if (!this.isShared) this.advance(now, layer);
  }

  /** A layer was called without a time. On a shared clock it is the owner who knows whether that was inside of a drain. */
  callWithoutTime(): void {
    if (!this.isShared) this.isStale = true;
  }

  /** The owner's drain is over: from here on nobody says when a call comes. */
  endDrain(): void {
    this.isStale = true;
  }

  /** The peer has been heard, authentically: the host may stand still once more. */
  hear(): void {
    this.#isForgiven = false;
  }
}
