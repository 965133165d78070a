/**
 * Messages that are given up (RFC 3758): by lifetime or by retransmissions, and the FORWARD TSNs that say so.
 *
 *   limitLifetime() → its time is up → expire(): unsent, half sent or to be sent again → abandon()
 *   lost, and sent too often or out of time → isExpendable() → abandon()
 *   abandon() → FORWARD TSN due → writeForwardTsn() → the cumulative TSN moves; if it does not: remind()
 */
import type { Counters } from '../../core/counters.ts';
import { DeadlineHeap } from '../../core/deadline-heap.ts';
import type { MessageOutcome, SctpCounter } from '../events.ts';
import type { SkippedStream } from '../packet/forward-tsn.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../packet/forward-tsn.ts';
import type { PacketWriter } from '../packet/packet.ts';
import type { TsnLine } from '../tsn.ts';
import type { Outstanding } from './outstanding.ts';
import type { OutgoingMessage, SendQueue } from './send-queue.ts';
import { endMessage } from './send-queue.ts';

/** Milliseconds: a message whose lifetime is 0 goes out if it can at once, and is not repeated. */
const SHORTEST_LIFETIME = 1;

/** A FORWARD TSN without streams. */
const FORWARD_TSN_SIZE = 8;

export interface AbandonmentParts {
  readonly line: TsnLine;
  readonly queue: SendQueue;
  readonly outstanding: Outstanding;
  readonly counters: Counters<SctpCounter>;
}

export class Abandonment {
  /** The peer understands FORWARD TSN: messages may be given up. */
  isSupported = false;
  /** A FORWARD TSN never reaches beyond this position: the last one before a stream reset that is under way. */
  barrier: number = Infinity;
  /** A FORWARD TSN goes with the next packet, if there is anything to forward to. */
  forwardDue = false;
  /** When the last FORWARD TSN went out, and how far it reached. */
  #forwardedAt = -Infinity;
  #forwardedTo = -1;
  /** How far the peer may skip; every position up to `#looked` has been looked at for that. */
  #advancedTo = -1;
  #looked = -1;
  /** What is skipped on each stream up to there, and the position of the last chunk of it. */
  readonly #skipped = new Map<number, SkippedStream & { position: number }>();
  /** Messages with a lifetime that have not ended, by when it does. */
  readonly #lifetimes = new DeadlineHeap<OutgoingMessage>();
  readonly #parts: AbandonmentParts;
  readonly #ended: (message: OutgoingMessage, outcome: MessageOutcome) => void;

  /** @param ended told of each message that ends here; it calls `end`. */
  constructor(parts: AbandonmentParts, ended: (message: OutgoingMessage, outcome: MessageOutcome) => void) {
    this.#parts = parts;
    this.#ended = ended;
  }

  /** The earliest time at which a message runs out of its lifetime; Infinity: none. */
  get nextExpiry(): number {
    return this.#lifetimes.next();
  }

  /** A message's lifetime begins. */
  limitLifetime(message: OutgoingMessage, now: number): void {
    if (message.outcome !== undefined) return;
    message.expiresAt = now + Math.max(message.lifetime, SHORTEST_LIFETIME);
    this.#lifetimes.set(message, message.expiresAt);
  }

