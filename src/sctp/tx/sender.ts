/**
 * The sending half: messages in; DATA and FORWARD TSN chunks out; SACKs and T3 back in.
 *
 *   fill(packet): lost chunks first (given up instead, if their message may be) → new data → FORWARD TSN
 *   expire(): messages whose time is up and that need not be waited for → given up
 *   handleSack(): acknowledged, overtaken, lost → congestion window and rate, fast recovery, round-trip sample
 *   handleReordering(): what was overtaken and did not come in time is lost (RFC 8985 §6.3)
 *   handleTailProbe(): silence after the last packet → it goes out once more (RFC 8985 §7)
 *   handleTimeout(): T3 → everything in flight is lost, one packet goes out
 *
 * What may go out is bounded by the congestion window, the peer's window, and the controller's pace or a burst; one packet
 * may always go out while nothing is in flight, so that neither window can shut for ever (RFC 9260 §6.1 A).
 */
import type { Counters } from '../../core/counters.ts';
import { DeadlineHeap } from '../../core/deadline-heap.ts';
import { I_DATA_HEADER_SIZE, padded } from '../constants.ts';
import type { MessageOutcome, SctpCounter } from '../events.ts';
import type { SenderInspection } from '../inspection.ts';
import type { SkippedStream } from '../packet/forward-tsn.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../packet/forward-tsn.ts';
import type { PacketWriter } from '../packet/packet.ts';
import type { SackChunk } from '../packet/sack.ts';
import { TsnLine } from '../tsn.ts';
import type { AckSample, CongestionController, LossSample } from './congestion.ts';
import type { Losses, SackOutcome } from './outstanding.ts';
import { writeDataChunk } from './data-chunk.ts';
import { Outstanding } from './outstanding.ts';
import { Pacer } from './pacer.ts';
import type { RtoEstimator } from './rto.ts';
import type { OutgoingMessage } from './send-queue.ts';
import { endMessage, SendQueue } from './send-queue.ts';
import type { Scheduling } from './turns.ts';

export interface SenderOptions {
  /** Bytes of chunks in a full packet, until `setSpace` says otherwise. */
  readonly chunkSpace: number;
  /** Packets that may go out beyond what an input acknowledged (RFC 9260 §6.1 D "Max.Burst"). */
  readonly maxBurst: number;
  readonly scheduling: Scheduling;
}

/** Told of what concerns the application. */
export interface SenderObserver {
  bufferedAmountLow(streamId: number): void;
  /** A message that somebody asked about has ended. */
  outcome(message: OutgoingMessage, outcome: MessageOutcome): void;
}

/** What a SACK meant to the timers. */
export interface SackVerdict {
  /** False: it acknowledges what was never sent, and nothing has changed. */
  readonly valid: boolean;
  /** The earliest outstanding chunk was acknowledged: T3 starts anew. */
  readonly advanced: boolean;
  /** Something was acknowledged for the first time. */
  readonly progress: boolean;
}

/** RFC 8985 §7.2: a probe time-out in round trips, and its floor in milliseconds. */
const PROBE_ROUND_TRIPS = 2;
const MIN_PROBE_TIMEOUT = 10;

/** Milliseconds that something overtaken may always be late: clocks of hosts are no finer. */
const MIN_REORDERING_WINDOW = 1;

const STALE: SackVerdict = { valid: true, advanced: false, progress: false };
const INVALID: SackVerdict = { valid: false, advanced: false, progress: false };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const NO_ACK: AckSample = {
  now: 0,
  ackedBytes: 0,
  inFlight: 0,
  delivered: 0,
  priorDelivered: -1,
  deliveryRate: 0,
  isAppLimited: false,
  roundTripTime: -1,
  advanced: false,
  recovering: false,
  windowLimited: false,
};

