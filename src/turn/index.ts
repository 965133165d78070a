/** TURN (RFC 8656): the client as a machine, and the codec that clients and servers share. */
export type {
  AddressFamily,
  TurnClientEvent,
  TurnClientOptions,
  TurnClientState,
  TurnCredentials,
  TurnLimits,
  TurnReceived,
  TurnTiming,
  TurnTransport,
} from './contract.ts';
export { TurnClient } from './client.ts';
export type {
  ChannelInspection,
  PermissionInspection,
  TurnEnd,
  TurnInspection,
  TurnTimer,
} from './inspection.ts';
export type { TurnCounter } from './way-out.ts';
export { StreamDeframer } from './stream-deframer.ts';
export {
  CHANNEL_HEADER_LENGTH,
  FIRST_CHANNEL,
  LAST_CHANNEL,
  RELAY_OVERHEAD,
  channelDataOf,
  channelOf,
  encodeChannelData,
  isChannelData,
} from './channel-data.ts';
