/**
 * HandshakeGate: how long the peer may keep an association waiting.
 *
 *     start ─┬→ dtlsHint       fires once, unless something of the peer's handshake comes before
 *            └→ dtlsHandshake  armed ─connected, and all is acknowledged→ disarmed
 *                              armed ←─ connected, a flight of DTLS 1.3 ──┘
 *
 * What follows when one of them fires is the association's to say. A host that stood still makes `dtlsHandshake` longer by
 * what it has missed (core/clock.ts). Failures are made here, because they tell people how long it took and how long the
 * peer was silent.
 */
import type { Clock } from '../core/clock.ts';
import { THAW_GRACE } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import type { TimerTable } from '../core/timers.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import type { DtlsConfiguration } from './options.ts';
import type { DtlsState, DtlsTimer } from './states.ts';

/** The gates of one association. */
export class HandshakeGate {
  /** When the peer said something that may be its word, in ms. A plain field: it is written for every record. */
  lastHeardAt = 0;
  readonly #configuration: DtlsConfiguration;
  readonly #driver: HandshakeDriver;
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #clock: Clock;
  #startedAt = 0;

  constructor(configuration: DtlsConfiguration, driver: HandshakeDriver, timers: TimerTable<DtlsTimer>) {
    this.#configuration = configuration;
    this.#clock = configuration.clock;
    this.#driver = driver;
    this.#timers = timers;
  }

  /** Milliseconds since `start`. */
  get waited(): number {
    return this.#clock.now - this.#startedAt;
  }

  start(): void {
    const { now } = this.#clock;
    this.#startedAt = now;
    this.lastHeardAt = now;
    this.#arm();
    this.#timers.arm('dtlsHint', now + this.#configuration.hintTimeout);
  }

  /** Connected: `dtlsHandshake` runs as long as a flight of DTLS 1.3 is not acknowledged. */
  guardFlight(): void {
    if (!this.#driver.awaitsAnswer) this.#timers.disarm('dtlsHandshake');
    else if (!this.#timers.isArmed('dtlsHandshake')) this.#arm();
  }

  /** The host stood still for `missed` ms: the peer's packets wait in the socket, and ours go out again. */
  thaw(missed: number): void {
    const timers = this.#timers;
    if (!timers.isArmed('dtlsHandshake')) return;
    const extended = timers.deadline('dtlsHandshake') + missed;
    timers.arm('dtlsHandshake', Math.max(extended, this.#clock.now + THAW_GRACE));
  }

  /** `gate` names what has expired, if anything has. */
  failure(diagnosis: Diagnosis, gate?: DtlsTimer): Failure {
    return {
      layer: 'dtls',
      code: diagnosis.code,
      message: diagnosis.message,
      ...(gate === undefined ? {} : { gate, elapsed: this.waited }),
      peerSilentFor: this.#clock.now - this.lastHeardAt,
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

  #arm(): void {
    this.#timers.arm('dtlsHandshake', this.#clock.now + this.#configuration.handshakeTimeout);
  }
}
