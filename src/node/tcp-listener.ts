/**
 * TcpListener: one TCP port for ICE (RFC 6544, passive): connections come in, frames come out. Nothing of WebRTC is understood here.
 *
 *   connection ──frames (RFC 4571: length in two bytes, then so many)──▶ onReceive        send(data, remote) ──▶ frame
 *
 *   unanswered ──we send something on it: a check was authentic──▶ answered ──we send nothing any more──▶ gone
 *        └───────── time is up, silence, a frame too long, end ────────┴──▶ gone
 *
 * Strangers can connect, so everything has a bound: connections in all and of one address, the time until one has proved
 * itself, silence, the size of a frame, what waits to be sent. Over it the connection goes, or the frame, and is counted;
 * the protocols above retransmit, or check anew. Only a whole frame with something in it ends a silence: bytes that drip
 * and empty frames do not hold a place.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { canonicalAddress, formatAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';
import { bindWithin, type PortChoice } from './port-range.ts';
import { ConnectionCounts, FramedConnection, type FrameLimits } from './framed-connection.ts';

/** ICE over TCP: where a driver listens, whether it connects, and how much peers and strangers may take. */
export interface TcpOptions {
  /**
   * True: connections connect to peers that listen on TCP (active candidates), which a client needs whose firewall passes no UDP.
   * Where to is the peer's to say, within `ice.remoteAddressClasses`. Default false.
   */
  readonly active?: boolean | undefined;
  /** Listens, for peers that connect (passive candidates). Default true, or false with `active`. */
  readonly passive?: boolean | undefined;
  /** The address to bind; default that of the driver's first UDP socket. */
  readonly address?: string | undefined;
  /** Default 0, any free port, or the driver's range of ports if it has one. */
  readonly port?: PortChoice | undefined;
  /**
   * Most connections at once, at least 1, default 1000; further ones are closed at once (`refused`). Those that are made to us
   * and those that we make are counted apart, here and below.
   */
  readonly maxConnections?: number | undefined;
  /**
   * Most of them from one remote address, at least 1, default 64 (`refused`). Of IPv6 the first 64 bits count, for whoever
   * has one address there has them all.
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How long a connection may last on which nothing authentic has come, ms, at least 1, default 10000. It is closed then,
   * or up to a second later (`closedUnanswered`).
   */
  readonly unansweredTimeout?: number | undefined;
  /**
   * The silence of the peer that ends a connection, ms, at least 1, default 30000: consent to send has expired by then. It
   * is closed up to a second later (`closedSilent`), and so is one over which we have sent nothing for as long, for
   * nothing authentic comes over it any more (`closedUnused`). Below 6000 it also ends idle ones that are well: checks of consent
   * come 4 to 6 s apart, over TCP too (RFC 7675 §5.1).
   */
  readonly silenceTimeout?: number | undefined;
  /**
   * Longest frame taken, bytes without the two of its length (RFC 4571 §2), 1–65535, default 8192; browsers' are below
   * 1500. A longer one closes its connection (`closedFrameTooLong`).
   */
  readonly maxFrameSize?: number | undefined;
  /**
   * Most bytes that may wait for one peer to read them, frames with their lengths, at least 1, default 256 KiB. A frame over
   * that is dropped as a router drops a datagram (`droppedQueueFull`).
   */
  readonly maxQueuedBytesPerConnection?: number | undefined;
  /** How long an active candidate's connection may take to be made, ms, at least 1, default 5000 (`closedUnconnected`). */
  readonly connectTimeout?: number | undefined;
  /** Most destinations of one active candidate, at least 1, default 16; a further one is not connected to (`refused`). */
  readonly maxDestinations?: number | undefined;
}

const COUNTERS = [
  'accepted',
  'framesReceived',
  'bytesReceived',
  'framesSent',
  'bytesSent',
  /** Connections closed at once, at `maxConnections` or `maxConnectionsPerAddress`. */
  'refused',
  /** Connections that their peer had reset before we could look at them. */
  'closedEarly',
  /** Connections closed because nothing authentic had come over them within `unansweredTimeout`. */
  'closedUnanswered',
  /** Connections closed after a silence of `silenceTimeout`. */
  'closedSilent',
  /** Connections closed because nothing was sent over them for `silenceTimeout`, though their peer spoke. */
  'closedUnused',
  /** Connections closed because of a frame over `maxFrameSize`. */
  'closedFrameTooLong',
  /** Frames dropped at `maxQueuedBytesPerConnection`: the peer does not read what waits for it already. */
  'droppedQueueFull',
  /** Frames dropped because their connection is gone. */
  'droppedNoConnection',
] as const;

