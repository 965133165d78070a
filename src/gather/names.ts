/**
 * Names: those of servers, resolved by the host. Each is asked for once at a time, whoever waits for it, and known for a minute.
 *
 * A name may have hundreds of addresses: one of each family is used, the first (the host's resolver sorts them, RFC 6724).
 */
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { isUnicast } from '../ice/index.ts';
import type { GatherHost } from './host.ts';

/** How long what a name resolved to is taken for true, milliseconds. */
const LIFETIME = 60_000;

/** Names kept, at the least; those that are being asked for do not count. */
const MAX_KEPT = 64;

interface Name {
  /** Canonical, those of the latest reply; `undefined` as long as there was none. */
  addresses: readonly string[] | undefined;
  isAwaited: boolean;
  /** When it was asked for, and then when the reply came. */
  since: number;
}

/** The names that a gatherer has asked its host for. */
export class Names {
  readonly #host: GatherHost;
  readonly #names = new Map<string, Name>();

  constructor(host: GatherHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#names.size;
  }

  /** Asks for `name` unless that is known, or has been asked for in the time of the gate. */
  ask(name: string): void {
    const { now, counters, requests, settings } = this.#host;
    const known = this.#names.get(name);
    const lifetime = known?.isAwaited === true ? settings.gatherTimeout : LIFETIME;
    if (known !== undefined && now - known.since < lifetime) return;
    this.#names.delete(name);
    this.#prune();
    this.#names.set(name, { addresses: known?.addresses, isAwaited: true, since: now });
    counters.add('namesAsked');
    requests.push({ type: 'resolve', name });
  }

  /** What `name` resolved to does not answer: it is asked for anew. */
  doubt(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined || known.isAwaited) return;
    known.since = -Infinity;
    this.ask(name);
  }

  /** Addresses to use, one of each family at the most; none as long as they are not known. */
  addressesOf(name: string): readonly string[] {
    return this.#names.get(name)?.addresses ?? [];
  }

  /** Asked for, and no reply. */
  isAwaited(name: string): boolean {
    return this.#names.get(name)?.isAwaited === true;
  }

  /** @returns false: it was not asked for */
  resolved(name: string, addresses: readonly string[]): boolean {
    const asked = this.#names.get(name);
    if (asked?.isAwaited !== true) return false;
    const chosen = this.#choose(addresses);
    asked.isAwaited = false;
    asked.since = this.#host.now;
    // What was true a minute ago is better than nothing.
    if (chosen.length > 0 || asked.addresses === undefined) asked.addresses = chosen;
    if (chosen.length === 0) this.#host.counters.add('namesFailed');
    return true;
  }

  clear(): void {
    this.#names.clear();
  }

  #choose(addresses: readonly string[]): readonly string[] {
    const chosen = new Map<4 | 6, string>();
    for (const given of addresses) {
      const address = canonicalAddress(given);
      const family = address === undefined ? undefined : addressFamily(address);
      if (address === undefined || family === undefined || !isUnicast(address) || chosen.has(family))
        this.#host.counters.add('nameAddressesIgnored');
      else chosen.set(family, address);
    }
    return [...chosen.values()];
  }

  /** The oldest go, but for those that are being asked for. */
  #prune(): void {
    if (this.#names.size < MAX_KEPT) return;
    for (const [name, { isAwaited }] of this.#names) {
      if (!isAwaited) this.#names.delete(name);
      if (this.#names.size < MAX_KEPT) return;
    }
  }
}
