/**
 * DataChannel: the handle an application holds. All it knows lies in a plain `ChannelState`, which the `DataChannels`
 * that made it changes; what the application asks for goes back there.
 *
 * [drafted ─▶] waiting ─▶ opening ─▶ open ─▶ shutting-down | closing ─▶ closed     (from each state there is a way straight to closed)
 */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import { badArgument } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { ChannelPriority, ChannelSettings, SendOptions } from './options.ts';
import { checkPriority } from './options.ts';
import type { MessageData } from './payload.ts';
import { PayloadReader } from './payload.ts';

/** W3C RTCDataChannelState. */
export type ReadyState = 'connecting' | 'open' | 'closing' | 'closed';

/**
 * Where a channel is, finer than its `readyState`:
 * - `drafted`: of an offer in the making: the connection does not know of it (draft.ts);
 * - `waiting`: nothing of it is on its way yet: no role, no association, or no room for the OPEN;
 * - `opening`: OPEN is on its way, neither ACK nor data has come back;
 * - `shutting-down`: the association is ending gracefully. What was accepted is still sent, and what comes is given out;
 * - `closing`: what was queued is being sent, then both directions of the stream are reset (closing.ts).
 */
export type Phase = 'drafted' | 'waiting' | 'opening' | 'open' | 'shutting-down' | 'closing' | 'closed';

const READY_STATE: Readonly<Record<Phase, ReadyState>> = {
  drafted: 'connecting',
  waiting: 'connecting',
  opening: 'connecting',
  open: 'open',
  'shutting-down': 'closing',
  closing: 'closing',
  closed: 'closed',
};

/** What a handle asks of its maker. */
export interface ChannelOwner {
  readonly connection: object | undefined;
  send(state: ChannelState, data: MessageData, options?: SendOptions): boolean;
  pauseReading(state: ChannelState): void;
  resumeReading(state: ChannelState): void;
  close(state: ChannelState): void;
  bufferedAmount(state: ChannelState): number;
  /** True once no channel can come to be any more. */
  isOver(): boolean;
  maxMessageSize(): number;
  setLowThreshold(state: ChannelState, bytes: number): void;
  setPriority(state: ChannelState, priority: ChannelPriority): void;
}

/** `held`: bytes it takes of the receive window. */
export interface UnreadMessage {
  readonly data: string | Bytes;
  readonly held: number;
}

/** One channel in `inspect()`. Sizes are bytes of user data. */
export interface ChannelInspection {
  /** `null` before it has a stream. */
  readonly id: number | null;
  readonly label: string;
  readonly protocol: string;
  readonly origin: 'local' | 'remote';
  readonly negotiated: boolean;
  readonly ordered: boolean;
  readonly maxRetransmits: number | null;
  readonly maxPacketLifeTime: number | null;
  readonly priority: ChannelPriority;
  readonly readyState: ReadyState;
  readonly bufferedAmount: number;
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
  /** Messages held back by `pauseReading`. */
  readonly unreadMessages: number;
}

/** A message whose outcome somebody wants to know: the token the association gives back. */
export interface AskedMessage {
  readonly state: ChannelState;
  readonly id: number | string;
}

/** A channel as its maker sees it: plain fields, changed by `DataChannels` alone. */
export class ChannelState {
  readonly settings: ChannelSettings;
  readonly handle: DataChannel;
  readonly reader: PayloadReader;
  phase: Phase = 'waiting';
  /** Which channel of its association it is, from 1, in the order in which they came to be; 0 before. */
  serial = 0;
  isPaused: boolean = false;
  /** Messages that the application has not taken; the receive window bounds them. */
  readonly unread: BoundedQueue<UnreadMessage> = new BoundedQueue<UnreadMessage>(Infinity);
  /** How many places the event queue has for them; while reading is paused, they come up in vain. */
  placed = 0;
  /** Messages with an `id` that have not ended. */
  readonly asked: Set<AskedMessage> = new Set<AskedMessage>();
  /** The stream's identifier, once there is one; it stays readable after the channel has closed. */
  id: number | undefined;
  lowThreshold = 0;
  priority: ChannelPriority;
  /** The application has sent something since the last `bufferedamountlow`: only then is the next one its business. */
  sentSinceLow = false;
  /** Why the channel is on its way down, if not by `close()`. */
  failure: Failure | undefined;
  messagesSent = 0;
  bytesSent = 0;
  messagesReceived = 0;
  bytesReceived = 0;

  constructor(settings: ChannelSettings, maxMessageSize: number, owner: ChannelOwner) {
    this.settings = settings;
    this.priority = settings.priority;
    this.reader = new PayloadReader(maxMessageSize);
    this.handle = new DataChannel(this, owner);
  }

  inspect(): ChannelInspection {
    const { label, protocol, origin, negotiated, ordered, maxRetransmits, maxPacketLifeTime } = this.settings;
    const { messagesSent, bytesSent, messagesReceived, bytesReceived } = this;
    return {
      unreadMessages: this.isPaused ? this.unread.size : 0,
      id: this.id ?? null,
      label,
      protocol,
      origin,
      negotiated,
      ordered,
      maxRetransmits: maxRetransmits ?? null,
      maxPacketLifeTime: maxPacketLifeTime ?? null,
      priority: this.priority,
      readyState: this.handle.readyState,
      bufferedAmount: this.handle.bufferedAmount,
      messagesSent,
      bytesSent,
      messagesReceived,
      bytesReceived,
    };
  }
}

