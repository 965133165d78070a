/**
 * Reader: the messages of one channel for whoever asks for the next, with an end.
 *
 *   message → kept, up to the high-water mark → next()
 *                 above it: channel.pauseReading, below half: resumeReading
 *
 * While the channel is paused the connection keeps what arrives, within its receive window; when that is full the peer has to stop. So what
 * is held is bounded: by the mark and a message here, by `sctp.receiveWindowMax` there.
 */
import type { DataChannel } from '../channel/index.ts';
import type { Bytes } from '../core/bytes.ts';
import { isOrderly, RtcError } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RtcEvent } from '../rtc.ts';
import type { ReadOptions } from './options.ts';
import { checkWait, DEFAULT_HIGH_WATER_MARK, READ_RULES } from './options.ts';
import { onAbort } from './wait.ts';
import type { ChannelWatch } from './watch.ts';
import { watchChannel } from './watch.ts';

/** A message, as an event `message` has it. */
export type Message = string | Bytes;

/** What a message weighs beside its own bytes: many empty ones must not count for nothing. */
const MESSAGE_OVERHEAD = 64;

/** How long a channel that is closed already may still have events on their way out of its connection, ms. */
const LAST_EVENTS = 1000;

interface Asked {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

/** Reads one channel until it ends, or the reader has enough. */
export class Reader implements AsyncIterableIterator<Message> {
  readonly #watch: ChannelWatch;
  readonly #highWaterMark: number;
  /** Bounded by the mark, and, once the peer has closed the channel, by the receive window. */
  readonly #kept = new BoundedQueue<Message>(Infinity);
  #bytes = 0;
  readonly #asked: Asked[] = [];
  #isPausing = false;
  #hasEnded = false;
  /** What the end is told as, once. */
  #error: unknown;
  readonly #ends: (() => void)[] = [];

  /** Throws `ERR_INVALID_STATE` where the channel is being read. */
  constructor(watch: ChannelWatch, { highWaterMark = DEFAULT_HIGH_WATER_MARK, signal }: ReadOptions) {
    if (watch.reader !== undefined)
      throw new RtcError('ERR_INVALID_STATE', 'the channel is being read: one reader at a time');
    this.#watch = watch;
    this.#highWaterMark = highWaterMark;
    watch.reader = this;
    this.#ends.push(watch.add((event) => this.#handleEvent(event)));
    this.#ends.push(onAbort(signal, (reason) => this.#end(reason)));
    if (watch.channel.readyState === 'closed') this.#awaitLastEvents();
    releaseMessages(watch);
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#serve();
    });
  }

  /** The reader has enough: what is kept is dropped, and later messages come as events alone. The channel stays open. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#kept.clear();
    this.#bytes = 0;
    this.#end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #handleEvent(event: RtcEvent | undefined): void {
    if (this.#hasEnded) return;
    if (event?.type === 'message') this.#keep(event.data);
    // With the connection its channels end, and it is the connection that knows why.
    else if (event?.type === 'closed' || (event?.type === 'channelclose' && !this.#watch.connection.isOver))
      this.#endAsChannel();
  }

  #keep(message: Message): void {
    this.#kept.push(message);
    this.#bytes += sizeOf(message);
    this.#serve();
    const { channel } = this.#watch;
    if (this.#bytes < this.#highWaterMark || channel.isReadingPaused) return;
    channel.pauseReading();
    this.#isPausing = channel.isReadingPaused;
  }

  #serve(): void {
    for (let asked = this.#asked[0]; asked !== undefined; asked = this.#asked[0]) {
      const message = this.#kept.shift();
      if (message !== undefined) {
        this.#bytes -= sizeOf(message);
        asked.resolve({ done: false, value: message });
      } else if (!this.#hasEnded) {
        break;
      } else if (this.#error === undefined) {
        asked.resolve({ done: true, value: undefined });
      } else {
        asked.reject(this.#error);
        this.#error = undefined;
      }
      this.#asked.shift();
    }
    if (this.#bytes <= this.#highWaterMark / 2) this.#resume();
  }

  #resume(): void {
    if (!this.#isPausing) return;
    this.#isPausing = false;
    this.#watch.channel.resumeReading();
  }

  #end(error: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    for (const end of this.#ends.splice(0)) end();
    this.#watch.reader = undefined;
    this.#resume();
    this.#serve();
  }

  #endAsChannel(): void {
    const { connection, failure } = this.#watch;
    const reason = connection.end ?? failure;
    const isFailure = reason !== undefined && !isOrderly(reason);
    this.#end(isFailure ? this.#watch.closed('reading') : undefined);
  }

  /** Whether its last event has come out nobody knows; its messages come before. */
  #awaitLastEvents(): void {
    if (this.#watch.hasEnded || this.#watch.connection.rtc.isEmpty) {
      this.#endAsChannel();
      return;
    }
    const timer = setTimeout(() => this.#end(undefined), LAST_EVENTS);
    this.#ends.push(() => clearTimeout(timer));
  }
}

function sizeOf(message: Message): number {
  return message.length + MESSAGE_OVERHEAD;
}

// --- between `opened` and the reader ---

const held = new WeakMap<ChannelWatch, ReturnType<typeof setTimeout>>();

/**
 * Who awaits that a channel is open reads it a few microtasks later, while the drain goes on with its messages at once: they wait until
 * this turn of the event loop is over.
 */
export function holdMessages(watch: ChannelWatch): void {
  const { channel } = watch;
  if (watch.reader !== undefined || channel.isReadingPaused) return;
  channel.pauseReading();
  held.set(
    watch,
    setTimeout(() => releaseMessages(watch), 0),
  );
}

function releaseMessages(watch: ChannelWatch): void {
  const timer = held.get(watch);
  if (timer === undefined) return;
  clearTimeout(timer);
  held.delete(watch);
  watch.channel.resumeReading();
}

// --- the public calls ---

/**
 * The messages of a channel, from this call on, as an async iterable:
 *
 * ```ts
 * for await (const message of messages(channel)) console.log(message);
 * ```
 *
 * A reader that is slower than the peer holds it back: see `ReadOptions.highWaterMark`. All channels of a connection share its receive window,
 * and a reader that takes nothing for the gate `readerStalled` (60 s) while it is full ends the connection.
 *
 * Ends when the channel closes or the connection is closed by either end; throws `ERR_CLOSED`, after the last message, where that was not
 * in order. Leaving the loop ends the reading, and not the channel. Call it before the first `await` that follows an event `datachannel`,
 * or after `opened`: messages that came before are gone. Throws `ERR_INVALID_STATE` where the channel is being read, `ERR_BAD_ARGUMENT`
 * for options that cannot be.
 */
export function messages(channel: DataChannel, options: ReadOptions = {}): AsyncIterableIterator<Message> {
  checkWait('messages', options, READ_RULES);
  return new Reader(watchChannel(channel), options);
}

/**
 * As `messages`, as a web stream: `readable(channel).pipeTo(destination)`. Its chunks are whole messages. Cancelling it ends the reading, and not
 * the channel.
 */
export function readable(channel: DataChannel, options: ReadOptions = {}): ReadableStream<Message> {
  checkWait('readable', options, READ_RULES);
  const reader = new Reader(watchChannel(channel), options);
  return new ReadableStream<Message>(
    {
      async pull(controller): Promise<void> {
        const { done, value } = await reader.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel(): Promise<void> {
        await reader.return();
      },
    },
    // The reader has a bound of its own.
    { highWaterMark: 0 },
  );
}
