/**
 * Records out of datagrams: split, check, open. A cursor that the connection drives:
 *
 *     reader.load(datagram)
 *     while (reader.next()) … reader.type, reader.epoch, reader.body …
 *     reader.finish()
 *
 * `next` passes over everything that is malformed, forged, replayed or of an impossible epoch, and counts it; a bad
 * record does not spoil the good ones beside it. Records of epoch 1 that come before their keys are held, within a
 * bound, and come out of `load` + `next` like a datagram once `takeHeld` has handed them back.
 *
 * The datagram is the caller's and never written to: protected records are opened in one copy of it.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes, readU48 } from '../core/bytes.ts';
import type { DtlsCounters } from './counting.ts';
import type { Epochs, GcmReadEpoch } from './epoch.ts';
import type { DtlsLimits } from './options.ts';
import {
  ContentType,
  DTLS_HEADROOM,
  MAX_FRAGMENT_LENGTH,
  MAX_PLAINTEXT_LENGTH,
  RECORD_HEADER_LENGTH,
  isRecordHeader,
  recordEpoch,
  recordFragmentLength,
} from './record.ts';

export class RecordReader {
  /** Of the current record. */
  type: ContentType = ContentType.handshake;
  epoch = 0;
  /** The current record's sequence number. */
  sequence = 0;
  /** The current record's plaintext, valid until `next`. */
  body: Uint8Array = NO_BYTES;
  /** The same for a protected record, empty for others: memory nobody else has, to keep or hand on. */
  opened: Bytes = NO_BYTES;

  readonly #epochs: Epochs;
  readonly #limits: DtlsLimits;
  readonly #counters: DtlsCounters;
  #datagram: Uint8Array = NO_BYTES;
  #at = 0;
  /** A copy of the datagram, made for its first protected record. */
  #copy: Bytes | undefined;
  #held: Bytes[] = [];
  #heldBytes = 0;

  constructor(epochs: Epochs, limits: DtlsLimits, counters: DtlsCounters) {
    this.#epochs = epochs;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Records held for the lack of keys. */
  get held(): number {
    return this.#held.length;
  }

  load(datagram: Uint8Array): void {
    this.#datagram = datagram;
    this.#at = 0;
    this.#copy = undefined;
  }

  /** Moves to the next usable record; false at the datagram's end. */
  next(): boolean {
    while (this.#at < this.#datagram.length) {
      const header = this.#at;
      const left = this.#datagram.length - header;
      const length = left < RECORD_HEADER_LENGTH ? 0 : recordFragmentLength(this.#datagram, header);
      if (left < RECORD_HEADER_LENGTH + length || !isRecordHeader(this.#datagram, header)) {
        // What is no record has no length to go on from.
        this.#counters.add('recordsMalformed');
        break;
      }
      this.#at = header + RECORD_HEADER_LENGTH + length;
      if (this.#read(header, length)) return true;
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

  #read(header: number, length: number): boolean {
    const epoch = recordEpoch(this.#datagram, header);
    if (epoch === 0) return this.#readPlaintext(header, length);
    if (length > MAX_FRAGMENT_LENGTH) {
      this.#counters.add('recordsOversized');
      return false;
    }
    const read = this.#epochs.read;
    if (read !== undefined && epoch === read.epoch) return this.#readProtected(read, header, length);
    if (read === undefined && epoch === 1) this.#hold(header, length);
    else this.#counters.add('recordsWrongEpoch');
    return false;
  }

  #readPlaintext(header: number, length: number): boolean {
    if (length > MAX_PLAINTEXT_LENGTH) {
      this.#counters.add('recordsOversized');
      return false;
    }
    this.#present(this.#datagram, header, 0);
    const bodyAt = header + RECORD_HEADER_LENGTH;
    this.body = this.#datagram.subarray(bodyAt, bodyAt + length);
    this.opened = NO_BYTES;
    return true;
  }

  /** RFC 6347 §4.1.2.6: the window refuses a replay before the AEAD is run, and only an authentic record moves it. */
  #readProtected(read: GcmReadEpoch, header: number, length: number): boolean {
    const sequence = readU48(this.#datagram, header + 5);
    if (!read.window.isFresh(sequence)) {
      this.#counters.add('recordsReplayed');
      return false;
    }
    this.#copy ??= copyBytes(this.#datagram);
    const plaintextLength = read.open(this.#copy, header, length);
    if (plaintextLength < 0) {
      this.#counters.add('recordsForged');
      return false;
    }
    read.window.accept(sequence);
    this.#present(this.#copy, header, read.epoch);
    const bodyAt = header + DTLS_HEADROOM;
    this.opened = this.#copy.subarray(bodyAt, bodyAt + plaintextLength);
    this.body = this.opened;
    return true;
  }

  #present(buffer: Uint8Array, header: number, epoch: number): void {
    // One of the four: `isRecordHeader` has looked.
    this.type = buffer[header] as ContentType;
    this.epoch = epoch;
    this.sequence = readU48(buffer, header + 5);
  }

  #hold(header: number, length: number): void {
    const size = RECORD_HEADER_LENGTH + length;
    if (this.#held.length >= this.#limits.earlyRecords || this.#heldBytes + size > this.#limits.earlyBytes) {
      this.#counters.add('recordsHeldDropped');
      return;
    }
    this.#held.push(copyBytes(this.#datagram, header, header + size));
    this.#heldBytes += size;
  }
}
