/**
 * Forwarding: how far the peer may be told to move on (RFC 3758 §3.5, "Advanced.Peer.Ack.Point"), and what it is told.
 *
 *   cumulative ─ given up ─ reported ─ given up ─ in flight …      one FORWARD TSN leads over both, up to the last given up
 *                                         └ advanced
 *
 * RFC 3758 §3.5 C2 stops at the first chunk that is not given up. Where reported chunks stand between the losses, that skips
 * one loss a round trip, and a stream that loses more falls behind for good. What the peer has reported it has, so we go on
 * past it, if its whole message has arrived: of DATA the receiver drops what is not whole (RFC 3758 §3.6). A peer that ever took
 * a report back is led over nothing but what was given up.
 *
 * A stream is named with its last message given up. Where a message of it that has arrived stands before another given up,
 * a further FORWARD TSN begins, in the same packet: receivers are known to drop what waits for its turn below the number named.
 *
 *   advance() → isDue → write() → … the cumulative TSN moves: settled · it does not: remindAt, remind() → isDue
 */
import type { SkippedStream } from '../packet/forward-tsn.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../packet/forward-tsn.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { PacketWriter } from '../packet/packet.ts';
import type { TsnLine } from '../tsn.ts';
import type { Outstanding } from './outstanding.ts';
import type { OutgoingMessage, SendQueue } from './send-queue.ts';

/** Streams one FORWARD TSN names, at the most: it fits the smallest packet. */
const MAX_STREAMS = 16;

/** A lost FORWARD TSN is sent again after a round trip and a quarter; the quarter is no shorter than so many milliseconds. */
const MIN_PATIENCE = 10;
/** Without a word of the peer each repetition waits twice as long, up to so many milliseconds. */
const MAX_WAIT = 3000;

interface Entry extends SkippedStream {
  sequence: number;
  /** A message of the stream behind that one has arrived: it has its turn before any further one is skipped. */
  isFollowed: boolean;
}

/** One FORWARD TSN. */
interface Skip {
  /** Position of its new cumulative TSN. */
  through: number;
  readonly entries: Entry[];
}

/** What forwarding reads: what was sent, and on which streams. */
export interface ForwardingParts {
  readonly line: TsnLine;
  readonly queue: SendQueue;
  readonly outstanding: Outstanding;
}

/** How far the peer may move on, and what it has been told of that. */
export class Forwarding {
  /** Nothing beyond this position is skipped: the last one before a stream reset that is under way. */
  barrier: number = Infinity;
  /** The peer need not be led over anything. With nothing given up outstanding, `advance` has nothing to note either. */
  isIdle = true;
  /** When what was told is told again, milliseconds; Infinity: nothing waits for its acknowledgement. */
  remindAt: number = Infinity;
  readonly #parts: ForwardingParts;
  /** The FORWARD TSNs above the cumulative TSN, in order. */
  #skips = new BoundedQueue<Skip>(Infinity); // bounded by the chunks outstanding
  #last: Skip | undefined;
  /** Everything up to here is acknowledged, given up or reported. */
  #scanned = -1;
  #toldThrough = -1;
  /** Not all of it went into one packet: the rest waits until the peer has acknowledged what did. */
  #isTruncated = false;
  /** Repetitions since the peer was heard. */
  #repeated = 0;
  #trustsReports = true;

  constructor(parts: ForwardingParts) {
    this.#parts = parts;
  }

  /** A FORWARD TSN is to go with the next packet. */
  get isDue(): boolean {
    return this.#last !== undefined && !this.#isTruncated && this.#last.through > this.#toldThrough;
  }

  /** Bytes of the first FORWARD TSN that is due, 0 if none is: a packet must have room for it. */
  get neededSpace(): number {
    const first = this.#skips.peek();
    return first === undefined || !this.isDue ? 0 : this.#sizeOf(first);
  }

