/** The pair that data is sent on, with the consent to do so (RFC 7675). */
import { randomUnit } from '../core/random.ts';
import { Consent } from './consent.ts';
import type { Pair } from './pair.ts';
import type { Session } from './session.ts';

export class ActivePair {
  pair: Pair | undefined;
  /** `undefined` without a pair, and between two lite agents: neither ever sends a check. */
  consent: Consent | undefined;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Data goes over `pair` from now on. */
  follow(pair: Pair | undefined): void {
    if (pair === this.pair) return;
    this.pair = pair;
    this.consent = pair === undefined ? undefined : this.#start(pair);
  }

  /** @param sentAt when the answered check was sent @param spread a random number in [0, 1) */
  answered(pair: Pair, sentAt: number, spread: number): void {
    if (pair === this.pair) this.consent?.answered(sentAt, spread);
  }

  /** A lite agent received a request over `pair`. */
  heard(pair: Pair): void {
    if (pair === this.pair) this.consent?.heard(this.#session.now);
  }

  #start(pair: Pair): Consent | undefined {
    const { settings, random, isLite, isRemoteLite } = this.#session;
    if (!isLite) return new Consent(settings, pair.answeredAt, randomUnit(random));
    return isRemoteLite ? undefined : Consent.lite(settings, pair.heardAt);
  }
}
