/**
 * The handshake header of DTLS (RFC 6347 §4.2.2), which lets one message travel in several records:
 *
 *     msg_type 1 │ length 3 │ message_seq 2 │ fragment_offset 3 │ fragment_length 3 │ fragment
 */
import type { Reader } from '../../core/bytes.ts';
import { writeU16, writeU24 } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** RFC 5246 §7.4, RFC 6347 §4.3.2, RFC 8446 §4, RFC 9147 §5.2. */
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  newSessionTicket: 4,
  encryptedExtensions: 8,
  requestConnectionId: 9,
  newConnectionId: 10,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
  keyUpdate: 24,
} as const;
/** One of the types that have a name here. */
export type HandshakeType = (typeof HandshakeType)[keyof typeof HandshakeType];

/** Bytes before every fragment. */
export const HANDSHAKE_HEADER_LENGTH = 12;

/** A whole message. `body` has no header; who keeps the message owns the bytes. */
export interface HandshakeMessage {
  /** Any byte on reception; the state machine refuses what it does not expect. */
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Uint8Array;
}

/** One fragment of a message, `body` a view of the record it came in. */
export interface Fragment {
  readonly type: number;
  readonly length: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly body: Uint8Array;
}

const MALFORMED = decodeFailure('fragment-malformed');

/** Reads the next fragment; several may share a record. */
export function decodeFragment(reader: Reader): Fragment | DecodeFailure {
  const type = reader.u8();
  const length = reader.u24();
  const messageSeq = reader.u16();
  const offset = reader.u24();
  const body = reader.view(reader.u24());
  if (reader.failed || offset + body.length > length) return MALFORMED;
  return { type, length, messageSeq, offset, body };
}

/** Writes the header of the fragment `offset` … `offset + fragmentLength` of a message of `length` bytes. */
export function writeHandshakeHeader(
  buffer: Uint8Array,
  at: number,
  type: number,
  length: number,
  messageSeq: number,
  offset: number,
  fragmentLength: number,
): void {
  buffer[at] = type;
  writeU24(buffer, at + 1, length);
  writeU16(buffer, at + 4, messageSeq);
  writeU24(buffer, at + 6, offset);
  writeU24(buffer, at + 9, fragmentLength);
}

/** How far a ClientHello's random reaches into its body: client_version 2, random 32. */
const HELLO_RANDOM_AT = 2;
const HELLO_RANDOM_LENGTH = 32;

/** The random of a ClientHello whose first fragment this is, without reassembly; `undefined` when it is too short. */
export function helloRandomOf(fragment: Fragment): Uint8Array | undefined {
  if (fragment.offset !== 0 || fragment.body.length < HELLO_RANDOM_AT + HELLO_RANDOM_LENGTH) return undefined;
  return fragment.body.subarray(HELLO_RANDOM_AT, HELLO_RANDOM_AT + HELLO_RANDOM_LENGTH);
}

const NAMES: Readonly<Record<number, string>> = {
  [HandshakeType.helloRequest]: 'HelloRequest',
  [HandshakeType.clientHello]: 'ClientHello',
  [HandshakeType.serverHello]: 'ServerHello',
  [HandshakeType.helloVerifyRequest]: 'HelloVerifyRequest',
  [HandshakeType.newSessionTicket]: 'NewSessionTicket',
  [HandshakeType.encryptedExtensions]: 'EncryptedExtensions',
  [HandshakeType.requestConnectionId]: 'RequestConnectionId',
  [HandshakeType.newConnectionId]: 'NewConnectionId',
  [HandshakeType.certificate]: 'Certificate',
  [HandshakeType.serverKeyExchange]: 'ServerKeyExchange',
  [HandshakeType.certificateRequest]: 'CertificateRequest',
  [HandshakeType.serverHelloDone]: 'ServerHelloDone',
  [HandshakeType.certificateVerify]: 'CertificateVerify',
  [HandshakeType.clientKeyExchange]: 'ClientKeyExchange',
  [HandshakeType.finished]: 'Finished',
  [HandshakeType.keyUpdate]: 'KeyUpdate',
};

/** The RFC's name of a message's type, for people; its number where it has none here. */
export function handshakeTypeName(type: number): string {
  return NAMES[type] ?? `handshake message ${type}`;
}
