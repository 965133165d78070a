/**
 * Writing epochs: how the records of one direction are protected between two changes of keys (RFC 6347 §4.1).
 *
 * A `WriteEpoch` is all that the rest of the room sees of writing. Epoch 0, here, is plaintext in every version; epoch12.ts
 * and epoch13.ts have the protected ones.
 */
import type { Bytes } from '../../core/bytes.ts';
import { wireBytes } from '../../core/slab.ts';
import type { AeadAlgorithm } from '../../crypto/provider.ts';
import type { ContentType } from './record.ts';
import { RECORD_HEADER_LENGTH, writeRecordHeader } from './record.ts';

/** Key and iv of one direction. */
export interface TrafficKeys {
  readonly aead: AeadAlgorithm;
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
}

/** One direction's way of turning plaintext into records. */
export interface WriteEpoch {
  readonly epoch: number;
  /** Bytes needed before and after the plaintext. */
  readonly headroom: number;
  readonly tailroom: number;
  /** The next record's sequence number; it never goes back, so a retransmission is a new record. */
  sequence: number;
  /** Makes a record, in place, of `length` bytes of plaintext at `offset`; answers the record's length. */
  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number;
}

/** The record that carries a copy of `body`, for what is not written in place. */
export function sealCopy(write: WriteEpoch, type: ContentType, body: Uint8Array): Bytes {
  const record = wireBytes(write.headroom + body.length + write.tailroom);
  record.set(body, write.headroom);
  write.seal(type, record, write.headroom, body.length);
  return record;
}

/** Epoch 0: a header, and the plaintext as it is. */
export class PlaintextWriteEpoch implements WriteEpoch {
  readonly epoch = 0;
  readonly headroom: number = RECORD_HEADER_LENGTH;
  readonly tailroom = 0;
  sequence = 0;

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    writeRecordHeader(buffer, offset - RECORD_HEADER_LENGTH, type, this.epoch, this.sequence++, length);
    return RECORD_HEADER_LENGTH + length;
  }
}
