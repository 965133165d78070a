/**
 * Host: addresses, the machines that run on them, and a clock that can be frozen.
 *
 * Each address is an interface that can be taken down. A datagram goes to the machine that has its port; a machine
 * attached without a port has every port that no other machine has.
 */
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { callback, having, integer, listOf, number, or, text } from '../core/options.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { OpenRecord } from './log.ts';
import type { PeerEvent, SimInput, SimMachine, SimOutput } from './machine.ts';
import type { Nat } from './nat.ts';

/** Options of `network.host()`. */
export interface HostOptions {
  /** For logs and errors; unique. Default: the first address. */
  readonly name?: string | undefined;
  /** The NAT whose inside the host stands in. It translates addresses of its own family; others stay in the open. */
  readonly behind?: Nat | undefined;
  /** Datagrams the host keeps while it is frozen; later ones are dropped. Default 256. */
  readonly receiveBuffer?: number | undefined;
}

/** Options of `host.attach()`. */
export interface AttachOptions<Output extends SimOutput = SimOutput> {
  /** For logs and errors; unique. Default: the host's name, numbered from the second machine on. */
  readonly name?: string | undefined;
  /** The ports it has, on every address of the host. Default: all that no other machine has. */
  readonly port?: number | readonly number[] | undefined;
  /** Called for each event within the drain that gave it out. What it makes the same machine do is polled right after. */
  readonly onEvent?: ((event: PeerEvent<Output>) => void) | undefined;
  /** Your own rule, asked after every step of this machine: `undefined`, or a sentence saying what is wrong. */
  readonly invariant?: (() => string | undefined) | undefined;
  /**
   * The `type` of the event after which the machine must be silent for ever. Default `closed`, as `Rtc` has it;
   * `false` when no event means that. Outputs that carry `rtc` (an `Endpoint`'s) speak for one connection only and
   * never count.
   */
  readonly closedEvent?: string | false | undefined;
}

/** A machine on a host, as `host.attach()` answers it. Times are virtual milliseconds. */
export interface SimPeer<Output extends SimOutput = SimOutput> {
  readonly name: string;
  readonly host: Host;
  /** Every event of this machine, in order (`record.events`). */
  readonly events: readonly PeerEvent<Output>[];
  /** When the machine wants to be woken; `Infinity`: only by a datagram. */
  readonly deadline: number;
  /** The reason the machine gave for its deadline. */
  readonly reason: string | undefined;
  /** Whether its closed event has been polled out. */
  readonly closed: boolean;
  /** Whether `detach` has been called. */
  readonly detached: boolean;
  /** Steps this machine has made. */
  readonly steps: number;
  /**
   * Polls the machine again at this instant. Needed after calls on a machine without `onWake` from within another
   * machine's `onEvent`; between runs and after `at` and `after` the network does it by itself.
   */
  wake(): void;
  /**
   * Calls `action` at a virtual time and polls this machine alone. A frozen host's is put off until it wakes.
   * Throws `ERR_BAD_ARGUMENT` for a time that has passed.
   */
  at(time: number, action: () => void): void;
  /** Calls `action` in so many milliseconds, as `at` does. */
  after(delay: number, action: () => void): void;
  /**
   * The machine is gone without a word, as by kill -9: never driven again, its ports free, datagrams to it unheard.
   * It may be attached again, as another peer.
   */
  detach(): void;
}

/** A datagram as its receiver sees it. */
export interface Arrival {
  readonly record: OpenRecord;
  readonly data: Bytes;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
}

/** A machine as its host drives it. */
export interface Runner extends SimPeer {
  receive(arrival: Arrival): void;
  /** Something that its host has to say, in a step of its own; while the host is frozen it waits. */
  tell(input: SimInput): void;
  /** Awakes from a freeze: the time, then everything kept, then one drain. */
  thaw(arrivals: readonly Arrival[]): void;
}

/** What each option of a host may be. */
export const HOST_RULES: OptionRules<HostOptions> = {
  name: text(),
  behind: having('a NAT', ['reset', 'mappings']),
  receiveBuffer: number(0, Infinity),
};

const portRule: OptionRule = integer(0, 0xffff);

const portsRule: OptionRule = (value, name) => {
  if (typeof value === 'number') portRule(value, name);
  else listOf(portRule)(value, name);
};

/** What each option of `attach` may be. */
export const ATTACH_RULES: OptionRules<AttachOptions> = {
  name: text(),
  port: portsRule,
  onEvent: callback,
  invariant: callback,
  closedEvent: or(false, text()),
};

/** What a host asks its network for. */
export interface HostServices {
  interfaceFor(host: Host, address: string, behind: Nat | undefined): NetworkInterface;
  attach<Output extends SimOutput>(
    host: Host,
    machine: SimMachine<Output>,
    options: AttachOptions<Output>,
  ): SimPeer<Output>;
  freeze(host: Host, duration: number): void;
}

