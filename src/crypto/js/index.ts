/**
 * The default provider: pure JavaScript, the same bytes on every platform. Curves, hashes and ChaCha20-Poly1305 are
 * noble's; AES-GCM is our own, because a library call per record would build the key's tables per record.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { checkKey } from '../aead-arguments.ts';
import type {
  AeadAlgorithm,
  AeadKey,
  CryptoProvider,
  Group,
  Hash,
  HashAlgorithm,
  HmacKey,
  KeyExchange,
  MaskKey,
  SigningKey,
} from '../provider.ts';
import { generateScalar } from '../scalar.ts';
import { warmUpAes } from './aes.ts';
import { ChaChaKey, ChaChaMask } from './chacha.ts';
import { createKeyExchange, createSigningKey, verifySignature, warmUpCurves } from './curves.ts';
import { AesGcmKey } from './gcm.ts';
import { createHash, createHmac } from './hash.ts';
import { AesMask } from './mask.ts';

/** Stateless: one is enough for any number of connections. */
class JsCrypto implements CryptoProvider {
  readonly name = 'js';
  readonly deterministicSignatures = true;

  hash(algorithm: HashAlgorithm): Hash {
    return createHash(algorithm);
  }

  hmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey {
    return createHmac(algorithm, key);
  }

  aead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey {
    checkKey(algorithm, key);
    return algorithm === 'chacha20-poly1305' ? new ChaChaKey(key) : new AesGcmKey(key);
  }

  mask(algorithm: AeadAlgorithm, key: Uint8Array): MaskKey {
    checkKey(algorithm, key);
    return algorithm === 'chacha20-poly1305' ? new ChaChaMask(key) : new AesMask(key);
  }

  keyExchange(group: Group, random: RandomSource): KeyExchange {
    return createKeyExchange(group, random);
  }

  signingKey(scalar: Uint8Array): SigningKey {
    return createSigningKey(scalar);
  }

  generateScalar(random: RandomSource): Bytes {
    return generateScalar(random);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return verifySignature(publicKey, message, signature);
  }

  warmUp(): void {
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
