/**
 * Schedule: a binary heap of what will happen, earliest first; of things due at one time, the one planned first.
 */
interface Entry<T> {
  readonly at: number;
  readonly order: number;
  readonly item: T;
}

/** Items by their times, in milliseconds. Nothing is taken out but the earliest. */
export class Schedule<T> {
  readonly #heap: Entry<T>[] = [];
  #planned = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The time of the earliest item; `Infinity` when nothing is planned. */
  nextTime(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.at;
  }

  /** The earliest item, left where it is. */
  peek(): T | undefined {
    return this.#heap[0]?.item;
  }

  push(at: number, item: T): void {
    const entry: Entry<T> = { at, order: this.#planned++, item };
    const heap = this.#heap;
    let child = heap.length;
    heap.push(entry);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[child] = heap[parent]!;
      child = parent;
    }
    heap[child] = entry;
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.item;
  }

  /** Puts `entry` at the top, whose place is free, and lets it sink to where it belongs. */
  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[parent] = heap[child]!;
      parent = child;
    }
    heap[parent] = entry;
  }
}

function before(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
