/**
 * CongestionRecorder: congestion control feedback, as the receiver of packets gives it (RFC 8888), by the sequence numbers of each stream.
 *
 *     record, record, … ─▶ an interval later ─▶ pollFeedback: of each stream what has come since, and what has not
 */
import { Counters } from '../../core/counters.ts';
import { checkOptions } from '../../core/options.ts';
import type { CongestionFeedback } from '../../rtp/index.ts';
import type { ArrivalCounter } from './arrival-log.ts';
import { ARRIVAL_COUNTERS, ArrivalLog } from './arrival-log.ts';
import { FeedbackTimer } from './feedback-timer.ts';
import type { FeedbackOptions } from './options.ts';
import { FEEDBACK_OPTION_RULES, LARGEST_FEEDBACK } from './options.ts';

type Stream = CongestionFeedback['streams'][number];

/** Arrival times that are none: before what 13 bits can say, and after the report (RFC 8888 §3.1). */
const TOO_OLD = 0x1ffe;
const UNKNOWN = 0x1fff;

const STREAM_HEADER = 8;

/** Packets of one stream that are remembered until they have been told of. One that did not come costs two bytes of feedback as well. */
const MAX_STREAM_ARRIVALS = 2048;

const COUNTERS = [
  ...ARRIVAL_COUNTERS,
  /** Packets of a stream beyond `maxStreams`. */
  'surplusStreamArrivals',
] as const;

/** Records the packets of a connection by SSRC and sequence number, and tells the peer of them. */
export class CongestionRecorder {
  readonly counters: Counters<ArrivalCounter | 'surplusStreamArrivals'> = new Counters(COUNTERS);
  readonly #logs = new Map<number, ArrivalLog>();
  readonly #timer: FeedbackTimer;
  readonly #maxArrivals: number;
  readonly #maxStreams: number;
  /** Packets that this interval may still tell of, over all streams. */
  #left: number;

  /** Throws `ERR_BAD_ARGUMENT` for an option that is out of its range. */
  constructor(options: FeedbackOptions = {}) {
    checkOptions('CongestionRecorder', options, FEEDBACK_OPTION_RULES);
    this.#timer = new FeedbackTimer(options);
    this.#maxArrivals = this.#left = options.maxArrivals ?? 8192;
    this.#maxStreams = options.maxStreams ?? 64;
  }

  /**
   * A packet has come, authentic.
   * @param size its bytes, by which feedback is given more often where much comes
   * @param ecn two bits, as they came
   */
  record(ssrc: number, sequenceNumber: number, now: number, size = 0, ecn = 0): void {
    const log = this.#logs.get(ssrc) ?? this.#addLog(ssrc);
    if (log === undefined) this.counters.add('surplusStreamArrivals');
    else if (log.record(sequenceNumber, now, ecn)) this.#timer.arm(size, now);
  }

  /** A stream is over: nothing is told of it any more. */
  forget(ssrc: number): void {
    this.#logs.delete(ssrc);
  }

  /** Nothing is told any more of streams that are not among these, by SSRC. */
  retain(streams: ReadonlyMap<number, unknown>): void {
    for (const ssrc of this.#logs.keys()) if (!streams.has(ssrc)) this.#logs.delete(ssrc);
  }

  /** When feedback is due; `Infinity`: there is nothing to tell. */
  nextTimeout(): number {
    return this.#timer.at;
  }

  /**
   * Feedback that is due; ask until `undefined`: what does not fit one packet is in the next. Beyond `maxArrivals` an interval packets are
   * passed over: a peer that leaves out numbers would be told of each.
   * @param senderSsrc who says it
   * @param reportTimestamp `now` as the middle 32 bits of NTP time, on the clock of this end's sender reports
   */
  pollFeedback(senderSsrc: number, reportTimestamp: number, now: number): CongestionFeedback | undefined {
    if (now < this.#timer.at) return undefined;
    const streams: Stream[] = [];
    let room = LARGEST_FEEDBACK;
    let isAll = true;
    for (const [ssrc, log] of this.#logs) {
      if (log.untold <= 0) continue;
      if (this.#left === 0) this.#passOver(log);
      const most = Math.min(Math.floor((room - STREAM_HEADER) / 4) * 2, this.#left);
      if (most > 0) {
        const stream = streamOf(ssrc, log, most, now);
        streams.push(stream);
        room -= STREAM_HEADER + 4 * Math.ceil(stream.packets.length / 2);
        this.#left -= stream.packets.length;
      }
      if (log.untold > 0) {
        isAll = false;
        break;
      }
    }
    if (isAll) this.#rest(now);
    if (streams.length === 0) return undefined;
    return { type: 'congestion-feedback', senderSsrc, reportTimestamp, streams };
  }

  /** Sizes and times, plain. */
  inspect(): object {
    const streams = [...this.#logs].map(([ssrc, { untold, capacity }]) => ({ ssrc, untold, capacity }));
    return { streams, interval: this.#timer.interval, counters: this.counters.snapshot() };
  }

  #passOver(log: ArrivalLog): void {
    this.counters.add('untoldArrivals', log.untold);
    log.told(log.highest);
  }

  #rest(now: number): void {
    this.#timer.rest(now);
    this.#left = this.#maxArrivals;
  }

  #addLog(ssrc: number): ArrivalLog | undefined {
    if (this.#logs.size >= this.#maxStreams) return undefined;
    const log = new ArrivalLog(Math.min(this.#maxArrivals, MAX_STREAM_ARRIVALS), this.counters);
    this.#logs.set(ssrc, log);
    return log;
  }
}

/** The next packets of a stream, `most` of them at the most. */
function streamOf(ssrc: number, log: ArrivalLog, most: number, now: number): Stream {
  const first = log.next;
  const end = Math.min(log.highest + 1, first + most);
  const packets: Stream['packets'][number][] = [];
  for (let sequence = first; sequence < end; sequence++) {
    const arrival = log.arrivalOf(sequence);
    packets.push(
      Number.isNaN(arrival) ? null : { ecn: log.markOf(sequence), arrivedBefore: offset(now - arrival) },
    );
  }
  log.told(end - 1);
  return { ssrc, firstSequenceNumber: first & 0xffff, packets };
}

/** In 1/1024 s; what is larger than the largest that can be said is too old, however little (RFC 8888 §3.1). */
function offset(milliseconds: number): number {
  if (milliseconds < 0) return UNKNOWN;
  const units = milliseconds * 1.024;
  return units > TOO_OLD - 1 ? TOO_OLD : Math.round(units);
}
