/** Options of a driver, their defaults and their checks. */
import type { Socket, SocketOptions } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { addressFamily, canonicalAddress, type TransportAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionHints, OptionRule, OptionRules } from '../core/options.ts';
import {
  callback,
  checkOptions,
  flag,
  having,
  integer,
  listOf,
  nested,
  oneOf,
  ownOptions,
} from '../core/options.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Certificate } from '../dtls/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Rtc, RtcEvent } from '../rtc.ts';
import { addressRule, announcedRule, type AnnouncedAddress } from './announced-addresses.ts';
import type { ErrorListener } from './host-errors.ts';
import type { HostServiceOptions } from './host-services.ts';
import {
  filterInterfaces,
  INTERFACE_FILTER_RULES,
  type InterfaceFilter,
  type Interfaces,
} from './interface-filter.ts';
import type { MdnsOptions } from './local-names.ts';
import type { ResolverOptions } from './name-resolver.ts';
import { portChoice, type PortChoice } from './port-range.ts';
import type { ServerStreamOptions, ServerTlsOptions } from './server-streams.ts';
import type { TcpOptions } from './tcp-listener.ts';
import type { UdpWarning } from './udp-socket.ts';
import type { Place, UdpSocketsOptions } from './udp-sockets.ts';

/**
 * What happens to the connections. Called from inside the drain; whatever it calls on an `Rtc` is sent in the same turn.
 * What it throws, or its promise rejects with, is reported to `onError` and harms no other connection.
 */
export type EventListener = (event: RtcEvent, rtc: Rtc) => unknown;

/** Where a driver listens, how large its buffers are, and what its host is told. */
export interface UdpDriverOptions extends HostServiceOptions {
  /**
   * The address to bind, IPv4 or IPv6 text, default `127.0.0.1`: a service for others names an interface or a wildcard
   * (`0.0.0.0`, `::` for both families).
   */
  readonly address?: string | undefined;
  /** 0–65535, default 0: any free port. `{ min, max }`: any free one of these, for the sockets opened later too. */
  readonly port?: PortChoice | undefined;
  /**
   * The short form for a server behind a NAT, in a container or a cloud: the addresses at which peers reach it. As `announcedAddresses`,
   * and, unless `address` or `addresses` says otherwise, what is bound is a wildcard (`0.0.0.0`, or `::` where an IPv6 address is
   * among them): who announces an address wants to be reached.
   */
  readonly announce?: readonly (string | AnnouncedAddress)[] | undefined;
  /**
   * Several addresses in place of one, a socket each, in the order in which they should be preferred; without a port of
   * its own one has `port`. `hostAddresses()` are all that this host has.
   */
  readonly addresses?: readonly (string | TransportAddress)[] | undefined;
  /**
   * Addresses at which peers reach ours, though they are bound to no socket: of a 1:1 NAT, a container's published port, a cloud.
   * Text stands for the first bound address of its family. They are told in place of the bound ones.
   */
  readonly announcedAddresses?: readonly (string | AnnouncedAddress)[] | undefined;
  /** True: bound addresses are told beside the announced ones, for peers on the inside. Default false. */
  readonly keepBoundAddresses?: boolean | undefined;
  /** Which addresses of this host's interfaces are offered where a wildcard is bound. Default: all but loopback and link-local ones. */
  readonly interfaces?: InterfaceFilter | undefined;
  /**
   * How often the interfaces are looked at, ms, at least 100: addresses that come are offered, those that vanish are withdrawn.
   * Default: never; a few seconds are enough for a laptop.
   */
  readonly interfacePollInterval?: number | undefined;
  /** Asks for the interfaces; default `os.networkInterfaces`. For tests. */
  readonly networkInterfaces?: (() => Interfaces) | undefined;
  /** ICE over TCP, for peers and clients whose network passes no UDP (RFC 6544): listens, connects, or both. Default: not. */
  readonly tcp?: TcpOptions | undefined;
  /** Of the connections that `connection` and `accept` make. Default: a self-signed one, made with the first of them. */
  readonly certificate?: Certificate | undefined;
  /** The same. Default: Node's own cryptography (`nodeCrypto()`). */
  readonly crypto?: CryptoProvider | undefined;
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
   * default 128: without DTLS connection ids a path cannot be shared, so each connection to one server needs a socket of its own. Over the limit
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
  active: flag,
  passive: flag,
  address: addressRule,
  port: portChoice,
  maxConnections: integer(1),
  maxConnectionsPerAddress: integer(1),
  unansweredTimeout: integer(1),
  silenceTimeout: integer(1),
  maxFrameSize: integer(1, 0xffff),
  maxQueuedBytesPerConnection: integer(1),
  connectTimeout: integer(1),
  maxDestinations: integer(1),
};

const DNS_RULES: OptionRules<ResolverOptions> = {
  maxConcurrent: integer(1),
  maxWaiting: integer(0),
  maxAddresses: integer(1),
  timeout: integer(1),
  lookup: callback,
};

