/**
 * ClientHello, ServerHello (RFC 5246 §7.4.1) and HelloVerifyRequest (RFC 6347 §4.2.1).
 *
 *     ClientHello: version 2 │ random 32 │ session_id <1> │ cookie <1> │ cipher_suites <2> │ compression <1> │ extensions
 *     ServerHello: version 2 │ random 32 │ session_id <1> │ cipher_suite 2 │ compression 1 │ extensions
 *     HelloVerifyRequest: version 2 │ cookie <1>
 *
 * Decoded fields are views of the message.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import type { Extension } from './extensions.ts';
import { decodeExtensions, writeExtensions } from './extensions.ts';

/** Bytes of the random in either hello. */
export const HELLO_RANDOM_LENGTH = 32;
const MAX_SESSION_ID_LENGTH = 32;
/** The one compression method there is. */
export const NULL_COMPRESSION = 0;

/** RFC 5746 §3.3: stands for an empty renegotiation_info. */
export const TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;

/** RFC 8446 §4.1.3: the random that makes a ServerHello a HelloRetryRequest, SHA-256 of that name. */
export const RETRY_REQUEST_RANDOM: Uint8Array = /* @__PURE__ */ Uint8Array.from([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
  0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
]);

/** RFC 8446 §4.1.3: the end of a server's random that could have spoken 1.3 and answered 1.2, "DOWNGRD" and 1. */
const DOWNGRADE_SENTINEL: readonly number[] = [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1];
const SENTINEL_AT = HELLO_RANDOM_LENGTH - DOWNGRADE_SENTINEL.length;

/** Marks a ServerHello's random: a client that has offered 1.3 then knows that somebody has taken the offer away. */
export function markDowngrade(random: Uint8Array): void {
  random.set(DOWNGRADE_SENTINEL, SENTINEL_AT);
}

/** True for either sentinel of §4.1.3: the last byte is 1 for a downgrade to 1.2, 0 for one below. */
export function isDowngraded(random: Uint8Array): boolean {
  const marks = DOWNGRADE_SENTINEL.slice(0, -1);
  return marks.every((byte, i) => random[SENTINEL_AT + i] === byte) && random[HELLO_RANDOM_LENGTH - 1]! <= 1;
}

/** A ClientHello of either version. */
export interface ClientHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly compressionMethods: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** A ServerHello of either version; with `RETRY_REQUEST_RANDOM`, a HelloRetryRequest. */
export interface ServerHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: readonly Extension[];
}

/** DTLS 1.2's demand for a cookie. */
export interface HelloVerifyRequest {
  readonly version: number;
  readonly cookie: Uint8Array;
}

const CLIENT_HELLO_MALFORMED = decodeFailure('client-hello-malformed');
const SERVER_HELLO_MALFORMED = decodeFailure('server-hello-malformed');
const HELLO_VERIFY_REQUEST_MALFORMED = decodeFailure('hello-verify-request-malformed');

/** Fails with `client-hello-malformed`, or as extensions do. */
export function decodeClientHello(body: Uint8Array): ClientHello | DecodeFailure {
  const reader = new Reader(body);
  const version = reader.u16();
  const random = reader.view(HELLO_RANDOM_LENGTH);
  const sessionId = reader.view(reader.u8());
  const cookie = reader.view(reader.u8());
  const suites = reader.sub(reader.u16());
  const compressionMethods = reader.view(reader.u8());
  if (reader.failed || sessionId.length > MAX_SESSION_ID_LENGTH) return CLIENT_HELLO_MALFORMED;
  if (suites.remaining === 0 || suites.remaining % 2 !== 0) return CLIENT_HELLO_MALFORMED;
  const cipherSuites: number[] = [];
  while (suites.remaining > 0) cipherSuites.push(suites.u16());
  const extensions = decodeExtensions(reader);
  if (isFailure(extensions)) return extensions;
  return { version, random, sessionId, cookie, cipherSuites, compressionMethods, extensions };
}

/** The body of a ClientHello. */
export function encodeClientHello(hello: ClientHello): Bytes {
  const writer = new Writer().u16(hello.version).raw(hello.random);
  writer.u8(hello.sessionId.length).raw(hello.sessionId);
  writer.u8(hello.cookie.length).raw(hello.cookie);
  writer.u16(hello.cipherSuites.length * 2);
  for (const suite of hello.cipherSuites) writer.u16(suite);
  writer.u8(hello.compressionMethods.length).raw(hello.compressionMethods);
  writeExtensions(writer, hello.extensions);
  return writer.finish();
}

/** Fails with `server-hello-malformed`, or as extensions do. */
export function decodeServerHello(body: Uint8Array): ServerHello | DecodeFailure {
  const reader = new Reader(body);
  const version = reader.u16();
  const random = reader.view(HELLO_RANDOM_LENGTH);
  const sessionId = reader.view(reader.u8());
  const cipherSuite = reader.u16();
  const compressionMethod = reader.u8();
  if (reader.failed || sessionId.length > MAX_SESSION_ID_LENGTH) return SERVER_HELLO_MALFORMED;
  const extensions = decodeExtensions(reader);
  if (isFailure(extensions)) return extensions;
  return { version, random, sessionId, cipherSuite, compressionMethod, extensions };
}

/** The body of a ServerHello. */
export function encodeServerHello(hello: ServerHello): Bytes {
  const writer = new Writer().u16(hello.version).raw(hello.random);
  writer.u8(hello.sessionId.length).raw(hello.sessionId);
  writer.u16(hello.cipherSuite).u8(hello.compressionMethod);
  writeExtensions(writer, hello.extensions);
  return writer.finish();
}

/** Fails with `hello-verify-request-malformed`. */
export function decodeHelloVerifyRequest(body: Uint8Array): HelloVerifyRequest | DecodeFailure {
  const reader = new Reader(body);
  const version = reader.u16();
  const cookie = reader.view(reader.u8());
  if (reader.failed || reader.remaining !== 0) return HELLO_VERIFY_REQUEST_MALFORMED;
  return { version, cookie };
}

/** The body of a HelloVerifyRequest. */
export function encodeHelloVerifyRequest(request: HelloVerifyRequest): Bytes {
  return new Writer().u16(request.version).u8(request.cookie.length).raw(request.cookie).finish();
}
