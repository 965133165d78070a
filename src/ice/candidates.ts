/** Lists of candidates, ours and the peer's: bounded, with lookup by address. */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { sameAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import { checkOptions } from '../core/options.ts';
import type { AddressClass } from './address-class.ts';
import { addressClass } from './address-class.ts';
import type { CandidateRules } from './candidate-filter.ts';
import type { IceCandidate, LocalCandidate, LocalCandidateAddress, LocalCandidateInit } from './candidate.ts';
import {
  LOCAL_CANDIDATE_ADDRESS_RULES,
  LOCAL_CANDIDATE_RULES,
  canonicalPlace,
  isSameTransport,
  makeLocalCandidate,
  toldCandidate,
} from './candidate.ts';

/** Which candidates are used at all (RFC 8828, W3C `RTCIceTransportPolicy`): with `relay` none but relayed ones. */
export type TransportPolicy = 'all' | 'relay';

/** Our own candidates, and which of the peer's are tried because of them. */
export class LocalCandidates {
  /** In the order in which they were added, whether policy and filter let them be used or not. */
  readonly all: LocalCandidate[] = [];
  /**
   * The one candidate that stands for each base. Checks leave from the base whatever candidate they are for, so others of
   * the same base would only repeat them (RFC 8445 §6.1.2.4).
   */
  bases: readonly LocalCandidate[] = [];
  readonly #limit: number;
  readonly #policy: TransportPolicy;
  readonly #filter: CandidateRules;
  /** Which addresses of the peer's are tried of our own accord. */
  #tried: ReadonlySet<AddressClass>;
  /** What is tried whatever our own candidates are; they add their classes unless the host has said which. */
  readonly #chosen: readonly AddressClass[] | undefined;

  /** @param tried `undefined`: public addresses, and those of the classes of our own candidates */
  constructor(
    limit: number,
    policy: TransportPolicy,
    filter: CandidateRules,
    tried: readonly AddressClass[] | undefined,
  ) {
    this.#limit = limit;
    this.#policy = policy;
    this.#filter = filter;
    this.#chosen = tried;
    this.#tried = new Set(tried ?? ['public']);
  }

  /** Those that policy and filters leave. */
  get used(): readonly LocalCandidate[] {
    return this.all.filter((one) => this.#isUsed(one));
  }

  /** As the peer is told: those that are used. */
  get told(): readonly IceCandidate[] {
    return this.used.map((one) => this.tell(one));
  }

  /** One of our own as the peer is told, or would be. */
  tell(local: LocalCandidate): IceCandidate {
    const hidesRelated = this.#policy === 'relay' || this.#nameOf(local.base, local.protocol) !== undefined;
    return toldCandidate(local, hidesRelated);
  }

  /**
   * Adds a candidate; adding the same transport address again answers the first. `opensPairs`: remote candidates are to be
   * looked at again. Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT`.
   */
  add(init: LocalCandidateInit): { candidate: LocalCandidate; opensPairs: boolean } {
    checkOptions('addLocalCandidate', init, LOCAL_CANDIDATE_RULES);
    const candidate = this.#complete(init);
    const known = this.all.find(
      (one) => isSameTransport(one, candidate) && one.tcpType === candidate.tcpType,
    );
    if (known !== undefined) return { candidate: known, opensPairs: false };
    if (this.all.length >= this.#limit) {
      throw new RtcError('ERR_LIMIT', `more than ${this.#limit} local candidates`);
    }
    this.all.push(candidate);
    const { size } = this.#tried;
    const { length } = this.bases;
    this.#derive();
    return { candidate, opensPairs: this.bases.length > length || this.#tried.size > size };
  }

  /**
   * Removes the candidates that `address` names, by their own or by their base's. Throws `ERR_BAD_ARGUMENT`.
   * @returns how many those were
   */
  remove(address: LocalCandidateAddress): number {
    checkOptions('removeLocalCandidate', address, LOCAL_CANDIDATE_ADDRESS_RULES);
    const { protocol } = address;
    const place = canonicalPlace(address);
    const left = this.all.filter(
      (one) => one.protocol !== protocol || !(sameAddress(one, place) || sameAddress(one.base, place)),
    );
    const count = this.all.length - left.length;
    if (count === 0) return 0;
    this.all.splice(0, this.all.length, ...left);
    this.#derive();
    return count;
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

  #complete(init: LocalCandidateInit): LocalCandidate {
    const { type, protocol, address, base } = init;
    const isIpv6 = address.includes(':');
    const alike = this.all.filter(
      (one) => one.type === type && one.protocol === protocol && one.address.includes(':') === isIpv6,
    );
    const baseName = base === undefined ? undefined : this.#nameOf(canonicalPlace(base), protocol);
    let candidate = makeLocalCandidate(init, alike.length, baseName);
    // Where one has been removed its rank is free, and the count is that of another one.
    for (let rank = 0; rank < alike.length && init.priority === undefined; rank++) {
      if (alike.every(({ priority }) => priority !== candidate.priority)) break;
      candidate = makeLocalCandidate(init, rank, baseName);
    }
    return candidate;
  }

  /** What follows from `all`. */
  #derive(): void {
    const { used } = this;
    this.bases = used.filter(
      (one, i) =>
        used.findIndex((first) => first.protocol === one.protocol && sameAddress(first.base, one.base)) === i,
    );
    const classes = used.map(({ address }) => addressClass(address));
    this.#tried = new Set(this.#chosen ?? ['public', ...classes]);
  }

  #isUsed(local: LocalCandidate): boolean {
    return (this.#policy === 'all' || local.type === 'relay') && this.#filter.accepts(local);
  }

  /** What a base is announced as. */
  #nameOf(base: TransportAddress, protocol: Protocol): string | undefined {
    return this.all.find(
      (one) => one.announced !== undefined && one.protocol === protocol && sameAddress(one.base, base),
    )?.announced;
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
export type RemoteRefusal = 'candidate-duplicate' | 'candidate-foreign' | 'candidate-limit';

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

  /** A signalled candidate that has been judged. */
  signalled(candidate: IceCandidate, usernameFragment: string | undefined): RemoteAddition {
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

/** It belongs to another session than `usernameFragment`'s. */
export function isForeign(candidate: IceCandidate, usernameFragment: string | undefined): boolean {
  return (
    usernameFragment !== undefined &&
    candidate.usernameFragment !== undefined &&
    candidate.usernameFragment !== usernameFragment
  );
}
