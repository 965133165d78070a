/**
 * The unified header of protected records in DTLS 1.3 (RFC 9147 §4):
 *
 *     0 0 1 C S L E E │ connection id, if C │ sequence number 1 byte, or 2 if S │ length 2, if L │ ciphertext
 *
 * The two bits E are the low bits of the epoch. The sequence number on the wire is its low bits, hidden by a mask (§4.2.3);
 * the whole number is the one nearest to the next expected (§4.2.2). The length of a connection id is its receiver's to know.
 */
import { readU16 } from '../../core/bytes.ts';

const FIXED_BITS = 0x20;
const FIXED_MASK = 0xe0;
const CONNECTION_ID = 0x10;
const LONG_SEQUENCE = 0x08;
const LENGTH_PRESENT = 0x04;
const EPOCH_MASK = 0x03;

/** What we write always: sequence 2 bytes, length. A connection id comes on top. */
export const UNIFIED_HEADER_LENGTH = 5;

/** The first byte of the headers we write. */
export function unifiedHeaderByte(epoch: number, isWithId: boolean): number {
  return FIXED_BITS | (isWithId ? CONNECTION_ID : 0) | LONG_SEQUENCE | LENGTH_PRESENT | (epoch & EPOCH_MASK);
}

/** True for the first byte of a protected record of DTLS 1.3. */
export function isUnifiedHeader(first: number): boolean {
  return (first & FIXED_MASK) === FIXED_BITS;
}

/** True for the first byte of a header with a connection id. */
export function hasConnectionId(first: number): boolean {
  return (first & CONNECTION_ID) !== 0;
}

/** The low two bits of the epoch. */
export function epochBits(first: number): number {
  return first & EPOCH_MASK;
}

/** Bytes of the sequence number on the wire: 1 or 2. */
export function sequenceLength(first: number): number {
  return (first & LONG_SEQUENCE) === 0 ? 1 : 2;
}

/** The header's length. @param idLength bytes of the connection ids that its sender uses */
export function unifiedHeaderLength(first: number, idLength: number): number {
  return sequenceAt(first, idLength) + sequenceLength(first) + ((first & LENGTH_PRESENT) === 0 ? 0 : 2);
}

/** Where in the header the sequence number is. */
export function sequenceAt(first: number, idLength: number): number {
  return 1 + (hasConnectionId(first) ? idLength : 0);
}

/** Bytes of ciphertext after the header at `at` of a datagram: as it says, or all there are (§4: the last record). */
export function ciphertextLength(data: Uint8Array, at: number, idLength: number): number {
  const first = data[at]!;
  const header = unifiedHeaderLength(first, idLength);
  return (first & LENGTH_PRESENT) === 0 ? data.length - at - header : readU16(data, at + header - 2);
}

/** RFC 9147 §4.2.2: the number ending in the `bits` bits `low` that is nearest to `expected`. */
export function nearestSequence(low: number, bits: 8 | 16, expected: number): number {
  const cycle = 2 ** bits;
  const candidate = expected - (expected % cycle) + low;
  if (candidate > expected + cycle / 2 && candidate >= cycle) return candidate - cycle;
  if (candidate + cycle / 2 <= expected) return candidate + cycle;
  return candidate;
}
