/**
 * The send window (RFC 9260 §6.1): the congestion window and the peer's, and the controller's pace or, without one, a burst.
 *
 *   mayStart(packet) → mayFly(chunk) … → spend(packet) → no more: `releaseAt`, if it is the pace that holds something back
 *   an acknowledgement → allowFor() · the application, a loss, a time-out → allowBurst()
 *
 * One packet may always go out while nothing is in flight, so that neither window can shut for ever (RFC 9260 §6.1 A).
 */
import { padded } from '../constants.ts';
import type { CongestionController } from './congestion.ts';
import type { Outstanding } from './outstanding.ts';

/**
 * Bytes a millisecond that a controller with a pace may reach unless the host says otherwise: a gigabit a second. Without it a
 * peer that acknowledges what has not arrived could raise the rate without end.
 */
const DEFAULT_MAX_RATE = 125_000;

/** The windows, the pace and the bursts that data goes out by. */
export class SendWindow {
  /** The a_rwnd of the last SACK, bytes. */
  peerWindow = 0;
  /** Bytes of chunks in a full packet, and of the largest chunk; both with headers. */
  chunkSpace: number;
  largestChunk: number;
  /** The pacer holds back what the windows would let out, until then; Infinity: it does not. */
  releaseAt: number = Infinity;
  /** RFC 9260 §7.2.4 (3): the first packet of a fast retransmission does not ask the window. */
  exempt = false;
  /** T3 has expired: one chunk may go out against a shut window (RFC 9260 §6.1 A, "zero window probe"). */
  windowProbe = false;
  readonly #outstanding: Outstanding;
  readonly #congestion: CongestionController;
  readonly #pacer: Pacer;
  readonly #ceiling: Pacer;
  readonly #maxBurst: number;
  readonly #maxRate: number | undefined;
  #burst: number;
  /** Chunks below this position went out while the congestion window held the sender back. */
  #limitedUntil = 0;

  constructor(
    outstanding: Outstanding,
    congestion: CongestionController,
    options: {
      readonly chunkSpace: number;
      readonly maxBurst: number;
      readonly maxRate?: number | undefined;
    },
  ) {
    this.#outstanding = outstanding;
    this.#congestion = congestion;
    this.#pacer = new Pacer(options.chunkSpace);
    this.#ceiling = new Pacer(options.chunkSpace);
    this.#maxBurst = options.maxBurst;
    this.#burst = options.maxBurst;
    this.#maxRate = options.maxRate;
    this.chunkSpace = options.chunkSpace;
    this.largestChunk = options.chunkSpace;
  }

  /** From now on a packet has room for `chunkSpace` bytes of chunks, and no chunk takes more than `largestChunk` of them. */
  setSpace(chunkSpace: number, largestChunk: number): void {
    if (chunkSpace !== this.chunkSpace) {
      this.#congestion.setMtu(chunkSpace);
      this.#pacer.setMtu(chunkSpace);
      this.#ceiling.setMtu(chunkSpace);
    }
    this.chunkSpace = chunkSpace;
    this.largestChunk = largestChunk;
  }

  /** The congestion window would take more than is in flight. */
  get hasRoom(): boolean {
    return this.#outstanding.flightBytes < this.#congestion.window;
  }

  /** True if the congestion window was what held back what comes after the cumulative TSN. */
  get wasLimited(): boolean {
    return this.#outstanding.cumulative < this.#limitedUntil;
  }

  /** A burst may start. */
  allowBurst(): void {
    this.#burst = Math.max(this.#burst, this.#maxBurst);
  }

  /**
   * What was acknowledged may be replaced, twice over while the window doubles; the burst on top bounds what a window
   * opened at once (after idling, after recovery) puts on the path in one go.
   */
  allowFor(ackedBytes: number): void {
    this.#burst += this.#maxBurst + 2 * Math.ceil(ackedBytes / this.chunkSpace);
  }

