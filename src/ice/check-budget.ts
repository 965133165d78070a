/**
 * Check budget: what all agents of a host together may send of their own accord. RFC 8445 §14.2: "the combination of all
 * transactions from all agents […] MUST NOT be sent more often than once every 5 ms".
 *
 *     an agent wants to check ──reserve──▶ a time that is its own, 5 ms after the one before it ──▶ it checks then
 *
 * Made to be shared: agents that are given the same one take turns, in the order in which they asked. A time that is not used is
 * lost. A check that a check of the peer's has triggered needs none: it keeps the pace of the peer, who is there.
 */
import { badArgument } from '../core/errors.ts';

/** The least time between two checks that nothing has triggered, of all agents that share the budget. */
export class CheckBudget {
  readonly #interval: number;
  #nextAt = -Infinity;

  /** @param interval milliseconds, 0 or more: 5 (RFC 8445 §14.2). Throws `ERR_BAD_ARGUMENT`. */
  constructor(interval: number = 5) {
    if (!(interval >= 0 && interval < Infinity))
      throw badArgument('interval', '0 milliseconds or more', interval);
    this.#interval = interval;
  }

  /** When whoever asks may send one check: `now` or later, and nobody else's. */
  reserve(now: number): number {
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#interval;
    return at;
  }
}
