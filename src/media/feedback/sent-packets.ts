/**
 * SentPackets: packets that were sent, until the peer's feedback says what became of them: by transport-wide sequence numbers, or by
 * those of each source (RFC 8888).
 *
 *     add ─▶ in flight ─ did not come, so far ─▶ missing ─ it did ─▶ arrived          each change is told once
 *                      └ came ──────────────────────────────────────▶
 *
 * A ring of numbers that grows with what is in flight, and allocates nothing otherwise; older ones make room for newer ones.
 */
import { Counters } from '../../core/counters.ts';
import { checkOptions } from '../../core/options.ts';
import type { CongestionFeedback, TransportFeedback } from '../../rtp/index.ts';
import { MIDDLE_UNITS } from '../../rtp/index.ts';
import type { PacketResult } from '../contract.ts';
import type { SentPacketsOptions } from './options.ts';
import { SENT_PACKETS_OPTION_RULES } from './options.ts';

/** What feedback was, and what it could not tell of. */
export type SentPacketsCounter =
  /** Transport-wide feedback taken. */
  | 'transportFeedbacks'
  /** Transport-wide feedback that is missing between others, by their numbers. */
  | 'lostTransportFeedbacks'
  /** Feedback of RFC 8888 taken. */
  | 'congestionFeedbacks'
  /** Packets of which it says that they came, and not when. */
  | 'untimedArrivals'
  /** Packets told of that were not sent, or are not remembered any more. */
  | 'unknownFeedbackPackets'
  /** Packets that made room for newer ones before anything was told of them. */
  | 'untoldSentPackets';

/** Their names, each at 0 from the start. */
export const SENT_PACKETS_COUNTERS: readonly SentPacketsCounter[] = [
  'transportFeedbacks',
  'lostTransportFeedbacks',
  'congestionFeedbacks',
  'untimedArrivals',
  'unknownFeedbackPackets',
  'untoldSentPackets',
];

const FIRST_CAPACITY = 256;

/** Numbers a packet has in the ring. */
const FIELDS = 5;
const SENT_AT = 0;
const SIZE = 1;
const MEDIA = 2;
const SSRC = 3;
/** Of its source, 16 bits; -1: nobody looks for it by that. */
const SEQUENCE = 4;

const IN_FLIGHT = 1;
const MISSING = 2;
const ARRIVED = 3;

/** Milliseconds. */
const TICK = 0.25;
const REFERENCE = 64;

/** The circle of reference times. */
const REFERENCES = 0x100_0000;

/** RFC 8888 §3.1: arrivals count so many in a second. */
const ARRIVAL_UNITS = 1024;
/** RFC 8888 §3.1: it came, and there is no saying when. */
const UNTIMED = 0x1fff;

/** The packets that a connection has sent. Times are milliseconds on the caller's clock. */
export class SentPackets {
  readonly counters: Counters<SentPacketsCounter> = new Counters(SENT_PACKETS_COUNTERS);
  /**
   * Packets can be told of by source and sequence number, from the next one on. It is so once such feedback has been taken; who knows
   * before that it will come says so.
   */
  isTellingSources = false;
  readonly #limit: number;
  readonly #maxAge: number;
  #capacity = FIRST_CAPACITY;
  #fields: Float64Array = new Float64Array(0);
  #states: Uint8Array = new Uint8Array(0);
  /** Unwrapped, of the packet that is sent next. */
  #next = 0;
  #lastFeedback: number | undefined;
  #reference: number | undefined;
  /** Unwrapped time of the last report. */
  #reportedAt: number | undefined;
  /** Transport-wide sequence numbers by source and its sequence number: of packets in the ring. */
  readonly #bySource = new Map<number, number>();

  /** Throws `ERR_BAD_ARGUMENT` for an option that is out of its range. */
  constructor(options: SentPacketsOptions = {}) {
    checkOptions('SentPackets', options, SENT_PACKETS_OPTION_RULES);
    this.#limit = options.maxSentPackets ?? 4096;
    this.#maxAge = options.maxAge ?? 10_000;
  }

