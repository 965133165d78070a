/**
 * The sending half: messages in; DATA and FORWARD TSN chunks out. Its parts, and what comes back in:
 *
 *   prepare() → writeForwardTsn(packet) → fill(packet): lost chunks first → new data → the I bit, if it is the only packet
 *                                                       in flight
 *
 *   queue         messages not yet sent, their streams taking turns
 *   outstanding   chunks sent and not acknowledged
 *   sendWindow     what may go out now: windows, pace, bursts
 *   recovery      SACKs, losses, probes, T3
 *   abandonment   messages given up
 *   forwarding    how far the peer may move on, FORWARD TSN
 */
import type { Counters } from '../../core/counters.ts';
import {
  CHUNK,
  charge,
  FLAG_BEGIN,
  FLAG_END,
  FLAG_IMMEDIATE,
  FLAG_UNORDERED,
  I_DATA_HEADER_SIZE,
  MIN_CHARGE,
  padded,
} from '../constants.ts';
import type { MessageOutcome, SctpCounter } from '../events.ts';
import type { SenderInspection } from '../inspection.ts';
import type { PacketWriter } from '../packet/packet.ts';
import { TsnLine } from '../tsn.ts';
import { Abandonment } from './abandonment.ts';
import { SendWindow } from './send-window.ts';
import type { CongestionController } from './congestion.ts';
import { Forwarding } from './forwarding.ts';
import type { OutstandingObserver } from './outstanding.ts';
import { Outstanding } from './outstanding.ts';
import { Recovery } from './recovery.ts';
import type { RtoEstimator } from './rto.ts';
import type { OutgoingMessage, SendQueueObserver } from './send-queue.ts';
import { SendQueue } from './send-queue.ts';
import type { Scheduling } from './turns.ts';

/** How the sending half is set up. */
export interface SenderOptions {
  /** Bytes of chunks in a full packet, until `setSpace` says otherwise. */
  readonly chunkSpace: number;
  /** Packets that may go out beyond what an input acknowledged (RFC 9260 §6.1 D "Max.Burst"). */
  readonly maxBurst: number;
  readonly scheduling: Scheduling;
  /** Bytes a millisecond, over all; `undefined`: a controller with a pace has a ceiling of its own. */
  readonly maxRate?: number | undefined;
}

/** Told of what concerns the application. */
export interface SenderObserver {
  bufferedAmountLow(streamId: number): void;
  /** A message that somebody asked about has ended. */
  outcome(message: OutgoingMessage, outcome: MessageOutcome): void;
}

/** The sending half of an association. */
export class Sender implements OutstandingObserver, SendQueueObserver {
  readonly line: TsnLine;
  readonly queue: SendQueue;
  readonly outstanding: Outstanding;
  readonly sendWindow: SendWindow;
  readonly recovery: Recovery;
  readonly abandonment: Abandonment;
  readonly forwarding: Forwarding;
  readonly rto: RtoEstimator;
  readonly congestion: CongestionController;
  readonly counters: Counters<SctpCounter>;
  readonly #observer: SenderObserver;
  /** Set when the earliest outstanding chunk has been sent again: T3 starts anew (RFC 9260 §6.3.2 R4). */
  earliestResent = false;
  /** Position of the first chunk that the last `fill` wrote, -1 if it wrote none. */
  firstFilled = -1;
  /** What messages that have not ended are charged beyond their bytes. */
  #surcharge = 0;

  constructor(
    initialTsn: number,
    parts: {
      readonly observer: SenderObserver;
      readonly rto: RtoEstimator;
      readonly congestion: CongestionController;
      readonly counters: Counters<SctpCounter>;
    },
    options: SenderOptions,
  ) {
    const { observer, rto, congestion, counters } = parts;
    this.#observer = observer;
    this.line = new TsnLine(initialTsn);
    this.outstanding = new Outstanding(this);
    this.queue = new SendQueue(this, options.scheduling);
    this.rto = rto;
    this.congestion = congestion;
    this.counters = counters;
    this.sendWindow = new SendWindow(this.outstanding, congestion, options);
    this.abandonment = new Abandonment(this);
    this.forwarding = new Forwarding(this);
    this.recovery = new Recovery(this);
  }

  /** A message has ended, wherever it was. */
  ended(message: OutgoingMessage, outcome: MessageOutcome): void {
    this.#surcharge -= charge(message.length) - message.length;
    this.abandonment.end(message, outcome);
    if (message.token !== undefined) this.#observer.outcome(message, outcome);
  }

