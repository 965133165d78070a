/**
 * KeyframeWish: a keyframe that is wanted. It is asked for at once, again after twice as long each time, and not for ever.
 *
 *     begin ─▶ due │ 500 ms │ due │ 1 s │ due │ 2 s │ due …     fulfil ─▶ nothing     timeout ─▶ given up
 */

/** Waits between requests, and the end of asking, ms. */
export interface KeyframeWishTimes {
  /** From the first request to the second; each wait after that is twice as long, 4 s at the most, or this if it is longer. */
  readonly interval: number;
  /** From the beginning until it is given up. */
  readonly timeout: number;
}

/** Requests are never further apart, ms; `interval`, if that is longer. */
const LONGEST_INTERVAL = 4000;

/** One wish at a time. Times are ms on the caller's clock. */
export class KeyframeWish {
  readonly #times: KeyframeWishTimes;
  #isDue = false;
  #interval = 0;
  #nextRequest = Infinity;
  #deadline = Infinity;
  #lastRequest = -Infinity;

  constructor(times: KeyframeWishTimes) {
    this.#times = times;
  }

  /** A keyframe is wanted, and has neither come nor been given up. */
  get isOpen(): boolean {
    return this.#deadline < Infinity || this.#nextRequest < Infinity;
  }

  /** When it was asked for last, fulfilled wishes included; -Infinity: never. */
  get lastRequest(): number {
    return this.#lastRequest;
  }

  /** @param delay until the first request */
  begin(now: number, delay = 0): void {
    this.#interval = this.#times.interval;
    this.#deadline = now + this.#times.timeout;
    this.#nextRequest = now + delay;
    if (delay <= 0) this.#ask(now);
  }

  /** It has come, or is not wanted any more. */
  fulfil(): void {
    this.#isDue = false;
    this.#nextRequest = Infinity;
    this.#deadline = Infinity;
  }

  /** Whether it is to be asked for now: true once for each request. */
  takeDue(): boolean {
    const isDue = this.#isDue;
    this.#isDue = false;
    return isDue;
  }

  /** @returns true: it has not come within its time, and is given up */
  handleTimeout(now: number): boolean {
    if (now >= this.#deadline) {
      this.fulfil();
      return true;
    }
    if (now >= this.#nextRequest) this.#ask(now);
    return false;
  }

  nextTimeout(): number {
    return Math.min(this.#nextRequest, this.#deadline);
  }

  #ask(now: number): void {
    this.#isDue = true;
    this.#lastRequest = now;
    this.#nextRequest = now + this.#interval;
    this.#interval = Math.max(this.#times.interval, Math.min(2 * this.#interval, LONGEST_INTERVAL));
  }
}
