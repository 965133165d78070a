/** Leb128 (AV1 bitstream §4.10.5): numbers in groups of seven bits, the lowest first, each but the last with its high bit set. */

/** The longest that is read: 35 bits. */
export const MAX_LEB128_BYTES = 5;

/** The number at `start`; -1: it does not end before `end`, or is longer than `MAX_LEB128_BYTES`. */
export function readLeb128(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = 0; i < MAX_LEB128_BYTES && start + i < end; i++) {
    const byte = bytes[start + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return value;
  }
  return -1;
}

/** Bytes of the number at `start` that `readLeb128` has read. */
export function leb128Length(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at]! & 0x80) !== 0 && at - start < MAX_LEB128_BYTES) at++;
  return at - start + 1;
}
