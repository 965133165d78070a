/**
 * What every CryptoProvider must do, as tests. Called once per provider, so that both are held to the same answers.
 */
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { RtcError } from '../../src/core/errors.ts';
import type { RandomSource } from '../../src/core/random.ts';
import { randomBytes, SeededRandom } from '../../src/core/random.ts';
import { encodeUtf8, toHex } from '../../src/core/text.ts';
import type { AeadAlgorithm, CryptoProvider, HashAlgorithm } from '../../src/crypto/index.ts';
import {
  AEAD_KEY_LENGTHS,
  AEAD_TAG_LENGTH,
  HASH_LENGTHS,
  hkdfExpand,
  hkdfExtract,
} from '../../src/crypto/index.ts';
import { derInteger, derValue, DER_SEQUENCE } from '../../src/dtls/certificate/der.ts';
import { describeHybrid } from './conformance-hybrid.ts';
import { describeSequences } from './conformance-sequences.ts';
import { describeSignatures } from './conformance-signatures.ts';
import {
  AES_BLOCK_EXAMPLES,
  CHACHA_BLOCK_EXAMPLE,
  COUNTER_EXAMPLES,
  COUNTER_EXAMPLE_KEY,
  CHACHA_EXAMPLE,
  DIGESTS_OF_ABC,
  ECDSA_EXAMPLE,
  gcmAlgorithm,
  gcmVectors,
  hex,
  MACS_OF_JEFE,
  P256_EXAMPLE,
  P256_LAST_SCALAR,
  P256_ORDER,
  prfVectors,
  X25519_EXAMPLE,
  X25519_LOW_ORDER,
} from './known-answers.ts';

const AEADS = Object.keys(AEAD_KEY_LENGTHS) as AeadAlgorithm[];
const ALGORITHMS = Object.keys(HASH_LENGTHS) as HashAlgorithm[];

/** A source that always gives the same bytes: the way to inject a known scalar. */
function constant(bytes: Uint8Array): RandomSource {
  return { fill: (target) => target.set(bytes.subarray(0, target.length)) };
}

/** Runs a misuse and answers its code. */
function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof RtcError ? error.code : 'not an RtcError';
  }
  return 'nothing thrown';
}

/** An ECDSA signature as TLS carries it (RFC 8422 §5.4). */
function derSignature(r: Uint8Array, s: Uint8Array): Bytes {
  return derValue(DER_SEQUENCE, derInteger(r), derInteger(s));
}

