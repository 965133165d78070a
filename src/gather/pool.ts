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
import { Links } from './links.ts';
import { Names } from './names.ts';
import { Reflexive } from './reflexive.ts';
import type { GatherTimer, LocalSocket, Source, Sources, Timed } from './source.ts';

/** A source that nobody uses, since when. */
interface Lingering {
  readonly source: Source;
  readonly since: number;
}

/** Sockets, names and sources of one gatherer. */
export class Pool implements Sources, Timed {
  readonly timer: GatherTimer = 'linger';
  readonly sockets: Map<string, LocalSocket> = new Map();
  readonly sources: Map<string, Source> = new Map();
  readonly links: Links = new Links();
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
    const addresses = server.isName ? this.names.addressesOf(server.host) : [server.host];
    const found = new Set<Source>();
    for (const address of addresses) {
      for (const socket of this.sockets.values()) {
        if (!mayReach(socket.address, address)) continue;
        const source = this.#findOrMake(server, socket, { address, port: server.port });
        if (source !== undefined) found.add(source);
      }
    }
    return [...found];
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
      if (next.source.unusedSince === next.since) this.release(next.source, true);
    }
    this.#arm();
  }

  /** @param farewell its server may be told */
  release(source: Source, farewell: boolean): void {
    source.release(farewell);
    source.unusedSince = Infinity;
    this.sources.delete(source.key);
    this.links.delete(source);
    this.#host.starting.delete(source);
    this.#host.changed.delete(source);
  }

  clear(): void {
    this.sockets.clear();
    this.names.clear();
    this.#lingering.clear();
  }

  #findOrMake(server: ServerUrl, socket: LocalSocket, at: TransportAddress): Source | undefined {
    if (server.kind === 'turn') return undefined;
    const key = `srflx ${formatAddress(socket)} ${formatAddress(at)}`;
    const known = this.sources.get(key);
    if (known !== undefined) return known;
    const made = new Reflexive(this.#host, key, socket, at);
    this.sources.set(key, made);
    this.links.add(made);
    return made;
  }

  #arm(): void {
    const next = this.#lingering.peek();
    this.#host.deadlines.set(this, next === undefined ? Infinity : next.since + this.#host.settings.linger);
  }
}

/** One family; from loopback to loopback alone, and from a link's own addresses to their like. */
function mayReach(from: string, to: string): boolean {
  if (from.includes(':') !== to.includes(':')) return false;
  const [own, theirs] = [addressClass(from), addressClass(to)];
  if (own === 'loopback') return theirs === 'loopback';
  return own !== 'link-local' || theirs === 'link-local';
}
