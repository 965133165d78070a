/**
 * UdpDriver: one UDP socket or a few, a TCP port if asked for, one `Endpoint`, any number of connections.
 *
 * The poll loop of the library, done once for Node: datagrams or the timer go in as inputs with the time, the endpoint
 * is drained (transmits to the socket, events to the callbacks), and one `setTimeout` waits for the earliest deadline of
 * all connections. An API call from outside the loop (`channel.send()`) wakes the driver by a microtask.
 *
 *   listening → closing (every connection closed, last datagrams out) → closed
 *
 * Whatever a function of the host's throws (a listener above all) is reported, and costs its own connection at the most:
 * the drain goes on.
 */
import type { Socket, SocketOptions } from 'node:dgram';
import { canonicalAddress, type Protocol, type TransportAddress } from '../core/address.ts';
import { badArgument, RtcError } from '../core/errors.ts';
import type { OptionHints, OptionRule, OptionRules } from '../core/options.ts';
import { callback, checkOptions, flag, having, integer, listOf, nested, oneOf } from '../core/options.ts';
import { Endpoint } from '../endpoint.ts';
import type { Input, Rtc, RtcEvent, Transmit } from '../rtc.ts';
import { FurtherSockets } from './further-sockets.ts';
import { HostErrors, isThenable, type ErrorListener } from './host-errors.ts';
import { LocalAddresses } from './local-addresses.ts';
import { TcpListener, type TcpOptions, type TcpStats } from './tcp-listener.ts';
import type { UdpSocketStats, UdpWarning } from './udp-socket.ts';
import { UdpSockets, sumOfStats } from './udp-sockets.ts';

/**
 * What happens to the connections. Called from inside the drain; whatever it calls on an `Rtc` is sent in the same turn.
 * What it throws, or its promise rejects with, is reported to `onError` and harms no other connection.
 */
export type EventListener = (event: RtcEvent, rtc: Rtc) => unknown;

/** Where a driver listens, how large its buffers are, and what its host is told. */
export interface UdpDriverOptions {
  /**
   * The address to bind, IPv4 or IPv6 text, default `127.0.0.1`: a service for others names an interface or a wildcard
   * (`0.0.0.0`, `::` for both families).
   */
  readonly address?: string | undefined;
  /** 0–65535, default 0: any free port. */
  readonly port?: number | undefined;
  /**
   * Several addresses in place of one, a socket each, in the order in which they should be preferred; without a port of
   * its own one has `port`. `hostAddresses()` are all that this host has.
   */
  readonly addresses?: readonly (string | TransportAddress)[] | undefined;
  /** Listens on TCP too, for peers whose network passes no UDP (RFC 6544). Default: not. */
  readonly tcp?: TcpOptions | undefined;
  /** Default: one of the driver's own. Given, it must not be driven by anybody else. */
  readonly endpoint?: Endpoint | undefined;
  /** Kernel receive buffer to ask for, bytes, default 4 MiB; the whole port's traffic goes through it. */
  readonly recvBufferSize?: number | undefined;
  /** Kernel send buffer to ask for, bytes, default 4 MiB. */
  readonly sendBufferSize?: number | undefined;
  /** Most bytes that may wait in the process for the kernel to take them, default 4 MiB; what is over is dropped and counted. */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Most sockets opened besides, when two connections of this driver meet one remote address over one of ours, from 0 on,
   * default 128: without DTLS connection ids a path cannot be shared, so each connection to one server needs a socket of its
   * own. Over the limit
   * (`furtherSocketsExhausted`) they share, and one of them loses the path (`path-taken-over`). With an `endpoint` of your own
   * its `onSharedPath` decides, and this does nothing.
   */
  readonly maxFurtherSockets?: number | undefined;
  /** True: neither socket nor timer keeps the process alive. Default false. */
  readonly unref?: boolean | undefined;
  /** Sees the events of every connection, after the listener given to `add`. */
  readonly onEvent?: EventListener | undefined;
  /**
   * Told what the functions given to this driver throw or reject with (`rtc` is the connection it happened for), and what a
   * connection throws by a fault of ours. Without it such an error is thrown in a microtask of its own, after the drain,
   * where `uncaughtException` sees it; while the driver closes, `close()` rejects with it once all is closed.
   */
  readonly onError?: ErrorListener | undefined;
  /**
   * What a listener that throws does to its connection, besides being reported. `report` (the default): nothing, the event
   * counts as delivered. `close`: the connection is closed, for nobody knows what state the listener has left behind.
   */
  readonly onListenerError?: 'report' | 'close' | undefined;
  /** Told what an operator should know: kernel buffers smaller than asked for, a socket lost and bound again. */
  readonly onWarning?: ((warning: UdpWarning) => unknown) | undefined;
  /** Aborting it closes the driver. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the socket; default `dgram.createSocket`. For tests, and for sockets with options of their own. */
  readonly createSocket?: ((options: SocketOptions) => Socket) | undefined;
}

