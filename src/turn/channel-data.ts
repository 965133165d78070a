/**
 * ChannelData (RFC 8656 §12.4, §12.5): two bytes of channel number, two of length, the data. Over a stream it is padded to four
 * bytes, which the length does not count; over UDP it is not, and what follows the data is ignored.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, readU16, writeU16 } from '../core/bytes.ts';
import { wireBytes } from '../core/slab.ts';
import type { AddressFamily } from './contract.ts';

/** The first number of a channel. */
export const FIRST_CHANNEL = 0x4000;
/** The last number of a channel; those up to 0x7FFF, of RFC 5766, are reserved now. */
export const LAST_CHANNEL = 0x4fff;

/** Bytes before the data. */
export const CHANNEL_HEADER_LENGTH = 4;

/** Bytes of data that a length of 16 bits can tell. */
export const MAX_DATA_LENGTH = 0xffff;

/**
 * Bytes that Send and Data indications add to a peer's datagram: a header of 20, XOR-PEER-ADDRESS of 12 or 24, and 4 before
 * DATA. A ChannelData message adds 4. Padding comes on top, to a multiple of four: a datagram whose room is such a multiple
 * never needs more than this.
 */
export const RELAY_OVERHEAD: Readonly<Record<AddressFamily, number>> = { 4: 36, 6: 48 };

/** True for what begins as ChannelData does: a number from 0x4000 to 0x4FFF (RFC 7983 §7 as RFC 8656 narrows it). */
export function isChannelData(message: Uint8Array): boolean {
  return message.length >= CHANNEL_HEADER_LENGTH && message[0]! >> 4 === FIRST_CHANNEL >> 12;
}

/** One message. @param padded true over a stream */
export function encodeChannelData(channel: number, data: Uint8Array, padded: boolean): Bytes {
  const length = CHANNEL_HEADER_LENGTH + data.length;
  const message = wireBytes(padded ? length + (-length & 3) : length);
  writeU16(message, 0, channel);
  writeU16(message, 2, data.length);
  message.set(data, CHANNEL_HEADER_LENGTH);
  return message;
}

/** The number of the channel that a ChannelData message is of. */
export function channelOf(message: Uint8Array): number {
  return readU16(message, 0);
}

/**
 * The data of a ChannelData message; `undefined` when there is less of it than its length says.
 * @param isOwned true: the answer lies in the message's memory; false: in its own
 */
export function channelDataOf(message: Uint8Array, isOwned: boolean): Bytes | undefined {
  const end = CHANNEL_HEADER_LENGTH + readU16(message, 2);
  if (end > message.length) return undefined;
  return partOf(message, CHANNEL_HEADER_LENGTH, end, isOwned);
}

/** A part of a message for its receiver. @param isOwned true: it lies in the message's memory; false: in its own */
export function partOf(message: Uint8Array, start: number, end: number, isOwned: boolean): Bytes {
  const { buffer, byteOffset } = message;
  // Hosts give subclasses of Uint8Array, and memory that is shared with others.
  if (!isOwned || !(buffer instanceof ArrayBuffer)) return copyBytes(message, start, end);
  return new Uint8Array(buffer, byteOffset + start, end - start);
}
