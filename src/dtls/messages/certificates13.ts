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
import type { Extension } from './extensions.ts';
import {
  ExtensionType,
  decodeExtensions,
  encodeU16Vector,
  readExtensions,
  writeExtensions,
} from './extensions.ts';

const CERTIFICATE_REQUEST_MALFORMED = decodeFailure('certificate-request-malformed');
const CERTIFICATE_MALFORMED = decodeFailure('certificate-malformed');

/** The extensions of a CertificateRequest, which says all it has to say in them. */
export function decodeCertificateRequest13(body: Uint8Array): readonly Extension[] | DecodeFailure {
  const reader = new Reader(body);
  const context = reader.view(reader.u8());
  if (reader.failed || context.length !== 0 || reader.remaining < 2) return CERTIFICATE_REQUEST_MALFORMED;
  return decodeExtensions(reader);
}

/** The body of a CertificateRequest that asks for nothing but a signature of one of these schemes. */
export function encodeCertificateRequest13(signatureSchemes: readonly number[]): Bytes {
  const writer = new Writer().u8(0);
  const data = encodeU16Vector(signatureSchemes);
  writeExtensions(writer, [{ type: ExtensionType.signatureAlgorithms, data }]);
  return writer.finish();
}

/** What a Certificate holds. */
export interface Certificate13 {
  /** The certificates of the chain, leaf first, each DER. */
  readonly chain: readonly Uint8Array[];
  /** Those of all certificates. */
  readonly extensions: readonly Extension[];
}

/** Fails with `certificate-malformed`, or as extensions do. */
export function decodeCertificate13(body: Uint8Array): Certificate13 | DecodeFailure {
  const reader = new Reader(body);
  const context = reader.view(reader.u8());
  const list = reader.sub(reader.u24());
  if (reader.failed || context.length !== 0 || reader.remaining !== 0) return CERTIFICATE_MALFORMED;
  const chain: Uint8Array[] = [];
  const extensions: Extension[] = [];
  while (list.remaining > 0) {
    const der = list.view(list.u24());
    const own = readExtensions(list);
    if (list.failed || isFailure(own) || der.length === 0) return CERTIFICATE_MALFORMED;
    chain.push(der);
    extensions.push(...own);
  }
  return { chain, extensions };
}

/** The body of a Certificate without extensions; `chain` is DER, leaf first. */
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
