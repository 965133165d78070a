/**
 * Retransmission: when a flight goes out again, and in datagrams of which size (RFC 6347 §4.2.4, RFC 9147 §5.8).
 *
 *     a flight begins → dtlsRetransmit ─fires→ the flight again, in twice the time
 *                         │ the peer repeats what the flight answers, or acknowledges a part: the flight again, the time anew
 *                         └ the answer begins: done
 *
 * The peer's repetitions are small and easily forged, and a flight is large: they are answered only once in a while.
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

/** The repetitions of one association, and what goes out of its handshake in all. */
export class Retransmission {
  readonly #configuration: DtlsConfiguration;
  readonly #flight: Flight;
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #counters: DtlsCounters;
  /** Doubles with every retransmission of a flight, in ms. */
  #timeout: number;
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

  /** The flight waits for its answer, with the first timeout again. */
  awaitAnswer(now: number): void {
    this.#hasLargeDatagrams = false;
    if (this.#repeats < PATIENCE) this.#repeats = 0;
    this.#timeout = this.#configuration.retransmitTimeout;
    if (!this.#flight.awaited) this.end();
    else this.#timers.arm('dtlsRetransmit', now + this.#timeout);
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
    this.#counters.add('retransmissions');
    this.#repeat(now);
    this.#timeout = Math.min(this.#timeout * 2, MAX_RETRANSMIT_TIMEOUT);
    this.#timers.arm('dtlsRetransmit', now + this.#timeout);
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
    if (this.#timers.isArmed('dtlsRetransmit')) this.#timers.arm('dtlsRetransmit', now + this.#timeout);
  }

  #repeat(now: number): void {
    this.#repeatedAt = now;
    if (this.#hasLargeDatagrams) this.#repeats++;
    this.#flight.repeat();
  }
}
