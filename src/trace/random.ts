/**
 * The randomness of a recorded connection: all of it from one seed, so that it comes again in the replay.
 *
 * A number seeds `SeededRandom`: short and good for tests, and guessed by anybody who wants to. Without one, a recording
 * draws 32 bytes from the platform and expands them here, and is as strong as any other connection, while the trace is kept
 * secret.
 */
import { Writer } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import { SeededRandom, randomBytes, systemRandom } from '../core/random.ts';
import { encodeUtf8, fromHex, toHex } from '../core/text.ts';
import type { HmacKey } from '../crypto/index.ts';
import { jsCrypto } from '../crypto/index.ts';
import { TraceRefusal } from '../rtc/tracer/fields.ts';

const SEED_LENGTH = 32;

/** What HMAC is asked: the next block of a stream, or the seed of a stream split from it. */
const BLOCK = 0;
const SPLIT = 1;

/** A stream of bytes and of further streams from one secret seed: HMAC-SHA-256 as a pseudo-random function. */
export class DerivedRandom implements RandomSource {
  readonly #key: HmacKey;
  #blocks = 0;

  /** @param seed 32 random bytes; copied. */
  constructor(seed: Uint8Array) {
    this.#key = jsCrypto().hmac('sha-256', seed);
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const block = this.#key.mac(new Writer(7).u8(BLOCK).u48(this.#blocks++).view());
      bytes.set(block.subarray(0, bytes.length - at), at);
      at += block.length;
    }
  }

  split(label: string): DerivedRandom {
    return new DerivedRandom(this.#key.mac(Uint8Array.of(SPLIT), encodeUtf8(label)));
  }
}

/** A seed for a connection whose keys nobody shall guess. Throws `ERR_INVALID_STATE` where the platform has no randomness. */
export function freshSeed(): string {
  return toHex(randomBytes(systemRandom, SEED_LENGTH));
}

/** The randomness of a seed. Throws a `TraceRefusal` for text that is not 32 bytes in hexadecimal. */
export function seededRandom(seed: number | string): SeededRandom | DerivedRandom {
  if (typeof seed === 'number') return new SeededRandom(seed);
  const bytes = fromHex(seed);
  if (bytes?.length !== SEED_LENGTH)
    throw new TraceRefusal('"seed" expected a number or 64 hexadecimal digits', 1);
  return new DerivedRandom(bytes);
}
