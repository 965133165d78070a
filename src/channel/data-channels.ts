/**
 * DataChannels: the channels of one association (RFC 8831, RFC 8832).
 *
 *   createChannel        a handle at once; its stream identifier when the DTLS role is known (client even, server odd)
 *   association up       local: OPEN goes out ─▶ ACK, or data, comes back ─▶ open     negotiated: open
 *   OPEN comes in        ACK goes out, the channel is open                            anything else: stream refused
 *   close()              drain ─▶ reset our direction ─▶ the peer resets its own ─▶ closed, identifier free
 *   the peer's reset     reset our direction too ─▶ closed
 *   association closed   every channel closed, with the reason
 *
 * A stream that breaks the rules is reset; the association and its other streams go on. Feed it with the association's
 * events and with time, drain `pollEvent`, come back at `nextTimeout()`; what it wants sent it gives the association.
 * Waits that begin in a call without a time count from the next time seen, so tell the time soon after such a call.
 */
import type { Failure } from '../core/errors.ts';
import { isOrderly } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import type { SctpEvent } from '../sctp/index.ts';
import type { AskedMessage, ChannelOwner, ChannelState, DataChannel } from './data-channel.ts';
import { ChannelDraft } from './draft.ts';
import {
  closeChannel,
  expire,
  closeAll,
  onLocalReset,
  onOutcome,
  onRemoteReset,
  onStreamStalled,
  shutDown,
} from './ending.ts';
import type { ChannelCall, ChannelEvent, ChannelsInspection, SctpTransportEvent } from './events.ts';
import { armedGates, earliestGate } from './gate.ts';
import { invariantViolation } from './invariants.ts';
import { ChannelTable } from './channel-table.ts';
import {
  onBufferedAmountLow,
  onMessage,
  pauseReading,
  resumeReading,
  send,
  setLowThreshold,
  setPriority,
} from './messages.ts';
import { createChannel, establish, onStreamData, setRole } from './opening.ts';
import type {
  ChannelOptions,
  ChannelPriority,
  DataChannelOptions,
  GateName,
  SendOptions,
} from './options.ts';
import type { MessageData } from './payload.ts';
import type { SctpPort } from './port.ts';
import type { ChannelsStats } from './stats.ts';
import { channelsStats } from './stats.ts';
import type { ChannelRole } from './streams.ts';

/** What handles ask for: an object of its own, so that it is no part of the public class. */
class HandleCalls implements ChannelOwner {
  readonly #table: ChannelTable;

  constructor(table: ChannelTable) {
    this.#table = table;
  }

  get connection(): object | undefined {
    return this.#table.connection;
  }

