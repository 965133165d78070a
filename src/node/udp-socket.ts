/**
 * UdpSocket: one UDP port, what dgram does not do by itself, and nothing of WebRTC.
 *
 *   open ──(socket dead)──> rebinding ──(bound again)──> open        close() from anywhere ──> closed
 *
 * open: bind (a failure is a typed error that says what to do) → ask for large kernel buffers, read back what was
 * granted, warn once if it is less. send: the kernel first; what it does not take waits by class, bounded by bytes
 * (send-queue.ts); every failure is counted by its code.
 * F5a: a failure the socket survives (network unreachable, no buffers, a firewall's refusal) changes nothing: closing it
 * would be worse, since an address that is away cannot be bound. A socket that is dead, drowns in errors or has gone deaf
 * is replaced on the same address and port: at once, then with backoff, until it is there or `close()` is called.
 * close: what has been sent is waited for, within a bound.
 */
import type { RemoteInfo, Socket, SocketOptions } from 'node:dgram';
import { canonicalAddress, formatAddress, type TransportAddress } from '../core/address.ts';
import { Counters } from '../core/counters.ts';
import { Backoff } from './backoff.ts';
import { bindSocket, requestBuffer, smallBufferMessage } from './bound-socket.ts';
import { kernelDrops } from './kernel-drops.ts';
import { SendQueue, type SendClass } from './send-queue.ts';

/** Something an operator should know; nothing has ended. `code` is stable, kebab-case. */
export interface UdpWarning {
  readonly code:
    'receive-buffer-small' | 'send-buffer-small' | 'socket-error' | 'socket-lost' | 'socket-rebound';
  readonly message: string;
}

/** A copy of a socket's counters and sizes, as plain data. */
export interface UdpSocketStats {
  readonly state: 'open' | 'rebinding' | 'closed';
  readonly datagramsReceived: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
  /** Datagrams dropped because `maxQueuedBytes` were waiting in this process, by class. */
  readonly droppedQueueFull: Readonly<Record<SendClass, number>>;
  /** Datagrams dropped because their destination cannot be sent to (port 0). */
  readonly droppedUnsendable: number;
  /** Datagrams dropped because there was no socket: it was being replaced, or is closed. */
  readonly droppedNoSocket: number;
  /** Failed sends by system code, `ENETUNREACH` for example. Their datagrams are lost, the socket goes on. */
  readonly sendErrors: Readonly<Record<string, number>>;
  /** Errors of the socket itself, and of binding it again, by system code. */
  readonly socketErrors: Readonly<Record<string, number>>;
  /** How often the socket was lost, and how many tries to bind it again have been made. */
  readonly socketsLost: number;
  readonly rebindAttempts: number;
  /** Bytes accepted from us and not yet by the kernel. */
  readonly queuedBytes: number;
  /** Bytes the kernel granted; what `SO_RCVBUF` and `SO_SNDBUF` are, without Linux's doubling. 0: not known, as in Deno. */
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
  /** F3c: datagrams the kernel dropped for want of receive buffer; `undefined` where the system does not tell, and once closed. */
  readonly kernelDrops: number | undefined;
}

/** Where a socket is bound, and its buffers and bounds. */
export interface UdpSocketOptions {
  readonly address: string;
  readonly port: number;
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
  readonly maxQueuedBytes: number;
  readonly createSocket?: ((options: SocketOptions) => Socket) | undefined;
  readonly onWarning: (warning: UdpWarning) => void;
}

const COUNTERS = [
  'datagramsReceived',
  'bytesReceived',
  'datagramsSent',
  'bytesSent',
  'droppedUnsendable',
  'droppedNoSocket',
  'socketsLost',
  'rebindAttempts',
] as const;

/**
 * Bytes given to dgram that the kernel has not taken. What is given cannot be overtaken any more, so it is little: a few
 * milliseconds' worth, enough to be there when the kernel has room again.
 */
const GIVEN_BYTES = 64 * 1024;

