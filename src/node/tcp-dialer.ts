/**
 * TcpDialer: TCP connections of ICE's active candidates (RFC 6544), one to each destination that a connection checks. Nothing of
 * WebRTC is understood here.
 *
 *   reserve ──▶ a base: one of our addresses, and a port of its own that names it and is nobody's
 *   send from a base ──▶ connecting ──▶ connected ──frames──▶ onReceive, to that base
 *                            └── refused, late, silent, ended ──▶ the next datagram connects again, a second later at the earliest
 *
 * Which destinations there are is the peer's to say, so there is a bound on how many of one connection, of one remote address and
 * in all. A connection that fails is told to nobody: the check is not answered, and its pair fails by its own time.
 */
import { connect, type Socket } from 'node:net';
import { formatAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { ConnectionCounts, FramedConnection, type FrameLimits } from './framed-connection.ts';
import {
  CLOSE_LINGER,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_PER_ADDRESS,
  DEFAULT_SILENCE_TIMEOUT,
  frameLimits,
  SWEEP_INTERVAL,
  type TcpOptions,
} from './tcp-listener.ts';

const COUNTERS = [
  /** Connections begun. */
  'dialed',
  /** Connections made. */
  'connected',
  'framesReceived',
  'bytesReceived',
  'framesSent',
  'bytesSent',
  /** Connections that could not be made, or broke. */
  'failed',
  /** Connections that were not made within `connectTimeout`. */
  'closedUnconnected',
  /** Connections closed after a silence of `silenceTimeout`. */
  'closedSilent',
  /** Connections closed because of a frame over `maxFrameSize`. */
  'closedFrameTooLong',
  /** Datagrams for which no connection may be made: over `maxConnections`, `maxConnectionsPerAddress` or `maxDestinations`. */
  'refused',
  /** Frames dropped at `maxQueuedBytesPerConnection`. */
  'droppedQueueFull',
  /** Frames dropped because their connection has failed a moment ago. */
  'droppedNoConnection',
] as const;

/** The name of a counter of the dialer; docs/operations.md says what each means. */
export type TcpDialerCounter = (typeof COUNTERS)[number];

/** A copy of the dialer's counters, as plain data. */
export interface TcpDialerStats extends Readonly<Record<TcpDialerCounter, number>> {
  /** Connections that are made, or about to be. */
  readonly connections: number;
  /** Bytes that wait in this process for the peers to read. */
  readonly queuedBytes: number;
}

/** See `connectTimeout`, ms. */
export const DEFAULT_TCP_CONNECT_TIMEOUT = 5000;
const DEFAULT_MAX_DESTINATIONS = 16;

/** When a destination whose connection has ended is connected to again, ms after the last time. */
const RETRY_INTERVAL = 1000;

/** A destination of one base; it outlives its connections, lest a peer that refuses them be asked without end. */
interface Destination {
  dialedAt: number;
  connection: FramedConnection | undefined;
  connecting: NodeJS.Timeout | undefined;
}

interface Base<Owner> {
  readonly owner: Owner;
  readonly local: TransportAddress;
  readonly destinations: Map<string, Destination>;
}

/** The active TCP candidates of one driver; an owner is whose candidate one is. */
export class TcpDialer<Owner> {
  onReceive: (data: Uint8Array, source: TransportAddress, destination: TransportAddress) => void = () =>
    undefined;
  readonly #connectTimeout: number;
  readonly #silenceTimeout: number;
  readonly #maxDestinations: number;
  readonly #limits: FrameLimits;
  readonly #counts: ConnectionCounts;
  /** Ports that are somebody's, and not to be given to a base. */
  readonly #taken: ReadonlySet<number>;
  /** By port, which no two have in common. */
  readonly #bases = new Map<number, Base<Owner>>();
  readonly #byOwner = new Map<Owner, Base<Owner>[]>();
  /** Let go, with bytes that still leave. */
  readonly #leaving = new Set<Socket>();
  readonly #counters = new Counters<TcpDialerCounter>(COUNTERS);
  readonly #sweeping: NodeJS.Timeout;
  #lastPort = 0;
  #isUnref = false;

  /** @param taken ports of TCP candidates that are bound. */
  constructor(options: TcpOptions, taken: readonly number[] = []) {
    this.#connectTimeout = options.connectTimeout ?? DEFAULT_TCP_CONNECT_TIMEOUT;
    this.#silenceTimeout = options.silenceTimeout ?? DEFAULT_SILENCE_TIMEOUT;
    this.#maxDestinations = options.maxDestinations ?? DEFAULT_MAX_DESTINATIONS;
    this.#limits = frameLimits(options);
    this.#counts = new ConnectionCounts(
      options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      options.maxConnectionsPerAddress ?? DEFAULT_MAX_PER_ADDRESS,
    );
    this.#taken = new Set(taken);
    this.#sweeping = setInterval(() => this.#sweep(performance.now()), SWEEP_INTERVAL);
    this.#sweeping.unref();
  }

  /** A base for a candidate of `owner`'s at `address`, a local one; `undefined` when every port names another. */
  reserve(owner: Owner, address: string): TransportAddress | undefined {
    const port = this.#freePort();
    if (port === undefined) return undefined;
    const base: Base<Owner> = { owner, local: { address, port }, destinations: new Map() };
    this.#bases.set(port, base);
    const siblings = this.#byOwner.get(owner) ?? [];
    siblings.push(base);
    this.#byOwner.set(owner, siblings);
    return base.local;
  }

  /** Sends from a base, over a connection that is made if there is none, or drops and counts. Never throws. @returns false: no base */
  send(data: Uint8Array, source: TransportAddress, remote: TransportAddress): boolean {
    const base = this.#bases.get(source.port);
    if (base === undefined || base.local.address !== source.address) return false;
    const connection = this.#connectionTo(base, remote);
    if (connection === undefined) return true;
    if (connection.send(data)) {
      this.#counters.add('framesSent');
      this.#counters.add('bytesSent', data.length);
    } else {
      this.#counters.add('droppedQueueFull');
    }
    return true;
  }

  /** `owner` has left: its connections end, after what was sent over them has left. */
  release(owner: Owner): void {
    for (const base of this.#byOwner.get(owner) ?? []) {
      this.#bases.delete(base.local.port);
      for (const destination of base.destinations.values()) this.#leave(destination);
    }
    this.#byOwner.delete(owner);
  }

  unref(): void {
    this.#isUnref = true;
    for (const { connection } of this.#destinations()) connection?.socket.unref();
  }

  /** Ends every connection, after what was sent has left, in a second at the most. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    for (const owner of [...this.#byOwner.keys()]) this.release(owner);
    await Promise.all(
      [...this.#leaving].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
  }

  stats(): TcpDialerStats {
    let queuedBytes = 0;
    for (const { connection } of this.#destinations()) queuedBytes += connection?.socket.writableLength ?? 0;
    return { ...this.#counters.snapshot(), connections: this.#counts.size, queuedBytes };
  }

  #freePort(): number | undefined {
    for (let tries = 0; tries < 0xffff; tries++) {
      this.#lastPort = (this.#lastPort % 0xffff) + 1;
      if (!this.#bases.has(this.#lastPort) && !this.#taken.has(this.#lastPort)) return this.#lastPort;
    }
    return undefined;
  }

  /** `undefined`: there is none, and none may be made now. */
  #connectionTo(base: Base<Owner>, remote: TransportAddress): FramedConnection | undefined {
    const key = formatAddress(remote);
    const known = base.destinations.get(key);
    if (known?.connection !== undefined) return known.connection;
    const now = performance.now();
    if (known !== undefined && now - known.dialedAt < RETRY_INTERVAL) {
      this.#counters.add('droppedNoConnection');
      return undefined;
    }
    const hasPlace = known !== undefined || base.destinations.size < this.#maxDestinations;
    if (!hasPlace || !this.#counts.admits(remote)) {
      this.#counters.add('refused');
      return undefined;
    }
    const destination = known ?? { dialedAt: now, connection: undefined, connecting: undefined };
    destination.dialedAt = now;
    base.destinations.set(key, destination);
    return this.#dial(base, destination, remote, now);
  }

  #dial(
    { local }: Base<Owner>,
    destination: Destination,
    remote: TransportAddress,
    now: number,
  ): FramedConnection {
    const socket = connect({
      host: remote.address,
      port: remote.port,
      localAddress: local.address,
      noDelay: true,
    });
    const connection = new FramedConnection(socket, remote, this.#limits, now);
    const connecting = setTimeout(() => this.#drop(connection, 'closedUnconnected'), this.#connectTimeout);
    connecting.unref(); // the socket keeps the process alive, this need not
    destination.connection = connection;
    destination.connecting = connecting;
    if (this.#isUnref) socket.unref();
    this.#counts.add(remote);
    this.#counters.add('dialed');
    socket.on('connect', () => {
      clearTimeout(connecting);
      connection.heardAt = performance.now();
      this.#counters.add('connected');
    });
    socket.on('data', (chunk: Buffer) => this.#receive(connection, local, chunk));
    socket.on('error', () => this.#counters.add('failed'));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(connecting);
      this.#counts.remove(remote);
      if (destination.connection === connection) destination.connection = undefined;
    });
    return connection;
  }

  #receive(connection: FramedConnection, local: TransportAddress, chunk: Buffer): void {
    const take = (frame: Uint8Array): void => {
      this.#counters.add('framesReceived');
      this.#counters.add('bytesReceived', frame.length);
      if (this.#bases.has(local.port)) this.onReceive(frame, connection.remote, local);
    };
    if (!connection.receive(chunk, take, performance.now())) this.#drop(connection, 'closedFrameTooLong');
  }

  #sweep(now: number): void {
    for (const { destinations } of this.#bases.values()) {
      for (const [key, { connection, dialedAt }] of destinations) {
        if (connection === undefined) {
          if (now - dialedAt > this.#silenceTimeout) destinations.delete(key);
        } else if (!connection.socket.connecting && now - connection.heardAt > this.#silenceTimeout) {
          this.#drop(connection, 'closedSilent');
        }
      }
    }
  }

  #drop({ socket }: FramedConnection, counter: TcpDialerCounter): void {
    if (socket.destroyed) return;
    this.#counters.add(counter);
    socket.destroy();
  }

  #leave({ connection, connecting }: Destination): void {
    clearTimeout(connecting);
    if (connection === undefined || connection.socket.destroyed) return;
    const { socket } = connection;
    this.#leaving.add(socket);
    const lingering = setTimeout(() => socket.destroy(), CLOSE_LINGER);
    lingering.unref();
    socket.once('close', () => {
      clearTimeout(lingering);
      this.#leaving.delete(socket);
    });
    if (socket.connecting) socket.destroy();
    else socket.destroySoon();
  }

  *#destinations(): Generator<Destination> {
    for (const { destinations } of this.#bases.values()) yield* destinations.values();
  }
}
