/**
 * ServerKeyExchange and ClientKeyExchange of ECDHE (RFC 8422 §5.4, §5.7).
 *
 *     ServerKeyExchange: curve_type 1 (named_curve) │ group 2 │ public key <1> │ signature scheme 2 │ signature <2>
 *     ClientKeyExchange: public key <1>
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer, concatBytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';
import type { Group } from '../../crypto/provider.ts';
import type { DigitallySigned } from './certificates.ts';
import { readDigitallySigned, writeDigitallySigned } from './certificates.ts';

const NAMED_CURVE = 3;

/** Numbers of the TLS registry (RFC 8422 §5.1.1, draft-ietf-tls-ecdhe-mlkem §6). */
const GROUP_CODES: Readonly<Record<Group, number>> = {
  x25519mlkem768: 0x11ec,
  x25519: 0x001d,
  secp256r1: 0x0017,
  secp384r1: 0x0018,
};

/** The number of a group in the TLS registry. */
export function groupCode(group: Group): number {
  return GROUP_CODES[group];
}

/** Those of `groups` that DTLS 1.2 has: the hybrid encapsulates, which its messages cannot carry. */
export function groupsOf12(groups: readonly Group[]): readonly Group[] {
  return groups.filter((group) => group !== 'x25519mlkem768');
}

/** A server's share, signed; all but the group are views of the message. */
export interface ServerKeyExchange {
  readonly groupCode: number;
  readonly publicKey: Uint8Array;
  /** ServerECDHParams as sent: the signature covers these bytes. */
  readonly parameters: Uint8Array;
  readonly signed: DigitallySigned;
}

const SERVER_KEY_EXCHANGE_MALFORMED = decodeFailure('server-key-exchange-malformed');
const CLIENT_KEY_EXCHANGE_MALFORMED = decodeFailure('client-key-exchange-malformed');

/** Fails with `server-key-exchange-malformed`, also for a curve that is not named. */
export function decodeServerKeyExchange(body: Uint8Array): ServerKeyExchange | DecodeFailure {
  const reader = new Reader(body);
  const curveType = reader.u8();
  const code = reader.u16();
  const publicKey = reader.view(reader.u8());
  const parameters = body.subarray(0, reader.offset);
  const signed = readDigitallySigned(reader);
  if (reader.failed || reader.remaining !== 0 || curveType !== NAMED_CURVE) {
    return SERVER_KEY_EXCHANGE_MALFORMED;
  }
  return { groupCode: code, publicKey, parameters, signed };
}

/** ServerECDHParams: what the server signs, and the first part of its ServerKeyExchange. */
export function encodeKeyExchangeParameters(group: Group, publicKey: Uint8Array): Bytes {
  return new Writer().u8(NAMED_CURVE).u16(groupCode(group)).u8(publicKey.length).raw(publicKey).finish();
}

/** The body of a ServerKeyExchange; `parameters` are of `encodeKeyExchangeParameters`. */
export function encodeServerKeyExchange(parameters: Uint8Array, signed: DigitallySigned): Bytes {
  const writer = new Writer().raw(parameters);
  writeDigitallySigned(writer, signed);
  return writer.finish();
}

/** What ServerKeyExchange's signature covers: both randoms bind it to this handshake (RFC 8422 §5.4). */
export function keyExchangeSignatureInput(
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
  parameters: Uint8Array,
): Bytes {
  return concatBytes(clientRandom, serverRandom, parameters);
}

/** The client's public key, a view. */
export function decodeClientKeyExchange(body: Uint8Array): Uint8Array | DecodeFailure {
  const reader = new Reader(body);
  const publicKey = reader.view(reader.u8());
  if (reader.failed || reader.remaining !== 0 || publicKey.length === 0) return CLIENT_KEY_EXCHANGE_MALFORMED;
  return publicKey;
}

/** The body of a ClientKeyExchange. */
export function encodeClientKeyExchange(publicKey: Uint8Array): Bytes {
  return new Writer().u8(publicKey.length).raw(publicKey).finish();
}
