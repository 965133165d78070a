/**
 * MESSAGE-INTEGRITY (RFC 8489 §14.5): HMAC-SHA1 over the message up to the attribute, with the header's length as if the
 * attribute were the last. With short-term credentials the key is the password itself (§9.1.1).
 */
import { equalConstantTime, writeU16 } from '../core/bytes.ts';
import { encodeUtf8 } from '../core/text.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import type { StunMessage } from './message.ts';
import { HEADER_LENGTH } from './registry.ts';

/** Bytes of the attribute's value. */
export const INTEGRITY_LENGTH = 20;

/** The keyed handle of a short-term password: make it once per password, it is used for every message. */
export function shortTermKey(crypto: CryptoProvider, password: string): HmacKey {
  return crypto.hmac('sha-1', encodeUtf8(password));
}

/** True if the message carries a MESSAGE-INTEGRITY made with `key`. Constant time in the MAC's bytes. */
export function verifyIntegrity(message: StunMessage, key: HmacKey): boolean {
  const at = message.integrityOffset;
  if (at < 0) return false;
  const { bytes } = message;
  // The length field must be rewritten, but the datagram is not ours to write to: hash a patched copy of the first word.
  const firstWord = new Uint8Array([bytes[0]!, bytes[1]!, 0, 0]);
  writeU16(firstWord, 2, at + 4 + INTEGRITY_LENGTH - HEADER_LENGTH);
  const expected = key.mac(firstWord, bytes.subarray(4, at));
  return equalConstantTime(expected, bytes.subarray(at + 4, at + 4 + INTEGRITY_LENGTH));
}
