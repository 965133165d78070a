/**
 * WaitingList: what waits for the peer, the longest first. A message waits for its next piece, a stream's held messages for
 * their turn; each piece, and each turn, is a new beginning.
 */
import type { Link } from './chain.ts';
import { Chain } from './chain.ts';

/** A message that waits for its next piece or its turn. */
export interface Waiting {
  readonly streamId: number;
  /** Since when, by a clock that does not go back. */
  since: number;
}

/** Everything that waits, the longest first. */
export class WaitingList {
  // As the clock does not go back, the one that began to wait last stands last.
  readonly #chain = new Chain<Waiting>();

  get longest(): Waiting | undefined {
    return this.#chain.first?.item;
  }

  add(streamId: number, since: number): Link<Waiting> {
    return this.#chain.append({ streamId, since });
  }

  /** The wait begins anew. */
  renew(link: Link<Waiting> | undefined, since: number): void {
    if (link === undefined) return;
    link.item.since = since;
    this.#chain.moveToEnd(link);
  }

  remove(link: Link<Waiting>): void {
    this.#chain.remove(link);
  }

  clear(): void {
    this.#chain.clear();
  }
}
