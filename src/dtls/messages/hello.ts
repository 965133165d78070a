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

export const HELLO_RANDOM_LENGTH = 32;
const MAX_SESSION_ID_LENGTH = 32;
export const NULL_COMPRESSION = 0;

/** RFC 5289 §3.2, the suite RFC 8827 §6.5 makes mandatory. */
export const TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = 0xc02b;
/** RFC 5746 §3.3: stands for an empty renegotiation_info. */
export const TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;

export interface ClientHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly compressionMethods: Uint8Array;
  readonly extensions: readonly Extension[];
}

export interface ServerHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: readonly Extension[];
}

export interface HelloVerifyRequest {
  readonly version: number;
  readonly cookie: Uint8Array;
}

const CLIENT_HELLO_MALFORMED = decodeFailure('client-hello-malformed');
const SERVER_HELLO_MALFORMED = decodeFailure('server-hello-malformed');
const HELLO_VERIFY_REQUEST_MALFORMED = decodeFailure('hello-verify-request-malformed');

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

export function encodeServerHello(hello: ServerHello): Bytes {
  const writer = new Writer().u16(hello.version).raw(hello.random);
  writer.u8(hello.sessionId.length).raw(hello.sessionId);
  writer.u16(hello.cipherSuite).u8(hello.compressionMethod);
  writeExtensions(writer, hello.extensions);
  return writer.finish();
}

export function decodeHelloVerifyRequest(body: Uint8Array): HelloVerifyRequest | DecodeFailure {
  const reader = new Reader(body);
  const version = reader.u16();
  const cookie = reader.view(reader.u8());
  if (reader.failed || reader.remaining !== 0) return HELLO_VERIFY_REQUEST_MALFORMED;
  return { version, cookie };
}

export function encodeHelloVerifyRequest(request: HelloVerifyRequest): Bytes {
  return new Writer().u16(request.version).u8(request.cookie.length).raw(request.cookie).finish();
}
