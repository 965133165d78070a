/**
 * NameResolver: addresses of names, as the core asks for them (core/host.ts): by the system's resolver, of `.local` names by
 * multicast DNS if the driver has it.
 *
 *   resolve ──▶ waits, while `maxConcurrent` others are looked up ──▶ looked up ──▶ resolved, with `maxAddresses` at the most
 *                  └─────────────── not within `timeout` ──────────────────┴──────▶ resolved, with none
 *
 * A look-up of the system cannot be called off, so one that is late holds its place until it ends: a resolver that hangs takes
 * `maxConcurrent` threads at the most. Names that nobody answers for cost a wait and nothing else.
 */
import { lookup as lookupName } from 'node:dns/promises';
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import type { HostReply } from '../core/host.ts';
import { BoundedQueue } from '../core/queue.ts';

/** How names are resolved, and how many at once. */
export interface ResolverOptions {
  /** Most names looked up at once, at least 1, default 4, as many as Node has threads for it. */
  readonly maxConcurrent?: number | undefined;
  /** Most names that wait for that, default 256; a further one does not resolve (`refused`). */
  readonly maxWaiting?: number | undefined;
  /** Most addresses of a name that are used, at least 1, default 8; the others are not (`addressesCut`). */
  readonly maxAddresses?: number | undefined;
  /** How long a name may take, its wait included, ms, at least 1, default 10000 (`timedOut`). */
  readonly timeout?: number | undefined;
  /**
   * Looks up the IPv4 and IPv6 addresses of a name, best first, in place of the system's resolver: a cache, DNS over HTTPS.
   * It rejects, or answers with none, for a name that does not resolve. `.local` names do not come here.
   */
  readonly lookup?: ((name: string) => PromiseLike<readonly string[]>) | undefined;
}

/** Resolves `.local` names. It settles within a bound of its own, and never rejects. */
export type LocalNameLookup = (name: string) => Promise<readonly string[]>;

const COUNTERS = [
  'asked',
  /** Names with one address or more. */
  'resolved',
  /** Names that do not resolve. */
  'unresolved',
  /** Names given up after `timeout`. */
  'timedOut',
  /** Names refused at `maxWaiting`. */
  'refused',
  /** Addresses over `maxAddresses`. */
  'addressesCut',
] as const;

/** The name of a counter of the resolver; docs/operations.md says what each means. */
export type ResolverCounter = (typeof COUNTERS)[number];

/** A copy of the counters, as plain data. */
export interface ResolverStats extends Readonly<Record<ResolverCounter, number>> {
  /** Names that are looked up, or wait for it. */
  readonly names: number;
}

const DEFAULT_MAX_CONCURRENT = 4;
const DEFAULT_MAX_WAITING = 256;
const DEFAULT_MAX_ADDRESSES = 8;
/** See `timeout`, ms. */
export const DEFAULT_LOOKUP_TIMEOUT = 10_000;

/** The names that one driver resolves. */
export class NameResolver {
  /** Told the addresses; never from inside of `resolve`. */
  onReply: (reply: HostReply) => void = () => undefined;
  readonly #maxConcurrent: number;
  readonly #maxAddresses: number;
  readonly #timeout: number;
  readonly #lookup: (name: string) => PromiseLike<readonly string[]>;
  readonly #lookupLocal: LocalNameLookup | undefined;
  /** Names asked for that have no answer yet, each with its timer. */
  readonly #pending = new Map<string, NodeJS.Timeout>();
  readonly #waiting: BoundedQueue<string>;
  readonly #counters = new Counters<ResolverCounter>(COUNTERS);
  #running = 0;
  #isUnref = false;

