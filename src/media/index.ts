/** Media over a secured path: streams of RTP and what belongs to them. */
export type * from './contract.ts';
export type { MediaInspection } from './inspection.ts';
export type { MediaOptions } from './options.ts';
export type * from './parameters.ts';
export type { MediaStats, ReceivedStreamStats, SentStreamStats } from './stats.ts';
