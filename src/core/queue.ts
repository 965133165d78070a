/** A first-in first-out ring with a bound. `push` answers false when full: nothing is lost silently. */
export class BoundedQueue<T> {
  readonly capacity: number;
  #ring: (T | undefined)[];
  #head = 0;
  #size = 0;

  /** @param capacity most items held at once; `Infinity` for a queue bounded by its owner, who then says by what. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#ring = new Array<T | undefined>(8);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends; false, and nothing has changed, when the queue is full. */
  push(item: T): boolean {
    if (this.#size >= this.capacity) return false;
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item;
    this.#size++;
    return true;
  }

  /** Removes and answers the oldest item. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
    return item;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  /** The items, the oldest first. Nothing may be added or removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.#size; i++) yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T;
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(8);
    this.#head = 0;
    this.#size = 0;
  }

  // The ring's length stays a power of two, so that wrapping is a mask.
  #grow(): void {
    const length = this.#ring.length;
    const larger = new Array<T | undefined>(length * 2);
    for (let i = 0; i < this.#size; i++) larger[i] = this.#ring[(this.#head + i) & (length - 1)];
    this.#ring = larger;
    this.#head = 0;
  }
}
