/**
 * Chain: a list whose members leave from anywhere in constant time. Two uses: what belongs to a stream, and what waits,
 * the longest first.
 */

/** One place in a chain; the item that has it keeps it, to be able to leave. */
export interface Link<T> {
  readonly item: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
}

/** A doubly linked list of items that are their own links. */
export class Chain<T> {
  first: Link<T> | undefined;
  #last: Link<T> | undefined;

  /** Appends `item`; its place. */
  append(item: T): Link<T> {
    const link: Link<T> = { item, previous: undefined, next: undefined };
    this.#attach(link);
    return link;
  }

  remove(link: Link<T>): void {
    if (link.previous === undefined) this.first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.previous = undefined;
    link.next = undefined;
  }

  /** Its member becomes the last one. */
  moveToEnd(link: Link<T>): void {
    if (link === this.#last) return;
    this.remove(link);
    this.#attach(link);
  }

  clear(): void {
    this.first = undefined;
    this.#last = undefined;
  }

  #attach(link: Link<T>): void {
    link.previous = this.#last;
    if (this.#last === undefined) this.first = link;
    else this.#last.next = link;
    this.#last = link;
  }
}
