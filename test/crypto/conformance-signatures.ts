/** What every provider must answer to signatures of gateways: RSA and P-384, right and wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { encodeUtf8 } from '../../src/core/text.ts';
import type { CryptoProvider, Curve, PublicKey, SignatureAlgorithm } from '../../src/crypto/index.ts';
import { hex } from './known-answers.ts';

interface RsaVector {
  readonly bits: number;
  readonly modulus: string;
  readonly exponent: string;
  readonly pss: string;
  readonly pkcs1: string;
  /** What a signature with the exponent 1 would be: the padded digest itself. */
  readonly encoded?: string;
  readonly wrong?: readonly (readonly [string, 'pss' | 'pkcs1', string])[];
}

interface SignatureVectors {
  readonly message: string;
  readonly rsa: readonly RsaVector[];
  readonly ecdsa: readonly {
    readonly curve: Curve;
    readonly algorithm: SignatureAlgorithm;
    readonly point: string;
    readonly signature: string;
  }[];
}

/** Made by OpenSSL. */
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/signatures.json', import.meta.url), 'utf8'),
) as SignatureVectors;
const message = hex(vectors.message);
const ALGORITHMS: readonly SignatureAlgorithm[] = [
  'ecdsa-sha-256',
  'ecdsa-sha-384',
  'rsa-pss-sha-256',
  'rsa-pkcs1-sha-256',
];
const AS = { pss: 'rsa-pss-sha-256', pkcs1: 'rsa-pkcs1-sha-256' } as const;

function vectorOf(bits: number): RsaVector {
  const vector = vectors.rsa.find((one) => one.bits === bits);
  if (vector === undefined) throw new Error(`no key of ${String(bits)} bits`);
  return vector;
}

function rsa(modulus: string | Uint8Array, exponent: string | Uint8Array): PublicKey {
  const bytes = (value: string | Uint8Array) => (typeof value === 'string' ? hex(value) : value);
  return { type: 'rsa', modulus: bytes(modulus), exponent: bytes(exponent) };
}

export function describeSignatures(provider: CryptoProvider): void {
  describe('rsa', () => {
    it.each([2048, 2049, 3072, 4096])('verifies what a key of %i bits signs, and nothing else', (bits) => {
      const vector = vectorOf(bits);
      const key = rsa(vector.modulus, vector.exponent);
      for (const padding of ['pss', 'pkcs1'] as const) {
        const other = padding === 'pss' ? 'pkcs1' : 'pss';
        const signature = hex(vector[padding]);
        expect(provider.verify(AS[padding], key, message, signature)).toBe(true);
        expect(provider.verify(AS[other], key, message, signature)).toBe(false);
        expect(provider.verify(AS[padding], key, message.subarray(1), signature)).toBe(false);
        for (const at of [0, 1, signature.length >> 1, signature.length - 1]) {
          const changed = copyBytes(signature);
          changed[at]! ^= 1;
          expect(provider.verify(AS[padding], key, message, changed)).toBe(false);
        }
        expect(provider.verify(AS[padding], key, message, signature.subarray(1))).toBe(false);
        expect(provider.verify(AS[padding], key, message, Uint8Array.of(0, ...signature))).toBe(false);
        expect(provider.verify(AS[padding], key, message, new Uint8Array(0))).toBe(false);
        expect(provider.verify(AS[padding], key, message, new Uint8Array(signature.length))).toBe(false);
      }
    });

    const small = vectorOf(2048);
    it.each(small.wrong ?? [])('refuses %s', (_name, padding, signature) => {
      expect(provider.verify(AS[padding], rsa(small.modulus, small.exponent), message, hex(signature))).toBe(
        false,
      );
    });

    it('refuses a signature that is not below the modulus, though it leaves the same remainder', () => {
      const { bits, modulus, exponent, pkcs1 } = vectorOf(2049);
      const length = Math.ceil(bits / 8);
      const sum = BigInt(`0x${modulus}`) + BigInt(`0x${pkcs1}`);
      const beyond = hex(sum.toString(16).padStart(2 * length, '0'));
      expect(provider.verify(AS.pkcs1, rsa(modulus, exponent), message, beyond)).toBe(false);
    });

    it('refuses keys that prove nothing: an exponent of 1, or even, or very long', () => {
      const { modulus, encoded, pkcs1 } = small;
      // With the exponent 1 anybody can sign: the power is the padded digest itself.
      expect(provider.verify(AS.pkcs1, rsa(modulus, '01'), message, hex(encoded ?? ''))).toBe(false);
      for (const exponent of ['', '00', '02', '00010001', '010000', `01${'00'.repeat(7)}01`]) {
        expect(provider.verify(AS.pkcs1, rsa(modulus, exponent), message, hex(pkcs1))).toBe(false);
      }
    });

    it('refuses moduli that are even, too short, too long, zero or padded', () => {
      const { modulus, exponent, pkcs1 } = small;
      const even = hex(modulus);
      even[even.length - 1]! &= 0xfe;
      const long = new Uint8Array(1025).fill(0xff);
      for (const bad of [even, hex(`00${modulus}`), new Uint8Array(256), new Uint8Array(0), long]) {
        const signature = new Uint8Array(bad.length);
        signature.set(hex(pkcs1).subarray(0, bad.length));
        expect(provider.verify(AS.pkcs1, rsa(bad, exponent), message, signature)).toBe(false);
      }
      const weak = vectorOf(1024);
      expect(provider.verify(AS.pkcs1, rsa(weak.modulus, weak.exponent), message, hex(weak.pkcs1))).toBe(
        false,
      );
    });
  });

  describe('ecdsa on both curves', () => {
    it.each(vectors.ecdsa.map((vector) => [`${vector.curve} ${vector.algorithm}`, vector] as const))(
      'verifies what OpenSSL signs: %s',
      (_name, { curve, algorithm, point, signature }) => {
        const key: PublicKey = { type: 'ec', curve, point: hex(point) };
        for (const candidate of ALGORITHMS) {
          const isValid = provider.verify(candidate, key, message, hex(signature));
          expect([candidate, isValid]).toEqual([candidate, candidate === algorithm]);
        }
        const other = curve === 'secp256r1' ? 'secp384r1' : 'secp256r1';
        expect(provider.verify(algorithm, { ...key, curve: other }, message, hex(signature))).toBe(false);
      },
    );

    it.each<Curve>(['secp256r1', 'secp384r1'])('signs with the hash of its curve: %s', (curve) => {
      const random = new SeededRandom(4);
      const scalar = provider.generateScalar(random, curve);
      const key = provider.signingKey(scalar, curve);
      const length = curve === 'secp256r1' ? 32 : 48;
      expect([key.curve, scalar.length, key.publicKey.length]).toEqual([curve, length, 1 + 2 * length]);
      const [own, other] =
        curve === 'secp256r1'
          ? (['ecdsa-sha-256', 'ecdsa-sha-384'] as const)
          : (['ecdsa-sha-384', 'ecdsa-sha-256'] as const);
      const publicKey: PublicKey = { type: 'ec', curve, point: key.publicKey };
      const signature = key.sign(encodeUtf8('x'));
      expect(provider.verify(own, publicKey, encodeUtf8('x'), signature)).toBe(true);
      expect(provider.verify(other, publicKey, encodeUtf8('x'), signature)).toBe(false);
      expect(() => provider.signingKey(scalar.subarray(1), curve)).toThrow('scalar');
    });
  });
}
