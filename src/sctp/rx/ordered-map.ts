/**
 * OrderedMap: numbers to values, kept in the order of the numbers. For numbers that a peer chooses: an engine's `Map`
 * finds a number by a hash that everybody can compute, so that whoever chooses them can make them all collide. Here
 * whatever numbers come cost the same.
 *
 *   leaves of up to 64 entries in a row; a look-up is two binary searches, an insertion moves the entries of one leaf
 *
 * Numbers that come in order, and leave in order, as nearly all do, cost no search.
 */

const LEAF = 64;
/** A leaf shorter than this melts into a neighbour, if both fit one: few entries never keep many leaves. */
const SHORT_LEAF = 16;

interface Leaf<V> {
  readonly keys: number[];
  readonly values: V[];
}

/** A map from integers to values, in ascending order of the keys. */
export class OrderedMap<V> {
  size = 0;
  /** None is empty. */
  readonly #leaves: Leaf<V>[] = [];

  /** The smallest number, Infinity if there is none. */
  get first(): number {
    return this.#leaves[0]?.keys[0] ?? Infinity;
  }

  /** The largest number, -Infinity if there is none. */
  get last(): number {
    return this.#leaves.at(-1)?.keys.at(-1) ?? -Infinity;
  }

  get(key: number): V | undefined {
    if (this.size === 0) return undefined;
    const leaf = this.#leaves[this.#leafOf(key)]!;
    const at = search(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  has(key: number): boolean {
    if (this.size === 0) return false;
    const { keys } = this.#leaves[this.#leafOf(key)]!;
    return keys[search(keys, key)] === key;
  }

  /** The value of the largest number up to and including `key`. */
  floor(key: number): V | undefined {
    if (this.size === 0) return undefined;
    const { keys, values } = this.#leaves[this.#leafOf(key)]!;
    const at = search(keys, key);
    return keys[at] === key ? values[at] : values[at - 1];
  }

  set(key: number, value: V): void {
    if (this.size === 0) this.#leaves.push({ keys: [], values: [] });
    const index = this.#leafOf(key);
    const leaf = this.#leaves[index]!;
    const at = search(leaf.keys, key);
    if (leaf.keys[at] === key) {
      leaf.values[at] = value;
      return;
    }
    this.size++;
    if (leaf.keys.length < LEAF) {
      insert(leaf.keys, at, key);
      insert(leaf.values, at, value);
    } else if (at === LEAF) {
      // What grows at its end leaves full leaves behind.
      this.#leaves.splice(index + 1, 0, { keys: [key], values: [value] });
    } else {
      const upper = { keys: leaf.keys.splice(LEAF / 2), values: leaf.values.splice(LEAF / 2) };
      this.#leaves.splice(index + 1, 0, upper);
      const [half, place] = at > LEAF / 2 ? [upper, at - LEAF / 2] : [leaf, at];
      insert(half.keys, place, key);
      insert(half.values, place, value);
    }
  }

  /** Removes `key`; its value, `undefined` if it was not there. */
  delete(key: number): V | undefined {
    if (this.size === 0) return undefined;
    const index = this.#leafOf(key);
    const leaf = this.#leaves[index]!;
    const at = search(leaf.keys, key);
    if (leaf.keys[at] !== key) return undefined;
    this.size--;
    remove(leaf.keys, at);
    const value = remove(leaf.values, at);
    if (leaf.keys.length < SHORT_LEAF) this.#melt(index);
    return value;
  }

  /** Removes the smallest number; its value, `undefined` if there is none. */
  shift(): V | undefined {
    return this.delete(this.first);
  }

  clear(): void {
    this.#leaves.length = 0;
    this.size = 0;
  }

  /** The numbers, ascending. */
  *keys(): Generator<number> {
    for (const { keys } of this.#leaves) yield* keys;
  }

  /** The values, in the order of their numbers. Nothing may be changed meanwhile. */
  *values(): Generator<V> {
    for (const { values } of this.#leaves) yield* values;
  }

  /** Index of the last leaf that begins at `key` or before; 0 if all begin later. */
  #leafOf(key: number): number {
    const leaves = this.#leaves;
    let low = 0;
    let high = leaves.length - 1;
    if (leaves[high]!.keys[0]! <= key) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (leaves[middle]!.keys[0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #melt(index: number): void {
    const leaf = this.#leaves[index]!;
    if (leaf.keys.length === 0) {
      this.#leaves.splice(index, 1);
      return;
    }
    const left = index > 0 ? index - 1 : index;
    const [lower, upper] = [this.#leaves[left]!, this.#leaves[left + 1]];
    if (upper === undefined || lower.keys.length + upper.keys.length > LEAF / 2) return;
    lower.keys.push(...upper.keys);
    lower.values.push(...upper.values);
    this.#leaves.splice(left + 1, 1);
  }
}

/** Index of the first of the sorted `keys` that is `key` or more. */
function search(keys: readonly number[], key: number): number {
  let low = 0;
  let high = keys.length;
  if (keys[high - 1]! < key) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert<T>(array: T[], at: number, value: T): void {
  if (at === array.length) array.push(value);
  else array.splice(at, 0, value);
}

function remove<T>(array: T[], at: number): T | undefined {
  if (at === array.length - 1) return array.pop();
  return at === 0 ? array.shift() : array.splice(at, 1)[0];
}
