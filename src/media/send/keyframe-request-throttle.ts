/**
 * KeyframeRequestThrottle: what the peer's PLIs and FIRs come to. The first is told at once; those that come within an interval of it are
 * told together at its end, so that one that meant the loss of the keyframe itself is not lost.
 */

/** By which of the two it was asked for (RFC 4585 §6.3.1, RFC 5104 §4.3.1). */
export type KeyframeReason = 'pli' | 'fir';

/** The requests for one stream. */
export class KeyframeRequestThrottle {
  readonly #interval: number;
  #toldAt = -Infinity;
  #pending: KeyframeReason | undefined;
  /** Of the last FIR. */
  #firNumber = -1;
  pliCount = 0;
  firCount = 0;

  /** @param interval ms between two that are told */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** @returns true: it is to be told now; false: at `nextTimeout` */
  request(reason: KeyframeReason, now: number): boolean {
    if (now - this.#toldAt < this.#interval) {
      this.#pending ??= reason;
      return false;
    }
    this.#toldAt = now;
    return true;
  }

  /** A FIR of this number has come. @returns false: the same one as before, which is sent again until a keyframe comes */
  isNewFir(sequenceNumber: number): boolean {
    const isNew = sequenceNumber !== this.#firNumber;
    this.#firNumber = sequenceNumber;
    return isNew;
  }

  /** When what is pending is to be told; `Infinity`: nothing is. */
  nextTimeout(): number {
    return this.#pending === undefined ? Infinity : this.#toldAt + this.#interval;
  }

  /** What is to be told at `now`. */
  takeDue(now: number): KeyframeReason | undefined {
    if (this.nextTimeout() > now) return undefined;
    const reason = this.#pending;
    this.#pending = undefined;
    this.#toldAt = now;
    return reason;
  }
}
