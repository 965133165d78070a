/**
 * HostErrors: what the host's own functions throw, or their promises reject with: never in the way of a connection, never lost.
 *
 *   onError given          → it is told
 *   none, while closing    → kept for `close()`, which rejects with it once everything is closed
 *   none                   → thrown in a microtask of its own, where `uncaughtException` sees it; nothing comes after it
 */
import type { Rtc } from '../rtc.ts';

/** Told of what a function of the host's has thrown; `rtc` is the connection that it was about, if it was about one. */
export type ErrorListener = (error: unknown, rtc?: Rtc) => unknown;

/** Errors kept for `close()`: a fault that repeats says nothing new. */
const MAX_KEPT = 16;

/** Where the errors of the functions that the host has given to one driver go. */
export class HostErrors {
  readonly #onError: ErrorListener | undefined;
  #kept: unknown[] | undefined;

  constructor(onError: ErrorListener | undefined) {
    this.#onError = onError;
  }

  /** Calls `action`. What it throws, or its promise rejects with, comes back by `failed`, and nowhere else. */
  guard(action: () => unknown, failed: (error: unknown) => void = (error) => this.report(error)): void {
    try {
      const outcome = action();
      if (isThenable(outcome)) outcome.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  report(error: unknown, rtc?: Rtc): void {
    const onError = this.#onError;
    if (onError !== undefined) this.guard(() => onError(error, rtc), throwLater);
    else if (this.#kept === undefined) throwLater(error);
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(error);
  }

  /** Keeps what is reported from now on, unless somebody is told of it. */
  keep(): void {
    this.#kept = [];
  }

  /** Throws what has been kept. */
  throwKept(): void {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    if (kept.length === 1) throw kept[0];
    if (kept.length > 1) throw new AggregateError(kept, 'listeners have thrown while the UDP driver closed');
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** True for a promise, of whatever make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
