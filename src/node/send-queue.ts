/**
 * SendQueue: what waits for the kernel, by class: STUN before DTLS handshakes before everything else.
 *
 * On a shared port a full queue of data would make consent checks wait behind it, and every connection would lose its
 * path at once. Bounded by bytes: over the bound the oldest datagram of the lowest class makes room, and a datagram that
 * finds only its betters there is dropped itself. Each drop is counted by class; all of it is retransmitted or out of
 * date by then.
 */
import type { TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { BoundedQueue } from '../core/queue.ts';

/** How urgent a datagram is, highest first. */
export type SendClass = 'stun' | 'handshake' | 'data';

/** Highest first. */
const CLASSES: readonly SendClass[] = ['stun', 'handshake', 'data'];

/** DTLS content types of a connection that is being made or ended: change_cipher_spec, alert, handshake, ACK (RFC 9147 §7). */
const HANDSHAKE_TYPES: ReadonlySet<number> = new Set([20, 21, 22, 26]);

/** By the first byte (RFC 7983): STUN is 0–3, DTLS 20–63. */
export function sendClassOf(data: Uint8Array): SendClass {
  const first = data[0] ?? 0xff;
  if (first <= 3) return 'stun';
  // DTLS 1.3 encrypts the content type (32–63, RFC 9147 §4): a late handshake record counts as data.
  return HANDSHAKE_TYPES.has(first) ? 'handshake' : 'data';
}

/** A datagram that waits, and where it goes. */
export interface QueuedDatagram {
  readonly data: Uint8Array;
  readonly destination: TransportAddress;
}

/** The datagrams of one socket that the kernel has not taken, within a bound of bytes. */
export class SendQueue {
  /** Bytes that wait. */
  bytes = 0;
  readonly #queues: Readonly<Record<SendClass, BoundedQueue<QueuedDatagram>>> = {
    stun: new BoundedQueue(Infinity), // all three: bounded by bytes, see push
    handshake: new BoundedQueue(Infinity),
    data: new BoundedQueue(Infinity),
  };
  readonly #dropped = new Counters<SendClass>(CLASSES);

  /** Takes `datagram` in, or drops it or what is worth less, so that no more than `maxBytes` wait. */
  push(datagram: QueuedDatagram, maxBytes: number): void {
    const own = sendClassOf(datagram.data);
    for (let rank = CLASSES.length - 1; rank >= 0 && this.#over(datagram, maxBytes); rank--) {
      const lower = CLASSES[rank]!;
      if (lower === own) break;
      while (this.#over(datagram, maxBytes) && this.#drop(lower));
    }
    if (this.#over(datagram, maxBytes)) {
      this.#dropped.add(own);
      return;
    }
    this.#queues[own].push(datagram);
    this.bytes += datagram.data.length;
  }

  /** The next datagram to send. */
  shift(): QueuedDatagram | undefined {
    for (const name of CLASSES) {
      const datagram = this.#queues[name].shift();
      if (datagram === undefined) continue;
      this.bytes -= datagram.data.length;
      return datagram;
    }
    return undefined;
  }

  /** Drops everything. @returns how many datagrams that was. */
  clear(): number {
    let count = 0;
    for (const name of CLASSES) {
      count += this.#queues[name].size;
      this.#queues[name].clear();
    }
    this.bytes = 0;
    return count;
  }

  /** Datagrams dropped for want of room. */
  get dropped(): Record<SendClass, number> {
    return this.#dropped.snapshot();
  }

  #over({ data }: QueuedDatagram, maxBytes: number): boolean {
    return this.bytes + data.length > maxBytes;
  }

  #drop(name: SendClass): boolean {
    const datagram = this.#queues[name].shift();
    if (datagram === undefined) return false;
    this.bytes -= datagram.data.length;
    this.#dropped.add(name);
    return true;
  }
}