  /**
   * Gives up what has run out of time and would go on costing: unsent messages, half-sent ones, and those that wait
   * to be sent again. Of one that is in flight as a whole an acknowledgement may be on its way: if it is lost, it goes then.
   */
  expire(now: number): void {
    for (let due = this.#lifetimes.takeDue(now); due !== undefined; due = this.#lifetimes.takeDue(now)) {
      if (due.sent === 0) this.#parts.queue.expire(due);
      else if (!this.isSupported) continue;
      else if (due.sent < due.length || this.#parts.outstanding.hasLost(due)) this.abandon(due, now);
    }
  }

  /** RFC 3758 §3.5 A: the message need not be sent any more. */
  isExpendable(message: OutgoingMessage, transmissions: number, now: number): boolean {
    return this.isSupported && (transmissions > message.maxRetransmits || message.expiresAt <= now);
  }

  /** Gives up the whole message, its unsent rest included: a part of it is of no use to the receiver. */
  abandon(message: OutgoingMessage, now: number): void {
    this.#parts.counters.add('abandoned-messages');
    this.#parts.outstanding.abandon(message);
    if (this.#parts.queue.abandonRest(message) > 0) this.#parts.outstanding.addPlaceholder(message);
    this.#ended(message, message.expiresAt <= now ? 'expired' : 'abandoned');
    this.forwardDue = true;
  }

  /** Every message comes here once: its one outcome. */
  end(message: OutgoingMessage, outcome: MessageOutcome): void {
    if (outcome === 'expired' && message.sent === 0) this.#parts.counters.add('expired-messages');
    endMessage(message, outcome);
    if (message.lifetime !== Infinity) this.#lifetimes.delete(message);
  }

  /**
   * RFC 3758 §3.5 C: what was given up behind an answered FORWARD TSN has one of its own at once; one that was lost is sent again
   * after `interval`, and with every T3.
   */
  remind(now: number, interval: number): void {
    const { outstanding } = this.#parts;
    if (!outstanding.isAbandoned(outstanding.cumulative + 1)) return;
    if (outstanding.cumulative >= this.#forwardedTo || now - this.#forwardedAt >= interval)
      this.forwardDue = true;
  }

  /** Adds the FORWARD TSN that is due, if it has any effect and fits; `chunkSpace`: bytes of chunks in a full packet. */
  writeForwardTsn(writer: PacketWriter, now: number, chunkSpace: number): boolean {
    if (!this.forwardDue) return false;
    const { interleaving } = this.#parts.queue;
    const entrySize = interleaving ? 8 : 4;
    // What does not fit waits for the answer to this one.
    this.#advance(Math.floor((Math.min(writer.room, chunkSpace) - FORWARD_TSN_SIZE) / entrySize));
    if (this.#advancedTo === this.#parts.outstanding.cumulative) {
      this.forwardDue = false;
      return false;
    }
    if (FORWARD_TSN_SIZE + entrySize * this.#skipped.size > writer.room) return false;
    const newCumulativeTsn = this.#parts.line.wire(this.#advancedTo);
    const forward = { newCumulativeTsn, streams: [...this.#skipped.values()] };
    writer.chunk(interleaving ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
    this.forwardDue = false;
    this.#forwardedAt = now;
    this.#forwardedTo = this.#advancedTo;
    return true;
  }

  clear(): void {
    this.#lifetimes.clear();
    this.#skipped.clear();
    this.forwardDue = false;
  }

  /**
   * Moves the point that the peer may skip to (RFC 3758 §3.5 "Advanced.Peer.Ack.Point") as far as everything in front of it has
   * been given up, or has arrived. The RFC stops at what a gap report has named, since that may be taken back; so one loss
   * would be told in a round trip. We go on over messages that the peer has as a whole, as long as it never took one back.
   * Each position is looked at once.
   */
  #advance(maxStreams: number): void {
    const { outstanding } = this.#parts;
    const { cumulative } = outstanding;
    for (const [key, { position }] of this.#skipped) if (position <= cumulative) this.#skipped.delete(key);
    this.#advancedTo = Math.max(this.#advancedTo, cumulative);
    this.#looked = outstanding.trustsReports ? Math.max(this.#looked, this.#advancedTo) : this.#advancedTo;
    const last = Math.min(this.barrier, outstanding.next - 1);
    for (let position = this.#looked + 1; position <= last; position++) {
      if (outstanding.isAbandoned(position)) {
        if (!this.#skip(position, maxStreams)) return;
        this.#advancedTo = position;
      } else if (!outstanding.hasArrivedWhole(position)) {
        return;
      }
      this.#looked = position;
    }
  }

  /** Lists the stream of what was given up at `position`; false if that would be more than `maxStreams`. */
  #skip(position: number, maxStreams: number): boolean {
    const { interleaving } = this.#parts.queue;
    const message = this.#parts.outstanding.message(position);
    // RFC 3758 §3.2 lists ordered messages alone; with interleaving unordered ones have numbers, too.
    if (message === undefined || (message.unordered && !interleaving)) return true;
    const { streamId, unordered, sequence } = message;
    const key = streamId * 2 + (unordered ? 1 : 0);
    const known = this.#skipped.get(key);
    if (known === undefined && this.#skipped.size >= maxStreams) return false;
    if (known !== undefined && !isLater(sequence, known.sequence, interleaving)) known.position = position;
    else this.#skipped.set(key, { streamId, unordered, sequence, position });
    return true;
  }
}

/** True if `a` comes after `b` on the circle of 16-bit SSNs or 32-bit MIDs. */
function isLater(a: number, b: number, isMid: boolean): boolean {
  return isMid ? ((a - b) | 0) > 0 : ((a - b) << 16) >> 16 > 0;
}
