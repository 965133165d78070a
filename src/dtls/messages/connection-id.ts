/**
 * Connection ids on the wire: the extension `connection_id` (RFC 9146 §3), and DTLS 1.3's two messages that bring further
 * ones after the handshake (RFC 9147 §9):
 *
 *     connection_id        length 1 │ id
 *     RequestConnectionId  num_cids 1
 *     NewConnectionId      length 2 │ ids, each length 1 │ id │ usage 1
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** What the sender of a NewConnectionId wants done with its ids. */
export const ConnectionIdUsage = { immediate: 0, spare: 1 } as const;

/** The body of a NewConnectionId. The ids are views. */
export interface NewConnectionId {
  readonly ids: readonly Uint8Array[];
  /** Any byte on reception. */
  readonly usage: number;
}

const MALFORMED = decodeFailure('connection-id-malformed');

/** The data of the extension: the id that its sender wants to see in what is sent to it; empty: none. */
export function encodeConnectionId(id: Uint8Array): Bytes {
  return new Writer(1 + id.length).u8(id.length).raw(id).finish();
}

/** A view of the id; fails with `connection-id-malformed`. */
export function decodeConnectionId(data: Uint8Array): Uint8Array | DecodeFailure {
  const reader = new Reader(data);
  const id = reader.view(reader.u8());
  return reader.failed || reader.remaining !== 0 ? MALFORMED : id;
}

/** How many ids a RequestConnectionId asks for; fails with `connection-id-malformed`. */
export function decodeRequestConnectionId(body: Uint8Array): number | DecodeFailure {
  const [count] = body;
  return body.length !== 1 || count === undefined ? MALFORMED : count;
}

/** The body of a NewConnectionId. */
export function encodeNewConnectionId({ ids, usage }: NewConnectionId): Bytes {
  const writer = new Writer().u16(0);
  for (const id of ids) writer.u8(id.length).raw(id);
  return writer
    .patchU16(0, writer.length - 2)
    .u8(usage)
    .finish();
}

/** Fails with `connection-id-malformed`. */
export function decodeNewConnectionId(body: Uint8Array): NewConnectionId | DecodeFailure {
  const reader = new Reader(body);
  const list = reader.sub(reader.u16());
  const usage = reader.u8();
  if (reader.failed || reader.remaining !== 0) return MALFORMED;
  const ids: Uint8Array[] = [];
  while (list.remaining > 0) ids.push(list.view(list.u8()));
  return list.failed ? MALFORMED : { ids, usage };
}
