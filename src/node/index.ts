/** sansrtc/node: the UDP driver for Node. */
export type { ErrorListener } from './host-errors.ts';
export { hostAddresses } from './local-addresses.ts';
export type { TcpCounter, TcpOptions, TcpStats } from './tcp-listener.ts';
export { UdpDriver } from './udp-driver.ts';
export type { EventListener, UdpDriverOptions, UdpDriverStats } from './udp-driver.ts';
export type { UdpSocketStats, UdpWarning } from './udp-socket.ts';
