/** What a provider may have besides, for whoever protects many packets: sequences of nonces, MACs without copies. Held against `node:crypto`. */
import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import type { CryptoProvider } from '../../src/crypto/index.ts';

/** The suite, for `provider`. */
export function describeSequences(provider: CryptoProvider): void {
  describe('HMAC-SHA-1', () => {
    it('of keys and messages of every length is what OpenSSL makes of them, in parts and where they lie', () => {
      for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 160, 1200, 20_270, 20_289, 30_000]) {
        for (const keyLength of [0, 1, 20, 63, 64, 65, 300]) {
          const bytes = new Uint8Array(keyLength).fill(3);
          const key = provider.hmac('sha-1', bytes);
          const message = Uint8Array.from({ length }, (_, i) => i * 7);
          const suffix = Uint8Array.of(1, 2, 3, 4);
          const expected = createHmac('sha1', bytes).update(message).update(suffix).digest('hex');
          expect(toHex(key.mac(message, suffix))).toBe(expected);
          for (const [before, behind] of [
            [0, 0],
            [60, 2],
            [100, 900],
          ] as const) {
            const buffer = new Uint8Array(before + length + behind).fill(9);
            buffer.set(message, before);
            const mac = key.macOf?.(buffer, before, length, suffix);
            if (mac !== undefined) expect(toHex(mac)).toBe(expected);
          }
        }
      }
    });

    it('a MAC where it lies is of what lies within', () => {
      const key = provider.hmac('sha-1', new Uint8Array(20));
      const error: unknown = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' });
      if (key.macOf === undefined) return;
      expect(() => key.macOf?.(new Uint8Array(10), 0, 11, new Uint8Array(0))).toThrow(error);
      expect(() => key.macOf?.(new Uint8Array(10), -1, 5, new Uint8Array(0))).toThrow(error);
    });
  });

  describe('sequences of nonces under one key', () => {
    it('AES-GCM: give what the key gives, in whatever turns', () => {
      const bytes = new Uint8Array(16).fill(5);
      const key = provider.aead('aes-128-gcm', bytes);
      const keys = [key, key.forSequence?.() ?? key, key.forSequence?.() ?? key];
      for (let i = 0; i < 90; i++) {
        const one = keys[(i * i) % 3] ?? key;
        const nonce = Uint8Array.from({ length: 12 }, (_, at) => (at === 11 ? i : (i * i) % 3));
        const header = new Uint8Array(12).fill(i);
        const text = new Uint8Array((i * 37) % 1300).fill(i);
        const buffer = new Uint8Array(text.length + 16);
        buffer.set(text);
        one.seal(nonce, header, buffer, 0, text.length);
        const cipher = createCipheriv('aes-128-gcm', bytes, nonce).setAAD(header);
        const expected = cipher.update(text).toString('hex') + cipher.final().toString('hex');
        expect(toHex(buffer)).toBe(expected + cipher.getAuthTag().toString('hex'));
        expect(one.open(nonce, header, buffer, 0, buffer.length)).toBe(text.length);
        expect(toHex(buffer.subarray(0, text.length))).toBe(toHex(text));
      }
    });

    it('counter mode: give what the key gives, in whatever turns', () => {
      for (const keyLength of [16, 32]) {
        const bytes = new Uint8Array(keyLength).fill(5);
        const key = provider.counterMode(bytes);
        const keys = [key, key.forSequence?.() ?? key, key.forSequence?.() ?? key];
        for (let i = 0; i < 120; i++) {
          const one = keys[(i * i) % 3] ?? key;
          const counter = new Uint8Array(16).fill((i * i) % 3);
          // An index that wraps within the last word but one, as SRTP has it; now and then another kind of counter.
          counter.set([255, 250 + i, 0, 0], 12);
          if (i % 10 === 0) counter[15] = 250;
          const text = new Uint8Array((i * 37) % 2500).fill(i);
          const buffer = new Uint8Array(text.length + 100);
          buffer.set(text, 70);
          one.apply(counter, buffer, 70, text.length);
          const expected = createCipheriv(`aes-${8 * keyLength}-ctr`, bytes, counter).update(text);
          expect(toHex(buffer.subarray(70, 70 + text.length))).toBe(expected.toString('hex'));
          expect(toHex(buffer.subarray(0, 70))).toBe('00'.repeat(70));
        }
      }
    });

    it('many keys in turns', () => {
      const keys = Array.from({ length: 40 }, (_, i) => {
        const bytes = new Uint8Array(16).fill(i);
        return { bytes, key: provider.aead('aes-128-gcm', bytes) };
      });
      for (let nonceByte = 0; nonceByte < 40; nonceByte++) {
        for (const { bytes, key } of keys) {
          const nonce = new Uint8Array(12).fill(nonceByte);
          const text = new Uint8Array(nonceByte % 2 === 0 ? 40 : 700);
          const buffer = new Uint8Array(text.length + 16);
          key.seal(nonce, new Uint8Array(0), buffer, 0, text.length);
          const cipher = createCipheriv('aes-128-gcm', bytes, nonce);
          const expected = cipher.update(text).toString('hex') + cipher.final().toString('hex');
          expect(toHex(buffer)).toBe(expected + cipher.getAuthTag().toString('hex'));
        }
      }
    });
  });
}
