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
import { copyBytes, readU16, writeU16 } from '../../core/bytes.ts';
import type { AeadKey, CryptoProvider, MaskKey } from '../../crypto/provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, MASK_SAMPLE_LENGTH } from '../../crypto/provider.ts';
import type { ContentType } from './record.ts';
import { ReplayWindow } from './replay.ts';
import {
  UNIFIED_HEADER_LENGTH,
  nearestSequence,
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
  readonly headroom: number = UNIFIED_HEADER_LENGTH;
  readonly tailroom: number = CONTENT_TYPE_LENGTH + AEAD_TAG_LENGTH;
  sequence = 0;
  readonly key: AeadKey;
  readonly maskKey: MaskKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly mask: Bytes = new Uint8Array(MASK_SAMPLE_LENGTH);
  readonly additionalData: Bytes = new Uint8Array(UNIFIED_HEADER_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys13) {
    this.epoch = epoch;
    this.key = crypto.aead(keys.aead, keys.key);
    this.maskKey = crypto.mask(keys.aead, keys.sequenceNumberKey);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    const header = offset - UNIFIED_HEADER_LENGTH;
    const innerLength = length + CONTENT_TYPE_LENGTH;
    const sealedLength = innerLength + AEAD_TAG_LENGTH;
    const sequence = this.sequence++;
    buffer[offset + length] = type;
    buffer[header] = unifiedHeaderByte(this.epoch);
    writeU16(buffer, header + 1, sequence);
    writeU16(buffer, header + 3, sealedLength);
    for (let i = 0; i < UNIFIED_HEADER_LENGTH; i++) this.additionalData[i] = buffer[header + i]!;
    fillNonce(this.nonce, this.iv, sequence);
    this.key.seal(this.nonce, this.additionalData, buffer, offset, innerLength);
    this.maskKey.compute(buffer, offset, this.mask);
    buffer[header + 1]! ^= this.mask[0]!;
    buffer[header + 2]! ^= this.mask[1]!;
    return UNIFIED_HEADER_LENGTH + sealedLength;
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
  /** Content type of the record opened last. It is the peer's word: any byte. */
  type = 0;
  readonly key: AeadKey;
  readonly maskKey: MaskKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly mask: Bytes = new Uint8Array(MASK_SAMPLE_LENGTH);
  /** As long as the header of the record opened last: an AEAD takes its additional data as one whole array. */
  additionalData: Bytes = new Uint8Array(UNIFIED_HEADER_LENGTH);

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys13) {
    this.epoch = epoch;
    this.key = crypto.aead(keys.aead, keys.key);
    this.maskKey = crypto.mask(keys.aead, keys.sequenceNumberKey);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
  }

  /** The sequence number of the record at `header`, unmasked; its ciphertext must have 16 bytes at least. */
  sequenceOf(data: Uint8Array, header: number): number {
    const first = data[header]!;
    this.maskKey.compute(data, header + unifiedHeaderLength(first), this.mask);
    const expected = this.window.highest + 1;
    if (sequenceLength(first) === 1) return nearestSequence(data[header + 1]! ^ this.mask[0]!, 8, expected);
    return nearestSequence(readU16(data, header + 1) ^ readU16(this.mask, 0), 16, expected);
  }

  /**
   * Opens, in place, the record at `header` with `length` bytes of ciphertext after its header. Call `sequenceOf` first,
   * which leaves the mask behind.
   * @returns the plaintext's length, -1 for a record that is not authentic; `type` is its content type, 0 if it has none.
   */
  open(buffer: Uint8Array, header: number, length: number, sequence: number): number {
    const headerLength = unifiedHeaderLength(buffer[header]!);
    if (headerLength !== this.additionalData.length) this.additionalData = new Uint8Array(headerLength);
    const { additionalData } = this;
    for (let i = 0; i < headerLength; i++) additionalData[i] = buffer[header + i]!;
    for (let i = 0; i < sequenceLength(buffer[header]!); i++) additionalData[1 + i]! ^= this.mask[i]!;
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
