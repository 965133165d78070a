/**
 * Chunks that have a TSN and are not yet acknowledged cumulatively: a ring of columns indexed by position.
 *
 *   add → in flight ─ gap report → acked ─┐
 *            │  └ overtaken and overdue / T3 → lost ─ resend → in flight      cumulative TSN passes → free
 *            └ message given up → abandoned ──────────────────────┘
 *
 * The counters (bytes in flight, chunks lost) change in `#setState` alone. A SACK costs the chunks it newly reports and
 * those it finds lost, not the window: what was reported before is skipped (`Reports`), what is in flight stands in the
 * order of sending (`Transmissions`), what is lost in that of its positions (`LostPositions`), and the chunks of a message lead
 * from each to the one before.
 */
import { DATA_HEADER_SIZE, padded } from '../constants.ts';
import type { MessageOutcome } from '../events.ts';
import { LostPositions } from './lost-positions.ts';
import { Reports } from './reports.ts';
import type { OutgoingMessage } from './send-queue.ts';
import { Transmissions } from './transmissions.ts';

const FREE = 0;
const IN_FLIGHT = 1;
const ACKED = 2;
const LOST = 3;
const ABANDONED = 4;
/** Abandoned because it was lost. */
const ABANDONED_LOST = 5;

/**
 * Chunks reported above the cumulative TSN from which a missing one is lost at once, while nothing has been seen to overtake
 * (RFC 9260 §7.2.4; RFC 8985 §6.2, step 4).
 */
const MISSES = 3;

/**
 * Chunks whose report one SACK can take back, at the most: each costs its sending, and the next SACK takes back what is left. So
 * a peer that takes reports back without end costs what it says, not what is outstanding.
 */
const MAX_TAKEN_BACK = 16;

/** Columns begin with so many places: a power of two. */
const INITIAL_LENGTH = 16;

/** Chunks outstanding at once, at the most: peers bound how far a TSN may run ahead, and gap reports reach 65535. */
export const MAX_OUTSTANDING = 16_384;

/** What a SACK brought. One object, reused. */
export interface SackOutcome {
  /** Bytes of chunks reported for the first time. */
  ackedBytes: number;
  cumulativeAdvanced: boolean;
}

/** Chunks found lost at once. One object, reused. */
export interface Losses {
  chunks: number;
  /** With their headers. */
  bytes: number;
}

/** Told of messages that end here, and of those of which a chunk is to be sent again: they may be given up in that call. */
export interface OutstandingObserver {
  ended(message: OutgoingMessage, outcome: MessageOutcome): void;
  lost(message: OutgoingMessage, transmissions: number, now: number): void;
}

