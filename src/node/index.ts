/**
 * Connections over the sockets of Node, Deno and Bun (`UdpDriver`): UDP and TCP, STUN and TURN servers, names, any number of peers on
 * one port.
 *
 * @module
 */
export type { AnnouncedAddress } from './announced-addresses.ts';
export type { ConnectionOptions } from './connection-maker.ts';
export type { EventListener, UdpDriverOptions } from './driver-options.ts';
export type { ErrorListener } from './host-errors.ts';
export type { InterfaceFilter } from './interface-filter.ts';
export { hostAddresses } from './local-addresses.ts';
export type { MdnsCounter, MdnsOptions, MdnsStats } from './local-names.ts';
export type { ResolverCounter, ResolverOptions, ResolverStats } from './name-resolver.ts';
export type { PortChoice, PortRange } from './port-range.ts';
export type { SendClass } from './send-queue.ts';
export type {
  ServerStreamCounter,
  ServerStreamOptions,
  ServerStreamStats,
  ServerTlsOptions,
} from './server-streams.ts';
export type { TcpDialerCounter, TcpDialerStats } from './tcp-dialer.ts';
export type { TcpCounter, TcpOptions, TcpStats } from './tcp-listener.ts';
export { UdpDriver } from './udp-driver.ts';
export type { UdpDriverStats } from './udp-driver.ts';
export type { UdpSocketStats, UdpWarning } from './udp-socket.ts';
