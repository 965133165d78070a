/**
 * RoleConflictDetector: a client's watch for another client where the server should be (F1b).
 *
 *     ClientHello ─ with our own random → our packet on its way back, counted
 *                 ─ in a record that has come before → a copy made by the network, counted
 *                 ─ the first → a warning ─ the second → the end
 *                 ─ the first, and SDP says that the peer is active → the end
 *
 * Two servers say nothing that could be seen: only time tells (diagnosis.ts).
 */
import { equalBytes } from '../core/bytes.ts';
import { AlertDescription } from './alerts.ts';
import type { DtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { bothActive } from './diagnosis.ts';
import type { DtlsSetups } from './options.ts';
import type { Problem } from './problem.ts';

/** What a client knows of ClientHellos that have come to it. */
export class RoleConflictDetector {
  readonly #setups: DtlsSetups;
  readonly #counters: DtlsCounters;
  /** Record sequence number of the first foreign ClientHello: a copy made by the network has the same. */
  #firstSequence: number | undefined;

  constructor(setups: DtlsSetups, counters: DtlsCounters) {
    this.#setups = setups;
    this.#counters = counters;
  }

  /** True once a ClientHello has come that is not our own. */
  get suspects(): boolean {
    return this.#firstSequence !== undefined;
  }

  /**
   * Judges a ClientHello that has come in the record `sequence`, by its random. Answers what to warn of, or why the
   * handshake ends; `undefined` for one that is counted and says nothing.
   */
  judge(random: Uint8Array, sequence: number, ownRandom: Uint8Array): Diagnosis | Problem | undefined {
    if (equalBytes(random, ownRandom)) {
      this.#counters.add('hellosReflected');
      return undefined;
    }
    if (this.#firstSequence === sequence) {
      this.#counters.add('hellosIgnored');
      return undefined;
    }
    const isFirst = this.#firstSequence === undefined;
    this.#firstSequence ??= sequence;
    const diagnosis = bothActive(this.#setups);
    if (isFirst && this.#setups.remote !== 'active') return diagnosis;
    // The alert lets the peer fail as fast as we do.
    return { ...diagnosis, alert: AlertDescription.unexpectedMessage };
  }
}
