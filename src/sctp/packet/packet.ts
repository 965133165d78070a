/**
 * The SCTP packet: a common header and chunks (RFC 9260 §3).
 *
 *   0         2         4         8         12
 *   source    destin.   tag       checksum  chunks …       chunk: type(1) flags(1) length(2) value, padded to 4
 *
 * Reading is a check of the whole packet (length, checksum, every chunk inside the packet), then a cursor that makes
 * no objects. Writing goes straight into the caller's buffer.
 */
import { NO_BYTES, readU16, readU32, writeU16, writeU32 } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';
import { CHUNK, CHUNK_HEADER_SIZE, COMMON_HEADER_SIZE, padded } from '../constants.ts';
import { CRC32C_START, crc32c, finishCrc32c, updateCrc32c } from '../crc32c.ts';

const TOO_SHORT = decodeFailure('packet-too-short');
const BAD_CHECKSUM = decodeFailure('bad-checksum');
const BAD_CHUNK = decodeFailure('malformed-chunk');

const FOUR_ZEROS = new Uint8Array(4);

/**
 * Checks length, checksum and the frame of every chunk; `undefined` when the packet may be walked.
 * @param zeroAcceptable we have announced that DTLS checks for us: zero may stand for the checksum, but in packets of the
 *   set-up (RFC 9653 §5.3).
 */
export function checkPacket(packet: Uint8Array, zeroAcceptable = false): DecodeFailure | undefined {
  if (packet.length < COMMON_HEADER_SIZE + CHUNK_HEADER_SIZE) return TOO_SHORT;
  const checksum = wireChecksum(packet);
  const first = packet[COMMON_HEADER_SIZE]!;
  const isSetup = first === CHUNK.init || first === CHUNK.cookieEcho;
  if ((checksum !== 0 || !zeroAcceptable || isSetup) && packetChecksum(packet) !== checksum)
    return BAD_CHECKSUM;
  let at = COMMON_HEADER_SIZE;
  while (at < packet.length) {
    // A length below the header's own would never let the walk end.
    if (packet.length - at < CHUNK_HEADER_SIZE) return BAD_CHUNK;
    const length = readU16(packet, at + 2);
    if (length < CHUNK_HEADER_SIZE || length > packet.length - at) return BAD_CHUNK;
    at += padded(length);
  }
  return undefined;
}

/** The checksum is computed over the packet with its own field zero, and stands least significant byte first. */
function packetChecksum(packet: Uint8Array): number {
  let register = updateCrc32c(CRC32C_START, packet, 0, 8);
  register = updateCrc32c(register, FOUR_ZEROS, 0, 4);
  return finishCrc32c(updateCrc32c(register, packet, COMMON_HEADER_SIZE, packet.length));
}

function wireChecksum(packet: Uint8Array): number {
  return (packet[8]! | (packet[9]! << 8) | (packet[10]! << 16) | (packet[11]! << 24)) >>> 0;
}

/** The source port of a packet that `checkPacket` has passed. */
export function sourcePortOf(packet: Uint8Array): number {
  return readU16(packet, 0);
}

/** The destination port of a packet that `checkPacket` has passed. */
export function destinationPortOf(packet: Uint8Array): number {
  return readU16(packet, 2);
}

/** The verification tag of a packet that `checkPacket` has passed. */
export function verificationTagOf(packet: Uint8Array): number {
  return readU32(packet, 4);
}

/** Walks the chunks of a packet that `checkPacket` has passed. */
export class ChunkCursor {
  packet: Uint8Array = NO_BYTES;
  type = 0;
  flags = 0;
  /** Where the chunk's header starts, where its value starts, and where it ends without padding. */
  start = 0;
  value = 0;
  end = 0;
  #next = 0;

  begin(packet: Uint8Array): void {
    this.packet = packet;
    this.#next = COMMON_HEADER_SIZE;
  }

  /** Moves to the next chunk; false after the last. */
  next(): boolean {
    const at = this.#next;
    if (at >= this.packet.length) return false;
    const length = readU16(this.packet, at + 2);
    this.type = this.packet[at]!;
    this.flags = this.packet[at + 1]!;
    this.start = at;
    this.value = at + CHUNK_HEADER_SIZE;
    this.end = at + length;
    this.#next = at + padded(length);
    return true;
  }

  /** True when the current chunk is the packet's only one. */
  get isAlone(): boolean {
    return this.start === COMMON_HEADER_SIZE && this.#next >= this.packet.length;
  }

