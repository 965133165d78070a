/**
 * Consent to send (RFC 7675) on the pair in use, and the liveness of a lite agent. Times in, times out: it sends nothing.
 *
 *     fresh ──check unanswered for 5 s──▶ disconnected ──nothing answered for 30 s──▶ expired
 *       ▲───── any answer, or data ────────────┘
 *
 * Data from the peer over the pair says that the path is there, as it does in browsers, but it is no consent.
 * Only an answer renews consent, from the time its check was sent (§5.1); requests of the peer do not. A lite agent sends
 * no checks: for it an authenticated request is the sign of life.
 */

/** How often consent is asked for, and how long it holds. Milliseconds. */
export interface ConsentTiming {
  /** Milliseconds between checks on average; each interval is spread by ±20 %. At least 5000: RFC 7675 forbids under 4 s. */
  readonly consentInterval: number;
  /** Gate `iceConsent`: without an answer for this long nothing more is sent: 30 000 (RFC 7675 §5.1). */
  readonly consentTimeout: number;
  /** A check that is unanswered for this long makes the pair `disconnected`: 5000; of a lite agent, no request: 15 000. */
  readonly disconnectedTimeout: number;
}

/** Consent as `inspect()` shows it. Times of the host's clock, milliseconds. */
export interface ConsentSnapshot {
  readonly grantedAt: number;
  readonly expiresAt: number;
  readonly disconnected: boolean;
}

/** Milliseconds an answer may take before anybody looks for other signs of life. */
const DOUBT = 1000;

/** After the host stood still a check must go unanswered before consent ends: room for two. Milliseconds. */
const GRACE = 10_000;

/** The schedule and the state of consent on one pair; a pair that follows it has one of its own. */
export class Consent {
  readonly #timing: ConsentTiming;
  /** When the latest answered check was sent (full), or the latest request arrived (lite). */
  grantedAt: number;
  disconnected = false;
  /** `Infinity` for a lite agent. */
  nextCheckAt: number;
  #checkSentAt: number;
  /** Since when an answer is awaited; `Infinity`: none is. */
  waitingSince: number = Infinity;
  #graceUntil = -Infinity;

  /** @param grantedAt when consent was last given @param spread a random number in [0, 1) */
  constructor(timing: ConsentTiming, grantedAt: number, spread: number) {
    this.#timing = timing;
    this.grantedAt = grantedAt;
    this.#checkSentAt = grantedAt;
    this.nextCheckAt = grantedAt + this.#interval(0.8 + 0.4 * spread);
  }

  /** The liveness of a lite agent: no checks, always waiting for the next request. */
  static lite(timing: ConsentTiming, heardAt: number): Consent {
    const liveness = new Consent(timing, heardAt, 0);
    liveness.heard(heardAt);
    return liveness;
  }

  get disconnectsAt(): number {
    return this.disconnected ? Infinity : this.waitingSince + this.#timing.disconnectedTimeout;
  }

  get expiresAt(): number {
    return Math.max(this.grantedAt + this.#timing.consentTimeout, this.#graceUntil);
  }

  /**
   * While no answer has come the next check follows at the short end of the spread, 4 to 4.5 s: a single lost datagram
   * is then repaired before the 5 s after which the pair counts as disconnected.
   */
  checkSent(now: number, spread: number): void {
    this.#checkSentAt = now;
    if (this.waitingSince === Infinity) this.waitingSince = now;
    this.nextCheckAt = now + this.#interval(0.8 + 0.1 * spread);
  }

  /** @param sentAt when the answered check was sent */
  answered(sentAt: number, spread: number): void {
    this.grantedAt = Math.max(this.grantedAt, sentAt);
    this.disconnected = false;
    this.waitingSince = Infinity;
    this.nextCheckAt = this.#checkSentAt + this.#interval(0.8 + 0.4 * spread);
  }

  /** Too long without an answer. The next one ends it. */
  disconnect(): void {
    this.disconnected = true;
  }

  /** When it will be doubtful, if no answer comes; `Infinity` if none is awaited, or it is already. */
  doubtfulAt(now: number): number {
    const at = this.waitingSince + DOUBT;
    return at > now ? at : Infinity;
  }

  /** True while data would be news: an answer has been awaited for a second. */
  isDoubtful(now: number): boolean {
    return now - this.waitingSince >= DOUBT;
  }

  /** Authentic data came over the pair. */
  dataHeard(now: number): void {
    this.disconnected = false;
    this.waitingSince = now;
  }

  /** A request came to a lite agent. */
  heard(now: number): void {
    this.grantedAt = now;
    this.disconnected = false;
    this.waitingSince = now;
    this.nextCheckAt = Infinity;
  }

  /** The host stood still and nobody listened: what was awaited is awaited anew, with a check at once. */
  resume(now: number): void {
    if (this.waitingSince !== Infinity) this.waitingSince = now;
    this.#graceUntil = now + GRACE;
    if (this.nextCheckAt !== Infinity)
      this.nextCheckAt = Math.max(now, this.#checkSentAt + this.#interval(0.8));
  }

  snapshot(): ConsentSnapshot {
    const { grantedAt, expiresAt, disconnected } = this;
    return { grantedAt, expiresAt, disconnected };
  }

  #interval(factor: number): number {
    return this.#timing.consentInterval * factor;
  }
}
