/** The provider on node:crypto: the conformance suite, and agreement with the provider in JavaScript. */
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom, systemRandom } from '../../src/core/random.ts';
import type { AeadAlgorithm, CryptoProvider, Group, HashAlgorithm } from '../../src/crypto/index.ts';
import { AEAD_KEY_LENGTHS, HASH_LENGTHS, jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { howMany } from '../how-many.ts';
import { describeProvider } from './conformance.ts';

function verifies(
  provider: CryptoProvider,
  point: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return provider.verify('ecdsa-sha-256', { type: 'ec', curve: 'secp256r1', point }, message, signature);
}

describe('nodeCrypto', () => {
  describeProvider(nodeCrypto());

  it('is one object, and says that its signatures differ from run to run', () => {
    expect(nodeCrypto()).toBe(nodeCrypto());
    expect(nodeCrypto().name).toBe('node');
    expect(nodeCrypto().deterministicSignatures).toBe(false);
  });

  it("gives the same HMAC before and after it has gone over from OpenSSL's", () => {
    const [key, message] = [new Uint8Array(32).fill(1), new Uint8Array(100).fill(2)];
    const expected = jsCrypto().hmac('sha-256', key).mac(message);
    for (let keys = 0; keys < 2100; keys += 100) {
      expect(nodeCrypto().hmac('sha-256', key).mac(message)).toEqual(expected);
      for (let i = 1; i < 100; i++) nodeCrypto().hmac('sha-256', key);
    }
  });
});

describe('AES-GCM of Node', () => {
  it.each(['aes-128-gcm', 'aes-256-gcm'] as const)(
    'short and long records are one and the same: %s',
    (algorithm) => {
      const random = new SeededRandom(44);
      const bytes = (length: number): Uint8Array => {
        const out = new Uint8Array(length);
        random.fill(out);
        return out;
      };
      const rawKey = bytes(AEAD_KEY_LENGTHS[algorithm]);
      const key = nodeCrypto().aead(algorithm, rawKey);
      for (let length = 0; length < 600; length++) {
        const [nonce, additionalData, text] = [bytes(12), bytes(length % 23), bytes(length)];
        const sealed = new Uint8Array(length + 16);
        sealed.set(text);
        key.seal(nonce, additionalData, sealed, 0, length);
        const cipher = createCipheriv(algorithm, rawKey, nonce).setAAD(additionalData);
        expect(Buffer.from(sealed)).toEqual(
          Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]),
        );
        const forged = sealed.slice();
        forged[(length * 7) % forged.length]! ^= 1 << (length & 7);
        expect(key.open(nonce, additionalData, forged, 0, forged.length)).toBe(-1);
        expect(key.open(nonce, additionalData, sealed, 0, sealed.length)).toBe(length);
        expect(sealed.subarray(0, length)).toEqual(text);
      }
    },
  );
});

describe('key streams of records in a row', () => {
  // Eight records share one call into OpenSSL: every order, any lengths, forgeries in between.
  it.each(['aes-128-gcm', 'aes-256-gcm'] as const)('%s is what OpenSSL makes of each alone', (algorithm) => {
    const rawKey = new Uint8Array(AEAD_KEY_LENGTHS[algorithm]).fill(9);
    const record = fc.record({
      sequence: fc.integer({ min: 0, max: 40 }),
      length: fc.oneof(fc.integer({ min: 0, max: 470 }), fc.integer({ min: 1300, max: 2100 })),
      isForged: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.array(record, { minLength: 5, maxLength: 40 }),
        (iv, records) => {
          const sealing = nodeCrypto().aead(algorithm, rawKey);
          const opening = nodeCrypto().aead(algorithm, rawKey);
          for (const { sequence, length, isForged } of records) {
            const nonce = iv.slice();
            nonce[11]! ^= sequence;
            const text = new Uint8Array(length).fill(sequence);
            const sealed = new Uint8Array(length + 16);
            sealed.set(text);
            sealing.seal(nonce, iv, sealed, 0, length);
            const cipher = createCipheriv(algorithm, rawKey, nonce).setAAD(iv);
            expect(Buffer.from(sealed)).toEqual(
              Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]),
            );
            if (isForged) sealed[length]! ^= 1;
            expect(opening.open(nonce, iv, sealed, 0, sealed.length)).toBe(isForged ? -1 : length);
            if (!isForged) expect(sealed.subarray(0, length)).toEqual(text);
          }
        },
      ),
      { numRuns: howMany(20, 60) },
    );
  });
});

