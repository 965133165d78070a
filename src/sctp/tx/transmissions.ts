/**
 * Transmissions: a record for each chunk in flight, in the order of sending. It gives a SACK's round-trip and
 * delivery-rate sample (draft-cheng-iccrg-delivery-rate-estimation), and finds losses by time (RFC 8985, "RACK").
 *
 *   record(slot) → in the list ─ acknowledged() → its sample, if it was sent last of all that the SACK reports
 *                     │  └ sent before something that was acknowledged, and overdue by the reordering window → overdue()
 *                     └ unlink(slot): no longer in flight
 *
 * A slot is a place in the ring of `Outstanding`. What was sent while the time was stale gets the next time seen, for
 * losses, and gives no sample.
 */

const APP_LIMITED = 1;
const UNTIMED = 2;
/** Untimed, and the next time has not been seen yet. */
const PROVISIONAL = 4;

/** As a share of the shortest round trip: sooner, no acknowledgement can be of a retransmission. */
const TOO_SOON = 7 / 8;
/** A rounding error of the host's fractions, milliseconds. */
const EPSILON = 0.001;

/** The transmissions of the chunks in flight, and the sample of the SACK that is being handled. */
export class Transmissions {
  /** Bytes delivered so far, and when the last of them were. */
  delivered = 0;
  /** The sample of the SACK being handled; see `AckSample`. */
  priorDelivered = -1;
  deliveryRate = 0;
  isAppLimited = false;
  roundTripTime = -1;
  /** The shortest round trip seen on this path. */
  minRoundTripTime: number = Infinity;
  /**
   * 0 while nothing was ever seen to overtake: losses may be concluded from order alone. Then how many quarters of the round trip
   * something may be late, 1 to 4: one more in each round that took something for lost too early (RFC 8985 §6.2, steps 3, 4).
   */
  reorderingQuarters = 0;
  /** What was sent later than this has seen the last step. */
  #steppedSerial = 0;
  #deliveredAt = 0;
  #firstSentAt = 0;
  /** While `delivered` is below, what is sent goes out at the application's speed; 0: not so. */
  #appLimitedUntil = 0;
  #serial = 0;
  /** RACK.xmit_ts and RACK.rtt: of the chunk sent last among all that were acknowledged. */
  #newestSerial = 0;
  #newestRoundTrip = 0;
  /** The slot the sample is of, -1: none yet. */
  #sampled = -1;
  #hasProvisional = false;

  #head = -1;
  #tail = -1;
  #columns: Columns;

  constructor(length: number) {
    this.#columns = columnsOf(length);
  }

  /** The slot sent last of those in flight, -1 if none is. */
  get last(): number {
    return this.#tail;
  }

