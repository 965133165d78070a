/**
 * Timeline: where a stream's timestamps lie on the sender's clock. The timestamps of audio and video begin anywhere; sender reports
 * (RFC 3550 §6.4.1) say of both what the one clock was then, and that is what keeps lips and voice together.
 */

/** How far one report moves what is written, ms: clocks drift slowly, and nothing may jump or run backwards. */
const MAX_CORRECTION = 5;

/** One stream's. */
export class Timeline {
  #clockRate;
  /** Milliseconds on the sender's clock at timestamp 0. */
  #origin;

  /** @param clockRate Hz, of the timestamps */
  constructor(clockRate) {
    this.#clockRate = clockRate;
  }

  get isKnown() {
    return this.#origin !== undefined;
  }

  /** Timestamp `time` was at `at`, ms. */
  set(time, at) {
    const origin = at - this.#milliseconds(time);
    if (this.#origin === undefined) this.#origin = origin;
    else this.#origin += Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, origin - this.#origin));
  }

  /** Milliseconds on the sender's clock; `undefined` before anything is known. */
  at(time) {
    return this.#origin === undefined ? undefined : this.#origin + this.#milliseconds(time);
  }

  #milliseconds(time) {
    return (time * 1000) / this.#clockRate;
  }
}
