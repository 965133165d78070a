/**
 * Cryptography: the contract of a provider and the default provider. `sansrtc/crypto/node` has the other one.
 *
 * @module
 */
export { jsCrypto } from './js/index.ts';
export type {
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
} from './provider.ts';
export {
  AEAD_KEY_LENGTHS,
  AEAD_NONCE_LENGTH,
  AEAD_TAG_LENGTH,
  COUNTER_LENGTH,
  HASH_LENGTHS,
  MASK_SAMPLE_LENGTH,
  RSA_MODULUS_BITS,
  cryptoRule,
} from './provider.ts';
export { hkdfExpand, hkdfExtract } from './hkdf.ts';
