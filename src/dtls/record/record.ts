/**
 * The DTLS 1.2 record (RFC 6347 §4.1), and DTLSPlaintext, the unprotected record of DTLS 1.3 (RFC 9147 §4):
 *
 *     type 1 │ version 2 │ epoch 2 │ sequence 6 │ length 2 │ fragment
 *
 * In protected epochs of DTLS 1.2 the fragment is: explicit nonce 8 (AES-GCM alone, RFC 5288 §3) │ ciphertext │ tag 16.
 * Those with a connection id have it before the length (RFC 9146 §4): epoch12-with-id.ts.
 * Protected records of DTLS 1.3 look different: unified-header.ts.
 */
import { readU16, writeU16, writeU48 } from '../../core/bytes.ts';
import { AEAD_TAG_LENGTH } from '../../crypto/provider.ts';

/** The content types that have a meaning here (RFC 5246 §6.2.1). */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  /** RFC 9147 §7. */
  ack: 26,
} as const;
/** One of the content types. */
export type ContentType = (typeof ContentType)[keyof typeof ContentType];

/** RFC 9146 §4: the type of every record with a connection id, in whose protected part the true one stands. */
export const TLS12_CID = 25;
/** Where the id begins in such a record; its length moves behind it. */
export const CONNECTION_ID_AT = 11;

/** RFC 8446 §5.1, `invalid`: never sent. It stands for a protected record of none of the types above. */
export const INVALID_CONTENT_TYPE = 0;
/** Stands for a protected record with more plaintext than a record may have. */
export const OVERSIZED = -1;

/** DTLS 1.0. Versions of DTLS count down. */
export const DTLS_1_0 = 0xfeff;
/** DTLS 1.2. */
export const DTLS_1_2 = 0xfefd;
/** DTLS 1.3. */
export const DTLS_1_3 = 0xfefc;
const VERSION_MAJOR = 0xfe;

/** Bytes before the fragment. */
export const RECORD_HEADER_LENGTH = 13;
/** Bytes of AES-GCM's nonce that every record of DTLS 1.2 carries. */
export const EXPLICIT_NONCE_LENGTH = 8;

/** The most bytes `Dtls.seal` needs free before the plaintext, but for a connection id: DTLS 1.2's record header and explicit nonce. */
export const DTLS_HEADROOM: number = RECORD_HEADER_LENGTH + EXPLICIT_NONCE_LENGTH;
/** The most bytes `Dtls.seal` needs free after the plaintext: the AEAD's tag, and DTLS 1.3's content type. */
export const DTLS_TAILROOM: number = AEAD_TAG_LENGTH + 1;

/** RFC 6347 §4.1 (RFC 5246 §6.2.1): no record carries more plaintext. */
export const MAX_PLAINTEXT_LENGTH = 16_384;
/**
 * RFC 8446 §5.2: no record of DTLS 1.3 carries more ciphertext, and longer ones are not opened. DTLS 1.2
 * allows 2048 bytes of expansion, for ciphers that need them; ours need 24.
 */
export const MAX_CIPHERTEXT_LENGTH: number = MAX_PLAINTEXT_LENGTH + 256;

/** RFC 6347 §4.1: sequence numbers must not wrap. */
export const MAX_SEQUENCE: number = 2 ** 48 - 1;

/** True for the content types that have a meaning here. */
export function isContentType(type: number): type is ContentType {
  return (
    (type >= ContentType.changeCipherSpec && type <= ContentType.applicationData) || type === ContentType.ack
  );
}

/** The content types of plaintext and of DTLS 1.2 (RFC 7983 §7, RFC 9147 §4.1): those above are DTLS 1.3's header. */
const LAST_CONTENT_TYPE = 31;

/** True for bytes that start like a record of DTLS 1.0 to 1.2, of any content type. */
export function isRecordHeader(data: Uint8Array, at: number): boolean {
  const type = data[at]!;
  return type >= ContentType.changeCipherSpec && type <= LAST_CONTENT_TYPE && data[at + 1] === VERSION_MAJOR;
}

/** `fragmentLength` counts everything after the header. */
export function writeRecordHeader(
  buffer: Uint8Array,
  at: number,
  type: ContentType,
  epoch: number,
  sequence: number,
  fragmentLength: number,
): void {
  buffer[at] = type;
  writeU16(buffer, at + 1, DTLS_1_2);
  writeU16(buffer, at + 3, epoch);
  writeU48(buffer, at + 5, sequence);
  writeU16(buffer, at + 11, fragmentLength);
}

/** The length of the fragment after the header at `at`. */
export function recordFragmentLength(data: Uint8Array, at: number): number {
  return readU16(data, at + 11);
}

/** The epoch of the header at `at`. */
export function recordEpoch(data: Uint8Array, at: number): number {
  return readU16(data, at + 3);
}
