/** KeyUpdate (RFC 8446 §4.6.3): one byte, whether the other side is asked to change its keys too. */
import type { Bytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

const MALFORMED = decodeFailure('key-update-malformed');

/** True if an answer is asked for. */
export function decodeKeyUpdate(body: Uint8Array): boolean | DecodeFailure {
  const [request] = body;
  if (body.length !== 1 || (request !== 0 && request !== 1)) return MALFORMED;
  return request === 1;
}

export function encodeKeyUpdate(updateRequested: boolean): Bytes {
  return Uint8Array.of(updateRequested ? 1 : 0);
}
