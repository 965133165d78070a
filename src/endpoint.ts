/**
 * Endpoint: many `Rtc` behind one socket, or a few. It speaks the same contract as an `Rtc`.
 *
 *   in:  STUN requests go by the username fragment, which names the connection; a source address is bound to it only
 *        once the connection has verified the request's integrity. STUN responses go to whoever asked that address,
 *        everything else to the connection the address is bound to. Each look-up is O(1) (F3a).
 *   out: connections with something to say stand in one queue, the deadlines of all the others in one heap (F4a);
 *        an idle connection costs nothing.
 *
 * A connection leaves by itself after its `closed` event has been polled.
 *
 * Between one of our sockets and one of the peer's there is one path, so two connections cannot share it: DTLS carries
 * nothing that tells them apart. The path belongs to the connection whose check was verified last. That is right when a
 * page reloads or a NAT reuses a port; two live connections that share a pair of sockets take the path from each other
 * with every check (`routesTakenOver` counts on) and must be given a socket each at one end.
 */
import type { Protocol, TransportAddress } from './core/address.ts';
import { Counters } from './core/counters.ts';
import { DeadlineHeap } from './core/deadline-heap.ts';
import { badArgument, RtcError } from './core/errors.ts';
import { BoundedQueue } from './core/queue.ts';
import type { Route } from './endpoint/routes.ts';
import { RouteTable } from './endpoint/routes.ts';
import type { Input, Rtc, RtcEvent, TimeoutOutput, Transmit } from './rtc.ts';
import { datagramKind } from './rtc.ts';
import { isStunRequest, stunRequestUsername } from './stun/index.ts';

export { MAX_SHARDS, shardOf, shardUsernameFragment } from './endpoint/shard.ts';

export type EndpointOutput =
  Transmit | { readonly type: 'event'; readonly rtc: Rtc; readonly event: RtcEvent } | TimeoutOutput;

export interface EndpointOptions {
  /** Most connections at once. Default 100000. */
  readonly maxConnections?: number | undefined;
  /** Most remote addresses one connection may hold at once; the oldest is let go for a new one. Default 32. */
  readonly maxRoutesPerConnection?: number | undefined;
  /**
   * Sees datagrams that belong to no connection here: a check for a connection of another worker, a probe. It must not
   * keep `data`, and answers at its own risk: nothing about the sender is verified.
   */
  readonly onUnknown?: ((datagram: UnknownDatagram) => void) | undefined;
  /** Most calls of `onUnknown` a second; the rest is counted alone (`unknownNotReported`). Default 100. */
  readonly maxUnknownPerSecond?: number | undefined;
  /**
   * How late the timers of an idle connection (its consent checks and heartbeats) may be, ms, so that those of many
   * connections share one wake-up of the process. Every other deadline is kept as it is. Default 0.
   */
  readonly idleTimerSlack?: number | undefined;
}

export interface UnknownDatagram {
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Uint8Array;
  /** Of a STUN check: the username fragment of the connection it is for. */
  readonly usernameFragment?: string | undefined;
}

/** One datagram as an input. */
export type ReceiveInput = Extract<Input, { type: 'receive' }>;

const COUNTERS = [
  'datagramsReceived',
  /** STUN checks for a username fragment that is not here. */
  'droppedUnknownUsername',
  /** Anything else from an address that no connection has verified. */
  'droppedUnknownAddress',
  /** Of both kinds, those that `onUnknown` was not told of: it had been told too often in that second. */
  'unknownNotReported',
  'routesBound',
  /** Of these, those taken from a connection that is still here. */
  'routesTakenOver',
  /** Routes let go for a new one at `maxRoutesPerConnection`. */
  'routesEvicted',
] as const;

export type EndpointCounter = (typeof COUNTERS)[number];

const DEFAULT_UNKNOWN_PER_SECOND = 100;

/** A consent check a second late still leaves room for another one within the 30 s of the gate (RFC 7675 §5.1). */
const MAX_IDLE_TIMER_SLACK = 1000;

/** Outputs taken from one connection before the next one has its turn. */
const TURN = 64;

