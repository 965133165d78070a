/**
 * Retransmission: when a flight goes out again, and in datagrams of which size (RFC 6347 §4.2.4, RFC 9147 §5.8).
 *
 *     a flight begins → dtlsRetransmit ─fires→ the flight again, in twice the time
 *                         │ the peer repeats what the flight answers, or acknowledges a part: the flight again, the time anew
 *                         └ the answer begins: done
 *
 * The peer's repetitions are small and easily forged, and a flight is large: they are answered only once in a while.
 *
 * ICE's round trip says how far the peer is, and not how busy: of five hundred that shake hands at once the last waits a second
 * for an answer that takes a millisecond to travel. Repeating what is not lost makes that two. So a flight's answer says how long the
 * next one may take (RFC 9147 §5.8.2), and a timer that fires late repeats nothing yet: this host has been busy itself, and the answer
 * may wait in its socket.
 */
import type { TimerTable } from '../core/timers.ts';
import type { DtlsCounters } from './counting.ts';
import type { Flight } from './flight.ts';
import type { DtlsConfiguration } from './options.ts';
import { MAX_RETRANSMIT_TIMEOUT } from './options.ts';
import type { DtlsTimer } from './states.ts';

/** Repetitions of what a flight answers make it go out again at most once in this share of the first timeout. */
const REPETITION_INTERVAL = 1 / 4;
/** Repetitions of a flight after which its datagrams are made small, and how small: what every IPv4 path carries. */
const PATIENCE = 2;
const CAUTIOUS_MTU = 548;
/** A timer that fires so much later than it should, as a share of its time, is late. */
const LATE = 1 / 8;
/** RFC 9147 §5.8.2: "1.5 times the measured round trip time". */
const PER_ROUND_TRIP = 1.5;
/** Times of transmissions remembered, the latest: in twice the time for each, these are seconds. */
const MAX_SENT = 8;

/** The repetitions of one association, and what goes out of its handshake in all. */
export class Retransmission {
  readonly #configuration: DtlsConfiguration;
  readonly #flight: Flight;
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #counters: DtlsCounters;
  /** Doubles with every retransmission of a flight, in ms. */
  #timeout: number;
  /** What a flight's begins with: the configured one, or longer if the peer has been seen to take longer. */
  #first: number;
  /** When the flight went out, each time. */
  readonly #sentAt: number[] = [];
  /** When `dtlsRetransmit` is due, and whether it has been late before: once is excused. */
  #dueAt = Infinity;
  #wasLate = false;
  /** Times a flight with a datagram above `CAUTIOUS_MTU` was repeated; after `PATIENCE`, datagrams stay small for good. */
  #repeats = 0;
  #hasLargeDatagrams = false;
  /** When the flight was last repeated, in ms. */
  #repeatedAt = -Infinity;
  /** All that has gone out of the handshake, ACKs included. */
  #datagramsSent = 0;
  #bytesSent = 0;

  constructor(
    configuration: DtlsConfiguration,
    flight: Flight,
    timers: TimerTable<DtlsTimer>,
    counters: DtlsCounters,
  ) {
    this.#configuration = configuration;
    this.#flight = flight;
    this.#timers = timers;
    this.#counters = counters;
    this.#timeout = configuration.retransmitTimeout;
    this.#first = configuration.retransmitTimeout;
  }

  get datagramsSent(): number {
    return this.#datagramsSent;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Milliseconds. */
  get timeout(): number {
    return this.#timeout;
  }

  /**
   * RFC 6347 §4.1.1.1, RFC 9147 §4.4: "If repeated retransmissions do not result in a response, and the PMTU is unknown,
   * subsequent retransmissions SHOULD back off to a smaller record size".
   */
  get mtu(): number {
    const { mtu } = this.#configuration;
    return this.#repeats < PATIENCE ? mtu : Math.min(mtu, CAUTIOUS_MTU);
  }

  /** A flight has begun: it may be repeated when it is asked for. */
  begin(): void {
    this.#repeatedAt = -Infinity;
  }

  /**
   * The answer to the flight has begun to come. To which of its transmissions, nobody knows (RFC 6298 §3): not to one that is younger
   * than the path is long, so to the one before at the latest, and that is taken.
   */
  noteAnswer(now: number): void {
    if (this.#sentAt.length === 0) return;
    const { retransmitTimeout, leastAnswerTime } = this.#configuration;
    let asked = now;
    for (const at of this.#sentAt) if (now - at >= leastAnswerTime || asked === now) asked = at;
    this.#sentAt.length = 0;
    this.#first = Math.min(
      MAX_RETRANSMIT_TIMEOUT,
      Math.max(retransmitTimeout, (now - asked) * PER_ROUND_TRIP),
    );
  }

  /** The flight waits for its answer, with the first timeout again. */
  awaitAnswer(now: number): void {
    this.#hasLargeDatagrams = false;
    if (this.#repeats < PATIENCE) this.#repeats = 0;
    this.#timeout = this.#first;
    this.#sentAt.length = 0;
    if (!this.#flight.awaited) {
      this.end();
    } else {
      this.#sentAt.push(now);
      this.#arm(now, this.#timeout);
    }
  }

  /** The answer has begun, or nothing waits for one. */
  end(): void {
    this.#timers.disarm('dtlsRetransmit');
  }

  /** A datagram of `length` bytes goes out. */
  noteDatagram(length: number): void {
    this.#datagramsSent++;
    this.#bytesSent += length;
    this.#hasLargeDatagrams ||= length > CAUTIOUS_MTU;
  }

  /** `dtlsRetransmit` has fired: the flight goes out once more and the timeout doubles (RFC 6347 §4.2.4.1). */
  handleTimeout(now: number): void {
    const delay = now - this.#dueAt;
    if (delay > this.#timeout * LATE && !this.#wasLate) {
      this.#wasLate = true;
      this.#counters.add('retransmissionsDeferred');
      this.#dueAt = now + Math.min(delay, this.#timeout);
      this.#timers.arm('dtlsRetransmit', this.#dueAt);
      return;
    }
    this.#counters.add('retransmissions');
    this.#repeat(now);
    this.#timeout = Math.min(this.#timeout * 2, MAX_RETRANSMIT_TIMEOUT);
    this.#arm(now, this.#timeout);
  }

  /** The peer has repeated what the flight answers. */
  handleRepetition(now: number): void {
    if (now - this.#repeatedAt < this.#configuration.retransmitTimeout * REPETITION_INTERVAL) {
      this.#counters.add('repetitionsSuppressed');
    } else {
      this.repeat(now);
    }
  }

  /** RFC 6347 §4.2.4: in WAITING, a repetition of the peer's flight is answered with ours; the timer starts over. */
  repeat(now: number): void {
    if (this.#flight.pending) return;
    this.#counters.add('repetitions');
    this.#repeat(now);
    if (this.#timers.isArmed('dtlsRetransmit')) this.#arm(now, this.#timeout);
  }

  #arm(now: number, timeout: number): void {
    this.#wasLate = false;
    this.#dueAt = now + timeout;
    this.#timers.arm('dtlsRetransmit', this.#dueAt);
  }

  #repeat(now: number): void {
    this.#repeatedAt = now;
    this.#sentAt.push(now);
    if (this.#sentAt.length > MAX_SENT) this.#sentAt.shift();
    if (this.#hasLargeDatagrams) this.#repeats++;
    this.#flight.repeat();
  }
}
