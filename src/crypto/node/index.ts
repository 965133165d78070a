/**
 * The provider for servers in Node, Deno and Bun: the same contract on OpenSSL, ten to forty times faster in handshakes
 * and in constant time but for two tables (see ../README.md). Entry point `sansrtc/crypto/node`, so that no browser bundle
 * ever meets `node:crypto`.
 *
 * @module
 */
import { createSecretKey } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
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
import { kernel } from '../kernel/kernel.ts';
import { generateScalar, NIST_CURVES } from '../scalar.ts';
import { checkCounterKey, checkKey } from '../aead-arguments.ts';
import { createMask, NodeAeadKey } from './aead.ts';
import { NodeCounterKey } from './counter.ts';
import { NodeGcmKey, SharedKey } from './gcm.ts';
import { NodeHash, NodeHmac } from './hash.ts';
import { OneShotHmacSha1 } from './hmac-sha1.ts';
import { answerKeyExchange, createKeyExchange, warmUpKeyExchange } from './key-exchange.ts';
import { EcdsaSigningKey, verifySignature } from './signatures.ts';

/**
 * HMAC-SHA-256 in JavaScript costs a third of OpenSSL's, with the objects around that, but once it is compiled alone: before, it costs ten
 * times as much, and compiling it as much as all keys of some hundred connections. A connection has eleven keys at each end.
 */
const HMAC_KEYS_OF_A_COLD_PROCESS = 2000;

/** Keys of HMAC-SHA-256 of this process so far. */
let hmacKeys = 0;

/** Stateless: one is enough for any number of connections. */
class NodeCrypto implements CryptoProvider {
  readonly name = 'node';
  readonly deterministicSignatures = false;

  hash(algorithm: HashAlgorithm): Hash {
    return new NodeHash(algorithm);
  }

  hmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey {
    if (algorithm === 'sha-1' && OneShotHmacSha1.isThere) return new OneShotHmacSha1(key);
    const isCheaper = algorithm === 'sha-256' && ++hmacKeys > HMAC_KEYS_OF_A_COLD_PROCESS;
    return isCheaper ? new HmacSha256(key) : new NodeHmac(algorithm, key);
  }

  aead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey {
    checkKey(algorithm, key);
    const secret = createSecretKey(key);
    return algorithm === 'chacha20-poly1305'
      ? new NodeAeadKey(algorithm, secret)
      : new NodeGcmKey(new SharedKey(algorithm, secret));
  }

  mask(algorithm: AeadAlgorithm, key: Uint8Array): MaskKey {
    return createMask(algorithm, key);
  }

  counterMode(key: Uint8Array): CounterKey {
    checkCounterKey(key);
    return NodeCounterKey.of(key);
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
    return verifySignature(algorithm, publicKey, message, signature);
  }

  /** OpenSSL has its tables; what it can do is found out here. */
  warmUp(): void {
    kernel();
    warmUpKeyExchange();
  }
}

let shared: CryptoProvider | undefined;

/** The provider on `node:crypto`. Always the same object. */
export function nodeCrypto(): CryptoProvider {
  shared ??= new NodeCrypto();
  return shared;
}
