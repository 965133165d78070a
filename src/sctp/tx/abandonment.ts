/**
 * Messages that are given up (RFC 3758): by lifetime or by retransmissions. What the peer is told of it is `Forwarding`.
 *
 *   limitLifetime() → its time is up → expire(): unsent, half sent or to be sent again → abandon()
 *   a chunk of it is lost → handleLost(): sent too often, or its time is up → abandon()
 *
 * A lifetime of 0 is one try: such a message waits for its turn like any other, and is given up with its first loss.
 */
import type { Counters } from '../../core/counters.ts';
import { DeadlineHeap } from '../../core/deadline-heap.ts';
import type { MessageOutcome, SctpCounter } from '../events.ts';
import type { Outstanding } from './outstanding.ts';
import type { OutgoingMessage, SendQueue } from './send-queue.ts';
import { endMessage } from './send-queue.ts';

/** What messages that are given up concern. */
export interface AbandonmentParts {
  readonly queue: SendQueue;
  readonly outstanding: Outstanding;
  readonly counters: Counters<SctpCounter>;
  /** Told of each message that ends here; it calls `end`. */
  ended(message: OutgoingMessage, outcome: MessageOutcome): void;
}

/** Gives up messages, and knows when the next one is due. */
export class Abandonment {
  /** The peer understands FORWARD TSN: messages may be given up. */
  isSupported = false;
  /** The earliest time at which a message runs out of its lifetime; Infinity: none. */
  nextExpiry: number = Infinity;
  /** Messages with a lifetime that have not ended, by when it does. */
  readonly #lifetimes = new DeadlineHeap<OutgoingMessage>();
  readonly #parts: AbandonmentParts;

  constructor(parts: AbandonmentParts) {
    this.#parts = parts;
  }

  /** A message's lifetime, which is not 0, has begun at `now`. */
  limitLifetime(message: OutgoingMessage, now: number): void {
    if (message.outcome !== undefined) return;
    message.expiresAt = now + message.lifetime;
    this.#lifetimes.set(message, message.expiresAt);
    this.nextExpiry = this.#lifetimes.next();
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
    this.nextExpiry = this.#lifetimes.next();
  }

  /** RFC 3758 §3.5 A: a chunk of the message is lost, and need not be sent again if its limit is reached. */
  handleLost(message: OutgoingMessage, transmissions: number, now: number): void {
    if (!this.isSupported || message.outcome !== undefined) return;
    const isLate = message.lifetime === 0 || message.expiresAt <= now;
    if (isLate || transmissions > message.maxRetransmits) this.abandon(message, now);
  }

  /** Gives up the whole message, its unsent rest included: a part of it is of no use to the receiver. */
  abandon(message: OutgoingMessage, now: number): void {
    this.#parts.counters.add('abandoned-messages');
    this.#parts.outstanding.abandon(message);
    if (this.#parts.queue.abandonRest(message) > 0) this.#parts.outstanding.addPlaceholder(message);
    const hasExpired = message.lifetime === 0 || message.expiresAt <= now;
    this.#parts.ended(message, hasExpired ? 'expired' : 'abandoned');
  }

  /** Every message comes here once: its one outcome. */
  end(message: OutgoingMessage, outcome: MessageOutcome): void {
    if (outcome === 'expired' && message.sent === 0) this.#parts.counters.add('expired-messages');
    endMessage(message, outcome);
    if (message.lifetime === Infinity) return;
    this.#lifetimes.delete(message);
    this.nextExpiry = this.#lifetimes.next();
  }

  clear(): void {
    this.#lifetimes.clear();
    this.nextExpiry = Infinity;
  }
}
