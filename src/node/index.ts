/** sansrtc/node: the UDP driver for Node. */
export { UdpDriver } from './udp-driver.ts';
export type { EventListener, UdpDriverOptions, UdpDriverStats } from './udp-driver.ts';
export type { UdpSocketStats, UdpWarning } from './udp-socket.ts';
