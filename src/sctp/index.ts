/**
 * SCTP over DTLS as a state machine (RFC 9260, RFC 3758, RFC 6525, RFC 8831).
 *
 * @module
 */
export { SctpAssociation } from './association/association.ts';
export type { DeadlineName as SctpDeadlineName, GateName as SctpGateName } from './association/deadlines.ts';
export type {
  MessageOutcome,
  SctpCounter,
  SctpEvent,
  SctpMessage,
  SctpMessageEvent,
  SctpState,
} from './events.ts';
export type { ReceiverInspection, SctpInspection, SenderInspection } from './inspection.ts';
export { DEFAULT_GATES as DEFAULT_SCTP_GATES, PATH_MTU_RULES, SCTP_OPTION_RULES } from './options.ts';
export type { PathMtuInspection, PathMtuState } from './association/path-mtu.ts';
export type { CongestionName, PathMtuOptions, SctpGates, SctpOptions } from './options.ts';
export type { SctpCause } from './packet/causes.ts';
export type { Scheduling } from './tx/turns.ts';
export type { AckSample, CongestionController, CongestionOptions, LossSample } from './tx/congestion.ts';
export { Bbr } from './tx/bbr.ts';
export { NewReno } from './tx/new-reno.ts';
