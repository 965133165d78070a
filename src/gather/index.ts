/** Server-reflexive and relayed addresses of sockets, shared by all connections behind them. */
export type { GatherConfig, GatherInput, GatherInspection, GatherOutput } from './gatherer.ts';
export { Gatherer } from './gatherer.ts';
export type { GatherCounter, GatherEvent, GatherTransmit, GatheringId, RelayedDatagram } from './host.ts';
export { GATHER_COUNTERS } from './host.ts';
export type { IceServer } from './ice-server.ts';
export type { GatherLimits, GatherTiming, GathererOptions } from './options.ts';
export { GATHERER_OPTION_RULES } from './options.ts';
export type { LocalSocket } from './source.ts';
