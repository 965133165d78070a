/**
 * Retransmissions: which of the packets that the peer misses (NACK, RFC 4585 §6.2.1) are sent again, and in which order.
 *
 *     NACK ─▶ in the history? ─▶ not within a round trip of the last time? ─▶ within the share? ─▶ queue ─▶ polled
 *
 * A number costs one look-up, whatever the peer asks for and how often. What is sent again is a share of what was sent for the first
 * time, and a burst beyond it; so a storm of NACKs makes no more traffic than a bad path.
 */
import { BoundedQueue } from '../../core/queue.ts';
import type { Counters } from '../../core/counters.ts';
import type { SendCounter } from './counters.ts';
import type { HistoryLimits } from './history.ts';
import { History } from './history.ts';
import type { PacketPool } from './packet-pool.ts';
import type { SentPacket } from './sent-packet.ts';

/** Bounds of what is sent again. */
export interface RetransmissionLimits extends HistoryLimits {
  readonly retransmissionShare: number;
  readonly retransmissionBurst: number;
}

/** The packets of one source that are to be sent again. */
export class Retransmissions {
  readonly history: History;
  readonly #limits: RetransmissionLimits;
  readonly #counters: Counters<SendCounter>;
  readonly #pool: PacketPool;
  /** Each packet of the history is in it once at the most. */
  readonly #wanted: BoundedQueue<SentPacket>;
  /** Bytes that may be sent again now. */
  #credit: number;

  constructor(limits: RetransmissionLimits, counters: Counters<SendCounter>, pool: PacketPool) {
    this.history = new History(limits, pool);
    this.#limits = limits;
    this.#pool = pool;
    this.#counters = counters;
    this.#wanted = new BoundedQueue(limits.historyPackets);
    this.#credit = limits.retransmissionBurst;
  }

  /** Packets that wait to be sent again. */
  get waiting(): number {
    return this.#wanted.size;
  }

  /** Takes a packet that has been sent for the first time, at `now`. */
  remember(packet: SentPacket, now: number): void {
    const { payloadLength } = packet;
    this.history.add(packet, now);
    const { retransmissionBurst, retransmissionShare } = this.#limits;
    const most = retransmissionBurst + retransmissionShare * this.history.bytes;
    this.#credit = Math.min(most, this.#credit + retransmissionShare * payloadLength);
  }

  /**
   * The peer misses packets.
   * @param largest the largest number sent, unwrapped
   * @param roundTrip ms within which a packet is not sent again twice
   */
  request(sequenceNumbers: readonly number[], largest: number, roundTrip: number, now: number): void {
    for (const sequenceNumber of sequenceNumbers) {
      const packet = this.history.get(largest - ((largest - sequenceNumber) & 0xffff), now);
      if (packet === undefined) this.#counters.add('retransmissionsUnknown');
      else if (packet.isWanted || this.#isRecent(packet, roundTrip, now)) {
        this.#counters.add('retransmissionsRepeated');
      } else if (packet.payloadLength > this.#credit || !this.#wanted.push(packet)) {
        this.#counters.add('retransmissionsOverShare');
      } else {
        this.#credit -= packet.payloadLength;
        packet.isWanted = true;
      }
    }
  }

  /** The next packet to send again; `undefined`: none. */
  next(now: number): SentPacket | undefined {
    for (;;) {
      const packet = this.#wanted.shift();
      if (packet === undefined) return undefined;
      packet.isWanted = false;
      if (this.history.get(packet.sequence, now) === packet) {
        this.history.resend(packet, now);
        return packet;
      }
      this.#counters.add('retransmissionsDropped');
      this.#pool.give(packet);
    }
  }

  /** Nothing of what waits is sent again. */
  drop(): void {
    if (this.#wanted.size === 0) return;
    this.#counters.add('retransmissionsDropped', this.#wanted.size);
    for (const packet of this.#wanted) packet.isWanted = false;
    this.#wanted.clear();
  }

  #isRecent(packet: SentPacket, roundTrip: number, now: number): boolean {
    return this.history.wasResent(packet) && now - this.history.sentAt(packet) < roundTrip;
  }
}
