/**
 * Voice: sends packets of Opus when their time has come, and stops at a word. A timestamp goes on also while nothing is said, so that
 * the listener hears pauses as long as they were (RFC 3550 §5.1).
 */
const CLOCK_RATE = 48;
/** A process that was stopped for longer begins anew, instead of sending all that it has missed at once, ms. */
const MAX_LATENESS = 200;

/** One voice, over one sender. */
export class Voice {
  #sender;
  #onEnd;
  #queue = [];
  #timer;
  /** When the first packet of the queue is due, ms. */
  #due = 0;
  #isFirst = true;

  /** @param sender answers the `RtpSender`, or `undefined` while there is none; @param onEnd all has been said */
  constructor(sender, { onEnd }) {
    this.#sender = sender;
    this.#onEnd = onEnd;
  }

  get isSpeaking() {
    return this.#queue.length > 0;
  }

  /** Says this after what it is saying. @param packets with their durations in ms */
  say(packets) {
    const wasSpeaking = this.isSpeaking;
    this.#queue.push(...packets);
    if (wasSpeaking || !this.isSpeaking) return;
    this.#due = performance.now();
    this.#isFirst = true;
    this.#send();
  }

  /** Says no more of it. */
  stop() {
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  #send() {
    const now = performance.now();
    if (now - this.#due > MAX_LATENESS) this.#due = now;
    while (this.isSpeaking && this.#due <= now) {
      const { payload, duration } = this.#queue.shift();
      const timestamp = Math.round(this.#due * CLOCK_RATE);
      this.#sender()?.write({ payload, timestamp, marker: this.#isFirst });
      this.#isFirst = false;
      this.#due += duration;
    }
    if (this.isSpeaking) this.#timer = setTimeout(() => this.#send(), this.#due - now);
    else this.#onEnd();
  }
}
