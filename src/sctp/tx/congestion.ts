/**
 * Congestion control (RFC 9260 §7) behind a small interface: bytes and losses in, one window out.
 *
 *   slow start (window ≤ threshold) → congestion avoidance → loss: halve · time-out: one packet, slow start again
 */
export interface CongestionController {
  /** Bytes that may be in flight. */
  readonly window: number;
  /**
   * Bytes were acknowledged outside of fast recovery, and the cumulative TSN advanced. `limited`: they were sent while the
   * window was what held the sender back.
   */
  onAcknowledged(bytes: number, limited: boolean): void;
  /** A loss was detected by gap reports; once a window. */
  onLoss(): void;
  /** T3-rtx expired. */
  onTimeout(): void;
  /** Bytes of chunks in a full packet have changed. */
  setMtu(bytes: number): void;
  /** Numbers for inspection. */
  inspect(): Record<string, number>;
}

/** `mtu`: bytes of chunks a full packet carries; `initialWindow` in bytes. */
export interface CongestionOptions {
  readonly mtu: number;
  readonly initialWindow: number;
}

/** Packets' worth of growth one SACK may bring in slow start: SACKs come late and for many packets at once. */
const SLOW_START_LIMIT = 10;
/** RFC 9260 §7.2.3: the threshold never falls below this many packets. */
const MIN_THRESHOLD = 4;

export class NewReno implements CongestionController {
  window: number;
  #threshold = Infinity;
  #partialBytesAcked = 0;
  #mtu: number;

  constructor(options: CongestionOptions) {
    this.#mtu = options.mtu;
    this.window = options.initialWindow;
  }

  onAcknowledged(bytes: number, limited: boolean): void {
    // RFC 9260 §7.2.1: a window that was not used is not known to be safe.
    if (!limited) return;
    if (this.window <= this.#threshold) {
      this.window += Math.min(bytes, SLOW_START_LIMIT * this.#mtu);
      return;
    }
    this.#partialBytesAcked += bytes;
    if (this.#partialBytesAcked < this.window) return;
    this.#partialBytesAcked -= this.window;
    this.window += this.#mtu;
  }

  onLoss(): void {
    this.#threshold = Math.max(this.window / 2, MIN_THRESHOLD * this.#mtu);
    this.window = this.#threshold;
    this.#partialBytesAcked = 0;
  }

  onTimeout(): void {
    this.#threshold = Math.max(this.window / 2, MIN_THRESHOLD * this.#mtu);
    this.window = this.#mtu;
    this.#partialBytesAcked = 0;
  }

  setMtu(bytes: number): void {
    this.#mtu = bytes;
  }

  inspect(): Record<string, number> {
    return { window: this.window, threshold: Math.min(this.#threshold, Number.MAX_SAFE_INTEGER) };
  }
}
