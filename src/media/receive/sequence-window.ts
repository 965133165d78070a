/**
 * SequenceWindow: the sequence numbers of one source, unwrapped, each taken once (RFC 3550 A.1).
 *
 *     … latest − 1024 ─── seen or not, by number ─── latest ─── up to 3000 ahead: the next ─── jump …
 *
 * A jump is dropped; when the number behind it comes next, the source has begun anew. Unwrapped it then goes on, always
 * forward, so that no number is given twice.
 */
import type { ReceiveCounter } from './counters.ts';

/** Packets behind the latest of which it is known whether they were seen. */
export const SEQUENCE_WINDOW = 1024;

/** RFC 3550 A.1: so far ahead is loss; further is a source that has begun anew. */
const MAX_DROPOUT = 3000;

const CIRCLE = 0x1_0000;

/** Why a number is not taken, in place of what it would be unwrapped. */
export const DUPLICATE = -1;
/** Behind the window. */
export const TOO_LATE = -2;
/** Ahead of it. */
export const JUMP = -3;

/** What counts packets that are not taken for this reason. */
export function refusalCounter(reason: number): ReceiveCounter {
  return reason === DUPLICATE ? 'duplicatePackets' : reason === JUMP ? 'jumpingPackets' : 'latePackets';
}

/** Unwraps sequence numbers and knows which were seen. */
export class SequenceWindow {
  /** The largest that was taken, unwrapped; -1 before the first. The first counts from itself plus a full circle. */
  highest = -1;
  /** The low 32 bits of the number that was last seen at each place: the window needs no clearing as it moves on. */
  readonly #seen = new Uint32Array(SEQUENCE_WINDOW);
  /** After a jump, the number that would confirm it. */
  #expected = -1;

  /**
   * Takes the number of a packet, 16 bits.
   * @param isRepair of a packet sent again: no such one says that a source has begun anew
   * @returns the number, unwrapped; `DUPLICATE`, `TOO_LATE` or `JUMP`, all negative: it is not taken
   */
  take(value: number, isRepair = false): number {
    if (this.highest < 0) return this.#see(CIRCLE + value);
    const ahead = (value - this.highest) & 0xffff;
    if (ahead > 0 && ahead < MAX_DROPOUT) return this.#see(this.highest + ahead);
    const behind = ahead === 0 ? 0 : CIRCLE - ahead;
    if (behind < SEQUENCE_WINDOW) {
      const sequence = this.highest - behind;
      return this.#hasSeen(sequence) ? DUPLICATE : this.#see(sequence);
    }
    if (isRepair) return TOO_LATE;
    if (value === this.#expected) return this.#see(this.highest + ahead);
    this.#expected = (value + 1) & 0xffff;
    return ahead < CIRCLE / 2 ? JUMP : TOO_LATE;
  }

  /** The latest number up to `highest`, unwrapped, that is `value` in 16 bits. */
  behind(value: number): number {
    return this.highest - ((this.highest - value) & 0xffff);
  }

  /** Whether a packet went from `before`, the highest, to `sequence` by beginning anew and not by loss. */
  static isRestart(before: number, sequence: number): boolean {
    return before >= 0 && sequence - before >= MAX_DROPOUT;
  }

  #hasSeen(sequence: number): boolean {
    return this.#seen[sequence % SEQUENCE_WINDOW] === sequence >>> 0;
  }

  #see(sequence: number): number {
    this.#seen[sequence % SEQUENCE_WINDOW] = sequence;
    if (sequence > this.highest) this.highest = sequence;
    this.#expected = -1;
    return sequence;
  }
}
