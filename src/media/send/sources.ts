/** Sources: the SSRCs that this end sends from: the agreed ones, and those that are drawn. None is anybody else's. */
import type { Counters } from '../../core/counters.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomU32 } from '../../core/random.ts';
import type { SendCounter } from './counters.ts';
import { SequenceNumbers } from './sequence-numbers.ts';
import { SendingSource } from './source.ts';

/**
 * Sources that are over and whose numbers are remembered: one that comes back goes on with them, as SRTP may not protect two packets
 * of the same number. The longest unused makes room.
 */
const MAX_RETIRED = 1024;

/** The sources of a connection. */
export class Sources {
  readonly #random: RandomSource;
  readonly #counters: Counters<SendCounter>;
  readonly #used = new Set<number>();
  readonly #retired = new Map<number, SequenceNumbers>();
  /** Of the peer's: ours are drawn from the others. */
  #foreign: ReadonlySet<number> = new Set();

  constructor(random: RandomSource, counters: Counters<SendCounter>) {
    this.#random = random;
    this.#counters = counters;
  }

  /** Sources that the peer has told. */
  avoid(ssrcs: ReadonlySet<number>): void {
    this.#foreign = ssrcs;
  }

  /** The source that a stream is to have: the `present` one, if that is the `agreed` one or none is agreed on; otherwise another one. */
  assign(agreed: number | undefined, present: SendingSource | undefined): SendingSource {
    if (present !== undefined && (agreed ?? present.ssrc) === present.ssrc) return present;
    const isTaken = agreed !== undefined && this.#used.has(agreed);
    if (isTaken) this.#counters.add('sourcesRedrawn');
    if (isTaken && present !== undefined) return present;
    const ssrc = agreed === undefined || isTaken ? this.#draw() : agreed;
    if (present !== undefined) this.retire(present);
    const source = new SendingSource(ssrc, this.#retired.get(ssrc) ?? new SequenceNumbers(this.#random));
    this.#retired.delete(ssrc);
    this.#used.add(ssrc);
    return source;
  }

  /** Nothing is sent from it any more. */
  retire({ ssrc, numbers }: SendingSource): void {
    this.#used.delete(ssrc);
    if (numbers.largest < 0) return;
    this.#retired.set(ssrc, numbers);
    if (this.#retired.size <= MAX_RETIRED) return;
    const [oldest] = this.#retired.keys();
    if (oldest !== undefined) this.#retired.delete(oldest);
  }

  clear(): void {
    this.#used.clear();
    this.#retired.clear();
  }

  /** 0 is a valid number, and yet what broken peers and probes use. */
  #draw(): number {
    let ssrc = randomU32(this.#random);
    while (ssrc === 0 || this.#used.has(ssrc) || this.#retired.has(ssrc) || this.#foreign.has(ssrc)) {
      ssrc = (ssrc + 1) >>> 0;
    }
    return ssrc;
  }
}
