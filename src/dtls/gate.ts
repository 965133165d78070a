/**
 * HandshakeGate: the clock of an association, and how long the peer may keep it waiting.
 *
 *     start ─┬→ dtlsHint       fires once, unless something of the peer's handshake comes before
 *            └→ dtlsHandshake  armed ─connected, and all is acknowledged→ disarmed
 *                              armed ←─ connected, a flight of DTLS 1.3 ──┘
 *
 * What follows when one of them fires is the association's to say. A gate found late has been slept through, and is
 * extended once. Failures are made here, because they tell people how long it took and how long the peer was silent.
 */
import type { Failure } from '../core/errors.ts';
import type { TimerTable } from '../core/timers.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import type { DtlsConfiguration } from './options.ts';
import { MAX_RETRANSMIT_TIMEOUT } from './options.ts';
import type { DtlsState, DtlsTimer } from './states.ts';

/** A gate found this many ms late was slept through: the machine was frozen, not the peer silent (F5b). */
const FROZEN_AFTER = 1000;

/** The clock and the gate of one association. */
export class HandshakeGate {
  readonly #configuration: DtlsConfiguration;
  readonly #driver: HandshakeDriver;
  readonly #timers: TimerTable<DtlsTimer>;
  #now = -Infinity;
  #startedAt = 0;
  #lastHeardAt = 0;
  #deadline = Infinity;
  #graceGiven = false;

  constructor(configuration: DtlsConfiguration, driver: HandshakeDriver, timers: TimerTable<DtlsTimer>) {
    this.#configuration = configuration;
    this.#driver = driver;
    this.#timers = timers;
  }

  /** The last time seen, in ms. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since `start`. */
  get waited(): number {
    return this.#now - this.#startedAt;
  }

  /** Answers `now`, or the last time seen if that is later. */
  advanceClock(now: number): number {
    if (now > this.#now) this.#now = now;
    return this.#now;
  }

  start(): void {
    this.#startedAt = this.#now;
    this.#lastHeardAt = this.#now;
    this.#arm(this.#configuration.handshakeTimeout);
    this.#timers.arm('dtlsHint', this.#now + this.#configuration.hintTimeout);
  }

  /** The peer has said something that may be its word. */
  hear(): void {
    this.#lastHeardAt = this.#now;
  }

  /** Connected: `dtlsHandshake` runs as long as a flight of DTLS 1.3 is not acknowledged. */
  guardFlight(): void {
    if (!this.#driver.awaitsAnswer) this.#timers.disarm('dtlsHandshake');
    else if (!this.#timers.isArmed('dtlsHandshake')) this.#arm(this.#configuration.handshakeTimeout);
  }

  /**
   * `dtlsHandshake` has fired; true if it was slept through, and is armed once more. After a freeze the peer's packets
   * wait in the socket, and ours have just gone out: one more round is due.
   */
  extendAfterFreeze(): boolean {
    if (this.#graceGiven || this.#now - this.#deadline < FROZEN_AFTER) return false;
    this.#graceGiven = true;
    this.#arm(MAX_RETRANSMIT_TIMEOUT);
    return true;
  }

  /** `gate` names what has expired, if anything has. */
  failure(diagnosis: Diagnosis, gate?: DtlsTimer): Failure {
    return {
      layer: 'dtls',
      code: diagnosis.code,
      message: diagnosis.message,
      gate,
      elapsed: gate === undefined ? undefined : this.waited,
      peerSilentFor: this.#now - this.#lastHeardAt,
    };
  }

  /** Which timer is missing, or armed for nothing, as a sentence; `undefined` while all is well. */
  violation(state: DtlsState): string | undefined {
    const timers = this.#timers;
    const { awaitsAnswer } = this.#driver;
    const isStuck = awaitsAnswer && !timers.isArmed('dtlsRetransmit');
    switch (state) {
      case 'connecting':
        if (!timers.isArmed('dtlsHandshake')) return 'DTLS is connecting, no dtlsHandshake';
        return isStuck ? 'a flight waits for its answer, no dtlsRetransmit' : undefined;
      case 'connected':
        if (!awaitsAnswer) {
          return timers.next() === Infinity ? undefined : 'DTLS is connected, and a timer is armed';
        }
        return isStuck || !timers.isArmed('dtlsHandshake')
          ? 'a flight is not acknowledged, no timer'
          : undefined;
      case 'new':
      case 'closed':
      case 'failed':
        return timers.next() === Infinity ? undefined : `DTLS is ${state}, and a timer is armed`;
    }
  }

  #arm(duration: number): void {
    this.#deadline = this.#now + duration;
    this.#timers.arm('dtlsHandshake', this.#deadline);
  }
}