  /** A view of the chunk's value. */
  get body(): Uint8Array {
    return this.packet.subarray(this.value, this.end);
  }

  /** A view of the whole chunk, without padding. */
  get whole(): Uint8Array {
    return this.packet.subarray(this.start, this.end);
  }
}

/** Writes one packet after the other into buffers of its caller's. */
export class PacketWriter {
  bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #at = 0;
  #limit = 0;
  #chunk = 0;
  /** Where the packet's first data chunk begins. */
  #dataAt = Infinity;
  /** A control chunk was ever put behind data (RFC 9260 §6.10 forbids it). For simulations to ask. */
  isMisordered = false;

  /** Starts a packet of at most `size` bytes at `start`. */
  begin(bytes: Uint8Array, start: number, size: number, ports: PacketPorts, tag: number): void {
    this.bytes = bytes;
    this.#start = start;
    this.#limit = start + size;
    writeU16(bytes, start, ports.source);
    writeU16(bytes, start + 2, ports.destination);
    writeU32(bytes, start + 4, tag);
    writeU32(bytes, start + 8, 0);
    this.#at = start + COMMON_HEADER_SIZE;
    this.#dataAt = Infinity;
  }

  /** Bytes left for chunks. */
  get room(): number {
    return this.#limit - this.#at;
  }

  get isEmpty(): boolean {
    return this.#at === this.#start + COMMON_HEADER_SIZE;
  }

  /** Starts a chunk; the caller has asked `room` for its whole size. */
  beginChunk(type: number, flags: number): this {
    this.#chunk = this.#at;
    this.#noteOrder(type);
    this.bytes[this.#at] = type;
    this.bytes[this.#at + 1] = flags;
    this.#at += CHUNK_HEADER_SIZE;
    return this;
  }

  u16(value: number): this {
    writeU16(this.bytes, this.#at, value);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    writeU32(this.bytes, this.#at, value);
    this.#at += 4;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** A PAD chunk (RFC 4820 §3) over all the room that is left, 4 bytes at the least. */
  padChunk(): void {
    this.beginChunk(CHUNK.pad, 0);
    this.bytes.fill(0, this.#at, this.#limit);
    this.#at = this.#limit;
    this.endChunk();
  }

  /** Zeros to a multiple of four, as parameters inside a chunk need. */
  pad(): this {
    while (((this.#at - this.#chunk) & 3) !== 0) this.bytes[this.#at++] = 0;
    return this;
  }

  endChunk(): void {
    writeU16(this.bytes, this.#chunk + 2, this.#at - this.#chunk);
    this.pad();
  }

  /** Sets flags of the chunk that was written last. */
  addFlags(flags: number): void {
    this.bytes[this.#chunk + 1]! |= flags;
  }

  /** Where the next chunk goes; `seek` comes back to it. */
  get mark(): number {
    return this.#at;
  }

  seek(mark: number): void {
    this.#at = mark;
  }

  /** Adds a chunk that was encoded before, with its header. */
  chunk(encoded: Uint8Array): void {
    this.#chunk = this.#at;
    this.#noteOrder(encoded[0]!);
    this.raw(encoded);
    this.pad();
  }

  #noteOrder(type: number): void {
    if (type === CHUNK.data || type === CHUNK.iData) this.#dataAt = Math.min(this.#dataAt, this.#at);
    else if (this.#at > this.#dataAt) this.isMisordered = true;
  }

  /**
   * Writes the checksum; the packet's length.
   * @param zeroChecksum the peer accepts zero instead (RFC 9653 §5.2); packets of the set-up have one all the same.
   */
  finish(zeroChecksum = false): number {
    const first = this.bytes[this.#start + COMMON_HEADER_SIZE]!;
    if (zeroChecksum && first !== CHUNK.init && first !== CHUNK.cookieEcho) return this.#at - this.#start;
    const crc = crc32c(this.bytes, this.#start, this.#at);
    const at = this.#start + 8;
    this.bytes[at] = crc;
    this.bytes[at + 1] = crc >>> 8;
    this.bytes[at + 2] = crc >>> 16;
    this.bytes[at + 3] = crc >>> 24;
    return this.#at - this.#start;
  }
}

/** The SCTP ports of the packets of one direction. */
export interface PacketPorts {
  readonly source: number;
  readonly destination: number;
}
