/**
 * MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6): an HMAC over the message up to the attribute, with
 * the header's length as if the attribute were the last. With short-term credentials the key is the password itself (§9.1.1),
 * with long-term ones `longTermKey`.
 */
import { equalConstantTime, readU16, writeU16 } from '../core/bytes.ts';
import { encodeUtf8 } from '../core/text.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import type { StunMessage } from './message.ts';
import { HEADER_LENGTH } from './registry.ts';

/** Bytes of MESSAGE-INTEGRITY's value. */
export const INTEGRITY_LENGTH = 20;
/** Bytes of MESSAGE-INTEGRITY-SHA256's value, unless a usage of STUN allows it to be cut short. */
export const INTEGRITY_SHA256_LENGTH = 32;

/** The keyed handle of a short-term password: make it once per password, it is used for every message. */
export function shortTermKey(crypto: CryptoProvider, password: string): HmacKey {
  return crypto.hmac('sha-1', encodeUtf8(password));
}

/** True if the message carries a MESSAGE-INTEGRITY made with `key`, an HMAC-SHA1. Constant time in the MAC's bytes. */
export function verifyIntegrity(message: StunMessage, key: HmacKey): boolean {
  const at = message.integrityOffset;
  return at >= 0 && verify(message, key, at, INTEGRITY_LENGTH);
}

/**
 * True if the message carries a MESSAGE-INTEGRITY-SHA256 made with `key`, an HMAC-SHA256.
 * @param shortest bytes that the value may have been cut down to: 16 at the least, where a usage allows it; TURN does not
 */
export function verifyIntegritySha256(
  message: StunMessage,
  key: HmacKey,
  shortest: number = INTEGRITY_SHA256_LENGTH,
): boolean {
  const at = message.integritySha256Offset;
  if (at < 0) return false;
  const length = readU16(message.bytes, at + 2);
  return length >= shortest && verify(message, key, at, length);
}

function verify({ bytes }: StunMessage, key: HmacKey, at: number, length: number): boolean {
  // The length field must be rewritten, but the datagram is not ours to write to: hash a patched copy of the first word.
  const firstWord = new Uint8Array([bytes[0]!, bytes[1]!, 0, 0]);
  writeU16(firstWord, 2, at + 4 + length - HEADER_LENGTH);
  const expected = key.mac(firstWord, bytes.subarray(4, at)).subarray(0, length);
  return equalConstantTime(expected, bytes.subarray(at + 4, at + 4 + length));
}
