/**
 * Application data that waits for `pollData`, in the order of its arrival and within a bound. Before the association is
 * connected it is authentic, but not yet from the right peer: little of it is kept, and none is handed out.
 */
import type { Bytes } from '../core/bytes.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { DtlsLimits } from './options.ts';

/** The application data of one association. */
export class ReceivedData {
  readonly #limits: DtlsLimits;
  readonly #queue: BoundedQueue<Bytes>;
  #earlyBytes = 0;

  constructor(limits: DtlsLimits) {
    this.#limits = limits;
    this.#queue = new BoundedQueue(limits.receiveQueue);
  }

  get size(): number {
    return this.#queue.size;
  }

  /** False if there is no room for it. */
  push(data: Bytes, isConnected: boolean): boolean {
    return (isConnected || this.#admitsEarly(data.length)) && this.#queue.push(data);
  }

  shift(): Bytes | undefined {
    return this.#queue.shift();
  }

  clear(): void {
    this.#queue.clear();
  }

  #admitsEarly(length: number): boolean {
    const { earlyRecords, earlyBytes } = this.#limits;
    if (this.#queue.size >= earlyRecords || this.#earlyBytes + length > earlyBytes) return false;
    this.#earlyBytes += length;
    return true;
  }
}
