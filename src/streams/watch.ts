/**
 * What happens to connections and their channels, for whoever waits. Each connection is watched once (`rtc.onEvent`), from the first wait
 * on, and each wait hears of its own channel alone: a connection with a thousand of them asks one map for each event.
 */
import type { DataChannel, MessageData } from '../channel/index.ts';
import type { Failure } from '../core/errors.ts';
import type { Rtc, RtcEvent } from '../rtc.ts';
import { closedError, type StreamsError } from './errors.ts';
import type { SendWaitOptions } from './options.ts';
import { connectionOf } from './options.ts';
import { Thresholds } from './thresholds.ts';

/** Told of an event of its channel, or its connection's `closed`; `undefined`: something else may have changed. */
export type Watcher = (event?: RtcEvent) => void;

/** The messages of a channel that wait to be accepted (outbox.ts). */
export interface Sending {
  readonly isWaiting: boolean;
  send(data: MessageData, options: SendWaitOptions): Promise<void>;
}

/** Something whose events are told to any number of watchers. */
class Watch {
  readonly #watchers = new Set<Watcher>();

  /** @returns what ends it */
  add(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  tell(event?: RtcEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }
}

/** A channel, and what this room keeps of it. */
export class ChannelWatch extends Watch {
  readonly channel: DataChannel;
  readonly connection: ConnectionWatch;
  readonly thresholds: Thresholds;
  /** Who reads it. */
  reader: object | undefined;
  outbox: Sending | undefined;
  /** The peer closes it: what was queued has been dropped. */
  isClosingByPeer = false;
  /** Its last event has come. */
  hasEnded = false;
  /** Why, unless it was in order. */
  failure: Failure | undefined;

  constructor(channel: DataChannel, connection: ConnectionWatch) {
    super();
    this.channel = channel;
    this.connection = connection;
    this.thresholds = new Thresholds(channel);
  }

  handleEvent(event: RtcEvent): void {
    if (event.type === 'channelclosing') this.isClosingByPeer = true;
    if (event.type === 'channelclose') this.hasEnded = true;
    if (event.type === 'channelclose' || event.type === 'channelerror') this.failure ??= event.failure;
    this.tell(event);
    if (event.type === 'bufferedamountlow') this.thresholds.update();
  }

  /** What to reject with. @param what was waited for */
  closed(what: string): StreamsError {
    const name = `${what} of the channel ${JSON.stringify(this.channel.label)}`;
    return closedError(name, this.connection.end ?? this.failure);
  }
}

/** A connection, and the channels of it that somebody waits for. */
export class ConnectionWatch extends Watch {
  readonly rtc: Rtc;
  readonly #channels = new WeakMap<DataChannel, ChannelWatch>();
  /** Those that have not ended. */
  readonly #live = new Set<ChannelWatch>();
  /** Why it has ended, once that has come out. */
  end: Failure | undefined;
  /** Its association has ended. */
  isDataOver = false;

  constructor(rtc: Rtc) {
    super();
    this.rtc = rtc;
    const before = rtc.onEvent;
    rtc.onEvent = (event) => {
      before?.(event);
      this.#handleEvent(event);
    };
  }

  /** The connection is over, whether or not its last events have come out. */
  get isOver(): boolean {
    return this.rtc.signalingState === 'closed';
  }

  /** Messages wait to be accepted, on a channel that takes them. */
  get isSending(): boolean {
    for (const { channel, outbox } of this.#live)
      if (outbox?.isWaiting === true && channel.readyState === 'open') return true;
    return false;
  }

  watch(channel: DataChannel): ChannelWatch {
    let watch = this.#channels.get(channel);
    if (watch === undefined) {
      watch = new ChannelWatch(channel, this);
      this.#channels.set(channel, watch);
      this.#live.add(watch);
    }
    return watch;
  }

  #handleEvent(event: RtcEvent): void {
    if ('channel' in event) {
      const watch = this.#channels.get(event.channel);
      if (watch === undefined) return;
      watch.handleEvent(event);
      // At the end of the connection all are told of it.
      if (watch.hasEnded && !this.isOver) this.#live.delete(watch);
    } else if (event.type === 'closed') {
      this.end = event.reason;
      this.#tellAll(event);
      this.#live.clear();
    } else if (event.type === 'sctpstatechange') {
      this.isDataOver = event.state === 'closed';
    } else if (event.type === 'sendbufferlow') {
      this.#tellAll(event);
    }
  }

  #tellAll(event: RtcEvent): void {
    for (const watch of this.#live) watch.tell(event);
    this.tell(event);
  }
}

const connections = new WeakMap<Rtc, ConnectionWatch>();

/** The watch of a connection: one, whoever asks. */
export function watchConnection(rtc: Rtc): ConnectionWatch {
  let watch = connections.get(rtc);
  if (watch === undefined) {
    watch = new ConnectionWatch(rtc);
    connections.set(rtc, watch);
  }
  return watch;
}

/** The watch of a channel. Throws `ERR_BAD_ARGUMENT` for what is no channel, or none of an `Rtc`. */
export function watchChannel(channel: DataChannel): ChannelWatch {
  return watchConnection(connectionOf(channel)).watch(channel);
}
