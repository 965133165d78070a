/**
 * Names that the host is asked for: those of STUN and TURN servers, and those that candidates of peers have (mDNS). Each is asked
 * for once at a time, whoever waits for it.
 *
 * Which names those are is up to peers, within the bounds that each connection keeps; so there is a bound for all of them here.
 */

/** Who waits for a name: connections, and the endpoint's gatherer. */
export interface Waiters<Member> {
  readonly members: Set<Member>;
  isForGatherer: boolean;
  /** When the host was asked, milliseconds. */
  since: number;
}

/** A host that has not replied after so long is asked once more for whoever asks then, milliseconds. */
const PATIENCE = 10_000;

/** The names that the host has been asked for and has not replied to. */
export class AwaitedNames<Member> {
  readonly #max: number;
  readonly #names = new Map<string, Waiters<Member>>();

  /** @param max of names that connections wait for; those of the gatherer come from the host itself */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#names.size;
  }

  /**
   * Somebody waits for `name`: a connection, or (`undefined`) the gatherer.
   * @returns `ask`: the host is to be asked; `wait`: it has been; `refuse`: too many are awaited already
   */
  add(name: string, member: Member | undefined, now: number): 'ask' | 'wait' | 'refuse' {
    const known = this.#names.get(name);
    if (known === undefined && member !== undefined && this.#names.size >= this.#max) return 'refuse';
    const waiters = known ?? { members: new Set<Member>(), isForGatherer: false, since: -Infinity };
    if (member === undefined) waiters.isForGatherer = true;
    else waiters.members.add(member);
    this.#names.set(name, waiters);
    if (now - waiters.since < PATIENCE) return 'wait';
    waiters.since = now;
    return 'ask';
  }

  /** Who waited for `name`, which is awaited no more. */
  take(name: string): Waiters<Member> | undefined {
    const waiters = this.#names.get(name);
    this.#names.delete(name);
    return waiters;
  }

  /** The connection is gone. */
  release(member: Member): void {
    for (const [name, { members, isForGatherer }] of this.#names)
      if (members.delete(member) && members.size === 0 && !isForGatherer) this.#names.delete(name);
  }
}
