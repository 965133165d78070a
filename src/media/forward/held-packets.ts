/**
 * HeldPackets: the latest packets of a layer that is about to be switched to. Its keyframe may come in any order, and its first
 * packet as the last one, when it was lost and is sent again; what came before it is not lost then.
 */
import type { RtpEvent } from '../contract.ts';

/** Of one stream, so many at the most: the oldest make room. */
export class HeldPackets {
  readonly #most: number;
  #events: RtpEvent[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#events.length;
  }

  /** @returns the oldest, where it was dropped for this one */
  add(event: RtpEvent): RtpEvent | undefined {
    this.#events.push(event);
    return this.#events.length > this.#most ? this.#events.shift() : undefined;
  }

  clear(): void {
    this.#events = [];
  }

  /**
   * All packets from the beginning of the keyframe that `start` belongs to on, in their order; nothing is held afterwards.
   * @param start held itself; packets right before it of the same time belong to the keyframe: parameter sets
   */
  takeFrom(start: RtpEvent): RtpEvent[] {
    const events = this.#events.sort((a, b) => a.sequence - b.sequence);
    this.#events = [];
    let first = events.indexOf(start);
    while (first > 0) {
      const before = events[first - 1]!;
      if (before.time !== start.time || before.sequence < events[first]!.sequence - 1) break;
      first--;
    }
    return events.slice(Math.max(0, first));
  }
}