const mdnsObject: OptionRule = nested<MdnsOptions>({
  publish: flag,
  timeout: integer(1),
  maxLookups: integer(1),
});

const mdnsRule: OptionRule = (value, name) => {
  if (typeof value !== 'boolean') mdnsObject(value, name);
};

const STREAM_RULES: OptionRules<ServerStreamOptions> = {
  maxStreams: integer(1),
  connectTimeout: integer(1),
  maxQueuedBytes: integer(1),
};

const TLS_RULES: OptionRules<ServerTlsOptions> = {
  ca: () => undefined, // `ServerStreams` reads them
};

const RULES: OptionRules<UdpDriverOptions> = {
  address: addressRule,
  port: portChoice,
  announce: listOf(announcedRule, 1),
  addresses: listOf(placeRule, 1),
  announcedAddresses: listOf(announcedRule),
  keepBoundAddresses: flag,
  interfaces: nested(INTERFACE_FILTER_RULES),
  interfacePollInterval: integer(100),
  networkInterfaces: callback,
  tcp: nested(TCP_RULES),
  dns: nested(DNS_RULES),
  mdns: mdnsRule,
  streams: nested(STREAM_RULES),
  tls: nested(TLS_RULES),
  certificate: having('a Certificate', []),
  crypto: having('a CryptoProvider', ['hash', 'aead']),
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

const announced = 'its name is "announcedAddresses"';

const HINTS: OptionHints = new Map([
  ['host', 'its name is "address"'],
  ['announcedAddress', announced],
  ['announcedIp', announced],
  ['publicAddress', announced],
  ['iceServers', 'they are given to driver.gather(rtc, { iceServers })'],
]);

const DEFAULT_BUFFER_SIZE = 4 * 1024 * 1024;
const DEFAULT_MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** See `maxFurtherSockets`. */
export const DEFAULT_MAX_FURTHER_SOCKETS = 128;

/** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
export function checkDriverOptions(options: UdpDriverOptions): void {
  checkOptions('UdpDriver.listen', options, RULES, HINTS);
  if (options.announce !== undefined && options.announcedAddresses !== undefined)
    throw badArgument(
      'announce',
      'to stand alone, as the short form of "announcedAddresses"',
      options.announce,
    );
}

/** In canonical text; at least one. */
export function placesToBind(options: UdpDriverOptions): [Place, ...Place[]] {
  const { address: only = defaultAddress(options), port = 0 } = options;
  const [first = only, ...others] = options.addresses ?? [];
  const place = (wanted: string | TransportAddress): Place =>
    typeof wanted === 'string'
      ? { address: canonical(wanted), port }
      : { address: canonical(wanted.address), port: wanted.port };
  return [place(first), ...others.map(place)];
}

/** Nobody from outside reaches a server that has not said where it is. */
function defaultAddress({ announce }: UdpDriverOptions): string {
  if (announce === undefined) return '127.0.0.1';
  const addresses = announce.map((entry) => (typeof entry === 'string' ? entry : entry.address));
  return addresses.some((address) => addressFamily(address) === 6) ? '::' : '0.0.0.0';
}

/** What peers are told in place of what is bound. */
export function announcedBy({
  announce,
  announcedAddresses,
}: UdpDriverOptions): readonly (string | AnnouncedAddress)[] {
  return announce ?? announcedAddresses ?? [];
}

/** Where ICE over TCP is, if it is anywhere. */
export function tcpToBind(
  options: UdpDriverOptions,
  places: readonly [Place, ...Place[]],
): (TcpOptions & { readonly address: string; readonly passive: boolean }) | undefined {
  const { tcp } = options;
  if (tcp === undefined) return undefined;
  const port = tcp.port ?? (typeof options.port === 'object' ? options.port : 0);
  const passive = tcp.passive ?? tcp.active !== true;
  return { ...tcp, port, passive, address: canonical(tcp.address ?? places[0].address) };
}

/** The interfaces that peers may be told of. */
export function interfacesOf(options: UdpDriverOptions): () => Interfaces {
  const { networkInterfaces: ask = networkInterfaces, interfaces } = options;
  const filter = interfaces && ownOptions(interfaces);
  return () => filterInterfaces(ask(), filter);
}

/** What all UDP sockets of the driver have in common. */
export function socketOptions(
  options: UdpDriverOptions,
  onWarning: (warning: UdpWarning) => void,
): UdpSocketsOptions {
  return {
    receiveBufferSize: options.recvBufferSize ?? DEFAULT_BUFFER_SIZE,
    sendBufferSize: options.sendBufferSize ?? DEFAULT_BUFFER_SIZE,
    maxQueuedBytes: options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES,
    createSocket: options.createSocket,
    onWarning,
    interfaces: interfacesOf(options),
    furtherPorts: typeof options.port === 'object' ? ownOptions(options.port) : 0,
  };
}

/** Of an address that has been judged. */
function canonical(address: string): string {
  return canonicalAddress(address) ?? address;
}
