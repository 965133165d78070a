/** W3C `RTCDataChannelStats`: one data channel, until it is closed. */
import type { ChannelStats, ReadyState } from '../../channel/index.ts';
import type { StatsObject } from './stats-object.ts';

/** One data channel. Bytes are of user data. */
export interface RTCDataChannelStats extends StatsObject<'data-channel'> {
  readonly label: string;
  readonly protocol: string;
  /** The SCTP stream, 0–65534; absent before there is one. */
  readonly dataChannelIdentifier?: number;
  readonly state: ReadyState;
  /** Accepted by `send`. */
  readonly messagesSent: number;
  readonly bytesSent: number;
  /** Come in whole: W3C counts its `message` events, ours may wait to be polled. */
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

/** A channel at `timestamp`. */
export function dataChannelStats(channel: ChannelStats, timestamp: number): RTCDataChannelStats {
  const { serial, id, label, protocol, readyState } = channel;
  const { messagesSent, bytesSent, messagesReceived, bytesReceived } = channel;
  return {
    id: `D${serial}`,
    timestamp,
    type: 'data-channel',
    label,
    protocol,
    ...(id === null ? {} : { dataChannelIdentifier: id }),
    state: readyState,
    messagesSent,
    bytesSent,
    messagesReceived,
    bytesReceived,
  };
}
