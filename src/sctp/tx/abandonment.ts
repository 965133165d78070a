/**
 * Messages that are given up (RFC 3758): by lifetime or by retransmissions, and the FORWARD TSNs that say so.
 *
 *   limitLifetime() → its time is up → expire(): unsent, half sent or to be sent again → abandon()
 *   sent too often, or its time is up when it would be sent again → isExpendable() → abandon()
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
  #forwardedAt = -Infinity;
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

  /** RFC 3758 §3.5 C: a lost FORWARD TSN is sent again, once in `interval` at the most, and with every T3. */
  remind(now: number, interval: number, advanced: boolean): void {
    if (!this.#parts.outstanding.isAbandoned(this.#parts.outstanding.cumulative + 1)) return;
    if (advanced || now - this.#forwardedAt >= interval) this.forwardDue = true;
  }

  /** Adds the FORWARD TSN that is due, if it has any effect and fits; `chunkSpace`: bytes of chunks in a full packet. */
  writeForwardTsn(writer: PacketWriter, now: number, chunkSpace: number): boolean {
    if (!this.forwardDue) return false;
    const { interleaving } = this.#parts.queue;
    const entrySize = interleaving ? 8 : 4;
    // What does not fit waits for the next one.
    const { position, streams } = this.#skippable(Math.floor((chunkSpace - 8) / entrySize));
    if (position === this.#parts.outstanding.cumulative) {
      this.forwardDue = false;
      return false;
    }
    if (8 + entrySize * streams.length > writer.room) return false;
    const forward = { newCumulativeTsn: this.#parts.line.wire(position), streams };
    writer.chunk(interleaving ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
    this.forwardDue = false;
    this.#forwardedAt = now;
    return true;
  }

  clear(): void {
    this.#lifetimes.clear();
    this.forwardDue = false;
  }

  /** How far the peer may skip, and the streams it skips on, `maxStreams` at the most. */
  #skippable(maxStreams: number): { position: number; streams: SkippedStream[] } {
    const outstanding = this.#parts.outstanding;
    const { interleaving } = this.#parts.queue;
    const skipped = new Map<number, SkippedStream>();
    let position = outstanding.cumulative;
    while (position < this.barrier && outstanding.isAbandoned(position + 1)) {
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
    return { position, streams: [...skipped.values()] };
  }
}

/** True if `a` comes after `b` on the circle of 16-bit SSNs or 32-bit MIDs. */
function isLater(a: number, b: number, isMid: boolean): boolean {
  return isMid ? ((a - b) | 0) > 0 : ((a - b) << 16) >> 16 > 0;
}
