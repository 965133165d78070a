/**
 * Pace: how much virtual time a frame brings. It follows real time as fast as the speed says, and no faster than the machine: what a
 * frame has no time for is not caught up with, and the page says so.
 */

/** Milliseconds of a frame that the simulator may take; the rest is for drawing. */
const BUDGET = 4;
/** A frame that comes later than this, ms, was in the background: its time has not passed. */
const LONGEST_FRAME = 100;

export class Pace {
  speed = 1;
  isPaused = false;
  /** Share of the wanted virtual time that was had lately, 0 to 1. */
  kept = 1;
  #last;
  /** Virtual milliseconds that are due. */
  #owed = 0;

  /**
   * Runs the steps that are due.
   * @param now real time, ms
   * @param step makes one virtual millisecond pass
   * @param clock tells the real time, ms
   */
  frame(now, step, clock) {
    const elapsed = Math.min(now - (this.#last ?? now), LONGEST_FRAME);
    this.#last = now;
    if (this.isPaused) return 0;
    this.#owed += elapsed * this.speed;
    const wanted = Math.floor(this.#owed);
    const start = clock();
    let steps = 0;
    while (steps < wanted && (steps === 0 || clock() - start < BUDGET)) {
      step();
      steps++;
    }
    this.#owed -= wanted;
    if (wanted > 0) this.kept += (steps / wanted - this.kept) / 20;
    return steps;
  }
}
