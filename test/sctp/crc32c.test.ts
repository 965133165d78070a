import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../src/core/text.ts';
import { CRC32C_START, crc32c, finishCrc32c, updateCrc32c } from '../../src/sctp/crc32c.ts';
import vectors from '../vectors/crc32c.json' with { type: 'json' };

/** The definition: one bit a step. */
function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  test.each(vectors.vectors.map((vector) => [vector.id, vector] as const))('known answer %s', (_, vector) => {
    const input = fromHex(vector.input) ?? new Uint8Array(0);
    expect(crc32c(input).toString(16).padStart(8, '0')).toBe(vector.crc32c);
  });

  test('agrees with the bitwise definition for every length and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, from) => {
        const start = Math.min(from, bytes.length);
        expect(crc32c(bytes, start)).toBe(bitByBit(bytes.subarray(start)));
      }),
    );
  });

  test('may be fed in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        const register = updateCrc32c(CRC32C_START, bytes, 0, cut);
        expect(finishCrc32c(updateCrc32c(register, bytes, cut, bytes.length))).toBe(crc32c(bytes));
      }),
    );
  });
});
