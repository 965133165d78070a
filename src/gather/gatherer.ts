/**
 * Gatherer: server-reflexive and relayed addresses of a host's sockets, for any number of connections behind them.
 *
 *   sockets × servers = sources     a source belongs to its socket: asked once, kept up once, shared by all who gather
 *   a gathering                     one connection's share: candidates, failures and states are told by its number
 *
 * It has the contract of a machine (core/machine.ts) and, for a host of its own, the poll contract of `Rtc`: `handleInput`,
 * `pollOutput`. Calls without a time change facts alone; what follows from them is done at the time that is told next.
 */
import type { TransportAddress } from '../core/address.ts';
import { canonicalAddress, formatAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import type { HostReply, HostRequest } from '../core/host.ts';
import type { Machine } from '../core/machine.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, flag, integer, oneOf, required } from '../core/options.ts';
import { isUnicast } from '../ice/index.ts';
import { Gathering } from './gathering.ts';
import type { GatherCounter, GatherEvent, GatherTransmit, GatheringId, RelayedDatagram } from './host.ts';
import { GatherHost } from './host.ts';
import type { IceServer, ServerUrl } from './ice-server.ts';
import { readIceServers } from './ice-server.ts';
import type { GathererOptions } from './options.ts';
import { Pool } from './pool.ts';
import type { GatherTimer, LocalSocket, Source, SourceUser, StreamReply } from './source.ts';

/** What a connection gathers. */
export interface GatherConfig {
  /** W3C's `RTCConfiguration.iceServers`. */
  readonly iceServers: readonly IceServer[];
  /**
   * True: sockets that come, and servers that answer late, give candidates after `complete` too. Default false: what was told
   * is kept up to date, and that is all.
   */
  readonly continual?: boolean | undefined;
}

/** What the world did: a datagram that arrived at one of the sockets, a reply of the host's, or the time alone. */
export type GatherInput =
  | {
      readonly type: 'receive';
      readonly now: number;
      readonly protocol: 'udp' | 'tcp';
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
      readonly data: Uint8Array;
      readonly owned?: boolean | undefined;
    }
  | HostReply
  | { readonly type: 'timeout'; readonly now: number };

/** What to do next. */
export type GatherOutput =
  | ({ readonly type: 'transmit' } & GatherTransmit)
  | { readonly type: 'request'; readonly request: HostRequest }
  | { readonly type: 'event'; readonly event: GatherEvent }
  /** To be fed to whoever has the relayed address, as a datagram that arrived there. */
  | ({ readonly type: 'datagram' } & RelayedDatagram)
  | { readonly type: 'timeout'; readonly at: number; readonly reason: string };

/** What `Gatherer.inspect` shows. */
export interface GatherInspection {
  readonly sockets: readonly string[];
  readonly names: number;
  readonly sources: readonly object[];
  readonly gatherings: readonly object[];
  readonly timeout: { readonly at: number | null; readonly reason: string | null };
  readonly counters: Record<GatherCounter, number>;
}

const CONFIG_RULES: OptionRules<GatherConfig> = {
  iceServers: required(() => undefined), // `readIceServers` judges them
  continual: flag,
};

const SOCKET_RULES: OptionRules<LocalSocket> = {
  protocol: required(oneOf(['udp'])),
  address: required((value, name) => {
    const address = typeof value === 'string' ? canonicalAddress(value) : undefined;
    if (address === undefined || !isUnicast(address)) throw badArgument(name, 'a unicast IP address', value);
  }),
  port: required(integer(1, 65_535)),
};

/** How far behind the caller's clock a call may leave its effects, milliseconds. */
const STALE_CLOCK_DELAY = 1;

/** What a call has asked for, until the time is told. */
type Pending =
  | { readonly type: 'begin'; readonly gathering: Gathering }
  /** Its sources may be nobody's now. */
  | { readonly type: 'released' }
  | {
      readonly type: 'renewed';
      readonly gathering: Gathering;
      readonly servers: readonly ServerUrl[];
    }
  | { readonly type: 'socketadded' }
  | { readonly type: 'socketremoved'; readonly sources: readonly Source[] };

/**
 * Addresses of a host's sockets from STUN and TURN servers. Its methods come in families:
 *
 * - the sockets: `addSocket`, `removeSocket`
 * - the connections: `gather`, `restart`, `renewCredentials`, `release`; what they send from relayed addresses: `sendFromRelay`
 * - what the world did: `handleInput`, or `handlePacket`, `handleReply`, `handleTimeout`
 * - what to do next: `pollOutput`, or `pollEvent`, `pollRequest`, `pollTransmit`, `pollDatagram`, `nextTimeout`
 * - how it is: `inspect`
 */
export class Gatherer implements Machine<GatherEvent> {
  readonly #host: GatherHost;
  readonly #pool: Pool;
  readonly #gatherings = new Map<GatheringId, Gathering>();
  readonly #pending: Pending[] = []; // calls of the host's alone
  /** Calls wait for the time. */
  #isStirred = false;
  #lastId = 0;
  /** When the next server may be asked for the first time. */
  #startAt = -Infinity;
  #isClosed = false;

  /** Throws `ERR_BAD_ARGUMENT`. */
  constructor(options: GathererOptions = {}) {
    this.#host = new GatherHost(options);
    this.#pool = new Pool(this.#host);
  }

  /** How many connections gather. */
  get size(): number {
    return this.#gatherings.size;
  }

  /**
   * Adds a socket: a local address that datagrams leave from and arrive at. Adding it again changes nothing. Gatherings that
   * are under way, or continual, ask for its addresses too.
   * Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT` over `maxSockets`, `ERR_INVALID_STATE` once closed.
   */
  addSocket(socket: LocalSocket): void {
    this.#assertOpen();
    const { sockets, settings } = this.#host;
    const own = canonicalSocket(socket);
    const key = formatAddress(own);
    if (sockets.has(key)) return;
    if (sockets.size >= settings.maxSockets)
      throw new RtcError('ERR_LIMIT', `"maxSockets" is ${settings.maxSockets}`);
    sockets.set(key, own);
    this.#stir({ type: 'socketadded' });
  }

  /** The socket is gone, and so are all addresses that belong to it. */
  removeSocket(socket: LocalSocket): void {
    const key = formatAddress(canonicalSocket(socket));
    if (!this.#host.sockets.delete(key)) return;
    const sources = [...this.#pool.sources.values()].filter((source) => formatAddress(source.socket) === key);
    this.#stir({ type: 'socketremoved', sources });
  }

  /**
   * Gathers for one connection. What is known already is told at once, the rest as it comes.
   * @returns the number by which events name this gathering
   *
   * Throws `ERR_BAD_ARGUMENT` for servers that cannot be, `ERR_LIMIT` over `maxServers`, `ERR_INVALID_STATE` once closed.
   */
  gather(config: GatherConfig): GatheringId {
    this.#assertOpen();
    checkOptions('gather', config, CONFIG_RULES);
    const servers = readIceServers(config.iceServers, this.#host.settings.maxServers);
    const id = ++this.#lastId;
    const gathering = new Gathering(this.#host, id, servers, config.continual ?? false);
    this.#gatherings.set(id, gathering);
    this.#stir({ type: 'begin', gathering });
    return id;
  }

  /** The connection restarts ICE: what failed is tried again, what is known is verified, and lives on meanwhile. */
  restart(id: GatheringId): void {
    const gathering = this.#gatherings.get(id);
    if (gathering !== undefined) this.#stir({ type: 'begin', gathering });
  }

  /** The connection is over. What nobody else uses is let go after `linger`. No event of it follows. */
  release(id: GatheringId): void {
    const gathering = this.#gatherings.get(id);
    if (gathering === undefined) return;
    this.#gatherings.delete(id);
    gathering.release();
    this.#stir({ type: 'released' });
  }

  /**
   * Feeds a datagram, a reply or the time. @returns true for a datagram of a server's: it is for nobody else. Never throws
   * because of bytes from the network.
   */
  handleInput(input: GatherInput): boolean {
    if (input.type === 'receive') {
      const { protocol, source, destination, data, owned = false, now } = input;
      const isTaken = this.handlePacket(data, { protocol, source, destination }, owned, now);
      // Whoever it is for, it tells the time.
      if (!isTaken) this.handleTimeout(now);
      return isTaken;
    }
    if (input.type === 'timeout') this.handleTimeout(input.now);
    else this.handleReply(input);
    return false;
  }

  /** True if what comes from `source` may be a server's. Made to be called per datagram. */
  isServer(source: TransportAddress): boolean {
    return this.#host.links.isServer(source);
  }

  /** @returns false: it is no server's, and for somebody else */
  handlePacket(
    data: Uint8Array,
    path: {
      readonly protocol: 'udp' | 'tcp';
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
    },
    owned: boolean,
    now: number,
  ): boolean {
    if (path.protocol !== 'udp' || !this.#host.links.isServer(path.source)) return false;
    this.#observe(now);
    const sources = this.#host.links.between(path.source, path.destination);
    const isTaken = sources.some((source) => source.handlePacket(data, owned));
    this.#turn();
    return isTaken;
  }

  /** True if `source` is a relayed address: what is sent from there goes by `sendFromRelay`. Made to be called per datagram. */
  isRelayed(source: TransportAddress): boolean {
    return this.#host.links.relayAt(source) !== undefined;
  }

  /**
   * Sends a datagram of a connection's from the relayed address that it names as its source, a copy of it: what comes of that is
   * polled as any other output.
   */
  sendFromRelay(
    datagram: {
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
      readonly data: Uint8Array;
    },
    now: number,
  ): void {
    this.#observe(now);
    const relay = this.#host.links.relayAt(datagram.source);
    if (relay === undefined) this.#host.counters.add('relayedDatagramsDropped');
    else relay.send(datagram.destination, datagram.data);
    this.#turn();
  }

  /**
   * Other credentials for a gathering's TURN servers, in place of those that expire: of the same URLs, others are not looked at.
   * They are used from the next request on, and the allocations stay. Throws as `gather` does.
   */
  renewCredentials(id: GatheringId, iceServers: readonly IceServer[]): void {
    const servers = readIceServers(iceServers, this.#host.settings.maxServers);
    const gathering = this.#gatherings.get(id);
    if (gathering !== undefined) this.#stir({ type: 'renewed', gathering, servers });
  }

  /** What the host replies to a request. */
  handleReply(reply: HostReply): void {
    this.#observe(reply.now);
    if (reply.type === 'resolved') this.#resolved(reply.name, reply.addresses);
    else this.#streamed(reply);
    this.#turn();
  }

  handleTimeout(now: number): void {
    this.#observe(now);
    this.#turn();
  }

  /** What to do next; drain until it answers `timeout`. */
  pollOutput(): GatherOutput {
    const event = this.pollEvent();
    if (event !== undefined) return { type: 'event', event };
    const request = this.pollRequest();
    if (request !== undefined) return { type: 'request', request };
    const datagram = this.pollDatagram();
    if (datagram !== undefined) return { type: 'datagram', ...datagram };
    const transmit = this.pollTransmit();
    if (transmit !== undefined) return { type: 'transmit', ...transmit };
    return { type: 'timeout', at: this.nextTimeout(), reason: this.timeoutReason() ?? 'idle' };
  }

  get queuedEvents(): number {
    return this.#host.events.size;
  }

  pollEvent(): GatherEvent | undefined {
    const { events } = this.#host;
    let event = events.shift();
    while (event !== undefined && !this.#gatherings.has(event.gathering)) event = events.shift();
    return event;
  }

  /** What the host is asked to do. */
  pollRequest(): HostRequest | undefined {
    return this.#host.requests.shift();
  }

  /** A datagram to send from one of the sockets. */
  pollTransmit(): GatherTransmit | undefined {
    return this.#host.transmits.shift();
  }

  /** A datagram that arrived at a relayed address. */
  pollDatagram(): RelayedDatagram | undefined {
    return this.#host.datagrams.shift();
  }

  nextTimeout(): number {
    return Math.min(this.#callAt(), this.#startingAt(), this.#host.deadlines.next());
  }

  timeoutReason(): string | undefined {
    const at = this.nextTimeout();
    if (at === Infinity) return undefined;
    let timer: GatherTimer | undefined = this.#host.deadlines.peek()?.timer;
    if (at === this.#callAt()) timer = 'call';
    else if (at === this.#startingAt()) timer = 'start';
    return timer === undefined ? undefined : `gather.${timer}`;
  }

  thaw(missed: number): void {
    for (const gathering of this.#gatherings.values()) gathering.thaw(missed);
  }

  /** Ends it: servers that keep something for us are told, and everything is released. */
  close(_reason: Failure, now: number): void {
    if (this.#isClosed) return;
    this.#observe(now);
    this.#isClosed = true;
    this.#isStirred = false;
    this.#pending.length = 0;
    this.#host.transmits.clear();
    this.#host.requests.clear();
    for (const gathering of this.#gatherings.values()) gathering.release();
    this.#gatherings.clear();
    for (const source of [...this.#pool.sources.values()]) this.#pool.drop(source);
    this.#pool.clear();
    this.#host.sockets.clear();
    this.#host.starting.clear();
    this.#host.changed.clear();
    this.#host.deadlines.clear();
    this.#host.datagrams.clear();
    this.#host.events.clear();
  }

  /** Everything one would ask in a debugger, as plain data without secrets. */
  inspect(): GatherInspection {
    const at = this.nextTimeout();
    return {
      sockets: [...this.#host.sockets.keys()],
      names: this.#pool.names.size,
      sources: [...this.#pool.sources.values()].map((source) => source.inspect()),
      gatherings: [...this.#gatherings.values()].map((gathering) => gathering.inspect()),
      timeout: { at: at === Infinity ? null : at, reason: this.timeoutReason() ?? null },
      counters: this.#host.counters.snapshot(),
    };
  }

  invariantViolation(): string | undefined {
    if (this.#isClosed)
      return this.nextTimeout() === Infinity ? undefined : 'closed, and something is awaited';
    for (const gathering of this.#gatherings.values()) {
      const violation = gathering.invariantViolation();
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  /** What it waits for at this time is no sign that the host stood still: the call may have come a moment ago. */
  #observe(now: number): void {
    this.#isStirred = false;
    this.#host.clock.observe(now, this);
  }

  #stir(pending: Pending): void {
    this.#pending.push(pending);
    this.#isStirred = true;
  }

  #callAt(): number {
    return this.#isStirred ? Math.max(this.#host.now, 0) + STALE_CLOCK_DELAY : Infinity;
  }

  #startingAt(): number {
    return this.#host.starting.size === 0 ? Infinity : this.#startAt;
  }

  /** Does what calls have asked for and what is due, and tells the gatherings what has changed. */
  #turn(): void {
    if (this.#isClosed) return;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift())
      this.#apply(next);
    const { now, deadlines } = this.#host;
    for (let due = deadlines.takeDue(now); due !== undefined; due = deadlines.takeDue(now)) {
      due.handleTimeout();
      if (due instanceof Gathering) due.update(this.#pool);
    }
    this.#startNext();
    this.#tellChanges();
  }

  #apply(pending: Pending): void {
    switch (pending.type) {
      case 'begin':
        if (this.#gatherings.has(pending.gathering.id)) pending.gathering.begin(this.#pool);
        return;
      case 'released':
        return;
      case 'renewed':
        pending.gathering.renewCredentials(pending.servers, this.#pool);
        return;
      case 'socketadded':
        this.#updateAll();
        return;
      case 'socketremoved':
        for (const source of pending.sources) this.#remove(source);
    }
  }

  /** The source's socket is gone. */
  #remove(source: Source): void {
    const users = [...source.users];
    source.users.clear();
    this.#pool.drop(source);
    for (const user of users) {
      user.drop(source);
      user.update(this.#pool);
    }
  }

  /** The server that has waited longest is asked, one every Ta over all sockets and connections (RFC 8445 §14.2). */
  #startNext(): void {
    const { starting, now, settings } = this.#host;
    if (this.#startAt > now) return;
    for (const source of starting) {
      starting.delete(source);
      source.start();
      this.#startAt = now + settings.startInterval;
      return;
    }
  }

  #tellChanges(): void {
    const { changed, finished } = this.#host;
    for (const source of finished) if (source.users.size === 0) this.#pool.drop(source);
    finished.clear();
    while (changed.size > 0) {
      const concerned = new Set<SourceUser>();
      for (const source of changed) {
        changed.delete(source);
        for (const user of source.users) concerned.add(user);
        if (source.users.size === 0 && source.unusedSince === Infinity) this.#pool.letGo(source);
      }
      for (const gathering of concerned) gathering.update(this.#pool);
    }
  }

  #updateAll(): void {
    for (const gathering of this.#gatherings.values())
      if (gathering.state !== 'new') gathering.update(this.#pool);
  }

  #resolved(name: string, addresses: readonly string[]): void {
    if (this.#pool.names.resolved(name, addresses)) this.#updateAll();
    else this.#host.counters.add('repliesIgnored');
  }

  #streamed(reply: StreamReply): void {
    const relay = this.#host.streams.get(reply.stream);
    if (relay === undefined) this.#host.counters.add('repliesIgnored');
    else relay.handleStream(reply);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new RtcError('ERR_INVALID_STATE', 'the gatherer is closed');
  }
}

function canonicalSocket(socket: LocalSocket): LocalSocket {
  checkOptions('addSocket', socket, SOCKET_RULES);
  return { protocol: 'udp', address: canonicalAddress(socket.address) ?? socket.address, port: socket.port };
}
