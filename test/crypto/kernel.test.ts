/** The kernel: what OpenSSL makes of the same record, wherever it lies; keys that take turns; engines that have no WebAssembly. */
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AeadKey, CryptoProvider } from '../../src/crypto/index.ts';
import { AEAD_KEY_LENGTHS, jsCrypto } from '../../src/crypto/index.ts';
import { AesGcmKey } from '../../src/crypto/js/gcm.ts';
import { KernelGcmKey } from '../../src/crypto/kernel/gcm.ts';
import { LONGEST_TEXT, kernel } from '../../src/crypto/kernel/kernel.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { howMany } from '../how-many.ts';
import { describeProvider } from './conformance.ts';

const ALGORITHMS = ['aes-128-gcm', 'aes-256-gcm'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

function witness(
  algorithm: Algorithm,
  key: Uint8Array,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  text: Uint8Array,
): Buffer {
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(additionalData);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

/** Lengths about the ends of blocks, of eight blocks, of what Node's keys and the kernel take. */
const lengths = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 1400, max: 1500 }),
  fc.integer({ min: 2030, max: 2070 }),
  fc.integer({ min: LONGEST_TEXT - 40, max: LONGEST_TEXT + 40 }),
);

const record = fc.record({
  /** Which of two keys: a place of the kernel changes hands. */
  which: fc.nat({ max: 1 }),
  nonce: bytes(12),
  additionalLength: fc.oneof(fc.constantFrom(0, 5, 13, 16, 64, 65), fc.nat({ max: 80 })),
  length: lengths,
  /** Bytes around the record: few are brought along, many are not. */
  before: fc.constantFrom(0, 5, 13, 21, 64, 65, 300),
  behind: fc.constantFrom(0, 1, 16, 64, 65, 300),
  flipped: fc.nat(),
});

describe('the kernel', () => {
  test('is one for all keys of the process', () => {
    expect(kernel()).toBeDefined();
    expect(kernel()).toBe(kernel());
    expect(jsCrypto().aead('aes-128-gcm', new Uint8Array(16))).toBeInstanceOf(KernelGcmKey);
  });

  describe.each(['js', 'node'] as const)('under the provider %s', (name) => {
    const provider = name === 'js' ? jsCrypto() : nodeCrypto();

    test.each(ALGORITHMS)(
      'seals and opens as OpenSSL does, in place, and nothing around it: %s',
      (algorithm) => {
        const property = fc.property(
          bytes(2 * AEAD_KEY_LENGTHS[algorithm]),
          fc.array(record, { minLength: 6, maxLength: 14 }),
          (keyBytes, records) => {
            const rawKeys = [0, 1].map((i) =>
              keyBytes.subarray(i * AEAD_KEY_LENGTHS[algorithm], (i + 1) * AEAD_KEY_LENGTHS[algorithm]),
            );
            const sealing = rawKeys.map((key) => provider.aead(algorithm, key));
            const opening = rawKeys.map((key) => provider.aead(algorithm, key));
            for (const { which, nonce, additionalLength, length, before, behind, flipped } of records) {
              const text = new Uint8Array(length).map((_, i) => (i * 7 + length) & 0xff);
              const additionalData = new Uint8Array(additionalLength).fill(length & 0xff);
              const buffer = new Uint8Array(before + length + 16 + behind).fill(0xa5);
              buffer.set(text, before);
              const around = (): string =>
                Buffer.concat([buffer.subarray(0, before), buffer.subarray(before + length + 16)]).toString(
                  'hex',
                );
              const untouched = around();
              sealing[which]!.seal(nonce, additionalData, buffer, before, length);
              const expected = witness(algorithm, rawKeys[which]!, nonce, additionalData, text);
              expect(expected.equals(buffer.subarray(before, before + length + 16))).toBe(true);
              const forged = buffer.slice();
              const at = before + (flipped % (length + 16));
              forged[at] = forged[at]! ^ (1 << (flipped & 7));
              expect(opening[which]!.open(nonce, additionalData, forged, before, length + 16)).toBe(-1);
              expect(opening[which]!.open(nonce, additionalData, buffer, before, length + 16)).toBe(length);
              expect(Buffer.from(text).equals(buffer.subarray(before, before + length))).toBe(true);
              expect(around()).toBe(untouched);
            }
          },
        );
        fc.assert(property, { numRuns: howMany(25, 300) });
      },
    );
  });

  test('takes memory that is shared, and a buffer that is longer than any record', () => {
    const key = jsCrypto().aead('aes-128-gcm', new Uint8Array(16).fill(3));
    const shared = new Uint8Array(new SharedArrayBuffer(100_000));
    shared.fill(9, 50_000, 50_100);
    key.seal(new Uint8Array(12), new Uint8Array(5), shared, 50_000, 100);
    expect(key.open(new Uint8Array(12), new Uint8Array(5), shared, 50_000, 116)).toBe(100);
    expect(shared.subarray(50_000, 50_100).every((byte) => byte === 9)).toBe(true);
  });
});

describe('without WebAssembly', () => {
  async function providerWith(api: unknown): Promise<CryptoProvider> {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', api);
    const { jsCrypto: fresh } = await import('../../src/crypto/js/index.ts');
    fresh().warmUp();
    return fresh();
  }

  let provider: CryptoProvider;
  beforeAll(async () => (provider = await providerWith(undefined)));
  afterAll(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  // The suite is described before `provider` is there: it asks for the same methods of one that stands for it.
  describeProvider({
    ...methodsOf(jsCrypto()),
    aead: (algorithm, key) => provider.aead(algorithm, key),
  });

  test('keys are those in JavaScript', () => {
    expect(nameOf(provider.aead('aes-128-gcm', new Uint8Array(16)))).toBe(AesGcmKey.name);
  });

  test('the same where a policy forbids it, or the engine has no SIMD', async () => {
    class CompileError extends Error {}
    const forbidden = await providerWith({
      Module: function refuse(): never {
        throw new CompileError('refused');
      },
    });
    expect(nameOf(forbidden.aead('aes-256-gcm', new Uint8Array(32)))).toBe(AesGcmKey.name);
  });
});

/** By name: modules that were loaded anew have classes of their own. */
function nameOf(key: AeadKey): string {
  return key.constructor.name;
}

function methodsOf(provider: CryptoProvider): CryptoProvider {
  return {
    name: provider.name,
    deterministicSignatures: provider.deterministicSignatures,
    hash: (algorithm) => provider.hash(algorithm),
    hmac: (algorithm, key) => provider.hmac(algorithm, key),
    aead: (algorithm, key) => provider.aead(algorithm, key),
    mask: (algorithm, key) => provider.mask(algorithm, key),
    counterMode: (key) => provider.counterMode(key),
    keyExchange: (group, random) => provider.keyExchange(group, random),
    answerKeyExchange: (group, share, random) => provider.answerKeyExchange(group, share, random),
    signingKey: (scalar, curve) => provider.signingKey(scalar, curve),
    generateScalar: (random, curve) => provider.generateScalar(random, curve),
    verify: (...args) => provider.verify(...args),
    warmUp: () => provider.warmUp(),
  };
}
