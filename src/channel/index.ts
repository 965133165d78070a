/**
 * Data channels over an SCTP association: RFC 8831 and RFC 8832.
 *
 * @module
 */
export type { ChannelInspection, DataChannel, ReadyState } from './data-channel.ts';
export { DataChannels } from './data-channels.ts';
export type { ChannelDraft } from './draft.ts';
export { SHUT_DOWN } from './end-reasons.ts';
export type { DcepAck, DcepLimits, DcepMessage, DcepOpen } from './dcep.ts';
export { DCEP_MAX_TEXT, decodeDcep, encodeAck, encodeOpen } from './dcep.ts';
export type {
  ChannelCall,
  ChannelCounter,
  ChannelEvent,
  ChannelsInspection,
  RefusalCounter,
  SctpTransportEvent,
  SctpTransportState,
} from './events.ts';
export type {
  ChannelGates,
  ChannelLimits,
  ChannelOptions,
  ChannelPriority,
  DataChannelOptions,
  SendOptions,
  GateName as ChannelGateName,
} from './options.ts';
export {
  CHANNEL_OPTION_RULES,
  DEFAULT_CHANNEL_GATES,
  DEFAULT_CHANNEL_LIMITS,
  MAX_STREAM_ID,
} from './options.ts';
export type { MessageData } from './payload.ts';
export { Ppid } from './payload.ts';
export type { SctpPort } from './port.ts';
export type { DataState, SctpTransportInspection, SctpTransportStart } from './sctp-transport.ts';
export { SctpTransport } from './sctp-transport.ts';
export type { ChannelsStats, ChannelStats } from './stats.ts';
export type { ChannelRole } from './streams.ts';
