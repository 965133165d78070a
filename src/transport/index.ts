/** One secured path: ICE finds it, DTLS secures it. */
export type {
  DatagramPath,
  DtlsTransportState,
  PathUse,
  Ecn,
  Traffic,
  Transmit,
  TransportCounter,
  TransportEvent,
  TransportInspection,
  TransportOptions,
  TransportStart,
  TransportStats,
  TransportTap,
} from './contract.ts';
export type { DatagramKind } from './first-byte.ts';
export { datagramKind } from './first-byte.ts';
export { DTLS_OVERHEAD, Transport, dtlsOverhead } from './transport.ts';