/** What a datagram under way counts where dgram does not tell how many bytes it holds: no path of ours has larger ones. */
const LARGE_DATAGRAM = 1500;

/** How long `close()` waits for the kernel to take the last datagrams, ms. They are best effort like any other. */
const CLOSE_LINGER = 1000;

/** Tries to bind again, ms: at once, within 100, 200, 400 … 5000; from the beginning after a good minute. */
const BACKOFF = { base: 100, cap: 5000, healthyAfter: 60_000, random: Math.random };

/** Errors of the socket itself within a second that make a storm: it is replaced, for it does nothing else any more. */
const STORM = 20;
const STORM_WINDOW = 1000;

/**
 * A socket that has heard something is taken for deaf when it hears nothing for this long, ms, while so many sends go
 * well. Consent checks (RFC 7675: every 5 s a connection) are answered on a path that works, and when it is the peers who
 * are silent, one new socket does no harm.
 */
const DEAF_AFTER = 10_000;
const DEAF_AFTER_SENDS = 8;

/** The descriptor is gone or not a socket any more. */
const DEAD_CODES: ReadonlySet<string | undefined> = new Set([
  'EBADF',
  'ENOTSOCK',
  'ERR_SOCKET_DGRAM_NOT_RUNNING',
]);

/** A UDP port that outlives its dgram socket: one that dies is replaced on the same port. */
export class UdpSocket {
  /** Where the socket is bound, for as long as it lives; the address may be a wildcard. */
  readonly local: TransportAddress;
  /** The owner's, who sets it in the turn in which `open` answers. `source` is canonical; `data` is the owner's to keep. */
  onReceive: (data: Uint8Array, source: TransportAddress) => void = () => undefined;
  readonly #options: UdpSocketOptions;
  readonly #dualStack: boolean;
  readonly #counters = new Counters<(typeof COUNTERS)[number]>(COUNTERS);
  readonly #sendErrors = new Map<string, number>();
  readonly #socketErrors = new Map<string, number>();
  readonly #queue = new SendQueue();
  readonly #backoff = new Backoff(BACKOFF);
  /** `undefined` while it is being replaced, and after `close()`. */
  #socket: Socket | undefined;
  #unref = false;
  #granted = { receive: 0, send: 0 };
  /** What the kernel dropped at the sockets before this one. */
  #dropsBefore: number | undefined;
  #unsettledSends = 0;
  #closed: Promise<void> | undefined;
  #whenSettled: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Errors of the socket itself since `#stormStart`, ms of `performance.now()`. */
  #recentErrors = 0;
  #stormStart = 0;
  /** Whether this socket, not the one before it, has heard anything. */
  #heard = false;
  /** Sends that went well since something was heard, and the time of the first look at that silence. */
  #unanswered = 0;
  #silentSince = Infinity;
  // One callback for all sends of a socket: a closure for each would be one more allocation a datagram.
  #sent: (error: Error | null) => void = () => undefined;

  /** Binds. Rejects with `ERR_SOCKET` when the address or port cannot be had. */
  static async open(options: UdpSocketOptions): Promise<UdpSocket> {
    return new UdpSocket(await bindSocket(options), options);
  }

  private constructor(socket: Socket, options: UdpSocketOptions) {
    const { address, port } = socket.address();
    this.local = { address: canonicalAddress(address) ?? address, port };
    this.#options = options;
    this.#dualStack = this.local.address === '::';
    this.#adopt(socket);
    this.#warnOfSmallBuffers();
  }

