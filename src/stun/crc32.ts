/** CRC-32 (ISO-HDLC, the one of Ethernet and zip), for FINGERPRINT (RFC 8489 §14.7). */

const POLYNOMIAL = 0xedb8_8320;

const TABLE: Uint32Array = /* @__PURE__ */ makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
    table[byte] = rest;
  }
  return table;
}

/** The checksum of the bytes up to `end`, 32 bits, unsigned. */
export function crc32(bytes: Uint8Array, end: number = bytes.length): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < end; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** FINGERPRINT differs from a plain CRC-32 by this constant, so that it never equals another protocol's checksum. */
const FINGERPRINT_XOR = 0x5354_554e;

/** The FINGERPRINT of a message whose FINGERPRINT attribute starts at `end`. */
export function fingerprint(bytes: Uint8Array, end: number): number {
  return (crc32(bytes, end) ^ FINGERPRINT_XOR) >>> 0;
}
