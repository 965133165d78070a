/**
 * Transactions: checks that wait for an answer, and when to send them again (RFC 8445 §14.3, RFC 8489 §6.2.1).
 *
 *     sent ──▶ again after 250 ms, then 500, 1000, 2000, 3000, 3000 … ──▶ last one sent, last wait over: expired
 *      └──▶ cancelled: no longer sent, an answer still counts for a while
 *      ├──▶ over TCP: sent once, an answer counts for as long as consent lasts
 *      └──▶ consent: sent once (RFC 7675 §5.1), an answer counts until consent itself has expired
 */
import { equalBytes, readU48 } from '../core/bytes.ts';
import type { Pair, Transaction } from './pair.ts';

/** How often checks are repeated, and how many are awaited at once (options.ts). */
export interface RetransmissionLimits {
  readonly maxRetransmitTimeout: number;
  readonly maxTransmissions: number;
  readonly maxTransactions: number;
}

/** The checks that wait for an answer, oldest first, by their transaction id. */
export class Transactions {
  readonly #limits: RetransmissionLimits;
  /** By the first 48 of the 96 random bits, which fit a number. */
  readonly #byId = new Map<number, Transaction>();

  constructor(limits: RetransmissionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Adds a transaction; at the limit the oldest one goes and is answered. */
  add(transaction: Transaction): Transaction | undefined {
    let oldest: Transaction | undefined;
    if (this.#byId.size >= this.#limits.maxTransactions) {
      for (oldest of this.#byId.values()) break;
      if (oldest !== undefined) this.remove(oldest);
    }
    this.#byId.set(readU48(transaction.id, 0), transaction);
    return oldest;
  }

  find(id: Uint8Array): Transaction | undefined {
    const transaction = this.#byId.get(readU48(id, 0));
    return transaction !== undefined && equalBytes(transaction.id, id) ? transaction : undefined;
  }

  remove(transaction: Transaction): void {
    this.#byId.delete(readU48(transaction.id, 0));
  }

  removePair(pair: Pair): void {
    for (const transaction of this.#byId.values()) if (transaction.pair === pair) this.remove(transaction);
  }

  /** RFC 8445 §7.3.1.4: stop sending it, "but still be able to process the response". */
  cancel(transaction: Transaction, now: number): void {
    transaction.retransmits = false;
    transaction.deadline = now + this.#limits.maxRetransmitTimeout;
  }

  nextTimeout(): number {
    let at = Infinity;
    for (const { deadline } of this.#byId.values()) if (deadline < at) at = deadline;
    return at;
  }

  /**
   * Everything due at `now`, in the order of sending: each is either to be sent again or has expired and is gone.
   * @param mayRepeat false: no more of it, but an answer under way still counts
   */
  takeDue(
    now: number,
    mayRepeat: (transaction: Transaction) => boolean,
  ): { readonly transaction: Transaction; readonly outcome: 'retransmit' | 'expired' }[] {
    const due: { transaction: Transaction; outcome: 'retransmit' | 'expired' }[] = [];
    for (const transaction of this.#byId.values()) {
      if (transaction.deadline > now) continue;
      if (!transaction.retransmits || transaction.transmissions >= transaction.maxTransmissions) {
        this.remove(transaction);
        due.push({ transaction, outcome: 'expired' });
      } else if (!mayRepeat(transaction)) {
        transaction.retransmits = false;
        transaction.interval += this.#limits.maxRetransmitTimeout;
        transaction.deadline += this.#limits.maxRetransmitTimeout;
      } else {
        transaction.transmissions++;
        transaction.interval = Math.min(transaction.interval * 2, this.#limits.maxRetransmitTimeout);
        transaction.deadline = now + transaction.interval;
        due.push({ transaction, outcome: 'retransmit' });
      }
    }
    return due;
  }

  /** The host stood still: a last wait that ended while nobody listened starts again. */
  resume(now: number): void {
    for (const transaction of this.#byId.values()) {
      const isLastWait = transaction.transmissions >= transaction.maxTransmissions;
      if (isLastWait && transaction.deadline <= now) transaction.deadline = now + transaction.interval;
    }
  }

  clear(): void {
    this.#byId.clear();
  }
}
