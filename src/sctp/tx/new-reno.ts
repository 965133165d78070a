/**
 * The congestion control of RFC 9260 §7.2, driven by loss:
 *
 *   slow start (window ≤ threshold) → congestion avoidance → loss: halve · time-out: one packet, slow start again
 *
 * It carries about 1.22 · mtu / (RTT · √loss), whatever the path could: 1.6 Mbit/s at 100 ms and 1 %.
 */
import type { AckSample, CongestionController, CongestionOptions, LossSample } from './congestion.ts';

/** Packets' worth of growth one SACK may bring in slow start: SACKs come late and for many packets at once. */
const SLOW_START_LIMIT = 10;
/** RFC 9260 §7.2.3: the threshold never falls below this many packets. */
const MIN_THRESHOLD = 4;

/** The congestion control of RFC 9260 §7. */
export class NewReno implements CongestionController {
  window: number;
  readonly pacingRate: number = Infinity;
  #threshold = Infinity;
  #partialBytesAcked = 0;
  #mtu: number;

  constructor(options: CongestionOptions) {
    this.#mtu = options.mtu;
    this.window = options.initialWindow;
  }

  onAcknowledged(ack: AckSample): void {
    // RFC 9260 §7.2.1: a window that was not used is not known to be safe.
    if (!ack.advanced || ack.recovering || !ack.windowLimited) return;
    if (this.window <= this.#threshold) {
      this.window += Math.min(ack.ackedBytes, SLOW_START_LIMIT * this.#mtu);
      return;
    }
    this.#partialBytesAcked += ack.ackedBytes;
    if (this.#partialBytesAcked < this.window) return;
    this.#partialBytesAcked -= this.window;
    this.window += this.#mtu;
  }

  onLost(loss: LossSample): void {
    if (!loss.startsRecovery) return;
    this.#threshold = Math.max(this.window / 2, MIN_THRESHOLD * this.#mtu);
    this.window = this.#threshold;
    this.#partialBytesAcked = 0;
  }

  onTimeout(): void {
    this.#threshold = Math.max(this.window / 2, MIN_THRESHOLD * this.#mtu);
    this.window = this.#mtu;
    this.#partialBytesAcked = 0;
  }

  onPathChange(): void {
    this.onTimeout();
  }

  setMtu(bytes: number): void {
    this.#mtu = bytes;
    this.window = Math.max(this.window, bytes);
  }

  inspect(): Record<string, number | string> {
    return {
      controller: 'new-reno',
      window: this.window,
      threshold: Math.min(this.#threshold, Number.MAX_SAFE_INTEGER),
    };
  }
}
