/**
 * Messages that have been accepted and not yet put into packets as a whole, one queue a stream, streams taking turns.
 *
 *   enqueue → (its stream's turn) → head() → take() fragment by fragment → gone; the next stream's turn
 *
 * A turn lasts one message: without interleaving a message that was started must end before any other starts (RFC 9260
 * §6.9). With interleaving (RFC 8260) it lasts one chunk. A stream being reset is first `draining` (what was queued before
 * goes out), then `paused` (what came after waits for the answer).
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES } from '../../core/bytes.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { MessageOutcome } from '../events.ts';
import type { Scheduling, Turn } from './turns.ts';
import { TurnQueue } from './turns.ts';

/** A message from `send` until its outcome. */
export interface OutgoingMessage {
  readonly streamId: number;
  readonly ppid: number;
  readonly unordered: boolean;
  /** Infinity: reliable. */
  readonly maxRetransmits: number;
  /** Milliseconds from `send`; Infinity: reliable. */
  readonly lifetime: number;
  /** Its share of the path, against other streams' messages; `undefined`: its stream's. */
  readonly priority: number | undefined;
  /** Given back with its outcome; `undefined`: nobody asks for that. */
  readonly token: unknown;
  readonly length: number;
  /** Its memory; given up as soon as it has ended. */
  data: Bytes;
  /** How it ended, once it has. */
  outcome: MessageOutcome | undefined;
  /** Absolute; Infinity while `send` was called without a fresh time. */
  expiresAt: number;
  /** SSN or, with interleaving, MID; assigned with the first fragment. */
  sequence: number;
  /** Bytes that have been given a TSN, and in how many fragments. */
  sent: number;
  fragments: number;
  /** Position of its last chunk so far; -1 before the first. */
  lastPosition: number;
  /** Chunks that have a TSN and that the peer has not reported. */
  awaited: number;
}

/** What a message may ask for; see `OutgoingMessage`. */
export interface MessageTraits {
  readonly unordered?: boolean | undefined;
  readonly maxRetransmits?: number | undefined;
  readonly lifetime?: number | undefined;
  readonly priority?: number | undefined;
  readonly token?: unknown;
}

/** A message that has not been sent; without traits it is ordered and reliable. */
export function outgoingMessage(
  streamId: number,
  ppid: number,
  data: Bytes,
  traits: MessageTraits = {},
): OutgoingMessage {
  return {
    streamId,
    ppid,
    unordered: traits.unordered ?? false,
    maxRetransmits: traits.maxRetransmits ?? Infinity,
    lifetime: traits.lifetime ?? Infinity,
    priority: traits.priority,
    token: traits.token,
    length: data.length,
    data,
    outcome: undefined,
    expiresAt: Infinity,
    sequence: 0,
    sent: 0,
    fragments: 0,
    lastPosition: -1,
    awaited: 0,
  };
}

/** RFC 8831 §6.4 "normal" is 512, W3C's `low`, the default, 256. */
export const DEFAULT_PRIORITY = 256;

/** A message of so many bytes or fewer counts as one chunk: it never waits for others to be finished. */
const SMALL = 1024;

type Phase = 'open' | 'draining' | 'paused';

interface OutgoingStream extends Turn {
  readonly id: number;
  readonly queue: BoundedQueue<OutgoingMessage>;
  /** Messages behind a reset, in order. */
  readonly behindReset: OutgoingMessage[];
  phase: Phase;
  nextSsn: number;
  /** RFC 8260 §2.1: unordered messages have message identifiers of their own. */
  nextUnorderedMid: number;
  buffered: number;
  lowThreshold: number;
  /** Of messages that have none of their own. */
  priority: number;
  /** True while the stream stands in the queue of those whose turn will come. */
  waiting: boolean;
}

/** Tells of a stream whose buffered bytes fell to its threshold, and of messages that end here. */
export interface SendQueueObserver {
  bufferedAmountLow(streamId: number): void;
  ended(message: OutgoingMessage, outcome: MessageOutcome): void;
}

