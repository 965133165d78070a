/**
 * HKDF (RFC 5869) on the HMAC of any provider: extract a key from a secret, expand it to as many bytes as are needed.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES } from '../core/bytes.ts';
import type { CryptoProvider, HashAlgorithm, HmacKey } from './provider.ts';

/** RFC 5869 §2.2: the pseudorandom key, of the hash's length. TLS gives a salt always, if only of zeros. */
export function hkdfExtract(
  crypto: CryptoProvider,
  algorithm: HashAlgorithm,
  salt: Uint8Array,
  inputKeyMaterial: Uint8Array,
): Bytes {
  return crypto.hmac(algorithm, salt).mac(inputKeyMaterial);
}

/** RFC 5869 §2.3: `length` bytes, at most 255 times the hash's. `key` is the HMAC keyed with the pseudorandom key. */
export function hkdfExpand(key: HmacKey, info: Uint8Array, length: number): Bytes {
  const output = new Uint8Array(length);
  let block: Bytes = NO_BYTES;
  for (let at = 0, counter = 1; at < length; at += block.length, counter++) {
    block = key.mac(block, info, Uint8Array.of(counter));
    output.set(block.subarray(0, length - at), at);
  }
  return output;
}
