/**
 * Gates of a connection as a whole; each layer has its own beside them (docs/deadlines.md).
 *
 *   signaling   made and never started: an offer that was refused, or an answer that never came, costs nothing for long
 *                 first input ──▶ armed ──the peer's description is taken, or start()──▶ passed
 *                                   └──an offer of ours goes out, or one of the peer's is applied: from the next input it counts anew
 *   pathDown    a connection that was up has no path. What waits for the peer stands still meanwhile, so this gate ends it
 *                 the path is not writable ──▶ armed ──writable again──▶ disarmed
 */
import type { Failure } from '../core/errors.ts';
import { THAW_GRACE } from '../core/clock.ts';
import { TimerTable } from '../core/timers.ts';

const NAMES = ['signaling', 'pathDown'] as const;

/** A gate of the connection as a whole. */
export type ConnectionGate = (typeof NAMES)[number];

/** Milliseconds from arming to expiry; `Infinity`: no such gate. */
export type ConnectionGates = Readonly<Record<ConnectionGate, number>>;

/** For signalling, time for a person to carry a description by hand. */
export const DEFAULT_CONNECTION_GATES: ConnectionGates = { signaling: 120_000, pathDown: 60_000 };

const FAILURES: Readonly<Record<ConnectionGate, { readonly code: string; readonly message: string }>> = {
  signaling: {
    code: 'signaling-timeout',
    message: "neither a description nor other parameters of the peer's have been taken",
  },
  pathDown: { code: 'path-down', message: 'the path stayed down' },
};

/** Which of a connection's own gates are armed, and since when. */
export class GateKeeper {
  readonly #durations: ConnectionGates;
  readonly #timers = new TimerTable<ConnectionGate>(NAMES);
  readonly #since: Record<ConnectionGate, number> = { signaling: 0, pathDown: 0 };
  #signalingPassed = false;

  constructor(durations: ConnectionGates) {
    this.#durations = durations;
  }

  /** The time is known: `gate` begins, unless it has begun already or is over. */
  arm(gate: ConnectionGate, now: number): void {
    if (this.#timers.isArmed(gate) || (gate === 'signaling' && this.#signalingPassed)) return;
    this.#since[gate] = now;
    this.#timers.arm(gate, now + this.#durations[gate]);
  }

  /** The host has switched `gate` off. */
  isEndless(gate: ConnectionGate): boolean {
    return this.#durations[gate] === Infinity;
  }

  disarm(gate: ConnectionGate): void {
    this.#timers.disarm(gate);
  }

  /** The peer is known, or the connection has ended: no signalling is awaited any more. */
  passSignaling(): void {
    this.#signalingPassed = true;
    this.disarm('signaling');
  }

  /** The host stood still for `missed` milliseconds up to `now`. */
  thaw(missed: number, now: number): void {
    for (const gate of NAMES) {
      if (!this.#timers.isArmed(gate)) continue;
      this.#timers.arm(gate, Math.max(this.#timers.deadline(gate) + missed, now + THAW_GRACE));
    }
  }

  /** The earliest deadline, milliseconds; `Infinity` while nothing is awaited. */
  get deadline(): number {
    return this.#timers.next();
  }

  /** Which gate that is. */
  get next(): ConnectionGate | undefined {
    return this.#timers.nextName();
  }

  /** Why the connection ends now, if it does. */
  expired(now: number): Failure | undefined {
    const gate = this.#timers.takeDue(now);
    if (gate === undefined) return undefined;
    const elapsed = now - this.#since[gate];
    const { code, message } = FAILURES[gate];
    const silence = gate === 'pathDown' ? { peerSilentFor: elapsed } : {};
    return { layer: 'rtc', code, message, gate, elapsed, ...silence };
  }

  armed(): Partial<Record<ConnectionGate, number>> {
    return this.#timers.armed();
  }
}
