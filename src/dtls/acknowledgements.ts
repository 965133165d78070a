/**
 * The acknowledgements we owe (RFC 9147 §7): the numbers of the records that have brought handshake messages, until they
 * are acknowledged, or the answer that says as much is begun.
 */
import type { Bytes } from '../core/bytes.ts';
import type { RecordNumber } from './messages/ack.ts';
import { RECORD_NUMBER_LENGTH, encodeAck } from './messages/ack.ts';

/** Record numbers remembered, the newest: what is forgotten is sent again. */
const MAX_NUMBERS = 32;
/** What an ACK record has around its numbers: header, length, content type, tag. */
const OVERHEAD = 24;

export class Acknowledgements {
  /** True once an ACK should go out with the next poll. */
  due = false;
  #numbers: RecordNumber[] = [];

  get size(): number {
    return this.#numbers.length;
  }

  /** A record has been taken. */
  add(epoch: number, sequence: number): void {
    if (this.#numbers.some((number) => number.epoch === epoch && number.sequence === sequence)) return;
    this.#numbers.push({ epoch, sequence });
    if (this.#numbers.length > MAX_NUMBERS) this.#numbers.shift();
  }

  /** The body of an ACK that fits a datagram of `mtu` bytes, sorted as §7 asks; it is no longer due. */
  take(mtu: number): Bytes | undefined {
    if (!this.due) return undefined;
    this.due = false;
    const room = Math.floor((mtu - OVERHEAD) / RECORD_NUMBER_LENGTH);
    const numbers = this.#numbers.slice(-room);
    numbers.sort((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
    return numbers.length === 0 ? undefined : encodeAck(numbers);
  }

  /** The peer need not be told: our answer tells it. */
  clear(): void {
    this.due = false;
    this.#numbers = [];
  }
}
