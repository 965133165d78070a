/**
 * Messages that have been accepted and not yet put into a packet as a whole, one queue a stream, streams taking turns
 * message by message.
 *
 *   enqueue → (its stream's turn) → current → take() fragment by fragment → gone; the next stream's turn
 *
 * Without interleaving a message that was started must end before any other starts (RFC 9260 §6.9), so there is at
 * most one current message. A stream being reset is first `draining` (what was queued before goes out), then `paused`
 * (what came after waits for the answer).
 */
import type { Bytes } from '../../core/bytes.ts';
import { BoundedQueue } from '../../core/queue.ts';

export interface OutgoingMessage {
  readonly streamId: number;
  readonly ppid: number;
  readonly data: Bytes;
  readonly unordered: boolean;
  /** Infinity: reliable. */
  readonly maxRetransmits: number;
  /** Milliseconds from `send`; Infinity: reliable. */
  readonly lifetime: number;
  /** Absolute; Infinity while `send` was called without a fresh time. */
  expiresAt: number;
  /** Assigned with the first fragment. */
  ssn: number;
  /** Bytes that have been given a TSN. */
  sent: number;
  /** Positions of its first and last chunk so far; -1 before the first. */
  firstPosition: number;
  lastPosition: number;
}

type Phase = 'open' | 'draining' | 'paused';

interface OutgoingStream {
  readonly id: number;
  readonly queue: BoundedQueue<OutgoingMessage>;
  /** Messages behind a reset, in order. */
  readonly behindReset: OutgoingMessage[];
  phase: Phase;
  nextSsn: number;
  buffered: number;
  lowThreshold: number;
  /** True while the stream stands in the queue of those whose turn will come. */
  waiting: boolean;
}

/** Tells of a stream whose buffered bytes fell to its threshold, and of messages that ran out of time unsent. */
export interface SendQueueObserver {
  bufferedAmountLow(streamId: number): void;
  expired(): void;
}

export class SendQueue {
  /** Bytes accepted and not yet in a packet, over all streams. */
  bufferedBytes = 0;
  readonly #streams = new Map<number, OutgoingStream>();
  // Bounded by the send buffer: every entry is a stream with a message.
  readonly #turns = new BoundedQueue<OutgoingStream>(Infinity);
  #current: OutgoingStream | undefined;
  readonly #observer: SendQueueObserver;

  constructor(observer: SendQueueObserver) {
    this.#observer = observer;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  bufferedAmount(streamId: number): number {
    return this.#streams.get(streamId)?.buffered ?? 0;
  }

  setLowThreshold(streamId: number, threshold: number): void {
    this.#stream(streamId).lowThreshold = threshold;
  }

  enqueue(message: OutgoingMessage): void {
    const stream = this.#stream(message.streamId);
    stream.buffered += message.data.length;
    this.bufferedBytes += message.data.length;
    if (stream.phase === 'open') {
      stream.queue.push(message);
      this.#awaitTurn(stream);
    } else {
      stream.behindReset.push(message);
    }
  }

  /** The message whose next fragment is to be sent. Messages that ran out of time before their first chunk go here. */
  head(now: number): OutgoingMessage | undefined {
    for (;;) {
      const stream = (this.#current ??= this.#turns.shift());
      if (stream === undefined) return undefined;
      stream.waiting = false;
      const message = stream.queue.peek();
      if (message === undefined) {
        this.#current = undefined;
      } else if (message.sent === 0 && message.expiresAt <= now) {
        stream.queue.shift();
        this.#observer.expired();
        this.#decrease(stream, message.data.length);
        this.#endTurn(stream);
      } else {
        return message;
      }
    }
  }

  /** `bytes` of the head have been given a TSN. The first fragment takes the stream's next SSN. */
  take(message: OutgoingMessage, bytes: number): void {
    const stream = this.#stream(message.streamId);
    if (message.sent === 0 && !message.unordered) {
      message.ssn = stream.nextSsn;
      stream.nextSsn = (stream.nextSsn + 1) & 0xffff;
    }
    message.sent += bytes;
    if (message.sent === message.data.length) {
      stream.queue.shift();
      this.#endTurn(stream);
    }
    this.#decrease(stream, bytes);
  }

  /** Gives up the rest of the head, which has been started; the bytes that will not be sent. */
  abandonRest(message: OutgoingMessage): number {
    const rest = message.data.length - message.sent;
    if (rest === 0) return 0;
    const stream = this.#stream(message.streamId);
    stream.queue.shift();
    this.#endTurn(stream);
    this.#decrease(stream, rest);
    return rest;
  }

  /** Drops the stream's messages that have not been started; the bytes dropped. */
  discard(streamId: number): number {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return 0;
    const started = this.#current === stream && (stream.queue.peek()?.sent ?? 0) > 0;
    const head = started ? stream.queue.shift() : undefined;
    stream.queue.clear();
    stream.behindReset.length = 0;
    if (head !== undefined) stream.queue.push(head);
    const kept = head === undefined ? 0 : head.data.length - head.sent;
    const dropped = stream.buffered - kept;
    this.#decrease(stream, dropped);
    return dropped;
  }

  /** RFC 6525 §5.1.1: what comes from now on belongs behind the reset. */
  drainForReset(streamId: number): void {
    const stream = this.#stream(streamId);
    if (stream.phase === 'open') stream.phase = 'draining';
  }

  /** True once a draining stream has nothing left in front of its reset. */
  isDrained(streamId: number): boolean {
    return (this.#streams.get(streamId)?.queue.size ?? 0) === 0;
  }

  pause(streamId: number): void {
    this.#stream(streamId).phase = 'paused';
  }

  /** The reset has ended: performed, it starts the stream at SSN 0; either way what waited behind it goes on. */
  resume(streamId: number, performed: boolean): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.phase = 'open';
    if (performed) stream.nextSsn = 0;
    for (const message of stream.behindReset) stream.queue.push(message);
    stream.behindReset.length = 0;
    if (stream.queue.size > 0) this.#awaitTurn(stream);
    // A stream that looks like one never used needs no memory.
    else if (performed && stream.lowThreshold === 0) this.#streams.delete(streamId);
  }

  clear(): void {
    this.#streams.clear();
    this.#turns.clear();
    this.#current = undefined;
    this.bufferedBytes = 0;
  }

  #stream(id: number): OutgoingStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = {
        id,
        queue: new BoundedQueue<OutgoingMessage>(Infinity),
        behindReset: [],
        phase: 'open',
        nextSsn: 0,
        buffered: 0,
        lowThreshold: 0,
        waiting: false,
      };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #awaitTurn(stream: OutgoingStream): void {
    if (stream.waiting || this.#current === stream) return;
    stream.waiting = true;
    this.#turns.push(stream);
  }

  #endTurn(stream: OutgoingStream): void {
    this.#current = undefined;
    if (stream.queue.size > 0) this.#awaitTurn(stream);
  }

  #decrease(stream: OutgoingStream, bytes: number): void {
    const wasAbove = stream.buffered > stream.lowThreshold;
    stream.buffered -= bytes;
    this.bufferedBytes -= bytes;
    if (wasAbove && stream.buffered <= stream.lowThreshold) this.#observer.bufferedAmountLow(stream.id);
  }
}
