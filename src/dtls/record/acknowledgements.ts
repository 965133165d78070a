/**
 * The acknowledgements we owe (RFC 9147 §7): the numbers of the records that have brought handshake messages, until they
 * are acknowledged, or the answer that says as much is begun.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { RecordNumber } from './ack.ts';
import { RECORD_NUMBER_LENGTH, encodeAck } from './ack.ts';
import { ContentType } from './record.ts';
import type { WriteEpoch } from './write-epoch.ts';
import { sealCopy } from './write-epoch.ts';

/** Record numbers remembered, the newest: what is forgotten is sent again. */
const MAX_NUMBERS = 32;
/** What an ACK record has around its numbers: header, length, content type, tag. */
const OVERHEAD = 24;

/** The records of the peer that we have to acknowledge. */
export class Acknowledgements {
  /** True once an ACK should go out with the next poll. */
  due = false;
  #numbers: RecordNumber[] = [];

  /** True while `poll` has an ACK, once there are keys. */
  get isDue(): boolean {
    return this.due && this.#numbers.length > 0;
  }

  get size(): number {
    return this.#numbers.length;
  }

  /** A record has been taken. */
  add(epoch: number, sequence: number): void {
    if (this.#numbers.some((number) => number.epoch === epoch && number.sequence === sequence)) return;
    this.#numbers.push({ epoch, sequence });
    if (this.#numbers.length > MAX_NUMBERS) this.#numbers.shift();
  }

  /**
   * The record of an ACK that is due, of at most `mtu` bytes, its numbers sorted as §7 asks.
   * @param isLast forgets the numbers: they will not be said again
   */
  poll(write: WriteEpoch | undefined, mtu: number, isLast: boolean): Bytes | undefined {
    if (write === undefined || !this.due) return undefined;
    this.due = false;
    const room = Math.floor((mtu - OVERHEAD) / RECORD_NUMBER_LENGTH);
    const numbers = this.#numbers.slice(-room);
    if (numbers.length === 0) return undefined;
    if (isLast) this.clear();
    numbers.sort((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
    return sealCopy(write, ContentType.ack, encodeAck(numbers));
  }

  /** The peer need not be told: our answer tells it. */
  clear(): void {
    this.due = false;
    this.#numbers = [];
  }
}
