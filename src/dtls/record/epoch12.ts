/**
 * The protected epoch of DTLS 1.2 (RFC 6347 §4.1), 1: there is no renegotiation, so there is no other.
 *
 * The nonce is iv ⊕ (0 ‖ epoch ‖ sequence): a counter, never random, so it cannot repeat under one key (RFC 9325 §7.2.1).
 * ChaCha20-Poly1305 (RFC 7905 §2) has an iv of 12 bytes. AES-GCM (RFC 5288 §3) has a salt of 4, and sends the rest of the
 * nonce in every record: its iv is salt ‖ 0, which makes the two one.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, writeU16 } from '../../core/bytes.ts';
import type { AeadAlgorithm, AeadKey, CryptoProvider } from '../../crypto/provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../../crypto/provider.ts';
import { EXPLICIT_NONCE_LENGTH, RECORD_HEADER_LENGTH, writeRecordHeader } from './record.ts';
import type { ContentType } from './record.ts';
import { ReplayWindow } from './replay.ts';
import type { TrafficKeys, WriteEpoch } from './write-epoch.ts';

/** epoch 2 and sequence 6 are the variable part of every nonce. */
const COUNTER_LENGTH = 8;
/** Where they start in the record's header. */
export const COUNTER_AT = 3;
/** sequence 8 ‖ type 1 ‖ version 2 ‖ length 2 (RFC 5246 §6.2.3.3; the sequence of DTLS has the epoch in front). */
const ADDITIONAL_DATA_LENGTH = 13;
const TYPE_AT = 8;
const LENGTH_AT = 11;

/** How many bytes of a nonce the key schedule gives; the others are zeros. */
export function ivLength(aead: AeadAlgorithm): number {
  return AEAD_NONCE_LENGTH - explicitNonceLength(aead);
}

/** How many bytes of the nonce every record carries. */
export function explicitNonceLength(aead: AeadAlgorithm): number {
  return aead === 'chacha20-poly1305' ? 0 : EXPLICIT_NONCE_LENGTH;
}

/** Our writing in epoch 1. */
export class WriteEpoch12 implements WriteEpoch {
  readonly epoch: number;
  readonly headroom: number;
  readonly tailroom: number = AEAD_TAG_LENGTH;
  sequence = 0;
  readonly explicitLength: number;
  readonly key: AeadKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly additionalData: Bytes = new Uint8Array(ADDITIONAL_DATA_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys) {
    this.epoch = epoch;
    this.explicitLength = explicitNonceLength(keys.aead);
    this.headroom = RECORD_HEADER_LENGTH + this.explicitLength;
    this.key = crypto.aead(keys.aead, keys.key);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    const header = offset - this.headroom;
    const fragmentLength = this.explicitLength + length + AEAD_TAG_LENGTH;
    writeRecordHeader(buffer, header, type, this.epoch, this.sequence++, fragmentLength);
    // The explicit nonce is the header's epoch and sequence once more.
    buffer.copyWithin(
      header + RECORD_HEADER_LENGTH,
      header + COUNTER_AT,
      header + COUNTER_AT + this.explicitLength,
    );
    fillNonce12(this.nonce, this.iv, buffer, header + COUNTER_AT);
    fillAdditionalData(this.additionalData, buffer, header, length);
    this.key.seal(this.nonce, this.additionalData, buffer, offset, length);
    return RECORD_HEADER_LENGTH + fragmentLength;
  }
}

/** The peer's writing in epoch 1, with a connection id (epoch12-with-id.ts) or without. */
export interface ReadEpoch12 {
  readonly epoch: number;
  /** Bytes from the record's start to its plaintext, once opened. */
  readonly headroom: number;
  readonly window: ReplayWindow;
  /** True if the peer's records have a connection id: others are not its. */
  readonly isWithId: boolean;
  /** Records so far that were not authentic. */
  forged: number;
  /** Content type of the record opened last: any byte. */
  readonly type: number;
  /**
   * Opens, in place, the record whose header is at `header` and whose fragment has `fragmentLength` bytes; the plaintext
   * then starts `headroom` bytes after `header`.
   * @returns the plaintext's length, -1 for a record that is not authentic.
   */
  open(buffer: Uint8Array, header: number, fragmentLength: number): number;
}

/** The peer's writing without connection ids. */
export class PlainReadEpoch12 implements ReadEpoch12 {
  readonly epoch: number;
  readonly headroom: number;
  readonly isWithId = false;
  readonly explicitLength: number;
  readonly key: AeadKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly additionalData: Bytes = new Uint8Array(ADDITIONAL_DATA_LENGTH);
  readonly window: ReplayWindow = new ReplayWindow();
  forged = 0;
  type = 0;

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys) {
    this.epoch = epoch;
    this.explicitLength = explicitNonceLength(keys.aead);
    this.headroom = RECORD_HEADER_LENGTH + this.explicitLength;
    this.key = crypto.aead(keys.aead, keys.key);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  open(buffer: Uint8Array, header: number, fragmentLength: number): number {
    this.type = buffer[header]!;
    const length = fragmentLength - this.explicitLength - AEAD_TAG_LENGTH;
    if (length < 0) return -1;
    // RFC 5288 §3 leaves the explicit part to the sender: it is read from the record, not computed.
    const counterAt = this.explicitLength === 0 ? header + COUNTER_AT : header + RECORD_HEADER_LENGTH;
    fillNonce12(this.nonce, this.iv, buffer, counterAt);
    fillAdditionalData(this.additionalData, buffer, header, length);
    return this.key.open(
      this.nonce,
      this.additionalData,
      buffer,
      header + this.headroom,
      length + AEAD_TAG_LENGTH,
    );
  }
}

/** Eight bytes a record: loops are cheaper than the views that `set` would need. */
export function fillNonce12(nonce: Uint8Array, iv: Uint8Array, source: Uint8Array, counterAt: number): void {
  const from = AEAD_NONCE_LENGTH - COUNTER_LENGTH;
  for (let i = 0; i < COUNTER_LENGTH; i++) nonce[from + i] = iv[from + i]! ^ source[counterAt + i]!;
}

function fillAdditionalData(target: Uint8Array, record: Uint8Array, header: number, length: number): void {
  for (let i = 0; i < COUNTER_LENGTH; i++) target[i] = record[header + COUNTER_AT + i]!;
  for (let i = 0; i < COUNTER_AT; i++) target[TYPE_AT + i] = record[header + i]!;
  writeU16(target, LENGTH_AT, length);
}