  /** A chunk of a message is lost. */
  lost(message: OutgoingMessage, transmissions: number, now: number): void {
    this.abandonment.handleLost(message, transmissions, now);
  }

  /** What a stream has queued has fallen to its threshold. */
  bufferedAmountLow(streamId: number): void {
    this.#observer.bufferedAmountLow(streamId);
  }

  /** What the next packet must have room for: a chunk that was made for larger packets goes alone. */
  get neededSpace(): number {
    const { outstanding } = this;
    const position = outstanding.nextLost();
    const lost = position < 0 ? 0 : outstanding.headerSize + padded(outstanding.size(position));
    return this.forwarding.isIdle ? lost : Math.max(lost, this.forwarding.neededSpace);
  }

  /** True while T3 must run: for an acknowledgement, or for the next probe of a shut window. */
  get needsTimer(): boolean {
    return this.outstanding.count > 0 || (this.sendWindow.peerWindow === 0 && this.queue.bufferedBytes > 0);
  }

  /** True while something waits to be sent or to be acknowledged. */
  get hasPending(): boolean {
    return this.queue.bufferedBytes > 0 || this.outstanding.count > 0;
  }

  /** Bytes charged for what was accepted and is not yet acknowledged. */
  get heldBytes(): number {
    const { bufferedBytes, expiredCount } = this.queue;
    return bufferedBytes + this.outstanding.unackedBytes + this.#surcharge + expiredCount * MIN_CHARGE;
  }

  /** Takes a message to be sent: a burst may start. */
  accept(message: OutgoingMessage): void {
    this.#surcharge += charge(message.length) - message.length;
    this.queue.enqueue(message);
    this.sendWindow.allowBurst();
  }

  /** RFC 8260 was negotiated: I-DATA and I-FORWARD-TSN take the place of DATA and FORWARD TSN. */
  enableInterleaving(): void {
    this.queue.interleaving = true;
    this.outstanding.headerSize = I_DATA_HEADER_SIZE;
  }

  /** Gives up what has run out of time by `now`, and takes note of how far the peer may move on. Before each packet. */
  prepare(now: number): void {
    if (this.abandonment.nextExpiry <= now) this.abandonment.expire(now);
    this.advanceForwarding();
  }

  /** Takes note of how far the peer may move on, if something was given up. */
  advanceForwarding(): void {
    if (this.outstanding.abandonedCount > 0 || !this.forwarding.isIdle) this.forwarding.advance();
  }

  /** Adds the FORWARD TSN that is due, if there is one and it fits: it stands before all data (RFC 9260 §6.10). */
  writeForwardTsn(writer: PacketWriter, now: number): boolean {
    return !this.forwarding.isIdle && this.forwarding.write(writer, now, this.rto.smoothed ?? this.rto.base);
  }

