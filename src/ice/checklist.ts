/**
 * Checklist (RFC 8445 §6.1.2, §6.1.4): every pair, highest priority first, and the queue of triggered checks.
 *
 * Which pair is checked next: the triggered ones in the order they were triggered, then the waiting ones by priority.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Pair } from './pair.ts';
import { comparePriority } from './priority.ts';

/**
 * Which ordinary checks are still wanted, those that nothing has triggered (RFC 8445 §6.1.4.2). With a pair: of pairs with a
 * higher priority than its own.
 */
export type OrdinaryChecks = 'all' | 'none' | Pair;

/** The pairs of one generation in the order of their priority, and which is to be checked. */
export class Checklist {
  /** Highest priority first. */
  readonly pairs: Pair[] = [];
  readonly #triggered: Pair[] = [];
  readonly #limit: number;
  /** The pair of the latest lookup: datagrams come in runs. */
  #lastFound: Pair | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get triggeredCount(): number {
    return this.#triggered.length;
  }

  /**
   * Adds a pair.
   * @returns what had to make room for it, at the limit; that can be the new pair itself.
   */
  add(pair: Pair): Pair | undefined {
    this.pairs.push(pair);
    this.sort();
    const dropped = this.pairs.length > this.#limit ? this.#leastUseful() : undefined;
    if (dropped !== undefined) this.remove(dropped);
    return dropped;
  }

  /** RFC 8445 §6.1.2.5: the lowest goes, but never a valid pair, and one the peer has used only if there is no other. */
  #leastUseful(): Pair | undefined {
    const unproven = this.pairs.filter((pair) => !pair.valid);
    return unproven.filter((pair) => !pair.authenticated).at(-1) ?? unproven.at(-1);
  }

  remove(pair: Pair): void {
    removeFrom(this.pairs, pair);
    removeFrom(this.#triggered, pair);
    if (this.#lastFound === pair) this.#lastFound = undefined;
  }

  /** Call after priorities have changed. */
  sort(): void {
    this.pairs.sort((a, b) => comparePriority(b.priority, a.priority));
  }

  /** @param protocol `undefined`: either. Two pairs whose four numbers are the same in both are possible, and rare. */
  find(local: TransportAddress, remote: TransportAddress, protocol: Protocol | undefined): Pair | undefined {
    if (this.#lastFound?.runsOver(local, remote, protocol) === true) return this.#lastFound;
    for (const pair of this.pairs) {
      if (pair.runsOver(local, remote, protocol)) return (this.#lastFound = pair);
    }
    return undefined;
  }

  /** The valid pair of the highest priority. */
  bestValid(): Pair | undefined {
    return this.pairs.find((pair) => pair.valid);
  }

  trigger(pair: Pair): void {
    if (!this.#triggered.includes(pair)) this.#triggered.push(pair);
  }

  /** The pair whose turn it is; it stays where it is until `taken`. */
  next(ordinary: OrdinaryChecks): Pair | undefined {
    const [first] = this.#triggered;
    if (first !== undefined) return first;
    if (ordinary === 'none') return undefined;
    const pair = this.pairs.find((one) => one.state === 'waiting');
    if (pair === undefined || ordinary === 'all') return pair;
    return comparePriority(pair.priority, ordinary.priority) > 0 ? pair : undefined;
  }

  taken(pair: Pair): void {
    removeFrom(this.#triggered, pair);
  }

  /** Pairs whose outcome is still open: it sets the pace of retransmissions (RFC 8445 §14.3). */
  openCount(): number {
    let count = 0;
    for (const { state } of this.pairs) if (state === 'waiting' || state === 'in-progress') count++;
    return count;
  }

  /** True if no check is queued, wanted or under way. */
  isIdle(ordinary: OrdinaryChecks): boolean {
    return this.next(ordinary) === undefined && this.pairs.every((pair) => pair.check === undefined);
  }

  /** True if a pair of higher priority than `pair` may still turn out to work. */
  hasOpenAbove(pair: Pair): boolean {
    for (const other of this.pairs) {
      if (other === pair) return false;
      if (other.state === 'waiting' || other.state === 'in-progress') return true;
    }
    return false;
  }

  /** Nothing is checked any more; the pairs stay, to be looked at. */
  stop(): void {
    this.#triggered.length = 0;
    this.#lastFound = undefined;
    for (const pair of this.pairs) pair.check = undefined;
  }
}

function removeFrom(list: Pair[], pair: Pair): void {
  const index = list.indexOf(pair);
  if (index >= 0) list.splice(index, 1);
}
