/**
 * Protected epochs of DTLS 1.3 (RFC 9147 §4): 2 for the handshake, 3 and up for everything after it.
 *
 *     seal: plaintext ‖ content type → AEAD, with the header as additional data → the sequence number is masked
 *     open: the sequence number is unmasked → replay window → AEAD → zeros are stripped, and the content type is found
 *
 * The nonce is iv ⊕ (0 ‖ sequence number) (§4, RFC 8446 §5.3): each epoch has keys and a count of its own. The mask comes
 * from the first 16 bytes of ciphertext (§4.2.3), so that an observer cannot link a peer's paths by its numbers.
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, copyBytes, readU16, writeU16 } from '../../core/bytes.ts';
import type { AeadKey, CryptoProvider, MaskKey } from '../../crypto/provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, MASK_SAMPLE_LENGTH } from '../../crypto/provider.ts';
import type { ContentType } from './record.ts';
import { ReplayWindow } from './replay.ts';
import {
  UNIFIED_HEADER_LENGTH,
  nearestSequence,
  sequenceAt,
  sequenceLength,
  unifiedHeaderByte,
  unifiedHeaderLength,
} from './unified-header.ts';
import type { TrafficKeys, WriteEpoch } from './write-epoch.ts';

/** RFC 9147 §6.1: the epoch of all that a handshake says under protection. */
export const HANDSHAKE_EPOCH = 2;
/** RFC 9147 §6.1: the first epoch of application data; each KeyUpdate begins another. */
export const APPLICATION_EPOCH = 3;

/** The content type after the plaintext. */
const CONTENT_TYPE_LENGTH = 1;

/** Keys of one direction and epoch; `sequenceNumberKey` makes the masks. */
export interface TrafficKeys13 extends TrafficKeys {
  readonly sequenceNumberKey: Uint8Array;
}

/** Our writing in one epoch. */
export class WriteEpoch13 implements WriteEpoch {
  readonly epoch: number;
  headroom: number = UNIFIED_HEADER_LENGTH;
  /** In every record; empty: none. */
  connectionId: Bytes = NO_BYTES;
  readonly tailroom: number = CONTENT_TYPE_LENGTH + AEAD_TAG_LENGTH;
  sequence = 0;
  readonly key: AeadKey;
  readonly maskKey: MaskKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly mask: Bytes = new Uint8Array(MASK_SAMPLE_LENGTH);
  additionalData: Bytes = new Uint8Array(UNIFIED_HEADER_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys13) {
    this.epoch = epoch;
    this.key = crypto.aead(keys.aead, keys.key);
    this.maskKey = crypto.mask(keys.aead, keys.sequenceNumberKey);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  /** From the next record on each has `id`, which is kept. */
  useConnectionId(id: Bytes): void {
    this.connectionId = id;
    this.headroom = UNIFIED_HEADER_LENGTH + id.length;
    this.additionalData = new Uint8Array(this.headroom);
  }

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    const { connectionId, headroom } = this;
    const header = offset - headroom;
    const sequenceAt = header + 1 + connectionId.length;
    const innerLength = length + CONTENT_TYPE_LENGTH;
    const sealedLength = innerLength + AEAD_TAG_LENGTH;
    const sequence = this.sequence++;
    buffer[offset + length] = type;
    buffer[header] = unifiedHeaderByte(this.epoch, connectionId.length > 0);
    for (let i = 0; i < connectionId.length; i++) buffer[header + 1 + i] = connectionId[i]!;
    writeU16(buffer, sequenceAt, sequence);
    writeU16(buffer, sequenceAt + 2, sealedLength);
    for (let i = 0; i < headroom; i++) this.additionalData[i] = buffer[header + i]!;
    fillNonce(this.nonce, this.iv, sequence);
    this.key.seal(this.nonce, this.additionalData, buffer, offset, innerLength);
    this.maskKey.compute(buffer, offset, this.mask);
    buffer[sequenceAt]! ^= this.mask[0]!;
    buffer[sequenceAt + 1]! ^= this.mask[1]!;
    return headroom + sealedLength;
  }
}

/** The peer's writing in one epoch. */
export class ReadEpoch13 {
  readonly epoch: number;
  readonly window: ReplayWindow = new ReplayWindow();
  /** Records so far that were not authentic. */
  forged = 0;
  /** True once the peer has been asked for an epoch after this one. */
  successorAsked = false;
  /** Bytes of our connection id, in records that have one. */
  readonly idLength: number;
  /** Content type of the record opened last. It is the peer's word: any byte. */
  type = 0;
  readonly key: AeadKey;
  readonly maskKey: MaskKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly mask: Bytes = new Uint8Array(MASK_SAMPLE_LENGTH);
  /** As long as the header of the record opened last: an AEAD takes its additional data as one whole array. */
  additionalData: Bytes = new Uint8Array(UNIFIED_HEADER_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys13, idLength = 0) {
    this.epoch = epoch;
    this.idLength = idLength;
    this.key = crypto.aead(keys.aead, keys.key);
    this.maskKey = crypto.mask(keys.aead, keys.sequenceNumberKey);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  /** The sequence number of the record at `header`, unmasked; its ciphertext must have 16 bytes at least. */
  sequenceOf(data: Uint8Array, header: number): number {
    const first = data[header]!;
    this.maskKey.compute(data, header + unifiedHeaderLength(first, this.idLength), this.mask);
    const expected = this.window.highest + 1;
    const at = header + sequenceAt(first, this.idLength);
    if (sequenceLength(first) === 1) return nearestSequence(data[at]! ^ this.mask[0]!, 8, expected);
    return nearestSequence(readU16(data, at) ^ readU16(this.mask, 0), 16, expected);
  }

  /**
   * Opens, in place, the record at `header` with `length` bytes of ciphertext after its header. Call `sequenceOf` first,
   * which leaves the mask behind.
   * @returns the plaintext's length, -1 for a record that is not authentic; `type` is its content type, 0 if it has none.
   */
  open(buffer: Uint8Array, header: number, length: number, sequence: number): number {
    const first = buffer[header]!;
    const headerLength = unifiedHeaderLength(first, this.idLength);
    if (headerLength !== this.additionalData.length) this.additionalData = new Uint8Array(headerLength);
    const { additionalData } = this;
    for (let i = 0; i < headerLength; i++) additionalData[i] = buffer[header + i]!;
    const at = sequenceAt(first, this.idLength);
    for (let i = 0; i < sequenceLength(first); i++) additionalData[at + i]! ^= this.mask[i]!;
    fillNonce(this.nonce, this.iv, sequence);
    const offset = header + headerLength;
    let end = offset + this.key.open(this.nonce, additionalData, buffer, offset, length);
    if (end < offset) return -1;
    // RFC 8446 §5.4: zeros pad the record, the content type is the last byte that is not zero.
    do end--;
    while (end >= offset && buffer[end] === 0);
    this.type = end < offset ? 0 : buffer[end]!;
    return Math.max(0, end - offset);
  }
}

/** The 48 bits of the sequence number against the last bytes of the iv. */
function fillNonce(nonce: Uint8Array, iv: Uint8Array, sequence: number): void {
  let left = sequence;
  for (let i = AEAD_NONCE_LENGTH - 1; i >= AEAD_NONCE_LENGTH - 6; i--) {
    nonce[i] = iv[i]! ^ (left & 0xff);
    left = Math.floor(left / 256);
  }
}