/** One address of a host. */
export class NetworkInterface {
  readonly kind = 'interface';
  readonly host: Host;
  /** Canonical text. */
  readonly address: string;
  readonly family: 4 | 6;
  #isUp = true;

  constructor(host: Host, address: string, family: 4 | 6) {
    this.host = host;
    this.address = address;
    this.family = family;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Loses everything sent from here and everything that arrives here, until `up()`. */
  down(): void {
    this.#isUp = false;
  }

  up(): void {
    this.#isUp = true;
  }
}

interface Waiting {
  readonly peer: Runner;
  readonly arrival: Arrival;
}

const DEFAULT_RECEIVE_BUFFER = 256;

/**
 * A host in a network, made by `network.host()`: attach machines to it, freeze it, give it addresses and take them
 * down.
 */
export class Host {
  readonly name: string;
  readonly #services: HostServices;
  readonly #behind: Nat | undefined;
  readonly #interfaces = new Map<string, NetworkInterface>();
  readonly #byPort = new Map<number, Runner>();
  readonly #peers = new Set<Runner>();
  #anyPort: Runner | undefined;
  #frozenUntil = -Infinity;
  readonly #backlog: BoundedQueue<Waiting>;

  /** Made by `network.host()`. */
  constructor(name: string, services: HostServices, options: HostOptions) {
    this.name = name;
    this.#services = services;
    this.#behind = options.behind;
    this.#backlog = new BoundedQueue(options.receiveBuffer ?? DEFAULT_RECEIVE_BUFFER);
  }

  /** In the order in which they were given. */
  get interfaces(): readonly NetworkInterface[] {
    return [...this.#interfaces.values()];
  }

  /** The machines running here. */
  get peers(): readonly SimPeer[] {
    return this.runners();
  }

  /** The host's first address. */
  get address(): string {
    return [...this.#interfaces.keys()][0] ?? '';
  }

  /** The virtual time until which it is frozen, or was last. */
  get frozenUntil(): number {
    return this.#frozenUntil;
  }

  /** The interface with this address, in canonical text. */
  interface(address: string): NetworkInterface | undefined {
    return this.#interfaces.get(address);
  }

  /** A further address, as a handover to another network brings one. Throws `ERR_BAD_ARGUMENT` when it is taken. */
  addAddress(address: string): NetworkInterface {
    const added = this.#services.interfaceFor(this, address, this.#behind);
    this.#interfaces.set(added.address, added);
    return added;
  }

  /**
   * Runs a machine here. It is polled for the first time at the next step.
   * Throws `ERR_BAD_ARGUMENT` when the name or a port is taken.
   */
  attach<Output extends SimOutput>(
    machine: SimMachine<Output>,
    options: AttachOptions<Output> = {},
  ): SimPeer<Output> {
    return this.#services.attach(this, machine, options);
  }

  /**
   * Stops every machine here for `duration` milliseconds, as SIGSTOP or a live migration does: no input, no timer.
   * Its clock runs on: on waking, each machine gets the time first, then everything its receive buffer has kept, then
   * it is drained once.
   */
  freeze(duration: number): void {
    this.#services.freeze(this, duration);
  }

  /** @internal */
  runners(): readonly Runner[] {
    return [...this.#peers];
  }

  /** @internal */
  frozenAt(now: number): boolean {
    return now < this.#frozenUntil;
  }

  /** @internal */
  freezeUntil(time: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, time);
  }

  /** @internal */
  keep(peer: Runner, arrival: Arrival): boolean {
    return this.#backlog.push({ peer, arrival });
  }

  /** @internal Everything kept while frozen, in the order of arrival. */
  takeBacklog(): Waiting[] {
    const kept: Waiting[] = [];
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) kept.push(next);
    return kept;
  }

  /** @internal */
  listener(port: number): Runner | undefined {
    return this.#byPort.get(port) ?? this.#anyPort;
  }

  /** @internal Checks, then binds all or nothing. */
  bind(peer: Runner, ports: readonly number[] | undefined): void {
    if (ports === undefined) {
      if (this.#anyPort !== undefined)
        throw badArgument('port', `a port: ${this.#anyPort.name} has all`, ports);
      this.#anyPort = peer;
    } else {
      for (const port of ports) {
        if (!isPort(port)) throw badArgument('port', 'a port, 1 to 65535', port);
        if (this.#byPort.has(port)) throw badArgument('port', `a free port of ${this.name}`, port);
      }
      for (const port of ports) this.#byPort.set(port, peer);
    }
    this.#peers.add(peer);
  }

  /** @internal */
  unbind(peer: Runner): void {
    if (this.#anyPort === peer) this.#anyPort = undefined;
    for (const [port, owner] of this.#byPort) if (owner === peer) this.#byPort.delete(port);
    this.#peers.delete(peer);
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}
