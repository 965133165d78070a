/**
 * The TSN tracker: which TSNs have arrived, and when to say so (RFC 9260 §6.2).
 *
 *   DATA → accept(): new · duplicate · out of window
 *   end of a packet with DATA → decide(): SACK now · SACK within the delay · nothing new
 *   a packet goes out → writeInto(): the SACK, if one is wanted
 *
 * Positions instead of TSNs throughout (`TsnLine`).
 */
import { CHUNK } from '../constants.ts';
import type { PacketWriter } from '../packet/packet.ts';
import { SACK_SIZE } from '../packet/sack.ts';
import type { TsnLine } from '../tsn.ts';
import { IntervalSet } from '../tsn.ts';

/** A SACK lists at most so many duplicates, and as many gap blocks as its packet has room for; the rest waits. */
export const MAX_DUPLICATES = 20;

/** A gap block's end is a 16-bit distance from the cumulative TSN. */
const MAX_DISTANCE = 0xffff;

/** How far ahead of the cumulative TSN a TSN may lie: far beyond any window, far below a wrap. */
export const MAX_TSN_AHEAD = 100_000;

/**
 * Packets with DATA after a loss that have a SACK each. A SACK may be lost as well, and where one stands for a whole flight
 * the peer waits for its time-out; Linux's TCP acknowledges so ("quickack") for the same reason.
 */
const WATCHFUL_PACKETS = 64;

/** What a TSN is when it arrives. */
export type Arrival = 'new' | 'duplicate' | 'out-of-window';

/** The TSNs of one direction: which have arrived, and whether the peer is to be told. */
export class TsnTracker {
  readonly line: TsnLine;
  /** Everything up to here has arrived. */
  cumulative: number = -1;
  /** What has arrived above a gap. */
  readonly above: IntervalSet = new IntervalSet();
  readonly #duplicates: number[] = [];
  /** True while something unreported has arrived: a SACK is due, at once or within the delay. */
  sackPending = false;
  #wantNow = false;
  /** The last packet with DATA is to have a SACK of its own, and has none yet. */
  #owesReport = false;
  /** Packets with DATA that are to have one, as the path has lost something. */
  #watchful = 0;
  /** There was a gap at the end of the last packet with DATA. */
  #hadGap = false;
  /** Packets with DATA since the last SACK. */
  #packets = 0;
  #sackedOnce = false;

  constructor(line: TsnLine) {
    this.line = line;
  }

  get hasGap(): boolean {
    return !this.above.isEmpty;
  }

  /** True while a SACK is due at once. */
  get sackNow(): boolean {
    return this.#wantNow;
  }

  /**
   * True if the SACK that is due reports a packet which wants one of its own: over a gap, with a duplicate (RFC 9260 §6.7), or
   * soon after either.
   */
  get owesReport(): boolean {
    return this.#owesReport;
  }

  /** What `accept` would say, without taking note of it. */
  judge(position: number): Arrival {
    if (position <= this.cumulative || this.above.has(position)) return 'duplicate';
    return position - this.cumulative > MAX_TSN_AHEAD ? 'out-of-window' : 'new';
  }

  /** Takes note of a new TSN. */
  accept(position: number): void {
    if (position === this.cumulative + 1) {
      this.cumulative = position;
      this.#absorb();
    } else {
      this.above.add(position, position);
    }
  }

  noteDuplicate(position: number): void {
    if (this.#duplicates.length < MAX_DUPLICATES) this.#duplicates.push(position);
    this.demandSack();
  }

  /** RFC 3758 §3.6: everything up to `position` counts as arrived. */
  forwardTo(position: number): void {
    this.cumulative = Math.max(this.cumulative, position);
    this.above.removeThrough(this.cumulative);
    this.#absorb();
    this.demandSack();
  }

  /** Asks for a SACK in the next packet. */
  demandSack(): void {
    this.#wantNow = true;
    this.sackPending = true;
  }

  /**
   * Decides at the end of a packet that carried DATA. RFC 9260 §6.2: at least every second packet, at once for the
   * first one, for a gap, for the end of one (RFC 5681 §4.2), for a duplicate and for a while after them, else within the delay.
   */
  decide(): void {
    this.#packets++;
    this.sackPending = true;
    const isLossy = this.hasGap || this.#duplicates.length > 0;
    this.#watchful = isLossy ? WATCHFUL_PACKETS : Math.max(0, this.#watchful - 1);
    this.#owesReport = this.#watchful > 0;
    if (!this.#sackedOnce || this.#packets >= 2 || this.#owesReport || this.#hadGap) this.#wantNow = true;
    this.#hadGap = this.hasGap;
  }

  /** Bytes the next SACK takes in a packet with `room` bytes left; 0 when not even its duplicates fit. */
  sackSize(room: number): number {
    const bare = SACK_SIZE + 4 * this.#duplicates.length;
    return bare > room ? 0 : bare + 4 * this.#blockCount(room);
  }

  /** Writes the SACK into a packet with room for it, and forgets that one was wanted. */
  writeInto(writer: PacketWriter, window: number): void {
    const blocks = this.#blockCount(writer.room);
    writer.beginChunk(CHUNK.sack, 0).u32(this.line.wire(this.cumulative)).u32(window);
    writer.u16(blocks).u16(this.#duplicates.length);
    for (let i = 0; i < blocks; i++) {
      writer.u16(this.above.first(i) - this.cumulative).u16(this.above.last(i) - this.cumulative);
    }
    for (const position of this.#duplicates) writer.u32(this.line.wire(position));
    writer.endChunk();
    this.#duplicates.length = 0;
    this.#packets = 0;
    this.#wantNow = false;
    this.sackPending = false;
    this.#owesReport = false;
    this.#sackedOnce = true;
  }

  /**
   * Every block tells the sender of chunks that need not be sent again, and a peer that lost a stretch of packets to a
   * full socket buffer has hundreds of gaps: as many as fit are reported, not a fixed few.
   */
  #blockCount(room: number): number {
    const fitting = (room - SACK_SIZE - 4 * this.#duplicates.length) >> 2;
    const most = Math.min(this.above.size, fitting);
    let count = 0;
    while (count < most && this.above.last(count) - this.cumulative <= MAX_DISTANCE) count++;
    return count;
  }

  #absorb(): void {
    if (this.above.first(0) !== this.cumulative + 1) return;
    this.cumulative = this.above.last(0);
    this.above.removeThrough(this.cumulative);
  }
}
