/**
 * Arrivals: which packets of the peer's have come, and the feedback on them that their media have agreed on.
 *
 *     transport-cc ─ by a transport-wide sequence number, of whatever source ─▶ transport-wide feedback
 *     ack ccfb ───── by SSRC and sequence number, of sources that are bound ──▶ congestion control feedback (RFC 8888)
 *
 * Feedback that is due waits for a poll, and is no deadline any more.
 */
import type { RtcpPacket } from '../../rtp/index.ts';
import { middleOf, ntpOf } from '../../rtp/index.ts';
import { ArrivalRecorder } from '../feedback/arrival-recorder.ts';
import { CongestionRecorder } from '../feedback/congestion-recorder.ts';
import type { FeedbackOptions } from '../feedback/options.ts';

/** Its waits. */
export type ArrivalTimer = 'transportFeedback' | 'congestionFeedback';

/** All packets of one path. Times are milliseconds on the caller's clock. */
export class Arrivals {
  readonly #transport: ArrivalRecorder;
  readonly #congestion: CongestionRecorder;
  readonly #ntpOffset: number;
  /** It was due, and has not been polled since. */
  #isDue = false;

  /** @param ntpOffset what is added to the clock for NTP time, ms */
  constructor(options: FeedbackOptions, ntpOffset: number) {
    this.#transport = new ArrivalRecorder(options);
    this.#congestion = new CongestionRecorder(options);
    this.#ntpOffset = ntpOffset;
  }

  /** A packet of `size` bytes has come that has a transport-wide sequence number. */
  recordTransportWide(transportSequence: number, ssrc: number, now: number, size: number): void {
    this.#transport.record(transportSequence, ssrc, now, size);
  }

  /** A packet of `size` bytes has come whose media have agreed on RFC 8888. No socket tells how it was marked: ECN is 0 (§3.1). */
  recordOfStream(ssrc: number, sequenceNumber: number, now: number, size: number): void {
    this.#congestion.record(ssrc, sequenceNumber, now, size);
  }

  /** `Infinity`: there is nothing to tell, or it waits for `poll`. */
  nextTimeout(): number {
    if (this.#isDue) return Infinity;
    return Math.min(this.#transport.nextTimeout(), this.#congestion.nextTimeout());
  }

  /** Which of its waits that is. */
  timeoutReason(): ArrivalTimer {
    const isTransport = this.#transport.nextTimeout() <= this.#congestion.nextTimeout();
    return isTransport ? 'transportFeedback' : 'congestionFeedback';
  }

  /** What is due waits for a poll and not for time any more. */
  handleTimeout(now: number): void {
    if (this.nextTimeout() <= now) this.#isDue = true;
  }

  /**
   * Feedback that is due; ask until `undefined`.
   * @param senderSsrc who says it
   * @param heard the sources that there are: nothing is told of others any more
   */
  poll(senderSsrc: number, heard: ReadonlyMap<number, unknown>, now: number): RtcpPacket | undefined {
    this.#isDue = false;
    const feedback =
      this.#transport.pollFeedback(senderSsrc, now) ?? this.#pollCongestion(senderSsrc, heard, now);
    this.handleTimeout(now);
    return feedback;
  }

  /** Sizes and times, plain. */
  inspect(): { readonly transport: object; readonly congestion: object } {
    return { transport: this.#transport.inspect(), congestion: this.#congestion.inspect() };
  }

  #pollCongestion(
    senderSsrc: number,
    heard: ReadonlyMap<number, unknown>,
    now: number,
  ): RtcpPacket | undefined {
    if (now < this.#congestion.nextTimeout()) return undefined;
    this.#congestion.retain(heard);
    const { seconds, fraction } = ntpOf(Math.max(0, now + this.#ntpOffset));
    return this.#congestion.pollFeedback(senderSsrc, middleOf(seconds, fraction), now);
  }
}
