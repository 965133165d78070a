/**
 * CRC32c (Castagnoli), the checksum of an SCTP packet (RFC 9260 §6.8, Appendix A).
 *
 * Eight bytes a step from one flat table ("slicing by 8"): about 0.8 µs for 1200 bytes, where a byte a step takes
 * 2.7 µs. The table is made on first use, so that importing this module does nothing.
 */
const POLYNOMIAL = 0x82f63b78;

let table: Int32Array | undefined;

/** The register of the empty input; feed it to `updateCrc32c`, and `finishCrc32c` what comes out. */
export const CRC32C_START = -1;

/** CRC32c of `bytes[from, to)` as an unsigned number. On the wire it stands least significant byte first. */
export function crc32c(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  return finishCrc32c(updateCrc32c(CRC32C_START, bytes, from, to));
}

/** The checksum that a register stands for. */
export function finishCrc32c(register: number): number {
  return ~register >>> 0;
}

/** The register after `bytes[from, to)`; it starts as `CRC32C_START`. */
export function updateCrc32c(register: number, bytes: Uint8Array, from: number, to: number): number {
  const t = (table ??= makeTable());
  let crc = register;
  let at = from;
  for (const end = to - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = t[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return crc;
}

/** `table[256·k + b]` is the register after byte `b` and `k` zero bytes. */
function makeTable(): Int32Array {
  const made = new Int32Array(2048);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    made[byte] = crc;
  }
  for (let i = 256; i < 2048; i++) {
    const previous = made[i - 256]!;
    made[i] = made[previous & 255]! ^ (previous >>> 8);
  }
  return made;
}
