/**
 * RtpPacket: a view of one RTP packet (RFC 3550 §5.1), read without a copy.
 *
 *     V=2 P X CC │ M PT │ sequence number │ timestamp │ SSRC │ CSRCs │ extensions (RFC 8285) │ payload │ padding
 */
import type { Bytes } from '../core/bytes.ts';
import { readU16, readU32 } from '../core/bytes.ts';
import { FIXED_HEADER, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE } from './header.ts';

/** More than the longest extension has bytes. */
const LENGTHS = 256;

/** A packet whose header is well-formed; the bytes are the ones that were given. */
export class RtpPacket {
  readonly bytes: Bytes;
  /** Bytes in front of the payload. */
  readonly headerLength: number;
  /** Bytes behind the payload. */
  readonly paddingLength: number;
  #payload: Bytes | undefined;

  private constructor(bytes: Bytes, headerLength: number, paddingLength: number) {
    this.bytes = bytes;
    this.headerLength = headerLength;
    this.paddingLength = paddingLength;
  }

  /** `undefined`: no RTP packet, or one that ends early or lies about its padding. */
  static view(bytes: Bytes): RtpPacket | undefined {
    const { length } = bytes;
    if (length < FIXED_HEADER || bytes[0]! >> 6 !== 2) return undefined;
    let headerLength = FIXED_HEADER + 4 * (bytes[0]! & 0x0f);
    if ((bytes[0]! & 0x10) !== 0) {
      if (headerLength + 4 > length) return undefined;
      headerLength += 4 + 4 * readU16(bytes, headerLength + 2);
    }
    if (headerLength > length) return undefined;
    if ((bytes[0]! & 0x20) === 0) return new RtpPacket(bytes, headerLength, 0);
    const paddingLength = bytes[length - 1]!;
    if (paddingLength === 0 || headerLength + paddingLength > length) return undefined;
    return new RtpPacket(bytes, headerLength, paddingLength);
  }

  get marker(): boolean {
    return (this.bytes[1]! & 0x80) !== 0;
  }

  /** 0–127. */
  get payloadType(): number {
    return this.bytes[1]! & 0x7f;
  }

  /** 16 bits. */
  get sequenceNumber(): number {
    return readU16(this.bytes, 2);
  }

  /** 32 bits. */
  get timestamp(): number {
    return readU32(this.bytes, 4);
  }

  get ssrc(): number {
    return readU32(this.bytes, 8);
  }

  /** A view. */
  get payload(): Bytes {
    return (this.#payload ??= this.bytes.subarray(this.headerLength, this.bytes.length - this.paddingLength));
  }

  /** Contributing sources, 15 at the most: whose media a mixer has put into this. */
  get csrcs(): number[] {
    const csrcs: number[] = [];
    const end = FIXED_HEADER + 4 * (this.bytes[0]! & 0x0f);
    for (let at = FIXED_HEADER; at < end; at += 4) csrcs.push(readU32(this.bytes, at));
    return csrcs;
  }

  /** A view of the value of a header extension, of either form; `undefined`: it has none of this id. Of equal ids the first counts. */
  extension(id: number): Bytes | undefined {
    const found = this.#find(id);
    if (found < 0) return undefined;
    const start = Math.floor(found / LENGTHS);
    return this.bytes.subarray(start, start + (found % LENGTHS));
  }

  /** As `extension`, for a value of one to four bytes that is a number; without a view. `undefined` for other lengths, too. */
  extensionNumber(id: number): number | undefined {
    const found = this.#find(id);
    if (found < 0) return undefined;
    const start = Math.floor(found / LENGTHS);
    const length = found % LENGTHS;
    if (length === 0 || length > 4) return undefined;
    let value = 0;
    for (let at = start; at < start + length; at++) value = value * 256 + this.bytes[at]!;
    return value;
  }

  /** Where the value of an extension begins, times `LENGTHS`, plus its length; -1: there is none. */
  #find(id: number): number {
    const { bytes, headerLength } = this;
    if ((bytes[0]! & 0x10) === 0) return -1;
    const start = FIXED_HEADER + 4 * (bytes[0]! & 0x0f);
    const profile = readU16(bytes, start);
    const isOneByte = profile === ONE_BYTE_PROFILE;
    if (!isOneByte && profile >> 4 !== TWO_BYTE_PROFILE >> 4) return -1;
    for (let at = start + 4; at < headerLength;) {
      const first = bytes[at]!;
      if (first === 0) {
        at++;
        continue;
      }
      const found = isOneByte ? first >> 4 : first;
      // RFC 8285 §4.2: after either of these ids nothing more is read.
      if (isOneByte && (found === 0 || found === 15)) return -1;
      if (!isOneByte && at + 1 >= headerLength) return -1;
      const length = isOneByte ? (first & 0x0f) + 1 : bytes[at + 1]!;
      const value = at + (isOneByte ? 1 : 2);
      if (value + length > headerLength) return -1;
      if (found === id) return value * LENGTHS + length;
      at = value + length;
    }
    return -1;
  }
}
