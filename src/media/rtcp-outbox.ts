/**
 * RtcpOutbox: RTCP packets of one connection that wait to be sent, and how they are put together to datagrams.
 *
 *   report      SR or RR │ SDES with the CNAME │ what else is due          (RFC 3550 §6.1)
 *   feedback    alone, where both ends take reduced size (RFC 5506); otherwise behind an empty RR and a CNAME
 *   farewell    RR │ SDES │ BYE
 */
import type { Bytes } from '../core/bytes.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { ReceiverReport, RtcpPacket, SenderReport, SourceDescription } from '../rtp/index.ts';
import { rtcpLength, writeRtcp } from '../rtp/index.ts';

/** Feedback that waits at the most: a handful comes of each drain, and each is sent by the next. */
const MAX_WAITING = 256;

/** Reports that do: one a source that sends. */
const MAX_REPORTS = 1024;

/** Sources in one BYE (RFC 3550 §6.6: five bits of count). */
const MAX_BYES = 31;

/** RTCP that waits to be sent. */
export class RtcpOutbox {
  readonly #ssrc: number;
  readonly #cname: string;
  /** Each begins a datagram, and others follow as they fit. */
  readonly #leading = new BoundedQueue<readonly RtcpPacket[]>(MAX_REPORTS);
  readonly #feedback = new BoundedQueue<RtcpPacket>(MAX_WAITING);
  /** Feedback may go without a report in front. */
  isReduced = false;
  /** What found no room. */
  dropped = 0;

  /** @param ssrc what feedback is signed with, and receiver reports */
  constructor(ssrc: number, cname: string) {
    this.#ssrc = ssrc;
    this.#cname = cname;
  }

  get size(): number {
    return this.#leading.size + this.#feedback.size;
  }

  /** Feedback of any kind. */
  push(packet: RtcpPacket): void {
    if (!this.#feedback.push(packet)) this.dropped++;
  }

  /** Reports, each with its CNAME in a datagram of its own, as 31 blocks fill one; what is further said stands with the first. */
  pushReports(reports: readonly (SenderReport | ReceiverReport)[], further: readonly RtcpPacket[]): void {
    const [first, ...others] = reports;
    const own: RtcpPacket = first ?? { type: 'receiver-report', ssrc: this.#ssrc, reports: [] };
    this.#lead([own, this.#description(first?.ssrc ?? this.#ssrc), ...further]);
    for (const report of others) this.#lead([report, this.#description(report.ssrc)]);
  }

  /** Sources that leave. */
  pushBye(ssrcs: readonly number[]): void {
    for (let from = 0; from < ssrcs.length; from += MAX_BYES) {
      this.#lead([...this.#emptyReport(), { type: 'bye', ssrcs: ssrcs.slice(from, from + MAX_BYES) }]);
    }
  }

  /** Writes the next datagram at `offset` of `into`, of `limit` bytes at the most: its length, 0 when there is none. */
  write(into: Bytes, offset: number, limit: number): number {
    let at = offset;
    const end = offset + limit;
    const report = this.#leading.shift();
    const leading = report ?? (this.#feedback.size > 0 ? this.#opening() : undefined);
    if (leading === undefined) return 0;
    for (const packet of leading) {
      if (at + rtcpLength(packet) > end) this.dropped++;
      else at += writeRtcp(packet, into, at);
    }
    const begin = at;
    for (let next = this.#feedback.peek(); next !== undefined; next = this.#feedback.peek()) {
      const length = rtcpLength(next);
      if (at + length > end) {
        // It goes with the next one, unless it fits into none: then it must not be in the way for ever.
        if (report !== undefined || at > begin) break;
        this.dropped++;
      } else at += writeRtcp(next, into, at);
      this.#feedback.shift();
    }
    return at - offset;
  }

  clear(): void {
    this.#leading.clear();
    this.#feedback.clear();
  }

  /** What a datagram of feedback begins with. */
  #opening(): readonly RtcpPacket[] {
    return this.isReduced ? [] : this.#emptyReport();
  }

  #emptyReport(): RtcpPacket[] {
    return [{ type: 'receiver-report', ssrc: this.#ssrc, reports: [] }, this.#description(this.#ssrc)];
  }

  #description(ssrc: number): SourceDescription {
    return { type: 'source-description', chunks: [{ ssrc, items: [{ type: 'cname', text: this.#cname }] }] };
  }

  #lead(packets: readonly RtcpPacket[]): void {
    if (!this.#leading.push(packets)) this.dropped++;
  }
}