export class Sender {
  readonly line: TsnLine;
  readonly queue: SendQueue;
  readonly outstanding: Outstanding;
  readonly rto: RtoEstimator;
  readonly congestion: CongestionController;
  /** The a_rwnd of the last SACK, bytes. */
  peerWindow = 0;
  /** The peer understands FORWARD TSN: messages may be given up. */
  partialReliability = false;
  /** A FORWARD TSN never reaches beyond this position: the last one before a stream reset that is under way. */
  forwardBarrier: number = Infinity;
  /** Set when the earliest outstanding chunk has been sent again: T3 starts anew (RFC 9260 §6.3.2 R4). */
  earliestResent = false;
  /** Position of the first chunk that the last `fill` wrote, -1 if it wrote none. */
  firstFilled = -1;
  /** Bytes of chunks in a full packet, and of the largest chunk; both with headers. */
  #chunkSpace: number;
  #largestChunk: number;
  /** Messages with a lifetime that have not ended, by when it does. */
  readonly #lifetimes = new DeadlineHeap<OutgoingMessage>();
  readonly #options: SenderOptions;
  readonly #observer: SenderObserver;
  readonly #counters: Counters<SctpCounter>;
  readonly #pacer: Pacer;
  #burst: number;
  /** The pacer holds back what the windows would let out, until then; Infinity: it does not. */
  #releaseAt: number = Infinity;
  /** When something was last sent or acknowledged. */
  #activeAt = 0;
  #isActiveProvisional = false;
  /** The silence has been probed: the rest is T3's. */
  #tailProbed = false;
  /** Fast recovery lasts until this position is acknowledged; -1 outside. */
  #recoveryExit = -1;
  /** Chunks below this position went out while the congestion window held the sender back. */
  #limitedUntil = 0;
  /** RFC 9260 §7.2.4 (3): the first packet of a fast retransmission does not ask the window. */
  #exempt = false;
  /** T3 has expired: one chunk may go out against a shut window (RFC 9260 §6.1 A, "zero window probe"). */
  #windowProbe = false;
  /** Bytes delivered from which on the next round trip is timed: one a round (RFC 9260 §6.3.1 C4). */
  #nextSampleAt = 0;
  readonly #ack: Mutable<AckSample> = { ...NO_ACK };
  readonly #loss: Mutable<LossSample> = { now: 0, lostBytes: 0, inFlight: 0, startsRecovery: false };
  #forwardDue = false;
  #forwardedAt = -Infinity;

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
    this.line = new TsnLine(initialTsn);
    this.#observer = parts.observer;
    const ended = (message: OutgoingMessage, outcome: MessageOutcome): void => {
      this.#endMessage(message, outcome);
    };
    this.outstanding = new Outstanding({ ended });
    this.queue = new SendQueue(
      {
        bufferedAmountLow: (streamId) => {
          parts.observer.bufferedAmountLow(streamId);
        },
        ended,
      },
      options.scheduling,
    );
    this.rto = parts.rto;
    this.congestion = parts.congestion;
    this.#counters = parts.counters;
    this.#options = options;
    this.#burst = options.maxBurst;
    this.#pacer = new Pacer(options.chunkSpace);
    this.#chunkSpace = options.chunkSpace;
    this.#largestChunk = options.chunkSpace;
  }

  /** From now on a packet has room for `chunkSpace` bytes of chunks, and no chunk takes more than `largestChunk` of them. */
  setSpace(chunkSpace: number, largestChunk: number): void {
    if (chunkSpace !== this.#chunkSpace) {
      this.congestion.setMtu(chunkSpace);
      this.#pacer.setMtu(chunkSpace);
    }
    this.#chunkSpace = chunkSpace;
    this.#largestChunk = largestChunk;
  }

  /** What the next packet must have room for at the least: a chunk that was made for larger packets goes alone. */
  get neededSpace(): number {
    const { outstanding } = this;
    const position = outstanding.nextLost();
    return position < 0 ? 0 : outstanding.headerSize + padded(outstanding.size(position));
  }

  /** True while T3 must run: for an acknowledgement, or for the next probe of a shut window. */
  get needsTimer(): boolean {
    return this.outstanding.count > 0 || (this.peerWindow === 0 && this.queue.bufferedBytes > 0);
  }

  /** True while something waits to be sent or to be acknowledged. */
  get hasPending(): boolean {
    return this.queue.bufferedBytes > 0 || this.outstanding.count > 0;
  }

  /** User bytes held: accepted and not yet acknowledged. */
  get heldBytes(): number {
    return this.queue.bufferedBytes + this.outstanding.unackedBytes;
  }

  get isRecovering(): boolean {
    return this.#recoveryExit >= 0;
  }

  /** The earliest time at which a message runs out of its lifetime; Infinity: none. */
  get nextExpiry(): number {
    return this.#lifetimes.next();
  }

  /** When the pacer lets out more of what waits for it; Infinity: nothing waits for it. */
  get releaseAt(): number {
    return this.#releaseAt;
  }

  /** When a chunk that was overtaken counts as lost; Infinity: none was. */
  get reorderingDeadline(): number {
    return this.outstanding.nextLossAt(this.#reorderingWindow, this.isRecovering);
  }

  /** Milliseconds of silence after which the tail is probed; Infinity: T3 alone waits. */
  get probeTimeout(): number {
    const { outstanding, rto } = this;
    if (rto.smoothed === undefined || this.#tailProbed || this.isRecovering) return Infinity;
    // The SACK of a single packet may be delayed for longer than T3 differs from a probe.
    const isTail = outstanding.lostCount === 0 && outstanding.flightBytes > this.#chunkSpace;
    if (!isTail || this.peerWindow === 0) return Infinity;
    const timeout = Math.max(PROBE_ROUND_TRIPS * rto.smoothed, MIN_PROBE_TIMEOUT);
    return timeout < rto.timeout ? timeout : Infinity;
  }

  /** A time is seen: what was done at an unknown one was done no later. */
  observe(now: number): void {
    this.outstanding.sent.observe(now);
    if (!this.#isActiveProvisional) return;
    this.#isActiveProvisional = false;
    this.#activeAt = now;
  }

  /** RFC 8260 was negotiated: I-DATA and I-FORWARD-TSN take the place of DATA and FORWARD TSN. */
  enableInterleaving(): void {
    this.queue.interleaving = true;
    this.outstanding.headerSize = I_DATA_HEADER_SIZE;
  }

  /** A message's lifetime has begun: it ends at `at`. */
  limitLifetime(message: OutgoingMessage, at: number): void {
    if (message.outcome !== undefined) return;
    message.expiresAt = at;
    this.#lifetimes.set(message, at);
  }

  /**
   * Gives up what has run out of time and would go on costing: unsent messages, half-sent ones, and those that wait
   * to be sent again. Of one that is in flight as a whole an acknowledgement may be on its way: if it is lost, it goes then.
   */
  expire(now: number): void {
    for (let due = this.#lifetimes.takeDue(now); due !== undefined; due = this.#lifetimes.takeDue(now)) {
      if (due.sent === 0) this.queue.expire(due);
      else if (!this.partialReliability) continue;
      else if (due.sent < due.length || this.outstanding.hasLost(due)) this.#abandon(due, 'expired');
    }
  }

  /** The application has given us something: a burst may start. */
  allowBurst(): void {
    this.#burst = Math.max(this.#burst, this.#options.maxBurst);
  }

  /**
   * Adds what may go out to the packet; false when there is nothing.
   * @param fresh the time is known to be now: a round trip may be timed from it.
   */
  fill(writer: PacketWriter, now: number, fresh: boolean): boolean {
    let wrote = false;
    this.firstFilled = -1;
    const before = this.outstanding.flightBytes;
    if (this.#mayStartPacket(now)) {
      wrote = this.#fillLost(writer, now, fresh);
      if (this.outstanding.lostCount === 0 && this.#fillNew(writer, now, fresh)) wrote = true;
    }
    if (wrote) {
      this.#noteSent(this.outstanding.flightBytes - before, now, fresh);
    } else if (this.#isAppLimited) {
      this.outstanding.sent.noteAppLimited(this.outstanding.flightBytes);
    }
    return this.#writeForwardTsn(writer, now) || wrote;
  }

  /** Takes a SACK, or the cumulative TSN of a SHUTDOWN (without `window` and with no blocks). */
  handleSack(sack: Omit<SackChunk, 'duplicates' | 'window'>, window: number, now: number): SackVerdict {
    const outstanding = this.outstanding;
    const cumulative = this.line.position(sack.cumulativeTsn, outstanding.cumulative);
    if (cumulative < outstanding.cumulative) {
      this.#counters.add('stale-sack');
      return STALE;
    }
    const hadReneged = outstanding.hasReneged;
    const recovering = this.isRecovering;
    const outcome = outstanding.handleSack(cumulative, sack.blocks, now);
    if (outcome === undefined) {
      this.#counters.add('invalid-sack');
      return INVALID;
    }
    this.peerWindow = window;
    this.#allowFor(outcome.ackedBytes);
    if (outcome.cumulativeAdvanced) this.#handleAdvance(cumulative);
    if (outcome.ackedBytes > 0 || outcome.cumulativeAdvanced) {
      this.#tailProbed = false;
      this.#activeAt = now;
      this.#sampleRoundTrip();
      this.#tellAcknowledged(outcome, recovering, now);
    }
    this.#handleLosses(outstanding.detectLosses(now, this.#reorderingWindow, recovering), now);
    this.#remindOfForward(now, outcome.cumulativeAdvanced);
    return {
      valid: true,
      advanced: outcome.cumulativeAdvanced,
      progress: outcome.cumulativeAdvanced || (outcome.ackedBytes > 0 && !hadReneged),
    };
  }

  /** The pacer's wait is over: what it held back may be polled. */
  handleRelease(): void {
    this.#releaseAt = Infinity;
  }

  /** RFC 8985 §6.3: the reordering window of something overtaken has passed. */
  handleReordering(now: number): void {
    this.#handleLosses(this.outstanding.detectLosses(now, this.#reorderingWindow, this.isRecovering), now);
  }

  /** Silence: the milliseconds that are left of it, 0 when the tail is being probed (RFC 8985 §7.3). */
  handleTailProbe(now: number): number {
    const left = this.#activeAt + this.probeTimeout - now;
    if (left > 0) return left;
    this.#tailProbed = true;
    if (!this.outstanding.loseLast()) return 0;
    this.#counters.add('tail-loss-probes');
    this.#exempt = true;
    this.allowBurst();
    return 0;
  }

  /** T3-rtx expired (RFC 9260 §6.3.3). */
  handleTimeout(now: number): void {
    this.#counters.add('retransmission-timeouts');
    this.rto.backOff();
    // A probe of a shut window that goes unanswered says nothing about congestion (RFC 9260 §6.1 A).
    if (this.peerWindow > 0) this.congestion.onTimeout(now);
    this.#windowProbe = true;
    this.#loseAll();
  }

  /** The path is back: what was in flight is taken for lost, and the time-out starts from the bottom. */
  handlePathRestored(now: number): void {
    this.rto.resetBackoff();
    this.outstanding.sent.forgetPath();
    this.congestion.onPathChange(now);
    if (this.outstanding.count > 0) this.#loseAll();
  }

  /** A stream reset has ended: a FORWARD TSN that was held back may go. */
  liftForwardBarrier(): void {
    this.forwardBarrier = Infinity;
    this.#forwardDue = true;
  }

  clear(): void {
    this.queue.clear();
    this.outstanding.clear();
    this.#lifetimes.clear();
    this.#forwardDue = false;
    this.#releaseAt = Infinity;
  }

  inspect(): SenderInspection {
    return {
      bufferedBytes: this.queue.bufferedBytes,
      streams: this.queue.streamCount,
      outstandingChunks: this.outstanding.count,
      unackedBytes: this.outstanding.unackedBytes,
      flightBytes: this.outstanding.flightBytes,
      lostChunks: this.outstanding.lostCount,
      peerWindow: this.peerWindow,
      recovering: this.isRecovering,
      retransmissionTimeout: this.rto.timeout,
      roundTripTime: this.rto.smoothed ?? null,
      reorderingQuarters: this.outstanding.sent.reorderingQuarters,
      congestion: this.congestion.inspect(),
    };
  }

  /**
   * What was acknowledged may be replaced, twice over while the window doubles; the burst on top bounds what a window
   * opened at once (after idling, after recovery) puts on the path in one go.
   */
  #allowFor(ackedBytes: number): void {
    this.#burst += this.#options.maxBurst + 2 * Math.ceil(ackedBytes / this.#chunkSpace);
  }

  #handleAdvance(cumulative: number): void {
    if (cumulative >= this.#recoveryExit) this.#recoveryExit = -1;
  }

  #sampleRoundTrip(): void {
    const { sent } = this.outstanding;
    if (sent.roundTripTime < 0 || sent.priorDelivered < this.#nextSampleAt) return;
    this.#nextSampleAt = sent.delivered;
    // While the window is shut the time-out goes on backing off, whatever a probe's round trip was.
    if (this.peerWindow > 0) this.rto.sample(sent.roundTripTime);
  }

  #tellAcknowledged(outcome: Readonly<SackOutcome>, recovering: boolean, now: number): void {
    const { sent, flightBytes, cumulative } = this.outstanding;
    const ack = this.#ack;
    ack.now = now;
    ack.ackedBytes = outcome.ackedBytes;
    ack.inFlight = flightBytes;
    ack.delivered = sent.delivered;
    ack.priorDelivered = sent.priorDelivered;
    ack.deliveryRate = sent.deliveryRate;
    ack.isAppLimited = sent.isAppLimited;
    ack.roundTripTime = sent.roundTripTime;
    ack.advanced = outcome.cumulativeAdvanced;
    ack.recovering = recovering && this.isRecovering;
    ack.windowLimited = cumulative < this.#limitedUntil;
    this.congestion.onAcknowledged(ack);
  }

  #handleLosses({ chunks, bytes }: Readonly<Losses>, now: number): void {
    if (chunks === 0) return;
    this.#counters.add('fast-retransmits', chunks);
    const loss = this.#loss;
    loss.now = now;
    loss.lostBytes = bytes;
    loss.inFlight = this.outstanding.flightBytes;
    loss.startsRecovery = !this.isRecovering;
    this.congestion.onLost(loss);
    this.allowBurst();
    if (this.isRecovering) return;
    this.#recoveryExit = this.outstanding.next - 1;
    this.#exempt = true;
  }

  get #reorderingWindow(): number {
    const quarters = Math.max(this.outstanding.sent.reorderingQuarters, 1);
    return Math.max(((this.rto.smoothed ?? this.rto.base) * quarters) / 4, MIN_REORDERING_WINDOW);
  }

  /** Nothing to send while the path would take more: what limits the sender is the application. */
  get #isAppLimited(): boolean {
    const { outstanding, queue } = this;
    if (queue.bufferedBytes > 0 || outstanding.lostCount > 0) return false;
    return outstanding.flightBytes < this.congestion.window;
  }

  /** Asks the pacer, or without a pace the burst. The first packet of a recovery, and of all, goes out unasked. */
  #mayStartPacket(now: number): boolean {
    const { outstanding } = this;
    const rate = this.congestion.pacingRate;
    this.#releaseAt = Infinity;
    if (rate === Infinity) return this.#burst > 0;
    if (this.#exempt || outstanding.flightBytes === 0 || this.#pacer.mayRelease(now, rate)) return true;
    const waits = outstanding.lostCount > 0 || this.queue.bufferedBytes > 0;
    if (waits && this.#mayFly(1)) this.#releaseAt = this.#pacer.releaseAt(now, rate);
    return false;
  }

  #noteSent(bytes: number, now: number, fresh: boolean): void {
    this.#pacer.spend(Math.max(0, bytes));
    this.#activeAt = now;
    if (!fresh) this.#isActiveProvisional = true;
    if (this.#burst > 0) this.#burst--;
    if (this.#burst === 0) this.#mayFly(this.#largestChunk - this.outstanding.headerSize);
    this.#exempt = false;
    this.#windowProbe = false;
  }

  #loseAll(): void {
    this.outstanding.loseAll();
    this.#tailProbed = false;
    this.#recoveryExit = -1;
    this.#exempt = false;
    this.#forwardDue = true;
    this.allowBurst();
  }

  #fillLost(writer: PacketWriter, now: number, fresh: boolean): boolean {
    const outstanding = this.outstanding;
    let wrote = false;
    for (;;) {
      const position = outstanding.nextLost();
      if (position < 0) return wrote;
      const message = outstanding.message(position);
      if (message === undefined) return wrote;
      if (this.#isExpendable(message, outstanding.transmissions(position), now)) {
        this.#abandon(message, message.expiresAt <= now ? 'expired' : 'abandoned');
        continue;
      }
      const size = outstanding.size(position);
      if (outstanding.headerSize + padded(size) > writer.room || !this.#mayFly(size)) return wrote;
      outstanding.resend(position, now, fresh);
      this.#counters.add('retransmitted-chunks');
      if (position === outstanding.cumulative + 1) this.earliestResent = true;
      this.#write(writer, message, position, outstanding.offset(position), size);
      wrote = true;
    }
  }

  #fillNew(writer: PacketWriter, now: number, fresh: boolean): boolean {
    const outstanding = this.outstanding;
    const { headerSize } = outstanding;
    const full = this.#largestChunk - headerSize;
    // The chunks of a packet that must hold several are made even; the last takes what is left.
    const even = this.#chunkSpace / Math.ceil(this.#chunkSpace / this.#largestChunk);
    const fragment = padded(Math.ceil(even)) - headerSize;
    let wrote = false;
    while (!outstanding.isFull) {
      const message = this.queue.head(now);
      if (message === undefined) break;
      if (message.sent > 0 && this.partialReliability && message.expiresAt <= now) {
        this.#abandon(message, 'expired');
        continue;
      }
      const rest = message.length - message.sent;
      const space = (writer.room - headerSize) & ~3;
      const size = Math.min(rest, space, rest <= full ? rest : fragment);
      // A message is not torn to fill what little a packet has left.
      if (size <= 0 || (size < rest && space * 2 < full) || !this.#mayFly(size)) break;
      const offset = message.sent;
      const position = outstanding.add(message, offset, size, now, fresh);
      this.queue.take(message, size);
      if (offset + size === message.length) this.#counters.add('messages-sent');
      this.#write(writer, message, position, offset, size);
      wrote = true;
    }
    return wrote;
  }

  #mayFly(size: number): boolean {
    const { flightBytes, flightPayload } = this.outstanding;
    if (this.#exempt) return true;
    if (flightBytes === 0) return this.peerWindow > 0 || this.#windowProbe;
    if (flightBytes + this.outstanding.headerSize + padded(size) > this.congestion.window) {
      this.#limitedUntil = this.outstanding.next;
      return false;
    }
    return flightPayload + size <= this.peerWindow;
  }

  /** RFC 3758 §3.5 A: the message need not be sent any more. */
  #isExpendable(message: OutgoingMessage, transmissions: number, now: number): boolean {
    return this.partialReliability && (transmissions > message.maxRetransmits || message.expiresAt <= now);
  }

  /** Gives up the whole message, its unsent rest included: a part of it is of no use to the receiver. */
  #abandon(message: OutgoingMessage, outcome: 'expired' | 'abandoned'): void {
    this.#counters.add('abandoned-messages');
    this.outstanding.abandon(message);
    if (this.queue.abandonRest(message) > 0) this.outstanding.addPlaceholder(message);
    this.#endMessage(message, outcome);
    this.#forwardDue = true;
  }

  /** Every message comes here once: its one outcome. */
  #endMessage(message: OutgoingMessage, outcome: MessageOutcome): void {
    if (outcome === 'expired' && message.sent === 0) this.#counters.add('expired-messages');
    endMessage(message, outcome);
    if (message.lifetime !== Infinity) this.#lifetimes.delete(message);
    if (message.token !== undefined) this.#observer.outcome(message, outcome);
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

  /** RFC 3758 §3.5 C: a lost FORWARD TSN is sent again, once a round trip at the most, and with every T3. */
  #remindOfForward(now: number, advanced: boolean): void {
    if (!this.outstanding.isAbandoned(this.outstanding.cumulative + 1)) return;
    if (advanced || now - this.#forwardedAt >= (this.rto.smoothed ?? this.rto.base)) this.#forwardDue = true;
  }

  #writeForwardTsn(writer: PacketWriter, now: number): boolean {
    if (!this.#forwardDue) return false;
    const { outstanding } = this;
    const { interleaving } = this.queue;
    // What does not fit waits for the next one.
    const entrySize = interleaving ? 8 : 4;
    const maxStreams = Math.floor((this.#chunkSpace - 8) / entrySize);
    const skipped = new Map<number, SkippedStream>();
    let position = outstanding.cumulative;
    while (position < this.forwardBarrier && outstanding.isAbandoned(position + 1)) {
      const message = outstanding.message(position + 1);
      // RFC 3758 §3.2 lists ordered messages alone; with interleaving unordered ones have numbers, too.
      if (message !== undefined && (interleaving || !message.unordered)) {
        const { streamId, unordered, sequence } = message;
        const key = streamId * 2 + (unordered ? 1 : 0);
        if (skipped.size === maxStreams && !skipped.has(key)) break;
        const known = skipped.get(key);
        if (known === undefined || isLater(sequence, known.sequence, interleaving))
          skipped.set(key, { streamId, unordered, sequence });
      }
      position++;
    }
    if (position === outstanding.cumulative) {
      this.#forwardDue = false;
      return false;
    }
    if (8 + entrySize * skipped.size > writer.room) return false;
    const forward = { newCumulativeTsn: this.line.wire(position), streams: [...skipped.values()] };
    writer.chunk(interleaving ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
    this.#forwardDue = false;
    this.#forwardedAt = now;
    return true;
  }
}

/** True if `a` comes after `b` on the circle of 16-bit SSNs or 32-bit MIDs. */
function isLater(a: number, b: number, isMid: boolean): boolean {
  return isMid ? ((a - b) | 0) > 0 : ((a - b) << 16) >> 16 > 0;
}