  /** Sends, or drops and counts. Never throws. `data` belongs to the socket from now on. */
  send(data: Uint8Array, destination: TransportAddress): void {
    if (destination.port < 1 || destination.port > 0xffff) {
      this.#counters.add('droppedUnsendable');
      return;
    }
    const socket = this.#socket;
    if (socket === undefined) {
      this.#counters.add('droppedNoSocket');
      return;
    }
    const given = this.#givenBytes(socket);
    const fits = given + data.length <= Math.min(GIVEN_BYTES, this.#options.maxQueuedBytes);
    if (fits && this.#queue.bytes === 0) this.#give(socket, data, destination);
    else this.#queue.push({ data, destination }, this.#options.maxQueuedBytes - given);
  }

  /** Looks for silence that is not the peers'. Call it now and then, with `performance.now()`; it costs nothing. */
  watch(now: number): void {
    if (!this.#heard || this.#unanswered < DEAF_AFTER_SENDS) this.#silentSince = Infinity;
    else if (this.#silentSince === Infinity) this.#silentSince = now;
    else if (now - this.#silentSince >= DEAF_AFTER)
      this.#lose(this.#socket, 'nothing is heard on it any more');
  }

  /** Lets the process end although the socket is open. */
  unref(): void {
    this.#unref = true;
    this.#socket?.unref();
    this.#retry?.unref();
  }

  /** Waits for the last sends, at most a second, and closes; tries to bind again end at once. Calling it again answers the same promise. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  stats(): UdpSocketStats {
    return {
      ...this.#counters.snapshot(),
      droppedQueueFull: this.#queue.dropped,
      state: this.#closed !== undefined ? 'closed' : this.#socket === undefined ? 'rebinding' : 'open',
      sendErrors: Object.fromEntries(this.#sendErrors),
      socketErrors: Object.fromEntries(this.#socketErrors),
      queuedBytes: this.#queue.bytes + (this.#socket === undefined ? 0 : this.#givenBytes(this.#socket)),
      receiveBufferSize: this.#granted.receive,
      sendBufferSize: this.#granted.send,
      kernelDrops: this.#socket === undefined ? this.#dropsBefore : this.#kernelDrops(),
    };
  }

  /** Of this socket and of those before it. */
  #kernelDrops(): number | undefined {
    const drops = kernelDrops(this.local);
    return drops === undefined ? this.#dropsBefore : drops + (this.#dropsBefore ?? 0);
  }

  #receive(data: Uint8Array, from: RemoteInfo): void {
    this.#heard = true;
    this.#unanswered = 0;
    this.#counters.add('datagramsReceived');
    this.#counters.add('bytesReceived', data.length);
    const source = { address: canonicalRemote(from.address), port: from.port };
    // Node and Bun give a datagram a buffer of its size. Deno's is of 64 KiB, which whoever keeps the datagram would keep.
    const own = data.length === data.buffer.byteLength ? data : new Uint8Array(data);
    this.onReceive(own, source);
  }

  #give(socket: Socket, data: Uint8Array, { address, port }: TransportAddress): void {
    const host = this.#dualStack && !address.includes(':') ? `::ffff:${address}` : address;
    this.#unsettledSends++;
    this.#counters.add('datagramsSent');
    this.#counters.add('bytesSent', data.length);
    try {
      socket.send(data, port, host, this.#sent);
    } catch (error) {
      this.#sent(error as Error);
    }
  }

  /** Something waits only while dgram holds datagrams, so the end of one of these is when to go on. */
  #giveWaiting(socket: Socket): void {
    while (this.#givenBytes(socket) < GIVEN_BYTES) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#give(socket, next.data, next.destination);
    }
  }

  #givenBytes(socket: Socket): number {
    // Deno (2.9) does not tell.
    if (typeof socket.getSendQueueSize !== 'function') return this.#unsettledSends * LARGE_DATAGRAM;
    try {
      return socket.getSendQueueSize();
    } catch {
      return 0; // closed underneath in this very turn; the send finds out
    }
  }

  #settle(socket: Socket, error: NodeJS.ErrnoException | null): void {
    this.#unsettledSends--;
    if (error === null) {
      this.#unanswered++;
    } else {
      count(this.#sendErrors, error);
      if (DEAD_CODES.has(error.code)) this.#lose(socket, error.message);
    }
    if (this.#queue.bytes > 0 && socket === this.#socket) this.#giveWaiting(socket);
    if (this.#unsettledSends === 0) this.#whenSettled?.();
  }

  // --- F5a: a socket in trouble ---

  #adopt(socket: Socket): void {
    this.#socket = socket;
    this.#sent = (error): void => this.#settle(socket, error);
    this.#heard = false;
    this.#unanswered = 0;
    this.#recentErrors = 0;
    if (this.#unref) socket.unref();
    const { receiveBufferSize, sendBufferSize } = this.#options;
    this.#granted = {
      receive: requestBuffer(socket, 'Recv', receiveBufferSize),
      send: requestBuffer(socket, 'Send', sendBufferSize),
    };
    socket.on('message', (data, from) => this.#receive(data, from));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#socketError(socket, error));
    socket.on('close', () => this.#lose(socket, 'it was closed underneath'));
  }

  #socketError(socket: Socket, error: NodeJS.ErrnoException): void {
    const times = count(this.#socketErrors, error);
    if (times === 1) this.#warn('socket-error', error.message);
    const now = performance.now();
    if (now - this.#stormStart > STORM_WINDOW) {
      this.#stormStart = now;
      this.#recentErrors = 0;
    }
    // libuv stops reading after an error on Windows, and there alone.
    if (DEAD_CODES.has(error.code) || process.platform === 'win32') this.#lose(socket, error.message);
    else if (++this.#recentErrors > STORM)
      this.#lose(socket, `a storm of errors, the last: ${error.message}`);
  }

  /** Lets go of `socket` and binds another one; a late word from one that has been let go of changes nothing. */
  #lose(socket: Socket | undefined, why: string): void {
    if (socket === undefined || socket !== this.#socket || this.#closed !== undefined) return;
    this.#dropsBefore = this.#kernelDrops();
    this.#forget();
    this.#counters.add('socketsLost');
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    closeQuietly(socket);
    this.#scheduleRebind();
    this.#warn('socket-lost', `lost (${why}); binding it again`);
  }

  #forget(): void {
    this.#socket = undefined;
    this.#counters.add('droppedNoSocket', this.#queue.clear());
  }

  #scheduleRebind(): void {
    const delay = this.#backoff.nextDelay(performance.now());
    if (delay === 0) {
      void this.#rebind();
      return;
    }
    this.#retry = setTimeout(() => void this.#rebind(), delay);
    if (this.#unref) this.#retry.unref();
  }

  async #rebind(): Promise<void> {
    this.#counters.add('rebindAttempts');
    const { address, port } = this.local;
    let socket: Socket;
    try {
      socket = await bindSocket({ address, port, createSocket: this.#options.createSocket });
    } catch (error) {
      count(this.#socketErrors, (error as Error).cause as NodeJS.ErrnoException);
      if (this.#closed === undefined) this.#scheduleRebind();
      return;
    }
    if (this.#closed !== undefined) {
      closeQuietly(socket);
      return;
    }
    this.#backoff.succeeded(performance.now());
    this.#adopt(socket);
    this.#warn('socket-rebound', `bound again, at try ${this.#backoff.attempts}`);
  }

  // --- closing ---

  async #shutDown(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#socket !== undefined && this.#unsettledSends > 0) await this.#settled();
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#forget();
    socket.removeAllListeners('close');
    await new Promise<void>((resolve) => closeQuietly(socket, resolve));
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

  // --- telling the operator ---

  #warn(code: UdpWarning['code'], what: string): void {
    this.#options.onWarning({ code, message: `UDP socket ${formatAddress(this.local)}: ${what}` });
  }

  #warnOfSmallBuffers(): void {
    const { receiveBufferSize, sendBufferSize, onWarning } = this.#options;
    const { receive, send } = this.#granted;
    if (receive < receiveBufferSize) {
      const message = smallBufferMessage('receive', receiveBufferSize, receive);
      onWarning({ code: 'receive-buffer-small', message });
    }
    if (send < sendBufferSize) {
      onWarning({ code: 'send-buffer-small', message: smallBufferMessage('send', sendBufferSize, send) });
    }
  }
}

/** Closes a socket that may be closed already. */
function closeQuietly(socket: Socket, closed?: () => void): void {
  try {
    socket.close(closed);
  } catch {
    closed?.();
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
