/** KeyUpdate (RFC 8446 §4.6.3): one byte, whether the other side is asked to change its keys too. */
import type { Bytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

const MALFORMED = decodeFailure('key-update-malformed');

/** request_update: 1 if an answer is asked for, 0 if not; any other byte is for the reader to refuse. */
export function decodeKeyUpdate(body: Uint8Array): number | DecodeFailure {
  const [request] = body;
  return body.length !== 1 || request === undefined ? MALFORMED : request;
}

/** The body of a KeyUpdate. */
export function encodeKeyUpdate(updateRequested: boolean): Bytes {
  return Uint8Array.of(updateRequested ? 1 : 0);
}
