/**
 * LocalNames: multicast DNS (RFC 6762) for ICE: looks up the `.local` names of a peer's candidates, and answers for random names
 * of our own, which stand for our addresses (draft-ietf-mmusic-mdns-ice-candidates).
 *
 *   lookup ──▶ asked, again after 1 s and 3 s ──a response──▶ its addresses        nobody within `timeout` ──▶ none
 *
 * The protocol is `multicast-dns`', a package that is loaded when a driver asks for it and not before: it opens port 5353. It
 * speaks IPv4 to the link; the addresses that names stand for are of either family. Whoever is on the link may ask and answer
 * anything: a name costs an answer a second at the most, and only names that we wait for are looked at.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';

/** Whether names of our own are published, and how long those of others may take. */
export interface MdnsOptions {
  /**
   * True: peers are told a random name in place of each address of a host candidate, and only this link can tell what it stands
   * for. One name an address and driver. Default false: `.local` names of peers are looked up, and that is all.
   */
  readonly publish?: boolean | undefined;
  /** How long a name may take, ms, at least 1, default 4000 (`unanswered`). */
  readonly timeout?: number | undefined;
  /** Most names looked up at once, at least 1, default 64; a further one does not resolve (`refused`). */
  readonly maxLookups?: number | undefined;
}

/** A record as `multicast-dns` has it; `data` is the address in text. */
interface MdnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly flush?: boolean;
  readonly data?: unknown;
}

/** What comes over the link. */
interface MdnsPacket {
  readonly questions?: readonly { readonly name: string; readonly type: string }[];
  readonly answers?: readonly MdnsRecord[];
  readonly additionals?: readonly MdnsRecord[];
}

/** What we use of `multicast-dns`. */
export interface MulticastDns {
  query(packet: { questions: { name: string; type: string }[] }): void;
  respond(packet: { answers: MdnsRecord[]; additionals?: MdnsRecord[] }): void;
  /** Joins the groups of interfaces that have come. */
  update(): void;
  on(type: 'query' | 'response', listener: (packet: MdnsPacket, from: { port: number }) => void): void;
  on(type: 'error' | 'warning', listener: (error: Error) => void): void;
  destroy(): void;
}

const COUNTERS = [
  'lookups',
  /** Names that somebody on the link answered for. */
  'answered',
  /** Names that nobody answered for within `timeout`. */
  'unanswered',
  /** Names refused at `maxLookups`. */
  'refused',
  /** Responses sent for names of ours. */
  'responsesSent',
  /** Questions for names of ours that came within a second of the last answer. */
  'responsesLimited',
  /** Packets that could not be read or sent, and interfaces without multicast. */
  'failed',
] as const;

/** The name of a counter of multicast DNS; docs/operations.md says what each means. */
export type MdnsCounter = (typeof COUNTERS)[number];

/** A copy of the counters, as plain data. */
export interface MdnsStats extends Readonly<Record<MdnsCounter, number>> {
  /** Names of our own that are answered for. */
  readonly published: number;
}

/** Below the five seconds that an Rtc waits for a name (`ice.nameTimeout`), ms. */
export const DEFAULT_MDNS_TIMEOUT = 4000;
const DEFAULT_MAX_LOOKUPS = 64;
const PORT = 5353;

/** When a question is repeated, ms after the first time: the second one a second later, then twice as long (RFC 6762 §5.2). */
const REPEAT_AT = [1000, 3000];
/** A record may be multicast once a second (RFC 6762 §6). */
const RESPONSE_INTERVAL = 1000;
/** Seconds that others may remember our addresses (RFC 6762 §10). */
const RECORD_TTL = 120;
/** How often interfaces that have come are joined, ms. */
const JOIN_INTERVAL = 5000;

interface Lookup {
  readonly timers: readonly NodeJS.Timeout[];
  readonly waiting: ((addresses: readonly string[]) => void)[];
}

