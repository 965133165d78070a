/**
 * Identification: of which association a datagram says it is. A face, for whoever routes datagrams: a record's connection id, or the
 * one that a hello in plaintext offers. Nothing here is authenticated.
 */
import { Reader } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { decodeConnectionId } from './messages/connection-id.ts';
import { ExtensionType } from './messages/extensions.ts';
import { HandshakeType, decodeFragment } from './messages/handshake.ts';
import {
  CONNECTION_ID_AT,
  ContentType,
  RECORD_HEADER_LENGTH,
  TLS12_CID,
  isRecordHeader,
  recordEpoch,
  recordFragmentLength,
} from './record/record.ts';
import { hasConnectionId, isUnifiedHeader } from './record/unified-header.ts';

/** Records of plaintext looked at before one with an id: a flight of DTLS 1.2 has four. */
const MAX_RECORDS = 8;

const VERSION_AND_RANDOM = 2 + 32;

/**
 * Where in the datagram a connection id begins: that of its first protected record, which plaintext may precede; -1 where there
 * is none. How long it is its receiver alone knows; there may be less of it than that.
 */
export function connectionIdAt(datagram: Uint8Array): number {
  for (let at = 0, records = 0; at < datagram.length && records < MAX_RECORDS; records++) {
    const first = datagram[at]!;
    if (isUnifiedHeader(first)) return hasConnectionId(first) ? at + 1 : -1;
    if (datagram.length - at < RECORD_HEADER_LENGTH || !isRecordHeader(datagram, at)) return -1;
    if (first === TLS12_CID) return at + CONNECTION_ID_AT;
    if (recordEpoch(datagram, at) > 0) return -1;
    at += RECORD_HEADER_LENGTH + recordFragmentLength(datagram, at);
  }
  return -1;
}

/**
 * The connection id that the hello at the datagram's beginning offers, a view; `undefined` for anything else. Of a hello in several
 * datagrams the first will do, if the id is in it.
 */
export function offeredConnectionIdIn(datagram: Uint8Array): Uint8Array | undefined {
  const isPlaintext =
    datagram.length > RECORD_HEADER_LENGTH &&
    datagram[0] === ContentType.handshake &&
    recordEpoch(datagram, 0) === 0;
  if (!isPlaintext) return undefined;
  const end = Math.min(datagram.length, RECORD_HEADER_LENGTH + recordFragmentLength(datagram, 0));
  const fragment = decodeFragment(new Reader(datagram, RECORD_HEADER_LENGTH, end));
  if (isFailure(fragment) || fragment.offset > 0) return undefined;
  const { type, body } = fragment;
  if (type !== HandshakeType.clientHello && type !== HandshakeType.serverHello) return undefined;
  const reader = new Reader(body);
  reader.skip(VERSION_AND_RANDOM);
  reader.skip(reader.u8()); // session id
  if (type === HandshakeType.clientHello) {
    reader.skip(reader.u8()); // cookie
    reader.skip(reader.u16()); // cipher suites
    reader.skip(reader.u8()); // compression methods
  } else {
    reader.skip(2 + 1); // cipher suite, compression method
  }
  reader.skip(2); // the length of the extensions
  while (!reader.failed && reader.remaining > 0) {
    const extension = reader.u16();
    const data = reader.view(reader.u16());
    if (extension !== ExtensionType.connectionId) continue;
    const id = decodeConnectionId(data); // cut off it is empty, which is none
    return isFailure(id) ? undefined : id;
  }
  return undefined;
}
