/**
 * Routes: who a remote address belongs to, as seen from one of our own.
 *
 *   somebody checks the address → asking      a check of its is verified → owner
 *
 * By local address and port, then remote address and port: four look-ups, and no string is built for a datagram.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';

export interface Route<Member> {
  readonly protocol: Protocol;
  readonly local: TransportAddress;
  readonly remote: TransportAddress;
  /** Bound after an authenticated STUN message; everything but STUN requests goes here. */
  owner: Member | undefined;
  /** Connections that have sent a check there and have not been answered. */
  readonly asking: Set<Member>;
}

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
  getOrAdd(local: TransportAddress, remote: TransportAddress): Route<Member> {
    const ports = child(child(child(this.#locals, local.address), local.port), remote.address);
    let route = ports.get(remote.port);
    if (route === undefined) {
      route = {
        protocol: this.#protocol,
        local: { address: local.address, port: local.port },
        remote: { address: remote.address, port: remote.port },
        owner: undefined,
        asking: new Set(),
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
