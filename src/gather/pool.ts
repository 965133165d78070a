/**
 * Pool: the sockets of one host, the servers that they ask, and the sources that come of both. A source is made once, for
 * whoever gathers first, and found by the datagrams of its server; it lingers when nobody uses it any more.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import { BoundedQueue } from '../core/queue.ts';
import { addressClass } from '../ice/index.ts';
import type { GatherHost } from './host.ts';
import type { ServerUrl } from './ice-server.ts';
import { Names } from './names.ts';
import { Reflexive } from './reflexive.ts';
import { Relay } from './relay.ts';
import type { GatherTimer, LocalSocket, Source, Sources, Timed } from './source.ts';

/** A source that nobody uses, since when. */
interface Lingering {
  readonly source: Source;
  readonly since: number;
}

/** Sockets, names and sources of one gatherer. */
export class Pool implements Sources, Timed {
  readonly timer: GatherTimer = 'linger';
  readonly sources: Map<string, Source> = new Map();
  readonly names: Names;
  readonly #host: GatherHost;
  readonly #lingering = new BoundedQueue<Lingering>(Infinity); // a source once for each time that it was let go

  constructor(host: GatherHost) {
    this.#host = host;
    this.names = new Names(host);
  }

  ask(server: ServerUrl): void {
    if (server.isName) this.names.ask(server.host);
  }

  isAwaited(server: ServerUrl): boolean {
    return server.isName && this.names.isAwaited(server.host);
  }

  of(server: ServerUrl): readonly Source[] {
    const found = new Set<Source>();
    for (const { socket, at } of this.#places(server)) {
      const source = this.#findOrMake(server, socket, at);
      if (source !== undefined) found.add(source);
    }
    return [...found];
  }

  renew(server: ServerUrl, renewed: ServerUrl): void {
    for (const { socket, at } of this.#places(server)) {
      const relay = this.sources.get(keyOf(server, socket, at));
      if (!(relay instanceof Relay)) continue;
      relay.renewCredentials(renewed);
      const key = keyOf(renewed, socket, at);
      if (this.sources.has(key)) continue;
      this.sources.delete(relay.key);
      relay.key = key;
      this.sources.set(key, relay);
    }
  }

  /** Nobody uses `source` at present. */
  letGo(source: Source): void {
    source.unusedSince = this.#host.now;
    this.#lingering.push({ source, since: this.#host.now });
    this.#arm();
  }

  handleTimeout(): void {
    const { now, settings } = this.#host;
    for (let next = this.#lingering.peek(); next !== undefined; next = this.#lingering.peek()) {
      if (next.since + settings.linger > now) break;
      this.#lingering.shift();
      if (next.source.unusedSince === next.since && next.source.leave()) this.drop(next.source);
    }
    this.#arm();
  }

  /** It is over. */
  drop(source: Source): void {
    const { links, starting, changed, finished } = this.#host;
    source.close();
    source.unusedSince = Infinity;
    this.sources.delete(source.key);
    links.delete(source);
    starting.delete(source);
    changed.delete(source);
    finished.delete(source);
  }

  whyNone(server: ServerUrl): string {
    if (this.of(server).length > 0) return '';
    const isFull = server.kind === 'turn' && this.#relays >= this.#host.settings.maxRelays;
    return isFull ? `there are ${this.#relays} relays already` : 'no address of ours reaches the server';
  }

  clear(): void {
    this.names.clear();
    this.#lingering.clear();
  }

  /** Every socket of ours with each address of the server's that it may reach. */
  #places(server: ServerUrl): { readonly socket: LocalSocket; readonly at: TransportAddress }[] {
    const addresses = server.isName ? this.names.addressesOf(server.host) : [server.host];
    const sockets = [...this.#host.sockets.values()];
    return addresses.flatMap((address) =>
      sockets
        .filter((socket) => mayReach(socket.address, address))
        .map((socket) => ({ socket, at: { address, port: server.port } })),
    );
  }

  #findOrMake(server: ServerUrl, socket: LocalSocket, at: TransportAddress): Source | undefined {
    const key = keyOf(server, socket, at);
    const known = this.sources.get(key);
    if (known !== undefined) {
      if (known instanceof Relay) known.offer(server);
      return known;
    }
    if (server.kind === 'turn' && !this.#hasRoom()) return undefined;
    const made = this.#make(server, key, socket, at);
    this.sources.set(key, made);
    if (made.transport === 'udp') this.#host.links.add(made);
    return made;
  }

  #make(server: ServerUrl, key: string, socket: LocalSocket, at: TransportAddress): Source {
    if (server.kind === 'stun') return new Reflexive(this.#host, key, socket, at, server.url);
    const relay = new Relay(this.#host, key, socket, at, server);
    relay.offer(server);
    return relay;
  }

  /** One that nobody uses makes room. */
  #hasRoom(): boolean {
    const relays = [...this.sources.values()].filter((source) => source instanceof Relay);
    if (relays.length < this.#host.settings.maxRelays) return true;
    const unused = relays.find(({ users }) => users.size === 0);
    if (unused === undefined) this.#host.counters.add('relaysRefused');
    else this.drop(unused);
    return unused !== undefined;
  }

  get #relays(): number {
    return [...this.sources.values()].filter((source) => source instanceof Relay).length;
  }

  #arm(): void {
    const next = this.#lingering.peek();
    this.#host.deadlines.set(this, next === undefined ? Infinity : next.since + this.#host.settings.linger);
  }
}

/**
 * What a source is shared by. Over UDP the socket's 5-tuple has one allocation, whoever made it (RFC 8656 §7.2); a stream has one for
 * each user, and any port of the address will do.
 */
function keyOf(server: ServerUrl, socket: LocalSocket, at: TransportAddress): string {
  const place = formatAddress(at);
  if (server.kind === 'stun') return `stun ${formatAddress(socket)} ${place}`;
  if (server.transport === 'udp') return `turn ${formatAddress(socket)} ${place}`;
  return `turn ${server.transport} ${socket.address} ${place} ${server.username}`;
}

/** One family; from loopback to loopback alone, and from a link's own addresses to their like. */
function mayReach(from: string, to: string): boolean {
  if (from.includes(':') !== to.includes(':')) return false;
  const [own, theirs] = [addressClass(from), addressClass(to)];
  if (own === 'loopback') return theirs === 'loopback';
  return own !== 'link-local' || theirs === 'link-local';
}