  /**
   * Adds what may go out to the packet; false when there is nothing.
   * @param fresh the time is known to be now: a round trip may be timed from it.
   */
  fill(writer: PacketWriter, now: number, fresh: boolean): boolean {
    const { outstanding, sendWindow } = this;
    let wrote = false;
    this.firstFilled = -1;
    const before = outstanding.flightBytes;
    if (sendWindow.mayStart(now, this.#hasMore())) {
      wrote = this.#fillLost(writer, now, fresh);
      if (outstanding.lostCount === 0 && this.#fillNew(writer, now, fresh)) wrote = true;
    }
    if (wrote) {
      sendWindow.spend(outstanding.flightBytes - before);
      // RFC 9260 §3.3.1, "can benefit from the corresponding SACK chunk being sent back without delay": nothing follows that
      // would make the peer send one, and until it comes nothing tells whether the packet was lost.
      const isLone = before === 0 && !(this.#hasMore() && sendWindow.mayFlyFull());
      if (isLone) writer.addFlags(FLAG_IMMEDIATE);
      this.recovery.noteSent(now, fresh, isLone);
    } else if (!this.#hasMore() && sendWindow.hasRoom) {
      // What limits the sender is the application.
      outstanding.sent.noteAppLimited(outstanding.flightBytes);
    }
    return wrote;
  }

  clear(): void {
    this.queue.clear();
    this.outstanding.clear();
    this.abandonment.clear();
    this.forwarding.clear();
    this.sendWindow.releaseAt = Infinity;
  }

  inspect(): SenderInspection {
    return {
      bufferedBytes: this.queue.bufferedBytes,
      streams: this.queue.streamCount,
      outstandingChunks: this.outstanding.count,
      unackedBytes: this.outstanding.unackedBytes,
      flightBytes: this.outstanding.flightBytes,
      lostChunks: this.outstanding.lostCount,
      peerWindow: this.sendWindow.peerWindow,
      recovering: this.recovery.isRecovering,
      retransmissionTimeout: this.rto.timeout,
      roundTripTime: this.rto.smoothed ?? null,
      reorderingQuarters: this.outstanding.sent.reorderingQuarters,
      congestion: this.congestion.inspect(),
    };
  }

  /** Something waits to be sent, for the first time or again. */
  #hasMore(): boolean {
    return this.queue.bufferedBytes > 0 || this.outstanding.lostCount > 0;
  }

  #fillLost(writer: PacketWriter, now: number, fresh: boolean): boolean {
    const outstanding = this.outstanding;
    let wrote = false;
    for (;;) {
      const position = outstanding.nextLost();
      if (position < 0) return wrote;
      const message = outstanding.message(position);
      if (message === undefined) return wrote;
      const size = outstanding.size(position);
      if (outstanding.headerSize + padded(size) > writer.room || !this.sendWindow.mayFly(size)) return wrote;
      outstanding.resend(position, now, fresh);
      this.counters.add('retransmitted-chunks');
      if (position === outstanding.cumulative + 1) this.earliestResent = true;
      this.#write(writer, message, position, outstanding.offset(position), size);
      wrote = true;
    }
  }

  #fillNew(writer: PacketWriter, now: number, fresh: boolean): boolean {
    const outstanding = this.outstanding;
    const { headerSize } = outstanding;
    const { chunkSpace, largestChunk } = this.sendWindow;
    const full = largestChunk - headerSize;
    // The chunks of a packet that must hold several are made even; the last takes what is left.
    const even = chunkSpace / Math.ceil(chunkSpace / largestChunk);
    const fragment = padded(Math.ceil(even)) - headerSize;
    let wrote = false;
    while (!outstanding.isFull) {
      const message = this.queue.head(now);
      if (message === undefined) break;
      const rest = message.length - message.sent;
      const space = (writer.room - headerSize) & ~3;
      const size = Math.min(rest, space, rest <= full ? rest : fragment);
      // A message is not torn to fill what little a packet has left.
      if (size <= 0 || (size < rest && space * 2 < full) || !this.sendWindow.mayFly(size)) break;
      const offset = message.sent;
      const position = outstanding.add(message, offset, size, now, fresh);
      this.queue.take(message, size);
      if (offset + size === message.length) this.counters.add('messages-sent');
      this.#write(writer, message, position, offset, size);
      wrote = true;
    }
    return wrote;
  }

  #write(
    writer: PacketWriter,
    message: OutgoingMessage,
    position: number,
    offset: number,
    size: number,
  ): void {
    if (this.firstFilled < 0) this.firstFilled = position;
    const fragment = this.queue.interleaving ? this.outstanding.fragment(position) : undefined;
    writeDataChunk(writer, this.line.wire(position), message, offset, size, fragment);
  }
}

/**
 * Writes `size` bytes of the message from `offset` as a DATA chunk (RFC 9260 §3.3.1) or an I-DATA chunk (RFC 8260 §2.1).
 * @param fragment its number in the message, for I-DATA; `undefined`: DATA
 */
function writeDataChunk(
  writer: PacketWriter,
  tsn: number,
  message: OutgoingMessage,
  offset: number,
  size: number,
  fragment: number | undefined,
): void {
  const { data } = message;
  let flags = message.unordered ? FLAG_UNORDERED : 0;
  if (offset === 0) flags |= FLAG_BEGIN;
  if (offset + size === data.length) flags |= FLAG_END;
  if (fragment === undefined) {
    writer
      .beginChunk(CHUNK.data, flags)
      .u32(tsn)
      .u16(message.streamId)
      .u16(message.sequence)
      .u32(message.ppid);
  } else {
    // RFC 8260 §2.1: the first fragment says what the message is, the others which they are.
    writer
      .beginChunk(CHUNK.iData, flags)
      .u32(tsn)
      .u16(message.streamId)
      .u16(0)
      .u32(message.sequence)
      .u32(offset === 0 ? message.ppid : fragment);
  }
  writer.raw(size === data.length ? data : data.subarray(offset, offset + size)).endChunk();
}
