import { describe, expect, test } from 'vitest';
import type { RandomSource } from '../../src/core/random.ts';
import {
  SeededRandom,
  randomBytes,
  randomText,
  randomU32,
  randomUnit,
  splitRandom,
  systemRandom,
} from '../../src/core/random.ts';
import { toHex } from '../../src/core/text.ts';

describe('SeededRandom', () => {
  test('the same seed gives the same bytes, today and in every later version', () => {
    // Computed apart, from the published xoshiro128** and splitmix32. A change makes worthless every seed written down.
    expect(toHex(randomBytes(new SeededRandom(1), 16))).toBe('d4197117e52d9681b39a60e37ac1bc7c');
    expect(toHex(randomBytes(new SeededRandom(1).split('ice'), 16))).toBe('1f713434ef3f39a249158250f7c980e1');
  });

  test('other seeds give other bytes, 0 and neighbours included', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 1000; seed++) seen.add(toHex(randomBytes(new SeededRandom(seed), 8)));
    expect(seen.size).toBe(1000);
  });

  test('bytes are spread evenly', () => {
    const counts = new Uint32Array(256);
    for (const byte of randomBytes(new SeededRandom(7), 256_000)) counts[byte] = (counts[byte] ?? 0) + 1;
    // 1000 expected each, with a standard deviation of about 32.
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });

  test('numbers lie in [0, 1) and around a half', () => {
    const random = new SeededRandom(3);
    const numbers = Array.from({ length: 10_000 }, () => random.unit());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
  });
});

describe('streams of their own', () => {
  test('a split depends on seed and label, and not on how much was drawn before', () => {
    const fresh = new SeededRandom(5);
    const drawn = new SeededRandom(5);
    randomBytes(drawn, 1000);
    const first = toHex(randomBytes(fresh.split('ice'), 16));
    expect(toHex(randomBytes(drawn.split('ice'), 16))).toBe(first);
    expect(toHex(randomBytes(fresh.split('dtls'), 16))).not.toBe(first);
    expect(toHex(randomBytes(new SeededRandom(6).split('ice'), 16))).not.toBe(first);
  });

  test('splitting does not change the source', () => {
    const source = new SeededRandom(5);
    splitRandom(source, 'ice');
    expect(source.u32()).toBe(new SeededRandom(5).u32());
  });

  test('a source that cannot split is used as it is', () => {
    const source: RandomSource = { fill: (bytes) => bytes.fill(1) };
    expect(splitRandom(source, 'ice')).toBe(source);
  });
});

describe('helpers', () => {
  const ones: RandomSource = { fill: (bytes) => bytes.fill(0xff) };

  test('a 32-bit integer is unsigned, a number in [0, 1) never 1', () => {
    expect(randomU32(ones)).toBe(0xffff_ffff);
    expect(randomUnit(ones)).toBeLessThan(1);
  });

  test('text takes 6 bits a character from its alphabet', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    expect(randomText(ones, 3, alphabet)).toBe('///');
    const used = new Set(randomText(new SeededRandom(1), 4096, alphabet));
    expect(used.size).toBe(64);
  });
});

describe('systemRandom', () => {
  test('fills more than one call of the platform may take (65536 bytes)', () => {
    const bytes = new Uint8Array(65536 * 2 + 32);
    systemRandom.fill(bytes);
    // 32 zeros at the end by chance: one in 2^256.
    expect(bytes.subarray(-32).some((byte) => byte !== 0)).toBe(true);
    expect(bytes.subarray(65536, 65568).some((byte) => byte !== 0)).toBe(true);
  });

  test('draws anew each time', () => {
    expect(toHex(randomBytes(systemRandom, 16))).not.toBe(toHex(randomBytes(systemRandom, 16)));
  });

  test('small requests never get the same bytes twice, and large ones are served as well', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) seen.add(toHex(randomBytes(systemRandom, 8 + (i % 57))).slice(0, 16));
    expect(seen.size).toBe(2000);
    expect(new Set(randomBytes(systemRandom, 70_000)).size).toBe(256);
  });
});
