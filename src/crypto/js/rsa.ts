/**
 * Verifying RSA signatures (RFC 8017 §8.1.2, §8.2.2): gateways show RSA certificates, and nothing secret is computed with
 * them, so a plain power in BigInt does. Both paddings are rebuilt and compared, never parsed: what does not have to be
 * read cannot be read wrongly.
 */
import type { Bytes } from '../../core/bytes.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { toHex } from '../../core/text.ts';
import { isRsaKey, modulusBits } from '../rsa-key.ts';
import { digestOf } from './hash.ts';

const HASH_LENGTH = 32;
/** DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1). */
const SHA256_DIGEST_INFO: readonly number[] = [
  0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
  0x20,
];
/** The last byte of a PSS encoding. */
const PSS_TRAILER = 0xbc;

/** RSASSA-PSS or RSASSA-PKCS1-v1_5. */
export type RsaPadding = 'pss' | 'pkcs1';

/** With SHA-256, for PSS also as the mask's hash and the salt's length. */
export function verifyRsa(
  padding: RsaPadding,
  modulus: Uint8Array,
  exponent: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isRsaKey(modulus, exponent) || signature.length !== modulus.length) return false;
  const encoded = publicPower(signature, exponent, modulus);
  if (encoded === undefined) return false;
  const digest = digestOf('sha-256', message);
  return padding === 'pkcs1'
    ? equalBytes(encoded, pkcs1Encoding(digest, modulus.length))
    : isPssEncoding(encoded, digest, modulusBits(modulus) - 1);
}

/** signature ^ exponent mod modulus, as long as the modulus; `undefined` for a signature not below it (§5.2.2). */
function publicPower(signature: Uint8Array, exponent: Uint8Array, modulus: Uint8Array): Bytes | undefined {
  const n = numberOf(modulus);
  const base = numberOf(signature);
  if (base >= n) return undefined;
  let power = 1n;
  for (const byte of exponent) {
    for (let bit = 7; bit >= 0; bit--) {
      power = (power * power) % n;
      if (((byte >> bit) & 1) === 1) power = (power * base) % n;
    }
  }
  const digits = power.toString(16).padStart(2 * modulus.length, '0');
  return Uint8Array.from(modulus, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/** §9.2: 0 │ 1 │ 0xff … │ 0 │ DigestInfo. */
function pkcs1Encoding(digest: Uint8Array, length: number): Bytes {
  const encoded = new Uint8Array(length).fill(0xff);
  const infoAt = length - SHA256_DIGEST_INFO.length - HASH_LENGTH;
  encoded.set([0, 1]);
  encoded[infoAt - 1] = 0;
  encoded.set(SHA256_DIGEST_INFO, infoAt);
  encoded.set(digest, length - HASH_LENGTH);
  return encoded;
}

/** §9.1.2: masked (0 … │ 1 │ salt) │ H │ 0xbc, where H is the hash of 8 zeros │ digest │ salt. */
function isPssEncoding(encoded: Uint8Array, digest: Uint8Array, bits: number): boolean {
  const length = Math.ceil(bits / 8);
  // A modulus of 8k + 1 bits has one byte more than the encoding.
  const unused = encoded.length - length;
  const block = encoded.subarray(unused);
  const maskedLength = length - HASH_LENGTH - 1;
  const hash = block.subarray(maskedLength, length - 1);
  const spareBits = 8 * length - bits;
  if ((unused > 0 && encoded[0] !== 0) || block[length - 1] !== PSS_TRAILER) return false;
  if (block[0]! >>> (8 - spareBits) !== 0) return false;
  const data = mgf1(hash, maskedLength);
  for (let i = 0; i < maskedLength; i++) data[i]! ^= block[i]!;
  data[0]! &= 0xff >>> spareBits;
  const saltAt = maskedLength - HASH_LENGTH;
  if (data[saltAt - 1] !== 1 || data.subarray(0, saltAt - 1).some((byte) => byte !== 0)) return false;
  return equalBytes(hash, digestOf('sha-256', concatBytes(new Uint8Array(8), digest, data.subarray(saltAt))));
}

/** Appendix B.2.1, on SHA-256. */
function mgf1(seed: Uint8Array, length: number): Bytes {
  const mask = new Uint8Array(length);
  for (let at = 0, counter = 0; at < length; at += HASH_LENGTH, counter++) {
    const block = digestOf('sha-256', concatBytes(seed, Uint8Array.of(0, 0, 0, counter)));
    mask.set(block.subarray(0, length - at), at);
  }
  return mask;
}
