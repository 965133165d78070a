/**
 * Outbox: messages of one channel that wait to be accepted, in the order in which they were given.
 *
 *   send → (fits, and nobody waits) → channel.send
 *        → waits: for the channel to open, for `bufferedAmount` to fall to half the mark, for room in the connection's send buffer
 */
import type { DataChannel } from '../channel/index.ts';
import type { MessageData } from '../channel/index.ts';
import { checkOptions } from '../core/options.ts';
import { encodeUtf8 } from '../core/text.ts';
import { StreamsError } from './errors.ts';
import type { SendWaitOptions, WritableOptions } from './options.ts';
import { checkWait, DEFAULT_HIGH_WATER_MARK, SEND_RULES, WRITABLE_RULES } from './options.ts';
import { drained } from './opened.ts';
import { onAbort, reasonFor, startDeadline, timeoutError, wait } from './wait.ts';
import type { ChannelWatch, Sending } from './watch.ts';
import { watchChannel } from './watch.ts';

/**
 * When to try again what the connection has had no room for, ms: what makes room is told when half of the send buffer is free, which a
 * message of more than that has no use of.
 */
const RETRY = 50;

interface Waiting {
  readonly data: MessageData;
  readonly options: SendWaitOptions;
  readonly mark: number;
  /** It has met a full channel: now half of it must leave. */
  isHeldBack: boolean;
  /** Ends its deadline, and says how it went. */
  settle: (error?: unknown) => void;
}

/** What happened to the first that waits. */
type Try = 'accepted' | 'blocked' | { readonly error: unknown };

/** The messages of one channel that wait. */
export class Outbox implements Sending {
  readonly #watch: ChannelWatch;
  readonly #queue: Waiting[] = [];
  #listening: (() => void) | undefined;
  /** The amount to which `bufferedAmount` is to fall, and what ends that. */
  #wanted: { readonly bytes: number; readonly end: () => void } | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** What the connection held when it had no room, bytes. */
  #refusedAt = Infinity;

  constructor(watch: ChannelWatch) {
    this.#watch = watch;
  }

  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  send(data: MessageData, options: SendWaitOptions): Promise<void> {
    const mark = options.highWaterMark ?? DEFAULT_HIGH_WATER_MARK;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        data,
        options,
        mark,
        isHeldBack: false,
        settle: (error) => {
          if (error === undefined) resolve();
          else reject(reasonFor(error));
        },
      };
      if (this.#queue.length === 0 && this.#isDone(waiting)) return;
      this.#enqueue(waiting);
    });
  }

  #enqueue(waiting: Waiting): void {
    const { channel, connection } = this.#watch;
    const { timeout, signal } = waiting.options;
    const what = `"send" on the channel ${JSON.stringify(channel.label)}`;
    const { settle } = waiting;
    const give = (error: unknown): void => {
      const index = this.#queue.indexOf(waiting);
      if (index < 0) return;
      this.#queue.splice(index, 1);
      waiting.settle(error);
      this.#pump();
    };
    const progress = (): number => channel.bufferedAmount + connection.rtc.bufferedBytes;
    const endDeadline = startDeadline(timeout, progress, () => give(timeoutError(what, timeout)));
    const endSignal = onAbort(signal, give);
    waiting.settle = (error) => {
      endDeadline();
      endSignal();
      settle(error);
    };
    this.#queue.push(waiting);
    this.#listening ??= this.#watch.add((event) => {
      if (event?.type === 'message') return;
      // A refusal asks for this event, and has it at once where half of the buffer is free: only more room than then is news.
      if (event?.type === 'sendbufferlow' && connection.rtc.bufferedBytes >= this.#refusedAt) return;
      this.#pump();
    });
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#retry);
    for (let first = this.#queue[0]; first !== undefined && this.#isDone(first); first = this.#queue[0])
      this.#queue.shift();
    if (this.#queue.length > 0) return;
    this.#wanted?.end();
    this.#wanted = undefined;
    this.#listening?.();
    this.#listening = undefined;
    this.#watch.connection.tell();
  }

  /** Accepted or refused for good, and told so. */
  #isDone(waiting: Waiting): boolean {
    const outcome = this.#try(waiting);
    if (outcome === 'blocked') return false;
    waiting.settle(outcome === 'accepted' ? undefined : outcome.error);
    return true;
  }

  #try(waiting: Waiting): Try {
    const { channel, isClosingByPeer } = this.#watch;
    const { data, options, mark } = waiting;
    if (channel.readyState === 'connecting') return 'blocked';
    if (channel.readyState !== 'open' || isClosingByPeer) return { error: this.#watch.closed('"send"') };
    const limit = waiting.isHeldBack ? Math.floor(mark / 2) : mark - 1;
    if (channel.bufferedAmount > limit) {
      waiting.isHeldBack = true;
      this.#want(Math.floor(mark / 2));
      return 'blocked';
    }
    try {
      if (channel.send(data, options.message)) return 'accepted';
    } catch (error) {
      return { error };
    }
    const size = typeof data === 'string' ? encodeUtf8(data).length : data.byteLength;
    if (size > channel.maxMessageSize) return { error: tooLarge(channel, size) };
    this.#refusedAt = this.#watch.connection.rtc.bufferedBytes;
    this.#retry = setTimeout(() => this.#pump(), RETRY);
    return 'blocked';
  }

  #want(bytes: number): void {
    if (this.#wanted?.bytes === bytes) {
      this.#watch.thresholds.update();
      return;
    }
    this.#wanted?.end();
    this.#wanted = { bytes, end: this.#watch.thresholds.want(bytes) };
  }
}

