/** Reports on one source: what it has sent, for sender reports, and what the peer's report blocks say of it (RFC 3550 §6.4). */
import type { ReportBlock, SenderReport } from '../../rtp/index.ts';
import { MIDDLE_UNITS, middleOf, ntpOf } from '../../rtp/index.ts';
import type { SentStreamStats } from '../stats.ts';

/** A round trip beyond it is none, milliseconds. */
const MAX_ROUND_TRIP = 60_000;

/** Seconds that a packet may be behind the latest one; further back time has begun anew. */
const MAX_LATE = 10;

/** The timestamp of a moment, from which others follow. */
interface Moment {
  timestamp: number;
  at: number;
  clockRate: number;
}

/** What a source has sent. */
export class SenderInfo {
  /** Packets and bytes of payload, as RFC 3550 counts them: of this source alone. */
  packets = 0;
  octets = 0;
  #reported = 0;
  /** The latest timestamp, and when the first packet that has it was sent. */
  #latest: Moment | undefined;

  /** A packet of its own has been sent. */
  count(octets: number): void {
    this.packets++;
    this.octets += octets;
  }

  /** The clock of what it sends: `timestamp`, whose low 32 bits count, was sent at `now`. */
  tick(timestamp: number, clockRate: number, now: number): void {
    const latest = this.#latest;
    if (latest === undefined) {
      this.#latest = { timestamp, at: now, clockRate };
      return;
    }
    const ahead = (timestamp - latest.timestamp) | 0;
    const isLate = ahead <= 0 && ahead > -MAX_LATE * clockRate;
    if (isLate && latest.clockRate === clockRate) return;
    latest.timestamp = timestamp;
    latest.at = now;
    latest.clockRate = clockRate;
  }

  /** The timestamp that a packet of `now` would have, 32 bits; `undefined` before the first packet. */
  timestampAt(now: number): number | undefined {
    const latest = this.#latest;
    if (latest === undefined) return undefined;
    return (latest.timestamp + Math.round(((now - latest.at) * latest.clockRate) / 1000)) >>> 0;
  }

  /** There is no report on what has been sent so far: nothing follows a BYE. */
  settle(): void {
    this.#reported = this.packets;
  }

  /** A sender report without blocks; `undefined`: nothing has been sent since the last one. */
  report(ssrc: number, ntpTime: number, now: number): SenderReport | undefined {
    const rtpTimestamp = this.timestampAt(now);
    if (rtpTimestamp === undefined || this.packets === this.#reported) return undefined;
    this.#reported = this.packets;
    const { seconds, fraction } = ntpOf(ntpTime);
    return {
      type: 'sender-report',
      ssrc,
      ntpSeconds: seconds,
      ntpFraction: fraction,
      rtpTimestamp,
      packetCount: this.packets >>> 0,
      octetCount: this.octets >>> 0,
      reports: [],
    };
  }
}

/** What the peer's report blocks say of a source. */
export class RemoteReports {
  #last: ReportBlock | undefined;
  /** Seconds. */
  #roundTripTime: number | undefined;
  #totalRoundTripTime = 0;
  #measurements = 0;

  /**
   * Takes a block that has come at `ntpTime`.
   * @returns the round trip in milliseconds; `undefined`: it tells none; -1: it tells one that cannot be
   */
  take(block: ReportBlock, ntpTime: number): number | undefined {
    this.#last = block;
    if (block.lastSenderReport === 0) return undefined;
    const { seconds, fraction } = ntpOf(ntpTime);
    const elapsed = (middleOf(seconds, fraction) - block.lastSenderReport) | 0;
    const units = elapsed - block.delaySinceLastSenderReport;
    const roundTrip = (units * 1000) / MIDDLE_UNITS;
    // Clocks of different rates and roundings may take it a little below 0 on a short path.
    if (roundTrip < -10 || roundTrip > MAX_ROUND_TRIP) return -1;
    const measured = Math.max(roundTrip, 0);
    this.#roundTripTime = measured / 1000;
    this.#totalRoundTripTime += measured / 1000;
    this.#measurements++;
    return measured;
  }

  /** @param first the first sequence number that was sent */
  stats(first: number, clockRate: number): SentStreamStats['remote'] {
    const last = this.#last;
    if (last === undefined) return undefined;
    const expected = last.highestSequenceNumber - (first & 0xffff) + 1;
    return {
      packetsLost: last.packetsLost,
      fractionLost: last.fractionLost / 256,
      jitter: last.jitter / clockRate,
      roundTripTime: this.#roundTripTime,
      totalRoundTripTime: this.#totalRoundTripTime,
      roundTripTimeMeasurements: this.#measurements,
      packetsReceived: Math.max(0, expected - last.packetsLost),
    };
  }
}
