/**
 * PacketPool: packets that have gone, to be used for the next ones. A history makes its packets old, and a collector copies what gets
 * old: a stream that sends for minutes would pay for it with each packet, and a forwarding unit a hundred times.
 */
import { SentPacket } from './sent-packet.ts';

/** Packets kept for later; a stream that goes on gives back one for each that it takes. */
const MAX_SPARE = 256;

/** The packets of a connection that are not in use. */
export class PacketPool {
  readonly #spare: SentPacket[] = [];

  take(): SentPacket {
    return this.#spare.pop() ?? new SentPacket();
  }

  /** Nobody refers to `packet` any more. */
  give(packet: SentPacket): void {
    if (this.#spare.length >= MAX_SPARE) return;
    packet.empty();
    this.#spare.push(packet);
  }

  clear(): void {
    this.#spare.length = 0;
  }
}
