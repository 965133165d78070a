/**
 * One bound UDP socket: what dgram does not do by itself, and nothing of WebRTC.
 *
 * open: bind (a failure is a typed error that says what to do) → ask for large kernel buffers, read back what was
 * granted, warn once if it is less. send: bounded by bytes waiting in the process; every failure is counted by its
 * code and none is fatal. close: what has been sent is waited for, within a bound.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { addressFamily, canonicalAddress, formatAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';
import { isWildcard } from './local-addresses.ts';

/** Something an operator should know; nothing has ended. `code` is stable, kebab-case. */
export interface UdpWarning {
  readonly code: 'receive-buffer-small' | 'send-buffer-small' | 'socket-error' | 'socket-closed';
  readonly message: string;
}

/** A copy of a socket's counters and sizes, as plain data. */
export interface UdpSocketStats {
  readonly datagramsReceived: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
  /** Datagrams dropped because `maxQueuedBytes` were already waiting in this process. */
  readonly droppedQueueFull: number;
  /** Datagrams dropped because their destination cannot be sent to (port 0), or because the socket is closed. */
  readonly droppedUnsendable: number;
  /** Failed sends by system code, `ENETUNREACH` for example. Their datagrams are lost, the socket goes on. */
  readonly sendErrors: Readonly<Record<string, number>>;
  /** Errors of the socket itself by system code. */
  readonly socketErrors: Readonly<Record<string, number>>;
  /** Bytes accepted from us and not yet by the kernel. */
  readonly queuedBytes: number;
  /** Bytes the kernel granted; what `SO_RCVBUF` and `SO_SNDBUF` are, without Linux's doubling. */
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
}

export interface UdpSocketOptions {
  readonly address: string;
  readonly port: number;
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
  readonly maxQueuedBytes: number;
  readonly createSocket?: ((options: SocketOptions) => Socket) | undefined;
  readonly onWarning: (warning: UdpWarning) => void;
}

type CounterName =
  | 'datagramsReceived'
  | 'bytesReceived'
  | 'datagramsSent'
  | 'bytesSent'
  | 'droppedQueueFull'
  | 'droppedUnsendable';

/** How long `close()` waits for the kernel to take the last datagrams, ms. They are best effort like any other. */
const CLOSE_LINGER = 1000;

