/**
 * RecordReader: records out of datagrams, split, checked and opened. It is a cursor that the connection drives:
 *
 *     reader.load(datagram)
 *     while (reader.next()) … reader.type, reader.epoch, reader.body …
 *     reader.finish()
 *
 * `next` passes over everything that is malformed, forged, replayed or of an impossible epoch, and counts it; a bad
 * record does not spoil the good ones beside it. Protected records that come before their keys are held, within a
 * bound, and come out of `load` + `next` like a datagram once `takeHeld` has handed them back.
 *
 * The datagram is the caller's and never written to: protected records are opened in a single copy of it. One that is given
 * away is opened where it lies.
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, copyBytes, readU16, readU48 } from '../../core/bytes.ts';
import { briefCopy } from '../../core/slab.ts';
import { AEAD_TAG_LENGTH, MASK_SAMPLE_LENGTH } from '../../crypto/provider.ts';
import type { DtlsCounters } from '../counting.ts';
import type { DtlsLimits } from '../options.ts';
import type { ReadEpoch12 } from './epoch12.ts';
import type { ReadEpoch13 } from './epoch13.ts';
import { APPLICATION_EPOCH } from './epoch13.ts';
import type { Epochs } from './epochs.ts';
import {
  ContentType,
  CONNECTION_ID_AT,
  INVALID_CONTENT_TYPE,
  MAX_CIPHERTEXT_LENGTH,
  MAX_PLAINTEXT_LENGTH,
  OVERSIZED,
  RECORD_HEADER_LENGTH,
  TLS12_CID,
  isContentType,
  isRecordHeader,
  recordEpoch,
} from './record.ts';
import {
  ciphertextLength,
  epochBits,
  hasConnectionId,
  isUnifiedHeader,
  unifiedHeaderLength,
} from './unified-header.ts';

/** Datagrams up to this length are opened in short-lived memory; of longer ones the layers above keep views, not copies. */
const BRIEF = 512;

/** Instead of a record's length: what is no record, and a record with an id that is not ours. Neither has one to go on from. */
const NO_RECORD = -1;
const NOT_OURS = -2;

/** The records of one association, one current at a time. */
export class RecordReader {
  /** The current record's content type. The last two stand for protected records alone. */
  type: ContentType | typeof INVALID_CONTENT_TYPE | typeof OVERSIZED = ContentType.handshake;
  epoch = 0;
  /** The current record's sequence number. */
  sequence = 0;
  /** The current record's plaintext, valid until `next`. */
  body: Uint8Array = NO_BYTES;
  /** The same of a protected record, empty for others: nobody else holds these bytes. Whoever keeps them for long copies them. */
  opened: Bytes = NO_BYTES;
  /** True from the first protected record on that was not authentic. */
  hasForgeries = false;

  readonly #epochs: Epochs;
  readonly #limits: DtlsLimits;
  readonly #counters: DtlsCounters;
  #datagram: Uint8Array = NO_BYTES;
  #at = 0;
  /** Where protected records are opened: a copy of the datagram, made for the first of them, or the datagram itself. */
  #copy: Bytes | undefined;
  #held: Bytes[] = [];
  #heldBytes = 0;