const portRule: OptionRule = integer(0, 0xffff);

const addressRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || canonicalAddress(value) === undefined) {
    throw badArgument(name, 'an IP address', value);
  }
};

const placeRule: OptionRule = (value, name) => {
  if (typeof value !== 'object' || value === null) {
    addressRule(value, name);
    return;
  }
  // Entries of `hostAddresses()` and the like may say more of an address: it is not ours to judge.
  const { address, port } = value as Partial<TransportAddress>;
  addressRule(address, `${name}.address`);
  portRule(port, `${name}.port`);
};

const TCP_RULES: OptionRules<TcpOptions> = {
  address: addressRule,
  port: portRule,
  maxConnections: integer(1),
  maxConnectionsPerAddress: integer(1),
  unansweredTimeout: integer(1),
  silenceTimeout: integer(1),
  maxFrameSize: integer(1, 0xffff),
  maxQueuedBytesPerConnection: integer(1),
};

const RULES: OptionRules<UdpDriverOptions> = {
  address: addressRule,
  port: portRule,
  addresses: listOf(placeRule, 1),
  tcp: nested(TCP_RULES),
  endpoint: having('an Endpoint', ['handleInput', 'pollOutput', 'add', 'remove']),
  recvBufferSize: integer(1),
  sendBufferSize: integer(1),
  maxQueuedBytes: integer(1),
  unref: flag,
  onEvent: callback,
  onError: callback,
  onListenerError: oneOf(['report', 'close']),
  maxFurtherSockets: integer(0),
  onWarning: callback,
  signal: having('an AbortSignal', ['addEventListener', 'throwIfAborted']),
  createSocket: callback,
};

const announced =
  'peers learn addresses as candidates: rtc.addLocalCandidate({ type: "srflx", protocol: "udp", address, port, base })';

const HINTS: OptionHints = new Map([
  ['host', 'its name is "address"'],
  ['announcedAddress', announced],
  ['announcedIp', announced],
  ['publicAddress', announced],
  ['certificate', 'it is an option of each Rtc'],
]);

/** Counters of all UDP sockets together, and what the driver itself did, as plain data. */
export interface UdpDriverStats extends UdpSocketStats {
  /** Of each socket, with where it is bound. */
  readonly sockets: readonly (UdpSocketStats & { readonly local: TransportAddress })[];
  /** Of the TCP port, if there is one. */
  readonly tcp?: TcpStats;
  /** Sockets opened besides, and how often one was wanted and not to be had. */
  readonly furtherSockets: number;
  readonly furtherSocketsExhausted: number;
  /** Datagrams, and frames over TCP, with nothing in them: they are nobody's. */
  readonly droppedEmpty: number;
  /** How often the timer fired. */
  readonly wakeups: number;
}

const DEFAULT_BUFFER_SIZE = 4 * 1024 * 1024;
const DEFAULT_MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_FURTHER_SOCKETS = 128;
/**
 * Datagrams taken in before the endpoint is drained, if so many are there in one turn of the event loop (it reads up to
 * 32 a socket). One acknowledgement then answers several packets, which under load saves a receiver a third of its work. All 32
 * would save a few per cent more, but a sender whose window grows by a packet an acknowledgement (RFC 9260 §7.2.1) would grow
 * more slowly. A gap is reported packet by packet all the same.
 */