  /**
   * A packet is sent.
   * @param size bytes of the RTP packet
   * @param sequenceNumber of its source; its low 16 bits count. Who has only transport-wide feedback may leave it out
   * @returns its transport-wide sequence number, 16 bits
   */
  add(mediaId: number, ssrc: number, size: number, now: number, sequenceNumber?: number): number {
    if (this.#next === 0) this.#allocate();
    const sequence = this.#next++;
    let place = sequence % this.#capacity;
    if (this.#states[place] === IN_FLIGHT) {
      if (this.#capacity < this.#limit && !this.#isOld(place, now)) {
        this.#grow();
        place = sequence % this.#capacity;
      } else this.counters.add('untoldSentPackets');
    }
    const at = FIELDS * place;
    if (this.#bySource.size > 0) this.#forget(at, sequence);
    this.#fields[at + SENT_AT] = now;
    this.#fields[at + SIZE] = size;
    this.#fields[at + MEDIA] = mediaId;
    this.#fields[at + SSRC] = ssrc;
    if (this.isTellingSources && sequenceNumber !== undefined) {
      this.#fields[at + SEQUENCE] = sequenceNumber & 0xffff;
      this.#bySource.set(keyOf(ssrc, sequenceNumber & 0xffff), sequence);
    } else this.#fields[at + SEQUENCE] = -1;
    this.#states[place] = IN_FLIGHT;
    return sequence & 0xffff;
  }

  /** What feedback says that is new, in the order of sending: of packets that came, and of those that did not, so far. */
  takeFeedback(feedback: TransportFeedback, now: number): readonly PacketResult[] {
    this.#countFeedback(feedback.feedbackCount);
    const newest = this.#next - 1;
    const first = newest - ((newest - feedback.baseSequenceNumber) & 0xffff);
    const results: PacketResult[] = [];
    let unknown = 0;
    let arrival = REFERENCE * this.#unwrapReference(feedback.referenceTime);
    let sequence = first;
    for (const delta of feedback.deltas) {
      if (delta !== null) arrival += delta * TICK;
      if (!this.#isRemembered(sequence, now)) unknown++;
      else if (this.#learn(sequence, delta === null ? MISSING : ARRIVED)) {
        results.push(this.#resultOf(sequence, delta === null ? undefined : arrival));
      }
      sequence++;
    }
    if (unknown > 0) this.counters.add('unknownFeedbackPackets', unknown);
    return results;
  }

  /**
   * The same by RFC 8888. Times of arrival are on the clock of the reports; of a packet that came, and there is no saying when, it is the
   * report's own time.
   */
  takeCongestionFeedback(feedback: CongestionFeedback, now: number): readonly PacketResult[] {
    this.counters.add('congestionFeedbacks');
    this.isTellingSources = true;
    const reportedAt = (this.#unwrapReport(feedback.reportTimestamp) * 1000) / MIDDLE_UNITS;
    const results: PacketResult[] = [];
    let unknown = 0;
    for (const { ssrc, firstSequenceNumber, packets } of feedback.streams) {
      let sequenceNumber = firstSequenceNumber;
      for (const packet of packets) {
        const sequence = this.#bySource.get(keyOf(ssrc, sequenceNumber));
        sequenceNumber = (sequenceNumber + 1) & 0xffff;
        if (sequence === undefined || !this.#isRemembered(sequence, now)) unknown++;
        else if (this.#learn(sequence, packet === null ? MISSING : ARRIVED)) {
          results.push(
            this.#resultOf(sequence, packet === null ? undefined : reportedAt - this.#age(packet)),
          );
        }
      }
    }
    if (unknown > 0) this.counters.add('unknownFeedbackPackets', unknown);
    return results.sort((a, b) => a.transportSequence - b.transportSequence);
  }

  /** Sizes, plain. */
  inspect(): object {
    return {
      sent: this.#next,
      capacity: this.#capacity,
      toldBySource: this.#bySource.size,
      counters: this.counters.snapshot(),
    };
  }

  /** Another packet takes the place at `at`, as number `sequence`. */
  #forget(at: number, sequence: number): void {
    const sequenceNumber = this.#fields[at + SEQUENCE]!;
    if (sequence < this.#capacity || sequenceNumber < 0) return;
    const key = keyOf(this.#fields[at + SSRC]!, sequenceNumber);
    // It may be a later packet's by now.
    if (this.#bySource.get(key) === sequence - this.#capacity) this.#bySource.delete(key);
  }

  /** Milliseconds before the report. */
  #age({ arrivedBefore }: { readonly arrivedBefore: number }): number {
    if (arrivedBefore !== UNTIMED) return (arrivedBefore * 1000) / ARRIVAL_UNITS;
    this.counters.add('untimedArrivals');
    return 0;
  }

  #isRemembered(sequence: number, now: number): boolean {
    if (sequence < 0 || sequence >= this.#next || sequence < this.#next - this.#capacity) return false;
    return !this.#isOld(sequence % this.#capacity, now);
  }

  /** True if that is news. What did not come may come yet, but not the other way round. */
  #learn(sequence: number, state: number): boolean {
    const place = sequence % this.#capacity;
    if (this.#states[place]! >= state) return false;
    this.#states[place] = state;
    return true;
  }

  #resultOf(sequence: number, arrivedAt: number | undefined): PacketResult {
    const at = FIELDS * (sequence % this.#capacity);
    return {
      transportSequence: sequence,
      mediaId: this.#fields[at + MEDIA]!,
      ssrc: this.#fields[at + SSRC]!,
      size: this.#fields[at + SIZE]!,
      sentAt: this.#fields[at + SENT_AT]!,
      arrivedAt,
    };
  }

  #isOld(place: number, now: number): boolean {
    return now - this.#fields[FIELDS * place + SENT_AT]! > this.#maxAge;
  }

  #allocate(): void {
    this.#fields = new Float64Array(FIELDS * this.#capacity);
    this.#states = new Uint8Array(this.#capacity);
  }

  /** The ring is full of packets of which nothing is known yet: those of the last round trip and of one interval of feedback. */
  #grow(): void {
    const [capacity, fields, states] = [this.#capacity, this.#fields, this.#states];
    this.#capacity = Math.min(2 * capacity, this.#limit);
    this.#allocate();
    const newest = this.#next - 1;
    for (let sequence = Math.max(0, newest - capacity); sequence < newest; sequence++) {
      const from = sequence % capacity;
      const to = sequence % this.#capacity;
      this.#states[to] = states[from]!;
      for (let i = 0; i < FIELDS; i++) this.#fields[FIELDS * to + i] = fields[FIELDS * from + i]!;
    }
  }

  #countFeedback(feedbackCount: number): void {
    this.counters.add('transportFeedbacks');
    const ahead = (feedbackCount - (this.#lastFeedback ?? feedbackCount - 1)) & 0xff;
    // Half the circle behind: an older one, overtaken.
    if (ahead >= 0x80) return;
    if (ahead > 1) this.counters.add('lostTransportFeedbacks', ahead - 1);
    this.#lastFeedback = feedbackCount;
  }

  /** The one nearest to the last: the circle has twelve days. */
  #unwrapReference(reference: number): number {
    const last = this.#reference ?? reference;
    const ahead = (((reference - last) % REFERENCES) << 8) >> 8;
    this.#reference = last + ahead;
    return this.#reference;
  }

  /** The one nearest to the last: the circle has eighteen hours. */
  #unwrapReport(timestamp: number): number {
    const last = this.#reportedAt ?? timestamp;
    this.#reportedAt = last + ((timestamp - last) | 0);
    return this.#reportedAt;
  }
}

function keyOf(ssrc: number, sequenceNumber: number): number {
  return 0x1_0000 * ssrc + sequenceNumber;
}
