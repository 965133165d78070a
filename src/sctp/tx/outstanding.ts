/**
 * Chunks that have a TSN and are not yet acknowledged cumulatively: a ring of columns indexed by position.
 *
 *   add → in flight ─ gap report → acked ─┐
 *            │  └ 3 misses / T3 → lost ─ resend → in flight        cumulative TSN passes → free
 *            └ message given up → abandoned ──────────────────────┘
 *
 * The counters (bytes in flight, chunks lost) change in `#setState` alone. A SACK costs the chunks it newly reports,
 * not the window: what was reported before is kept as intervals and skipped.
 */
import { DATA_HEADER_SIZE, padded } from '../constants.ts';
import type { MessageOutcome } from '../events.ts';
import { IntervalSet } from '../interval-set.ts';
import type { OutgoingMessage } from './send-queue.ts';

const FREE = 0;
const IN_FLIGHT = 1;
const ACKED = 2;
const LOST = 3;
const ABANDONED = 4;

/** Miss indications that make a chunk lost (RFC 9260 §7.2.4). */
const MISSES = 3;

/** Chunks outstanding at once, at the most: peers bound how far a TSN may run ahead, and gap reports reach 65535. */
export const MAX_OUTSTANDING = 16_384;

/** What a SACK brought. One object, reused. */
export interface SackOutcome {
  /** Bytes of chunks reported for the first time. */
  ackedBytes: number;
  cumulativeAdvanced: boolean;
  /** Chunks found lost by this SACK. */
  newlyLost: number;
}

/** Told of messages that end here. */
export interface OutstandingObserver {
  ended(message: OutgoingMessage, outcome: MessageOutcome): void;
}

export class Outstanding {
  /** Header of a data chunk: DATA's or I-DATA's. Set once, before the first chunk. */
  headerSize: number = DATA_HEADER_SIZE;
  /** Everything up to here is acknowledged. */
  cumulative = -1;
  /** The next position to assign. */
  next = 0;
  /** Bytes of chunks in flight, with their headers (congestion) and of user data alone (the peer's window). */
  flightBytes = 0;
  flightPayload = 0;
  /** Chunks waiting to be sent again. */
  lostCount = 0;
  /** User bytes not acknowledged cumulatively and not abandoned. */
  unackedBytes = 0;
  /** What the peer reported above the cumulative TSN. */
  readonly #reported = new IntervalSet();
  readonly #observer: OutstandingObserver;
  readonly #outcome: SackOutcome = { ackedBytes: 0, cumulativeAdvanced: false, newlyLost: 0 };
  /** Reports have been taken back since the cumulative TSN last moved: that they come again is no progress. */
  hasReneged = false;
  /** No lost chunk lies below. */
  #firstLost = 0;

  #mask = 63;
  #states = new Uint8Array(64);
  #misses = new Uint8Array(64);
  #transmissions = new Uint16Array(64);
  /** A miss counts only when something sent after the chunk's last transmission was reported: positions from here. */
  #missFrom = new Float64Array(64);
  #offsets = new Float64Array(64);
  #sizes = new Uint16Array(64);
  /** The fragment's number in its message (RFC 8260 "FSN"). */
  #fragments = new Uint32Array(64);
  #messages: (OutgoingMessage | undefined)[] = new Array<OutgoingMessage | undefined>(64);

  constructor(observer: OutstandingObserver) {
    this.#observer = observer;
  }

  /** Chunks outstanding. */
  get count(): number {
    return this.next - 1 - this.cumulative;
  }

  get isFull(): boolean {
    return this.count >= MAX_OUTSTANDING;
  }

  message(position: number): OutgoingMessage | undefined {
    return this.#messages[position & this.#mask];
  }

  offset(position: number): number {
    return this.#offsets[position & this.#mask]!;
  }

  size(position: number): number {
    return this.#sizes[position & this.#mask]!;
  }

  fragment(position: number): number {
    return this.#fragments[position & this.#mask]!;
  }

