/**
 * Randomness comes in from outside, like time.
 *
 * `systemRandom` is one of the library's two listed edges: it reads the platform's cryptographic generator. Tests and
 * simulations inject a `SeededRandom` instead, and each layer draws from a stream of its own, split by name, so that a
 * change in how much one layer draws does not shift the others.
 */
import type { Bytes } from './bytes.ts';
import { NO_BYTES, readU32 } from './bytes.ts';
import { RtcError } from './errors.ts';
import type { OptionRule } from './options.ts';
import { having } from './options.ts';
import { encodeUtf8 } from './text.ts';

/** A source of random bytes. `fill` overwrites the whole array. */
export interface RandomSource {
  fill(bytes: Uint8Array): void;
  /** A stream of its own for `label`; deterministic sources derive it from seed and label. */
  split?(label: string): RandomSource;
}

/** What a `random` option must be. */
export const randomRule: OptionRule = /* @__PURE__ */ having('a RandomSource', ['fill']);

interface PlatformCrypto {
  getRandomValues(bytes: Uint8Array): Uint8Array;
}

/** Web platforms cap one call of `getRandomValues` at 65536 bytes. */
const PLATFORM_CHUNK = 65536;

/** A call costs the platform as much for 4 bytes as for 400: small requests are served from a reserve of so many bytes. */
const RESERVE = 1024;
const SMALL = 64;

/** What is left of the reserve, at its end. */
let reserve: Uint8Array = NO_BYTES;

/** The platform's cryptographic generator (`crypto.getRandomValues`). Throws `ERR_INVALID_STATE` where there is none. */
export const systemRandom: RandomSource = {
  fill(bytes: Uint8Array): void {
    const platform = (globalThis as { readonly crypto?: PlatformCrypto }).crypto;
    if (platform === undefined) {
      throw new RtcError(
        'ERR_INVALID_STATE',
        'this platform has no crypto.getRandomValues: pass "random" yourself',
      );
    }
    if (bytes.length <= SMALL) {
      if (reserve.length < bytes.length) reserve = platform.getRandomValues(new Uint8Array(RESERVE));
      bytes.set(reserve.subarray(0, bytes.length));
      // What has been given out may become a key: nothing here remembers it.
      reserve.fill(0, 0, bytes.length);
      reserve = reserve.subarray(bytes.length);
      return;
    }
    for (let at = 0; at < bytes.length; at += PLATFORM_CHUNK) {
      platform.getRandomValues(bytes.subarray(at, Math.min(at + PLATFORM_CHUNK, bytes.length)));
    }
  },
};

/**
 * A reproducible source for tests and simulations: the same seed gives the same bytes. xoshiro128**, seeded through
 * splitmix32. NOT cryptographic: whoever knows the seed knows every key.
 */
export class SeededRandom implements RandomSource {
  readonly #seed: number;
  readonly #state: Uint32Array;

  /** @param seed any number; its low 32 bits count. */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = new Uint32Array(4);
    let mix = this.#seed;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e37_79b9) >>> 0;
      this.#state[i] = scramble(mix);
    }
  }

  fill(bytes: Uint8Array): void {
    let word = 0;
    for (let i = 0; i < bytes.length; i++) {
      if ((i & 3) === 0) word = this.u32();
      bytes[i] = word >>> ((i & 3) * 8);
    }
  }

  split(label: string): SeededRandom {
    let hash = this.#seed ^ 0x811c_9dc5;
    for (const byte of encodeUtf8(label)) hash = Math.imul(hash ^ byte, 0x0100_0193);
    return new SeededRandom(scramble(hash >>> 0));
  }

  /** A uniform 32-bit integer. */
  u32(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= s1 << 9;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** A uniform number in [0, 1). */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }
}

/** A stream of its own for `label` where the source can split, the source itself where it cannot. */
export function splitRandom(source: RandomSource, label: string): RandomSource {
  return source.split === undefined ? source : source.split(label);
}

/** `length` fresh bytes of `source`, in memory of their own. */
export function randomBytes(source: RandomSource, length: number): Bytes {
  const bytes = new Uint8Array(length);
  source.fill(bytes);
  return bytes;
}

/** A uniform 32-bit integer, unsigned. */
export function randomU32(source: RandomSource): number {
  return readU32(randomBytes(source, 4), 0);
}

/** A uniform number in [0, 1) with 32 bits of resolution. */
export function randomUnit(source: RandomSource): number {
  return randomU32(source) / 0x1_0000_0000;
}

/** `length` characters of a 64-character `alphabet`: 6 bits of entropy each. */
export function randomText(source: RandomSource, length: number, alphabet: string): string {
  let text = '';
  for (const byte of randomBytes(source, length)) text += alphabet.charAt(byte & 63);
  return text;
}

function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function rotateLeft(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}
