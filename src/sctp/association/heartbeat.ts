/**
 * Heartbeats (RFC 9260 §8.3): a sign of life from an idle peer, and a round-trip sample.
 *
 *   silent for the interval → HEARTBEAT, again every RETRY → HEARTBEAT ACK with our nonce, or anything else valid
 *
 * An answer counts only with the nonce of the last question: nothing forged or late can keep a dead peer alive.
 */
import type { Bytes } from '../../core/bytes.ts';
import { equalConstantTime, NO_BYTES } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes } from '../../core/random.ts';
import { encodeHeartbeat } from '../packet/simple.ts';

const NONCE_LENGTH = 8;
/** Milliseconds between questions while there is no answer. */
const RETRY = 5000;

/** The heartbeats of one association: the question that is open, and its nonce. */
export class Heartbeat {
  readonly #random: RandomSource;
  readonly #interval: number;
  #nonce: Bytes = NO_BYTES;
  /** When the question went out; NaN when that time was not known to be now. */
  #askedAt = NaN;

  constructor(random: RandomSource, interval: number) {
    this.#random = random;
    this.#interval = interval;
  }

  get interval(): number {
    return this.#interval;
  }

  get retry(): number {
    return Math.min(this.#interval, RETRY);
  }

  /** A HEARTBEAT chunk with a new nonce. */
  ask(now: number, fresh: boolean): Bytes {
    this.#nonce = randomBytes(this.#random, NONCE_LENGTH);
    this.#askedAt = fresh ? now : NaN;
    return encodeHeartbeat(this.#nonce);
  }

  /** The round trip in milliseconds (NaN when it was not timed), `undefined` when the answer is not to our question. */
  answer(info: Uint8Array | undefined, now: number): number | undefined {
    if (info === undefined || this.#nonce.length === 0 || !equalConstantTime(this.#nonce, info))
      return undefined;
    this.#nonce = NO_BYTES;
    return now - this.#askedAt;
  }
}
