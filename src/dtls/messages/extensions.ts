/**
 * Extensions (RFC 5246 §7.4.1.4, RFC 8446 §4.2): type 2 │ length 2 │ data, in a list with a length of 2 bytes, which a hello
 * without extensions leaves out altogether. Unknown types are kept as bytes: who reads a hello asks for what it knows.
 */
import type { Bytes, Reader, Writer } from '../../core/bytes.ts';
import { NO_BYTES, Reader as ByteReader, Writer as ByteWriter, equalBytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** Numbers of the TLS registry. */
export const ExtensionType = {
  /** RFC 8422 §5.1.1 */
  supportedGroups: 10,
  /** RFC 8422 §5.1.2 */
  ecPointFormats: 11,
  /** RFC 5246 §7.4.1.4.1 */
  signatureAlgorithms: 13,
  /** RFC 5764 §4.1.1 */
  useSrtp: 14,
  /** RFC 7627 */
  extendedMasterSecret: 23,
  /** RFC 8446 §4.2.1 */
  supportedVersions: 43,
  /** RFC 8446 §4.2.2 */
  cookie: 44,
  /** RFC 8446 §4.2.11, §4.2.9: offered by clients that resume, which nobody does here. */
  preSharedKey: 41,
  pskKeyExchangeModes: 45,
  /** RFC 8446 §4.2.8 */
  keyShare: 51,
  /** RFC 9146 §3 */
  connectionId: 54,
  /** RFC 5746 */
  renegotiationInfo: 0xff01,
} as const;

/** What a ClientHello of ours has, at the most. */
export const CLIENT_HELLO_EXTENSIONS: readonly number[] = [
  ExtensionType.supportedGroups,
  ExtensionType.ecPointFormats,
  ExtensionType.signatureAlgorithms,
  ExtensionType.useSrtp,
  ExtensionType.extendedMasterSecret,
  ExtensionType.supportedVersions,
  ExtensionType.cookie,
  ExtensionType.keyShare,
  ExtensionType.connectionId,
  ExtensionType.renegotiationInfo,
];

/** One extension, of whatever type. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

const MALFORMED = decodeFailure('extensions-malformed');
const REPEATED = decodeFailure('extension-repeated');

/** The rest of a hello. The data of the extensions are views. */
export function decodeExtensions(reader: Reader): readonly Extension[] | DecodeFailure {
  if (reader.remaining === 0) return [];
  const extensions = readExtensions(reader);
  return reader.remaining === 0 ? extensions : MALFORMED;
}

/** A list of extensions with its length in front, which others may follow. */
export function readExtensions(reader: Reader): readonly Extension[] | DecodeFailure {
  const list = reader.sub(reader.u16());
  if (reader.failed) return MALFORMED;
  const extensions: Extension[] = [];
  const types = new Set<number>();
  while (list.remaining > 0) {
    const type = list.u16();
    const data = list.view(list.u16());
    if (list.failed) return MALFORMED;
    // RFC 5246 §7.4.1.4: there must not be more than one extension of a type.
    if (types.has(type)) return REPEATED;
    types.add(type);
    extensions.push({ type, data });
  }
  return extensions;
}

/** The end of a hello: nothing at all where there are none. */
export function writeExtensions(writer: Writer, extensions: readonly Extension[]): void {
  if (extensions.length === 0) return;
  const lengthAt = writer.length;
  writer.u16(0);
  for (const extension of extensions) {
    writer.u16(extension.type).u16(extension.data.length).raw(extension.data);
  }
  writer.patchU16(lengthAt, writer.length - lengthAt - 2);
}

/** RFC 8446 §4.3.1: unlike a hello's, the list is there even if it is empty. */
export function encodeEncryptedExtensions(extensions: readonly Extension[]): Bytes {
  const writer = new ByteWriter();
  if (extensions.length === 0) writer.u16(0);
  else writeExtensions(writer, extensions);
  return writer.finish();
}

/** The data of the extension of a type, a view; `undefined` where there is none. */
export function findExtension(extensions: readonly Extension[], type: number): Uint8Array | undefined {
  return extensions.find((extension) => extension.type === type)?.data;
}

/** A vector of 16-bit numbers with a length of 2 bytes: groups, signature schemes. */
export function encodeU16Vector(values: readonly number[]): Bytes {
  const writer = new ByteWriter(2 + values.length * 2).u16(values.length * 2);
  for (const value of values) writer.u16(value);
  return writer.finish();
}

/** What `encodeU16Vector` makes; fails with `extensions-malformed`. */
export function decodeU16Vector(data: Uint8Array): readonly number[] | DecodeFailure {
  const reader = new ByteReader(data);
  return readNumbers(reader, reader.u16());
}

/** The versions of a ClientHello's supported_versions: a vector with a length of 1 byte. */
export function decodeVersions(data: Uint8Array): readonly number[] | DecodeFailure {
  const reader = new ByteReader(data);
  return readNumbers(reader, reader.u8());
}

/** What `decodeVersions` reads. */
export function encodeVersions(versions: readonly number[]): Bytes {
  const writer = new ByteWriter(1 + versions.length * 2).u8(versions.length * 2);
  for (const version of versions) writer.u16(version);
  return writer.finish();
}

/** A single number: the version a server has chosen, the group it asks for. */
export function encodeU16(value: number): Bytes {
  return new ByteWriter(2).u16(value).finish();
}

/** What `encodeU16` makes; fails with `extensions-malformed`. */
export function decodeU16(data: Uint8Array): number | DecodeFailure {
  return data.length === 2 ? new ByteReader(data).u16() : MALFORMED;
}

/** The cookie extension (RFC 8446 §4.2.2): one vector with a length of 2 bytes. */
export function encodeCookie(cookie: Uint8Array): Bytes {
  return new ByteWriter(2 + cookie.length).u16(cookie.length).raw(cookie).finish();
}

/** A view of `data`; empty if it is malformed, as no cookie is. */
export function decodeCookie(data: Uint8Array): Uint8Array {
  const reader = new ByteReader(data);
  const cookie = reader.view(reader.u16());
  return reader.failed || reader.remaining !== 0 ? NO_BYTES : cookie;
}

function readNumbers(reader: Reader, length: number): readonly number[] | DecodeFailure {
  if (reader.failed || length !== reader.remaining || length % 2 !== 0) return MALFORMED;
  const values: number[] = [];
  while (reader.remaining > 0) values.push(reader.u16());
  return values;
}

const UNCOMPRESSED = 0;

/** The one point format there is (RFC 8422 §5.1.2): uncompressed. */
export const POINT_FORMATS: Extension = /* @__PURE__ */ Object.freeze({
  type: ExtensionType.ecPointFormats,
  data: Uint8Array.of(1, UNCOMPRESSED),
});

/** True unless the peer's list leaves out the uncompressed format, which RFC 8422 §5.1.2 forbids. */
export function acceptsUncompressedPoints(extensions: readonly Extension[]): boolean {
  const data = findExtension(extensions, ExtensionType.ecPointFormats);
  return data === undefined || (data.length === data[0]! + 1 && data.indexOf(UNCOMPRESSED, 1) > 0);
}

/** RFC 7627 §5.1: the extension has no data. True if it is there as it should be, false if it is not there. */
export function readExtendedMasterSecret(extensions: readonly Extension[]): boolean | DecodeFailure {
  const data = findExtension(extensions, ExtensionType.extendedMasterSecret);
  return data !== undefined && data.length > 0 ? MALFORMED : data !== undefined;
}

/** RFC 7627 §5.1. */
export const EXTENDED_MASTER_SECRET: Extension = /* @__PURE__ */ Object.freeze({
  type: ExtensionType.extendedMasterSecret,
  data: NO_BYTES,
});

/** RFC 5746 §3.4: an empty renegotiated_connection, as in every first handshake. */
export const RENEGOTIATION_INFO: Extension = /* @__PURE__ */ Object.freeze({
  type: ExtensionType.renegotiationInfo,
  data: Uint8Array.of(0),
});

/** RFC 5746 §3.6: in a first handshake anything but an empty renegotiated_connection is an attack. */
export function hasForeignRenegotiation(extensions: readonly Extension[]): boolean {
  const data = findExtension(extensions, ExtensionType.renegotiationInfo);
  return data !== undefined && !equalBytes(data, RENEGOTIATION_INFO.data);
}
