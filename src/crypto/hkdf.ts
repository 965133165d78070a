/**
 * HKDF (RFC 5869) on the HMAC of any provider: extract a key from a secret, expand it to as many bytes as are needed.
 */
import type { Bytes } from '../core/bytes.ts';
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
  const numbered = new Uint8Array(info.length + 1);
  numbered.set(info);
  return hkdfExpandNumbered(key, numbered, length);
}

/** The same for an info made for this call, with a last byte of its own: the number of the block is written there. */
export function hkdfExpandNumbered(key: HmacKey, info: Uint8Array, length: number): Bytes {
  const numberAt = info.length - 1;
  info[numberAt] = 1;
  let block = key.mac(info);
  // Most of TLS's keys are one block or less.
  if (length <= block.length) return length === block.length ? block : block.slice(0, length);
  const output = new Uint8Array(length);
  output.set(block);
  for (let at = block.length; at < length; at += block.length) {
    info[numberAt]++;
    block = key.mac(block, info);
    output.set(block.subarray(0, length - at), at);
  }
  return output;
}
