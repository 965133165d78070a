/**
 * FORWARD TSN (RFC 3758 §3.2): new cumulative TSN(4), then stream(2) and SSN(2) of each ordered stream skipped on.
 * I-FORWARD-TSN (RFC 8260 §2.3.1): new cumulative TSN(4), then stream(2), reserved and U(2), MID(4) of each.
 */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, readU32, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';
import { CHUNK } from '../constants.ts';

const BAD_FORWARD_TSN = decodeFailure('malformed-forward-tsn');

/** A stream on which messages were given up. */
export interface SkippedStream {
  readonly streamId: number;
  /** Only an I-FORWARD-TSN lists unordered messages. */
  readonly unordered: boolean;
  /** The highest SSN, or MID, of the stream that will not come any more. */
  readonly sequence: number;
}

/** FORWARD TSN (RFC 3758 §3.2) or I-FORWARD-TSN (RFC 8260 §2.3.1), decoded. */
export interface ForwardTsnChunk {
  readonly newCumulativeTsn: number;
  readonly streams: readonly SkippedStream[];
}

/** Decodes the value of a FORWARD TSN chunk. */
export function decodeForwardTsn(body: Uint8Array): ForwardTsnChunk | DecodeFailure {
  if (body.length < 4 || (body.length & 3) !== 0) return BAD_FORWARD_TSN;
  const streams: SkippedStream[] = [];
  for (let at = 4; at < body.length; at += 4) {
    streams.push({ streamId: readU16(body, at), unordered: false, sequence: readU16(body, at + 2) });
  }
  return { newCumulativeTsn: readU32(body, 0), streams };
}

/** Decodes the value of an I-FORWARD-TSN chunk. */
export function decodeIForwardTsn(body: Uint8Array): ForwardTsnChunk | DecodeFailure {
  if (body.length < 4 || (body.length & 7) !== 4) return BAD_FORWARD_TSN;
  const streams: SkippedStream[] = [];
  for (let at = 4; at < body.length; at += 8) {
    const unordered = (readU16(body, at + 2) & 1) !== 0;
    streams.push({ streamId: readU16(body, at), unordered, sequence: readU32(body, at + 4) });
  }
  return { newCumulativeTsn: readU32(body, 0), streams };
}

/** A whole FORWARD TSN chunk. */
export function encodeForwardTsn(forward: ForwardTsnChunk): Bytes {
  const length = 8 + 4 * forward.streams.length;
  const writer = new Writer(length).u8(CHUNK.forwardTsn).u8(0).u16(length).u32(forward.newCumulativeTsn);
  for (const { streamId, sequence } of forward.streams) writer.u16(streamId).u16(sequence);
  return writer.finish();
}

/** A whole I-FORWARD-TSN chunk. */
export function encodeIForwardTsn(forward: ForwardTsnChunk): Bytes {
  const length = 8 + 8 * forward.streams.length;
  const writer = new Writer(length).u8(CHUNK.iForwardTsn).u8(0).u16(length).u32(forward.newCumulativeTsn);
  for (const { streamId, unordered, sequence } of forward.streams) {
    writer
      .u16(streamId)
      .u16(unordered ? 1 : 0)
      .u32(sequence);
  }
  return writer.finish();
}
