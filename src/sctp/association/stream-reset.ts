/**
 * Stream reset (RFC 6525): both sides of the outgoing SSN reset, the one that data channels close with.
 *
 *   ours:    requested → its queue has drained → request in flight (one at a time, several streams) → response
 *   theirs:  request → performed, or "in progress" until everything up to its last TSN has arrived
 *
 * A request keeps its sequence number however often it is sent, and an answer is given again for the same number. So a
 * request that nobody waits for any more (`giveUp`) goes on asking: the peer takes no other number before that one.
 */
import type { Bytes } from '../../core/bytes.ts';
import { add32, after32 } from '../../core/serial.ts';
import { RESET_RESULT } from '../constants.ts';
import type { OutgoingResetRequest } from '../packet/reconfig.ts';
import { encodeOutgoingReset } from '../packet/reconfig.ts';
import type { SendQueue } from '../tx/send-queue.ts';

/** Streams of one request, at the most: the chunk stays well below any packet's size. */
const MAX_STREAMS_PER_REQUEST = 200;

interface RequestInFlight {
  readonly sequence: number;
  readonly streams: readonly number[];
  /** Our last TSN assigned when the request was made. */
  readonly lastTsn: number;
}

/** What a response means for our request; `stray`: it answers another one. */
export type ResetAnswer = 'performed' | 'denied' | 'in-progress' | 'stray';

/** Our requests. */
export class OutgoingResets {
  /** Streams have been asked for and not answered. */
  isPending = false;
  /** Streams asked for and not yet part of a request. */
  readonly #waiting = new Set<number>();
  #current: RequestInFlight | undefined;
  /** Streams whose answer is no longer waited for. It may still come. */
  readonly #overdue = new Set<number>();
  #nextSequence: number;
  /** `drains` of the queue when it was last asked which streams have drained, -1 if that has to be asked anew; and the answers. */
  #plannedAt = -1;
  #awaitedAt = -1;
  #isAwaited = false;

  /** @param initialTsn ours: request sequence numbers start there (RFC 6525 §4.1). */
  constructor(initialTsn: number) {
    this.#nextSequence = initialTsn;
  }

  /** The streams of the request in flight. */
  get streams(): readonly number[] {
    return this.#current?.streams ?? [];
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get inFlight(): boolean {
    return this.#current !== undefined;
  }

  /** The request in flight is repeated for the peer's sake alone. */
  get isOverdue(): boolean {
    return this.streams.some((id) => this.#overdue.has(id));
  }

  /** True while somebody waits for an answer: of the request in flight, or of one that stands behind an overdue one. */
  awaitsAnswer(queue: SendQueue): boolean {
    if (this.#current === undefined) return false;
    if (!this.isOverdue) return true;
    // This runs after every packet: the peer must not make us go through all waiting streams each time.
    if (this.#awaitedAt !== queue.drains) {
      this.#awaitedAt = queue.drains;
      this.#isAwaited = this.#awaited(queue).length > 0;
    }
    return this.#isAwaited;
  }

  request(streamId: number, queue: SendQueue): void {
    if (this.#waiting.has(streamId) || this.streams.includes(streamId)) return;
    this.#waiting.add(streamId);
    this.isPending = true;
    queue.drainForReset(streamId);
  }

  /** Makes a request of the waiting streams that have drained; true when there is a new one. */
  plan(queue: SendQueue, lastTsn: number): boolean {
    if (this.#current !== undefined || this.#waiting.size === 0) return false;
    if (this.#plannedAt === queue.drains) return false;
    this.#plannedAt = queue.drains;
    const streams: number[] = [];
    for (const id of this.#waiting) {
      if (streams.length === MAX_STREAMS_PER_REQUEST) break;
      if (queue.isDrained(id)) streams.push(id);
    }
    if (streams.length === 0) return false;
    for (const id of streams) {
      this.#waiting.delete(id);
      queue.pause(id);
    }
    // There may be more that have drained: they are the next request's.
    this.#plannedAt = -1;
    this.#awaitedAt = -1;
    this.#current = { sequence: this.#nextSequence, streams, lastTsn };
    this.#nextSequence = add32(this.#nextSequence, 1);
    return true;
  }

  /** @param responseSequence the peer's last request we have seen. */
  encode(responseSequence: number): Bytes | undefined {
    const current = this.#current;
    return current === undefined ? undefined : encodeOutgoingReset({ ...current, responseSequence });
  }

  handleResponse(sequence: number, result: number): ResetAnswer {
    if (this.#current?.sequence !== sequence) return 'stray';
    switch (result) {
      case RESET_RESULT.nothingToDo:
      case RESET_RESULT.performed:
        return 'performed';
      case RESET_RESULT.inProgress:
      case RESET_RESULT.alreadyInProgress:
        return 'in-progress';
      default:
        return 'denied';
    }
  }

  /** The request in flight has been answered; its streams. */
  finish(): readonly number[] {
    const streams = this.streams;
    this.#current = undefined;
    this.isPending = this.#waiting.size > 0;
    for (const id of streams) this.#overdue.delete(id);
    return streams;
  }

  /** Nobody waits for the answer any longer; the streams that did. */
  giveUp(queue: SendQueue): readonly number[] {
    const streams = this.#awaited(queue);
    for (const id of streams) this.#overdue.add(id);
    this.#awaitedAt = -1;
    return streams;
  }

  clear(): void {
    this.isPending = false;
    this.#current = undefined;
    this.#waiting.clear();
    this.#overdue.clear();
  }

  #awaited(queue: SendQueue): readonly number[] {
    if (!this.isOverdue) return this.streams;
    return [...this.#waiting].filter((id) => queue.isDrained(id) && !this.#overdue.has(id));
  }
}

/** `stale`: an earlier one, repeated by its sender and overtaken on the way. */
export type RequestVerdict = 'new' | 'again' | 'stale' | 'bad-sequence';

/** The peer's requests: only their sequence lives here, the streams are the receiver's. */
export class IncomingResets {
  /** The request that must come next. */
  #expected: number;
  #lastResult: number = RESET_RESULT.nothingToDo;
  /** The request that waits for TSNs, to be answered as soon as they are here. */
  deferred: OutgoingResetRequest | undefined;

  /** @param initialTsn the peer's: its request sequence numbers start there. */
  constructor(initialTsn: number) {
    this.#expected = initialTsn;
  }

  /** The last request seen, as our own requests report it. */
  get lastSequence(): number {
    return add32(this.#expected, -1);
  }

  judge(sequence: number): RequestVerdict {
    if (sequence === this.#expected) return 'new';
    if (sequence === this.lastSequence) return 'again';
    return after32(this.#expected, sequence) ? 'stale' : 'bad-sequence';
  }

  /** The request counts as seen, with this result. */
  conclude(sequence: number, result: number): void {
    this.#expected = add32(sequence, 1);
    this.#lastResult = result;
    this.deferred = undefined;
  }

  defer(request: OutgoingResetRequest): void {
    this.conclude(request.sequence, RESET_RESULT.inProgress);
    this.deferred = request;
  }

  /** The result of the last request, should the peer repeat it. */
  get lastResult(): number {
    return this.#lastResult;
  }

  /** What was deferred has been performed; the sequence number to answer. */
  performDeferred(): number {
    const sequence = this.deferred?.sequence ?? this.lastSequence;
    this.conclude(sequence, RESET_RESULT.performed);
    return sequence;
  }
}