interface Published {
  readonly name: string;
  readonly address: string;
  respondedAt: number;
}

/** The names that one driver looks up and answers for. */
export class LocalNames {
  readonly publishes: boolean;
  readonly #timeout: number;
  readonly #maxLookups: number;
  readonly #dns: MulticastDns;
  readonly #lookups = new Map<string, Lookup>();
  /** By name. */
  readonly #published = new Map<string, Published>();
  readonly #counters = new Counters<MdnsCounter>(COUNTERS);

  /**
   * Loads `multicast-dns` and binds port 5353, together with whoever has it already. Rejects with `ERR_INVALID_STATE` if the
   * package is not installed, with `ERR_SOCKET` if the port cannot be had.
   */
  static async open(options: MdnsOptions = {}): Promise<LocalNames> {
    return new LocalNames(options, await openMulticast());
  }

  /** @param dns belongs to this from now on. */
  constructor(options: MdnsOptions, dns: MulticastDns) {
    this.publishes = options.publish ?? false;
    this.#timeout = options.timeout ?? DEFAULT_MDNS_TIMEOUT;
    this.#maxLookups = options.maxLookups ?? DEFAULT_MAX_LOOKUPS;
    this.#dns = dns;
    dns.on('response', (packet, from) => this.#heard(packet, from.port));
    dns.on('query', (packet) => this.#asked(packet));
    dns.on('error', () => this.#counters.add('failed'));
    dns.on('warning', () => this.#counters.add('failed'));
  }

  /** The addresses that a name on the link stands for; none, if nobody says so in time. Never rejects. */
  lookup(name: string): Promise<readonly string[]> {
    const key = keyOf(name);
    const own = this.#published.get(key);
    if (own !== undefined) return Promise.resolve([own.address]);
    return new Promise((resolve) => {
      const under = this.#lookups.get(key);
      if (under !== undefined) {
        under.waiting.push(resolve);
      } else if (this.#lookups.size >= this.#maxLookups) {
        this.#counters.add('refused');
        resolve([]);
      } else {
        this.#counters.add('lookups');
        this.#lookups.set(key, { waiting: [resolve], timers: this.#timersOf(key) });
        this.#ask(key);
      }
    });
  }

  /** The random name that stands for an address of ours, which is answered for from now on. */
  publish(address: string): string {
    for (const known of this.#published.values()) if (known.address === address) return known.name;
    const published = { name: `${randomUUID()}.local`, address, respondedAt: -Infinity };
    this.#published.set(published.name, published);
    this.#respond(published, performance.now());
    return published.name;
  }

  /** The address is gone: its name stands for nothing any more. */
  withdraw(address: string): void {
    for (const known of this.#published.values()) {
      if (known.address !== address) continue;
      this.#published.delete(known.name);
      this.#dns.respond({ answers: [recordOf(known, 0)] }); // a goodbye (RFC 6762 §10.1)
    }
  }

  /** What is being looked up resolves to nothing; names of ours are answered for no more. */
  close(): void {
    for (const key of [...this.#lookups.keys()]) this.#settle(key, []);
    for (const { address } of [...this.#published.values()]) this.withdraw(address);
    this.#dns.destroy();
  }

  stats(): MdnsStats {
    return { ...this.#counters.snapshot(), published: this.#published.size };
  }

  #timersOf(key: string): NodeJS.Timeout[] {
    const repeats = REPEAT_AT.map((at) => setTimeout(() => this.#ask(key), at));
    const end = setTimeout(() => {
      this.#counters.add('unanswered');
      this.#settle(key, []);
    }, this.#timeout);
    const timers = [...repeats, end];
    for (const timer of timers) timer.unref(); // whoever asked has a deadline of its own
    return timers;
  }

  #ask(name: string): void {
    this.#dns.query({
      questions: [
        { name, type: 'A' },
        { name, type: 'AAAA' },
      ],
    });
  }

  #heard(packet: MdnsPacket, port: number): void {
    if (port !== PORT || this.#lookups.size === 0) return; // RFC 6762 §6: a response comes from port 5353
    const found = new Map<string, string[]>();
    for (const { name, type, data, ttl } of [...(packet.answers ?? []), ...(packet.additionals ?? [])]) {
      if ((type !== 'A' && type !== 'AAAA') || typeof data !== 'string' || ttl === 0) continue;
      const key = keyOf(name);
      const address = this.#lookups.has(key) ? canonicalAddress(data) : undefined;
      if (address !== undefined) found.set(key, [...(found.get(key) ?? []), address].slice(0, MAX_ADDRESSES));
    }
    for (const [key, addresses] of found) {
      this.#counters.add('answered');
      this.#settle(key, addresses);
    }
  }

  #settle(key: string, addresses: readonly string[]): void {
    const lookup = this.#lookups.get(key);
    if (lookup === undefined) return;
    this.#lookups.delete(key);
    for (const timer of lookup.timers) clearTimeout(timer);
    for (const resolve of lookup.waiting) resolve(addresses);
  }

  #asked({ questions = [] }: MdnsPacket): void {
    if (this.#published.size === 0) return;
    const now = performance.now();
    for (const { name } of questions) {
      const published = this.#published.get(keyOf(name));
      if (published !== undefined) this.#respond(published, now);
    }
  }

  #respond(published: Published, now: number): void {
    if (now - published.respondedAt < RESPONSE_INTERVAL) {
      this.#counters.add('responsesLimited');
      return;
    }
    published.respondedAt = now;
    this.#counters.add('responsesSent');
    this.#dns.respond({ answers: [recordOf(published, RECORD_TTL)], additionals: [nothingElse(published)] });
  }
}

/** Addresses taken out of one response. */
const MAX_ADDRESSES = 8;

function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function recordOf({ name, address }: Published, ttl: number): MdnsRecord {
  return { name, type: addressFamily(address) === 6 ? 'AAAA' : 'A', ttl, flush: true, data: address };
}

/** Says that the name has no address of the other family (RFC 6762 §6.1), or who asks for both would wait for it. */
function nothingElse({ name, address }: Published): MdnsRecord {
  const rrtypes = [addressFamily(address) === 6 ? 'AAAA' : 'A'];
  return { name, type: 'NSEC', ttl: RECORD_TTL, flush: true, data: { nextDomain: name, rrtypes } };
}

type MakeMulticastDns = (options: { socket: Socket; multicast: false }) => MulticastDns;

async function openMulticast(): Promise<MulticastDns> {
  const make = await loadMulticastDns();
  // A socket of ours, for the package's own keeps the process alive, and so does its timer.
  const socket = createSocket({ type: 'udp4', reuseAddr: true }).unref();
  const dns = make({ socket, multicast: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('listening', resolve);
    dns.on('error', (error) => {
      const failure = new RtcError('ERR_SOCKET', `UDP port ${PORT} cannot be shared: ${error.message}`);
      failure.cause = error;
      reject(failure);
    });
  }).catch((error: unknown) => {
    dns.destroy();
    throw error;
  });
  socket.setMulticastTTL(255); // RFC 6762 §11
  dns.update();
  const joining = setInterval(() => dns.update(), JOIN_INTERVAL).unref();
  socket.once('close', () => clearInterval(joining));
  return dns;
}

async function loadMulticastDns(): Promise<MakeMulticastDns> {
  try {
    // @ts-expect-error: it has no types of its own; `MulticastDns` is what we use of it
    const library = (await import('multicast-dns')) as { readonly default: MakeMulticastDns };
    return library.default;
  } catch (error) {
    const failure = new RtcError('ERR_INVALID_STATE', '"mdns" needs the package "multicast-dns": install it');
    failure.cause = error;
    throw failure;
  }
}