  constructor(epochs: Epochs, limits: DtlsLimits, counters: DtlsCounters) {
    this.#epochs = epochs;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Records held because their keys have not come. */
  get held(): number {
    return this.#held.length;
  }

  /** @param owned the datagram is given away, and opened where it lies */
  load(datagram: Uint8Array, owned = false): void {
    this.#datagram = datagram;
    this.#at = 0;
    this.#copy = owned ? plainView(datagram) : undefined;
  }

  /** Moves to the next usable record; false at the datagram's end. */
  next(): boolean {
    while (this.#at < this.#datagram.length) {
      const header = this.#at;
      const isUnified = isUnifiedHeader(this.#datagram[header]!);
      const length = isUnified ? this.#unifiedLength(header) : this.#classicLength(header);
      if (length < 0 || header + length > this.#datagram.length) {
        this.#counters.add(length === NOT_OURS ? 'recordsUnknownConnectionId' : 'recordsMalformed');
        break;
      }
      this.#at = header + length;
      if (isUnified ? this.#readUnified(header, length) : this.#read(header, length)) return true;
    }
    this.finish();
    return false;
  }

  /** Lets go of the caller's datagram. */
  finish(): void {
    this.load(NO_BYTES);
  }

  /** The records held, oldest first; they are no longer held. */
  takeHeld(): readonly Bytes[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** The whole length of the record at `header`, by its own word. */
  #classicLength(header: number): number {
    if (this.#datagram.length - header < RECORD_HEADER_LENGTH) return NO_RECORD;
    if (!isRecordHeader(this.#datagram, header)) return NO_RECORD;
    const headerLength = this.#classicHeaderLength(header);
    if (headerLength > RECORD_HEADER_LENGTH) {
      if (!this.#isOurId(header + CONNECTION_ID_AT)) return NOT_OURS;
      if (this.#datagram.length - header < headerLength) return NO_RECORD;
    }
    return headerLength + readU16(this.#datagram, header + headerLength - 2);
  }

  #classicHeaderLength(header: number): number {
    return RECORD_HEADER_LENGTH + (this.#datagram[header] === TLS12_CID ? this.#idLength() : 0);
  }

  /** RFC 9147 §4: what was not negotiated has no length; of an id that is not ours the rest of the datagram is not ours either. */
  #unifiedLength(header: number): number {
    const first = this.#datagram[header]!;
    const idLength = hasConnectionId(first) ? this.#idLength() : 0;
    if (hasConnectionId(first) && (idLength === 0 || !this.#isOurId(header + 1))) return NOT_OURS;
    const headerLength = unifiedHeaderLength(first, idLength);
    if (this.#datagram.length - header < headerLength) return NO_RECORD;
    return headerLength + ciphertextLength(this.#datagram, header, idLength);
  }

  #idLength(): number {
    return this.#epochs.connectionId?.length ?? 0;
  }

  #isOurId(at: number): boolean {
    const id = this.#epochs.connectionId ?? NO_BYTES;
    for (let i = 0; i < id.length; i++) if (this.#datagram[at + i] !== id[i]) return false;
    return true;
  }

  /** @param size the whole record's */
  #read(header: number, size: number): boolean {
    const epoch = recordEpoch(this.#datagram, header);
    const length = size - this.#classicHeaderLength(header);
    if (epoch === 0) return this.#readPlaintext(header, length);
    if (length > MAX_CIPHERTEXT_LENGTH) {
      this.#counters.add('recordsOversized');
      return false;
    }
    const { read12, read13 } = this.#epochs;
    if (read12 !== undefined && epoch === read12.epoch) {
      // RFC 9146 §3: where an id is expected, a record without one is invalid.
      if (!read12.isWithId || this.#datagram[header] === TLS12_CID)
        return this.#readProtected(read12, header, length);
      this.#counters.add('recordsWithoutConnectionId');
      return false;
    }
    if (read12 === undefined && read13.length === 0 && epoch === 1) {
      this.#hold(header, size);
    } else {
      this.#counters.add('recordsWrongEpoch');
    }
    return false;
  }

  #readPlaintext(header: number, length: number): boolean {
    if (!isContentType(this.#datagram[header]!)) {
      this.#counters.add('recordsUnknownType');
      return false;
    }
    if (length > MAX_PLAINTEXT_LENGTH) {
      this.#counters.add('recordsOversized');
      return false;
    }
    this.#presentHeader(this.#datagram[header], 0, readU48(this.#datagram, header + 5));
    const bodyAt = header + RECORD_HEADER_LENGTH;
    this.body = this.#datagram.subarray(bodyAt, bodyAt + length);
    this.opened = NO_BYTES;
    return true;
  }

  /** RFC 6347 §4.1.2.6: the window refuses a replay before the AEAD is run, and only an authentic record moves it. */
  #readProtected(read: ReadEpoch12, header: number, length: number): boolean {
    const sequence = readU48(this.#datagram, header + 5);
    if (!read.window.isFresh(sequence)) {
      this.#counters.add('recordsReplayed');
      return false;
    }
    this.#copy ??= this.#copied();
    const plaintextLength = read.open(this.#copy, header, length);
    if (plaintextLength < 0) {
      this.#counters.add('recordsForged');
      this.hasForgeries = true;
      read.forged++;
      return false;
    }
    read.window.accept(sequence);
    this.#presentHeader(read.type, read.epoch, sequence);
    // RFC 9146 §4: with an id the padding counts, and the content type is one byte more.
    const isOversized = read.isWithId
      ? length - (read.headroom - this.#classicHeaderLength(header)) - AEAD_TAG_LENGTH >
        MAX_PLAINTEXT_LENGTH + 1
      : plaintextLength > MAX_PLAINTEXT_LENGTH;
    if (isOversized) this.type = OVERSIZED;
    this.#presentOpened(this.#copy, header + read.headroom, plaintextLength);
    return true;
  }

  #readUnified(header: number, length: number): boolean {
    const first = this.#datagram[header]!;
    const headerLength = unifiedHeaderLength(first, this.#idLength());
    if (length - headerLength > MAX_CIPHERTEXT_LENGTH) {
      this.#counters.add('recordsOversized');
      return false;
    }
    // RFC 9147 §4.2.3: less cannot be a record, and leaves nothing to sample.
    if (length - headerLength < MASK_SAMPLE_LENGTH) {
      this.#counters.add('recordsMalformed');
      return false;
    }
    const bits = epochBits(first);
    const read = this.#epochs.read13.find(({ epoch }) => (epoch & 3) === bits);
    if (read !== undefined) return this.#open13(read, header, length - headerLength);
    if (this.#mayComeLater(bits)) this.#hold(header, length);
    else this.#counters.add('recordsWrongEpoch');
    return false;
  }

  /** True for the epochs whose keys the handshake has still to bring. */
  #mayComeLater(bits: number): boolean {
    const { read12, read13 } = this.#epochs;
    const newest = read13[0];
    if (newest === undefined) return read12 === undefined && bits >= 2;
    return newest.epoch < APPLICATION_EPOCH && bits === APPLICATION_EPOCH;
  }

  #open13(read: ReadEpoch13, header: number, length: number): boolean {
    const sequence = read.sequenceOf(this.#datagram, header);
    if (!read.window.isFresh(sequence)) {
      this.#counters.add('recordsReplayed');
      return false;
    }
    this.#copy ??= this.#copied();
    const plaintextLength = read.open(this.#copy, header, length, sequence);
    if (plaintextLength < 0) {
      this.#counters.add('recordsForged');
      this.hasForgeries = true;
      this.#countForgery(read);
      return false;
    }
    read.window.accept(sequence);
    // RFC 8446 §5.4: padding counts, and the content type is one byte more.
    const isOversized = length - AEAD_TAG_LENGTH > MAX_PLAINTEXT_LENGTH + 1;
    this.type = isOversized ? OVERSIZED : isContentType(read.type) ? read.type : INVALID_CONTENT_TYPE;
    this.epoch = read.epoch;
    this.sequence = sequence;
    this.#presentOpened(
      this.#copy,
      header + unifiedHeaderLength(this.#copy[header]!, read.idLength),
      plaintextLength,
    );
    return true;
  }

  /** RFC 9147 §4.5.3: keys that have a successor are not needed any more. Those in use are the connection's to judge. */
  #countForgery(read: ReadEpoch13): void {
    read.forged++;
    const { read13 } = this.#epochs;
    if (read.forged >= this.#limits.forgeriesPerKey && read !== read13[0]) {
      this.#epochs.read13 = read13.filter((other) => other !== read);
    }
  }

  #copied(): Bytes {
    return this.#datagram.length <= BRIEF ? briefCopy(this.#datagram) : copyBytes(this.#datagram);
  }

  #presentHeader(type: number, epoch: number, sequence: number): void {
    this.type = isContentType(type) ? type : INVALID_CONTENT_TYPE;
    this.epoch = epoch;
    this.sequence = sequence;
  }

  #presentOpened(copy: Bytes, at: number, length: number): void {
    this.opened = copy.subarray(at, at + length);
    this.body = this.opened;
  }

  #hold(header: number, size: number): void {
    if (this.#held.length >= this.#limits.earlyRecords || this.#heldBytes + size > this.#limits.earlyBytes) {
      this.#counters.add('recordsHeldDropped');
      return;
    }
    this.#held.push(copyBytes(this.#datagram, header, header + size));
    this.#heldBytes += size;
  }
}

/** The same memory as a plain array: hosts give subclasses of it. Shared memory is nobody's own: it is copied. */
function plainView(datagram: Uint8Array): Bytes | undefined {
  const { buffer, byteOffset, length } = datagram;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : undefined;
}
