/** Options of every wait, of reading and of writing, with their checks. */
import type { DataChannel, SendOptions } from '../channel/index.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, having, integer, wait } from '../core/options.ts';
import type { Rtc } from '../rtc.ts';

/** How long to wait. */
export interface WaitOptions {
  /**
   * Milliseconds, above 0; `Infinity`: no deadline of its own. The promise then rejects with `ERR_TIMEOUT`. Default: 150,000 without
   * any progress, which is longer than the deadlines of a connection (docs/deadlines.md), so that it is the connection that says
   * what has gone wrong.
   */
  readonly timeout?: number | undefined;
  /** Aborted, the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Of `drained`. */
export interface DrainedOptions extends WaitOptions {
  /** Bytes of `bufferedAmount` at which it is enough, 0 or more. Default 0: everything has left. */
  readonly below?: number | undefined;
}

/** Of `send`. */
export interface SendWaitOptions extends WaitOptions {
  /** Bytes of `bufferedAmount`, 1 or more, from which on a message waits, until half of it has left. Default 262,144. */
  readonly highWaterMark?: number | undefined;
  /** How the message is to be treated, as `channel.send` takes it. */
  readonly message?: SendOptions | undefined;
}

/** Of `writable`. */
export interface WritableOptions {
  /** As of `send`. */
  readonly highWaterMark?: number | undefined;
}

/** Of `messages` and `readable`. */
export interface ReadOptions {
  /**
   * Bytes of messages, 1 or more, that are kept here for a reader that is slower than the peer: above, the channel is paused
   * (`channel.pauseReading`) until half of it has been read. Default 262,144.
   */
  readonly highWaterMark?: number | undefined;
  /** Aborted, reading ends with its reason; the channel stays as it is. */
  readonly signal?: AbortSignal | undefined;
}

/** See `SendWaitOptions` and `ReadOptions`: the largest message of a browser, and a window of 10 ms at 200 Mbit/s. */
export const DEFAULT_HIGH_WATER_MARK = 262_144;

const signal = having('an AbortSignal', ['addEventListener', 'throwIfAborted']);
const highWaterMark = integer(1);

/** The rules of `WaitOptions`. */
export const WAIT_RULES: OptionRules<WaitOptions> = { timeout: wait, signal };

/** The rules of `DrainedOptions`. */
export const DRAINED_RULES: OptionRules<DrainedOptions> = { ...WAIT_RULES, below: integer(0) };

/** The rules of `SendWaitOptions`; those of `message` are the channel's. */
export const SEND_RULES: OptionRules<SendWaitOptions> = {
  ...WAIT_RULES,
  highWaterMark,
  message: having('an object of options', []),
};

/** The rules of `WritableOptions`. */
export const WRITABLE_RULES: OptionRules<WritableOptions> = { highWaterMark };

/** The rules of `ReadOptions`. */
export const READ_RULES: OptionRules<ReadOptions> = { highWaterMark, signal };

/** Throws `ERR_BAD_ARGUMENT` for options that cannot be, and the reason of a signal that is aborted already. */
export function checkWait<T extends { readonly signal?: AbortSignal | undefined }>(
  owner: string,
  options: T,
  rules: OptionRules<T>,
): void {
  checkOptions(owner, options, rules);
  options.signal?.throwIfAborted();
}

/** The connection of a channel. Throws `ERR_BAD_ARGUMENT` for what is no channel, or none of an `Rtc`. */
export function connectionOf(channel: DataChannel): Rtc {
  const rtc = (channel as DataChannel | undefined)?.connection;
  if (rtc === undefined) throw badArgument('channel', 'a channel of an Rtc', channel);
  return rtc as Rtc;
}