/** The name of a counter of the listener; docs/operations.md says what each means. */
export type TcpCounter = (typeof COUNTERS)[number];

/** A copy of the listener's counters, as plain data. */
export interface TcpStats extends Readonly<Record<TcpCounter, number>> {
  readonly connections: number;
  /** Bytes that wait in this process for the peers to read. */
  readonly queuedBytes: number;
}

/** See `maxConnections`. */
export const DEFAULT_MAX_CONNECTIONS = 1000;
/** See `maxConnectionsPerAddress`. */
export const DEFAULT_MAX_PER_ADDRESS = 64;
const DEFAULT_UNANSWERED_TIMEOUT = 10_000;
/** See `silenceTimeout`, ms. */
export const DEFAULT_SILENCE_TIMEOUT = 30_000;
const DEFAULT_MAX_FRAME_SIZE = 8192;
const DEFAULT_MAX_QUEUED_BYTES = 256 * 1024;

/** How often the two time-outs are looked at, ms. */
export const SWEEP_INTERVAL = 1000;

/** How long `close()` waits for peers to read what waits for them, ms. */
export const CLOSE_LINGER = 1000;

class Connection extends FramedConnection {
  readonly local: TransportAddress;
  readonly since: number;
  /** When we sent something on it; `undefined` as long as nothing authentic has come. */
  answeredAt: number | undefined;

  constructor(
    socket: Socket,
    local: TransportAddress,
    remote: TransportAddress,
    limits: FrameLimits,
    now: number,
  ) {
    super(socket, remote, limits, now);
    this.local = local;
    this.since = now;
  }
}

/** A bound TCP port and its connections, each found by its remote address. */
export class TcpListener {
  /** Where it listens; the address may be a wildcard. */
  readonly local: TransportAddress;
  onReceive: (data: Uint8Array, source: TransportAddress, destination: TransportAddress) => void = () =>
    undefined;
  readonly #server: Server;
  readonly #unansweredTimeout: number;
  readonly #silenceTimeout: number;
  readonly #limits: FrameLimits;
  /** By remote address, then port. */
  readonly #connections = new Map<string, Map<number, Connection>>();
  readonly #counts: ConnectionCounts;
  readonly #counters = new Counters<TcpCounter>(COUNTERS);
  readonly #sweeping: NodeJS.Timeout;

  /** Listens. Rejects with `ERR_SOCKET` when address or port cannot be had. */
  static async open(options: TcpOptions & { readonly address: string }): Promise<TcpListener> {
    const server = await bindWithin(options.port ?? 0, (port) => listen(options.address, port));
    return new TcpListener(server, options);
  }

