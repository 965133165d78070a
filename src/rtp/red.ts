/**
 * RED: packets with copies of earlier ones in front, so that a lost packet need not be sent again (RFC 2198 §3); for Opus, mostly.
 *
 *     1 PT offset length │ … │ 0 PT │ data of the earlier ones, the oldest first │ data of this one
 */
import type { Bytes } from '../core/bytes.ts';
import { ownBytes, readU24, writeU24 } from '../core/bytes.ts';
import { badArgument } from '../core/errors.ts';

/** One of the packets in a packet. */
export interface RedBlock {
  /** 0–127. */
  readonly payloadType: number;
  /** How far its timestamp is behind the packet's, 0–16,383; 0 for the last block, which is the packet's own. */
  readonly timestampOffset: number;
  /** A view, when read; at most 1,023 bytes but for the last. */
  readonly payload: Uint8Array;
}

/** Blocks that are read of a packet. Senders use two or three. */
const MAX_BLOCKS = 32;
const MAX_OFFSET = 0x3fff;
const MAX_LENGTH = 0x3ff;

/** The blocks of a packet, the oldest first and its own last. `undefined`: it ends early, or has more than 32 of them. */
export function readRed(payload: Uint8Array): RedBlock[] | undefined {
  let header = 0;
  let blocks = 1;
  while (header < payload.length && (payload[header]! & 0x80) !== 0) {
    header += 4;
    blocks++;
  }
  if (header >= payload.length || blocks > MAX_BLOCKS) return undefined;
  const read: RedBlock[] = [];
  let at = header + 1;
  for (let entry = 0; entry < header; entry += 4) {
    const bits = readU24(payload, entry + 1);
    const end = at + (bits & MAX_LENGTH);
    if (end > payload.length) return undefined;
    const payloadType = payload[entry]! & 0x7f;
    read.push({ payloadType, timestampOffset: bits >> 10, payload: payload.subarray(at, end) });
    at = end;
  }
  read.push({ payloadType: payload[header]!, timestampOffset: 0, payload: payload.subarray(at) });
  return read;
}

/**
 * The payload of a packet: `blocks` from the oldest to the packet's own, of which there is at least that one. Throws
 * `ERR_BAD_ARGUMENT` for an offset or a length that has no room in its field.
 */
export function writeRed(blocks: readonly RedBlock[]): Bytes {
  const last = blocks.at(-1);
  if (last === undefined || blocks.length > MAX_BLOCKS)
    throw badArgument('blocks', `1 to ${String(MAX_BLOCKS)} blocks`, blocks.length);
  let length = 4 * blocks.length - 3;
  for (const block of blocks) {
    checkBlock(block, block === last);
    length += block.payload.length;
  }
  const payload = ownBytes(length);
  let header = 0;
  let at = 4 * blocks.length - 3;
  for (const block of blocks) {
    payload[header] = block.payloadType;
    if (block !== last) {
      payload[header] = 0x80 | block.payloadType;
      writeU24(payload, header + 1, (block.timestampOffset << 10) | block.payload.length);
      header += 4;
    }
    payload.set(block.payload, at);
    at += block.payload.length;
  }
  return payload;
}

function checkBlock({ payloadType, timestampOffset, payload }: RedBlock, isLast: boolean): void {
  if (!(payloadType >= 0 && payloadType <= 0x7f)) throw badArgument('payloadType', '0 to 127', payloadType);
  if (!(timestampOffset >= 0 && timestampOffset <= (isLast ? 0 : MAX_OFFSET)))
    throw badArgument('timestampOffset', isLast ? '0 for the last' : '0 to 16383', timestampOffset);
  if (!isLast && payload.length > MAX_LENGTH)
    throw badArgument('payload', 'at most 1023 bytes', payload.length);
}
