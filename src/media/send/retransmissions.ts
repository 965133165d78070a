/**
 * Retransmissions: which of the packets that the peer misses (NACK, RFC 4585 §6.2.1) are sent again, and in which order.
 *
 *     NACK ─▶ in the history? ─▶ long enough after the last time? ─▶ within the share? ─▶ queue ─▶ polled
 *
 * A number costs one look-up, whatever the peer asks for and how often. What is wanted again waits for most of a round trip, from the
 * fourth time on twice as long, and may not touch half of the burst: some receivers ask for a packet for as long as they remember that
 * it was lost, whether it has come by RTX or not, and would use up what others need. It does not wait longer and longer: a receiver
 * that asks ten times, a round trip apart, would be heard four times of them.
 *
 * In any stretch of time what is sent again is the burst at the most, and a share of what was sent for the first time in it and within
 * `historyTime` before; so a storm of NACKs makes no more traffic than a bad path.
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

/** Of a round trip as it was measured: one that asks again after just that comes a little earlier as often as later. */
const SHARE_OF_ROUND_TRIP = 0.75;

/** The least wait, milliseconds: NACKs that cross one another come as close as that on the shortest path. */
const LEAST_WAIT = 10;

/** Sent again so often, a packet is wanted in vain, or has come: the next time waits twice as long. */
const PATIENT_RESENDS = 3;

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
    this.#setCredit(this.#credit + this.#limits.retransmissionShare * payloadLength);
  }

  /**
   * The peer misses packets.
   * @param largest the largest number sent, unwrapped
   * @param roundTrip ms from sending a packet again to a NACK that knows of it
   */
  request(sequenceNumbers: readonly number[], largest: number, roundTrip: number, now: number): void {
    this.history.expire(now);
    this.#setCredit(this.#credit);
    for (const sequenceNumber of sequenceNumbers) {
      const packet = this.history.get(largest - ((largest - sequenceNumber) & 0xffff), now);
      if (packet === undefined) this.#counters.add('retransmissionsUnknown');
      else if (packet.isWanted || this.#isTooSoon(packet, roundTrip, now)) {
        this.#counters.add('retransmissionsRepeated');
      } else if (packet.payloadLength > this.#creditOf(packet) || !this.#wanted.push(packet)) {
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

  /** What has been sent long ago gives none. */
  #setCredit(credit: number): void {
    const { retransmissionBurst, retransmissionShare } = this.#limits;
    this.#credit = Math.min(retransmissionBurst + retransmissionShare * this.history.bytes, credit);
  }

  /** Bytes that may be spent on it. */
  #creditOf(packet: SentPacket): number {
    const isRepeated = this.history.resends(packet) > 0;
    return isRepeated ? this.#credit - this.#limits.retransmissionBurst / 2 : this.#credit;
  }

  #isTooSoon(packet: SentPacket, roundTrip: number, now: number): boolean {
    const resends = this.history.resends(packet);
    if (resends === 0) return false;
    const wait = Math.max(SHARE_OF_ROUND_TRIP * roundTrip, LEAST_WAIT);
    return now - this.history.resentAt(packet) < (resends < PATIENT_RESENDS ? wait : 2 * wait);
  }
}
