/** Lane: streams that have something to send, in turns of one packet each. */
import type { Bytes } from '../../core/bytes.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { SentStream } from './stream.ts';

/** Streams in the order of their turns; each stands in it once at the most. */
export class Lane {
  /** Bounded by the streams that there are. */
  readonly #streams = new BoundedQueue<SentStream>(Infinity);
  readonly #isForRepairs: boolean;

  /** @param isForRepairs of what is sent again */
  constructor(isForRepairs: boolean) {
    this.#isForRepairs = isForRepairs;
  }

  /** Streams that wait for their turn. */
  get size(): number {
    return this.#streams.size;
  }

  add(stream: SentStream): void {
    if (this.#isForRepairs ? stream.isRepairLined : stream.isLined) return;
    this.#mark(stream, true);
    this.#streams.push(stream);
  }

  /** Writes a packet of the next stream that has one at `offset` of `into`: its length, 0 for none. */
  poll(into: Bytes, offset: number, now: number): number {
    for (;;) {
      const stream = this.#streams.shift();
      if (stream === undefined) return 0;
      this.#mark(stream, false);
      const length = this.#isForRepairs
        ? stream.pollRepair(into, offset, now)
        : stream.poll(into, offset, now);
      const hasMore = this.#isForRepairs ? stream.retransmissions.waiting > 0 : stream.isDue(now);
      if (hasMore) this.add(stream);
      if (length > 0) return length;
    }
  }

  clear(): void {
    for (const stream of this.#streams) this.#mark(stream, false);
    this.#streams.clear();
  }

  #mark(stream: SentStream, isLined: boolean): void {
    if (this.#isForRepairs) stream.isRepairLined = isLined;
    else stream.isLined = isLined;
  }
}
