/**
 * PeerKeyUpdates: the peer's changes of its keys (RFC 9147 §8), one at a time, and so many in a minute: each costs us a
 * hundred times what its bytes do. Our own are the session's (session.ts).
 */

const MINUTE = 60_000;

/** As many as are allowed in a minute may come at once, and no more than that in the long run. */
export class PeerKeyUpdates {
  readonly perMinute: number;
  left: number;
  /** When `left` was counted last, in ms. */
  countedAt: number = -Infinity;
  /** True from a KeyUpdate to the ACK that lets the peer use its new keys: before that it must not send another. */
  unacknowledged = false;

  constructor(perMinute: number) {
    this.perMinute = perMinute;
    this.left = perMinute;
  }

  /** True if another one may be taken at `now`. */
  mayTake(now: number): boolean {
    const earned = ((now - this.countedAt) * this.perMinute) / MINUTE;
    this.left = Math.min(this.perMinute, this.left + earned);
    this.countedAt = now;
    return this.left >= 1;
  }

  /** One has been taken. */
  take(now: number): void {
    if (this.mayTake(now)) this.left--;
    this.unacknowledged = true;
  }
}
