/**
 * ICE restart of a connection (RFC 8445 §9, RFC 9429 §4.1.18): the credentials that it begins with, how
 * often the peer may ask for one, and how its failure is told.
 */
import type { Failure } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import type { IceCredentials } from '../ice/index.ts';
import { randomCredentials } from '../ice/index.ts';

/** Characters of a username fragment that name a shard (endpoint/shard.ts): a restart keeps them. */
const SHARD_LENGTH = 2;

/** Credentials for the next restart: drawn once, and kept until they are used, so that a draft that fails draws nothing. */
export class NextCredentials {
  readonly #random: RandomSource;
  readonly #prefix: string;
  #next: IceCredentials | undefined;

  /**
   * @param random a stream of its own
   * @param chosen the username fragment that the host has chosen, if it has: its first characters may name a shard
   */
  constructor(random: RandomSource, chosen: string | undefined) {
    this.#random = random;
    this.#prefix = chosen?.slice(0, SHARD_LENGTH) ?? '';
  }

  /** What the next restart will use; the same until `take`. */
  peek(): IceCredentials {
    if (this.#next === undefined) {
      const { usernameFragment, password } = randomCredentials(this.#random);
      this.#next = { usernameFragment: `${this.#prefix}${usernameFragment}`, password };
    }
    return this.#next;
  }

  /** What this restart uses. */
  take(): IceCredentials {
    const taken = this.peek();
    this.#next = undefined;
    return taken;
  }
}

/** Milliseconds. */
const MINUTE = 60_000;

/**
 * How often the peer may restart: each time the addresses of its description are checked anew, whoever has them, and the bound on
 * what is sent to those that never answer (`maxUnansweredDestinations`) is one a restart.
 */
export class RestartBudget {
  readonly #perMinute: number;
  /** When, within the last minute. */
  readonly #recent: number[] = [];
  refused = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** False, and counted, if it has restarted as often as it may. */
  admits(now: number): boolean {
    while ((this.#recent[0] ?? now) <= now - MINUTE) this.#recent.shift();
    if (this.#recent.length < this.#perMinute) return true;
    this.refused++;
    return false;
  }

  /** It restarts. */
  spend(now: number): void {
    this.#recent.push(now);
  }
}

/** The warning of a restart that failed while the pair of before works. */
export function restartFailed(cause: Failure): Failure {
  return {
    ...cause,
    code: 'ice-restart-failed',
    message: `ICE restart failed, and the pair of before stays in use: ${cause.message}`,
  };
}
