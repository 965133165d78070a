/**
 * The outgoing flight (RFC 6347 §4.2.4, RFC 9147 §5.7): the messages of one turn, kept as messages until the peer's answer
 * is complete or, in DTLS 1.3, until it has acknowledged them.
 *
 * Fragments and records are made when they are polled, packed into datagrams as full as the MTU allows. So every
 * transmission has fresh record sequence numbers, message_seq stays, and the MTU may change between two transmissions.
 * Messages of one epoch share a record as far as it reaches (RFC 6347 §4.2.3, RFC 9147 §5.5): each record costs both ends
 * a run of the AEAD, and the path its header and tag.
 *
 * Which pieces a record number has carried is remembered: an ACK takes those bytes out of every transmission to come.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES } from '../core/bytes.ts';
import { wireCopy } from '../core/slab.ts';
import { HANDSHAKE_HEADER_LENGTH, writeHandshakeHeader } from './messages/handshake.ts';
import type { Fragment, HandshakeMessage, HandshakeType } from './messages/handshake.ts';
import type { RecordNumber } from './record/ack.ts';
import { HANDSHAKE_EPOCH } from './record/epoch13.ts';
import { ContentType, MAX_PLAINTEXT_LENGTH } from './record/record.ts';
import type { WriteEpoch } from './record/write-epoch.ts';

/** RFC 5246 §7.1: the one byte of a ChangeCipherSpec. */
const CHANGE_CIPHER_SPEC = 1;

/** A piece smaller than this waits for the next datagram instead of filling the end of this one. */
const MIN_FRAGMENT = 32;

/** Pieces remembered for the ACK of their record, the newest: a dozen transmissions of a usual flight. */
const MAX_SENT_PIECES = 128;

/** Scratch space where all connections put their datagrams together, one at a time; valid within one call. */
let workspace: Bytes = NO_BYTES;

interface MessageItem {
  readonly type: 'message';
  readonly message: HandshakeMessage;
  readonly epoch: WriteEpoch;
  /** 1 for every byte of the body that the peer has acknowledged; created by the first ACK. */
  acknowledged: Uint8Array | undefined;
  /** Bytes not acknowledged; 0 of a message without a body says nothing until `done`. */
  missing: number;
  done: boolean;
}

type FlightItem = MessageItem | { readonly type: 'change-cipher-spec'; readonly epoch: WriteEpoch };

/** A piece of a message, by the number of the record that has carried it. */
interface SentPiece extends RecordNumber {
  readonly item: MessageItem;
  readonly offset: number;
  readonly length: number;
}

/** What `Dtls.inspect()` shows of a flight. */
export interface FlightInspection {
  /** RFC 6347 §4.2.4 counts flights 1 to 6; 0 before the first, 7 for a KeyUpdate. */
  readonly number: number;
  readonly messages: number;
  readonly transmissions: number;
  /** True while part of it waits to be polled. */
  readonly pending: boolean;
}

/** The flight of one end: one at a time. */
export class Flight {
  /** The RFCs' number: 1, 3, 5 from the client, 2, 4, 6 from the server; 0 before the first, 7 for a KeyUpdate. */
  number = 0;
  /** How often this flight has been sent or begun to be sent. */
  transmissions = 0;
  /** Flights begun so far. */
  begun = 0;
  /** False for an answer that is repeated only if the peer repeats its question: one that asks for a cookie. */
  awaited = true;
  /** The peer's message this flight answers; when the peer repeats it, it asks for this flight again. */
  answers: HandshakeMessage | undefined;
  #nextSeq = 0;
  #items: FlightItem[] = [];
  #sent: SentPiece[] = [];
  /** The next byte to send: item, and offset in its body. */
  #item = 0;
  #offset = 0;

  /** True while part of the current transmission has not been polled. */
  get pending(): boolean {
    return this.#item < this.#items.length;
  }

  get messages(): number {
    return this.#items.length;
  }

  /** True for the end of the message that this flight answers: its sender repeats it, for it has not got the flight. */
  isAskedForBy(fragment: Fragment): boolean {
    const { answers } = this;
    return (
      answers !== undefined &&
      fragment.type === answers.type &&
      fragment.messageSeq === answers.messageSeq &&
      fragment.offset + fragment.body.length === fragment.length
    );
  }

  /** Starts a new flight; the one before has been answered. */
  begin(number: number, answers: HandshakeMessage | undefined, awaited = true): void {
    this.clear();
    this.number = number;
    this.awaited = awaited;
    this.begun++;
    this.answers = answers;
    this.transmissions = 1;
  }

