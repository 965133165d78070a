/**
 * Thresholds: several amounts at which somebody wants `bufferedamountlow`, over the one that a channel has. The next one below what is
 * buffered is set, then the one below that; the application's own is one of them, and is set again when nobody else waits.
 */
import type { DataChannel } from '../channel/index.ts';

/** The amounts that are wanted of one channel. */
export class Thresholds {
  readonly #channel: DataChannel;
  readonly #wanted = new Set<{ readonly bytes: number }>();
  /** What this room has set; another value is the application's. */
  #set = 0;
  #own = 0;

  constructor(channel: DataChannel) {
    this.#channel = channel;
  }

  /** @returns what ends it */
  want(bytes: number): () => void {
    const entry = { bytes };
    if (this.#wanted.size === 0) this.#set = this.#own = this.#channel.bufferedAmountLowThreshold;
    this.#wanted.add(entry);
    this.update();
    return () => {
      if (this.#wanted.delete(entry)) this.update();
    };
  }

  /** Something has fallen to the one that is set, or another one is wanted. */
  update(): void {
    const channel = this.#channel;
    const { bufferedAmount, bufferedAmountLowThreshold: current } = channel;
    if (current !== this.#set) this.#own = current;
    let next = this.#wanted.size === 0 || this.#own < bufferedAmount ? this.#own : 0;
    for (const { bytes } of this.#wanted) if (bytes < bufferedAmount && bytes > next) next = bytes;
    this.#set = next;
    if (next !== current) channel.bufferedAmountLowThreshold = next;
  }
}
