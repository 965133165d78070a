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
import {
  canonicalAddress,
  formatAddress,
  formatIp,
  parseIp,
  type TransportAddress,
} from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';
import { FrameReader, LENGTH_BYTES } from './frame-reader.ts';

/** Where a driver listens for ICE over TCP, and how much strangers may take there. */
export interface TcpOptions {
  /** The address to bind; default that of the driver's first UDP socket. */
  readonly address?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Most connections at once, at least 1, default 1000; further ones are closed at once (`refused`). */
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

const DEFAULT_MAX_CONNECTIONS = 1000;
const DEFAULT_MAX_PER_ADDRESS = 64;
const DEFAULT_UNANSWERED_TIMEOUT = 10_000;
const DEFAULT_SILENCE_TIMEOUT = 30_000;
const DEFAULT_MAX_FRAME_SIZE = 8192;
const DEFAULT_MAX_QUEUED_BYTES = 256 * 1024;

/** How often the two time-outs are looked at, ms. */
const SWEEP_INTERVAL = 1000;

/** How long `close()` waits for peers to read what waits for them, ms. */
const CLOSE_LINGER = 1000;

class Connection {
  readonly socket: Socket;
  readonly remote: TransportAddress;
  readonly local: TransportAddress;
  readonly frames = new FrameReader();
  readonly since: number;
  /** When a frame with something in it was complete. */
  heardAt: number;
  /** When we sent something on it; `undefined` as long as nothing authentic has come. */
  answeredAt: number | undefined;

  constructor(socket: Socket, local: TransportAddress, remote: TransportAddress, now: number) {
    this.socket = socket;
    this.local = local;
    this.remote = remote;
    this.since = now;
    this.heardAt = now;
  }
}

/** A bound TCP port and its connections, each found by its remote address. */
export class TcpListener {
  /** Where it listens; the address may be a wildcard. */
  readonly local: TransportAddress;
  onReceive: (data: Uint8Array, source: TransportAddress, destination: TransportAddress) => void = () =>
    undefined;
  readonly #server: Server;
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #unansweredTimeout: number;
  readonly #silenceTimeout: number;
  readonly #maxFrameSize: number;
  readonly #maxQueuedBytes: number;
  /** By remote address, then port. */
  readonly #connections = new Map<string, Map<number, Connection>>();
  /** Connections by whom they count for: an IPv4 address, or the network of an IPv6 address. */
  readonly #perHolder = new Map<string, number>();
  readonly #counters = new Counters<TcpCounter>(COUNTERS);
  readonly #sweeping: NodeJS.Timeout;
  #size = 0;

  /** Listens. Rejects with `ERR_SOCKET` when address or port cannot be had. */
  static async open(options: TcpOptions & { readonly address: string }): Promise<TcpListener> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const where = formatAddress({ address: options.address, port: options.port ?? 0 });
        const failure = new RtcError('ERR_SOCKET', `TCP ${where} cannot be listened on: ${error.message}`);
        failure.cause = error;
        reject(failure);
      });
      server.listen({ host: options.address, port: options.port ?? 0, exclusive: true }, resolve);
    });
    return new TcpListener(server, options);
  }

  private constructor(server: Server, options: TcpOptions) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new RtcError('ERR_INTERNAL', 'no TCP address');
    this.local = { address: canonicalAddress(bound.address) ?? bound.address, port: bound.port };
    this.#server = server;
    this.#maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.#maxPerAddress = options.maxConnectionsPerAddress ?? DEFAULT_MAX_PER_ADDRESS;
    this.#unansweredTimeout = options.unansweredTimeout ?? DEFAULT_UNANSWERED_TIMEOUT;
    this.#silenceTimeout = options.silenceTimeout ?? DEFAULT_SILENCE_TIMEOUT;
    this.#maxFrameSize = options.maxFrameSize ?? DEFAULT_MAX_FRAME_SIZE;
    this.#maxQueuedBytes = options.maxQueuedBytesPerConnection ?? DEFAULT_MAX_QUEUED_BYTES;
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
    if (connection.socket.writableLength + LENGTH_BYTES + data.length > this.#maxQueuedBytes) {
      this.#counters.add('droppedQueueFull');
      return;
    }
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + data.length);
    frame.writeUInt16BE(data.length, 0);
    frame.set(data, LENGTH_BYTES);
    connection.socket.write(frame);
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
    return { ...this.#counters.snapshot(), connections: this.#size, queuedBytes };
  }

  #accept(socket: Socket): void {
    const local = endOf(socket.localAddress, socket.localPort);
    const remote = endOf(socket.remoteAddress, socket.remotePort);
    if (local === undefined || remote === undefined) {
      this.#counters.add('closedEarly');
      socket.destroy();
      return;
    }
    const siblings = this.#perHolder.get(holderOf(remote)) ?? 0;
    if (this.#size >= this.#maxConnections || siblings >= this.#maxPerAddress) {
      this.#counters.add('refused');
      socket.destroy();
      return;
    }
    this.#counters.add('accepted');
    const connection = new Connection(socket, local, remote, performance.now());
    this.#add(connection);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#remove(connection));
    socket.on('data', (chunk) => this.#receive(connection, chunk));
  }

  #receive(connection: Connection, chunk: Buffer): void {
    const { frames, remote, local } = connection;
    const now = performance.now();
    frames.feed(chunk);
    for (let frame = frames.next(this.#maxFrameSize); frame !== undefined;) {
      if (frame === 'too-long') {
        this.#drop(connection, 'closedFrameTooLong');
        return;
      }
      if (frame.length > 0) connection.heardAt = now;
      this.#counters.add('framesReceived');
      this.#counters.add('bytesReceived', frame.length);
      this.onReceive(frame, remote, local);
      frame = frames.next(this.#maxFrameSize);
    }
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
    const holder = holderOf(connection.remote);
    this.#perHolder.set(holder, (this.#perHolder.get(holder) ?? 0) + 1);
    this.#size++;
  }

  #remove({ remote }: Connection): void {
    const ports = this.#connections.get(remote.address);
    if (ports?.delete(remote.port) !== true) return;
    this.#size--;
    if (ports.size === 0) this.#connections.delete(remote.address);
    const holder = holderOf(remote);
    const others = (this.#perHolder.get(holder) ?? 1) - 1;
    if (others === 0) this.#perHolder.delete(holder);
    else this.#perHolder.set(holder, others);
  }
}

/** Who holds an address: IPv4 addresses are given out one by one, IPv6 in networks of 64 bits and more (RFC 6177). */
export function holderOf({ address }: TransportAddress): string {
  const bytes = parseIp(address);
  return bytes === undefined || bytes.length === 4 ? address : formatIp(bytes.fill(0, 8));
}

/** One end of a connection in canonical form; `undefined` once it is gone. */
function endOf(address: string | undefined, port: number | undefined): TransportAddress | undefined {
  const canonical = canonicalAddress(address ?? '');
  return canonical === undefined || port === undefined ? undefined : { address: canonical, port };
}
