/**
 * KeyframeRequester: asking for a keyframe of one stream until one comes (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
 *
 *     idle ─request→ due, keyframeInterval after the last one sent ─sent→ waiting ─┬ a keyframe comes → idle
 *                     ↑────────────── repeated, each time after twice as long ─────┤
 *                                                                                  └ keyframeTimeout → idle, and told
 *
 * The gate begins with the first request that is sent, and nothing that is asked for meanwhile makes it longer.
 */
import type { ReceiveSettings } from './options.ts';

/** Repetitions are never further apart, ms; `keyframeInterval`, if that is longer. */
const MAX_INTERVAL = 4000;

/** The wish for a keyframe of one stream. */
export class KeyframeRequester {
  readonly #settings: ReceiveSettings;
  #isWanted = false;
  /** It may be sent now. */
  #isDue = false;
  /** When the next request may be sent; `Infinity`: none is wanted, or `#isDue`. */
  #dueAt = Infinity;
  #sentAt = -Infinity;
  /** Until the next repetition. */
  #interval = 0;
  /** Gate `keyframe`: since when, and until when. */
  #since = 0;
  #deadline = Infinity;
  /** Of FIR: another number for each new wish, the same for its repetitions. 8 bits. */
  #firNumber = -1;

  constructor(settings: ReceiveSettings) {
    this.#settings = settings;
  }

  /** A request may be sent: ask `take`. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** One has been asked for, and has not come. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  nextTimeout(): number {
    return Math.min(this.#dueAt, this.#deadline);
  }

  /** A keyframe is wanted; while one is, that is no news. */
  request(now: number): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#interval = this.#settings.keyframeInterval;
    const allowedAt = this.#sentAt + this.#interval;
    if (allowedAt <= now) this.#isDue = true;
    else this.#dueAt = allowedAt;
  }

  /** A keyframe has come. */
  satisfy(): void {
    this.#isWanted = false;
    this.#isDue = false;
    this.#dueAt = Infinity;
    this.#deadline = Infinity;
  }

  /** @returns how long the gate was armed, when it has expired now: the wish is given up */
  handleTimeout(now: number): number | undefined {
    if (now >= this.#deadline) {
      this.satisfy();
      return now - this.#since;
    }
    if (now >= this.#dueAt) {
      this.#isDue = true;
      this.#dueAt = Infinity;
    }
    return undefined;
  }

  /** A request is sent now. @returns the number that FIR gives it, 0–255 */
  take(now: number): number {
    if (this.#deadline === Infinity) {
      this.#since = now;
      this.#deadline = now + this.#settings.keyframeTimeout;
      this.#firNumber = (this.#firNumber + 1) & 0xff;
    }
    this.#isDue = false;
    this.#sentAt = now;
    this.#dueAt = now + this.#interval;
    this.#interval = Math.max(this.#settings.keyframeInterval, Math.min(MAX_INTERVAL, 2 * this.#interval));
    return this.#firNumber;
  }

  /** What waits is so much longer, the gate at least until `earliest`. */
  thaw(missed: number, earliest: number): void {
    this.#dueAt += missed;
    // Infinity, where none was sent, stays what it is.
    this.#deadline = Math.max(this.#deadline + missed, earliest);
  }

  invariantViolation(): string | undefined {
    const isWaiting = this.#isDue || this.nextTimeout() !== Infinity;
    if (this.#isWanted === isWaiting) return undefined;
    return this.#isWanted
      ? 'a keyframe is wanted, and nobody will ask'
      : 'no keyframe is wanted, but asked for';
  }
}
