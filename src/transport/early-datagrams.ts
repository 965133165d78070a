/**
 * Early datagrams: DTLS from a peer that has proved itself to ICE, before its path was valid (F1c). A few are kept until it
 * is, instead of being lost to a retransmission timer.
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

/** Says whether data may be taken from a path. */
interface PathJudge {
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean;
}

/** Takes a datagram. */
interface DatagramTaker {
  handlePacket(data: Bytes, now: number): void;
}

/** How many are kept, and how large each may be: a ClientHello of today's browsers spans two. */
const EARLY_DATAGRAMS = 4;
const EARLY_DATAGRAM_SIZE = 2048;

/** The early datagrams of one connection. */
export class EarlyDatagrams {
  readonly #queue = new BoundedQueue<EarlyDatagram>(EARLY_DATAGRAMS);

  /** How many wait. */
  get size(): number {
    return this.#queue.size;
  }

  /** Keeps a copy; false: it is too large, or one too many. */
  keep(protocol: Protocol, local: TransportAddress, remote: TransportAddress, data: Uint8Array): boolean {
    if (data.length > EARLY_DATAGRAM_SIZE) return false;
    return this.#queue.push({ protocol, local, remote, data: copyBytes(data) });
  }

  /** Hands over, in their order, those whose path is valid by now; the others stay. */
  handOver(ice: PathJudge, dtls: DatagramTaker, now: number): void {
    for (let left = this.#queue.size; left > 0; left--) {
      const early = this.#queue.shift();
      if (early === undefined) return;
      if (ice.isValidPath(early.local, early.remote, early.protocol)) dtls.handlePacket(early.data, now);
      else this.#queue.push(early);
    }
  }

  clear(): void {
    this.#queue.clear();
  }
}
