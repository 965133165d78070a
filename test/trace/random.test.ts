/** The randomness of recordings: one seed gives all of it, always the same. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { randomBytes } from '../../src/core/random.ts';
import { DerivedRandom, freshSeed, seededRandom } from '../../src/trace/random.ts';

const SEED = new Uint8Array(32).map((_, i) => i);

describe('DerivedRandom', () => {
  test('is HMAC-SHA-256 of a counter under the seed', () => {
    const block = (index: number): Buffer =>
      createHmac('sha256', SEED)
        .update(Buffer.from([0, 0, 0, 0, 0, 0, index]))
        .digest();
    const random = new DerivedRandom(SEED);
    expect(Buffer.from(randomBytes(random, 40))).toEqual(Buffer.concat([block(0), block(1).subarray(0, 8)]));
    expect(Buffer.from(randomBytes(random, 4))).toEqual(block(2).subarray(0, 4));
  });

  test('streams split from it are their own, whatever is drawn elsewhere', () => {
    const random = new DerivedRandom(SEED);
    const before = randomBytes(random.split('ice'), 16);
    randomBytes(random, 1000);
    expect(randomBytes(random.split('ice'), 16)).toEqual(before);
    expect(randomBytes(random.split('dtls'), 16)).not.toEqual(before);
    expect(randomBytes(new DerivedRandom(SEED), 16)).not.toEqual(before);
  });
});

describe('seeds', () => {
  test('text is 32 bytes in hexadecimal, and a fresh one is that', () => {
    expect(seededRandom(freshSeed())).toBeInstanceOf(DerivedRandom);
    for (const wrong of ['', 'ab', 'x'.repeat(64), '0'.repeat(66)]) {
      expect(() => seededRandom(wrong)).toThrow(expect.objectContaining({ code: 'ERR_TRACE' }));
    }
  });
});
