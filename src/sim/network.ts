/**
 * Network: a network in a box, with hosts, links and NATs on one virtual clock, everything random from one seed.
 *
 *   const net = new Network({ seed: 1 })
 *   const a = net.host('192.0.2.1'), b = net.host('192.0.2.2')
 *   net.link(a, b, { latency: 20, loss: 0.1 })
 *   const alice = a.attach(machineA), bob = b.attach(machineB)
 *   const outcome = net.run({ until: () => bob.events.length > 0 })
 *
 * The same seed and the same calls give the same datagrams at the same times: `digest()` tells. Call machines as you
 * like between runs; each run begins by polling them all.
 */
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, flag, integer, nested, number, required } from '../core/options.ts';
import { SeededRandom } from '../core/random.ts';
import { Connections } from './connections.ts';
import type { LinkConditions, PathConditions } from './conditions.ts';
import { CONDITION_RULES, DEFAULT_CONDITIONS, pathConditions, resolveConditions } from './conditions.ts';
import type { AttachOptions, HostOptions, SimPeer } from './host.ts';
import { ATTACH_RULES, HOST_RULES, Host, NetworkInterface } from './host.ts';
import type { Link } from './link.ts';
import type { DatagramRecord, Fate } from './log.ts';
import { DatagramLog } from './log.ts';
import type { Outcome, RunOptions } from './loop.ts';
import { Loop } from './loop.ts';
import type { PeerEvent, SimMachine, SimOutput } from './machine.ts';
import type { NatOptions } from './nat.ts';
import { Nat, NAT_RULES } from './nat.ts';
import type { Occurrence, PeerSurroundings, RunnerOptions } from './peer.ts';
import { PeerRunner } from './peer.ts';
import type { Realm } from './realm.ts';
import { Realms, takenAddress } from './realm.ts';
import { Wire } from './wire.ts';

/** Options of a network. */
export interface NetworkOptions {
  /** Its low 32 bits decide everything random. Print it when a test fails. */
  readonly seed: number;
  /** The clock's first time, in milliseconds. Default 0. */
  readonly start?: number | undefined;
  /** The conditions of every link that has none of its own. */
  readonly defaults?: LinkConditions | undefined;
  readonly record?:
    | {
        /** Keep `net.datagrams`. Default true. */
        readonly datagrams?: boolean | undefined;
        /** Keep a copy of each datagram's payload there. Default false. */
        readonly bytes?: boolean | undefined;
        /** Keep `net.events` and `peer.events`. Default true. */
        readonly events?: boolean | undefined;
      }
    | undefined;
  /** Assert the poll contract after every step (`ContractViolation`). Default true. */
  readonly invariants?: boolean | undefined;
  /** Overwrite every datagram once its receiver has handled it, so that a machine that keeps a view shows. Default true. */
  readonly scribble?: boolean | undefined;
  /** Steps in one microsecond of virtual time that are called a livelock. Default 100,000. */
  readonly stepsPerInstant?: number | undefined;
  /** Outputs in one drain that are called endless. Default 100,000. */
  readonly outputsPerDrain?: number | undefined;
}

/** An end of a link: one interface, or a host for all of its interfaces. */
export type LinkEnd = Host | NetworkInterface;

/** The state of a network, JSON-safe. */
export interface NetworkInspection {
  readonly seed: number;
  readonly now: number;
  readonly steps: number;
  readonly peers: readonly {
    readonly name: string;
    readonly host: string;
    /** `null` for none: JSON has no Infinity. */
    readonly deadline: number | null;
    readonly reason: string | undefined;
    readonly closed: boolean;
    readonly steps: number;
  }[];
  readonly datagrams: Record<Fate, number>;
}

const DEFAULT_BOUND = 100_000;

const RULES: OptionRules<NetworkOptions> = {
  seed: required(number(-Number.MAX_VALUE)),
  start: number(-Number.MAX_VALUE),
  defaults: nested(CONDITION_RULES),
  record: nested<NonNullable<NetworkOptions['record']>>({ datagrams: flag, bytes: flag, events: flag }),
  invariants: flag,
  scribble: flag,
  stepsPerInstant: integer(1),
  outputsPerDrain: integer(1),
};

/** The network: make hosts, links and NATs, attach machines, `run`, then look at events, datagrams and digest. */
export class Network {
  readonly seed: number;
  readonly #realms = new Realms();
  readonly #loop: Loop<Occurrence>;
  readonly #log: DatagramLog;
  readonly #wire: Wire;
  readonly #surroundings: PeerSurroundings;
  readonly #hosts = new Map<string, Host>();
  readonly #peers = new Map<string, PeerRunner>();
  readonly #events: PeerEvent[] = [];
  readonly #names = new Map<string, readonly string[]>();

