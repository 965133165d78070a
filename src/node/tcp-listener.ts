/**
 * One TCP port for ICE (RFC 6544, passive): connections come in, frames come out. Nothing of WebRTC is understood here.
 *
 *   connection ──frames (RFC 4571: length in two bytes, then so many)──▶ onReceive        send(data, remote) ──▶ frame
 *
 *   unanswered ──we send something on it: a check was authentic──▶ answered        both ──silence, a frame too long, end──▶ gone
 *
 * Strangers can connect, so everything has a bound: connections in all and of one address, the time until one has proved
 * itself, silence, the size of a frame, what waits to be sent. Over it the connection goes, or the frame, and is counted;
 * the protocols above retransmit, or check anew.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { canonicalAddress, formatAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';

export interface TcpOptions {
  /** The address to bind; default that of the driver's first UDP socket. */
  readonly address?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Most connections at once, at least 1, default 1000; further ones are closed at once (`refused`). */
  readonly maxConnections?: number | undefined;
  /** Most of them from one remote address, at least 1, default 64 (`refused`). */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How long a connection may last on which nothing authentic has come, ms, at least 1, default 10000. It is closed then,
   * or up to a second later (`closedUnanswered`).
   */
  readonly unansweredTimeout?: number | undefined;
  /**
   * The silence of the peer that ends a connection, ms, at least 1, default 30000: consent to send has expired by then. It
   * is closed up to a second later (`closedSilent`). Below 6000 it also ends idle ones that are well: checks of consent
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
  /** Connections closed because of a frame over `maxFrameSize`. */
  'closedFrameTooLong',
  /** Frames dropped at `maxQueuedBytesPerConnection`: the peer does not read what waits for it already. */
  'droppedQueueFull',
  /** Frames dropped because their connection is gone. */
  'droppedNoConnection',
] as const;

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

const LENGTH_BYTES = 2;
const NOTHING = Buffer.alloc(0);

class Connection {
  readonly socket: Socket;
  readonly remote: TransportAddress;
  readonly local: TransportAddress;
  readonly since: number;
  heardAt: number;
  answered = false;
  /** The beginning of a frame whose end has not come; never more than one frame. */
  #rest: Buffer = NOTHING;

  constructor(socket: Socket, local: TransportAddress, remote: TransportAddress, now: number) {
    this.socket = socket;
    this.local = local;
    this.remote = remote;
    this.since = now;
    this.heardAt = now;
  }

  /** The frames that `chunk` completes. @returns false once one is longer than `maxFrameSize`: the stream is none of ours */
  take(chunk: Buffer, maxFrameSize: number, onFrame: (frame: Uint8Array) => void): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt16BE(at);
      if (length > maxFrameSize) return false;
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      onFrame(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    // A copy: a view of a few bytes would keep the whole chunk alive.
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    return true;
  }
}

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
    connection.answered = true;
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

  /** Ends every connection, after what waits on it has been sent, and stops listening. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { socket } of this.#all()) socket.destroySoon();
    await closed;
  }

  stats(): TcpStats {
    let queuedBytes = 0;
    for (const { socket } of this.#all()) queuedBytes += socket.writableLength;
    return { ...this.#counters.snapshot(), connections: this.#size, queuedBytes };
  }

  #accept(socket: Socket): void {
    const local = endOf(socket.localAddress, socket.localPort);
    const remote = endOf(socket.remoteAddress, socket.remotePort);
    const siblings = this.#connections.get(remote?.address ?? '')?.size ?? 0;
    if (local === undefined || remote === undefined) {
      this.#counters.add('closedEarly');
      socket.destroy();
      return;
    }
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
    connection.heardAt = performance.now();
    const isOurs = connection.take(chunk, this.#maxFrameSize, (frame) => {
      this.#counters.add('framesReceived');
      this.#counters.add('bytesReceived', frame.length);
      this.onReceive(frame, connection.remote, connection.local);
    });
    if (!isOurs) this.#drop(connection, 'closedFrameTooLong');
  }

  #sweep(now: number): void {
    for (const connection of this.#all()) {
      if (!connection.answered && now - connection.since > this.#unansweredTimeout) {
        this.#drop(connection, 'closedUnanswered');
      } else if (now - connection.heardAt > this.#silenceTimeout) {
        this.#drop(connection, 'closedSilent');
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
    this.#size++;
  }

  #remove({ remote }: Connection): void {
    const ports = this.#connections.get(remote.address);
    if (ports?.delete(remote.port) !== true) return;
    this.#size--;
    if (ports.size === 0) this.#connections.delete(remote.address);
  }
}

/** One end of a connection in canonical form; `undefined` once it is gone. */
function endOf(address: string | undefined, port: number | undefined): TransportAddress | undefined {
  const canonical = canonicalAddress(address ?? '');
  return canonical === undefined || port === undefined ? undefined : { address: canonical, port };
}