  /** @param lookupLocal for `.local` names; without it they do not resolve. */
  constructor(options: ResolverOptions = {}, lookupLocal?: LocalNameLookup) {
    this.#maxConcurrent = options.maxConcurrent ?? DEFAULT_MAX_CONCURRENT;
    this.#maxAddresses = options.maxAddresses ?? DEFAULT_MAX_ADDRESSES;
    this.#timeout = options.timeout ?? DEFAULT_LOOKUP_TIMEOUT;
    this.#lookup = options.lookup ?? lookupBySystem;
    this.#lookupLocal = lookupLocal;
    this.#waiting = new BoundedQueue(options.maxWaiting ?? DEFAULT_MAX_WAITING);
  }

  /** Asks for the addresses of `name`; one that is asked for already is answered once. Never throws. */
  resolve(name: string): void {
    if (this.#pending.has(name)) return;
    this.#counters.add('asked');
    const timer = setTimeout(() => this.#answer(name, [], 'timedOut'), this.#timeout);
    if (this.#isUnref) timer.unref();
    this.#pending.set(name, timer);
    if (isLocal(name)) {
      this.#settle(name, this.#lookupLocal?.(name) ?? Promise.resolve([]));
    } else if (this.#waiting.push(name)) {
      this.#next();
    } else {
      setImmediate(() => this.#answer(name, [], 'refused'));
    }
  }

  unref(): void {
    this.#isUnref = true;
    for (const timer of this.#pending.values()) timer.unref();
  }

  /** Nothing is told any more. */
  close(): void {
    for (const timer of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#waiting.clear();
  }

  stats(): ResolverStats {
    return { ...this.#counters.snapshot(), names: this.#pending.size };
  }

  #next(): void {
    while (this.#running < this.#maxConcurrent) {
      const name = this.#waiting.shift();
      if (name === undefined) return;
      if (!this.#pending.has(name)) continue; // given up while it waited
      this.#running++;
      this.#settle(name, lookedUp(this.#lookup, name), () => {
        this.#running--;
        this.#next();
      });
    }
  }

  #settle(name: string, looking: PromiseLike<readonly string[]>, ended: () => void = () => undefined): void {
    looking.then(
      (addresses) => {
        this.#answer(name, addresses);
        ended();
      },
      () => {
        this.#answer(name, []);
        ended();
      },
    );
  }

  #answer(name: string, found: readonly string[], counter?: ResolverCounter): void {
    const timer = this.#pending.get(name);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#pending.delete(name);
    const usable = familiesInTurn(usableAddresses(found));
    const addresses = usable.slice(0, this.#maxAddresses);
    this.#counters.add('addressesCut', usable.length - addresses.length);
    this.#counters.add(counter ?? (addresses.length > 0 ? 'resolved' : 'unresolved'));
    this.onReply({ type: 'resolved', now: performance.now(), name, addresses });
  }
}

/** RFC 6762 §3: names of the link alone. */
function isLocal(name: string): boolean {
  return /\.local\.?$/i.test(name);
}

async function lookupBySystem(name: string): Promise<string[]> {
  const found = await lookupName(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** What is thrown at once is rejected with. */
async function lookedUp(
  lookup: (name: string) => PromiseLike<readonly string[]>,
  name: string,
): Promise<readonly string[]> {
  return lookup(name);
}

/** In canonical text, each once. An address with a zone is of no use to whoever does not know the interface. */
function usableAddresses(found: readonly string[]): string[] {
  const bare = found.filter((address) => typeof address === 'string' && !address.includes('%'));
  return [...new Set(bare.flatMap((address) => canonicalAddress(address) ?? []))];
}

/** The resolver's order, with the families by turns, so that a family that leads nowhere costs no more than one try (RFC 8305 §4). */
function familiesInTurn(addresses: readonly string[]): string[] {
  const first = addresses[0] === undefined ? undefined : addressFamily(addresses[0]);
  const leading = addresses.filter((address) => addressFamily(address) === first);
  const other = addresses.filter((address) => addressFamily(address) !== first);
  const longest = Math.max(leading.length, other.length);
  return Array.from({ length: longest }, (_, i) => [leading[i], other[i]])
    .flat()
    .filter((address) => address !== undefined);
}