export function describeProvider(provider: CryptoProvider): void {
  const verifies = (point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
    provider.verify('ecdsa-sha-256', { type: 'ec', curve: 'secp256r1', point }, message, signature);

  describe('hash', () => {
    it.each(DIGESTS_OF_ABC)('%s of "abc" is the one of FIPS 180-4', (algorithm, digest) => {
      expect(toHex(provider.hash(algorithm).update(encodeUtf8('abc')).digest())).toBe(digest);
    });

    it('goes on after a digest, as a transcript hash must', () => {
      const running = provider.hash('sha-256').update(encodeUtf8('a'));
      running.digest();
      running.update(encodeUtf8('bc'));
      expect(running.digest()).toEqual(provider.hash('sha-256').update(encodeUtf8('abc')).digest());
    });

    it.each(ALGORITHMS)('%s digests have the announced length and are not shared', (algorithm) => {
      const running = provider.hash(algorithm);
      const first = running.digest();
      first.fill(0);
      expect(first.length).toBe(HASH_LENGTHS[algorithm]);
      expect(running.digest()).not.toEqual(first);
      expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
    });
  });

  describe('hmac', () => {
    it.each(MACS_OF_JEFE)('%s is the one of RFC 2202 and RFC 4231', (algorithm, mac) => {
      const key = provider.hmac(algorithm, encodeUtf8('Jefe'));
      expect(toHex(key.mac(encodeUtf8('what do ya want '), encodeUtf8('for nothing?')))).toBe(mac);
    });

    it('gives the same answer again: a key is used for many messages', () => {
      const key = provider.hmac('sha-1', encodeUtf8('password'));
      const first = key.mac(encodeUtf8('one'));
      key.mac(encodeUtf8('another'), encodeUtf8('message'));
      expect(key.mac(encodeUtf8('one'))).toEqual(first);
      expect(key.mac(encodeUtf8('o'), encodeUtf8('ne'))).toEqual(first);
    });

    it('takes empty keys, keys longer than a block, and no message', () => {
      const long = new Uint8Array(300).fill(7);
      const hashed = provider.hash('sha-256').update(long).digest();
      expect(provider.hmac('sha-256', long).mac()).toEqual(provider.hmac('sha-256', hashed).mac());
      expect(toHex(provider.hmac('sha-256', new Uint8Array(0)).mac())).toBe(
        'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad',
      );
    });

    it.each(prfVectors().map((vector) => [vector.id, vector] as const))(
      'builds the TLS 1.2 PRF: %s',
      (_id, vector) => {
        // RFC 5246 §5: A(i) = HMAC(secret, A(i−1)), output = HMAC(secret, A(i) ‖ label ‖ seed) …
        const algorithm = `sha-${vector.hash.slice(3)}` as HashAlgorithm;
        const key = provider.hmac(algorithm, hex(vector.secret));
        const seed = concatBytes(encodeUtf8(vector.label), hex(vector.seed));
        let a: Bytes = seed;
        let output = '';
        while (output.length < vector.output.length) {
          a = key.mac(a);
          output += toHex(key.mac(a, seed));
        }
        expect(output.slice(0, vector.output.length)).toBe(vector.output);
      },
    );
  });

  describe('aead', () => {
    it.each(gcmVectors().map((vector) => [vector.id, vector] as const))(
      'opens or refuses %s',
      (_id, vector) => {
        const key = provider.aead(gcmAlgorithm(vector), hex(vector.key));
        const sealed = hex(vector.ciphertext + vector.tag);
        const length = key.open(hex(vector.nonce), hex(vector.aad), sealed, 0, sealed.length);
        if (vector.result === 'invalid') {
          expect(length).toBe(-1);
          if (vector.plaintext !== '') expect(toHex(sealed)).not.toContain(vector.plaintext);
        } else {
          expect(toHex(sealed.subarray(0, length))).toBe(vector.plaintext);
        }
      },
    );

    it.each(
      gcmVectors()
        .filter((vector) => vector.result === 'valid')
        .map((vector) => [vector.id, vector] as const),
    )('seals %s', (_id, vector) => {
      const key = provider.aead(gcmAlgorithm(vector), hex(vector.key));
      const plaintext = hex(vector.plaintext);
      const buffer = concatBytes(plaintext, new Uint8Array(AEAD_TAG_LENGTH));
      key.seal(hex(vector.nonce), hex(vector.aad), buffer, 0, plaintext.length);
      expect(toHex(buffer)).toBe(vector.ciphertext + vector.tag);
    });

    it('seals and opens the example of RFC 8439 §2.8.2', () => {
      const { key, nonce, additionalData, plaintext, sealed } = CHACHA_EXAMPLE;
      const chacha = provider.aead('chacha20-poly1305', key);
      const buffer = concatBytes(plaintext, new Uint8Array(AEAD_TAG_LENGTH));
      chacha.seal(nonce, additionalData, buffer, 0, plaintext.length);
      expect(toHex(buffer)).toBe(toHex(sealed));
      expect(chacha.open(nonce, additionalData, buffer, 0, buffer.length)).toBe(plaintext.length);
      expect(buffer.subarray(0, plaintext.length)).toEqual(plaintext);
    });

    it.each(AEADS)(
      'works in place: nothing outside of text and tag changes, nor nonce and additional data: %s',
      (algorithm) => {
        const key = provider.aead(algorithm, new Uint8Array(AEAD_KEY_LENGTHS[algorithm]).fill(1));
        const nonce = new Uint8Array(12).fill(2);
        const additionalData = new Uint8Array(13).fill(3);
        for (const length of [0, 1, 15, 16, 17, 33]) {
          const buffer = new Uint8Array(100).fill(4);
          key.seal(nonce, additionalData, buffer, 21, length);
          expect(buffer.subarray(0, 21)).toEqual(new Uint8Array(21).fill(4));
          expect(buffer.subarray(21 + length + 16)).toEqual(new Uint8Array(100 - 37 - length).fill(4));
          expect(key.open(nonce, additionalData, buffer, 21, length + 16)).toBe(length);
          expect(buffer.subarray(0, 21 + length)).toEqual(new Uint8Array(21 + length).fill(4));
        }
        expect(nonce).toEqual(new Uint8Array(12).fill(2));
        expect(additionalData).toEqual(new Uint8Array(13).fill(3));
      },
    );

    it.each(AEADS)('works in a view of a larger buffer: %s', (algorithm) => {
      const key = provider.aead(algorithm, new Uint8Array(AEAD_KEY_LENGTHS[algorithm]));
      const whole = new Uint8Array(200);
      key.seal(new Uint8Array(12), new Uint8Array(0), whole.subarray(50, 150), 10, 40);
      const alone = new Uint8Array(56);
      key.seal(new Uint8Array(12), new Uint8Array(0), alone, 0, 40);
      expect(whole.subarray(60, 116)).toEqual(alone);
      expect(whole.subarray(0, 60)).toEqual(new Uint8Array(60));
    });

    it.each(AEADS)('refuses a record with any single bit changed: %s', (algorithm) => {
      const key = provider.aead(algorithm, new Uint8Array(AEAD_KEY_LENGTHS[algorithm]).fill(9));
      const nonce = new Uint8Array(12);
      const additionalData = new Uint8Array(13);
      const sealed = new Uint8Array(20 + 16).fill(5);
      key.seal(nonce, additionalData, sealed, 0, 20);
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const forged = copyBytes(sealed);
        forged[bit >> 3]! ^= 1 << (bit & 7);
        expect(key.open(nonce, additionalData, forged, 0, forged.length)).toBe(-1);
      }
      for (let bit = 0; bit < 12 * 8; bit++) {
        const otherNonce = copyBytes(nonce);
        otherNonce[bit >> 3]! ^= 1 << (bit & 7);
        expect(key.open(otherNonce, additionalData, copyBytes(sealed), 0, sealed.length)).toBe(-1);
      }
      for (let bit = 0; bit < 13 * 8; bit++) {
        const otherData = copyBytes(additionalData);
        otherData[bit >> 3]! ^= 1 << (bit & 7);
        expect(key.open(nonce, otherData, copyBytes(sealed), 0, sealed.length)).toBe(-1);
      }
      expect(key.open(nonce, additionalData, sealed, 0, sealed.length)).toBe(20);
    });

    it.each(AEADS)('answers −1 to records shorter than a tag: %s', (algorithm) => {
      const key = provider.aead(algorithm, new Uint8Array(AEAD_KEY_LENGTHS[algorithm]));
      for (let length = 0; length < AEAD_TAG_LENGTH; length++) {
        expect(key.open(new Uint8Array(12), new Uint8Array(0), new Uint8Array(32), 0, length)).toBe(-1);
      }
    });

    it('throws for misuse: key and nonce of a wrong length, text outside of the buffer', () => {
      const key = provider.aead('aes-128-gcm', new Uint8Array(16));
      const none = new Uint8Array(0);
      const buffer = new Uint8Array(32);
      expect(codeOf(() => provider.aead('aes-128-gcm', new Uint8Array(32)))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.seal(new Uint8Array(11), none, buffer, 0, 1))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.open(new Uint8Array(13), none, buffer, 0, 20))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.seal(new Uint8Array(12), none, buffer, 0, 17))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.seal(new Uint8Array(12), none, buffer, -1, 4))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.open(new Uint8Array(12), none, buffer, 16, 17))).toBe('ERR_BAD_ARGUMENT');
      expect(buffer).toEqual(new Uint8Array(32));
    });
  });

  describe('mask', () => {
    it.each(AES_BLOCK_EXAMPLES)(
      '%s: one block of AES, as in FIPS 197 appendix C',
      (algorithm, key, sample, mask) => {
        const out = new Uint8Array(16);
        provider.mask(algorithm, key).compute(concatBytes(Uint8Array.of(9, 9), sample), 2, out);
        expect(toHex(out)).toBe(toHex(mask));
      },
    );

    it('chacha20-poly1305: one block of ChaCha20, as in RFC 8439 §2.3.2', () => {
      const { key, sample, mask } = CHACHA_BLOCK_EXAMPLE;
      const out = new Uint8Array(16);
      provider.mask('chacha20-poly1305', key).compute(sample, 0, out);
      expect(toHex(out)).toBe(toHex(mask));
    });

    it.each(AEADS)(
      '%s: the same sample has the same mask, whatever came between, even one of all ones',
      (algorithm) => {
        const key = provider.mask(algorithm, new Uint8Array(AEAD_KEY_LENGTHS[algorithm]).fill(3));
        const sample = new Uint8Array(16).fill(7);
        const [first, between, second] = [new Uint8Array(16), new Uint8Array(16), new Uint8Array(16)];
        key.compute(sample, 0, first);
        key.compute(new Uint8Array(16).fill(0xff), 0, between);
        key.compute(sample, 0, second);
        expect(second).toEqual(first);
        expect(between).not.toEqual(first);
        expect(
          codeOf(() => {
            key.compute(sample, 1, first);
          }),
        ).toBe('ERR_BAD_ARGUMENT');
        expect(
          codeOf(() => {
            key.compute(sample, 0, new Uint8Array(15));
          }),
        ).toBe('ERR_BAD_ARGUMENT');
        expect(codeOf(() => provider.mask(algorithm, new Uint8Array(17)))).toBe('ERR_BAD_ARGUMENT');
      },
    );
  });

  describe('counter mode', () => {
    const streamOf = (key: Uint8Array, counter: Uint8Array, length: number): Bytes => {
      const buffer = new Uint8Array(length);
      provider.counterMode(key).apply(counter, buffer, 0, length);
      return buffer;
    };

    it.each(COUNTER_EXAMPLES)('gives the key stream of RFC 3711 B.2: %s', (_name, counter, stream) => {
      expect(toHex(streamOf(COUNTER_EXAMPLE_KEY, counter, stream.length / 2))).toBe(stream);
    });

    it.each([
      ['one word', 'ffffffff'.padStart(32, '0'), '00000001'.padEnd(16, '0').padStart(32, '0')],
      ['two words', 'ffffffffffffffff'.padStart(32, '0'), '1'.padEnd(17, '0').padStart(32, '0')],
      ['the whole block', 'f'.repeat(32), '0'.repeat(32)],
    ])('counts on as one number of 128 bits: past %s', (_name, last, next) => {
      for (const key of [COUNTER_EXAMPLE_KEY, new Uint8Array(32).fill(9)]) {
        const whole = streamOf(key, hex(last), 48);
        expect(toHex(whole.subarray(0, 16))).toBe(toHex(streamOf(key, hex(last), 16)));
        expect(toHex(whole.subarray(16))).toBe(toHex(streamOf(key, hex(next), 32)));
      }
    });

    it('has blocks of AES-256 under a key of 32 bytes (FIPS 197 C.3)', () => {
      const [, [, key, block, encrypted]] = AES_BLOCK_EXAMPLES;
      expect(toHex(streamOf(key, block, 16))).toBe(toHex(encrypted));
    });

    it('works in place, touches nothing else, and undoes itself; lengths need not be whole blocks', () => {
      const counter = new Uint8Array(16).fill(0xfe);
      const key = provider.counterMode(new Uint8Array(16).fill(1));
      for (const length of [0, 1, 15, 16, 17, 1200]) {
        const buffer = new Uint8Array(length + 20).fill(4);
        key.apply(counter, buffer, 7, length);
        expect(buffer.subarray(0, 7)).toEqual(new Uint8Array(7).fill(4));
        expect(buffer.subarray(7 + length)).toEqual(new Uint8Array(13).fill(4));
        if (length > 8) expect(buffer.subarray(7, 7 + length)).not.toEqual(new Uint8Array(length).fill(4));
        key.apply(counter, buffer, 7, length);
        expect(buffer).toEqual(new Uint8Array(length + 20).fill(4));
      }
      expect(counter).toEqual(new Uint8Array(16).fill(0xfe));
    });

    it('throws for misuse before anything changes', () => {
      const buffer = new Uint8Array(16);
      const key = provider.counterMode(new Uint8Array(16));
      for (const length of [0, 15, 24, 33]) {
        expect(codeOf(() => provider.counterMode(new Uint8Array(length)))).toBe('ERR_BAD_ARGUMENT');
      }
      expect(codeOf(() => key.apply(new Uint8Array(12), buffer, 0, 16))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.apply(new Uint8Array(16), buffer, 1, 16))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.apply(new Uint8Array(16), buffer, -1, 2))).toBe('ERR_BAD_ARGUMENT');
      expect(codeOf(() => key.apply(new Uint8Array(16), buffer, 0, NaN))).toBe('ERR_BAD_ARGUMENT');
      expect(buffer).toEqual(new Uint8Array(16));
    });
  });

  it('carries HKDF as in RFC 5869 A.1', () => {
    const prk = hkdfExtract(
      provider,
      'sha-256',
      hex('000102030405060708090a0b0c'),
      new Uint8Array(22).fill(0x0b),
    );
    expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
    expect(toHex(hkdfExpand(provider.hmac('sha-256', prk), hex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  describe('secp384r1', () => {
    it('gives two ends one secret of 48 bytes, and refuses what TLS does not allow (SEC-18)', () => {
      const ours = provider.keyExchange('secp384r1', new SeededRandom(1));
      const theirs = provider.keyExchange('secp384r1', new SeededRandom(2));
      const secret = ours.deriveSecret(theirs.publicKey);
      expect(ours.publicKey).toHaveLength(97);
      expect(secret).toHaveLength(48);
      expect(theirs.deriveSecret(ours.publicKey)).toEqual(secret);
      const compressed = concatBytes(Uint8Array.of(2), theirs.publicKey.subarray(1, 49));
      const offCurve = copyBytes(theirs.publicKey);
      offCurve[96]! ^= 1;
      for (const share of [compressed, offCurve, P256_EXAMPLE.peerPublicKey, new Uint8Array(97)]) {
        expect(ours.deriveSecret(share)).toBeUndefined();
      }
    });
  });

  describe('x25519', () => {
    it('gives the answers of RFC 7748 §6.1', () => {
      const exchange = provider.keyExchange('x25519', constant(X25519_EXAMPLE.scalar));
      expect(exchange.group).toBe('x25519');
      expect(exchange.publicKey).toEqual(X25519_EXAMPLE.publicKey);
      expect(exchange.deriveSecret(X25519_EXAMPLE.peerPublicKey)).toEqual(X25519_EXAMPLE.secret);
    });

    it.each(X25519_LOW_ORDER)('refuses a share of low order: %s (SEC-18)', (_name, share) => {
      const exchange = provider.keyExchange('x25519', new SeededRandom(1));
      expect(exchange.deriveSecret(share)).toBeUndefined();
      const highBit = copyBytes(share);
      highBit[31]! |= 0x80; // ignored by RFC 7748 §5
      expect(exchange.deriveSecret(highBit)).toBeUndefined();
    });

    it('refuses shares of any other length', () => {
      const exchange = provider.keyExchange('x25519', new SeededRandom(1));
      for (const length of [0, 31, 33, 65]) {
        expect(exchange.deriveSecret(new Uint8Array(length).fill(9))).toBeUndefined();
      }
    });
  });

  describe('secp256r1', () => {
    it('gives the answers of the NIST CAVP', () => {
      const exchange = provider.keyExchange('secp256r1', constant(P256_EXAMPLE.scalar));
      expect(exchange.group).toBe('secp256r1');
      expect(exchange.publicKey).toEqual(P256_EXAMPLE.publicKey);
      expect(exchange.deriveSecret(P256_EXAMPLE.peerPublicKey)).toEqual(P256_EXAMPLE.secret);
    });

    it('refuses what TLS does not allow: compressed, hybrid, off the curve, infinity (SEC-18)', () => {
      const exchange = provider.keyExchange('secp256r1', constant(P256_EXAMPLE.scalar));
      const peer = P256_EXAMPLE.peerPublicKey;
      const compressed = concatBytes(Uint8Array.of(2), peer.subarray(1, 33));
      const hybrid = concatBytes(Uint8Array.of(6), peer.subarray(1));
      const offCurve = copyBytes(peer);
      offCurve[64]! ^= 1;
      const field = 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff';
      const unreduced = hex(`04${field}${toHex(peer.subarray(33))}`);
      const zeros = concatBytes(Uint8Array.of(4), new Uint8Array(64));
      for (const share of [
        compressed,
        hybrid,
        offCurve,
        unreduced,
        zeros,
        Uint8Array.of(0),
        peer.subarray(0, 64),
        concatBytes(peer, Uint8Array.of(0)),
        new Uint8Array(0),
      ]) {
        expect(exchange.deriveSecret(share)).toBeUndefined();
      }
    });

    it('draws scalars from the source given, below the order of the group', () => {
      expect(provider.generateScalar(constant(P256_LAST_SCALAR))).toEqual(P256_LAST_SCALAR);
      expect(provider.generateScalar(new SeededRandom(3))).toEqual(
        provider.generateScalar(new SeededRandom(3)),
      );
      expect(codeOf(() => provider.generateScalar(constant(P256_ORDER)))).toBe('ERR_INVALID_STATE');
      expect(codeOf(() => provider.generateScalar(constant(new Uint8Array(32))))).toBe('ERR_INVALID_STATE');
    });
  });

  describe('ecdsa', () => {
    const { scalar, publicKey, sample, test } = ECDSA_EXAMPLE;

    it('derives the public key of RFC 6979 A.2.5', () => {
      expect(provider.signingKey(scalar).publicKey).toEqual(publicKey);
    });

    it('verifies the signatures of RFC 6979, high-S and low-S (SEC-19, T112)', () => {
      expect(verifies(publicKey, encodeUtf8('sample'), derSignature(sample.r, sample.s))).toBe(true);
      expect(verifies(publicKey, encodeUtf8('test'), derSignature(test.r, test.s))).toBe(true);
      expect(verifies(publicKey, encodeUtf8('test'), derSignature(sample.r, sample.s))).toBe(false);
    });

    it('verifies its own signatures, and no others', () => {
      const random = new SeededRandom(7);
      const key = provider.signingKey(provider.generateScalar(random));
      const other = provider.signingKey(provider.generateScalar(random));
      for (let i = 0; i < 16; i++) {
        const message = randomBytes(random, i * 7);
        const signature = key.sign(message);
        expect(verifies(key.publicKey, message, signature)).toBe(true);
        expect(verifies(other.publicKey, message, signature)).toBe(false);
        expect(verifies(key.publicKey, concatBytes(message, Uint8Array.of(0)), signature)).toBe(false);
      }
    });

    it('refuses malformed signatures: not DER, r or s zero or not below n, trailing bytes (T112)', () => {
      const message = encodeUtf8('sample');
      const { r, s } = sample;
      const good = derSignature(r, s);
      const zero = Uint8Array.of(0);
      const negative = derValue(DER_SEQUENCE, derValue(0x02, r), derValue(0x02, s));
      const padded = derValue(
        DER_SEQUENCE,
        derValue(0x02, Uint8Array.of(0, 0), r),
        derValue(0x02, Uint8Array.of(0, 0), s),
      );
      const longForm = concatBytes(Uint8Array.of(0x30, 0x81, good.length - 2), good.subarray(2));
      for (const bad of [
        new Uint8Array(0),
        concatBytes(r, s),
        derSignature(zero, s),
        derSignature(r, zero),
        derSignature(P256_ORDER, s),
        derSignature(r, P256_ORDER),
        negative,
        padded,
        longForm,
        concatBytes(good, zero),
        derValue(DER_SEQUENCE, derInteger(r), derInteger(s), derInteger(s)),
        good.subarray(0, good.length - 1),
        new Uint8Array(1000).fill(0x30),
      ]) {
        expect(verifies(publicKey, message, bad)).toBe(false);
      }
    });

    it('refuses public keys that are no uncompressed point of the curve (T116)', () => {
      const message = encodeUtf8('sample');
      const signature = derSignature(sample.r, sample.s);
      const offCurve = copyBytes(publicKey);
      offCurve[40]! ^= 1;
      for (const bad of [
        new Uint8Array(0),
        Uint8Array.of(0),
        concatBytes(Uint8Array.of(3), publicKey.subarray(1, 33)),
        publicKey.subarray(1),
        offCurve,
        concatBytes(Uint8Array.of(4), new Uint8Array(64)),
      ]) {
        expect(verifies(bad, message, signature)).toBe(false);
      }
    });

    it('takes scalars from 1 to n−1 and throws for others', () => {
      const one = new Uint8Array(32);
      one[31] = 1;
      expect(provider.signingKey(one).publicKey.length).toBe(65);
      expect(provider.signingKey(P256_LAST_SCALAR).publicKey.length).toBe(65);
      for (const bad of [new Uint8Array(32), P256_ORDER, new Uint8Array(32).fill(255), one.subarray(1)]) {
        expect(codeOf(() => provider.signingKey(bad))).toBe('ERR_BAD_ARGUMENT');
      }
    });

    it('keeps no reference to the scalar given', () => {
      const mine = copyBytes(scalar);
      const key = provider.signingKey(mine);
      mine.fill(0);
      expect(verifies(publicKey, encodeUtf8('x'), key.sign(encodeUtf8('x')))).toBe(true);
    });
  });

  describeSequences(provider);
  describeHybrid(provider);
  describeSignatures(provider);

  it('can be warmed up, any number of times', () => {
    provider.warmUp();
    provider.warmUp();
    expect(provider.keyExchange('x25519', constant(X25519_EXAMPLE.scalar)).publicKey).toEqual(
      X25519_EXAMPLE.publicKey,
    );
  });

  it('hides its secrets from inspection (SEC-21)', () => {
    const secret = P256_EXAMPLE.scalar;
    const handles = [
      provider.signingKey(secret),
      provider.keyExchange('secp256r1', constant(secret)),
      provider.keyExchange('x25519', constant(secret)),
      provider.keyExchange('x25519mlkem768', new SeededRandom(1)),
      provider.hmac('sha-256', secret),
    ];
    for (const handle of handles) {
      expect(Object.keys(handle).filter((name) => !['publicKey', 'group', 'curve'].includes(name))).toEqual(
        [],
      );
    }
  });
}