  /** Takes note of what was acknowledged, reported and given up since. Costs what is new. */
  advance(): void {
    const { outstanding } = this.#parts;
    const { cumulative } = outstanding;
    this.#followReneging();
    if (this.#scanned < cumulative) this.#scanned = cumulative;
    if (this.#toldThrough < cumulative) {
      this.#toldThrough = cumulative;
      this.#isTruncated = false;
      this.remindAt = Infinity;
    }
    for (let first = this.#skips.peek(); first !== undefined; first = this.#skips.peek()) {
      if (first.through > cumulative) break;
      this.#skips.shift();
      if (this.#skips.size === 0) this.#last = undefined;
      // Of what was told in one packet a part is acknowledged: the rest may go now.
      this.#isTruncated = false;
    }
    while (this.#scanned < this.barrier && this.#scan(this.#scanned + 1)) this.#scanned++;
    this.isIdle = this.#last === undefined;
  }

  /** The peer is there. */
  noteHeard(): void {
    this.#repeated = 0;
  }

  /** The FORWARD TSN may have been lost: it is due again. */
  remind(): void {
    this.#toldThrough = this.#parts.outstanding.cumulative;
    this.#isTruncated = false;
    this.remindAt = Infinity;
  }

  /**
   * Writes what is due, as much as fits; false if nothing.
   * @param roundTrip milliseconds, as far as is known.
   */
  write(writer: PacketWriter, now: number, roundTrip: number): boolean {
    if (!this.isDue) return false;
    const { line, queue } = this.#parts;
    let told = -1;
    for (const { through, entries } of this.#skips) {
      if (8 + this.#entrySize() * entries.length > writer.room) {
        this.#isTruncated = told >= 0;
        break;
      }
      const forward = { newCumulativeTsn: line.wire(through), streams: entries };
      writer.chunk(queue.interleaving ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
      told = through;
    }
    if (told < 0) return false;
    this.#toldThrough = told;
    const patience = roundTrip + Math.max(roundTrip / 4, MIN_PATIENCE);
    this.remindAt = now + Math.min(patience * 2 ** this.#repeated, Math.max(patience, MAX_WAIT));
    this.#repeated++;
    return true;
  }

  clear(): void {
    this.#skips.clear();
    this.#last = undefined;
    this.isIdle = true;
    this.remindAt = Infinity;
  }

  /** True if the peer may be led over the chunk; notes what it skips there. */
  #scan(position: number): boolean {
    const { outstanding, queue } = this.#parts;
    const message = outstanding.message(position);
    if (outstanding.isAbandoned(position)) {
      this.#skip(position, message);
      return true;
    }
    if (message === undefined || !this.#trustsReports || !outstanding.isReported(position)) return false;
    // With interleaving the streams that are named say all, and what has come of other messages stays (RFC 8260 §2.3.1).
    const hasArrived = message.awaited === 0 && message.sent === message.length;
    if (!hasArrived && !queue.interleaving) return false;
    const entry = message.unordered ? undefined : this.#entry(this.#last, message);
    if (entry !== undefined) entry.isFollowed = true;
    return true;
  }

  #skip(position: number, message: OutgoingMessage | undefined): void {
    let skip = this.#last;
    // RFC 3758 §3.2 lists ordered messages alone; with interleaving unordered ones have numbers, too.
    const isNamed = message !== undefined && (this.#parts.queue.interleaving || !message.unordered);
    const entry = isNamed ? this.#entry(skip, message) : undefined;
    const isFull = isNamed && entry === undefined && skip?.entries.length === MAX_STREAMS;
    if (skip === undefined || isFull || entry?.isFollowed === true) {
      skip = { through: position, entries: [] };
      this.#skips.push(skip);
      this.#last = skip;
    }
    skip.through = position;
    if (!isNamed) return;
    const { streamId, unordered, sequence } = message;
    // A stream's messages are sent one after the other: the later position has the later number.
    if (entry !== undefined && !entry.isFollowed) entry.sequence = sequence;
    else skip.entries.push({ streamId, unordered, sequence, isFollowed: false });
  }

  #entry(skip: Skip | undefined, { streamId, unordered }: OutgoingMessage): Entry | undefined {
    return skip?.entries.find((entry) => entry.streamId === streamId && entry.unordered === unordered);
  }

  /** The peer may have dropped what it reported: from here on it is led only over what was given up. */
  #followReneging(): void {
    const { outstanding } = this.#parts;
    if (outstanding.trustsReports === this.#trustsReports) return;
    this.#trustsReports = outstanding.trustsReports;
    this.#skips.clear();
    this.#last = undefined;
    this.#scanned = outstanding.cumulative;
    this.remind();
  }

  #sizeOf({ entries }: Skip): number {
    return 8 + this.#entrySize() * entries.length;
  }

  #entrySize(): number {
    return this.#parts.queue.interleaving ? 8 : 4;
  }
}
