/**
 * The outgoing flight (RFC 6347 §4.2.4): the messages of one turn, kept as messages until the peer's answer is complete.
 *
 * Fragments and records are made when they are polled, packed into datagrams as full as the MTU allows. So every
 * transmission has fresh record sequence numbers, message_seq stays, and the MTU may change between two transmissions.
 */
import type { Bytes } from '../core/bytes.ts';
import type { WriteEpoch } from './epoch.ts';
import { HANDSHAKE_HEADER_LENGTH, writeHandshakeHeader } from './messages/handshake.ts';
import type { HandshakeMessage, HandshakeType } from './messages/handshake.ts';
import { ContentType } from './record.ts';

/** RFC 5246 §7.1: the one byte of a ChangeCipherSpec. */
const CHANGE_CIPHER_SPEC = 1;

/** A piece smaller than this waits for the next datagram instead of filling the end of this one. */
const MIN_FRAGMENT = 32;

type FlightItem =
  | { readonly type: 'message'; readonly message: HandshakeMessage; readonly epoch: WriteEpoch }
  | { readonly type: 'change-cipher-spec'; readonly epoch: WriteEpoch };

export class Flight {
  /** The RFC's number: 1, 3, 5 from the client, 4, 6 from the server; 0 before the first. */
  number = 0;
  /** How often this flight has been sent or begun to be sent. */
  transmissions = 0;
  /** Flights begun so far. */
  begun = 0;
  /** The peer's message this flight answers; when the peer repeats it, it asks for this flight again. */
  answers: HandshakeMessage | undefined;
  #nextSeq = 0;
  #items: FlightItem[] = [];
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

  /** Starts a new flight; the one before has been answered. */
  begin(number: number, answers: HandshakeMessage | undefined): void {
    this.number = number;
    this.begun++;
    this.answers = answers;
    this.transmissions = 1;
    this.#items = [];
    this.#item = 0;
    this.#offset = 0;
  }

  /** Appends a message with the next message_seq, and answers it as it goes into the transcript. */
  add(type: HandshakeType, body: Bytes, epoch: WriteEpoch): HandshakeMessage {
    const message = { type, messageSeq: this.#nextSeq++, body };
    this.#items.push({ type: 'message', message, epoch });
    return message;
  }

  addChangeCipherSpec(epoch: WriteEpoch): void {
    this.#items.push({ type: 'change-cipher-spec', epoch });
  }

  /** Sends the flight once more, from its start. */
  repeat(): void {
    this.transmissions++;
    this.#item = 0;
    this.#offset = 0;
  }

  /** Nothing more to send, nothing kept. */
  clear(): void {
    this.#items = [];
    this.#item = 0;
    this.#offset = 0;
  }

  /** The next datagram of at most `mtu` bytes, `undefined` when all has been sent. */
  poll(mtu: number): Bytes | undefined {
    if (!this.pending) return undefined;
    const datagram = new Uint8Array(mtu);
    let at = 0;
    for (let item = this.#items[this.#item]; item !== undefined; item = this.#items[this.#item]) {
      const written =
        item.type === 'message'
          ? this.#writeFragment(datagram, at, item.message, item.epoch)
          : this.#writeChangeCipherSpec(datagram, at, item.epoch);
      if (written === 0) break;
      at += written;
    }
    return datagram.slice(0, at);
  }

  #writeChangeCipherSpec(datagram: Bytes, at: number, epoch: WriteEpoch): number {
    const body = at + epoch.headroom;
    if (body + 1 + epoch.tailroom > datagram.length) return 0;
    datagram[body] = CHANGE_CIPHER_SPEC;
    this.#item++;
    return epoch.seal(ContentType.changeCipherSpec, datagram, body, 1);
  }

  #writeFragment(datagram: Bytes, at: number, message: HandshakeMessage, epoch: WriteEpoch): number {
    const header = at + epoch.headroom;
    const body = header + HANDSHAKE_HEADER_LENGTH;
    const room = datagram.length - body - epoch.tailroom;
    const missing = message.body.length - this.#offset;
    if (room < Math.min(missing, MIN_FRAGMENT)) return 0;
    const length = Math.min(room, missing);
    writeHandshakeHeader(
      datagram,
      header,
      message.type,
      message.body.length,
      message.messageSeq,
      this.#offset,
      length,
    );
    datagram.set(message.body.subarray(this.#offset, this.#offset + length), body);
    this.#offset += length;
    if (this.#offset === message.body.length) {
      this.#item++;
      this.#offset = 0;
    }
    return epoch.seal(ContentType.handshake, datagram, header, HANDSHAKE_HEADER_LENGTH + length);
  }
}