  private constructor(server: Server, options: TcpOptions) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new RtcError('ERR_INTERNAL', 'no TCP address');
    this.local = { address: canonicalAddress(bound.address) ?? bound.address, port: bound.port };
    this.#server = server;
    this.#counts = new ConnectionCounts(
      options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      options.maxConnectionsPerAddress ?? DEFAULT_MAX_PER_ADDRESS,
    );
    this.#unansweredTimeout = options.unansweredTimeout ?? DEFAULT_UNANSWERED_TIMEOUT;
    this.#silenceTimeout = options.silenceTimeout ?? DEFAULT_SILENCE_TIMEOUT;
    this.#limits = frameLimits(options);
    server.removeAllListeners('error');
    server.on('error', () => undefined); // of one connection that could not be accepted: the listener goes on
    server.on('connection', (socket) => this.#accept(socket));
    this.#sweeping = setInterval(() => this.#sweep(performance.now()), SWEEP_INTERVAL);
    this.#sweeping.unref(); // the server keeps the process alive, this need not
  }

  /** Sends over the connection from `remote`, or drops and counts. Never throws. */
  send(data: Uint8Array, remote: TransportAddress): void {
    const connection = this.#connections.get(remote.address)?.get(remote.port);
    if (connection === undefined) {
      this.#counters.add('droppedNoConnection');
      return;
    }
    connection.answeredAt = performance.now();
    if (!connection.send(data)) {
      this.#counters.add('droppedQueueFull');
      return;
    }
    this.#counters.add('framesSent');
    this.#counters.add('bytesSent', data.length);
  }

  unref(): void {
    this.#server.unref();
    for (const connection of this.#all()) connection.socket.unref();
  }

  /** Ends every connection, after what waits on it has been sent, in a second at the most, and stops listening. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { socket } of this.#all()) socket.destroySoon();
    const lingering = setTimeout(() => {
      for (const connection of [...this.#all()]) {
        this.#remove(connection);
        connection.socket.destroy();
      }
    }, CLOSE_LINGER);
    await closed;
    clearTimeout(lingering);
  }

  stats(): TcpStats {
    let queuedBytes = 0;
    for (const { socket } of this.#all()) queuedBytes += socket.writableLength;
    return { ...this.#counters.snapshot(), connections: this.#counts.size, queuedBytes };
  }

  #accept(socket: Socket): void {
    const local = endOf(socket.localAddress, socket.localPort);
    const remote = endOf(socket.remoteAddress, socket.remotePort);
    if (local === undefined || remote === undefined) {
      this.#counters.add('closedEarly');
      socket.destroy();
      return;
    }
    if (!this.#counts.admits(remote)) {
      this.#counters.add('refused');
      socket.destroy();
      return;
    }
    this.#counters.add('accepted');
    const connection = new Connection(socket, local, remote, this.#limits, performance.now());
    this.#add(connection);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#remove(connection));
    socket.on('data', (chunk) => this.#receive(connection, chunk));
  }

  #receive(connection: Connection, chunk: Buffer): void {
    const { remote, local } = connection;
    const take = (frame: Uint8Array): void => {
      this.#counters.add('framesReceived');
      this.#counters.add('bytesReceived', frame.length);
      this.onReceive(frame, remote, local);
    };
    if (!connection.receive(chunk, take, performance.now())) this.#drop(connection, 'closedFrameTooLong');
  }

  #sweep(now: number): void {
    for (const connection of this.#all()) {
      const { answeredAt, since, heardAt } = connection;
      if (answeredAt === undefined && now - since > this.#unansweredTimeout) {
        this.#drop(connection, 'closedUnanswered');
      } else if (now - heardAt > this.#silenceTimeout) {
        this.#drop(connection, 'closedSilent');
      } else if (answeredAt !== undefined && now - answeredAt > this.#silenceTimeout) {
        this.#drop(connection, 'closedUnused');
      }
    }
  }

  #drop(connection: Connection, counter: TcpCounter): void {
    this.#counters.add(counter);
    this.#remove(connection);
    connection.socket.destroy();
  }

  *#all(): Generator<Connection> {
    for (const ports of this.#connections.values()) yield* ports.values();
  }

  #add(connection: Connection): void {
    const { address, port } = connection.remote;
    let ports = this.#connections.get(address);
    if (ports === undefined) this.#connections.set(address, (ports = new Map<number, Connection>()));
    ports.set(port, connection);
    this.#counts.add(connection.remote);
  }

  #remove({ remote }: Connection): void {
    const ports = this.#connections.get(remote.address);
    if (ports?.delete(remote.port) !== true) return;
    if (ports.size === 0) this.#connections.delete(remote.address);
    this.#counts.remove(remote);
  }
}

function listen(address: string, port: number): Promise<Server> {
  const server = createServer({ noDelay: true });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const where = formatAddress({ address, port });
      const failure = new RtcError('ERR_SOCKET', `TCP ${where} cannot be listened on: ${error.message}`);
      failure.cause = error;
      reject(failure);
    });
    server.listen({ host: address, port, exclusive: true }, () => resolve(server));
  });
}

/** The bounds of a connection, by the driver's options. */
export function frameLimits(options: TcpOptions): FrameLimits {
  return {
    maxFrameSize: options.maxFrameSize ?? DEFAULT_MAX_FRAME_SIZE,
    maxQueuedBytes: options.maxQueuedBytesPerConnection ?? DEFAULT_MAX_QUEUED_BYTES,
  };
}

/** One end of a connection in canonical form; `undefined` once it is gone. */
function endOf(address: string | undefined, port: number | undefined): TransportAddress | undefined {
  const canonical = canonicalAddress(address ?? '');
  return canonical === undefined || port === undefined ? undefined : { address: canonical, port };
}
