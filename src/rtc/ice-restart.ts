/**
 * ICE restart of a connection (RFC 8445 §9, RFC 9429 §4.1.18): the credentials that it begins with, the candidates of the peer's
 * that come before its description, and how its failure is told.
 */
import { BoundedQueue } from '../core/queue.ts';
import type { Failure } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import type { IceCandidate, IceCredentials, IceParameters } from '../ice/index.ts';
import { randomCredentials } from '../ice/index.ts';

/** Characters of a username fragment that name a shard (endpoint/shard.ts): a restart keeps them. */
const SHARD_LENGTH = 2;

/** Candidates of a generation to come that are kept: what a browser trickles in one go, and more. */
const MAX_PARKED = 64;

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

/**
 * Candidates that name a username fragment which no description of the peer's has named yet: a restart's may come before it,
 * over a signalling channel that keeps no order.
 */
export class ParkedCandidates {
  readonly #parked = new BoundedQueue<IceCandidate>(MAX_PARKED);
  #remote: string | undefined;

  get size(): number {
    return this.#parked.size;
  }

  /** True if `candidate` is of the generation that is known, or does not say; otherwise it is kept, and `full` if it cannot be. */
  admits(candidate: IceCandidate): boolean | 'full' {
    const { usernameFragment } = candidate;
    if (usernameFragment === undefined || this.#remote === undefined) return true;
    if (usernameFragment === this.#remote) return true;
    return this.#parked.push(candidate) ? false : 'full';
  }

  /** The peer's parameters are these. @returns the candidates that were waiting for them; the others are of no use any more */
  release({ usernameFragment }: IceParameters): IceCandidate[] {
    this.#remote = usernameFragment;
    const released: IceCandidate[] = [];
    for (let next = this.#parked.shift(); next !== undefined; next = this.#parked.shift()) {
      if (next.usernameFragment === usernameFragment) released.push(next);
    }
    return released;
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