/** The messages of one association that wait to be sent. */
export class SendQueue {
  /** Bytes accepted and not yet in a packet, over all streams. */
  bufferedBytes = 0;
  /** Messages that have run out of time and stand in a queue until their turn comes. */
  expiredCount = 0;
  /** Goes up whenever a stream that is being reset may have drained: until then nobody need ask again. */
  drains = 0;
  /** RFC 8260: streams take turns chunk by chunk. Set once, before the first chunk. */
  interleaving = false;
  /**
   * Bytes of interleaved messages begun and not sent to their end, at the most (one may always be). More than the peer's
   * window, and it would hold parts of many messages, have room for the rest of none, and wait for ever.
   */
  maxOpenBytes: number = Infinity;
  #openBytes = 0;
  /** Streams whose next message has to wait until one that was begun has been sent to its end. */
  readonly #parked: OutgoingStream[] = [];
  readonly #streams = new Map<number, OutgoingStream>();
  readonly #turns: TurnQueue<OutgoingStream>;
  #current: OutgoingStream | undefined;
  readonly #observer: SendQueueObserver;

  constructor(observer: SendQueueObserver, scheduling: Scheduling = 'weighted-fair') {
    this.#observer = observer;
    this.#turns = new TurnQueue(scheduling);
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

  /** From the stream's next turn on, for what is queued already too. */
  setPriority(streamId: number, priority: number): void {
    this.#stream(streamId).priority = priority;
  }

  enqueue(message: OutgoingMessage): void {
    const stream = this.#stream(message.streamId);
    stream.buffered += message.length;
    this.bufferedBytes += message.length;
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
      } else if (message.outcome !== undefined) {
        this.#dropExpired(stream);
      } else if (message.sent === 0 && message.expiresAt <= now) {
        this.expire(message);
      } else if (this.#mustWait(message)) {
        stream.waiting = true;
        this.#parked.push(stream);
        this.#current = undefined;
      } else {
        return message;
      }
    }
  }

  /** `bytes` of the head have been given a TSN. The first fragment takes the stream's next sequence number. */
  take(message: OutgoingMessage, bytes: number): void {
    const stream = this.#stream(message.streamId);
    if (message.sent === 0) {
      this.#number(stream, message);
      this.#openBytes += message.length;
    }
    message.sent += bytes;
    message.fragments++;
    const isWhole = message.sent === message.length;
    if (isWhole) {
      stream.queue.shift();
      this.#noteDrain(stream);
      this.#closeMessage(message);
    }
    const weight = message.priority ?? stream.priority;
    this.#turns.served(stream, this.interleaving ? bytes : message.length, weight);
    if (isWhole || this.interleaving) this.#endTurn(stream);
    this.#decrease(stream, bytes);
  }

  /** Gives up the rest of a message that has been started; the bytes that will not be sent. */
  abandonRest(message: OutgoingMessage): number {
    const rest = message.length - message.sent;
    if (rest === 0) return 0;
    const stream = this.#stream(message.streamId);
    // A message that has been started heads its stream's queue.
    stream.queue.shift();
    this.#noteDrain(stream);
    this.#closeMessage(message);
    if (this.#current === stream) this.#endTurn(stream);
    this.#decrease(stream, rest);
    return rest;
  }

  /** A message that has not been started has run out of time. Its place in the queue goes when its turn comes. */
  expire(message: OutgoingMessage): void {
    const stream = this.#streams.get(message.streamId);
    if (stream === undefined || message.sent > 0 || message.outcome !== undefined) return;
    this.#observer.ended(message, 'expired');
    this.expiredCount++;
    this.#noteDrain(stream);
    this.#decrease(stream, message.length);
  }

  /** Drops the stream's messages that have not been started; the bytes dropped. */
  discard(streamId: number): number {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return 0;
    const started = (stream.queue.peek()?.sent ?? 0) > 0;
    const head = started ? stream.queue.shift() : undefined;
    const kept = head === undefined ? 0 : head.length - head.sent;
    const dropped = stream.buffered - kept;
    this.#endAll(stream);
    if (head !== undefined) stream.queue.push(head);
    this.#noteDrain(stream);
    this.#decrease(stream, dropped);
    return dropped;
  }

  /** RFC 6525 §5.1.1: what comes from now on belongs behind the reset. */
  drainForReset(streamId: number): void {
    const stream = this.#stream(streamId);
    if (stream.phase === 'open') stream.phase = 'draining';
    this.drains++;
  }

  /** True once a draining stream has nothing left in front of its reset. */
  isDrained(streamId: number): boolean {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return true;
    while (stream.queue.peek()?.outcome !== undefined) this.#dropExpired(stream);
    return stream.queue.size === 0;
  }

  pause(streamId: number): void {
    this.#stream(streamId).phase = 'paused';
  }

  /** The reset has ended: performed, it starts the stream at SSN 0; either way what waited behind it goes on. */
  resume(streamId: number, performed: boolean): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.phase = 'open';
    if (performed) {
      stream.nextSsn = 0;
      stream.nextUnorderedMid = 0;
    }
    for (const message of stream.behindReset) stream.queue.push(message);
    stream.behindReset.length = 0;
    if (stream.queue.size > 0) this.#awaitTurn(stream);
    // A stream that looks like one never used needs no memory.
    else if (performed && isLikeNew(stream)) this.#streams.delete(streamId);
  }

  clear(): void {
    for (const stream of this.#streams.values()) this.#endAll(stream);
    this.#streams.clear();
    this.#turns.clear();
    this.#current = undefined;
    this.#parked.length = 0;
    this.#openBytes = 0;
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
        nextUnorderedMid: 0,
        buffered: 0,
        lowThreshold: 0,
        priority: DEFAULT_PRIORITY,
        waiting: false,
        start: 0,
        finish: 0,
        order: 0,
      };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #number(stream: OutgoingStream, message: OutgoingMessage): void {
    if (!message.unordered) {
      message.sequence = stream.nextSsn;
      stream.nextSsn = this.interleaving ? (stream.nextSsn + 1) >>> 0 : (stream.nextSsn + 1) & 0xffff;
    } else if (this.interleaving) {
      message.sequence = stream.nextUnorderedMid;
      stream.nextUnorderedMid = (stream.nextUnorderedMid + 1) >>> 0;
    }
  }

  #mustWait(message: OutgoingMessage): boolean {
    if (!this.interleaving || message.sent > 0 || message.length <= SMALL || this.#openBytes === 0)
      return false;
    return this.#openBytes + message.length > this.maxOpenBytes;
  }

  /** The message has been sent to its end, or given up: another one may begin. */
  #closeMessage(message: OutgoingMessage): void {
    if (message.sent > 0) this.#openBytes -= message.length;
    for (const stream of this.#parked) this.#turns.push(stream);
    this.#parked.length = 0;
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

  #noteDrain(stream: OutgoingStream): void {
    if (stream.phase === 'draining') this.drains++;
  }

  #dropExpired(stream: OutgoingStream): void {
    stream.queue.shift();
    this.expiredCount--;
  }

  /** Ends everything that waits on the stream. */
  #endAll(stream: OutgoingStream): void {
    for (let next = stream.queue.shift(); next !== undefined; next = stream.queue.shift())
      this.#discard(next);
    for (const message of stream.behindReset) this.#discard(message);
    stream.behindReset.length = 0;
  }

  #discard(message: OutgoingMessage): void {
    if (message.outcome === undefined) this.#observer.ended(message, 'discarded');
    else this.expiredCount--;
  }

  #decrease(stream: OutgoingStream, bytes: number): void {
    const wasAbove = stream.buffered > stream.lowThreshold;
    stream.buffered -= bytes;
    this.bufferedBytes -= bytes;
    if (wasAbove && stream.buffered <= stream.lowThreshold) this.#observer.bufferedAmountLow(stream.id);
  }
}

function isLikeNew({ lowThreshold, priority }: OutgoingStream): boolean {
  return lowThreshold === 0 && priority === DEFAULT_PRIORITY;
}

/** Notes how a message has ended, and lets go of its memory. */
export function endMessage(message: OutgoingMessage, outcome: MessageOutcome): void {
  message.outcome = outcome;
  message.data = NO_BYTES;
}