describe('both providers', () => {
  it('give the same digests and MACs', () => {
    const algorithms = Object.keys(HASH_LENGTHS) as HashAlgorithm[];
    fc.assert(
      fc.property(
        fc.constantFrom(...algorithms),
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
        (algorithm, key, parts) => {
          const [js, node] = [jsCrypto(), nodeCrypto()].map((provider) => {
            const hash = provider.hash(algorithm);
            for (const part of parts) hash.update(part);
            return { digest: hash.digest(), mac: provider.hmac(algorithm, key).mac(...parts) };
          });
          expect(js).toEqual(node);
        },
      ),
    );
  });

  it("open each other's records and refuse each other's forgeries", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(AEAD_KEY_LENGTHS) as AeadAlgorithm[])),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 1300 }),
        fc.nat({ max: 40 }),
        fc.nat(),
        fc.boolean(),
        (algorithm, longKey, nonce, additionalData, text, offset, place, jsSeals) => {
          const keyBytes = longKey.slice(0, AEAD_KEY_LENGTHS[algorithm]);
          const js = jsCrypto().aead(algorithm, keyBytes);
          const node = nodeCrypto().aead(algorithm, keyBytes);
          const masks = [jsCrypto(), nodeCrypto()].map((provider) => {
            const mask = new Uint8Array(16);
            provider.mask(algorithm, keyBytes).compute(longKey, place % 17, mask);
            return mask;
          });
          expect(masks[0]).toEqual(masks[1]);
          const [sealer, opener] = jsSeals ? [js, node] : [node, js];
          const buffer = new Uint8Array(offset + text.length + 16);
          buffer.set(text, offset);
          sealer.seal(nonce, additionalData, buffer, offset, text.length);
          const forged = buffer.slice();
          forged[offset + (place % (text.length + 16))]! ^= 1 << (place & 7);
          expect(opener.open(nonce, additionalData, forged, offset, text.length + 16)).toBe(-1);
          expect(opener.open(nonce, additionalData, buffer, offset, text.length + 16)).toBe(text.length);
          expect(buffer.subarray(offset, offset + text.length)).toEqual(new Uint8Array(text));
        },
      ),
    );
  });

  it.each<Group>(['x25519', 'secp256r1', 'secp384r1'])(
    'agree on %s secrets, and on the keys a seed gives',
    (group) => {
      for (let seed = 0; seed < 4; seed++) {
        const js = jsCrypto().keyExchange(group, new SeededRandom(seed));
        const node = nodeCrypto().keyExchange(group, new SeededRandom(seed));
        expect(js.publicKey).toEqual(node.publicKey);
        const peer = nodeCrypto().keyExchange(group, new SeededRandom(seed + 100));
        const secret = js.deriveSecret(peer.publicKey);
        expect(secret).toHaveLength(group === 'secp384r1' ? 48 : 32);
        expect(node.deriveSecret(peer.publicKey)).toEqual(secret);
        expect(peer.deriveSecret(js.publicKey)).toEqual(secret);
      }
    },
  );

  it('agree on x25519mlkem768, and on the shares and answers a seed gives', () => {
    for (let seed = 0; seed < 2; seed++) {
      const [js, node] = [jsCrypto(), nodeCrypto()].map((provider) => {
        const asking = provider.keyExchange('x25519mlkem768', new SeededRandom(seed));
        return { provider, asking };
      });
      if (js === undefined || node === undefined) throw new Error('two providers');
      expect(js.asking.publicKey).toEqual(node.asking.publicKey);
      const answers = [js, node].map(({ provider }) =>
        provider.answerKeyExchange('x25519mlkem768', js.asking.publicKey, new SeededRandom(seed + 9)),
      );
      expect(answers[0]).toEqual(answers[1]);
      const unseeded = nodeCrypto().answerKeyExchange('x25519mlkem768', js.asking.publicKey, systemRandom);
      expect(js.asking.deriveSecret(unseeded?.publicKey ?? new Uint8Array())).toEqual(unseeded?.secret);
    }
  });

  it("verify each other's signatures (SEC-19: about half of node's are high-S)", () => {
    const scalar = jsCrypto().generateScalar(new SeededRandom(5));
    const js = jsCrypto().signingKey(scalar);
    const node = nodeCrypto().signingKey(scalar);
    expect(js.publicKey).toEqual(node.publicKey);
    for (let i = 0; i < 24; i++) {
      const message = Uint8Array.of(i);
      expect(verifies(jsCrypto(), js.publicKey, message, node.sign(message))).toBe(true);
      expect(verifies(nodeCrypto(), js.publicKey, message, js.sign(message))).toBe(true);
    }
  });

  it('answer the same to mutated signatures', () => {
    const scalar = jsCrypto().generateScalar(new SeededRandom(6));
    const key = jsCrypto().signingKey(scalar);
    const message = Uint8Array.of(1, 2, 3);
    const signature = key.sign(message);
    for (let at = 0; at < signature.length; at++) {
      const mutated = signature.slice();
      mutated[at]! ^= 1 << (at & 7);
      expect(verifies(jsCrypto(), key.publicKey, message, mutated)).toBe(false);
      expect(verifies(nodeCrypto(), key.publicKey, message, mutated)).toBe(false);
    }
  });
});
