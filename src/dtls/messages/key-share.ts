/**
 * The key_share extension (RFC 8446 §4.2.8): one share is group 2 │ key_exchange <2>. A ClientHello has a vector <2> of
 * them, a ServerHello one alone, a HelloRetryRequest a group alone.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** One share. */
export interface KeyShare {
  readonly groupCode: number;
  /** A view of the extension. */
  readonly publicKey: Uint8Array;
}

const MALFORMED = decodeFailure('key-share-malformed');

/** A client's shares; at most one for a group. */
export function decodeKeyShares(data: Uint8Array): readonly KeyShare[] | DecodeFailure {
  const reader = new Reader(data);
  const list = reader.sub(reader.u16());
  if (reader.failed || reader.remaining !== 0) return MALFORMED;
  const shares: KeyShare[] = [];
  while (list.remaining > 0) {
    const share = readShare(list);
    if (list.failed || shares.some(({ groupCode }) => groupCode === share.groupCode)) return MALFORMED;
    shares.push(share);
  }
  return shares;
}

/** A ClientHello's shares. */
export function encodeKeyShares(shares: readonly KeyShare[]): Bytes {
  const writer = new Writer().u16(0);
  for (const share of shares) writeShare(writer, share);
  return writer.patchU16(0, writer.length - 2).finish();
}

/** A ServerHello's share; fails with `key-share-malformed`. */
export function decodeKeyShare(data: Uint8Array): KeyShare | DecodeFailure {
  const reader = new Reader(data);
  const share = readShare(reader);
  return reader.failed || reader.remaining !== 0 ? MALFORMED : share;
}

/** A ServerHello's share. */
export function encodeKeyShare(share: KeyShare): Bytes {
  const writer = new Writer();
  writeShare(writer, share);
  return writer.finish();
}

function readShare(reader: Reader): KeyShare {
  const groupCode = reader.u16();
  const publicKey = reader.view(reader.u16());
  if (publicKey.length === 0) reader.failed = true;
  return { groupCode, publicKey };
}

function writeShare(writer: Writer, share: KeyShare): void {
  writer.u16(share.groupCode).u16(share.publicKey.length).raw(share.publicKey);
}
