/** FORWARD TSN (RFC 3758 §3.2): new cumulative TSN(4), then stream(2) and SSN(2) of each ordered stream skipped on. */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, readU32, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';
import { CHUNK } from '../constants.ts';

const BAD_FORWARD_TSN = decodeFailure('malformed-forward-tsn');

export interface SkippedStream {
  readonly streamId: number;
  /** The highest SSN of the stream that will not come any more. */
  readonly ssn: number;
}

export interface ForwardTsnChunk {
  readonly newCumulativeTsn: number;
  readonly streams: readonly SkippedStream[];
}

/** Decodes the value of a FORWARD TSN chunk. */
export function decodeForwardTsn(body: Uint8Array): ForwardTsnChunk | DecodeFailure {
  if (body.length < 4 || (body.length & 3) !== 0) return BAD_FORWARD_TSN;
  const streams: SkippedStream[] = [];
  for (let at = 4; at < body.length; at += 4) {
    streams.push({ streamId: readU16(body, at), ssn: readU16(body, at + 2) });
  }
  return { newCumulativeTsn: readU32(body, 0), streams };
}

/** A whole FORWARD TSN chunk. */
export function encodeForwardTsn(forward: ForwardTsnChunk): Bytes {
  const length = 8 + 4 * forward.streams.length;
  const writer = new Writer(length).u8(CHUNK.forwardTsn).u8(0).u16(length).u32(forward.newCumulativeTsn);
  for (const { streamId, ssn } of forward.streams) writer.u16(streamId).u16(ssn);
  return writer.finish();
}
