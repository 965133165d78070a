/** Unknown datagrams: those that belong to no connection here, and how often the host is told of one. */
import type { TransportAddress } from '../core/address.ts';

/** A datagram that belongs to no connection here, as `onUnknown` is told of it; nothing about the sender is verified. */
export interface UnknownDatagram {
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Uint8Array;
  /** Of a STUN check: the username fragment of the connection it is for. */
  readonly usernameFragment?: string | undefined;
}

/** The bound on how often the host hears of strangers: so many a second, whoever they are. */
export class UnknownReports {
  readonly #maxPerSecond: number;
  #reports = 0;
  /** When the second began that is counted. */
  #since = -Infinity;

  constructor(maxPerSecond: number) {
    this.#maxPerSecond = maxPerSecond;
  }

  /** False: it has been told too often in this second. */
  admits(now: number): boolean {
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#reports = 0;
    }
    if (this.#reports >= this.#maxPerSecond) return false;
    this.#reports++;
    return true;
  }
}