  /**
   * True when the ceiling allows a packet, and then the pacer, or without a pace the burst. The first packet of a recovery, and
   * one that follows nothing in flight, ask the ceiling alone: a peer that acknowledges at once leaves nothing in flight.
   */
  mayStart(now: number, waits: boolean): boolean {
    const rate = this.#congestion.pacingRate;
    const ceiling = this.#maxRate ?? (rate === Infinity ? Infinity : DEFAULT_MAX_RATE);
    this.releaseAt = Infinity;
    if (!this.#ceiling.mayRelease(now, ceiling)) {
      if (waits && this.mayFly(1)) this.releaseAt = this.#ceiling.releaseAt(now, ceiling);
      return false;
    }
    if (rate === Infinity) return this.#burst > 0;
    if (this.exempt || this.#outstanding.flightBytes === 0 || this.#pacer.mayRelease(now, rate)) return true;
    if (waits && this.mayFly(1)) this.releaseAt = this.#pacer.releaseAt(now, rate);
    return false;
  }

  /** True if a chunk with `size` user bytes may be put in flight. */
  mayFly(size: number): boolean {
    const { flightBytes, flightPayload, headerSize } = this.#outstanding;
    if (this.exempt) return true;
    if (flightBytes === 0) return this.peerWindow > 0 || this.windowProbe;
    if (flightBytes + headerSize + padded(size) > this.#congestion.window) {
      this.#limitedUntil = this.#outstanding.next;
      return false;
    }
    return flightPayload + size <= this.peerWindow;
  }

  /** True if the largest chunk may. */
  mayFlyFull(): boolean {
    return this.mayFly(this.largestChunk - this.#outstanding.headerSize);
  }

  /** A packet with `bytes` of chunks has gone out. */
  spend(bytes: number): void {
    this.#pacer.spend(Math.max(0, bytes));
    this.#ceiling.spend(Math.max(0, bytes));
    if (this.#burst > 0) this.#burst--;
    // The window may hold back what the burst now holds back: `mayFly` takes note of that.
    if (this.#burst === 0) this.mayFlyFull();
    this.exempt = false;
    this.windowProbe = false;
  }
}

/** Milliseconds: timers of hosts are no finer. */
const MIN_WAIT = 1;
/** Packets a release waits for, so that a slow path does not wake its host for each. */
const QUANTUM = 2;
/** Packets the bucket holds at the least: what a small exchange is made of goes out unpaced. */
const BURST = 10;
/** Milliseconds of the rate the bucket holds at the least: what a timer may be late. */
const LATENESS = 5;

/**
 * Pacing as a bucket of credit in bytes: it fills at the controller's rate, and packets spend it.
 *
 *   mayRelease(now, rate) → a packet → spend(bytes) → … → empty: come back at releaseAt()
 *
 * After idling, or when the host is late, as much goes out at once as the bucket holds. The wait for the next release is at
 * least `MIN_WAIT`, and long enough for `QUANTUM` packets, so that pacing does not cost a wakeup for every packet.
 */
export class Pacer {
  #credit = Infinity;
  #filledAt = -Infinity;
  #mtu: number;

  constructor(mtu: number) {
    this.#mtu = mtu;
  }

  setMtu(bytes: number): void {
    this.#mtu = bytes;
  }

  /** True when a packet may leave at `now`, milliseconds, at a `rate` in bytes a millisecond. */
  mayRelease(now: number, rate: number): boolean {
    if (rate === Infinity) return true;
    const elapsed = now > this.#filledAt ? now - this.#filledAt : 0;
    const depth = Math.max(BURST * this.#mtu, rate * LATENESS);
    this.#credit = Math.min(depth, this.#credit + (elapsed === Infinity ? depth : elapsed * rate));
    this.#filledAt = Math.max(now, this.#filledAt);
    return this.#credit > 0;
  }

  spend(bytes: number): void {
    this.#credit -= bytes;
  }

  /** When the next packets may leave, after `mayRelease` said no. Finite and after `now`. */
  releaseAt(now: number, rate: number): number {
    return now + Math.max(MIN_WAIT, (Math.min(QUANTUM * this.#mtu, rate * LATENESS) - this.#credit) / rate);
  }
}
