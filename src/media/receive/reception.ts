/**
 * Reception: how one source is received, as report blocks tell its sender: loss (RFC 3550 A.3), jitter (A.8), and the time since
 * its last report (§6.4.1).
 *
 * What has been sent again is none of it: a packet that the path lost stays lost here, for it is by this that the sender judges
 * the path. One that is sent again as it was, in its own stream, cannot be told from a late one and counts as come.
 */
import type { ReportBlock, SenderReport } from '../../rtp/index.ts';
import { middleOf } from '../../rtp/index.ts';

/** Cumulative loss is a signed number of 24 bits (RFC 3550 §6.4.1). */
const MAX_LOST = 0x7f_ffff;
const MIN_LOST = -0x80_0000;

/** Unwrapped sequence numbers begin with one full circle, which is none of the cycles of a report. */
const FIRST_CIRCLE = 0x1_0000;

/** What the last sender report said, and when it came. */
export interface LastSenderReport {
  readonly report: SenderReport;
  readonly receivedAt: number;
  /** How many have come. */
  readonly count: number;
}

/** Loss and jitter of one source. */
export class Reception {
  /** Interarrival jitter in units of the timestamp. */
  jitter = 0;
  lastReport: LastSenderReport | undefined;
  /** Packets that were expected before the first: none, or what was left out at a new beginning. */
  #base = -1;
  #highest = -1;
  #received = 0;
  /** As they were at the last report. */
  #expectedBefore = 0;
  #receivedBefore = 0;
  #isHeard = false;
  #transit = 0;
  #clockRate = 0;

  /** Packets expected and not received; negative is not possible, as duplicates are not counted. */
  get packetsLost(): number {
    return this.#expected - this.#received;
  }

  /** Something has come since the last report block. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** The source has begun anew between these two: the numbers between them were never sent. */
  skip(before: number, sequence: number): void {
    this.#base += sequence - before - 1;
  }

  /** A packet has come, by its unwrapped number. */
  take(sequence: number): void {
    if (this.#base < 0 || sequence < this.#base) this.#base = sequence;
    if (sequence > this.#highest) this.#highest = sequence;
    this.#received++;
    this.#isHeard = true;
  }

  /** A packet was sent again and is now the latest: it was expected. */
  expect(sequence: number): void {
    if (sequence > this.#highest) this.#highest = sequence;
  }

  /** The timestamp of a packet that came in its order. Codecs of one stream may have different clocks (RFC 7160). */
  measureJitter(timestamp: number, clockRate: number, now: number): void {
    const transit = ((now * clockRate) / 1000 - timestamp) % 0x1_0000_0000;
    if (clockRate === this.#clockRate) {
      // The difference on the circle, for timestamps wrap.
      const difference = Math.abs(Math.round(transit - this.#transit) | 0);
      this.jitter += (difference - this.jitter) / 16;
    }
    this.#transit = transit;
    this.#clockRate = clockRate;
  }

  takeSenderReport(report: SenderReport, now: number): void {
    this.lastReport = { report, receivedAt: now, count: (this.lastReport?.count ?? 0) + 1 };
  }

  /** The block of the interval that ends here. */
  reportBlock(ssrc: number, now: number): ReportBlock {
    const expected = this.#expected - this.#expectedBefore;
    const lost = expected - (this.#received - this.#receivedBefore);
    this.#expectedBefore = this.#expected;
    this.#receivedBefore = this.#received;
    this.#isHeard = false;
    const { lastReport } = this;
    return {
      ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      packetsLost: Math.max(MIN_LOST, Math.min(MAX_LOST, this.packetsLost)),
      highestSequenceNumber: (this.#highest - FIRST_CIRCLE) >>> 0,
      jitter: Math.floor(this.jitter) >>> 0,
      lastSenderReport:
        lastReport === undefined ? 0 : middleOf(lastReport.report.ntpSeconds, lastReport.report.ntpFraction),
      delaySinceLastSenderReport:
        lastReport === undefined ? 0 : Math.round(((now - lastReport.receivedAt) * 65_536) / 1000) >>> 0,
    };
  }

  get #expected(): number {
    return this.#base < 0 ? 0 : this.#highest - this.#base + 1;
  }
}
