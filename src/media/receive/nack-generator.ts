/**
 * NackGenerator: the packets of one stream that are missing, and when they are asked for (RFC 4585 §6.2.1).
 *
 *     a gap ─nackDelay, more on a path that reorders→ asked for ─round trip, nackInterval at the least→ asked for again …
 *           ─maxNacks times, or nackTimeout→ given up
 *
 * A ring with a place a number: what falls out of it unanswered is an overflow, and given up as well. Then only a keyframe helps.
 */
import type { Counters } from '../../core/counters.ts';
import type { ReceiveCounter } from './counters.ts';
import type { ReceiveSettings } from './options.ts';
import { Reordering } from './reordering.ts';

/** In place of a count of requests: the packet is not missing. In place of a number: none. */
const HERE = -1;

/** Missing packets of one stream. Numbers are unwrapped. */
export class NackGenerator {
  readonly #settings: ReceiveSettings;
  readonly #counters: Counters<ReceiveCounter>;
  readonly #reordering: Reordering;
  /** How often each was asked for. The four have a place a number once something has been missing. */
  #requests = new Int8Array(0);
  #dueAt = new Float64Array(0);
  #missingSince = new Float64Array(0);
  /** Who was last missing at each place, and has not come as it was first sent. */
  #numbers = new Float64Array(0);
  #missing = 0;
  #highest = -1;
  /** The latest of those given up since `takeGivenUp`; -1: none was. */
  #givenUp = -1;
  /** No later than the earliest that something is due; `Infinity`: nothing is missing, or `#isDue`. */
  #next = Infinity;
  #isDue = false;

  constructor(settings: ReceiveSettings, counters: Counters<ReceiveCounter>) {
    this.#settings = settings;
    this.#counters = counters;
    this.#reordering = new Reordering(settings.nackDelay, settings.maxNackDelay);
  }

  /** How many are missing. */
  get missing(): number {
    return this.#missing;
  }

  /** Requests may be due: ask `takeDue`. */
  get isDue(): boolean {
    return this.#isDue;
  }

  nextTimeout(): number {
    return this.#next;
  }

