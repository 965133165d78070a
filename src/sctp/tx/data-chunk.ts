/** One fragment of a message as a DATA chunk (RFC 9260 §3.3.1) or an I-DATA chunk (RFC 8260 §2.1). */
import { CHUNK, FLAG_BEGIN, FLAG_END, FLAG_UNORDERED } from '../constants.ts';
import type { PacketWriter } from '../packet/packet.ts';
import type { OutgoingMessage } from './send-queue.ts';

/** Writes `size` bytes of the message from `offset`. `fragment`: its number in the message, for I-DATA; `undefined`: DATA. */
export function writeDataChunk(
  writer: PacketWriter,
  tsn: number,
  message: OutgoingMessage,
  offset: number,
  size: number,
  fragment: number | undefined,
): void {
  const { data } = message;
  let flags = message.unordered ? FLAG_UNORDERED : 0;
  if (offset === 0) flags |= FLAG_BEGIN;
  if (offset + size === data.length) flags |= FLAG_END;
  if (fragment === undefined) {
    writer
      .beginChunk(CHUNK.data, flags)
      .u32(tsn)
      .u16(message.streamId)
      .u16(message.sequence)
      .u32(message.ppid);
  } else {
    // RFC 8260 §2.1: the first fragment says what the message is, the others which they are.
    writer
      .beginChunk(CHUNK.iData, flags)
      .u32(tsn)
      .u16(message.streamId)
      .u16(0)
      .u32(message.sequence)
      .u32(offset === 0 ? message.ppid : fragment);
  }
  writer.raw(size === data.length ? data : data.subarray(offset, offset + size)).endChunk();
}