  send(state: ChannelState, data: MessageData, options?: SendOptions): boolean {
    return send(this.#table, state, data, options);
  }

  pauseReading(state: ChannelState): void {
    pauseReading(this.#table, state);
  }

  resumeReading(state: ChannelState): void {
    resumeReading(this.#table, state);
  }

  close(state: ChannelState): void {
    closeChannel(this.#table, state);
  }

  bufferedAmount(state: ChannelState): number {
    return this.#table.streamOf(state) === undefined ? 0 : this.#table.port.bufferedAmount(state.id ?? 0);
  }

  isOver(): boolean {
    return this.#table.isOver;
  }

  maxMessageSize(): number {
    return this.#table.port.maxMessageSize;
  }

  setLowThreshold(state: ChannelState, bytes: number): void {
    setLowThreshold(this.#table, state, bytes);
  }

  setPriority(state: ChannelState, priority: ChannelPriority): void {
    setPriority(this.#table, state, priority);
  }
}

/** Bytes that a channel takes, about. */
const CHANNEL_MEMORY = 2048;

/**
 * The data channels of one association. `PassedOn` are events of an owner that stand in one row with those of the channels.
 */
export class DataChannels<PassedOn extends SctpTransportEvent = never> implements Machine<
  ChannelEvent | PassedOn
> {
  readonly #table: ChannelTable;

  /** Throws `ERR_BAD_ARGUMENT` for a gate or limit out of range. */
  constructor(port: SctpPort, options: ChannelOptions = {}) {
    this.#table = new ChannelTable(port, options, (table) => new HandleCalls(table));
    retainMessages(port);
  }

  /** Called after each call on a handle. For tracing. */
  get onCall(): ((channel: DataChannel, call: ChannelCall) => void) | undefined {
    return this.#table.onCall;
  }

  set onCall(listener: ((channel: DataChannel, call: ChannelCall) => void) | undefined) {
    this.#table.onCall = listener;
  }

  /**
   * Makes a channel; `channelopen` follows when both sides have it. Before the association is up it waits for it.
   *
   * Throws `ERR_BAD_ARGUMENT` for options out of range and a negotiated `id` that another channel of ours has, `ERR_LIMIT`
   * when our own channels are as many as may be. What the peer has a part in is no misuse: where its channels take the
   * places, no identifier is left, or a negotiated one is the peer's, the channel fails at once (`channelerror`,
   * `channelclose`); once the association has closed it is `closed` already, and no event follows.
   */
  createChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    return createChannel(this.#table, label, options);
  }

  /** Channels in the making: none of them is one of the association's before all are adopted. */
  draft(): ChannelDraft {
    return new ChannelDraft(this.#table);
  }

  /**
   * The DTLS role is known: channels created before get their identifiers, in order of creation. Throws
   * `ERR_INVALID_STATE` for another role than before.
   */
  setRole(role: ChannelRole): void {
    setRole(this.#table, role);
  }

  /** Feed every event of the association, in its order; `now` in milliseconds. */
  handleSctpEvent(event: SctpEvent, now: number): void {
    const table = this.#table;
    this.#observe(now);
    if (table.association === 'closed') return;
    switch (event.type) {
      case 'connected':
        if (table.association !== 'connecting') return;
        table.association = 'connected';
        // Data may have overtaken the end of the handshake, and opened channels already.
        for (const state of table.channels) if (state.phase === 'waiting') establish(table, state);
        return;
      case 'streamdata':
        table.clock.hear();
        onStreamData(table, event.streamId);
        return;
      case 'message':
        table.clock.hear();
        if (!onMessage(table, event.streamId, event.ppid, event.data)) table.port.release(event.data.length);
        return;
      case 'messageoutcome':
        onOutcome(table, event.token as AskedMessage, event.outcome);
        return;
      case 'sendbufferlow':
        table.control.flush();
        return;
      case 'bufferedamountlow':
        onBufferedAmountLow(table, event.streamId);
        return;
      case 'streamreset':
        table.clock.hear();
        if (event.origin === 'remote') onRemoteReset(table, event.streamId);
        else onLocalReset(table, event.streamId, event.outcome);
        return;
      case 'streamstalled':
        onStreamStalled(table, event.streamId, event.failure);
        return;
      case 'closed':
        closeAll(table, event.failure, 'given-out');
    }
  }

  /** Runs every gate that is due at `now`. */
  handleTimeout(now: number): void {
    const table = this.#table;
    this.#observe(now);
    while (table.waits.count > 0) {
      const gate = earliestGate(table.gates);
      const due = gate.takeDue();
      if (due === undefined) break;
      expire(table, gate, due.key, due.elapsed);
    }
    if (table.control.size > 0) table.control.flush();
  }

  /** There is one that has not closed. */
  get hasChannels(): boolean {
    return this.#table.channels.size > 0;
  }

  /** Bytes of memory that the channels take: about 2 KB each, and as much again for labels of the default length. O(1). */
  get heldBytes(): number {
    return this.#table.channels.size * CHANNEL_MEMORY;
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#table.events.size;
  }

  /** The next event, `undefined` when drained. Poll before the association's packets: it may give them something to carry. */
  pollEvent(): ChannelEvent | PassedOn | undefined {
    if (this.#table.control.size > 0) this.#table.control.flush();
    return this.#table.events.shift() as ChannelEvent | PassedOn | undefined;
  }

  /** An event of the association's owner takes its place among those of the channels. */
  passOn(event: Exclude<PassedOn, ChannelEvent>): void {
    this.#table.events.push(event);
  }

  /** When `handleTimeout` is due, in milliseconds; `Infinity`: nothing is waited for. */
  nextTimeout(): number {
    const { waits, gates } = this.#table;
    return waits.count === 0 ? Infinity : earliestGate(gates).next();
  }

  /** Which gate that is. */
  timeoutReason(): GateName | undefined {
    const gate = earliestGate(this.#table.gates);
    return gate.next() === Infinity ? undefined : gate.name;
  }

  /** The path is down, or there again: what waits for the peer stands still meanwhile. */
  setPathWritable(writable: boolean): void {
    for (const gate of Object.values(this.#table.gates)) {
      if (writable) gate.release();
      else gate.hold();
    }
  }

  /** The host stood still for `missed` milliseconds up to now: what waits for the peer waits so much longer. */
  thaw(missed: number): void {
    for (const gate of Object.values(this.#table.gates)) gate.thaw(missed);
  }

  /**
   * The association is about to be shut down gracefully: channels are `closing` and take nothing more, what they have accepted is
   * sent, what still comes is given out. `channelclose` follows when the association has ended; of channels that had sent
   * nothing yet, now. Call it before the association's `shutdown`. Again: nothing happens.
   */
  shutdown(now: number): void {
    this.#observe(now);
    shutDown(this.#table);
  }

  /**
   * The connection is over: every channel closes, once, and nothing is waited for any more. `channelclose` has the reason unless
   * that was in order (`isOrderly`). Messages that were not polled come out first; where it was this end that had enough
   * (`local-close`) they do not.
   */
  close(reason: Failure, now: number): void {
    this.#observe(now);
    const unread = reason.code === 'local-close' ? 'dropped' : 'given-out';
    closeAll(this.#table, isOrderly(reason) ? undefined : reason, unread);
  }

  /**
   * After `close`, or the association's end: channels may be made again, and wait for the association at `port`. Role and counters
   * stay, and events that were not polled come first.
   */
  reopen(port: SctpPort): void {
    this.#table.attach(port);
    retainMessages(port);
  }

  /** What there is, what is waited for, what was dropped. */
  inspect(): ChannelsInspection {
    const { association, role, channels, streams, gates, events, control, early, counters } = this.#table;
    return {
      association,
      role: role ?? null,
      channels: Array.from(channels, (state) => state.inspect()),
      halfOpenStreams: streams.count('half-open'),
      refusedStreams: streams.count('refused'),
      quarantinedStreams: streams.count('quarantined'),
      timers: armedGates(gates),
      queuedEvents: events.size,
      queuedControl: control.size,
      earlyMessages: early.count,
      earlyBytes: early.bytes,
      counters: counters.snapshot(),
    };
  }

  /** What has come of the channels so far. */
  stats(): ChannelsStats {
    return channelsStats(this.#table);
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    return invariantViolation(this.#table);
  }

  /** The time is told: what began while nobody knew it waits from now on. */
  #observe(now: number): void {
    const { clock, waits, gates } = this.#table;
    clock.observe(now, this);
    if (waits.undated > 0) for (const gate of Object.values(gates)) gate.date();
  }
}

/** A message counts against the window until the application has it. */
function retainMessages(port: SctpPort): void {
  port.retainsMessages = true;
}
