/**
 * RtpWriter: RTP packets written where they will be sent from (RFC 3550 §5.1, header extensions by RFC 8285). A packet is
 * written from front to back:
 *
 *     start ─▶ [ beginExtensions ─▶ extension … ─▶ endExtensions ] ─▶ payload … ─▶ [ padding ]
 *
 * One writer serves any number of packets and allocates nothing. The caller sees to the room: bytes that find none are lost,
 * or throw a `RangeError`.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, ownBytes, writeU16, writeU24, writeU32 } from '../core/bytes.ts';
import { RtcError } from '../core/errors.ts';
import { FIXED_HEADER, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE } from './header.ts';

/** What a value can be in the short form (RFC 8285 §4.2): id 15 is reserved, a length of 0 cannot be said. */
const ONE_BYTE_MAX_ID = 14;
const ONE_BYTE_MAX_LENGTH = 16;
/** RFC 8285 §4.3. */
const TWO_BYTE_MAX = 255;

/** Up to so many bytes a loop costs less than `set`. */
const SHORT_COPY = 64;
/** Bytes left out in front of a payload that are copied over and put back, which costs less than a view of the rest. */
const SHORT_CUT = 64;

/** Whether a value fits into the one-byte form of header extensions; the two-byte form takes ids and lengths up to 255. */
export function fitsOneByteForm(id: number, length: number): boolean {
  return id >= 1 && id <= ONE_BYTE_MAX_ID && length >= 1 && length <= ONE_BYTE_MAX_LENGTH;
}

/** Writes RTP packets, one after the other. */
export class RtpWriter {
  #into: Bytes = NO_BYTES;
  #start = 0;
  #at = 0;
  /** Where the extensions begin, their four bytes of header included. */
  #extensions = 0;
  #isOneByte = true;
  readonly #covered: Bytes = ownBytes(SHORT_CUT);

  /** Bytes written since `start`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Begins a packet at `offset` of `into`. Numbers are cut to their fields: 7, 16, 32 and 32 bits. */
  start(
    into: Bytes,
    offset: number,
    marker: boolean,
    payloadType: number,
    sequenceNumber: number,
    timestamp: number,
    ssrc: number,
  ): void {
    this.#into = into;
    this.#start = offset;
    this.#at = offset + FIXED_HEADER;
    into[offset] = 0x80;
    into[offset + 1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
    writeU16(into, offset + 2, sequenceNumber);
    writeU32(into, offset + 4, timestamp);
    writeU32(into, offset + 8, ssrc);
  }

  /** Begins the header extensions, all of one form. */
  beginExtensions(form: 'one-byte' | 'two-byte'): void {
    this.#isOneByte = form === 'one-byte';
    this.#extensions = this.#at;
    this.#at += 4;
  }

  /** Throws `ERR_BAD_ARGUMENT` for an id or a length that the form cannot say (`fitsOneByteForm`). */
  extension(id: number, value: Uint8Array): void {
    const { length } = value;
    this.#beginExtension(id, length);
    const into = this.#into;
    const at = this.#at;
    for (let i = 0; i < length; i++) into[at + i] = value[i]!;
    this.#at = at + length;
  }

  /** As `extension`, for the low `bytes` bytes of a number. */
  extensionNumber(id: number, bytes: 1 | 2 | 3 | 4, value: number): void {
    this.#beginExtension(id, bytes);
    const into = this.#into;
    const at = this.#at;
    if (bytes === 1) into[at] = value;
    else if (bytes === 2) writeU16(into, at, value);
    else if (bytes === 3) writeU24(into, at, value);
    else writeU32(into, at, value);
    this.#at = at + bytes;
  }

  /** Pads the extensions to whole words. Where there was none the packet has no extension header either. */
  endExtensions(): void {
    const into = this.#into;
    const start = this.#extensions;
    if (this.#at === start + 4) {
      this.#at = start;
      return;
    }
    while (((this.#at - start) & 3) !== 0) into[this.#at++] = 0;
    into[this.#start] = into[this.#start]! | 0x10;
    writeU16(into, start, this.#isOneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE);
    writeU16(into, start + 2, (this.#at - start - 4) >> 2);
  }

  /** The original sequence number, which begins the payload of a packet that is sent again (RFC 4588 §4). */
  originalSequenceNumber(value: number): void {
    writeU16(this.#into, this.#at, value);
    this.#at += 2;
  }

  /** Adds `bytes` from `start` on to the payload. */
  payload(bytes: Uint8Array, start = 0): void {
    const length = bytes.length - start;
    if (length <= 0) return;
    const into = this.#into;
    const at = this.#at;
    this.#at = at + length;
    if (length <= SHORT_COPY) {
      for (let i = 0; i < length; i++) into[at + i] = bytes[start + i]!;
    } else if (start === 0) {
      into.set(bytes, at);
    } else if (start <= SHORT_CUT && start <= at) {
      const covered = this.#covered;
      for (let i = 0; i < start; i++) covered[i] = into[at - start + i]!;
      into.set(bytes, at - start);
      for (let i = 0; i < start; i++) into[at - start + i] = covered[i]!;
    } else {
      into.set(bytes.subarray(start), at);
    }
  }

  /** Ends the packet with `count` bytes of padding, 1–255 (RFC 3550 §5.1). */
  padding(count: number): void {
    const into = this.#into;
    const end = this.#at + count;
    into.fill(0, this.#at, end);
    into[end - 1] = count;
    into[this.#start] = into[this.#start]! | 0x20;
    this.#at = end;
  }

  #beginExtension(id: number, length: number): void {
    const into = this.#into;
    if (this.#isOneByte) {
      if (!fitsOneByteForm(id, length)) throw unsayable('one-byte', id, length);
      into[this.#at++] = (id << 4) | (length - 1);
      return;
    }
    if (id < 1 || id > TWO_BYTE_MAX || length > TWO_BYTE_MAX) throw unsayable('two-byte', id, length);
    into[this.#at] = id;
    into[this.#at + 1] = length;
    this.#at += 2;
  }
}

function unsayable(form: string, id: number, length: number): RtcError {
  return new RtcError(
    'ERR_BAD_ARGUMENT',
    `the ${form} form of header extensions has no room for id ${id} with ${length} bytes`,
  );
}