  handleTimeout(now: number): void {
    if (now < this.#next) return;
    this.#isDue = true;
    this.#next = Infinity;
  }

  /** A packet came that is the latest now; what lies between is missing, and given up where that is more than can be asked for. */
  advance(before: number, sequence: number, now: number): void {
    const { nackWindow } = this.#settings;
    // Between the two something came that was not told here: what was missing has lost its places.
    if (before !== this.#highest) this.reset();
    this.#highest = sequence;
    const gap = before < 0 ? 0 : sequence - before - 1;
    if (gap >= nackWindow) {
      this.reset();
      this.#giveUp(sequence - 1);
      this.#counters.add('nackOverflows', gap);
      return;
    }
    if (gap === 0 && this.#missing === 0) return;
    for (let next = before + 1; next <= sequence; next++) {
      if (!this.#forget(next)) continue;
      this.#giveUp(next - nackWindow);
      this.#counters.add('nackOverflows');
    }
    for (let late = before + 1; late < sequence; late++) this.#miss(late, now);
  }

  /** A packet came that is not the latest. @returns it had been asked for */
  arrive(sequence: number): boolean {
    if (!this.isMissing(sequence)) return false;
    const wasAsked = this.#requests[this.#place(sequence)]! > 0;
    this.#forget(sequence);
    return wasAsked;
  }

  /**
   * A packet came in its own stream that is not the latest: unless it was sent again there, it was not lost, and tells how long to wait
   * for others. @param hasRepairs what is sent again comes in another stream (RFC 4588)
   */
  observeLate(sequence: number, now: number, hasRepairs: boolean): void {
    if (this.#numbers.length === 0) return;
    const place = this.#place(sequence);
    if (this.#numbers[place] !== sequence) return;
    this.#numbers[place] = HERE;
    const isOriginal = hasRepairs || this.#requests[place] === 0;
    if (isOriginal) this.#reordering.observe(now - this.#missingSince[place]!, now);
  }

  isMissing(sequence: number): boolean {
    if (this.#missing === 0 || sequence > this.#highest) return false;
    if (sequence <= this.#highest - this.#settings.nackWindow) return false;
    return this.#requests[this.#place(sequence)]! !== HERE;
  }

  /** The numbers to ask for now, oldest first; those that were asked for in vain are given up. */
  takeDue(now: number, roundTripTime: number): number[] {
    const { nackWindow, nackInterval, nackTimeout, maxNacks } = this.#settings;
    const due: number[] = [];
    this.#isDue = false;
    this.#next = Infinity;
    if (this.#missing === 0) return due;
    const again = now + Math.max(roundTripTime, nackInterval);
    for (let sequence = this.#highest - nackWindow + 1; sequence < this.#highest; sequence++) {
      if (!this.isMissing(sequence)) continue;
      const place = this.#place(sequence);
      const givenUpAt = this.#missingSince[place]! + nackTimeout;
      if (this.#dueAt[place]! <= now || givenUpAt <= now) {
        if (this.#requests[place]! >= maxNacks || givenUpAt <= now) {
          this.#forget(sequence);
          this.#giveUp(sequence);
          this.#counters.add('unrecoveredPackets');
          continue;
        }
        due.push(sequence);
        this.#requests[place]!++;
        this.#dueAt[place] = again;
      }
      this.#next = Math.min(this.#next, this.#dueAt[place]!, givenUpAt);
    }
    return due;
  }

  /** The latest of those given up since it was last asked for; -1: none was. */
  takeGivenUp(): number {
    const givenUp = this.#givenUp;
    this.#givenUp = -1;
    return givenUp;
  }

  /** Everything that waits for the peer waits so much longer. */
  thaw(missed: number): void {
    this.#next += missed;
    for (let place = 0; place < this.#requests.length; place++) {
      this.#dueAt[place]! += missed;
      this.#missingSince[place]! += missed;
    }
  }

  /** Nothing is missing any more. */
  reset(): void {
    this.#requests.fill(HERE);
    this.#missing = 0;
    this.#next = Infinity;
    this.#isDue = false;
  }

  invariantViolation(): string | undefined {
    const isWaiting = this.#next !== Infinity || this.#isDue;
    if (this.#missing > 0 && !isWaiting) return 'packets are missing, and nothing will ask for them';
    const places = this.#requests.reduce((count, requests) => count + (requests === HERE ? 0 : 1), 0);
    return places === this.#missing ? undefined : `${this.#missing} packets are missing at ${places} places`;
  }

  #giveUp(sequence: number): void {
    this.#givenUp = Math.max(this.#givenUp, sequence);
  }

  #miss(sequence: number, now: number): void {
    if (this.#requests.length === 0) this.#allocate();
    const place = this.#place(sequence);
    const dueAt = now + Math.min(this.#reordering.delay(now), this.#settings.nackTimeout);
    this.#requests[place] = 0;
    this.#dueAt[place] = dueAt;
    this.#missingSince[place] = now;
    this.#numbers[place] = sequence;
    this.#missing++;
    if (!this.#isDue) this.#next = Math.min(this.#next, dueAt);
  }

  /** @returns something was missing at its place */
  #forget(sequence: number): boolean {
    if (this.#missing === 0) return false;
    const place = this.#place(sequence);
    if (this.#requests[place]! === HERE) return false;
    this.#requests[place] = HERE;
    this.#missing--;
    if (this.#missing > 0) return true;
    this.#next = Infinity;
    this.#isDue = false;
    return true;
  }

  #allocate(): void {
    const { nackWindow } = this.#settings;
    this.#requests = new Int8Array(nackWindow).fill(HERE);
    this.#dueAt = new Float64Array(nackWindow);
    this.#missingSince = new Float64Array(nackWindow);
    this.#numbers = new Float64Array(nackWindow).fill(HERE);
  }

  #place(sequence: number): number {
    return sequence % this.#settings.nackWindow;
  }
}
