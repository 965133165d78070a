/**
 * ArrivalLog: which packets of one counter of 16 bits have come, when, and how they were marked, from the first that is still to be told of:
 *
 *     … told │ next … highest          a late one in front of `next` moves that back: it is told of again, with what follows
 *
 * What follows is said to have come once more: so RFC 8888 §3.1 has it ("MUST also be reported as received in any overlapping reports").
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1 would have it marked as "not received" then. libwebrtc, whose draft it is, tells
 * of it again, and a sender that takes "not received" for loss would take back what it has learnt.
 *
 * A ring of numbers that grows with what is to be told, and allocates nothing otherwise; older ones make room for newer ones.
 */
import type { Counters } from '../../core/counters.ts';
import { SerialUnwrapper } from '../../rtp/index.ts';

/** What becomes of packets that come. */
export const ARRIVAL_COUNTERS = [
  /** Told of, or to be told of. */
  'arrivals',
  /** The same packet again. */
  'duplicateArrivals',
  /** So late that it is not told of any more. */
  'lateArrivals',
  /** Packets, come or not, that made room for newer ones before they were told of. */
  'untoldArrivals',
  /** A counter that went on elsewhere. */
  'arrivalRestarts',
] as const;

/** The name of one of them. */
export type ArrivalCounter = (typeof ARRIVAL_COUNTERS)[number];

const FIRST_CAPACITY = 512;

/** Packets in front of what is to be told that may still come: a late one costs that all behind it are told of again. */
const REORDERING = 256;

/** So many late packets in a row, each the next, are a sender that has begun anew (as RFC 3550 A.1 takes two of a source). */
const RESTART_AFTER = 16;

/** What two bits of ECN say of a packet that met congestion (RFC 3168 §5). */
const CONGESTION_EXPERIENCED = 3;

/** The arrivals of one counter. */
export class ArrivalLog {
  /** The first that is to be told of, unwrapped; behind `highest`: none is. */
  next = 0;
  /** The last that has come, unwrapped; -1 before the first. */
  highest = -1;
  readonly #limit: number;
  readonly #counters: Pick<Counters<ArrivalCounter>, 'add'>;
  #unwrapper = new SerialUnwrapper(16);
  #capacity = FIRST_CAPACITY;
  /** What each place is of; another number than the one looked for says that the packet did not come. None is 0. */
  #sequences: Float64Array = new Float64Array(0);
  #times: Float64Array = new Float64Array(0);
  #marks: Uint8Array = new Uint8Array(0);
  #lateInRow = 0;
  #lastLate = 0;

  /** @param limit of the ring, 512 up */
  constructor(limit: number, counters: Pick<Counters<ArrivalCounter>, 'add'>) {
    this.#limit = limit;
    this.#counters = counters;
  }

  /** Packets from `next` to `highest`, come or not. */
  get untold(): number {
    return this.highest - this.next + 1;
  }

  /** Places of the ring. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * A packet has come. @param mark two bits of ECN
   * @returns false: it is not told of, as it is known or too late
   */
  record(sequenceNumber: number, now: number, mark: number): boolean {
    const sequence = this.#unwrapper.unwrap(sequenceNumber);
    if (this.highest < 0) this.#begin(sequence);
    else if (sequence > this.highest) this.#advance(sequence);
    else if (this.#has(sequence)) return this.#countDuplicate(sequence, mark);
    else if (sequence <= this.highest - this.#capacity || sequence < this.next - REORDERING) {
      return this.#countLate(sequenceNumber, now, mark);
    } else if (sequence < this.next) this.next = sequence;
    const place = sequence % this.#capacity;
    this.#sequences[place] = sequence;
    this.#times[place] = now;
    this.#marks[place] = mark;
    this.#lateInRow = 0;
    this.#counters.add('arrivals');
    return true;
  }

  /** When a packet between `next` and `highest` came; NaN: it did not. */
  arrivalOf(sequence: number): number {
    return this.#has(sequence) ? this.#times[sequence % this.#capacity]! : NaN;
  }

  /** How a packet that came was marked. */
  markOf(sequence: number): number {
    return this.#marks[sequence % this.#capacity]!;
  }

  /** All up to `sequence` have been told of. */
  told(sequence: number): void {
    this.next = sequence + 1;
  }

  #has(sequence: number): boolean {
    return this.#sequences[sequence % this.#capacity] === sequence;
  }

  #begin(sequence: number): void {
    this.next = this.highest = sequence;
    this.#allocate();
  }

  #allocate(): void {
    this.#sequences = new Float64Array(this.#capacity);
    this.#times = new Float64Array(this.#capacity);
    this.#marks = new Uint8Array(this.#capacity);
  }

  #advance(sequence: number): void {
    const wanted = sequence - this.next + REORDERING;
    if (wanted > this.#capacity && this.#capacity < this.#limit) this.#grow(Math.min(wanted, this.#limit));
    const first = sequence - this.#capacity + 1;
    if (first > this.next) {
      this.#counters.add(
        'untoldArrivals',
        Math.min(first, this.highest + 1) - Math.min(this.next, this.highest + 1),
      );
      this.next = first;
    }
    this.highest = sequence;
  }

  #grow(wanted: number): void {
    const [capacity, sequences, times, marks] = [this.#capacity, this.#sequences, this.#times, this.#marks];
    while (this.#capacity < wanted) this.#capacity = Math.min(2 * this.#capacity, this.#limit);
    this.#allocate();
    for (let sequence = this.highest - capacity + 1; sequence <= this.highest; sequence++) {
      const from = sequence % capacity;
      const to = sequence % this.#capacity;
      this.#sequences[to] = sequences[from]!;
      this.#times[to] = times[from]!;
      this.#marks[to] = marks[from]!;
    }
  }

  /** RFC 8888 §3.1: the first copy says when it came, and any says that it met congestion. */
  #countDuplicate(sequence: number, mark: number): false {
    if (mark === CONGESTION_EXPERIENCED) this.#marks[sequence % this.#capacity] = mark;
    this.#counters.add('duplicateArrivals');
    return false;
  }

  #countLate(sequenceNumber: number, now: number, mark: number): boolean {
    this.#counters.add('lateArrivals');
    const isNext = sequenceNumber === ((this.#lastLate + 1) & 0xffff);
    this.#lateInRow = isNext ? this.#lateInRow + 1 : 1;
    this.#lastLate = sequenceNumber;
    if (this.#lateInRow < RESTART_AFTER) return false;
    this.#counters.add('arrivalRestarts');
    this.#unwrapper = new SerialUnwrapper(16);
    this.highest = -1;
    return this.record(sequenceNumber, now, mark);
  }
}