const BATCH = 16;
/** Of the driver's own endpoint, ms: five hundred idle connections wake the process ten times a second, not a hundred. */
const IDLE_TIMER_SLACK = 100;
/** When to drain again after a drain that has thrown, ms. */
const DRAIN_AGAIN_AFTER = 1000;
/** `setTimeout` takes 31 bits of milliseconds; a later deadline is reached in steps. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** Any number of connections on real sockets: `UdpDriver.listen`, `add` each `Rtc`, `close` at the end. */
export class UdpDriver {
  /** The connections behind this socket. Its inputs and outputs are the driver's; everything else may be used. */
  readonly endpoint: Endpoint;
  readonly #sockets: UdpSockets;
  readonly #further: FurtherSockets;
  readonly #tcp: TcpListener | undefined;
  readonly #tcpAddresses: readonly TransportAddress[];
  readonly #onEvent: EventListener | undefined;
  readonly #errors: HostErrors;
  readonly #closesOnListenerError: boolean;
  readonly #unref: boolean;
  readonly #signal: AbortSignal | undefined;
  /** Connections whose `closed` event has not come out yet. */
  readonly #listeners = new Map<Rtc, EventListener | undefined>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, ms of `performance.now()`; never later than the earliest deadline. */
  #timerAt = Infinity;
  #wakeups = 0;
  #droppedEmpty = 0;
  /** Datagrams handed in since the last drain. */
  #undrained = 0;
  #endOfTurn: NodeJS.Immediate | undefined;
  #draining = false;
  #flushQueued = false;
  #closed: Promise<void> | undefined;

  /**
   * Binds a socket and starts to drive. Rejects with `ERR_BAD_ARGUMENT` for options that cannot be, with `ERR_SOCKET`
   * when address or port cannot be had, and with the signal's reason when that is aborted already.
   */
  static async listen(options: UdpDriverOptions = {}): Promise<UdpDriver> {
    checkOptions('UdpDriver.listen', options, RULES, HINTS);
    options.signal?.throwIfAborted();
    const places = placesToBind(options);
    const errors = new HostErrors(options.onError);
    const tcp =
      options.tcp === undefined
        ? undefined
        : { ...options.tcp, address: canonical(options.tcp.address ?? places[0].address) };
    const sockets = await UdpSockets.open(places, {
      receiveBufferSize: options.recvBufferSize ?? DEFAULT_BUFFER_SIZE,
      sendBufferSize: options.sendBufferSize ?? DEFAULT_BUFFER_SIZE,
      maxQueuedBytes: options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES,
      createSocket: options.createSocket,
      onWarning: (warning) => errors.guard(() => options.onWarning?.(warning)),
    });
    try {
      const listener = tcp === undefined ? undefined : await TcpListener.open(tcp);
      return new UdpDriver(sockets, listener, errors, options);
    } catch (error) {
      await sockets.close();
      throw error;
    }
  }

