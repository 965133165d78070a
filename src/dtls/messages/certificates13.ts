/**
 * DTLS 1.3's messages about certificates: CertificateRequest (RFC 8446 §4.3.2), Certificate (§4.4.2), and what
 * CertificateVerify signs (§4.4.3; the message itself is that of DTLS 1.2, certificates.ts).
 *
 *     CertificateRequest: context <1> │ extensions
 *     Certificate: context <1> │ list <3> of: DER <3> │ extensions
 *
 * The context is empty in every handshake. Decoded fields are views of the message.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer, concatBytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { encodeUtf8 } from '../../core/text.ts';
import {
  ExtensionType,
  decodeExtensions,
  decodeU16Vector,
  encodeU16Vector,
  findExtension,
  writeExtensions,
} from './extensions.ts';

const CERTIFICATE_REQUEST_MALFORMED = decodeFailure('certificate-request-malformed');
const CERTIFICATE_MALFORMED = decodeFailure('certificate-malformed');

/** The signature schemes a server accepts: the one extension a CertificateRequest must have. */
export function decodeCertificateRequest13(body: Uint8Array): readonly number[] | DecodeFailure {
  const reader = new Reader(body);
  const context = reader.view(reader.u8());
  if (reader.failed || context.length !== 0 || reader.remaining < 2) return CERTIFICATE_REQUEST_MALFORMED;
  const extensions = decodeExtensions(reader);
  if (isFailure(extensions)) return extensions;
  const schemes = findExtension(extensions, ExtensionType.signatureAlgorithms);
  return schemes === undefined ? CERTIFICATE_REQUEST_MALFORMED : decodeU16Vector(schemes);
}

export function encodeCertificateRequest13(signatureSchemes: readonly number[]): Bytes {
  const writer = new Writer().u8(0);
  const data = encodeU16Vector(signatureSchemes);
  writeExtensions(writer, [{ type: ExtensionType.signatureAlgorithms, data }]);
  return writer.finish();
}

/** The certificates of a chain, leaf first, each DER. Their extensions are passed over. */
export function decodeCertificate13(body: Uint8Array): readonly Uint8Array[] | DecodeFailure {
  const reader = new Reader(body);
  const context = reader.view(reader.u8());
  const list = reader.sub(reader.u24());
  if (reader.failed || context.length !== 0 || reader.remaining !== 0) return CERTIFICATE_MALFORMED;
  const chain: Uint8Array[] = [];
  while (list.remaining > 0) {
    const der = list.view(list.u24());
    list.skip(list.u16());
    if (list.failed || der.length === 0) return CERTIFICATE_MALFORMED;
    chain.push(der);
  }
  return chain;
}

export function encodeCertificate13(chain: readonly Uint8Array[]): Bytes {
  const writer = new Writer(1024).u8(0).u24(0);
  for (const der of chain) writer.u24(der.length).raw(der).u16(0);
  return writer.patchU24(1, writer.length - 4).finish();
}

const PADDING = 64;
const SPACE = 0x20;

/** What CertificateVerify signs: 64 spaces │ who signs │ 0 │ transcript hash, so that no signature serves twice. */
export function certificateVerifyInput(signer: 'client' | 'server', transcriptHash: Uint8Array): Bytes {
  const context = encodeUtf8(`TLS 1.3, ${signer} CertificateVerify`);
  return concatBytes(new Uint8Array(PADDING).fill(SPACE), context, Uint8Array.of(0), transcriptHash);
}
