/** The provider in JavaScript: the conformance suite, and what it alone promises. */
import { gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { encodeUtf8 } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { derInteger, derValue, DER_SEQUENCE } from '../../src/dtls/certificate/der.ts';
import { describeProvider } from './conformance.ts';
import { ECDSA_EXAMPLE } from './known-answers.ts';

describe('jsCrypto', () => {
  describeProvider(jsCrypto());

  it('is one object, however often it is asked for', () => {
    expect(jsCrypto()).toBe(jsCrypto());
    expect(jsCrypto().name).toBe('js');
  });

  it.each(['sample', 'test'] as const)('signs "%s" as RFC 6979 A.2.5 does', (message) => {
    const { scalar } = ECDSA_EXAMPLE;
    const { r, s } = ECDSA_EXAMPLE[message];
    const signature = jsCrypto().signingKey(scalar).sign(encodeUtf8(message));
    expect(signature).toEqual(derValue(DER_SEQUENCE, derInteger(r), derInteger(s)));
    expect(jsCrypto().deterministicSignatures).toBe(true);
  });

  it('seals what noble-ciphers seals, for any key, nonce, additional data and text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.uint8Array({ maxLength: 70 }),
        fc.uint8Array({ maxLength: 400 }),
        (keyBytes, nonce, additionalData, text) => {
          const witness = gcm(keyBytes, nonce, additionalData).encrypt(text);
          const buffer = concatBytes(text, new Uint8Array(16));
          const key = jsCrypto().aead('aes-128-gcm', keyBytes);
          key.seal(nonce, additionalData, buffer, 0, text.length);
          expect(buffer).toEqual(witness);
          expect(key.open(nonce, additionalData, buffer, 0, buffer.length)).toBe(text.length);
          expect(buffer.subarray(0, text.length)).toEqual(new Uint8Array(text));
        },
      ),
    );
  });

  it('counts blocks past 255, where the counter carries', () => {
    const keyBytes = new Uint8Array(16).fill(11);
    const nonce = new Uint8Array(12).fill(22);
    const text = new Uint8Array(16 * 600 + 5).fill(33);
    const buffer = concatBytes(text, new Uint8Array(16));
    jsCrypto().aead('aes-128-gcm', keyBytes).seal(nonce, new Uint8Array(0), buffer, 0, text.length);
    expect(buffer).toEqual(gcm(keyBytes, nonce).encrypt(text));
  });
});
