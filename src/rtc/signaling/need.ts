/**
 * Need of an offer: when the event `negotiationneeded` is to be told, and of which drafts. Drafts are not in the way of each other, so
 * one is known from its first wish on, and told of when an exchange has ended that it would have had to wait for.
 *
 *   a draft wishes ──▶ known ──an exchange ends──▶ waiting ──told──▶ forgotten, until it wishes more
 *                        └──────── offered ───────────┴────────────▶ forgotten
 */
import type { Wishing } from './wishes.ts';

/** Whether an offer is needed, and whether the application knows. */
export class NegotiationNeed {
  /** Drafts that have wished something since an exchange has ended last. */
  readonly #known = new Set<Wishing>();
  readonly #waiting = new Set<Wishing>();
  /** Told once, until an exchange ends. */
  #isTold = false;
  #isDue = false;

  /** Something has come to need an offer: the next drain is to look, and none of the others. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** The drafts that an exchange was in the way of, which is over. */
  get waiting(): readonly Wishing[] {
    return [...this.#waiting];
  }

  wished(draft: Wishing): void {
    this.#known.add(draft);
  }

  /** @param hasMore it wishes something that was not in the offer */
  offered(draft: Wishing, hasMore: boolean): void {
    this.#waiting.delete(draft);
    if (!hasMore) this.#known.delete(draft);
  }

  /** An exchange has ended, one way or the other. */
  settle(): void {
    this.#isTold = false;
    for (const draft of this.#known) this.#waiting.add(draft);
    this.#known.clear();
  }

  /** @returns true: the application is to be told */
  update(isNeeded: boolean): boolean {
    if (this.#isTold || !isNeeded) return false;
    this.#isDue = true;
    return true;
  }

  /** The drain looks. @returns true: the application is told now */
  take(isNeeded: boolean): boolean {
    this.#isDue = false;
    if (!isNeeded) return false;
    this.#isTold = true;
    this.#waiting.clear();
    return true;
  }

  close(): void {
    this.#known.clear();
    this.#waiting.clear();
  }
}
