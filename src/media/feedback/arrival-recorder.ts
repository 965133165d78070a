/**
 * ArrivalRecorder: transport-wide feedback, as the receiver of packets gives it (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).
 *
 *     record, record, … ─▶ 100 ms later, or 50 where much comes ─▶ pollFeedback: what has come since, and what has not
 */
import { Counters } from '../../core/counters.ts';
import { checkOptions } from '../../core/options.ts';
import type { TransportFeedback } from '../../rtp/index.ts';
import { ARRIVAL_COUNTERS, ArrivalLog } from './arrival-log.ts';
import { FeedbackTimer } from './feedback-timer.ts';
import type { FeedbackOptions } from './options.ts';
import { FEEDBACK_OPTION_RULES, LARGEST_FEEDBACK } from './options.ts';

/** Deltas count in 250 µs, reference times in 64 ms. */
const TICKS_PER_MILLISECOND = 4;
const TICKS_PER_REFERENCE = 256;

/** Records the packets of a connection by their transport-wide sequence numbers, and tells the peer of them. */
export class ArrivalRecorder {
  readonly counters: Counters<(typeof ARRIVAL_COUNTERS)[number]> = new Counters(ARRIVAL_COUNTERS);
  readonly #log: ArrivalLog;
  readonly #timer: FeedbackTimer;
  #mediaSsrc = 0;
  #feedbackCount = 0;

  /** Throws `ERR_BAD_ARGUMENT` for an option that is out of its range. */
  constructor(options: FeedbackOptions = {}) {
    checkOptions('ArrivalRecorder', options, FEEDBACK_OPTION_RULES);
    this.#log = new ArrivalLog(options.maxArrivals ?? 8192, this.counters);
    this.#timer = new FeedbackTimer(options);
  }

  /**
   * A packet has come, authentic.
   * @param transportSequence 16 bits
   * @param mediaSsrc its source: the feedback names the last
   * @param size its bytes, by which feedback is given more often where much comes
   */
  record(transportSequence: number, mediaSsrc: number, now: number, size = 0): void {
    if (!this.#log.record(transportSequence, now, 0)) return;
    this.#mediaSsrc = mediaSsrc;
    this.#timer.arm(size, now);
  }

  /** When feedback is due; `Infinity`: there is nothing to tell. */
  nextTimeout(): number {
    return this.#timer.at;
  }

  /** Feedback that is due; ask until `undefined`: what does not fit one packet is in the next. @param senderSsrc who says it */
  pollFeedback(senderSsrc: number, now: number): TransportFeedback | undefined {
    if (now < this.#timer.at) return undefined;
    const first = this.#log.next;
    const told = this.#deltas(first);
    this.#log.told(first + told.deltas.length - 1);
    if (this.#log.untold === 0) this.#timer.rest(now);
    const feedbackCount = this.#feedbackCount;
    this.#feedbackCount = (feedbackCount + 1) & 0xff;
    return {
      type: 'transport-feedback',
      senderSsrc,
      mediaSsrc: this.#mediaSsrc,
      baseSequenceNumber: first & 0xffff,
      referenceTime: signed24(told.reference),
      feedbackCount,
      deltas: told.deltas,
    };
  }

  /** Sizes and times, plain. */
  inspect(): object {
    const { untold, capacity } = this.#log;
    return { untold, capacity, interval: this.#timer.interval, counters: this.counters.snapshot() };
  }

  /**
   * What there is to tell from `first` on, up to a packet that came: what fits, or until two packets lie so far apart that no delta says it.
   * Times are rounded before they are subtracted, so that no error adds up.
   */
  #deltas(first: number): { readonly reference: number; readonly deltas: (number | null)[] } {
    const deltas: (number | null)[] = [];
    let reference = 0;
    let before: number | undefined;
    let room = LARGEST_FEEDBACK;
    let end = 0;
    for (let sequence = first; sequence <= this.#log.highest; sequence++) {
      const arrival = this.#log.arrivalOf(sequence);
      if (Number.isNaN(arrival)) {
        deltas.push(null);
        continue;
      }
      const tick = Math.round(arrival * TICKS_PER_MILLISECOND);
      if (before === undefined) {
        reference = Math.floor(tick / TICKS_PER_REFERENCE);
        before = reference * TICKS_PER_REFERENCE;
      }
      const delta = tick - before;
      room -= cost(delta, deltas.length - end);
      if (room < 0 || delta < -0x8000 || delta > 0x7fff) break;
      deltas.push(delta);
      before = tick;
      end = deltas.length;
    }
    deltas.length = end;
    return { reference, deltas };
  }
}

/** Bytes at the most of a delta, and of the chunks of it and of the `missing` packets in front of it. */
function cost(delta: number, missing: number): number {
  const chunks = missing < 14 ? (2 / 7) * (missing + 1) : 4;
  return chunks + (delta >= 0 && delta <= 0xff ? 1 : 2);
}

/** The low 24 bits, the highest one as a sign. */
function signed24(value: number): number {
  return ((value % 0x100_0000) << 8) >> 8;
}
