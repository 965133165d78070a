/**
 * The messages about certificates: Certificate (RFC 5246 §7.4.2), CertificateRequest (§7.4.4) and
 * CertificateVerify (§7.4.8). Decoded fields are views of the message.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { decodeU16Vector, encodeU16Vector } from './extensions.ts';

/** RFC 5246 §7.4.4: the client may sign with RSA. */
export const CERTIFICATE_TYPE_RSA_SIGN = 1;
/** RFC 8422 §5.5: the client may sign with ECDSA. */
export const CERTIFICATE_TYPE_ECDSA_SIGN = 64;

/** What a server asks a client to sign with. */
export interface CertificateRequest {
  readonly certificateTypes: Uint8Array;
  readonly signatureSchemes: readonly number[];
}

/** A signature and how it was made; shared with ServerKeyExchange. */
export interface DigitallySigned {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

const CERTIFICATE_MALFORMED = decodeFailure('certificate-malformed');
const CERTIFICATE_REQUEST_MALFORMED = decodeFailure('certificate-request-malformed');
const CERTIFICATE_VERIFY_MALFORMED = decodeFailure('certificate-verify-malformed');

/** The certificates of a chain, leaf first, each DER; an empty list when the peer has none to show. */
export function decodeCertificate(body: Uint8Array): readonly Uint8Array[] | DecodeFailure {
  const reader = new Reader(body);
  const list = reader.sub(reader.u24());
  if (reader.failed || reader.remaining !== 0) return CERTIFICATE_MALFORMED;
  const chain: Uint8Array[] = [];
  while (list.remaining > 0) {
    const der = list.view(list.u24());
    if (list.failed || der.length === 0) return CERTIFICATE_MALFORMED;
    chain.push(der);
  }
  return chain;
}

/** The body of a Certificate; `chain` is DER, leaf first. */
export function encodeCertificate(chain: readonly Uint8Array[]): Bytes {
  const writer = new Writer(1024).u24(0);
  for (const der of chain) writer.u24(der.length).raw(der);
  return writer.patchU24(0, writer.length - 3).finish();
}

/** Fails with `certificate-request-malformed`; its certificate_authorities are passed over. */
export function decodeCertificateRequest(body: Uint8Array): CertificateRequest | DecodeFailure {
  const reader = new Reader(body);
  const certificateTypes = reader.view(reader.u8());
  const schemesAt = reader.offset;
  reader.skip(reader.u16());
  const schemesEnd = reader.offset;
  reader.skip(reader.u16()); // certificate_authorities: self-signed certificates have none
  if (reader.failed || reader.remaining !== 0) return CERTIFICATE_REQUEST_MALFORMED;
  const signatureSchemes = decodeU16Vector(body.subarray(schemesAt, schemesEnd));
  if (isFailure(signatureSchemes)) return CERTIFICATE_REQUEST_MALFORMED;
  return { certificateTypes, signatureSchemes };
}

/** The body of a CertificateRequest, without certificate_authorities. */
export function encodeCertificateRequest(request: CertificateRequest): Bytes {
  return new Writer()
    .u8(request.certificateTypes.length)
    .raw(request.certificateTypes)
    .raw(encodeU16Vector(request.signatureSchemes))
    .u16(0)
    .finish();
}

/** The signature of a CertificateVerify; fails with `certificate-verify-malformed`. */
export function decodeCertificateVerify(body: Uint8Array): DigitallySigned | DecodeFailure {
  const reader = new Reader(body);
  const signed = readDigitallySigned(reader);
  return reader.failed || reader.remaining !== 0 ? CERTIFICATE_VERIFY_MALFORMED : signed;
}

/** The body of a CertificateVerify. */
export function encodeCertificateVerify(signed: DigitallySigned): Bytes {
  const writer = new Writer();
  writeDigitallySigned(writer, signed);
  return writer.finish();
}

/** Reads scheme 2 │ signature <2>; `reader.failed` tells whether it was all there. */
export function readDigitallySigned(reader: Reader): DigitallySigned {
  const scheme = reader.u16();
  return { scheme, signature: reader.view(reader.u16()) };
}

/** Writes what `readDigitallySigned` reads. */
export function writeDigitallySigned(writer: Writer, signed: DigitallySigned): void {
  writer.u16(signed.scheme).u16(signed.signature.length).raw(signed.signature);
}
