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
import { formatAddress, type Protocol, type TransportAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import type { HostReply } from '../core/host.ts';
import { Endpoint } from '../endpoint.ts';
import type { GatherConfig } from '../gather/index.ts';
import type { LocalCandidateInit } from '../ice/index.ts';
import type { Input, RemoteDescription, Rtc, RtcEvent, Transmit } from '../rtc.ts';
import { AnnouncedAddresses } from './announced-addresses.ts';
import { ConnectionMaker, type ConnectionOptions } from './connection-maker.ts';
import {
  announcedBy,
  checkDriverOptions,
  DEFAULT_MAX_FURTHER_SOCKETS,
  interfacesOf,
  placesToBind,
  socketOptions,
  tcpToBind,
  type EventListener,
  type UdpDriverOptions,
} from './driver-options.ts';
import { FurtherSockets } from './further-sockets.ts';
import { GatherWaits } from './gather-waits.ts';
import { HostCandidates } from './host-candidates.ts';
import { HostErrors, isThenable } from './host-errors.ts';
import { HostServices, type HostServiceStats } from './host-services.ts';
import { TcpDialer, type TcpDialerStats } from './tcp-dialer.ts';
import { TcpListener, type TcpStats } from './tcp-listener.ts';
import type { UdpSocketStats } from './udp-socket.ts';
import { UdpSockets, sumOfStats } from './udp-sockets.ts';

/** Counters of all UDP sockets together, and what the driver itself did, as plain data. */
export interface UdpDriverStats extends UdpSocketStats, HostServiceStats {
  /** Of each socket, with where it is bound. */
  readonly sockets: readonly (UdpSocketStats & { readonly local: TransportAddress })[];
  /** Of the TCP port, if there is one. */
  readonly tcp?: TcpStats;
  /** Of the connections that active TCP candidates make, if there are such. */
  readonly tcpActive?: TcpDialerStats;
  /** Sockets opened besides, and how often one was wanted and not to be had. */
  readonly furtherSockets: number;
  readonly furtherSocketsExhausted: number;
  /** Datagrams, and frames over TCP, with nothing in them: they are nobody's. */
  readonly droppedEmpty: number;
  /** How often the timer fired. */
  readonly wakeups: number;
}

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

/** What a driver has opened. */
interface Opened {
  readonly sockets: UdpSockets;
  readonly tcp: TcpListener | undefined;
  readonly dialer: TcpDialer<Rtc> | undefined;
  readonly services: HostServices;
}

/** Any number of connections on real sockets: `UdpDriver.listen`, `add` each `Rtc`, `close` at the end. */
export class UdpDriver {
  /** The connections behind this socket. Its inputs and outputs are the driver's; everything else may be used. */
  readonly endpoint: Endpoint;
  readonly #sockets: UdpSockets;
  readonly #further: FurtherSockets;
  readonly #tcp: TcpListener | undefined;
  readonly #dialer: TcpDialer<Rtc> | undefined;
  readonly #services: HostServices;
  readonly #candidates: HostCandidates;
  readonly #maker: ConnectionMaker;
  readonly #gatherings = new GatherWaits();
  /** Where the endpoint gathers, once somebody has asked. */
  readonly #gatheringOn = new Set<string>();
  #isGathering = false;
  readonly #polling: NodeJS.Timeout | undefined;
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
    checkDriverOptions(options);
    options.signal?.throwIfAborted();
    const errors = new HostErrors(options.onError);
    const places = placesToBind(options);
    const tcp = tcpToBind(options, places);
    const services = await HostServices.open(options);
    const opened: { close(): Promise<void> }[] = [services];
    try {
      const warned = socketOptions(options, (warning) => errors.guard(() => options.onWarning?.(warning)));
      const sockets = await UdpSockets.open(places, warned);
      opened.push(sockets);
      const listener = tcp?.passive === true ? await TcpListener.open(tcp) : undefined;
      const taken = listener === undefined ? [] : [listener.local.port];
      const dialer = tcp?.active === true ? new TcpDialer<Rtc>(tcp, taken) : undefined;
      return new UdpDriver({ sockets, tcp: listener, dialer, services }, errors, options);
    } catch (error) {
      await Promise.all(opened.map((one) => one.close()));
      throw error;
    }
  }

  private constructor(
    { sockets, tcp, dialer, services }: Opened,
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
    this.#dialer = dialer;
    this.#services = services;
    this.#candidates = new HostCandidates({
      sockets,
      listening: tcp?.local,
      dialer,
      announced: new AnnouncedAddresses(announcedBy(options), options.keepBoundAddresses ?? false),
      services,
      interfaces: interfacesOf(options),
    });
    this.#maker = new ConnectionMaker(options.crypto, options.certificate);
    this.#onEvent = options.onEvent;
    this.#errors = errors;
    this.#closesOnListenerError = options.onListenerError === 'close';
    this.#unref = options.unref ?? false;
    this.#signal = options.signal;
    if (this.#unref) {
      for (const one of [sockets, tcp, dialer, services]) one?.unref();
    }
    sockets.onReceive = (data, source, destination) => this.#receive('udp', data, source, destination);
    if (tcp !== undefined) {
      tcp.onReceive = (data, source, destination) => this.#receive('tcp', data, source, destination);
    }
    if (dialer !== undefined) {
      dialer.onReceive = (data, source, destination) => this.#receive('tcp', data, source, destination);
    }
    services.onReply = (reply) => this.#reply(reply);
    this.#polling = this.#pollInterfaces(options.interfacePollInterval);
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
    return this.#candidates.tcpAddresses;
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
      for (const candidate of this.#candidates.candidatesOf(rtc)) rtc.addLocalCandidate(candidate);
    } catch (error) {
      this.endpoint.remove(rtc);
      this.#dialer?.release(rtc);
      throw error;
    }
    this.#listeners.set(rtc, onEvent);
  }

  /**
   * Makes a connection and takes it in (`add`): an `Rtc` with the driver's certificate and Node's own cryptography, unless `options`, those of an
   * `Rtc`, say otherwise. Throws as `new Rtc` and `add` do.
   */
  connection(options: ConnectionOptions = {}, onEvent?: EventListener): Rtc {
    const rtc = this.#maker.make(options);
    this.add(rtc, onEvent);
    return rtc;
  }

  /**
   * Answers a peer's offer with a connection made for it (`connection`). What signalling delivers is anybody's: an offer that must be refused throws
   * `SdpRefusal` (`ERR_SDP`; answer 400), one that is none `ERR_BAD_ARGUMENT`, and `ERR_LIMIT` means that the driver is full
   * (`maxConnections` of its endpoint; answer 503). The connection is closed then, and nothing is left of it.
   */
  accept(
    offer: RemoteDescription,
    options: ConnectionOptions = {},
    onEvent?: EventListener,
  ): {
    /** The connection; it is the driver's until it closes. */
    readonly rtc: Rtc;
    /** The answer, as SDP, to be signalled to the peer. */
    readonly answer: string;
  } {
    const rtc = this.connection(options, onEvent);
    try {
      return { rtc, answer: rtc.receiveOffer(offer).answer() };
    } catch (error) {
      rtc.close();
      throw error;
    }
  }

  /**
   * Gathers server-reflexive and relayed candidates for a connection, which is added (with `onEvent`) if it is not here yet.
   * Each is told by an event, `icecandidate`; descriptions made afterwards have them all. Servers that fail are told by
   * `icecandidateerror`.
   *
   * Resolves when the gathering is complete, or the connection or the driver closed. Rejects with what `add` or
   * `endpoint.gather` throws: servers that cannot be (`ERR_BAD_ARGUMENT`), too many of them; never because of what a server does.
   */
  async gather(rtc: Rtc, config: GatherConfig, onEvent?: EventListener): Promise<void> {
    const isNew = !this.#listeners.has(rtc);
    if (isNew) this.add(rtc, onEvent);
    try {
      this.#isGathering = true;
      this.#addGatheringSockets();
      this.endpoint.gather(rtc, config);
    } catch (error) {
      if (isNew) this.#letGo(rtc);
      throw error;
    }
    await this.#gatherings.until(rtc);
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
    const tcpActive = this.#dialer?.stats();
    return {
      ...sumOfStats(sockets),
      sockets,
      ...(tcp === undefined ? {} : { tcp }),
      ...(tcpActive === undefined ? {} : { tcpActive }),
      ...this.#services.stats(),
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
    this.#drainSoon();
  }

  #reply(reply: HostReply): void {
    if (this.#closed !== undefined) return;
    this.#feed(reply);
    this.#drainSoon();
  }

  #drainSoon(): void {
    if (++this.#undrained >= BATCH) this.#drain();
    else this.#endOfTurn ??= setImmediate(this.#turnEnded);
  }

  readonly #turnEnded = (): void => {
    this.#endOfTurn = undefined;
    if (this.#undrained > 0) this.#drain();
  };

  // The endpoint reports and does not throw, unless an `onError` of the host's own, given to the endpoint, does.
  #feed(input: Input | HostReply): void {
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
      } else if (output.type === 'request') {
        this.#services.handleRequest(output.request);
      } else {
        this.#schedule(output.at);
        return;
      }
    }
  }

  #send({ protocol, data, source, destination }: Transmit): void {
    if (protocol === 'udp') this.#sockets.send(data, source, destination);
    else if (this.#dialer?.send(data, source, destination) !== true) this.#tcp?.send(data, destination);
  }

  #deliver(event: RtcEvent, rtc: Rtc): void {
    const listener = this.#listeners.get(rtc);
    if (event.type === 'closed') this.#forget(rtc);
    this.#tell(listener, event, rtc);
    this.#tell(this.#onEvent, event, rtc);
    this.#gatherings.noteEvent(rtc, event);
  }

  #forget(rtc: Rtc): void {
    this.#listeners.delete(rtc);
    this.#further.release(rtc);
    this.#dialer?.release(rtc);
  }

  #letGo(rtc: Rtc): void {
    this.endpoint.remove(rtc);
    this.#forget(rtc);
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
    if (this.#listeners.has(rtc)) {
      this.#addCandidate(rtc, { type: 'host', protocol: 'udp', address, port });
    }
  }

  #addCandidate(rtc: Rtc, candidate: LocalCandidateInit): void {
    this.#errors.guard(() => rtc.addLocalCandidate(candidate));
  }

  #addGatheringSockets(): void {
    for (const { address, port } of this.#sockets.gatheringAddresses) {
      const key = formatAddress({ address, port });
      if (this.#gatheringOn.has(key)) continue;
      this.endpoint.addSocket({ protocol: 'udp', address, port });
      this.#gatheringOn.add(key);
    }
  }

  #pollInterfaces(interval: number | undefined): NodeJS.Timeout | undefined {
    if (interval === undefined) return undefined;
    this.#candidates.refresh();
    return setInterval(() => this.#errors.guard(() => this.#followInterfaces()), interval).unref();
  }

  #followInterfaces(): void {
    const { added, removed } = this.#candidates.refresh();
    for (const place of removed) {
      this.endpoint.removeSocket(place);
      this.#gatheringOn.delete(formatAddress(place));
      this.#services.withdraw(place.address);
    }
    if (added.length === 0 && removed.length === 0) return;
    if (this.#isGathering) this.#addGatheringSockets();
    for (const rtc of added.length === 0 ? [] : this.#listeners.keys()) {
      for (const candidate of this.#candidates.candidatesOf(rtc, added)) this.#addCandidate(rtc, candidate);
    }
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
    this.endpoint.endGathering();
    this.#drain();
    clearTimeout(this.#timer);
    clearInterval(this.#polling);
    clearImmediate(this.#endOfTurn);
    this.#gatherings.end();
    await Promise.all([
      this.#sockets.close(),
      this.#tcp?.close(),
      this.#dialer?.close(),
      this.#services.close(),
    ]);
    this.#errors.throwKept();
  }
}
