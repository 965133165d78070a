/** The HMAC-SHA-256 that both providers share, beside OpenSSL's: neither provider is the other's witness here. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import { HmacSha256 } from '../../src/crypto/hmac-sha256.ts';

function expected(key: Uint8Array, message: Uint8Array): Uint8Array {
  return copyBytes(createHmac('sha256', key).update(message).digest());
}

/** Bytes that differ from place to place. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 0xff);
}

describe('HmacSha256', () => {
  it('FIPS 180-4 §5.1.1: every length of message around the ends of a block', () => {
    const hmac = new HmacSha256(bytes(32));
    for (let length = 0; length <= 200; length++) {
      expect([length, hmac.mac(bytes(length))]).toEqual([length, expected(bytes(32), bytes(length))]);
    }
  });

  it('RFC 2104 §2: every length of key around a block, longer ones hashed first', () => {
    for (let length = 0; length <= 140; length++) {
      expect([length, new HmacSha256(bytes(length)).mac(bytes(20))]).toEqual([
        length,
        expected(bytes(length), bytes(20)),
      ]);
    }
  });

  it('takes a message in parts, and no key disturbs another', () => {
    const chunk = fc.uint8Array({ maxLength: 150 });
    fc.assert(
      fc.property(chunk, chunk, fc.array(chunk, { maxLength: 4 }), (key, otherKey, parts) => {
        const [one, other] = [new HmacSha256(key), new HmacSha256(otherKey)];
        const message = Uint8Array.from(parts.flatMap((part) => [...part]));
        const first = one.mac(...parts);
        expect(other.mac(message)).toEqual(expected(otherKey, message));
        expect(first).toEqual(expected(key, message));
        expect(one.mac(message)).toEqual(first);
      }),
    );
  });

  it('a message of many blocks', () => {
    const message = bytes(100_000);
    expect(new HmacSha256(bytes(32)).mac(message)).toEqual(expected(bytes(32), message));
  });
});
