/**
 * UdpSockets: the UDP sockets of one driver, seen as one: a datagram comes in with the address it was sent to, and leaves by the
 * socket of the address it is sent from.
 */
import { addressFamily, type TransportAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import type { Interfaces } from './interface-filter.ts';
import { LocalAddresses, type AddressChange } from './local-addresses.ts';
import { bindWithin, type PortChoice } from './port-range.ts';
import { UdpSocket, type UdpSocketOptions, type UdpSocketStats } from './udp-socket.ts';

/** Options that all sockets of a driver share. */
export interface UdpSocketsOptions extends Omit<UdpSocketOptions, 'address' | 'port'> {
  /** The host's interfaces, those alone that peers may be told of. */
  readonly interfaces: () => Interfaces;
  /** Where sockets are bound that are opened later. */
  readonly furtherPorts: PortChoice;
}

/** Where to bind a socket. */
export interface Place {
  readonly address: string;
  readonly port: PortChoice;
}

interface Bound {
  readonly socket: UdpSocket;
  readonly local: LocalAddresses;
}

/** All UDP sockets of one driver behind one face. */
export class UdpSockets {
  onReceive: (data: Uint8Array, source: TransportAddress, destination: TransportAddress) => void = () =>
    undefined;
  readonly #bound: Bound[] = [];
  /** How many of them it was opened with. */
  readonly #own: number;
  readonly #options: UdpSocketsOptions;
  #closing = false;
  #isUnref = false;
  /** By local address, then port. */
  readonly #byAddress = new Map<string, Map<number, UdpSocket>>();

  /** Binds all of them or none. Rejects with `ERR_SOCKET`. */
  static async open(places: readonly Place[], options: UdpSocketsOptions): Promise<UdpSockets> {
    const outcomes = await Promise.allSettled(
      places.map(({ address, port }) => bindSocketWithin(address, port, options)),
    );
    const sockets = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused === undefined) return new UdpSockets(sockets, options);
    await Promise.all(sockets.map((socket) => socket.close()));
    throw refused.reason;
  }

  private constructor(sockets: readonly UdpSocket[], options: UdpSocketsOptions) {
    this.#options = options;
    this.#own = sockets.length;
    for (const socket of sockets) this.#add(socket);
  }

  /** Where peers reach the sockets it was opened with, in the order in which they were asked for. */
  get addresses(): readonly TransportAddress[] {
    return this.#bound.slice(0, this.#own).flatMap(({ local }) => local.all);
  }

  /**
   * The local ends that server-reflexive and relayed addresses are asked for from: of each socket the first of each family, for
   * what is sent elsewhere leaves a wildcard there.
   */
  get gatheringAddresses(): readonly TransportAddress[] {
    return this.#bound.slice(0, this.#own).flatMap(({ local: { all } }) =>
      all.filter(({ address }) => {
        const family = addressFamily(address);
        return all.find((other) => addressFamily(other.address) === family)?.address === address;
      }),
    );
  }

  /** Looks at the interfaces again: which addresses of these sockets have come and gone. */
  refresh(interfaces: Interfaces): AddressChange {
    const changes = this.#bound.slice(0, this.#own).map((bound) => {
      const change = bound.local.refresh(interfaces);
      for (const { address, port } of change.removed) this.#byAddress.get(address)?.delete(port);
      this.#find(bound);
      return change;
    });
    return {
      added: changes.flatMap(({ added }) => added),
      removed: changes.flatMap(({ removed }) => removed),
    };
  }

  /** Binds one more, on any free port. Rejects with `ERR_SOCKET`, or `ERR_INVALID_STATE` once closing. */
  async openFurther(address: string): Promise<TransportAddress> {
    const socket = await bindSocketWithin(address, this.#options.furtherPorts, this.#options);
    if (this.#closing) {
      await socket.close();
      throw new RtcError('ERR_INVALID_STATE', 'the sockets are being closed');
    }
    if (this.#isUnref) socket.unref();
    this.#add(socket);
    return socket.local;
  }

  #add(socket: UdpSocket): void {
    const local = new LocalAddresses(socket.local, this.#options.interfaces);
    const bound = { socket, local };
    this.#bound.push(bound);
    this.#find(bound);
    socket.onReceive = (data, source) => this.onReceive(data, source, local.towards(source.address));
  }

  #find({ socket, local }: Bound): void {
    for (const { address, port } of local.all) {
      const ports = this.#byAddress.get(address) ?? new Map<number, UdpSocket>();
      this.#byAddress.set(address, ports.set(port, socket));
    }
  }

  /** Sends, or drops and counts. Never throws. `data` belongs to the sockets from now on. */
  send(data: Uint8Array, source: TransportAddress, destination: TransportAddress): void {
    const only = this.#bound.length === 1 ? this.#bound[0]?.socket : undefined;
    const socket =
      only ?? this.#byAddress.get(source.address)?.get(source.port) ?? this.#ofFamily(destination);
    socket?.send(data, destination);
  }

  watch(now: number): void {
    for (const { socket } of this.#bound) socket.watch(now);
  }

  unref(): void {
    this.#isUnref = true;
    for (const { socket } of this.#bound) socket.unref();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#bound.map(({ socket }) => socket.close()));
  }

  /** Of each socket, with where it is bound. */
  stats(): (UdpSocketStats & { readonly local: TransportAddress })[] {
    return this.#bound.map(({ socket }) => ({ local: socket.local, ...socket.stats() }));
  }

  /** For a candidate whose base is none of ours. */
  #ofFamily({ address }: TransportAddress): UdpSocket | undefined {
    const family = addressFamily(address);
    const like = this.#bound.find(({ socket }) => addressFamily(socket.local.address) === family);
    return (like ?? this.#bound[0])?.socket;
  }
}

function bindSocketWithin(
  address: string,
  ports: PortChoice,
  options: UdpSocketsOptions,
): Promise<UdpSocket> {
  return bindWithin(ports, (port) => UdpSocket.open({ ...options, address, port }));
}

/** The sums over several sockets; the smallest buffers, and the worst state. */
export function sumOfStats(all: readonly UdpSocketStats[]): UdpSocketStats {
  const sum = (pick: (stats: UdpSocketStats) => number): number =>
    all.reduce((total, stats) => total + pick(stats), 0);
  const drops = all.map(({ kernelDrops }) => kernelDrops).filter((count) => count !== undefined);
  const states = all.map(({ state }) => state);
  return {
    state: states.includes('closed') ? 'closed' : states.includes('rebinding') ? 'rebinding' : 'open',
    datagramsReceived: sum((stats) => stats.datagramsReceived),
    bytesReceived: sum((stats) => stats.bytesReceived),
    datagramsSent: sum((stats) => stats.datagramsSent),
    bytesSent: sum((stats) => stats.bytesSent),
    droppedQueueFull: {
      stun: sum(({ droppedQueueFull }) => droppedQueueFull.stun),
      handshake: sum(({ droppedQueueFull }) => droppedQueueFull.handshake),
      data: sum(({ droppedQueueFull }) => droppedQueueFull.data),
    },
    droppedUnsendable: sum((stats) => stats.droppedUnsendable),
    droppedNoSocket: sum((stats) => stats.droppedNoSocket),
    sendErrors: sumByCode(all.map(({ sendErrors }) => sendErrors)),
    socketErrors: sumByCode(all.map(({ socketErrors }) => socketErrors)),
    socketsLost: sum((stats) => stats.socketsLost),
    rebindAttempts: sum((stats) => stats.rebindAttempts),
    queuedBytes: sum((stats) => stats.queuedBytes),
    receiveBufferSize: Math.min(...all.map(({ receiveBufferSize }) => receiveBufferSize)),
    sendBufferSize: Math.min(...all.map(({ sendBufferSize }) => sendBufferSize)),
    kernelDrops: drops.length === 0 ? undefined : drops.reduce((total, count) => total + count, 0),
  };
}

function sumByCode(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) {
    for (const [code, count] of Object.entries(counts)) sums[code] = (sums[code] ?? 0) + count;
  }
  return sums;
}