  private constructor(
    sockets: UdpSockets,
    tcp: TcpListener | undefined,
    errors: HostErrors,
    options: UdpDriverOptions,
  ) {
    this.#further = new FurtherSockets({
      max: options.maxFurtherSockets ?? DEFAULT_MAX_FURTHER_SOCKETS,
      open: (address) => sockets.openFurther(address),
      give: (rtc, local) => this.#giveCandidate(rtc, local),
    });
    this.endpoint =
      options.endpoint ??
      new Endpoint({
        idleTimerSlack: IDLE_TIMER_SLACK,
        onSharedPath: (meeting) => this.#further.part(meeting),
      });
    this.#sockets = sockets;
    this.#tcp = tcp;
    this.#tcpAddresses = tcp === undefined ? [] : new LocalAddresses(tcp.local).all;
    this.#onEvent = options.onEvent;
    this.#errors = errors;
    this.#closesOnListenerError = options.onListenerError === 'close';
    this.#unref = options.unref ?? false;
    this.#signal = options.signal;
    if (this.#unref) {
      sockets.unref();
      tcp?.unref();
    }
    sockets.onReceive = (data, source, destination) => this.#receive('udp', data, source, destination);
    if (tcp !== undefined) {
      tcp.onReceive = (data, source, destination) => this.#receive('tcp', data, source, destination);
    }
    this.endpoint.onWake = () => this.#wake();
    this.endpoint.onError ??= (error, rtc) => errors.report(error, rtc);
    this.#signal?.addEventListener('abort', this.#abort);
    if (this.#signal?.aborted === true) this.#abort();
  }

  /** Where peers reach these sockets: usable as host candidates, best first. */
  get addresses(): readonly TransportAddress[] {
    return this.#sockets.addresses;
  }

  /** Where peers can connect by TCP; empty unless asked for. */
  get tcpAddresses(): readonly TransportAddress[] {
    return this.#tcpAddresses;
  }

  /**
   * Takes a connection in: its host candidates are this driver's addresses, its datagrams and deadlines the driver's
   * business until its `closed` event. Call it before `receiveOffer().answer()` or `offer()`, so that the description
   * carries the candidates. Throws `ERR_INVALID_STATE` once the driver or the connection is closed, `ERR_LIMIT` when the
   * endpoint is full; the driver has not taken it then.
   *
   * A connection whose offer is refused, or that is not wanted after all, leaves by its `close()`; otherwise its gate
   * `signaling` ends it.
   */
  add(rtc: Rtc, onEvent?: EventListener): void {
    if (this.#closed !== undefined) throw new RtcError('ERR_INVALID_STATE', 'the UDP driver is closed');
    this.endpoint.add(rtc);
    try {
      for (const { address, port } of this.addresses) {
        rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port });
      }
      for (const { address, port } of this.tcpAddresses) {
        rtc.addLocalCandidate({ type: 'host', protocol: 'tcp', address, port });
      }
    } catch (error) {
      this.endpoint.remove(rtc);
      throw error;
    }
    this.#listeners.set(rtc, onEvent);
  }

  /** Runs what is due, sends and reports everything there is. Calls on an `Rtc` lead to it by themselves, a microtask later. */
  flush(): void {
    if (this.#closed !== undefined) return;
    const now = performance.now();
    this.#sockets.watch(now);
    this.#feed({ type: 'timeout', now });
    this.#drain();
  }

  /**
   * Closes every connection, waits (a second at most) until their last datagrams are out, closes the socket.
   * Calling it again answers the same promise. It rejects, after all that, if a listener has thrown meanwhile and there is
   * no `onError` to tell.
   */
  close(): Promise<void> {
    // A microtask later, so that it never happens inside a drain whose listener called it.
    this.#closed ??= Promise.resolve().then(() => this.#shutDown());
    return this.#closed;
  }

  stats(): UdpDriverStats {
    const sockets = this.#sockets.stats();
    const tcp = this.#tcp?.stats();
    return {
      ...sumOfStats(sockets),
      sockets,
      ...(tcp === undefined ? {} : { tcp }),
      furtherSockets: this.#further.size,
      furtherSocketsExhausted: this.#further.exhausted,
      droppedEmpty: this.#droppedEmpty,
      wakeups: this.#wakeups,
    };
  }

  #receive(
    protocol: Protocol,
    data: Uint8Array,
    source: TransportAddress,
    destination: TransportAddress,
  ): void {
    if (this.#closed !== undefined) return;
    if (data.length === 0) {
      this.#droppedEmpty++;
      return;
    }
    const now = performance.now();
    // A UDP datagram has a buffer of its own; those of a TCP stream share one.
    const owned = protocol === 'udp';
    this.#feed({ type: 'receive', now, protocol, source, destination, data, owned });
    if (++this.#undrained >= BATCH) this.#drain();
    else this.#endOfTurn ??= setImmediate(this.#turnEnded);
  }

  readonly #turnEnded = (): void => {
    this.#endOfTurn = undefined;
    if (this.#undrained > 0) this.#drain();
  };

  // The endpoint reports and does not throw, unless an `onError` of the host's own, given to the endpoint, does.
  #feed(input: Input): void {
    try {
      this.endpoint.handleInput(input);
    } catch (error) {
      this.#errors.report(error);
    }
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#undrained = 0;
    try {
      this.#drainEndpoint();
    } catch (error) {
      this.#schedule(performance.now() + DRAIN_AGAIN_AFTER); // not at once, lest it be for ever
      this.#errors.report(error);
    } finally {
      this.#draining = false;
    }
  }

  #drainEndpoint(): void {
    for (;;) {
      const output = this.endpoint.pollOutput();
      if (output.type === 'transmit') {
        this.#send(output);
      } else if (output.type === 'event') {
        this.#deliver(output.event, output.rtc);
      } else if (output.type === 'timeout') {
        this.#schedule(output.at);
        return;
      }
    }
  }

  #send({ protocol, data, source, destination }: Transmit): void {
    if (protocol === 'udp') this.#sockets.send(data, source, destination);
    else this.#tcp?.send(data, destination);
  }

  #deliver(event: RtcEvent, rtc: Rtc): void {
    const listener = this.#listeners.get(rtc);
    if (event.type === 'closed') {
      this.#listeners.delete(rtc);
      this.#further.release(rtc);
    }
    this.#tell(listener, event, rtc);
    this.#tell(this.#onEvent, event, rtc);
  }

  #tell(listener: EventListener | undefined, event: RtcEvent, rtc: Rtc): void {
    if (listener === undefined) return;
    try {
      const outcome = listener(event, rtc);
      if (isThenable(outcome)) outcome.then(undefined, (error: unknown) => this.#listenerFailed(error, rtc));
    } catch (error) {
      this.#listenerFailed(error, rtc);
    }
  }

  #listenerFailed(error: unknown, rtc: Rtc): void {
    this.#errors.report(error, rtc);
    if (this.#closesOnListenerError) this.#closeConnection(rtc);
  }

  #giveCandidate(rtc: Rtc, { address, port }: TransportAddress): void {
    if (!this.#listeners.has(rtc)) return;
    this.#errors.guard(() => rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port }));
  }

  #closeConnection(rtc: Rtc): void {
    try {
      rtc.close();
    } catch (error) {
      this.#errors.report(error, rtc);
    }
  }

  // An armed timer that is early enough stays: it fires, finds nothing due and arms the next. Deadlines mostly move
  // later with every datagram, and a new timer for each would cost more than the rare wake-up for nothing.
  #schedule(at: number): void {
    if (at >= this.#timerAt && at !== Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    const delay = Math.max(0, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(this.#timeout, Math.min(delay, LONGEST_TIMEOUT));
    if (this.#unref) this.#timer.unref();
  }

  readonly #timeout = (): void => {
    this.#timerAt = Infinity;
    this.#wakeups++;
    this.flush();
  };

  #wake(): void {
    if (this.#flushQueued || this.#closed !== undefined) return;
    this.#flushQueued = true;
    queueMicrotask(() => {
      this.#flushQueued = false;
      this.flush();
    });
  }

  readonly #abort = (): void => void this.close();

  async #shutDown(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#errors.keep();
    this.#feed({ type: 'timeout', now: performance.now() });
    for (const rtc of this.endpoint.connections()) this.#closeConnection(rtc);
    this.#drain();
    clearTimeout(this.#timer);
    clearImmediate(this.#endOfTurn);
    await Promise.all([this.#sockets.close(), this.#tcp?.close()]);
    this.#errors.throwKept();
  }
}

/** In canonical text; at least one. */
function placesToBind(options: UdpDriverOptions): [TransportAddress, ...TransportAddress[]] {
  const { address: only = '127.0.0.1', port = 0 } = options;
  const [first = only, ...others] = options.addresses ?? [];
  const place = (wanted: string | TransportAddress): TransportAddress =>
    typeof wanted === 'string'
      ? { address: canonical(wanted), port }
      : { address: canonical(wanted.address), port: wanted.port };
  return [place(first), ...others.map(place)];
}

/** Of an address that has been judged. */
function canonical(address: string): string {
  return canonicalAddress(address) ?? address;
}
