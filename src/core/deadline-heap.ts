/**
 * DeadlineHeap: one structure for the deadlines of any number of machines.
 *
 * A binary heap that knows each item's place, so that a refresh is O(log n) and mostly O(1) (a deadline that moves
 * later sinks a level or two), and nothing is ever left behind for a sweep.
 */
export class DeadlineHeap<Item> {
  readonly #items: Item[] = [];
  readonly #deadlines: number[] = [];
  readonly #places = new Map<Item, number>();

  get size(): number {
    return this.#items.length;
  }

  /** The earliest deadline in milliseconds, `Infinity` when empty. */
  next(): number {
    return this.#deadlines[0] ?? Infinity;
  }

  /** Item with the earliest deadline. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  /** Sets the deadline of `item`; `Infinity` takes it out. */
  set(item: Item, at: number): void {
    const place = this.#places.get(item);
    if (at === Infinity) {
      if (place !== undefined) this.#removeAt(place);
    } else if (place === undefined) {
      this.#put(this.#items.length, item, at);
      this.#rise(this.#items.length - 1);
    } else {
      const before = this.#deadlines[place]!;
      this.#deadlines[place] = at;
      if (at < before) this.#rise(place);
      else this.#sink(place);
    }
  }

  delete(item: Item): void {
    this.set(item, Infinity);
  }

  /** Takes out an item that is due at `now`; `undefined` if none is. */
  takeDue(now: number): Item | undefined {
    const item = this.#items[0];
    if (item === undefined || this.next() > now) return undefined;
    this.#removeAt(0);
    return item;
  }

  clear(): void {
    this.#items.length = 0;
    this.#deadlines.length = 0;
    this.#places.clear();
  }

  #removeAt(place: number): void {
    const item = this.#items[place]!;
    const lastItem = this.#items.pop();
    const lastDeadline = this.#deadlines.pop();
    this.#places.delete(item);
    if (lastItem === undefined || lastDeadline === undefined || place === this.#items.length) return;
    this.#put(place, lastItem, lastDeadline);
    this.#rise(place);
    this.#sink(place);
  }

  #rise(from: number): void {
    const item = this.#items[from]!;
    const at = this.#deadlines[from]!;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#deadlines[parent]! <= at) break;
      this.#put(place, this.#items[parent]!, this.#deadlines[parent]!);
      place = parent;
    }
    this.#put(place, item, at);
  }

  #sink(from: number): void {
    const item = this.#items[from]!;
    const at = this.#deadlines[from]!;
    let place = from;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && this.#deadlines[child + 1]! < this.#deadlines[child]!) child++;
      if (this.#deadlines[child]! >= at) break;
      this.#put(place, this.#items[child]!, this.#deadlines[child]!);
      place = child;
    }
    this.#put(place, item, at);
  }

  #put(place: number, item: Item, at: number): void {
    this.#items[place] = item;
    this.#deadlines[place] = at;
    this.#places.set(item, place);
  }
}
