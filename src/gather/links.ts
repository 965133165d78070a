/**
 * Links: what sources there are between a server and a socket of ours, found for each datagram that arrives, and whose a relayed
 * address is, found for each that is sent. Most have to do with no server, and that is seen by one look-up.
 */
import type { TransportAddress } from '../core/address.ts';
import type { RelaySource, Source } from './source.ts';

/** By the server's port and address, then by our socket's. */
type Table = Map<number, Map<string, Map<number, Map<string, Source[]>>>>;

/** The sources over UDP of one gatherer, by where their datagrams come from and arrive. */
export class Links {
  readonly #table: Table = new Map();
  /** By relayed address, port first. */
  readonly #relays = new Map<number, Map<string, RelaySource>>();

  /** True if a datagram from there may be a server's. */
  isServer({ port, address }: TransportAddress): boolean {
    return this.#table.get(port)?.has(address) === true;
  }

  /** Those of one server and one socket; a STUN server may be a TURN server too. */
  between(server: TransportAddress, socket: TransportAddress): readonly Source[] {
    return this.#table.get(server.port)?.get(server.address)?.get(socket.port)?.get(socket.address) ?? [];
  }

  /** The relay that has this address. */
  relayAt({ port, address }: TransportAddress): RelaySource | undefined {
    return this.#relays.get(port)?.get(address);
  }

  addRelayed(relay: RelaySource): void {
    for (const { port, address } of relay.relayed)
      child(this.#relays, port, () => new Map<string, RelaySource>()).set(address, relay);
  }

  deleteRelayed(relay: RelaySource): void {
    for (const { port, address } of relay.relayed) {
      const relays = this.#relays.get(port);
      if (relays?.get(address) !== relay) continue;
      relays.delete(address);
      if (relays.size === 0) this.#relays.delete(port);
    }
  }

  add(source: Source): void {
    const { server, socket } = source;
    const servers = child(
      this.#table,
      server.port,
      () => new Map<string, Map<number, Map<string, Source[]>>>(),
    );
    const ports = child(servers, server.address, () => new Map<number, Map<string, Source[]>>());
    const addresses = child(ports, socket.port, () => new Map<string, Source[]>());
    child(addresses, socket.address, (): Source[] => []).push(source);
  }

  delete(source: Source): void {
    const { server, socket } = source;
    const servers = this.#table.get(server.port);
    const ports = servers?.get(server.address);
    const addresses = ports?.get(socket.port);
    const sources = addresses?.get(socket.address);
    const index = sources?.indexOf(source) ?? -1;
    if (index < 0) return;
    sources?.splice(index, 1);
    if (sources?.length === 0) addresses?.delete(socket.address);
    if (addresses?.size === 0) ports?.delete(socket.port);
    if (ports?.size === 0) servers?.delete(server.address);
    if (servers?.size === 0) this.#table.delete(server.port);
  }
}

/** What is in `map` under `key`, made on first use. */
function child<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
