/** Stats of the channels of one association: what W3C `RTCPeerConnectionStats` and `RTCDataChannelStats` are made from. */
import type { ChannelTable } from './channel-table.ts';
import type { ChannelInspection } from './data-channel.ts';

/** One channel that is not closed. */
export interface ChannelStats extends ChannelInspection {
  /** Which channel of its association it is, from 1; no other one ever has the same. */
  readonly serial: number;
}

/** The channels of one association. */
export interface ChannelsStats {
  /** How many have been open so far. */
  readonly opened: number;
  /** How many of those are open no more. */
  readonly closed: number;
  /** Every channel that is not closed, in order of creation. */
  readonly channels: readonly ChannelStats[];
}

/** Counts anew at each call: nothing is kept for it. */
export function channelsStats({ opened, channels }: ChannelTable): ChannelsStats {
  const stats = Array.from(channels, (state) => ({ serial: state.serial, ...state.inspect() }));
  const open = stats.filter(({ readyState }) => readyState === 'open').length;
  return { opened, closed: opened - open, channels: stats };
}
