/**
 * The default provider: pure JavaScript, the same bytes on every platform. Curves, ML-KEM, hashes and ChaCha20-Poly1305
 * are noble's; AES-GCM is our own, because a library call per record would build the key's tables per record.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { checkCounterKey, checkKey } from '../aead-arguments.ts';
import type {
  AeadAlgorithm,
  AeadKey,
  CounterKey,
  CryptoProvider,
  Curve,
  Group,
  Hash,
  HashAlgorithm,
  HmacKey,
  KeyAnswer,
  KeyExchange,
  MaskKey,
  PublicKey,
  SignatureAlgorithm,
  SigningKey,
} from '../provider.ts';
import { HmacSha256 } from '../hmac-sha256.ts';
import { KernelCounterKey } from '../kernel/counter.ts';
import { KernelGcmKey } from '../kernel/gcm.ts';
import { KernelHmacSha1, LONGEST_MAC_KEY } from '../kernel/hmac-sha1.ts';
import { kernel } from '../kernel/kernel.ts';
import { generateScalar, NIST_CURVES } from '../scalar.ts';
import { AesCounterKey, AesMask, warmUpAes } from './aes.ts';
import { ChaChaKey, ChaChaMask } from './chacha.ts';
import { EcdsaSigningKey, verifyEcdsa } from './ecdsa.ts';
import { AesGcmKey } from './gcm.ts';
import { createHash, createHmac } from './hash.ts';
import { answerKeyExchange, createKeyExchange, warmUpCurves } from './key-exchange.ts';
import { verifyRsa } from './rsa.ts';

/** Stateless: one is enough for any number of connections. */
class JsCrypto implements CryptoProvider {
  readonly name = 'js';
  readonly deterministicSignatures = true;

  hash(algorithm: HashAlgorithm): Hash {
    return createHash(algorithm);
  }

  hmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey {
    if (algorithm === 'sha-256') return new HmacSha256(key);
    const shared = algorithm === 'sha-1' && key.length <= LONGEST_MAC_KEY ? kernel() : undefined;
    const plain = (bytes: Uint8Array): HmacKey => createHmac(algorithm, bytes);
    return shared === undefined ? plain(key) : new KernelHmacSha1(shared, key, plain);
  }

  aead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey {
    checkKey(algorithm, key);
    if (algorithm === 'chacha20-poly1305') return new ChaChaKey(key);
    const shared = kernel();
    return shared === undefined ? new AesGcmKey(key) : new KernelGcmKey(shared, key);
  }

  mask(algorithm: AeadAlgorithm, key: Uint8Array): MaskKey {
    checkKey(algorithm, key);
    return algorithm === 'chacha20-poly1305' ? new ChaChaMask(key) : new AesMask(key);
  }

  counterMode(key: Uint8Array): CounterKey {
    checkCounterKey(key);
    const shared = kernel();
    return shared === undefined ? new AesCounterKey(key) : new KernelCounterKey(shared, key);
  }

  keyExchange(group: Group, random: RandomSource): KeyExchange {
    return createKeyExchange(group, random);
  }

  answerKeyExchange(group: Group, peerPublicKey: Uint8Array, random: RandomSource): KeyAnswer | undefined {
    return answerKeyExchange(group, peerPublicKey, random);
  }

  signingKey(scalar: Uint8Array, curve: Curve = 'secp256r1'): SigningKey {
    return new EcdsaSigningKey(scalar, curve);
  }

  generateScalar(random: RandomSource, curve: Curve = 'secp256r1'): Bytes {
    return generateScalar(random, NIST_CURVES[curve]);
  }

  verify(
    algorithm: SignatureAlgorithm,
    publicKey: PublicKey,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    switch (algorithm) {
      case 'ecdsa-sha-256':
      case 'ecdsa-sha-384':
        if (publicKey.type !== 'ec') return false;
        return verifyEcdsa(
          publicKey.curve,
          publicKey.point,
          algorithm === 'ecdsa-sha-256' ? 'sha-256' : 'sha-384',
          message,
          signature,
        );
      case 'rsa-pss-sha-256':
      case 'rsa-pkcs1-sha-256':
        if (publicKey.type !== 'rsa') return false;
        return verifyRsa(
          algorithm === 'rsa-pss-sha-256' ? 'pss' : 'pkcs1',
          publicKey.modulus,
          publicKey.exponent,
          message,
          signature,
        );
    }
  }

  warmUp(): void {
    kernel();
    warmUpAes();
    warmUpCurves();
  }
}

let shared: CryptoProvider | undefined;

/** The provider in pure JavaScript: the default, in browsers and everywhere else. Always the same object. */
export function jsCrypto(): CryptoProvider {
  shared ??= new JsCrypto();
  return shared;
}
