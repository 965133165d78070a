/** Pairs come and go with the candidates of both sides (RFC 8445 §6.1.2). */
import type { TransportAddress } from '../core/address.ts';
import type { AddressClass } from './address-class.ts';
import { addressClass } from './address-class.ts';
import type { IceCandidate, LocalCandidate, LocalCandidateInit } from './candidate.ts';
import { canPair, peerReflexive } from './candidate.ts';
import { LocalCandidates, RemoteCandidates } from './candidates.ts';
import type { Checklist } from './checklist.ts';
import type { Checks } from './checks.ts';
import type { IceParameters } from './credentials.ts';
import type { Pair } from './pair.ts';
import type { Session } from './session.ts';

export class Pairing {
  readonly locals: LocalCandidates;
  readonly remotes: RemoteCandidates;
  readonly #session: Session;
  readonly #checklist: Checklist;
  readonly #checks: Checks;

  /** Which addresses are tried of our own accord. */
  readonly #tried: Set<AddressClass>;
  /** Whether our own candidates say so. */
  readonly #triesLikeOurs: boolean;

  /** @param tried `undefined`: public ones, and those of the classes of our own candidates */
  constructor(
    session: Session,
    checklist: Checklist,
    checks: Checks,
    tried: ReadonlySet<AddressClass> | undefined,
  ) {
    this.#tried = new Set(tried ?? ['public']);
    this.#triesLikeOurs = tried === undefined;
    this.locals = new LocalCandidates(session.settings.maxLocalCandidates);
    this.remotes = new RemoteCandidates(session.settings.maxRemoteCandidates);
    this.#session = session;
    this.#checklist = checklist;
    this.#checks = checks;
  }

  /** Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT`. */
  addLocal(init: LocalCandidateInit): LocalCandidate {
    const { candidate, isNewBase } = this.locals.add(init);
    const ownClass = addressClass(candidate.address);
    const isNewClass = this.#triesLikeOurs && !this.#tried.has(ownClass);
    if (isNewClass) this.#tried.add(ownClass);
    if (isNewBase || isNewClass) for (const remote of this.remotes.all) this.#pairUpWithAll(remote);
    return candidate;
  }

  /** A signalled candidate; what cannot be used is counted. */
  addRemote(candidate: IceCandidate): void {
    const { counters, remote, role } = this.#session;
    const addition = this.remotes.signalled(candidate, remote?.usernameFragment);
    switch (addition.outcome) {
      case 'refused':
        counters.add(addition.reason);
        break;
      case 'added':
        if (!this.#isTried(addition.candidate)) counters.add('candidate-not-tried');
        this.#pairUpWithAll(addition.candidate);
        break;
      case 'replaced':
        // The pairs keep their state: what worked under the peer-reflexive candidate works under its signalled name.
        for (const pair of this.#pairsOf(addition.old)) {
          pair.remote = addition.candidate;
          pair.isSignalled = this.#isTried(addition.candidate);
          pair.prioritize(role);
        }
        this.#checklist.sort();
        break;
    }
  }

  /** The peer's description has come: what belongs to another session goes, and two lite agents form their pairs. */
  remoteKnown({ usernameFragment }: IceParameters): void {
    for (const foreign of this.remotes.dropForeign(usernameFragment)) {
      this.#session.counters.add('candidate-foreign');
      this.#dropPairsOf(foreign);
    }
    if (this.#session.isLite) for (const candidate of this.remotes.all) this.#pairUpWithAll(candidate);
  }

  /**
   * The pair of an authenticated request from an address that forms none yet (RFC 8445 §7.3.1.3).
   * @param priority the request's PRIORITY @param sender its sender's username fragment
   * @returns `undefined` at a limit, counted.
   */
  discover(
    local: LocalCandidate,
    source: TransportAddress,
    priority: number,
    sender: string,
  ): Pair | undefined {
    const { protocol } = local;
    let remote = this.remotes.at(source, protocol);
    if (remote === undefined) {
      remote = { ...peerReflexive(source, protocol, priority), usernameFragment: sender };
      const addition = this.remotes.discovered(
        remote,
        (old) => !this.#pairsOf(old).some((pair) => pair.valid),
      );
      if (addition.outcome === 'refused') {
        this.#session.counters.add('candidate-limit');
        return undefined;
      }
      if (addition.outcome === 'added' && addition.evicted !== undefined) {
        this.#session.counters.add('candidate-limit');
        this.#dropPairsOf(addition.evicted);
      }
    }
    return this.#add(local, remote, true);
  }

  /** Lite agents check nothing, so they need the pairs of signalled candidates only when both are lite (RFC 8445 §6.2). */
  #pairUp(local: LocalCandidate, remote: IceCandidate): void {
    if (this.#session.isLite && !this.#session.isRemoteLite) return;
    if (canPair(local, remote) && this.#checklist.find(local.base, remote, local.protocol) === undefined) {
      this.#add(local, remote, false);
    }
  }

  /** A peer-reflexive one is tried only where its check came: `discover` pairs it. */
  #isTried(remote: IceCandidate): boolean {
    return remote.type !== 'prflx' && this.#tried.has(addressClass(remote.address));
  }

  #pairUpWithAll(remote: IceCandidate): void {
    if (!this.#isTried(remote)) return;
    for (const local of this.locals.bases) this.#pairUp(local, remote);
  }

  #add(local: LocalCandidate, remote: IceCandidate, authenticated: boolean): Pair | undefined {
    const { pair, dropped } = this.#checklist.add(local, remote, this.#session.role, authenticated);
    pair.isSignalled = this.#isTried(remote);
    if (dropped === undefined) return pair;
    this.#session.counters.add('pair-limit');
    this.#checks.forget(dropped);
    return dropped === pair ? undefined : pair;
  }

  #pairsOf(remote: IceCandidate): Pair[] {
    return this.#checklist.pairs.filter((pair) => pair.remote === remote);
  }

  #dropPairsOf(remote: IceCandidate): void {
    for (const pair of this.#pairsOf(remote)) {
      this.#checklist.remove(pair);
      this.#checks.forget(pair);
    }
  }
}