  /** Throws `ERR_BAD_ARGUMENT` for a bad option. */
  constructor(options: NetworkOptions) {
    checkOptions('Network', options, RULES);
    const { seed, start = 0, record = {} } = options;
    const defaults = resolveConditions(options.defaults ?? {}, DEFAULT_CONDITIONS);
    this.seed = seed;
    this.#log = new DatagramLog(record);
    this.#loop = new Loop(start, options.stepsPerInstant ?? DEFAULT_BOUND, {
      isDue: (item, at) => isDue(item, at),
      happen: (item) => this.#happen(item),
    });
    this.#wire = new Wire(this.#realms, this.#log, new SeededRandom(seed), defaults, (at, flight) =>
      this.#loop.plan(at, { type: 'arrival', flight }),
    );
    this.#surroundings = {
      seed,
      loop: this.#loop,
      wire: this.#wire,
      connections: new Connections(this.#wire, this.#log, (at, action) => {
        this.#loop.plan(at, { type: 'segment', action });
      }),
      resolve: (name) => this.#names.get(name),
      log: this.#log,
      invariants: options.invariants ?? true,
      scribble: options.scribble ?? true,
      outputsPerDrain: options.outputsPerDrain ?? DEFAULT_BOUND,
      keepEvents: record.events ?? true,
      events: this.#events,
      leave: (peer) => this.#peers.delete(peer.name),
    };
  }

  /** The virtual time, in milliseconds. */
  get now(): number {
    return this.#loop.now;
  }

  /** Steps so far: inputs to machines, and calls of planned functions. */
  get steps(): number {
    return this.#loop.steps;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** Every event of every machine, in order. */
  get events(): readonly PeerEvent[] {
    return this.#events;
  }

  /** Every datagram, in the order of sending. */
  get datagrams(): readonly DatagramRecord[] {
    return this.#log.records;
  }

  /** Fates of all datagrams, duplicates counted for themselves; kept even when datagrams are not recorded. */
  get counts(): Record<Fate, number> {
    return this.#log.counts();
  }

  /** Sixteen hexadecimal digits over all datagrams so far: bytes, addresses, times, fates. */
  digest(): string {
    return this.#log.digest();
  }

  /** A host with one or several addresses. Throws `ERR_BAD_ARGUMENT` when an address or the name is taken or none. */
  host(address: string | readonly string[], options: HostOptions = {}): Host {
    checkOptions('host', options, HOST_RULES);
    const addresses = typeof address === 'string' ? [address] : address;
    const first = addresses[0];
    if (first === undefined) throw badArgument('address', 'at least one', 'none');
    const name = options.name ?? this.#freeName(first, this.#hosts);
    if (this.#hosts.has(name)) throw badArgument('name', 'one that no other host has', name);
    const places = addresses.map((text) => this.#place(text, options.behind));
    for (const [i, { canonical, realm }] of places.entries()) {
      const repeated = places.slice(0, i).some((place) => place.canonical === canonical);
      if (repeated || realm.find(canonical) !== undefined) throw takenAddress(canonical);
    }
    const host = new Host(
      name,
      {
        interfaceFor: (of, text, behind) => this.#interface(of, text, behind),
        attach: (to, machine, attachOptions) => this.#attach(to, machine, attachOptions),
        freeze: (which, duration) => this.#freeze(which, duration),
      },
      options,
    );
    for (const text of addresses) host.addAddress(text);
    this.#hosts.set(name, host);
    return host;
  }

  /** A NAT with this outside address; hosts stand behind it by `host(…, { behind })`. */
  nat(address: string, options: NatOptions = {}): Nat {
    checkOptions('nat', options, NAT_RULES);
    const canonical = canonicalAddress(address);
    if (canonical === undefined) throw badArgument('address', 'an IP address', address);
    const nat = new Nat(canonical, options);
    this.#realms.addNat(nat, this.#realms.behind(options.behind));
    return nat;
  }

  /** What `name` resolves to from now on, for machines that ask (`request`): no addresses, and it resolves to nothing. */
  name(name: string, addresses: readonly string[]): void {
    this.#names.set(name, [...addresses]);
  }

  /**
   * Sets the conditions between two ends, both ways; what is not named has the network's default. Between hosts of
   * several addresses: of every pair of one family. NATs on the way do not matter: a link is between hosts.
   */
  link(a: LinkEnd, b: LinkEnd, conditions: LinkConditions | PathConditions): void {
    const path = pathConditions(conditions);
    const up = resolveConditions(path.up, this.#wire.defaults);
    const down = resolveConditions(path.down, this.#wire.defaults);
    for (const link of this.#directions(a, b)) link.update(up);
    for (const link of this.#directions(b, a)) link.update(down);
  }

  /**
   * The one direction from an interface to another one, to change its conditions, script its faults, read its counters.
   * Throws `ERR_BAD_ARGUMENT` for a host of several addresses: there are several links then.
   */
  direction(from: LinkEnd, to: LinkEnd): Link {
    const [link, ...more] = this.#directions(from, to);
    if (link === undefined || more.length > 0) {
      throw badArgument('from, to', 'one pair of addresses of one family', `${more.length + 1} pairs`);
    }
    return link;
  }

  /** Cuts one direction: what is sent from now on is lost, what is under way arrives. */
  cut(from: LinkEnd, to: LinkEnd): void {
    for (const link of this.#directions(from, to)) link.cut();
  }

  /** Cuts both directions between every host of one group and every host of the other (default: all others). */
  partition(group: readonly LinkEnd[], others: readonly LinkEnd[] = this.#allBut(group)): void {
    this.#eachPair(group, others, (link) => link.cut());
  }

  /** Undoes `cut` and `partition` between a group and others (default: all others); without arguments, everywhere. */
  heal(group?: readonly LinkEnd[], others?: readonly LinkEnd[]): void {
    if (group === undefined) {
      for (const link of this.#wire.links()) link.heal();
    } else {
      this.#eachPair(group, others ?? this.#allBut(group), (link) => link.heal());
    }
  }

  /**
   * Calls `action` at a virtual time, then polls every machine: a fault, a call on a machine, what the test likes.
   * Throws `ERR_BAD_ARGUMENT` for a time that has passed. In large networks prefer `peer.at`.
   */
  at(time: number, action: () => void): void {
    this.#loop.planCall(time, { type: 'call', peer: undefined, action });
  }

  /** Calls `action` in so many milliseconds, as `at` does. */
  after(delay: number, action: () => void): void {
    this.at(this.now + delay, action);
  }

  /**
   * Polls every machine, then lets time run until a condition holds, nothing is left to do, or the limit is reached.
   * Throws `ContractViolation` when a machine breaks the contract, and `ERR_INVALID_STATE` from within a step.
   */
  run(options: RunOptions = {}): Outcome {
    this.#wakeAll();
    return this.#loop.run(options);
  }

  /** Runs for so many milliseconds; the clock then stands exactly there even if nothing was left to do. */
  advance(duration: number): Outcome {
    const end = this.now + duration;
    const outcome = this.run({ limit: duration });
    if (outcome.reason === 'quiescent') this.#loop.skipTo(end);
    return outcome;
  }

  inspect(): NetworkInspection {
    return {
      seed: this.seed,
      now: this.now,
      steps: this.steps,
      peers: [...this.#peers.values()].map((peer) => ({
        name: peer.name,
        host: peer.host.name,
        deadline: peer.deadline === Infinity ? null : peer.deadline,
        reason: peer.reason,
        closed: peer.closed,
        steps: peer.steps,
      })),
      datagrams: this.counts,
    };
  }

  #happen(occurrence: Occurrence): void {
    switch (occurrence.type) {
      case 'arrival': {
        const { flight } = occurrence;
        const peer = this.#wire.arrive(flight, this.now);
        if (peer === undefined) return;
        if (!peer.host.frozenAt(this.now)) peer.receive(flight);
        else if (!peer.host.keep(peer, flight)) this.#log.lost(flight.record, 'receive-buffer-full');
        return;
      }
      case 'deadline':
        occurrence.peer.deadlineReached();
        return;
      case 'wake':
        if (!occurrence.peer.host.frozenAt(this.now)) occurrence.peer.poll('wake');
        return;
      case 'call':
        this.#call(occurrence);
        return;
      case 'segment':
        this.#loop.step('network: segment');
        occurrence.action(this.now);
        return;
      case 'told':
        occurrence.peer.hear(occurrence.input);
        return;
      case 'thaw':
        this.#thaw(occurrence.host);
        return;
    }
  }

  #call(occurrence: Extract<Occurrence, { type: 'call' }>): void {
    const { peer, action } = occurrence;
    if (peer?.host.frozenAt(this.now) === true) {
      this.#loop.plan(peer.host.frozenUntil, occurrence);
      return;
    }
    this.#loop.step(`${peer?.name ?? 'network'}: call`);
    action();
    if (peer === undefined) this.#wakeAll();
    else peer.wake();
  }

  #thaw(host: Host): void {
    const kept = host.takeBacklog();
    for (const peer of host.runners()) {
      // The event handler of one before it may have detached it.
      if (peer.detached) continue;
      peer.thaw(kept.filter((waiting) => waiting.peer === peer).map(({ arrival }) => arrival));
    }
    for (const { peer, arrival } of kept) if (peer.detached) this.#log.lost(arrival.record, 'no-listener');
  }

  #freeze(host: Host, duration: number): void {
    if (!(duration > 0 && duration < Infinity))
      throw badArgument('duration', 'milliseconds above 0', duration);
    host.freezeUntil(this.now + duration);
    this.#loop.plan(host.frozenUntil, { type: 'thaw', host });
  }

  #attach<Output extends SimOutput>(
    host: Host,
    machine: SimMachine<Output>,
    options: AttachOptions<Output>,
  ): SimPeer<Output> {
    checkOptions('attach', options, ATTACH_RULES);
    const name = options.name ?? this.#freeName(host.name, this.#peers);
    if (this.#peers.has(name)) throw badArgument('name', 'one that no other machine has', name);
    const ports = typeof options.port === 'number' ? [options.port] : options.port;
    // Inside, every machine is a `SimMachine`; what `Output` its events are, only its owner's types remember.
    const peer = new PeerRunner(name, host, machine, ports, options as RunnerOptions, this.#surroundings);
    host.bind(peer, ports);
    this.#peers.set(name, peer);
    peer.start();
    return peer as unknown as SimPeer<Output>;
  }

  #interface(host: Host, text: string, behind: Nat | undefined): NetworkInterface {
    const { canonical, family, realm } = this.#place(text, behind);
    const added = new NetworkInterface(host, canonical, family);
    this.#realms.addInterface(added, realm);
    return added;
  }

  /** Where an address stands. A NAT translates its own family; a host's other addresses stand outside of it. */
  #place(text: string, behind: Nat | undefined): { canonical: string; family: 4 | 6; realm: Realm } {
    const canonical = canonicalAddress(text);
    const family = addressFamily(text);
    if (canonical === undefined || family === undefined) throw badArgument('address', 'an IP address', text);
    let realm = this.#realms.behind(behind);
    while (realm.exit !== undefined && addressFamily(realm.exit.nat.address) !== family)
      realm = realm.exit.outside;
    return { canonical, family, realm };
  }

  #directions(from: LinkEnd, to: LinkEnd): Link[] {
    const links: Link[] = [];
    for (const source of interfacesOf(from)) {
      for (const destination of interfacesOf(to)) {
        if (source.family === destination.family) links.push(this.#wire.link(source, destination));
      }
    }
    return links;
  }

  #eachPair(group: readonly LinkEnd[], others: readonly LinkEnd[], act: (link: Link) => void): void {
    for (const a of group) {
      for (const b of others) {
        if (a === b) continue;
        for (const link of this.#directions(a, b)) act(link);
        for (const link of this.#directions(b, a)) act(link);
      }
    }
  }

  #allBut(group: readonly LinkEnd[]): Host[] {
    const within = new Set(group.map((end) => (end instanceof Host ? end : end.host)));
    return this.hosts.filter((host) => !within.has(host));
  }

  #wakeAll(): void {
    for (const peer of this.#peers.values()) peer.wake();
  }

  #freeName(base: string, taken: ReadonlyMap<string, unknown>): string {
    if (!taken.has(base)) return base;
    let number = 2;
    while (taken.has(`${base}#${number}`)) number++;
    return `${base}#${number}`;
  }
}

/** Whether something planned still means anything when its time comes. */
function isDue(occurrence: Occurrence, at: number): boolean {
  switch (occurrence.type) {
    case 'arrival':
      return !occurrence.flight.done;
    case 'deadline':
    case 'wake':
      return occurrence.peer.isDue(occurrence.type, at);
    case 'call':
      return occurrence.peer?.isDue('call', at) ?? true;
    case 'segment':
      return true;
    case 'told':
      return !occurrence.peer.detached;
    case 'thaw':
      return occurrence.host.frozenUntil === at;
  }
}

function interfacesOf(end: LinkEnd): readonly NetworkInterface[] {
  return end instanceof Host ? end.interfaces : [end];
}
