/** Lists of candidates, ours and the peer's: bounded, with lookup by address. */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { sameAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import { checkOptions } from '../core/options.ts';
import type { AddressClass } from './address-class.ts';
import { addressClass } from './address-class.ts';
import type { CandidateRefusal, IceCandidate, LocalCandidate, LocalCandidateInit } from './candidate.ts';
import {
  LOCAL_CANDIDATE_RULES,
  isSameTransport,
  judgeRemoteCandidate,
  makeLocalCandidate,
} from './candidate.ts';

/** Our own candidates, and which of the peer's are tried because of them. */
export class LocalCandidates {
  readonly all: LocalCandidate[] = [];
  /**
   * The one candidate that stands for each base. Checks leave from the base whatever candidate they are for, so others of
   * the same base would only repeat them (RFC 8445 §6.1.2.4).
   */
  readonly bases: LocalCandidate[] = [];
  readonly #limit: number;
  /** Which addresses of the peer's are tried of our own accord. */
  readonly #tried: Set<AddressClass>;
  /** Whether our own candidates say so. */
  readonly #triesLikeOurs: boolean;

  /** @param tried `undefined`: public addresses, and those of the classes of our own candidates */
  constructor(limit: number, tried: readonly AddressClass[] | undefined) {
    this.#limit = limit;
    this.#tried = new Set(tried ?? ['public']);
    this.#triesLikeOurs = tried === undefined;
  }

  /**
   * Adds a candidate; adding the same transport address again answers the first. `opensPairs`: remote candidates are to be
   * looked at again. Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT`.
   */
  add(init: LocalCandidateInit): { candidate: LocalCandidate; opensPairs: boolean } {
    checkOptions('addLocalCandidate', init, LOCAL_CANDIDATE_RULES);
    const family = init.address.includes(':');
    const rank = this.all.filter(
      (one) =>
        one.type === init.type && one.protocol === init.protocol && one.address.includes(':') === family,
    ).length;
    const candidate = makeLocalCandidate(init, rank);
    const known = this.all.find((one) => isSameTransport(one, candidate));
    if (known !== undefined) return { candidate: known, opensPairs: false };
    if (this.all.length >= this.#limit) {
      throw new RtcError('ERR_LIMIT', `more than ${this.#limit} local candidates`);
    }
    this.all.push(candidate);
    const isNewBase = this.atBase(candidate.base, candidate.protocol) === undefined;
    if (isNewBase) this.bases.push(candidate);
    const ownClass = addressClass(candidate.address);
    const isNewClass = this.#triesLikeOurs && !this.#tried.has(ownClass);
    if (isNewClass) this.#tried.add(ownClass);
    return { candidate, opensPairs: isNewBase || isNewClass };
  }

  /** Whether checks go to `remote` of our own accord. A peer-reflexive one is tried only where its check came. */
  tries(remote: IceCandidate): boolean {
    return remote.type !== 'prflx' && this.#tried.has(addressClass(remote.address));
  }

  /** The candidate that stands for the base at which a datagram arrived. */
  atBase(address: TransportAddress, protocol: Protocol): LocalCandidate | undefined {
    for (const candidate of this.bases) {
      if (candidate.protocol === protocol && sameAddress(candidate.base, address)) return candidate;
    }
    return undefined;
  }

  /** The candidate the outside sees when we send from `base` and it sees `mapped`. */
  mapped(base: TransportAddress, protocol: Protocol, mapped: TransportAddress): LocalCandidate | undefined {
    return this.all.find(
      (one) => one.protocol === protocol && sameAddress(one, mapped) && sameAddress(one.base, base),
    );
  }
}

/** What became of a remote candidate. */
export type RemoteAddition =
  /** `evicted` had to make room for it. */
  | {
      readonly outcome: 'added';
      readonly candidate: IceCandidate;
      readonly evicted: IceCandidate | undefined;
    }
  /** It supersedes `old`, the peer-reflexive candidate of the same address. */
  | { readonly outcome: 'replaced'; readonly candidate: IceCandidate; readonly old: IceCandidate }
  | { readonly outcome: 'refused'; readonly reason: RemoteRefusal };

/** Why a remote candidate is not taken: the name under which it is counted. */
export type RemoteRefusal =
  CandidateRefusal | 'candidate-duplicate' | 'candidate-foreign' | 'candidate-limit';

/** The peer's candidates of one generation, signalled and peer-reflexive. */
export class RemoteCandidates {
  readonly all: IceCandidate[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  at(address: TransportAddress, protocol: Protocol): IceCandidate | undefined {
    return this.all.find((one) => one.protocol === protocol && sameAddress(one, address));
  }

  /** A signalled candidate. Bytes of a peer's description end here: nothing throws, everything refused has a reason. */
  signalled(given: IceCandidate, usernameFragment: string | undefined): RemoteAddition {
    const candidate = judgeRemoteCandidate(given);
    if (typeof candidate === 'string') return refused(candidate);
    if (isForeign(candidate, usernameFragment)) return refused('candidate-foreign');
    const index = this.all.findIndex((one) => isSameTransport(one, candidate));
    const known = this.all[index];
    if (known !== undefined) {
      if (known.type !== 'prflx' || candidate.type === 'prflx') return refused('candidate-duplicate');
      this.all[index] = candidate;
      return { outcome: 'replaced', candidate, old: known };
    }
    return this.#append(candidate, () => false);
  }

  /**
   * A peer-reflexive candidate, learnt from an authenticated request. When the list is full the oldest peer-reflexive
   * one that `mayGo` makes room: a peer that changes its port all the time stays reachable.
   */
  discovered(candidate: IceCandidate, mayGo: (old: IceCandidate) => boolean): RemoteAddition {
    return this.#append(candidate, (old) => old.type === 'prflx' && mayGo(old));
  }

  /** Removes and answers what belongs to another session than `usernameFragment`'s. */
  dropForeign(usernameFragment: string): IceCandidate[] {
    const foreign = this.all.filter((one) => isForeign(one, usernameFragment));
    for (const candidate of foreign) this.all.splice(this.all.indexOf(candidate), 1);
    return foreign;
  }

  #append(candidate: IceCandidate, mayGo: (old: IceCandidate) => boolean): RemoteAddition {
    let evicted: IceCandidate | undefined;
    if (this.all.length >= this.#limit) {
      evicted = this.all.find(mayGo);
      if (evicted === undefined) return refused('candidate-limit');
      this.all.splice(this.all.indexOf(evicted), 1);
    }
    this.all.push(candidate);
    return { outcome: 'added', candidate, evicted };
  }
}

function refused(reason: RemoteRefusal): RemoteAddition {
  return { outcome: 'refused', reason };
}

function isForeign(candidate: IceCandidate, usernameFragment: string | undefined): boolean {
  return (
    usernameFragment !== undefined &&
    candidate.usernameFragment !== undefined &&
    candidate.usernameFragment !== usernameFragment
  );
}
