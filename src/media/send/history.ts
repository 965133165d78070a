/**
 * History: packets that can be sent again, by their sequence numbers, bounded by packets, bytes and time. They stand in a ring that
 * grows while it is used; what is too old is given back by whoever asks next, or by `expire`.
 */
import type { PacketPool } from './packet-pool.ts';
import type { SentPacket } from './sent-packet.ts';

/** How much is kept, and for how long. */
export interface HistoryLimits {
  readonly historyPackets: number;
  readonly historyBytes: number;
  readonly historyTime: number;
}

const FIRST_LENGTH = 64;

/** What a byte can say. */
const MAX_COUNTED = 255;

/** The packets of one source that may be wanted again. */
export class History {
  readonly #limits: HistoryLimits;
  readonly #pool: PacketPool;
  /** By sequence number; its length is a power of two. */
  #ring: (SentPacket | undefined)[] = [];
  /** When each was sent first, milliseconds, by the same places. */
  #addedAt = new Float64Array(0);
  /** When it was sent again last, and how often. */
  #resentAt = new Float64Array(0);
  #resends = new Uint8Array(0);
  /** All numbers in the ring are of `#oldest` to `#newest`; empty: the one is beyond the other. */
  #oldest = 0;
  #newest = -1;
  #count = 0;
  #bytes = 0;

  /** @param pool what is dropped goes there */
  constructor(limits: HistoryLimits, pool: PacketPool) {
    this.#limits = limits;
    this.#pool = pool;
  }

  /** Packets in it. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of their payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a packet that has been sent at `now`; the oldest make room for it. */
  add(packet: SentPacket, now: number): void {
    const { historyPackets, historyBytes } = this.#limits;
    const { sequence } = packet;
    if (this.#count === 0) {
      this.#oldest = sequence;
      this.#newest = sequence;
    } else if (sequence > this.#newest) {
      this.#newest = sequence;
    } else if (sequence < this.#oldest) {
      this.#pool.give(packet); // it would be the next to go
      return;
    }
    while (this.#count > 0 && this.#newest - this.#oldest >= historyPackets) this.#dropOldest();
    if (this.#count === 0) this.#oldest = sequence;
    if (this.#newest - this.#oldest >= this.#ring.length) this.#grow();
    const place = sequence & (this.#ring.length - 1);
    this.#ring[place] = packet;
    this.#addedAt[place] = now;
    this.#resends[place] = 0;
    this.#count++;
    this.#bytes += packet.payloadLength;
    while (this.#count > 0 && this.#bytes > historyBytes) this.#dropOldest();
    this.expire(now);
  }

  /** The packet of this number, if it can still be sent again at `now`. */
  get(sequence: number, now: number): SentPacket | undefined {
    if (sequence < this.#oldest || sequence > this.#newest) return undefined;
    const place = sequence & (this.#ring.length - 1);
    const packet = this.#ring[place];
    return packet !== undefined && now - this.#addedAt[place]! < this.#limits.historyTime
      ? packet
      : undefined;
  }

  /** How often a packet that is there has been sent again. */
  resends(packet: SentPacket): number {
    return this.#resends[packet.sequence & (this.#ring.length - 1)]!;
  }

  /** When it was sent again last, milliseconds; of a packet that has been. */
  resentAt(packet: SentPacket): number {
    return this.#resentAt[packet.sequence & (this.#ring.length - 1)]!;
  }

  /** It is sent again, at `now`. */
  resend(packet: SentPacket, now: number): void {
    const place = packet.sequence & (this.#ring.length - 1);
    this.#resentAt[place] = now;
    this.#resends[place] = Math.min(MAX_COUNTED, this.#resends[place]! + 1);
  }

  /** Gives back what is too old. */
  expire(now: number): void {
    const from = now - this.#limits.historyTime;
    while (this.#count > 0 && this.#addedAt[this.#oldest & (this.#ring.length - 1)]! <= from)
      this.#dropOldest();
  }

  clear(): void {
    this.#ring = [];
    this.#addedAt = new Float64Array(0);
    this.#resentAt = new Float64Array(0);
    this.#resends = new Uint8Array(0);
    this.#oldest = 0;
    this.#newest = -1;
    this.#count = 0;
    this.#bytes = 0;
  }

  /** Takes out the oldest, and goes on to the next one that is there. */
  #dropOldest(): void {
    const mask = this.#ring.length - 1;
    const place = this.#oldest & mask;
    const packet = this.#ring[place];
    this.#ring[place] = undefined;
    this.#count--;
    if (packet !== undefined) {
      this.#bytes -= packet.payloadLength;
      if (!packet.isWanted) this.#pool.give(packet);
    }
    do this.#oldest++;
    while (this.#count > 0 && this.#ring[this.#oldest & mask] === undefined);
  }

  #grow(): void {
    let length = Math.max(FIRST_LENGTH, this.#ring.length * 2);
    while (length <= this.#newest - this.#oldest) length *= 2;
    const ring = new Array<SentPacket | undefined>(length);
    const addedAt = new Float64Array(length);
    const resentAt = new Float64Array(length);
    const resends = new Uint8Array(length);
    for (let from = 0; from < this.#ring.length; from++) {
      const packet = this.#ring[from];
      if (packet === undefined) continue;
      const to = packet.sequence & (length - 1);
      ring[to] = packet;
      addedAt[to] = this.#addedAt[from]!;
      resentAt[to] = this.#resentAt[from]!;
      resends[to] = this.#resends[from]!;
    }
    this.#ring = ring;
    this.#addedAt = addedAt;
    this.#resentAt = resentAt;
    this.#resends = resends;
  }
}