/**
 * One data channel (RFC 8831; names of W3C RTCDataChannel). Nothing here waits: what the other side does comes as events
 * of the connection.
 */
export class DataChannel {
  readonly #state: ChannelState;
  readonly #owner: ChannelOwner;

  constructor(state: ChannelState, owner: ChannelOwner) {
    this.#state = state;
    this.#owner = owner;
  }

  /** The `Rtc` that it is a channel of; `undefined` of channels that are used without one. */
  get connection(): object | undefined {
    return this.#owner.connection;
  }

  get label(): string {
    return this.#state.settings.label;
  }

  get protocol(): string {
    return this.#state.settings.protocol;
  }

  get ordered(): boolean {
    return this.#state.settings.ordered;
  }

  /** Retransmissions before a message is given up; `undefined`: not limited by a count. */
  get maxRetransmits(): number | undefined {
    return this.#state.settings.maxRetransmits;
  }

  /** Milliseconds before a message is given up; `undefined`: not limited by time. */
  get maxPacketLifeTime(): number | undefined {
    return this.#state.settings.maxPacketLifeTime;
  }

  /**
   * The channel's share of what the connection may send, against its other channels: each step from `very-low` to `high`
   * doubles it (RFC 8831 §6.4). Unlike in W3C it may be changed, for what is queued too; the peer is told of the one the
   * channel was opened with alone.
   */
  get priority(): ChannelPriority {
    return this.#state.priority;
  }

  set priority(priority: ChannelPriority) {
    checkPriority(priority);
    this.#owner.setPriority(this.#state, priority);
  }

  /** Both applications made the channel, without an OPEN. */
  get negotiated(): boolean {
    return this.#state.settings.negotiated;
  }

  /** Who opened it. */
  get origin(): 'local' | 'remote' {
    return this.#state.settings.origin;
  }

  /** The SCTP stream, 0–65534; `undefined` until the DTLS role is known, whose parity it has. */
  get id(): number | undefined {
    const { phase, settings, id } = this.#state;
    return phase === 'drafted' ? settings.id : id;
  }

  get readyState(): ReadyState {
    const { phase } = this.#state;
    return phase === 'drafted' && this.#owner.isOver() ? 'closed' : READY_STATE[phase];
  }

  /**
   * Largest message `send` takes, in bytes: the peer's limit (RFC 8841), or the connection's send buffer if that is less.
   * Until the peer's description is known, 65536. (In W3C it is a property of RTCSctpTransport.)
   */
  get maxMessageSize(): number {
    return this.#owner.maxMessageSize();
  }

  /** Bytes accepted by `send` and not yet sent; 0 once closed. */
  get bufferedAmount(): number {
    return this.#owner.bufferedAmount(this.#state);
  }

  /** In bytes, 0 or more: `bufferedamountlow` comes when `bufferedAmount` falls to it. Default 0. */
  get bufferedAmountLowThreshold(): number {
    return this.#state.lowThreshold;
  }

  set bufferedAmountLowThreshold(bytes: number) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw badArgument('bufferedAmountLowThreshold', 'a whole number of bytes, 0 or more', bytes);
    }
    this.#owner.setLowThreshold(this.#state, bytes);
  }

  /**
   * Accepts one message, text or binary, to be sent; `data` is copied. False, and nothing is queued:
   * - when the send buffer is full: try again after `bufferedamountlow`, or the connection's `sendbufferlow`;
   * - above `maxMessageSize`, in bytes of UTF-8 for text: it will not fit later either. A `messageoutcome` event of
   *   `too-large` says so, with the message's `id` or, as nobody who asked for none would learn it otherwise, `undefined`;
   * - once `readyState` is `closing` or `closed` (W3C's `send` throws then): a message polled last may be of a channel that
   *   has ended since.
   *
   * What the peer decides is answered so, and never thrown. Throws `ERR_INVALID_STATE` while `readyState` is
   * `connecting`, `ERR_BAD_ARGUMENT` for options out of range and data that is neither text nor bytes.
   */
  send(data: MessageData, options?: SendOptions): boolean {
    return this.#owner.send(this.#state, data, options);
  }

  /** True between `pauseReading` and `resumeReading`. */
  get isReadingPaused(): boolean {
    return this.#state.isPaused;
  }

  /**
   * No `message` events until `resumeReading`, from this call on: what has arrived and was not polled waits, too. All of it
   * counts against the connection's receive window: when that is full the peer has to stop, on all channels, and after the
   * gate `readerStalled` the connection ends. A channel that the peer closes gives out what waits first, and cannot be paused any
   * more; `close()`, of the channel or the connection, drops it.
   */
  pauseReading(): void {
    this.#owner.pauseReading(this.#state);
  }

  /** Gives out what has waited, and goes on. */
  resumeReading(): void {
    this.#owner.resumeReading(this.#state);
  }

  /**
   * Sends what is queued, then resets the stream; `channelclose` follows when both sides have. No message comes out any more:
   * those that have arrived or do meanwhile are dropped and counted. Calling again changes nothing.
   */
  close(): void {
    this.#owner.close(this.#state);
  }
}