  /** True when a chunk of the message waits to be sent again. */
  hasLost(message: OutgoingMessage): boolean {
    if (this.lostCount === 0 || message.firstPosition < 0) return false;
    const first = Math.max(message.firstPosition, this.cumulative + 1);
    for (let position = first; position <= message.lastPosition; position++) {
      const i = position & this.#mask;
      if (this.#states[i] === LOST && this.#messages[i] === message) return true;
    }
    return false;
  }

  transmissions(position: number): number {
    return this.#transmissions[position & this.#mask]!;
  }

  /** What has become of the chunk's last transmission, as far as is known. */
  fate(position: number): 'unknown' | 'arrived' | 'lost' | 'abandoned' {
    if (position <= this.cumulative) return 'arrived';
    const state = this.#states[position & this.#mask];
    if (state === ACKED) return 'arrived';
    if (state === LOST) return 'lost';
    return state === ABANDONED ? 'abandoned' : 'unknown';
  }

  isAbandoned(position: number): boolean {
    return position < this.next && this.#states[position & this.#mask] === ABANDONED;
  }

  /** Gives `size` bytes of the message from `offset` on the next TSN: they are in flight. */
  add(message: OutgoingMessage, offset: number, size: number): number {
    const position = this.#append(message, offset, size);
    this.unackedBytes += size;
    this.#setState(position, IN_FLIGHT);
    this.#transmissions[position & this.#mask] = 1;
    return position;
  }

  /**
   * A TSN that is never sent and abandoned from the start: it stands for the rest of a message given up half sent, so
   * that no receiver sees the next message begin right behind an unfinished one.
   */
  addPlaceholder(message: OutgoingMessage): number {
    const position = this.#append(message, message.sent, 0);
    this.#setState(position, ABANDONED);
    return position;
  }

  /** The first chunk waiting to be sent again, -1 if there is none. */
  nextLost(): number {
    if (this.lostCount === 0) return -1;
    while (this.#states[this.#firstLost & this.#mask] !== LOST) this.#firstLost++;
    return this.#firstLost;
  }

  /** The chunk is being sent again. */
  resend(position: number): void {
    const i = position & this.#mask;
    this.#setState(position, IN_FLIGHT);
    this.#misses[i] = 0;
    this.#missFrom[i] = this.next;
    if (this.#transmissions[i]! < 0xffff) this.#transmissions[i]!++;
  }

  /** The message is given up: its chunks count neither as in flight nor as lost. */
  abandon(message: OutgoingMessage): void {
    const first = Math.max(message.firstPosition, this.cumulative + 1);
    for (let position = first; position <= message.lastPosition; position++) {
      const i = position & this.#mask;
      // With interleaving other messages' chunks lie between.
      if (this.#messages[i] !== message || this.#states[i] === ABANDONED) continue;
      this.unackedBytes -= this.#sizes[i]!;
      this.#setState(position, ABANDONED);
    }
  }

  /** T3 expired: everything in flight counts as lost (RFC 9260 §6.3.3 E3). */
  loseAll(): void {
    for (let position = this.cumulative + 1; position < this.next; position++) {
      if (this.#states[position & this.#mask] === IN_FLIGHT) this.#lose(position);
    }
  }

  /**
   * Applies a SACK whose cumulative position lies in [cumulative, next). `blocks` are distances from it, ascending.
   * `undefined`, and nothing has changed, when they report what was never sent.
   * @param recovering fast recovery: with it every missing chunk below the highest reported gets a miss (§7.2.4).
   */
  handleSack(
    cumulative: number,
    blocks: readonly number[],
    recovering: boolean,
  ): Readonly<SackOutcome> | undefined {
    if (cumulative + (blocks.at(-1) ?? 0) >= this.next) return undefined;
    const outcome = this.#outcome;
    outcome.ackedBytes = 0;
    outcome.newlyLost = 0;
    outcome.cumulativeAdvanced = cumulative > this.cumulative;
    if (outcome.cumulativeAdvanced) {
      this.hasReneged = false;
      this.#advance(cumulative);
    }
    let highest = -1;
    for (let i = 0; i < blocks.length; i += 2) {
      highest = Math.max(highest, this.#report(cumulative + blocks[i]!, cumulative + blocks[i + 1]!));
    }
    if (recovering && outcome.cumulativeAdvanced) highest = Math.max(highest, this.#reported.highest);
    if (highest > this.cumulative) this.#countMisses(highest);
    // The chunk the peer waits for was reported before: it has reneged (RFC 9260 §6.2.1 iv, §6.2.1.D.iii).
    if (this.count > 0 && this.#states[(this.cumulative + 1) & this.#mask] === ACKED) this.#forgetReports();
    return outcome;
  }

  clear(): void {
    for (let position = this.cumulative + 1; position < this.next; position++) {
      const message = this.message(position);
      this.#free(position);
      if (message !== undefined && message.outcome === undefined) this.#observer.ended(message, 'discarded');
    }
    this.cumulative = this.next - 1;
    this.unackedBytes = 0;
    this.#reported.clear();
  }

  #append(message: OutgoingMessage, offset: number, size: number): number {
    if (this.count > this.#mask) this.#grow();
    const position = this.next++;
    const i = position & this.#mask;
    this.#messages[i] = message;
    this.#offsets[i] = offset;
    this.#sizes[i] = size;
    this.#misses[i] = 0;
    this.#missFrom[i] = position + 1;
    this.#transmissions[i] = 0;
    this.#fragments[i] = message.fragments;
    if (message.firstPosition < 0) message.firstPosition = position;
    message.lastPosition = position;
    return position;
  }

  #advance(cumulative: number): void {
    for (let position = this.cumulative + 1; position <= cumulative; position++) {
      const state = this.#states[position & this.#mask];
      const size = this.#sizes[position & this.#mask]!;
      if (state !== ABANDONED) this.unackedBytes -= size;
      if (state === IN_FLIGHT || state === LOST) this.#outcome.ackedBytes += this.#wireSize(size);
      const message = this.message(position);
      this.#free(position);
      // A message is acknowledged when its last chunk is, cumulatively: a gap report may be taken back.
      if (message?.lastPosition === position && state !== ABANDONED && message.sent === message.length) {
        this.#observer.ended(message, 'acknowledged');
      }
    }
    this.cumulative = cumulative;
    this.#reported.removeThrough(cumulative);
    if (this.#firstLost <= cumulative) this.#firstLost = cumulative + 1;
  }

  /** Notes [first, last] as reported; the highest position that is news, -1 if nothing is. */
  #report(first: number, last: number): number {
    let highest = -1;
    let position = this.#reported.nextMissing(first);
    while (position <= last) {
      const state = this.#states[position & this.#mask];
      if (state === IN_FLIGHT || state === LOST) {
        this.#outcome.ackedBytes += this.#wireSize(this.#sizes[position & this.#mask]!);
        this.#setState(position, ACKED);
      }
      highest = position;
      position = this.#reported.nextMissing(position + 1);
    }
    if (highest >= 0) this.#reported.add(first, last);
    return highest;
  }

  /** RFC 9260 §7.2.4: a chunk below the highest newly reported one is missed once more. */
  #countMisses(highest: number): void {
    let position = this.#reported.nextMissing(this.cumulative + 1);
    while (position < highest) {
      const i = position & this.#mask;
      if (this.#states[i] === IN_FLIGHT && this.#missFrom[i]! <= highest) {
        this.#misses[i]!++;
        if (this.#misses[i]! >= MISSES) {
          this.#lose(position);
          this.#outcome.newlyLost++;
        }
      }
      position = this.#reported.nextMissing(position + 1);
    }
  }

  #forgetReports(): void {
    this.hasReneged = true;
    this.#reported.clear();
    for (let position = this.cumulative + 1; position < this.next; position++) {
      if (this.#states[position & this.#mask] === ACKED) this.#lose(position);
    }
  }

  #lose(position: number): void {
    this.#setState(position, LOST);
    if (position < this.#firstLost) this.#firstLost = position;
  }

  #free(position: number): void {
    this.#setState(position, FREE);
    this.#messages[position & this.#mask] = undefined;
  }

  #setState(position: number, state: number): void {
    const i = position & this.#mask;
    const before = this.#states[i]!;
    if (before === state) return;
    const size = this.#sizes[i]!;
    if (before === IN_FLIGHT) {
      this.flightBytes -= this.#wireSize(size);
      this.flightPayload -= size;
    } else if (before === LOST) {
      this.lostCount--;
    }
    if (state === IN_FLIGHT) {
      this.flightBytes += this.#wireSize(size);
      this.flightPayload += size;
    } else if (state === LOST) {
      this.lostCount++;
    }
    this.#states[i] = state;
  }

  #wireSize(payload: number): number {
    return this.headerSize + padded(payload);
  }

  // The ring's length stays a power of two, so that an index is a mask.
  #grow(): void {
    const oldMask = this.#mask;
    const length = (oldMask + 1) * 2;
    const old = {
      states: this.#states,
      misses: this.#misses,
      transmissions: this.#transmissions,
      missFrom: this.#missFrom,
      offsets: this.#offsets,
      sizes: this.#sizes,
      fragments: this.#fragments,
      messages: this.#messages,
    };
    this.#mask = length - 1;
    this.#states = new Uint8Array(length);
    this.#misses = new Uint8Array(length);
    this.#transmissions = new Uint16Array(length);
    this.#missFrom = new Float64Array(length);
    this.#offsets = new Float64Array(length);
    this.#sizes = new Uint16Array(length);
    this.#fragments = new Uint32Array(length);
    this.#messages = new Array<OutgoingMessage | undefined>(length);
    for (let position = this.cumulative + 1; position < this.next; position++) {
      const from = position & oldMask;
      const to = position & this.#mask;
      this.#states[to] = old.states[from]!;
      this.#misses[to] = old.misses[from]!;
      this.#transmissions[to] = old.transmissions[from]!;
      this.#missFrom[to] = old.missFrom[from]!;
      this.#offsets[to] = old.offsets[from]!;
      this.#sizes[to] = old.sizes[from]!;
      this.#fragments[to] = old.fragments[from]!;
      this.#messages[to] = old.messages[from];
    }
  }
}
