/**
 * Routes: one for each path between one of our addresses and one of a peer's, and who has to do with it (ownership.ts).
 *
 * By local address and port, then remote address and port: four look-ups, and no string is built for a datagram.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';

/** One path and its connections. */
export interface Route<Member> {
  readonly protocol: Protocol;
  readonly local: TransportAddress;
  readonly remote: TransportAddress;
  /** Everything but STUN that has no connection id goes here: its peer has proved that it is there. */
  owner: Member | undefined;
  /** Connections that have sent a check there, or have got an authentic one from there, and do not own it. */
  readonly claimants: Set<Member>;
  /** Of those without it, the ones that have been told that another connection has it. */
  readonly losers: Set<Member>;
  /** Connections that are told apart by connection ids, and need no owner. */
  readonly sharers: Set<Member>;
  /** Whether the peers met here share paths, as far as is known: the latest that has told. */
  peersShare: boolean | undefined;
  /** When the first check was sent here, milliseconds. */
  readonly since: number;
  /** Connections that keep off: their host has given them another socket. */
  readonly shunned: Set<Member>;
}

/** The routes of one protocol, found by their two addresses. */
export class RouteTable<Member> {
  size = 0;
  readonly #protocol: Protocol;
  readonly #locals = new Map<string, Map<number, Map<string, Map<number, Route<Member>>>>>();

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  get(local: TransportAddress, remote: TransportAddress): Route<Member> | undefined {
    return this.#locals.get(local.address)?.get(local.port)?.get(remote.address)?.get(remote.port);
  }

  /** The addresses are copied. */
  getOrAdd(local: TransportAddress, remote: TransportAddress, now: number): Route<Member> {
    const ports = child(child(child(this.#locals, local.address), local.port), remote.address);
    let route = ports.get(remote.port);
    if (route === undefined) {
      route = {
        protocol: this.#protocol,
        local: { address: local.address, port: local.port },
        remote: { address: remote.address, port: remote.port },
        owner: undefined,
        claimants: new Set(),
        losers: new Set(),
        sharers: new Set(),
        peersShare: undefined,
        since: now,
        shunned: new Set(),
      };
      ports.set(remote.port, route);
      this.size++;
    }
    return route;
  }

  delete({ local, remote }: Route<Member>): void {
    const addresses = this.#locals.get(local.address)?.get(local.port);
    const ports = addresses?.get(remote.address);
    if (addresses === undefined || ports?.delete(remote.port) !== true) return;
    this.size--;
    if (ports.size === 0) addresses.delete(remote.address);
  }
}

/** The map inside `map` under `key`, made on first use. */
function child<Key, InnerKey, Value>(map: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map<InnerKey, Value>();
    map.set(key, inner);
  }
  return inner;
}