export class UdpSocket {
  /** Where the socket is bound; the address may be a wildcard. */
  readonly local: TransportAddress;
  /** The owner's, who sets it in the turn in which `open` answers. `source` is canonical; `data` is the owner's to keep. */
  onReceive: (data: Uint8Array, source: TransportAddress) => void = () => undefined;
  readonly #socket: Socket;
  readonly #options: UdpSocketOptions;
  readonly #dualStack: boolean;
  readonly #counters = new Counters<CounterName>([
    'datagramsReceived',
    'bytesReceived',
    'datagramsSent',
    'bytesSent',
    'droppedQueueFull',
    'droppedUnsendable',
  ]);
  readonly #sendErrors = new Map<string, number>();
  readonly #socketErrors = new Map<string, number>();
  #granted = { receive: 0, send: 0 };
  #unsettledSends = 0;
  #dead = false;
  #closed: Promise<void> | undefined;
  #whenSettled: (() => void) | undefined;

  /** Binds. Rejects with `ERR_SOCKET` when the address or port cannot be had. */
  static open(options: UdpSocketOptions): Promise<UdpSocket> {
    const family = addressFamily(options.address) === 6 ? 6 : 4;
    const socket = (options.createSocket ?? createSocket)({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6 && !isWildcard(options.address),
      // Addresses are literals already: without this every send would go through dns.lookup.
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close();
        reject(new RtcError('ERR_SOCKET', bindErrorMessage(options, error)));
      });
      socket.bind({ address: options.address, port: options.port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve(new UdpSocket(socket, options));
      });
    });
  }

  private constructor(socket: Socket, options: UdpSocketOptions) {
    const { address, port } = socket.address();
    this.local = { address: canonicalAddress(address) ?? address, port };
    this.#socket = socket;
    this.#options = options;
    this.#dualStack = this.local.address === '::';
    this.#requestBuffers();
    socket.on('message', (data, from) => this.#receive(data, from));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#socketError(error));
    socket.on('close', () => this.#socketClosed());
  }

  /** Sends, or drops and counts. Never throws. `data` belongs to the socket from now on. */
  send(data: Uint8Array, destination: TransportAddress): void {
    if (this.#dead || destination.port < 1 || destination.port > 0xffff) {
      this.#counters.add('droppedUnsendable');
      return;
    }
    if (this.#socket.getSendQueueSize() + data.length > this.#options.maxQueuedBytes) {
      this.#counters.add('droppedQueueFull');
      return;
    }
    const { address, port } = destination;
    const host = this.#dualStack && !address.includes(':') ? `::ffff:${address}` : address;
    this.#unsettledSends++;
    this.#counters.add('datagramsSent');
    this.#counters.add('bytesSent', data.length);
    this.#socket.send(data, port, host, this.#sent);
  }

  /** Lets the process end although the socket is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** Waits for the last sends, at most a second, and closes. Calling it again answers the same promise. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  stats(): UdpSocketStats {
    return {
      ...this.#counters.snapshot(),
      sendErrors: Object.fromEntries(this.#sendErrors),
      socketErrors: Object.fromEntries(this.#socketErrors),
      queuedBytes: this.#dead ? 0 : this.#socket.getSendQueueSize(),
      receiveBufferSize: this.#granted.receive,
      sendBufferSize: this.#granted.send,
    };
  }

  #receive(data: Uint8Array, from: RemoteInfo): void {
    this.#counters.add('datagramsReceived');
    this.#counters.add('bytesReceived', data.length);
    const source = { address: canonicalRemote(from.address), port: from.port };
    this.onReceive(data, source);
  }

  // One callback for all sends: a closure for each would be one more allocation a datagram.
  readonly #sent = (error: Error | null): void => {
    this.#unsettledSends--;
    if (error !== null) count(this.#sendErrors, error);
    if (this.#unsettledSends === 0) this.#whenSettled?.();
  };

  async #shutDown(): Promise<void> {
    if (this.#unsettledSends > 0) await this.#settled();
    if (this.#dead) return;
    this.#dead = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_LINGER);
      this.#whenSettled = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #socketError(error: NodeJS.ErrnoException): void {
    const times = count(this.#socketErrors, error);
    if (times > 1) return;
    const where = formatAddress(this.local);
    this.#options.onWarning({ code: 'socket-error', message: `UDP socket ${where}: ${error.message}` });
  }

  #socketClosed(): void {
    this.#dead = true;
    if (this.#closed !== undefined) return;
    const where = formatAddress(this.local);
    this.#options.onWarning({ code: 'socket-closed', message: `UDP socket ${where} was closed underneath` });
  }

  /** F3b: ask, read back, warn. The kernel clamps in silence, and a buffer that is too small loses packets in silence. */
  #requestBuffers(): void {
    const { receiveBufferSize, sendBufferSize } = this.#options;
    const receive = grantedSize(this.#socket, 'Recv', receiveBufferSize);
    const send = grantedSize(this.#socket, 'Send', sendBufferSize);
    this.#granted = { receive, send };
    if (receive < receiveBufferSize) {
      const message = smallBufferMessage('receive', receiveBufferSize, receive, 'net.core.rmem_max');
      this.#options.onWarning({ code: 'receive-buffer-small', message });
    }
    if (send < sendBufferSize) {
      const message = smallBufferMessage('send', sendBufferSize, send, 'net.core.wmem_max');
      this.#options.onWarning({ code: 'send-buffer-small', message });
    }
  }
}

function grantedSize(socket: Socket, direction: 'Recv' | 'Send', wanted: number): number {
  try {
    socket[`set${direction}BufferSize`](wanted);
  } catch {
    // Some systems refuse instead of clamping; what there is gets read back all the same.
  }
  const size = socket[`get${direction}BufferSize`]();
  // Linux doubles what was asked for, to pay for its bookkeeping (man 7 socket), and reports the double.
  return process.platform === 'linux' ? size / 2 : size;
}

function smallBufferMessage(which: string, wanted: number, granted: number, sysctl: string): string {
  const remedy =
    process.platform === 'linux' ? `raise it: sysctl -w ${sysctl}=${wanted}` : `raise the system's limit`;
  return `asked for a UDP ${which} buffer of ${wanted} bytes, the kernel granted ${granted}: bursts will lose packets; ${remedy}`;
}

function bindErrorMessage(wanted: TransportAddress, error: NodeJS.ErrnoException): string {
  const where = formatAddress(wanted);
  switch (error.code) {
    case 'EADDRINUSE':
      return `UDP ${where} is already in use: choose another port, or 0 for any free one`;
    case 'EADDRNOTAVAIL':
      return `UDP ${where}: this host has no such address`;
    case 'EACCES':
      return `UDP ${where}: this process may not use that port`;
    default:
      return `UDP ${where} cannot be bound: ${error.message}`;
  }
}

/** IPv4 text is canonical as it comes; IPv6 may carry a zone, or an IPv4 address on a dual-stack socket. */
function canonicalRemote(address: string): string {
  if (!address.startsWith('::') && !address.includes('%')) return address;
  return canonicalAddress(address) ?? address;
}

function count(counters: Map<string, number>, error: NodeJS.ErrnoException): number {
  const code = error.code ?? error.name;
  const times = (counters.get(code) ?? 0) + 1;
  counters.set(code, times);
  return times;
}
