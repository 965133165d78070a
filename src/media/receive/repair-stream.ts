/** RepairStream: a source that sends packets of another one again (RFC 4588). It has sequence numbers and reports of its own. */
import type { Failure } from '../../core/errors.ts';
import { timedOut } from './failures.ts';
import type { Encoding } from './received-media.ts';
import { Reception } from './reception.ts';
import { SequenceWindow } from './sequence-window.ts';

/** The source of RTX of one encoding. */
export class RepairStream {
  readonly isRepair = true;
  readonly ssrc: number;
  readonly encoding: Encoding;
  readonly reception: Reception = new Reception();
  readonly #sequences = new SequenceWindow();
  readonly #timeout: number;
  /** The same, but that this moves on when the host stood still. */
  #silentSince: number;
  #heardAt: number;

  /** @param timeout gate `streamSilence`, ms */
  constructor(ssrc: number, encoding: Encoding, timeout: number, now: number) {
    this.ssrc = ssrc;
    this.encoding = encoding;
    this.#timeout = timeout;
    this.#silentSince = now;
    this.#heardAt = now;
  }

  /** Takes the sequence number of a packet of its own. @returns that, unwrapped; negative: why it is dropped */
  take(sequenceNumber: number, now: number): number {
    const before = this.#sequences.highest;
    const sequence = this.#sequences.take(sequenceNumber);
    if (sequence < 0) return sequence;
    if (SequenceWindow.isRestart(before, sequence)) this.reception.skip(before, sequence);
    this.reception.take(sequence);
    this.#silentSince = now;
    this.#heardAt = now;
    return sequence;
  }

  /** Why it is over. */
  timedOut(now: number): Failure {
    return timedOut(this.ssrc, { elapsed: now - this.#silentSince, peerSilentFor: now - this.#heardAt });
  }

  nextTimeout(): number {
    return this.#silentSince + this.#timeout;
  }

  /** The gate is so much longer, and at least until `earliest`. */
  thaw(missed: number, earliest: number): void {
    this.#silentSince = Math.max(this.#silentSince + missed, earliest - this.#timeout);
  }

  inspect(): object {
    const { mid, id } = this.encoding.media;
    return {
      ssrc: this.ssrc,
      mediaId: id,
      mid: mid ?? null,
      rid: this.encoding.rid ?? null,
      repairs: this.encoding.source ?? null,
      packetsLost: this.reception.packetsLost,
    };
  }
}
