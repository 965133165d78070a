/**
 * Epochs: how records of one direction are protected between two changes of keys (RFC 6347 §4.1).
 *
 * Epoch 0 is plaintext, epoch 1 of DTLS 1.2 is AES-128-GCM (RFC 5288). A `WriteEpoch` is all the rest of the room sees,
 * so that DTLS 1.3, with its other header and nonce, is one more class beside these.
 *
 * The nonce is salt(4) ‖ epoch(2) ‖ sequence(6): a counter, never random, so it cannot repeat under one key
 * (RFC 5288 §3, RFC 9325 §7.2.1).
 */
import type { Bytes } from '../core/bytes.ts';
import { writeU16 } from '../core/bytes.ts';
import type { AeadKey, CryptoProvider } from '../crypto/provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../crypto/provider.ts';
import { EXPLICIT_NONCE_LENGTH, RECORD_HEADER_LENGTH, writeRecordHeader } from './record.ts';
import type { ContentType } from './record.ts';
import { ReplayWindow } from './replay.ts';

/** The fixed part of the nonce (RFC 5288 §3). */
export const SALT_LENGTH = 4;
/** sequence 8 ‖ type 1 ‖ version 2 ‖ length 2 (RFC 5246 §6.2.3.3; the sequence of DTLS has the epoch in front). */
const ADDITIONAL_DATA_LENGTH = 13;
const TYPE_AT = 8;
const LENGTH_AT = 11;

/** Key and salt of one direction. */
export interface TrafficKeys {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** One direction's way of turning plaintext into records. */
export interface WriteEpoch {
  readonly epoch: number;
  /** Bytes needed before and behind the plaintext. */
  readonly headroom: number;
  readonly tailroom: number;
  /** The next record's sequence number; it never goes back, so a retransmission is a new record. */
  sequence: number;
  /** Makes a record, in place, of `length` bytes of plaintext at `offset`; answers the record's length. */
  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number;
}

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

export class GcmWriteEpoch implements WriteEpoch {
  readonly epoch: number;
  readonly headroom: number = RECORD_HEADER_LENGTH + EXPLICIT_NONCE_LENGTH;
  readonly tailroom: number = AEAD_TAG_LENGTH;
  sequence = 0;
  readonly key: AeadKey;
  readonly nonce: Bytes;
  readonly additionalData: Bytes = new Uint8Array(ADDITIONAL_DATA_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys) {
    this.epoch = epoch;
    this.key = crypto.aead('aes-128-gcm', keys.key);
    this.nonce = nonceWithSalt(keys.salt);
  }

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    const header = offset - this.headroom;
    const fragmentLength = EXPLICIT_NONCE_LENGTH + length + AEAD_TAG_LENGTH;
    writeRecordHeader(buffer, header, type, this.epoch, this.sequence++, fragmentLength);
    // The explicit nonce is the header's epoch and sequence once more.
    buffer.copyWithin(offset - EXPLICIT_NONCE_LENGTH, header + 3, header + 11);
    copyInto(this.nonce, SALT_LENGTH, buffer, header + 3, EXPLICIT_NONCE_LENGTH);
    fillAdditionalData(this.additionalData, buffer, header, length);
    this.key.seal(this.nonce, this.additionalData, buffer, offset, length);
    return RECORD_HEADER_LENGTH + fragmentLength;
  }
}

export class GcmReadEpoch {
  readonly epoch: number;
  readonly key: AeadKey;
  readonly nonce: Bytes;
  readonly additionalData: Bytes = new Uint8Array(ADDITIONAL_DATA_LENGTH);
  readonly window: ReplayWindow = new ReplayWindow();

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys) {
    this.epoch = epoch;
    this.key = crypto.aead('aes-128-gcm', keys.key);
    this.nonce = nonceWithSalt(keys.salt);
  }

  /**
   * Opens, in place, the record whose header is at `header` and whose fragment has `fragmentLength` bytes; the plaintext
   * then starts `DTLS_HEADROOM` bytes after `header`.
   * @returns the plaintext's length, -1 for a record that is not authentic.
   */
  open(buffer: Uint8Array, header: number, fragmentLength: number): number {
    const length = fragmentLength - EXPLICIT_NONCE_LENGTH - AEAD_TAG_LENGTH;
    if (length < 0) return -1;
    const fragment = header + RECORD_HEADER_LENGTH;
    // RFC 5288 §3 leaves the explicit part to the sender: it is read from the record, not computed.
    copyInto(this.nonce, SALT_LENGTH, buffer, fragment, EXPLICIT_NONCE_LENGTH);
    fillAdditionalData(this.additionalData, buffer, header, length);
    return this.key.open(
      this.nonce,
      this.additionalData,
      buffer,
      fragment + EXPLICIT_NONCE_LENGTH,
      length + AEAD_TAG_LENGTH,
    );
  }
}

/** The epochs of one connection. */
export interface Epochs {
  /** Epoch 0; its counter goes on, because flights that start in plaintext may be sent again. */
  readonly plaintext: PlaintextWriteEpoch;
  /** Epoch 1, from our ChangeCipherSpec on. */
  write: GcmWriteEpoch | undefined;
  /** Epoch 1, once its keys are known. */
  read: GcmReadEpoch | undefined;
}

export function initialEpochs(): Epochs {
  return { plaintext: new PlaintextWriteEpoch(), write: undefined, read: undefined };
}

function nonceWithSalt(salt: Uint8Array): Bytes {
  const nonce = new Uint8Array(AEAD_NONCE_LENGTH);
  nonce.set(salt);
  return nonce;
}

/** Eight bytes a record: a loop is cheaper than the view that `set` would need. */
function copyInto(target: Uint8Array, at: number, source: Uint8Array, from: number, length: number): void {
  for (let i = 0; i < length; i++) target[at + i] = source[from + i]!;
}

function fillAdditionalData(target: Uint8Array, record: Uint8Array, header: number, length: number): void {
  copyInto(target, 0, record, header + 3, EXPLICIT_NONCE_LENGTH);
  copyInto(target, TYPE_AT, record, header, 3);
  writeU16(target, LENGTH_AT, length);
}