  /** The chunk in `slot` goes out. `isFirst`: nothing else is in flight. `fresh`: `now` is known to be now. */
  record(slot: number, now: number, fresh: boolean, isFirst: boolean): void {
    if (isFirst) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    this.#columns.serials[slot] = ++this.#serial;
    this.#columns.sentAt[slot] = now;
    this.#columns.deliveredThen[slot] = this.delivered;
    this.#columns.deliveredAtThen[slot] = this.#deliveredAt;
    this.#columns.firstSentAtThen[slot] = this.#firstSentAt;
    this.#columns.flags[slot] =
      (this.#appLimitedUntil > 0 ? APP_LIMITED : 0) | (fresh ? 0 : UNTIMED | PROVISIONAL);
    if (!fresh) this.#hasProvisional = true;
    this.#columns.before[slot] = this.#tail;
    this.#columns.after[slot] = -1;
    if (this.#tail >= 0) this.#columns.after[this.#tail] = slot;
    else this.#head = slot;
    this.#tail = slot;
  }

  /** The chunk in `slot` is in flight no more. */
  unlink(slot: number): void {
    const before = this.#columns.before[slot]!;
    const after = this.#columns.after[slot]!;
    if (before >= 0) this.#columns.after[before] = after;
    else this.#head = after;
    if (after >= 0) this.#columns.before[after] = before;
    else this.#tail = before;
  }

  /** A time is seen: what was sent at an unknown one counts as sent now, which is never too early. */
  observe(now: number): void {
    if (!this.#hasProvisional) return;
    this.#hasProvisional = false;
    for (let slot = this.#tail; slot >= 0; slot = this.#columns.before[slot]!) {
      if ((this.#columns.flags[slot]! & PROVISIONAL) === 0) return;
      this.#columns.flags[slot]! &= ~PROVISIONAL;
      this.#columns.sentAt[slot] = now;
    }
  }

  /** The sender stands idle: what is sent until `inFlight` bytes are delivered goes at the application's speed. */
  noteAppLimited(inFlight: number): void {
    this.#appLimitedUntil = Math.max(this.delivered + inFlight, 1);
  }

  beginSack(): void {
    this.priorDelivered = -1;
    this.deliveryRate = 0;
    this.isAppLimited = false;
    this.roundTripTime = -1;
    this.#sampled = -1;
  }

  /** The chunk in `slot` is acknowledged for the first time. `overtaken`: something sent later was so before. */
  acknowledged(slot: number, bytes: number, now: number, retransmitted: boolean, overtaken: boolean): void {
    this.delivered += bytes;
    this.#deliveredAt = now;
    if ((this.#columns.flags[slot]! & UNTIMED) !== 0) return;
    const serial = this.#columns.serials[slot]!;
    const roundTrip = now - this.#columns.sentAt[slot]!;
    if (retransmitted && roundTrip < this.minRoundTripTime * TOO_SOON) {
      // The acknowledgement is of the first transmission: it was late, not lost (RFC 8985 §6.2, step 2).
      if (serial > this.#steppedSerial) {
        this.reorderingQuarters = Math.min(this.reorderingQuarters + 1, 4);
        this.#steppedSerial = this.#serial;
      }
      return;
    }
    if (overtaken && !retransmitted) this.reorderingQuarters = Math.max(this.reorderingQuarters, 1);
    if (this.#sampled < 0 || serial > this.#columns.serials[this.#sampled]!) {
      this.#sampled = slot;
      this.roundTripTime = retransmitted ? -1 : roundTrip;
      this.priorDelivered = this.#columns.deliveredThen[slot]!;
      this.isAppLimited = (this.#columns.flags[slot]! & APP_LIMITED) !== 0;
    }
    if (serial > this.#newestSerial) {
      this.#newestSerial = serial;
      this.#newestRoundTrip = roundTrip;
    }
  }

  /** What was given up for lost has come after all: it was overtaken. */
  noteLate(): void {
    this.reorderingQuarters = Math.max(this.reorderingQuarters, 1);
  }

  endSack(now: number): void {
    if (this.#appLimitedUntil > 0 && this.delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0;
    const slot = this.#sampled;
    if (slot < 0) return;
    if (this.roundTripTime >= 0) this.minRoundTripTime = Math.min(this.minRoundTripTime, this.roundTripTime);
    const sentAt = this.#columns.sentAt[slot]!;
    // The slower of sending and acknowledging: SACKs that come in a clump would promise more than the path carries.
    const interval = Math.max(
      sentAt - this.#columns.firstSentAtThen[slot]!,
      now - this.#columns.deliveredAtThen[slot]!,
    );
    this.#firstSentAt = sentAt;
    if (interval <= 0 || interval < this.minRoundTripTime - EPSILON) return;
    this.deliveryRate = (this.delivered - this.priorDelivered) / interval;
  }

  /**
   * RFC 8985 §6.2, step 5: the first slot that was sent before something acknowledged and is late by more than
   * `reorderingWindow`; -1: none is.
   */
  overdue(now: number, reorderingWindow: number): number {
    return this.overdueAt(reorderingWindow) <= now + EPSILON ? this.#head : -1;
  }

  /** When the next slot will be overdue, Infinity: nothing has been overtaken. */
  overdueAt(reorderingWindow: number): number {
    const head = this.#head;
    if (head < 0 || this.#columns.serials[head]! >= this.#newestSerial) return Infinity;
    return this.#columns.sentAt[head]! + this.#newestRoundTrip + reorderingWindow;
  }

  /** The path may be another one. */
  forgetPath(): void {
    this.minRoundTripTime = Infinity;
    this.reorderingQuarters = 0;
  }

  /** The ring has doubled: `place` gives a slot's new place. */
  grow(length: number, place: (slot: number) => number): void {
    const old = this.#columns;
    const columns = columnsOf(length);
    const placeOf = (slot: number): number => (slot < 0 ? -1 : place(slot));
    for (let slot = 0; slot < old.flags.length; slot++) {
      const to = place(slot);
      columns.flags[to] = old.flags[slot]!;
      columns.serials[to] = old.serials[slot]!;
      columns.sentAt[to] = old.sentAt[slot]!;
      columns.deliveredThen[to] = old.deliveredThen[slot]!;
      columns.deliveredAtThen[to] = old.deliveredAtThen[slot]!;
      columns.firstSentAtThen[to] = old.firstSentAtThen[slot]!;
      columns.before[to] = placeOf(old.before[slot]!);
      columns.after[to] = placeOf(old.after[slot]!);
    }
    this.#head = placeOf(this.#head);
    this.#tail = placeOf(this.#tail);
    this.#columns = columns;
  }
}

/** By slot: its neighbours in the list, -1 for none, and what was so when its chunk went out. */
interface Columns {
  readonly after: Int32Array;
  readonly before: Int32Array;
  readonly flags: Uint8Array;
  readonly serials: Float64Array;
  readonly sentAt: Float64Array;
  readonly deliveredThen: Float64Array;
  readonly deliveredAtThen: Float64Array;
  readonly firstSentAtThen: Float64Array;
}

function columnsOf(length: number): Columns {
  return {
    after: new Int32Array(length),
    before: new Int32Array(length),
    flags: new Uint8Array(length),
    serials: new Float64Array(length),
    sentAt: new Float64Array(length),
    deliveredThen: new Float64Array(length),
    deliveredAtThen: new Float64Array(length),
    firstSentAtThen: new Float64Array(length),
  };
}
