/** W3C `RTCPeerConnectionStats`: the connection as a whole. */
import type { ChannelsStats } from '../../channel/index.ts';
import type { StatsObject } from './stats-object.ts';
import { PEER_CONNECTION_ID } from './stats-object.ts';

/** The connection as a whole; their difference is how many channels are open. */
export interface RTCPeerConnectionStats extends StatsObject<'peer-connection'> {
  /** Channels that have been open. */
  readonly dataChannelsOpened: number;
  /** Channels that have been open and are open no more; those that never were do not count. */
  readonly dataChannelsClosed: number;
}

/** The connection at `timestamp`. */
export function peerConnectionStats(
  { opened, closed }: ChannelsStats,
  timestamp: number,
): RTCPeerConnectionStats {
  return {
    id: PEER_CONNECTION_ID,
    timestamp,
    type: 'peer-connection',
    dataChannelsOpened: opened,
    dataChannelsClosed: closed,
  };
}