/** Timers whose lateness nobody notices: they recur every few seconds, spread at random by far more than any slack. */
const IDLE_TIMERS: ReadonlySet<string> = new Set(['ice.consentCheck', 'sctp.heartbeat']);

/** Connections that may wait for a STUN response from one address at once: each copy costs one integrity check. */
const MAX_ASKING = 16;

interface Member {
  readonly rtc: Rtc;
  readonly routes: Set<Route<Member>>;
  present: boolean;
  queued: boolean;
  /** Woken by an API call: it must hear the time before it is drained. */
  stale: boolean;
  /** Why its deadline is what it is. */
  reason: string;
}

export class Endpoint {
  /**
   * Called when an API call (`channel.send` outside the receive loop, say) has made work: feed
   * `{ type: 'timeout', now }` and drain. It is called at most once until the next drain.
   */
  onWake: (() => void) | undefined;
  readonly #members = new Map<string, Member>();
  readonly #routes: Readonly<Record<Protocol, RouteTable<Member>>> = {
    udp: new RouteTable('udp'),
    tcp: new RouteTable('tcp'),
  };
  readonly #ready = new BoundedQueue<Member>(Infinity); // each member stands in it once
  readonly #deadlines = new DeadlineHeap<Member>();
  readonly #counters = new Counters<EndpointCounter>(COUNTERS);
  readonly #maxConnections: number;
  readonly #maxRoutes: number;
  readonly #onUnknown: ((datagram: UnknownDatagram) => void) | undefined;
  readonly #maxUnknown: number;
  readonly #idleTimerSlack: number;
  /** Calls of `onUnknown` since `#unknownSince`. */
  #unknown = 0;
  #unknownSince = -Infinity;
  /** Connections drained since `invariantViolation` was asked; `undefined` as long as nobody does. */
  #drained: Set<Member> | undefined;
  #now = 0;
  #draining = false;
  #woken = false;
  #turn = 0;

  constructor(options: EndpointOptions = {}) {
    this.#maxConnections = options.maxConnections ?? 100_000;
    this.#maxRoutes = options.maxRoutesPerConnection ?? 32;
    this.#onUnknown = options.onUnknown;
    this.#maxUnknown = options.maxUnknownPerSecond ?? DEFAULT_UNKNOWN_PER_SECOND;
    this.#idleTimerSlack = options.idleTimerSlack ?? 0;
    if (!(this.#idleTimerSlack >= 0 && this.#idleTimerSlack <= MAX_IDLE_TIMER_SLACK)) {
      throw badArgument('idleTimerSlack', `0 … ${MAX_IDLE_TIMER_SLACK} ms`, options.idleTimerSlack);
    }
  }

  get size(): number {
    return this.#members.size;
  }

  /** Every connection, in the order in which they were added. */
  connections(): Rtc[] {
    return [...this.#members.values()].map((member) => member.rtc);
  }

  /**
   * Takes `rtc` in; from now on this endpoint alone feeds and drains it.
   * Throws `ERR_LIMIT` when full, `ERR_INVALID_STATE` when its username fragment is taken.
   */
  add(rtc: Rtc): void {
    const key = rtc.localParameters.ice.usernameFragment;
    if (this.#members.has(key)) {
      throw new RtcError('ERR_INVALID_STATE', `an Rtc with the username fragment "${key}" is here already`);
    }
    if (this.#members.size >= this.#maxConnections) {
      throw new RtcError(
        'ERR_LIMIT',
        `"maxConnections" is ${String(this.#maxConnections)}, and as many are here`,
      );
    }
    const member: Member = {
      rtc,
      routes: new Set(),
      present: true,
      queued: false,
      stale: false,
      reason: 'idle',
    };
    this.#members.set(key, member);
    rtc.onWake = (): void => this.#wake(member);
    this.#wake(member);
  }

  /** Lets `rtc` go without closing it. */
  remove(rtc: Rtc): void {
    const key = rtc.localParameters.ice.usernameFragment;
    const member = this.#members.get(key);
    if (member?.rtc !== rtc) return;
    member.present = false;
    this.#members.delete(key);
    this.#deadlines.delete(member);
    this.#drained?.delete(member);
    for (const route of member.routes) this.#unbind(member, route);
    rtc.onWake = undefined;
  }

  /** Feeds one datagram or the time. Never throws because of bytes from the network. */
  handleInput(input: Input): void {
    this.#advance(input.now);
    if (input.type === 'receive') this.#receive(input);
    this.#runDue();
  }

  /** F4b: feeds the datagrams of one batch; what is due runs once, after them. Drain when it returns. */
  handleInputs(inputs: readonly ReceiveInput[]): void {
    for (const input of inputs) {
      this.#advance(input.now);
      this.#receive(input);
    }
    this.#runDue();
  }

  /** What to do next; drain until it answers `timeout`. */
  pollOutput(): EndpointOutput {
    for (let member = this.#ready.peek(); member !== undefined; member = this.#ready.peek()) {
      const output = this.#pollMember(member);
      if (output !== undefined) return output;
    }
    this.#draining = false;
    this.#woken = false;
    const next = this.#deadlines.peek();
    if (next === undefined) return { type: 'timeout', at: Infinity, reason: 'idle' };
    return { type: 'timeout', at: this.#deadlines.next(), reason: next.reason };
  }

  /**
   * What must hold after a drain and does not, as a sentence; `undefined` while all is well. For simulations: it looks at
   * the connections drained since it was asked last.
   */
  invariantViolation(): string | undefined {
    const drained = this.#drained ?? this.#members.values();
    this.#drained = new Set();
    for (const { rtc, queued } of drained) {
      const violation = queued ? undefined : rtc.invariantViolation();
      if (violation !== undefined) return `${rtc.localParameters.ice.usernameFragment}: ${violation}`;
    }
    return undefined;
  }

  /** Plain and JSON-safe: sizes and counters of the endpoint itself. Each connection has its own `inspect()`. */
  inspect(): EndpointInspection {
    return {
      connections: this.#members.size,
      routes: this.#routes.udp.size + this.#routes.tcp.size,
      armed: this.#deadlines.size,
      ready: this.#ready.size,
      counters: this.#counters.snapshot(),
    };
  }

  /** The next output of the connection at the head of the queue; `undefined` when its turn is over. */
  #pollMember(member: Member): EndpointOutput | undefined {
    if (!member.present) {
      this.#ready.shift();
      return undefined;
    }
    // A connection with a lot to say must not keep the others waiting.
    if (++this.#turn > TURN) {
      this.#turn = 0;
      this.#ready.shift();
      this.#ready.push(member);
      return undefined;
    }
    if (member.stale && this.#draining) {
      member.stale = false;
      member.rtc.handleInput({ type: 'timeout', now: this.#now });
    }
    const output = member.rtc.pollOutput();
    if (output.type === 'event') return { type: 'event', rtc: member.rtc, event: output.event };
    if (output.type === 'transmit') {
      this.#noteCheck(member, output);
      return output;
    }
    this.#turn = 0;
    this.#ready.shift();
    member.queued = false;
    member.reason = output.reason;
    if (member.rtc.isEmpty) this.remove(member.rtc);
    else this.#deadlines.set(member, this.#wakeAt(output));
    this.#drained?.add(member);
    return undefined;
  }

  /** Idle timers fall on the points of a grid, and all connections have the same. */
  #wakeAt({ at, reason }: TimeoutOutput): number {
    const slack = this.#idleTimerSlack;
    return slack === 0 || !IDLE_TIMERS.has(reason) ? at : Math.max(at, Math.ceil(at / slack) * slack);
  }

  #advance(now: number): void {
    this.#now = Math.max(this.#now, now);
    this.#draining = true;
  }

  #runDue(): void {
    for (
      let due = this.#deadlines.takeDue(this.#now);
      due !== undefined;
      due = this.#deadlines.takeDue(this.#now)
    ) {
      due.rtc.handleInput({ type: 'timeout', now: this.#now });
      this.#enqueue(due);
    }
  }

  #receive(input: ReceiveInput): void {
    this.#counters.add('datagramsReceived');
    const { data, protocol, source, destination } = input;
    if (isStunRequest(data)) {
      const usernameFragment = stunRequestUsername(data)?.receiver ?? '';
      const member = this.#members.get(usernameFragment);
      if (member === undefined) {
        this.#counters.add('droppedUnknownUsername');
        this.#reportUnknown(input, usernameFragment);
        return;
      }
      this.#deliver(member, input);
      // Bind on verified integrity alone: the fragment is visible on the path, anybody can send it.
      if (member.rtc.isAuthenticatedPath(destination, source, protocol))
        this.#bind(member, protocol, destination, source);
      return;
    }
    const route = this.#routes[protocol].get(destination, source);
    if (route !== undefined && datagramKind(data) === 'stun') {
      this.#deliverResponse(route, input);
    } else if (route?.owner !== undefined) {
      this.#deliver(route.owner, input);
    } else {
      this.#counters.add('droppedUnknownAddress');
      this.#reportUnknown(input);
    }
  }

  #reportUnknown({ source, destination, data }: ReceiveInput, usernameFragment?: string): void {
    if (this.#onUnknown === undefined) return;
    if (this.#now - this.#unknownSince >= 1000) {
      this.#unknownSince = this.#now;
      this.#unknown = 0;
    }
    if (this.#unknown >= this.#maxUnknown) {
      this.#counters.add('unknownNotReported');
      return;
    }
    this.#unknown++;
    this.#onUnknown({ source, destination, data, usernameFragment });
  }

  /** A STUN response concerns whoever asked; the transaction id, which only the agents know, tells them apart. */
  #deliverResponse(route: Route<Member>, input: ReceiveInput): void {
    const { owner } = route;
    if (owner !== undefined) this.#deliver(owner, input);
    for (const member of route.asking) {
      if (member !== owner) this.#deliver(member, input);
      if (owner === undefined && member.rtc.isAuthenticatedPath(route.local, route.remote, route.protocol)) {
        this.#bind(member, route.protocol, route.local, route.remote);
        return;
      }
    }
  }

  #deliver(member: Member, input: Input): void {
    member.rtc.handleInput(input);
    this.#enqueue(member);
  }

  #bind(member: Member, protocol: Protocol, local: TransportAddress, remote: TransportAddress): void {
    const route = this.#routes[protocol].getOrAdd(local, remote);
    route.asking.delete(member);
    if (route.owner === member) return;
    if (route.owner !== undefined) {
      route.owner.routes.delete(route);
      this.#counters.add('routesTakenOver');
    }
    route.owner = member;
    this.#counters.add('routesBound');
    this.#hold(member, route);
  }

  #noteCheck(member: Member, output: Transmit): void {
    if (datagramKind(output.data) !== 'stun') return;
    const { protocol, source, destination } = output;
    const routes = this.#routes[protocol];
    const route = routes.get(source, destination);
    if (route?.owner === member || route?.asking.has(member) === true) return;
    if (!isStunRequest(output.data)) return;
    const asked = route ?? routes.getOrAdd(source, destination);
    if (asked.asking.size >= MAX_ASKING) return;
    asked.asking.add(member);
    this.#hold(member, asked);
  }

  #hold(member: Member, route: Route<Member>): void {
    member.routes.add(route);
    if (member.routes.size <= this.#maxRoutes) return;
    const [oldest] = member.routes; // sets keep the order of insertion
    if (oldest === undefined) return;
    this.#unbind(member, oldest);
    this.#counters.add('routesEvicted');
  }

  #unbind(member: Member, route: Route<Member>): void {
    member.routes.delete(route);
    route.asking.delete(member);
    if (route.owner === member) route.owner = undefined;
    if (route.owner === undefined && route.asking.size === 0) this.#routes[route.protocol].delete(route);
  }

  #wake(member: Member): void {
    member.stale = true;
    this.#enqueue(member);
    if (this.#draining || this.#woken) return;
    this.#woken = true;
    this.onWake?.();
  }

  #enqueue(member: Member): void {
    if (member.queued) return;
    member.queued = true;
    this.#ready.push(member);
  }
}

export interface EndpointInspection {
  readonly connections: number;
  readonly routes: number;
  /** Connections with a deadline. */
  readonly armed: number;
  /** Connections waiting to be drained. */
  readonly ready: number;
  readonly counters: Record<EndpointCounter, number>;
}