  /** Appends a message with the next message_seq, and answers it as it goes into the transcript. */
  add(type: HandshakeType, body: Bytes, epoch: WriteEpoch): HandshakeMessage {
    const message = { type, messageSeq: this.#nextSeq++, body };
    const missing = body.length;
    this.#items.push({ type: 'message', message, epoch, acknowledged: undefined, missing, done: false });
    return message;
  }

  addChangeCipherSpec(epoch: WriteEpoch): void {
    this.#items.push({ type: 'change-cipher-spec', epoch });
  }

  /** Sends the flight once more, from its start, without what has been acknowledged. */
  repeat(): void {
    this.transmissions++;
    this.#item = 0;
    this.#offset = 0;
    this.#skipAcknowledged();
  }

  /** Nothing more to send, nothing kept. */
  clear(): void {
    this.#items = [];
    this.#sent = [];
    this.#item = 0;
    this.#offset = 0;
  }

  /**
   * Takes one number of an ACK (RFC 9147 §7.2).
   * @returns `progress` if it has acknowledged something new, `complete` if that was the last of the flight.
   */
  acknowledge(number: RecordNumber): 'nothing' | 'progress' | 'complete' {
    let isNews = false;
    for (const piece of this.#sent) {
      if (piece.epoch !== number.epoch || piece.sequence !== number.sequence) continue;
      if (markAcknowledged(piece)) isNews = true;
    }
    if (!isNews) return 'nothing';
    if (number.epoch >= HANDSHAKE_EPOCH) this.#markHellos();
    const isComplete = this.#items.every((item) => item.type === 'message' && item.done);
    this.#skipAcknowledged();
    return isComplete ? 'complete' : 'progress';
  }

  /** Plain and JSON-safe. */
  inspect(): FlightInspection {
    const { number, messages, transmissions, pending } = this;
    return { number, messages, transmissions, pending };
  }

  /** The next datagram of at most `mtu` bytes, `undefined` when all has been sent. */
  poll(mtu: number): Bytes | undefined {
    if (!this.pending) return undefined;
    if (workspace.length < mtu) workspace = new Uint8Array(mtu);
    const datagram = workspace.subarray(0, mtu);
    let at = 0;
    for (let item = this.#items[this.#item]; item !== undefined; item = this.#items[this.#item]) {
      const written =
        item.type === 'message'
          ? this.#writeMessages(datagram, at, item.epoch)
          : this.#writeChangeCipherSpec(datagram, at, item.epoch);
      if (written === 0) break;
      at += written;
    }
    return wireCopy(datagram, 0, at);
  }

  #writeChangeCipherSpec(datagram: Bytes, at: number, epoch: WriteEpoch): number {
    const body = at + epoch.headroom;
    if (body + 1 + epoch.tailroom > datagram.length) return 0;
    datagram[body] = CHANGE_CIPHER_SPEC;
    this.#item++;
    return epoch.seal(ContentType.changeCipherSpec, datagram, body, 1);
  }

  /** One record of as many messages as there are in `epoch` and room is for. */
  #writeMessages(datagram: Bytes, at: number, epoch: WriteEpoch): number {
    const start = at + epoch.headroom;
    const limit = Math.min(datagram.length - epoch.tailroom, start + MAX_PLAINTEXT_LENGTH);
    let end = start;
    for (let item = this.#items[this.#item]; item?.type === 'message'; item = this.#items[this.#item]) {
      const written = item.epoch === epoch ? this.#writeFragment(datagram, end, limit, item) : 0;
      if (written === 0) break;
      end += written;
    }
    return end === start ? 0 : epoch.seal(ContentType.handshake, datagram, start, end - start);
  }

  #writeFragment(datagram: Bytes, at: number, limit: number, item: MessageItem): number {
    const { message, epoch } = item;
    const { type, messageSeq, body } = message;
    const bodyAt = at + HANDSHAKE_HEADER_LENGTH;
    const room = limit - bodyAt;
    const offset = this.#offset;
    const missing = endOfMissing(item, offset) - offset;
    if (room < Math.min(missing, MIN_FRAGMENT)) return 0;
    const length = Math.min(room, missing);
    writeHandshakeHeader(datagram, at, type, body.length, messageSeq, offset, length);
    datagram.set(length === body.length ? body : body.subarray(offset, offset + length), bodyAt);
    this.#remember({ epoch: epoch.epoch, sequence: epoch.sequence, item, offset, length });
    this.#offset += length;
    if (this.#offset === body.length) this.#nextItem();
    this.#skipAcknowledged();
    return HANDSHAKE_HEADER_LENGTH + length;
  }

  #remember(piece: SentPiece): void {
    this.#sent.push(piece);
    if (this.#sent.length > MAX_SENT_PIECES) this.#sent.shift();
  }

  /** Whoever acknowledges what is protected has its keys, and so the hello before it, which nobody acknowledges. */
  #markHellos(): void {
    for (const item of this.#items) {
      if (item.type !== 'message' || item.epoch.epoch > 0) continue;
      item.missing = 0;
      item.done = true;
    }
  }

  #nextItem(): void {
    this.#item++;
    this.#offset = 0;
  }

  /** Moves on to the next byte that the peer does not have. */
  #skipAcknowledged(): void {
    for (let item = this.#items[this.#item]; item?.type === 'message'; item = this.#items[this.#item]) {
      if (!item.done) {
        while (item.acknowledged?.[this.#offset] === 1) this.#offset++;
        if (item.missing === 0 || this.#offset < item.message.body.length) return;
      }
      this.#nextItem();
    }
  }
}

/** Where the bytes still missing from `offset` on end. */
function endOfMissing(item: MessageItem, offset: number): number {
  const { acknowledged, message } = item;
  const end = acknowledged?.indexOf(1, offset) ?? -1;
  return end < 0 ? message.body.length : end;
}

/** False if all of the piece had been acknowledged before. */
function markAcknowledged({ item, offset, length }: SentPiece): boolean {
  if (item.done) return false;
  item.acknowledged ??= new Uint8Array(item.message.body.length);
  let fresh = 0;
  for (let at = offset; at < offset + length; at++) {
    if (item.acknowledged[at] === 1) continue;
    item.acknowledged[at] = 1;
    fresh++;
  }
  item.missing -= fresh;
  item.done = item.missing === 0;
  return item.done || fresh > 0;
}
