/** Formats waiting to be paired, found by what they are: of those that are equal the first comes first, and each comes once. */
export class FormatQueues<T> {
  readonly #queues = new Map<string, T[]>();

  /** @param keyOf what a format is found by */
  constructor(formats: readonly T[], keyOf: (format: T) => string) {
    for (const format of [...formats].reverse()) {
      const key = keyOf(format);
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, [format]);
      else queue.push(format);
    }
  }

  /** The first one with this key that has not been taken; `undefined` where there is none. */
  take(key: string): T | undefined {
    return this.#queues.get(key)?.pop();
  }
}
