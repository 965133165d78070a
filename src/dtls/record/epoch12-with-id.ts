/**
 * The protected epoch of DTLS 1.2 in a direction with a connection id (RFC 9146 §4, §5). The type in the header is always
 * tls12_cid; the true one stands behind the plaintext, as in DTLS 1.3:
 *
 *     25 │ version 2 │ epoch 2 │ sequence 6 │ id │ length 2 │ explicit nonce, GCM alone │ sealed: plaintext, type 1, zeros │ tag
 *
 * Nonces, sequence numbers and the replay window are those of epoch12.ts; the additional data is another (§5.3):
 *
 *     ff × 8 │ 25 │ id's length 1 │ 25 │ version 2 │ epoch 2 │ sequence 6 │ id │ length of what is sealed, without the tag 2
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, writeU16, writeU48 } from '../../core/bytes.ts';
import type { AeadKey, CryptoProvider } from '../../crypto/provider.ts';
import { AEAD_TAG_LENGTH } from '../../crypto/provider.ts';
import type { ReadEpoch12 } from './epoch12.ts';
import { COUNTER_AT, explicitNonceLength, fillNonce12 } from './epoch12.ts';
import { CONNECTION_ID_AT, ContentType, DTLS_1_2, RECORD_HEADER_LENGTH, TLS12_CID } from './record.ts';
import { ReplayWindow } from './replay.ts';
import type { TrafficKeys, WriteEpoch } from './write-epoch.ts';

const CONTENT_TYPE_LENGTH = 1;
const PLACEHOLDER_LENGTH = 8;
/** Where the copy of the header's beginning stands in the additional data: after placeholder, type and the id's length. */
const HEADER_COPY_AT = PLACEHOLDER_LENGTH + 2;

/** Our writing in epoch 1, to a peer that wants `connectionId` in it. */
export class WriteEpoch12WithId implements WriteEpoch {
  readonly epoch: number;
  readonly headroom: number;
  readonly tailroom: number = CONTENT_TYPE_LENGTH + AEAD_TAG_LENGTH;
  sequence = 0;
  readonly explicitLength: number;
  readonly connectionId: Bytes;
  readonly key: AeadKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly additionalData: Bytes;

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys, connectionId: Uint8Array) {
    this.epoch = epoch;
    this.explicitLength = explicitNonceLength(keys.aead);
    this.connectionId = copyBytes(connectionId);
    this.headroom = RECORD_HEADER_LENGTH + connectionId.length + this.explicitLength;
    this.key = crypto.aead(keys.aead, keys.key);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
    this.additionalData = additionalDataFor(connectionId);
  }

  seal(type: ContentType, buffer: Uint8Array, offset: number, length: number): number {
    const header = offset - this.headroom;
    const lengthAt = header + CONNECTION_ID_AT + this.connectionId.length;
    const innerLength = length + CONTENT_TYPE_LENGTH;
    const fragmentLength = this.explicitLength + innerLength + AEAD_TAG_LENGTH;
    buffer[offset + length] = type;
    buffer[header] = TLS12_CID;
    writeU16(buffer, header + 1, DTLS_1_2);
    writeU16(buffer, header + 3, this.epoch);
    writeU48(buffer, header + 5, this.sequence++);
    buffer.set(this.connectionId, header + CONNECTION_ID_AT);
    writeU16(buffer, lengthAt, fragmentLength);
    const counterAt = header + COUNTER_AT;
    buffer.copyWithin(lengthAt + 2, counterAt, counterAt + this.explicitLength);
    fillNonce12(this.nonce, this.iv, buffer, counterAt);
    fillAdditionalData(this.additionalData, buffer, header, lengthAt, innerLength);
    this.key.seal(this.nonce, this.additionalData, buffer, offset, innerLength);
    return RECORD_HEADER_LENGTH + this.connectionId.length + fragmentLength;
  }
}

/** The peer's writing in epoch 1, with the id that we have asked for. */
export class ReadEpoch12WithId implements ReadEpoch12 {
  readonly epoch: number;
  readonly headroom: number;
  readonly window: ReplayWindow = new ReplayWindow();
  readonly isWithId = true;
  forged = 0;
  type = 0;
  readonly explicitLength: number;
  readonly idLength: number;
  readonly key: AeadKey;
  readonly iv: Bytes;
  readonly nonce: Bytes;
  readonly additionalData: Bytes;

  constructor(crypto: CryptoProvider, epoch: number, keys: TrafficKeys, connectionId: Uint8Array) {
    this.epoch = epoch;
    this.explicitLength = explicitNonceLength(keys.aead);
    this.idLength = connectionId.length;
    this.headroom = RECORD_HEADER_LENGTH + connectionId.length + this.explicitLength;
    this.key = crypto.aead(keys.aead, keys.key);
    this.iv = copyBytes(keys.iv);
    this.nonce = copyBytes(keys.iv);
    this.additionalData = additionalDataFor(connectionId);
  }

  /** The id is known to be ours. */
  open(buffer: Uint8Array, header: number, fragmentLength: number): number {
    const innerLength = fragmentLength - this.explicitLength - AEAD_TAG_LENGTH;
    if (innerLength < CONTENT_TYPE_LENGTH) return -1;
    const lengthAt = header + CONNECTION_ID_AT + this.idLength;
    const counterAt = this.explicitLength === 0 ? header + COUNTER_AT : lengthAt + 2;
    fillNonce12(this.nonce, this.iv, buffer, counterAt);
    fillAdditionalData(this.additionalData, buffer, header, lengthAt, innerLength);
    const offset = header + this.headroom;
    const sealed = innerLength + AEAD_TAG_LENGTH;
    let end = offset + this.key.open(this.nonce, this.additionalData, buffer, offset, sealed);
    if (end < offset) return -1;
    // §4: zeros pad the record, the content type is the last byte that is not zero.
    do end--;
    while (end >= offset && buffer[end] === 0);
    this.type = end < offset ? 0 : buffer[end]!;
    return Math.max(0, end - offset);
  }
}

/** What is the same in every record's, in its place. */
function additionalDataFor(connectionId: Uint8Array): Bytes {
  const data = new Uint8Array(HEADER_COPY_AT + RECORD_HEADER_LENGTH + connectionId.length);
  data.fill(0xff, 0, PLACEHOLDER_LENGTH);
  data[PLACEHOLDER_LENGTH] = TLS12_CID;
  data[PLACEHOLDER_LENGTH + 1] = connectionId.length;
  return data;
}

/** The rest: the header up to the end of the id, and the length of the plaintext with all that is sealed beside it. */
function fillAdditionalData(
  target: Uint8Array,
  record: Uint8Array,
  header: number,
  lengthAt: number,
  innerLength: number,
): void {
  for (let at = header; at < lengthAt; at++) target[HEADER_COPY_AT + at - header] = record[at]!;
  writeU16(target, HEADER_COPY_AT + lengthAt - header, innerLength);
}
