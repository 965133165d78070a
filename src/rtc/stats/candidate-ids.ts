/**
 * Ids of candidates. Nothing in a candidate may serve as one: an address of the peer's is not to be shown, and a hash of it could be
 * guessed. So they are numbered as they are first reported, and no candidate is kept for that.
 */
import type { IceCandidate } from '../../ice/index.ts';

/** The numbers that the candidates of one connection have been given. */
export class CandidateIds {
  readonly #numbers = new WeakMap<IceCandidate, number>();
  #count = 0;

  /** @param usernameFragment of the session: a restart makes another candidate of the same address */
  local(candidate: IceCandidate, usernameFragment: string): string {
    return `IL${this.#numberOf(candidate)}-${usernameFragment}`;
  }

  /** Each session learns the peer's anew. */
  remote(candidate: IceCandidate): string {
    return `IR${this.#numberOf(candidate)}`;
  }

  #numberOf(candidate: IceCandidate): number {
    let number = this.#numbers.get(candidate);
    if (number === undefined) {
      number = this.#count++;
      this.#numbers.set(candidate, number);
    }
    return number;
  }
}
