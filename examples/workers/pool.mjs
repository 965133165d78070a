/**
 * Workers, each with a UDP port and an event loop of its own: one core each.
 *
 * A connection lives where its answer was made. Its username fragment names that worker (`shardUsernameFragment`), and
 * every check of the peer carries the fragment, so a datagram that arrives at the wrong door tells where it belongs.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export class Pool {
  #workers;
  #calls = new Map();
  #lastCall = 0;
  #next = 0;
  /** Checks that reached a worker and were for a connection of another: by that other's number. */
  strays = new Map();

  static async start(size = availableParallelism(), options = {}) {
    const workers = Array.from(
      { length: size },
      (_, shard) => new Worker(new URL('worker.mjs', import.meta.url), { workerData: { ...options, shard } }),
    );
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    return new Pool(workers);
  }

  constructor(workers) {
    this.#workers = workers;
    for (const worker of workers) worker.on('message', (message) => this.#note(message));
  }

  /** A connection on the next worker in turn. @returns the answer's SDP */
  answer(offer) {
    const worker = this.#workers[this.#next];
    this.#next = (this.#next + 1) % this.#workers.length;
    return this.#call(worker, 'answer', offer);
  }

  /** What each worker has to report. */
  measure(argument) {
    return Promise.all(this.#workers.map((worker) => this.#call(worker, 'measure', argument)));
  }

  async close() {
    await Promise.all(
      this.#workers.map(async (worker) => {
        await this.#call(worker, 'close');
        await worker.terminate();
      }),
    );
  }

  #call(worker, method, argument) {
    return new Promise((resolve, reject) => {
      this.#calls.set(++this.#lastCall, { resolve, reject });
      worker.postMessage({ id: this.#lastCall, method, argument });
    });
  }

  #note({ id, result, error, stray }) {
    if (stray !== undefined) {
      this.strays.set(stray, (this.strays.get(stray) ?? 0) + 1);
      return;
    }
    const { resolve, reject } = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }
}
