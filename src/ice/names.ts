/**
 * Names: candidates of the peer's whose address is a name of multicast DNS (draft-ietf-mmusic-mdns-ice-candidates), which
 * browsers publish in place of host addresses. Only the host can resolve them.
 *
 *     candidate ──the peer's fragment is known──▶ asked: event `resolve` ──handleResolved──▶ a candidate for each address
 *                                                   └──no answer within `nameTimeout`──▶ given up
 *
 * A description makes us ask, so what it can make us ask is bounded: names of one random UUID and nothing else, so many of them,
 * each once, whatever comes of it.
 */
import type { IceCandidate } from './candidate.ts';

/** How much is asked, and for how long. */
export interface NameLimits {
  /** Gate `nameResolution`: how long an answer is awaited, milliseconds: 5000. */
  readonly nameTimeout: number;
  /** Names asked for in one ICE session, 16. Browsers have one for each of their addresses. */
  readonly maxNames: number;
  /** Addresses taken of one name, 4. */
  readonly maxAddressesPerName: number;
}

interface PendingName {
  /** What goes by the name: one for each port and protocol. */
  readonly candidates: IceCandidate[];
  /** When it is given up; `Infinity` before it is asked for. */
  deadline: number;
}

/** Why a candidate with a name is not kept: the name under which it is counted. */
export type NameRefusal = 'candidate-duplicate' | 'name-limit';

/** The names of one generation. Once one is resolved or given up it is not asked for again. */
export class Names {
  readonly #limits: NameLimits;
  readonly #pending = new Map<string, PendingName>();
  readonly #known = new Set<string>();

  constructor(limits: NameLimits) {
    this.#limits = limits;
  }

  /** Candidates that wait for their address. */
  get size(): number {
    let size = 0;
    for (const { candidates } of this.#pending.values()) size += candidates.length;
    return size;
  }

  /** Keeps a candidate until its name is resolved. @returns why not, if it is not */
  keep(candidate: IceCandidate): NameRefusal | undefined {
    const name = candidate.address;
    const pending = this.#pending.get(name);
    if (pending !== undefined) {
      const isKnown = pending.candidates.some(
        (one) => one.protocol === candidate.protocol && one.port === candidate.port,
      );
      if (isKnown) return 'candidate-duplicate';
      pending.candidates.push(candidate);
      return undefined;
    }
    if (this.#known.has(name) || this.#known.size >= this.#limits.maxNames) return 'name-limit';
    this.#known.add(name);
    this.#pending.set(name, { candidates: [candidate], deadline: Infinity });
    return undefined;
  }

  /** Candidates of another session than the peer's do not count. @returns how many have gone */
  dropForeign(isForeign: (candidate: IceCandidate) => boolean): number {
    let dropped = 0;
    for (const [name, { candidates }] of this.#pending) {
      const left = candidates.filter((one) => !isForeign(one));
      dropped += candidates.length - left.length;
      candidates.splice(0, candidates.length, ...left);
      if (left.length > 0) continue;
      this.#pending.delete(name);
      this.#known.delete(name);
    }
    return dropped;
  }

  /** The names that are to be asked for now; they are asked for once. */
  takeUnasked(now: number): string[] {
    const names: string[] = [];
    for (const [name, pending] of this.#pending) {
      if (pending.deadline !== Infinity) continue;
      pending.deadline = now + this.#limits.nameTimeout;
      names.push(name);
    }
    return names;
  }

  /** The answer has come. @returns what waited for it; nothing: nobody asked, or it came too late */
  resolved(name: string): readonly IceCandidate[] {
    const candidates = this.#pending.get(name)?.candidates ?? [];
    this.#pending.delete(name);
    return candidates;
  }

  /** Gives up what has waited too long. @returns how many names that were */
  expire(now: number): number {
    let expired = 0;
    for (const [name, { deadline }] of this.#pending) {
      if (deadline > now) continue;
      this.#pending.delete(name);
      expired++;
    }
    return expired;
  }

  nextTimeout(): number {
    let at = Infinity;
    for (const { deadline } of this.#pending.values()) at = Math.min(at, deadline);
    return at;
  }

  /** The host stood still: an answer that nobody could give is awaited anew. */
  resume(now: number): void {
    for (const pending of this.#pending.values()) {
      if (pending.deadline !== Infinity) pending.deadline = now + this.#limits.nameTimeout;
    }
  }

  clear(): void {
    this.#pending.clear();
  }
}