function tooLarge({ label, maxMessageSize }: DataChannel, size: number): StreamsError {
  const message = `a message of ${size} bytes on the channel ${JSON.stringify(label)}, of which the peer takes ${maxMessageSize}`;
  return new StreamsError('ERR_TOO_LARGE', message);
}

/**
 * Sends a message, as `channel.send` does, and resolves once it is accepted: it waits for the channel to open, while
 * `bufferedAmount` is at the high-water mark, and while the connection has no room. Messages go in the order of the calls, whether they
 * are awaited or not. Who awaits each holds no more than the mark and one message in memory, however slow the path is; data that waits
 * must not be changed.
 *
 * Rejects with `ERR_CLOSED` if the channel or its connection ends first, with `ERR_TOO_LARGE` for what the peer does not take, with
 * `ERR_BAD_ARGUMENT` for what is no message, with `ERR_TIMEOUT`, or with the signal's reason; the message is not sent then.
 */
export async function send(
  channel: DataChannel,
  data: MessageData,
  options: SendWaitOptions = {},
): Promise<void> {
  checkWait('send', options, SEND_RULES);
  const watch = watchChannel(channel);
  await (watch.outbox ??= new Outbox(watch)).send(data, options);
}

/**
 * A channel as a web stream to write to: `source.pipeTo(writable(channel))`. Each chunk is one message, and a write waits as `send` does. Closing
 * it sends the rest, closes the channel and waits until both ends have. Aborting it closes
 * the channel.
 */
export function writable(channel: DataChannel, options: WritableOptions = {}): WritableStream<MessageData> {
  checkOptions('writable', options, WRITABLE_RULES);
  const watch = watchChannel(channel);
  const stopped = new AbortController();
  let forget: () => void;
  return new WritableStream<MessageData>({
    start(controller): void {
      // An end while nothing is being written is told at once.
      forget = watch.add((event) => {
        if (event?.type !== 'channelclose' && event?.type !== 'channelclosing' && event?.type !== 'closed')
          return;
        forget();
        controller.error(watch.closed('writing'));
      });
    },
    async write(chunk): Promise<void> {
      await send(channel, chunk, { ...options, signal: stopped.signal });
    },
    async close(): Promise<void> {
      forget();
      if (channel.readyState === 'connecting') {
        channel.close();
        return;
      }
      await drained(channel);
      channel.close();
      await closed(watch);
    },
    abort(reason): void {
      forget();
      stopped.abort(reason);
      channel.close();
    },
  });
}

/** Resolves once the channel has closed in order. */
async function closed(watch: ChannelWatch): Promise<void> {
  const { channel, connection } = watch;
  const what = `"close" of the channel ${JSON.stringify(channel.label)}`;
  const judge = (): boolean => {
    if (watch.failure !== undefined) throw watch.closed('"close"');
    return watch.hasEnded || channel.readyState === 'closed' || connection.end !== undefined;
  };
  await wait({ what, source: watch, judge, progress: () => channel.bufferedAmount }, {});
}
