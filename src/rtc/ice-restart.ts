/**
 * ICE restart of a connection (RFC 8445 §9, RFC 9429 §4.1.18): the credentials that it begins with, and
 * how its failure is told.
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

/** The warning of a restart that failed while the pair of before works. */
export function restartFailed(cause: Failure): Failure {
  return {
    ...cause,
    code: 'ice-restart-failed',
    message: `ICE restart failed, and the pair of before stays in use: ${cause.message}`,
  };
}
