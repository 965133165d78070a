/**
 * DTLS datagrams from a peer that has proved itself to ICE, but came before their path was valid (F1c): a few are kept
 * until it is.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { copyBytes } from '../core/bytes.ts';
import { BoundedQueue } from '../core/queue.ts';

interface EarlyDatagram {
  readonly protocol: Protocol;
  readonly local: TransportAddress;
  readonly remote: TransportAddress;
  readonly data: Bytes;
}

/** How many are kept, and how large each may be: a ClientHello of today's browsers spans two. */
const EARLY_DATAGRAMS = 4;
const EARLY_DATAGRAM_SIZE = 2048;

export class EarlyDatagrams {
  readonly #queue = new BoundedQueue<EarlyDatagram>(EARLY_DATAGRAMS);

  get size(): number {
    return this.#queue.size;
  }

  /** Keeps a copy; false: it is too large, or one too many. */
  keep(protocol: Protocol, local: TransportAddress, remote: TransportAddress, data: Uint8Array): boolean {
    if (data.length > EARLY_DATAGRAM_SIZE) return false;
    return this.#queue.push({ protocol, local, remote, data: copyBytes(data) });
  }

  /** Hands over, in their order, those whose path is valid by now; the others stay. */
  handOver(
    isValid: (local: TransportAddress, remote: TransportAddress, protocol: Protocol) => boolean,
    handle: (data: Bytes) => void,
  ): void {
    for (let left = this.#queue.size; left > 0; left--) {
      const early = this.#queue.shift();
      if (early === undefined) return;
      if (isValid(early.local, early.remote, early.protocol)) handle(early.data);
      else this.#queue.push(early);
    }
  }

  clear(): void {
    this.#queue.clear();
  }
}
