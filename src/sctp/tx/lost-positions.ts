/**
 * Positions to be sent again, the lowest first: a binary heap. What is no longer lost is left in it and passed over when it
 * comes to the top, so that neither a loss nor a late acknowledgement costs a search.
 */
export class LostPositions {
  readonly #heap: number[] = [];

  get lowest(): number | undefined {
    return this.#heap[0];
  }

  push(position: number): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]! <= position) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = position;
  }

  /** Takes the lowest one out. */
  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
