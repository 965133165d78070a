/**
 * ServerStreams: streams to servers, TCP and TLS, as the core asks for them (core/host.ts); a TURN client sits on them. Nothing
 * of STUN is understood here.
 *
 *   openstream ──▶ connecting ──(TLS: certificate verified)──▶ streamopened ──▶ streamdata … ──▶ streamclosed
 *                      └── refused, in vain, or not within `connectTimeout` ───────────────────────▶ streamclosed
 *
 * A server decides nothing here but what it sends: how many streams there are, how long one may take to connect and how much
 * waits for a server that does not read have bounds. What is over them ends its own stream, with a reason. Replies never come
 * from inside of a request: whoever asks may be in the middle of a drain.
 */
import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
} from 'node:tls';
import { canonicalAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { badArgument } from '../core/errors.ts';
import type { HostReply, HostRequest } from '../core/host.ts';

/** A request about a stream. */
export type StreamRequest = Exclude<HostRequest, { readonly type: 'resolve' }>;

/** How TLS servers are verified. */
export interface ServerTlsOptions {
  /**
   * Certificates of authorities, PEM, in place of those that Node trusts. To trust one more, `NODE_EXTRA_CA_CERTS` names its
   * file, or this has those of Node's `tls` and it.
   */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
}

/** Bounds of the streams to TURN servers. */
export interface ServerStreamOptions {
  /** Most streams at once, at least 1, default 64; a further one is closed at once (`refused`). */
  readonly maxStreams?: number | undefined;
  /** How long a stream may take to connect, the TLS handshake included, ms, at least 1, default 10000 (`closedUnconnected`). */
  readonly connectTimeout?: number | undefined;
  /** Most bytes that may wait for one server to read them, default 1 MiB; over it the stream is closed (`closedQueueFull`). */
  readonly maxQueuedBytes?: number | undefined;
}

const COUNTERS = [
  /** Streams connected, and for TLS verified. */
  'opened',
  'bytesSent',
  'bytesReceived',
  /** Streams refused at `maxStreams`. */
  'refused',
  /** Streams that could not be opened, or broke. */
  'failed',
  /** Streams closed because they were not connected within `connectTimeout`. */
  'closedUnconnected',
  /** Streams closed at `maxQueuedBytes`: the server does not read what waits for it. */
  'closedQueueFull',
] as const;

/** The name of a counter of the streams to servers; docs/operations.md says what each means. */
export type ServerStreamCounter = (typeof COUNTERS)[number];

/** A copy of the counters, as plain data. */
export interface ServerStreamStats extends Readonly<Record<ServerStreamCounter, number>> {
  /** Streams that are open, or about to be. */
  readonly streams: number;
  /** Bytes that wait in this process for the servers to read. */
  readonly queuedBytes: number;
}

const DEFAULT_MAX_STREAMS = 64;
/** See `connectTimeout`, ms. */
export const DEFAULT_STREAM_CONNECT_TIMEOUT = 10_000;
const DEFAULT_MAX_QUEUED_BYTES = 1024 * 1024;

/** How long a stream that is to be closed may go on to send what was written, ms. */
const CLOSE_LINGER = 1000;

interface ServerStream {
  readonly id: number;
  readonly socket: Socket;
  connecting: NodeJS.Timeout | undefined;
  /** Why we closed it, in place of what the system says. */
  reason: string | undefined;
}

/** The streams of one driver, by the numbers that the core gave them. */
export class ServerStreams {
  /** Told what happens; never from inside of `handleRequest`. */
  onReply: (reply: HostReply) => void = () => undefined;
  readonly #maxStreams: number;
  readonly #connectTimeout: number;
  readonly #maxQueuedBytes: number;
  readonly #secureContext: SecureContext | undefined;
  readonly #streams = new Map<number, ServerStream>();
  /** Closed by the core, with bytes that still leave. */
  readonly #leaving = new Set<Socket>();
  readonly #counters = new Counters<ServerStreamCounter>(COUNTERS);
  #isUnref = false;

  /** Throws `ERR_BAD_ARGUMENT` for certificates that cannot be read. */
  constructor(options: ServerStreamOptions = {}, tls: ServerTlsOptions = {}) {
    this.#maxStreams = options.maxStreams ?? DEFAULT_MAX_STREAMS;
    this.#connectTimeout = options.connectTimeout ?? DEFAULT_STREAM_CONNECT_TIMEOUT;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
    this.#secureContext = trusting(tls);
  }

  /** Opens, writes or closes. Never throws. */
  handleRequest(request: StreamRequest): void {
    if (request.type === 'openstream') this.#open(request);
    else if (request.type === 'writestream') this.#write(request.stream, request.data);
    else this.#close(request.stream);
  }

  unref(): void {
    this.#isUnref = true;
    for (const { socket } of this.#streams.values()) socket.unref();
  }

  /** Ends every stream, after what was written has been sent, in a second at the most. Nothing is told any more. */
  async close(): Promise<void> {
    for (const id of [...this.#streams.keys()]) this.#close(id);
    await Promise.all(
      [...this.#leaving].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
  }

  stats(): ServerStreamStats {
    let queuedBytes = 0;
    for (const { socket } of this.#streams.values()) queuedBytes += socket.writableLength;
    return { ...this.#counters.snapshot(), streams: this.#streams.size, queuedBytes };
  }

  #open(request: Extract<HostRequest, { readonly type: 'openstream' }>): void {
    const { stream: id } = request;
    if (this.#streams.size + this.#leaving.size >= this.#maxStreams) {
      this.#counters.add('refused');
      setImmediate(() => this.#tellClosed(id, 'there are as many streams as there may be (maxStreams)'));
      return;
    }
    const socket = this.#connect(request);
    const stream: ServerStream = { id, socket, connecting: undefined, reason: undefined };
    stream.connecting = setTimeout(() => {
      this.#give(stream, 'closedUnconnected', `not connected within ${this.#connectTimeout} ms`);
    }, this.#connectTimeout);
    this.#streams.set(id, stream);
    socket.setNoDelay(true);
    if (this.#isUnref) {
      socket.unref();
      stream.connecting.unref();
    }
    socket.on(request.protocol === 'tls' ? 'secureConnect' : 'connect', () => this.#opened(stream));
    socket.on('data', (data: Buffer) => {
      this.#counters.add('bytesReceived', data.length);
      if (this.#has(stream)) this.onReply({ type: 'streamdata', now: performance.now(), stream: id, data });
    });
    // A server that sends no more answers no more: what would still be written is of no use.
    socket.on('end', () => {
      stream.reason ??= 'the server has ended the stream';
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      stream.reason ??= reasonOf(error);
      this.#counters.add('failed');
    });
    socket.on('close', () => this.#closed(stream));
  }

  #connect({
    protocol,
    destination,
    sourceAddress,
    serverName,
  }: Extract<HostRequest, { readonly type: 'openstream' }>): Socket {
    const place = {
      host: destination.address,
      port: destination.port,
      ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    };
    if (protocol === 'tcp') return connectTcp(place);
    const name = serverName ?? destination.address;
    return connectTls({
      ...place,
      // An address is no SNI (RFC 6066 §3); its certificate has it as an IP address all the same.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(this.#secureContext === undefined ? {} : { secureContext: this.#secureContext }),
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    });
  }

  #opened(stream: ServerStream): void {
    clearTimeout(stream.connecting);
    if (!this.#has(stream)) return;
    this.#counters.add('opened');
    const { localAddress = '', localPort = 0 } = stream.socket;
    const source: TransportAddress = {
      address: canonicalAddress(localAddress) ?? localAddress,
      port: localPort,
    };
    this.onReply({ type: 'streamopened', now: performance.now(), stream: stream.id, source });
  }

  #write(id: number, data: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.socket.destroyed) return;
    if (stream.socket.writableLength + data.length > this.#maxQueuedBytes) {
      this.#give(stream, 'closedQueueFull', 'the server does not read what waits for it (maxQueuedBytes)');
      return;
    }
    stream.socket.write(data);
    this.#counters.add('bytesSent', data.length);
  }

  /** The core wants it no more: what was written leaves, and nothing is told. */
  #close(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const { socket } = stream;
    this.#forget(stream);
    if (socket.destroyed) return;
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

  /** We close it, and say why: `streamclosed` follows, as for any other end. */
  #give(stream: ServerStream, counter: ServerStreamCounter, reason: string): void {
    this.#counters.add(counter);
    stream.reason = reason;
    stream.socket.destroy();
  }

  #closed(stream: ServerStream): void {
    if (!this.#has(stream)) return;
    this.#forget(stream);
    this.#tellClosed(stream.id, stream.reason);
  }

  #forget(stream: ServerStream): void {
    clearTimeout(stream.connecting);
    this.#streams.delete(stream.id);
  }

  #has({ id }: ServerStream): boolean {
    return this.#streams.has(id);
  }

  #tellClosed(stream: number, reason: string | undefined): void {
    this.onReply({ type: 'streamclosed', now: performance.now(), stream, reason });
  }
}

/** The system's words, with its code where they do not have it. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

/** Whom to trust; `undefined` for whom Node does. */
function trusting({ ca }: ServerTlsOptions): SecureContext | undefined {
  if (ca === undefined) return undefined;
  try {
    const all = (typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : ca).map((one) =>
      Buffer.from(one),
    );
    for (const one of all) new X509Certificate(one); // the context would pass over what it cannot read
    return createSecureContext({ ca: all });
  } catch {
    throw badArgument('tls.ca', 'certificates in PEM', ca);
  }
}
