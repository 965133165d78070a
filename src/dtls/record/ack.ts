/** ACK (RFC 9147 §7): record numbers <2>, each epoch 8 │ sequence number 8. */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** Epoch and sequence number of a record: what names it for good. */
export interface RecordNumber {
  readonly epoch: number;
  readonly sequence: number;
}

/** Bytes of a record number in an ACK. */
export const RECORD_NUMBER_LENGTH = 16;
const MALFORMED = decodeFailure('ack-malformed');

/** Both numbers have 48 bits at most; larger ones are never ours, and come out as -1. */
export function decodeAck(body: Uint8Array): readonly RecordNumber[] | DecodeFailure {
  const reader = new Reader(body);
  const length = reader.u16();
  if (reader.failed || length !== reader.remaining || length % RECORD_NUMBER_LENGTH !== 0) return MALFORMED;
  const numbers: RecordNumber[] = [];
  while (reader.remaining > 0) numbers.push({ epoch: readU64(reader), sequence: readU64(reader) });
  return numbers;
}

/** The body of an ACK. */
export function encodeAck(numbers: readonly RecordNumber[]): Bytes {
  const writer = new Writer(2 + numbers.length * RECORD_NUMBER_LENGTH).u16(
    numbers.length * RECORD_NUMBER_LENGTH,
  );
  for (const { epoch, sequence } of numbers) writer.u16(0).u48(epoch).u16(0).u48(sequence);
  return writer.finish();
}

function readU64(reader: Reader): number {
  const high = reader.u16();
  const low = reader.u48();
  return high === 0 ? low : -1;
}
