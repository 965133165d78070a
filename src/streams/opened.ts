/** Promises of one channel: that it is open, that what it was given has left. */
import type { DataChannel } from '../channel/index.ts';
import type { RtcEvent } from '../rtc.ts';
import type { DrainedOptions, WaitOptions } from './options.ts';
import { checkWait, DRAINED_RULES, WAIT_RULES } from './options.ts';
import { isDelivered } from './errors.ts';
import { holdMessages } from './reader.ts';
import { wait } from './wait.ts';
import type { ChannelWatch } from './watch.ts';
import { watchChannel } from './watch.ts';

/**
 * Resolves with the channel once it is open, at once if it is. Messages that have come with the news are held back until those who wait
 * have gone on, so that `messages` after it misses none.
 *
 * Rejects with `ERR_CLOSED` if the channel or its connection ends first, with `ERR_TIMEOUT`, or with the signal's reason.
 */
export async function opened(channel: DataChannel, options: WaitOptions = {}): Promise<DataChannel> {
  checkWait('opened', options, WAIT_RULES);
  const watch = watchChannel(channel);
  const what = `"opened" of the channel ${JSON.stringify(channel.label)}`;
  const judge = (event?: RtcEvent): boolean => {
    // The state may be ahead of the event: a channel that has opened, said something and closed in one drain.
    const isOpen = channel.readyState === 'open' || event?.type === 'channelopen';
    if (isOpen) holdMessages(watch);
    else if (channel.readyState !== 'connecting' || event?.type === 'closed') throw watch.closed('"opened"');
    return isOpen;
  };
  await wait({ what, source: watch, judge, progress: () => 0 }, options);
  return channel;
}

/**
 * Resolves once `channel.bufferedAmount` is `below` or less, at once if it is: everything has been sent, though it may be on its way
 * still (`shutdown` waits for its delivery, and a message with an `id` has a `messageoutcome`). After `channel.close()` it waits for the
 * rest all the same.
 *
 * Rejects with `ERR_CLOSED` if the channel or its connection ends first, what was queued being dropped; with `ERR_TIMEOUT`, or with the
 * signal's reason.
 */
export async function drained(channel: DataChannel, options: DrainedOptions = {}): Promise<void> {
  checkWait('drained', options, DRAINED_RULES);
  const { below = 0 } = options;
  const watch = watchChannel(channel);
  const what = `"drained" of the channel ${JSON.stringify(channel.label)}`;
  const release = watch.thresholds.want(below);
  const judge = (event?: RtcEvent): boolean => isDrained(watch, below, event);
  // What others of the connection send is progress: it may be their turn.
  const progress = (): number => channel.bufferedAmount + watch.connection.rtc.bufferedBytes;
  try {
    await wait({ what, source: watch, judge, progress }, options);
  } finally {
    release();
  }
}

/** False: not yet. Throws if it never will be. */
function isDrained(watch: ChannelWatch, below: number, event: RtcEvent | undefined): boolean {
  const { channel, connection } = watch;
  if (watch.isClosingByPeer || watch.failure !== undefined) throw watch.closed('"drained"');
  if (event?.type === 'closed') {
    if (isDelivered(event.reason)) return true;
    throw watch.closed('"drained"');
  }
  // Nothing is buffered of a channel that is closed, whatever has become of it: its end says that.
  if (channel.readyState !== 'closed') return channel.bufferedAmount <= below;
  if (event?.type === 'channelclose') {
    // Its own end came in order, and after the last byte; that of the connection says more.
    if (connection.isOver) return false;
    if (!connection.isDataOver) return true;
  }
  if (event === undefined && !connection.isOver) throw watch.closed('"drained"');
  if (connection.rtc.isEmpty || connection.isDataOver) throw watch.closed('"drained"');
  return false;
}
