/**
 * Turns of the streams: start-time fair queueing over streams with something to send.
 *
 *   push(stream)           it stands in line, at its own finish or now, whichever is later
 *   shift()                the one that stands first; virtual time moves to where it stood
 *   served(stream, bytes)  its finish moves on by what it was given, over its weight
 *
 * Streams that always have something share the path by their weights; one that was idle is first again at once, without
 * credit for the past. Round robin is the same with every turn counting one. Ties go by order of arrival.
 */

/** How streams take turns. */
export type Scheduling = 'weighted-fair' | 'round-robin';

/** What a stream keeps for its place in line. */
export interface Turn {
  /** Virtual times; `order` breaks ties. */
  start: number;
  finish: number;
  order: number;
}

/** The streams that have something to send, in the order of their turns. */
export class TurnQueue<Stream extends Turn> {
  readonly #scheduling: Scheduling;
  /** A binary heap by `start`, then `order`. */
  readonly #heap: Stream[] = [];
  #virtual = 0;
  #arrivals = 0;

  constructor(scheduling: Scheduling) {
    this.#scheduling = scheduling;
  }

  push(stream: Stream): void {
    stream.start = Math.max(stream.finish, this.#virtual);
    stream.order = this.#arrivals++;
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1]!;
      if (!isBefore(stream, parent)) break;
      heap[place] = parent;
      place = (place - 1) >> 1;
    }
    heap[place] = stream;
  }

  shift(): Stream | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (first !== last) this.#sink(last);
    this.#virtual = first.start;
    return first;
  }

  /** `stream` was given `bytes` in its turn. */
  served(stream: Stream, bytes: number, weight: number): void {
    stream.finish = stream.start + (this.#scheduling === 'round-robin' ? 1 : bytes / weight);
  }

  clear(): void {
    this.#heap.length = 0;
  }

  /** Puts `item` where the root was. */
  #sink(item: Stream): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, item)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = item;
  }
}

function isBefore(a: Turn, b: Turn): boolean {
  return a.start < b.start || (a.start === b.start && a.order < b.order);
}