/** The chunks of one association that are outstanding. */
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
  /** Chunks given up that the cumulative TSN has not passed yet. */
  abandonedCount = 0;
  /** User bytes not acknowledged cumulatively and not abandoned. */
  unackedBytes = 0;
  /** What was sent when. */
  readonly sent: Transmissions = new Transmissions(INITIAL_LENGTH);
  /** Chunks the peer has reported above the cumulative TSN. */
  #ackedCount = 0;
  /** The highest position that was ever acknowledged. */
  #highestAcked = -1;
  /** What the peer reported above the cumulative TSN. */
  readonly #reported = new Reports(INITIAL_LENGTH);
  readonly #lost = new LostPositions();
  readonly #observer: OutstandingObserver;
  readonly #outcome: SackOutcome = { ackedBytes: 0, cumulativeAdvanced: false };
  readonly #losses: Losses = { chunks: 0, bytes: 0 };
  /** Reports have been taken back since the cumulative TSN last moved: that they come again is no progress. */
  hasReneged = false;
  /** No report was ever taken back: what the peer has reported, it has. */
  trustsReports = true;

  #mask: number = INITIAL_LENGTH - 1;
  #columns: Columns = columnsOf(INITIAL_LENGTH);
  #messages: (OutgoingMessage | undefined)[] = new Array<OutgoingMessage | undefined>(INITIAL_LENGTH);

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
    return this.#columns.offsets[position & this.#mask]!;
  }

  size(position: number): number {
    return this.#columns.sizes[position & this.#mask]!;
  }

  fragment(position: number): number {
    return this.#columns.fragments[position & this.#mask]!;
  }

  /** True when a chunk of the message waits to be sent again. */
  hasLost(message: OutgoingMessage): boolean {
    if (this.lostCount === 0) return false;
    for (let at = message.lastPosition; at > this.cumulative; at = this.#previous(at)) {
      if (this.#columns.states[at & this.#mask] === LOST) return true;
    }
    return false;
  }

  transmissions(position: number): number {
    return this.#columns.transmissions[position & this.#mask]!;
  }

  /** What has become of the chunk's last transmission, as far as is known. */
  fate(position: number): 'unknown' | 'arrived' | 'lost' | 'abandoned' {
    if (position <= this.cumulative) return 'arrived';
    const state = this.#columns.states[position & this.#mask];
    if (state === ACKED) return 'arrived';
    if (state === LOST) return 'lost';
    if (state === ABANDONED_LOST) return 'lost';
    return state === ABANDONED ? 'abandoned' : 'unknown';
  }

  isAbandoned(position: number): boolean {
    return position < this.next && this.#columns.states[position & this.#mask]! >= ABANDONED;
  }

  /** The peer has reported the chunk, above the cumulative TSN. */
  isReported(position: number): boolean {
    return position < this.next && this.#columns.states[position & this.#mask] === ACKED;
  }

  /**
   * Gives `size` bytes of the message from `offset` on the next TSN: they are in flight. `fresh`: `now` is known to be now.
   */
  add(message: OutgoingMessage, offset: number, size: number, now: number, fresh: boolean): number {
    const position = this.#append(message, offset, size);
    this.unackedBytes += size;
    this.#fly(position, now, fresh);
    this.#columns.transmissions[position & this.#mask] = 1;
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
    for (let lowest = this.#lost.lowest; lowest !== undefined; lowest = this.#lost.lowest) {
      if (lowest > this.cumulative && this.#columns.states[lowest & this.#mask] === LOST) return lowest;
      this.#dropLowestLost(lowest);
    }
    return -1;
  }

  /** The chunk is being sent again. */
  resend(position: number, now: number, fresh: boolean): void {
    const i = position & this.#mask;
    this.#fly(position, now, fresh);
    if (this.#columns.transmissions[i]! < 0xffff) this.#columns.transmissions[i]!++;
  }

  /** The message is given up: its chunks count neither as in flight nor as lost. */
  abandon(message: OutgoingMessage): void {
    for (let at = message.lastPosition; at > this.cumulative; at = this.#previous(at)) {
      const state = this.#columns.states[at & this.#mask]!;
      if (state >= ABANDONED) continue;
      this.unackedBytes -= this.#columns.sizes[at & this.#mask]!;
      this.#setState(at, state === LOST ? ABANDONED_LOST : ABANDONED);
    }
  }

  /** T3 expired: everything in flight counts as lost (RFC 9260 §6.3.3 E3). */
  loseAll(now: number): void {
    for (let position = this.cumulative + 1; position < this.next; position++) {
      if (this.#columns.states[position & this.#mask] === IN_FLIGHT) this.#lose(position, now);
    }
  }

  /** RFC 8985 §7.3: the chunk sent last is to be sent again, if its message may be; false if not. */
  loseLast(now: number): boolean {
    const slot = this.sent.last;
    const message = slot < 0 ? undefined : this.#messages[slot];
    if (message === undefined || this.#columns.transmissions[slot]! > message.maxRetransmits) return false;
    this.#lose(this.#positionOf(slot), now);
    return true;
  }

  /**
   * Applies a SACK whose cumulative position lies in [cumulative, next). `blocks` are distances from it, ascending.
   * `undefined`, and nothing has changed, when they report what was never sent. `sent` has its sample afterwards.
   */
  handleSack(cumulative: number, blocks: readonly number[], now: number): Readonly<SackOutcome> | undefined {
    if (cumulative + (blocks.at(-1) ?? 0) >= this.next) return undefined;
    const outcome = this.#outcome;
    outcome.ackedBytes = 0;
    outcome.cumulativeAdvanced = cumulative > this.cumulative;
    this.sent.beginSack();
    if (outcome.cumulativeAdvanced) {
      this.hasReneged = false;
      this.#advance(cumulative, now);
    }
    for (let i = 0; i < blocks.length; i += 2) {
      this.#report(cumulative + blocks[i]!, cumulative + blocks[i + 1]!, now);
    }
    this.sent.endSack(now);
    // The chunk the peer waits for was reported before: it has reneged (RFC 9260 §6.2.1 iv, §6.2.1.D.iii).
    if (this.isReported(this.cumulative + 1)) this.#takeBackReports(now);
    return outcome;
  }

  /**
   * Finds what is lost by `now` (RFC 8985 §6.2): sent before something that was acknowledged, and later than it by
   * `reorderingWindow` milliseconds; by nothing at all while nothing was ever seen to overtake and three chunks tell of
   * the gap, or `recovering`.
   */
  detectLosses(now: number, reorderingWindow: number, recovering: boolean): Readonly<Losses> {
    const losses = this.#losses;
    losses.chunks = 0;
    losses.bytes = 0;
    const patience = this.#patience(reorderingWindow, recovering);
    for (let slot = this.sent.overdue(now, patience); slot >= 0; slot = this.sent.overdue(now, patience)) {
      losses.chunks++;
      losses.bytes += this.#wireSize(this.#columns.sizes[slot]!);
      this.#lose(this.#positionOf(slot), now);
    }
    return losses;
  }

  /** When `detectLosses` will find the next one if no SACK comes; Infinity: not by time. */
  nextLossAt(reorderingWindow: number, recovering: boolean): number {
    return this.sent.overdueAt(this.#patience(reorderingWindow, recovering));
  }

  clear(): void {
    for (let position = this.cumulative + 1; position < this.next; position++) {
      const message = this.message(position);
      this.#free(position);
      if (message !== undefined && message.outcome === undefined) this.#observer.ended(message, 'discarded');
    }
    this.cumulative = this.next - 1;
    this.unackedBytes = 0;
    this.#lost.clear();
  }

  #append(message: OutgoingMessage, offset: number, size: number): number {
    if (this.count > this.#mask) this.#grow();
    const position = this.next++;
    const i = position & this.#mask;
    this.#messages[i] = message;
    this.#columns.offsets[i] = offset;
    this.#columns.sizes[i] = size;
    this.#columns.transmissions[i] = 0;
    this.#columns.fragments[i] = message.fragments;
    this.#columns.listed[i] = 0;
    this.#columns.back[i] = message.lastPosition < 0 ? 0 : position - message.lastPosition;
    message.lastPosition = position;
    message.awaited++;
    return position;
  }

  /** The chunk of the same message before this one, -1 if it is the first. */
  #previous(position: number): number {
    const back = this.#columns.back[position & this.#mask]!;
    return back === 0 ? -1 : position - back;
  }

  #fly(position: number, now: number, fresh: boolean): void {
    const isFirst = this.flightBytes === 0;
    this.#setState(position, IN_FLIGHT);
    this.sent.record(position & this.#mask, now, fresh, isFirst);
  }

  #advance(cumulative: number, now: number): void {
    for (let position = this.cumulative + 1; position <= cumulative; position++) {
      const state = this.#columns.states[position & this.#mask]!;
      const size = this.#columns.sizes[position & this.#mask]!;
      const isGivenUp = state >= ABANDONED;
      if (!isGivenUp) this.unackedBytes -= size;
      if (state === IN_FLIGHT || state === LOST) this.#acknowledge(position, now);
      const message = this.message(position);
      this.#free(position);
      // A message is acknowledged when its last chunk is, cumulatively: a gap report may be taken back.
      if (message?.lastPosition === position && !isGivenUp && message.sent === message.length) {
        this.#observer.ended(message, 'acknowledged');
      }
    }
    this.cumulative = cumulative;
  }

  /** Notes [first, last] as reported. */
  #report(first: number, last: number, now: number): void {
    for (let at = this.#missing(first); at <= last; at = this.#missing(at + 1)) {
      const state = this.#columns.states[at & this.#mask];
      if (state === IN_FLIGHT || state === LOST) {
        this.#acknowledge(at, now);
        this.#setState(at, ACKED);
      } else if (state === ABANDONED_LOST) {
        this.sent.noteLate();
      }
      this.#reported.add(at);
    }
  }

  #missing(from: number): number {
    return this.#reported.nextMissing(from, this.next);
  }

  #acknowledge(position: number, now: number): void {
    const i = position & this.#mask;
    const bytes = this.#wireSize(this.#columns.sizes[i]!);
    this.#outcome.ackedBytes += bytes;
    const message = this.#messages[i];
    if (message !== undefined) message.awaited--;
    this.sent.acknowledged(i, bytes, now, this.#columns.transmissions[i]! > 1, position < this.#highestAcked);
    this.#highestAcked = Math.max(this.#highestAcked, position);
  }

  #patience(reorderingWindow: number, recovering: boolean): number {
    const isOrderTrusted = this.sent.reorderingQuarters === 0 && (recovering || this.#ackedCount >= MISSES);
    return isOrderTrusted ? 0 : reorderingWindow;
  }

  #positionOf(slot: number): number {
    const first = this.cumulative + 1;
    return first + ((slot - first) & this.#mask);
  }

  #takeBackReports(now: number): void {
    this.hasReneged = true;
    this.trustsReports = false;
    const end = Math.min(this.cumulative + 1 + MAX_TAKEN_BACK, this.next);
    for (let position = this.cumulative + 1; position < end; position++) {
      this.#reported.remove(position);
      if (!this.isReported(position)) continue;
      const message = this.message(position);
      if (message !== undefined) message.awaited++;
      this.#lose(position, now);
    }
  }

  #lose(position: number, now: number): void {
    const i = position & this.#mask;
    if (this.lostCount === 0) this.#forgetLost();
    this.#setState(position, LOST);
    if (this.#columns.listed[i] === 0) {
      this.#columns.listed[i] = 1;
      this.#lost.push(position);
    }
    const message = this.#messages[i];
    if (message !== undefined) this.#observer.lost(message, this.#columns.transmissions[i]!, now);
  }

  /** What stands in the heap is lost no more. */
  #forgetLost(): void {
    for (let lowest = this.#lost.lowest; lowest !== undefined; lowest = this.#lost.lowest) {
      this.#dropLowestLost(lowest);
    }
  }

  #dropLowestLost(lowest: number): void {
    this.#lost.pop();
    // Below, another position has the slot.
    if (lowest > this.cumulative) this.#columns.listed[lowest & this.#mask] = 0;
  }

  #free(position: number): void {
    this.#setState(position, FREE);
    this.#reported.remove(position);
    this.#messages[position & this.#mask] = undefined;
  }

  #setState(position: number, state: number): void {
    const i = position & this.#mask;
    const before = this.#columns.states[i]!;
    if (before === state) return;
    const size = this.#columns.sizes[i]!;
    if (before === IN_FLIGHT) {
      this.flightBytes -= this.#wireSize(size);
      this.flightPayload -= size;
      this.sent.unlink(i);
    } else if (before === ACKED) {
      this.#ackedCount--;
    } else if (before === LOST) {
      this.lostCount--;
    } else if (before >= ABANDONED) {
      this.abandonedCount--;
    }
    if (state === IN_FLIGHT) {
      this.flightBytes += this.#wireSize(size);
      this.flightPayload += size;
    } else if (state === LOST) {
      this.lostCount++;
    } else if (state === ACKED) {
      this.#ackedCount++;
    } else if (state >= ABANDONED) {
      this.abandonedCount++;
    }
    this.#columns.states[i] = state;
  }

  #wireSize(payload: number): number {
    return this.headerSize + padded(payload);
  }

  // The ring's length stays a power of two, so that an index is a mask.
  #grow(): void {
    const oldMask = this.#mask;
    const length = (oldMask + 1) * 2;
    const old = this.#columns;
    const oldMessages = this.#messages;
    const columns = columnsOf(length);
    this.#mask = length - 1;
    this.#messages = new Array<OutgoingMessage | undefined>(length);
    for (let position = this.cumulative + 1; position < this.next; position++) {
      const from = position & oldMask;
      const to = position & this.#mask;
      columns.states[to] = old.states[from]!;
      columns.transmissions[to] = old.transmissions[from]!;
      columns.offsets[to] = old.offsets[from]!;
      columns.sizes[to] = old.sizes[from]!;
      columns.fragments[to] = old.fragments[from]!;
      columns.listed[to] = old.listed[from]!;
      columns.back[to] = old.back[from]!;
      this.#messages[to] = oldMessages[from];
    }
    this.#columns = columns;
    const first = this.cumulative + 1;
    this.#reported.grow(first, this.next - 1);
    this.sent.grow(length, (slot) => (first + ((slot - first) & oldMask)) & this.#mask);
  }
}

/** By position, modulo the ring's length. */
interface Columns {
  readonly states: Uint8Array;
  readonly transmissions: Uint16Array;
  readonly offsets: Float64Array;
  readonly sizes: Uint16Array;
  /** The fragment's number in its message (RFC 8260 "FSN"). */
  readonly fragments: Uint32Array;
  /** 1: it stands in the heap of lost ones. */
  readonly listed: Uint8Array;
  /** Positions back to the chunk of the same message before; 0: it is the first. */
  readonly back: Uint32Array;
}

function columnsOf(length: number): Columns {
  return {
    states: new Uint8Array(length),
    transmissions: new Uint16Array(length),
    offsets: new Float64Array(length),
    sizes: new Uint16Array(length),
    fragments: new Uint32Array(length),
    listed: new Uint8Array(length),
    back: new Uint32Array(length),
  };
}
