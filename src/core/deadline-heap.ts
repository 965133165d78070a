/**
 * DeadlineHeap: one structure for the deadlines of any number of machines.
 *
 * A binary heap whose items know their places, so that nothing is ever left behind for a sweep. Most deadlines move later,
 * again and again, long before they are due: such a move is a field store. The item stays where it is, and finds its place
 * when it comes to the top. Ten machines that are busy among ten thousand then never touch the others' entries.
 */
interface Entry<Item> {
  readonly item: Item;
  /** Its deadline; the key it has its place by is that or earlier. */
  at: number;
  place: number;
}

/**
 * The deadlines of a set of items, each with one at the most: `set` moves it, `next` is the earliest of all.
 * O(log n) for one that comes earlier, constant for one that moves later.
 */
export class DeadlineHeap<Item> {
  readonly #heap: Entry<Item>[] = [];
  /** Of the entries of `#heap`, by place. */
  readonly #keys: number[] = [];
  readonly #entries = new Map<Item, Entry<Item>>();

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline in milliseconds, `Infinity` when empty. */
  next(): number {
    return this.#first()?.at ?? Infinity;
  }

  /** Item with the earliest deadline. */
  peek(): Item | undefined {
    return this.#first()?.item;
  }

  /** Sets the deadline of `item`; `Infinity` takes it out. */
  set(item: Item, at: number): void {
    const entry = this.#entries.get(item);
    if (at === Infinity) {
      if (entry !== undefined) this.#remove(entry);
    } else if (entry === undefined) {
      const added = { item, at, place: this.#heap.length };
      this.#entries.set(item, added);
      this.#rise(added, at);
    } else {
      entry.at = at;
      if (at < this.#keys[entry.place]!) this.#rise(entry, at);
    }
  }

  delete(item: Item): void {
    this.set(item, Infinity);
  }

  /** Takes out an item that is due at `now`; `undefined` if none is. */
  takeDue(now: number): Item | undefined {
    const entry = this.#first();
    if (entry === undefined || entry.at > now) return undefined;
    this.#remove(entry);
    return entry.item;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#keys.length = 0;
    this.#entries.clear();
  }

  /** The entry at the top, once it is there by its deadline. */
  #first(): Entry<Item> | undefined {
    for (let entry = this.#heap[0]; entry !== undefined; entry = this.#heap[0]) {
      if (!(entry.at > this.#keys[0]!)) return entry; // not `<=`: a NaN must end the loop as well
      this.#sink(entry, entry.at);
    }
    return undefined;
  }

  #remove(entry: Entry<Item>): void {
    this.#entries.delete(entry.item);
    const last = this.#heap.pop();
    const key = this.#keys.pop();
    if (last === undefined || key === undefined || last === entry) return;
    last.place = entry.place;
    if (key < this.#keys[entry.place]!) this.#rise(last, key);
    else this.#sink(last, key);
  }

  /** Puts `entry` at its place or above. */
  #rise(entry: Entry<Item>, key: number): void {
    let { place } = entry;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#keys[parent]! <= key) break;
      this.#put(place, this.#heap[parent]!, this.#keys[parent]!);
      place = parent;
    }
    this.#put(place, entry, key);
  }

  /** Puts `entry` at its place or below. */
  #sink(entry: Entry<Item>, key: number): void {
    let { place } = entry;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#keys[child + 1]! < this.#keys[child]!) child++;
      if (this.#keys[child]! >= key) break;
      this.#put(place, this.#heap[child]!, this.#keys[child]!);
      place = child;
    }
    this.#put(place, entry, key);
  }

  #put(place: number, entry: Entry<Item>, key: number): void {
    this.#heap[place] = entry;
    this.#keys[place] = key;
    entry.place = place;
  }
}
