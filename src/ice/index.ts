/**
 * ICE (RFC 8445), full and lite. The entry point `sansrtc/ice`.
 *
 * @module
 */
export type { AddressClass } from './address-class.ts';
export { ADDRESS_CLASSES, addressClass, isUnicast } from './address-class.ts';
export type { IceCandidateError, IceGatheringState } from './gathering.ts';
export { ICE_CANDIDATE_ERROR_RULES, ICE_GATHERING_STATES } from './gathering.ts';
export type { GenerationStage, IceTimer } from './generation.ts';
export { IceAgent } from './agent.ts';
export type {
  IceCandidate,
  LocalCandidate,
  LocalCandidateAddress,
  LocalCandidateInit,
  RelayProtocol,
  RemoteIceCandidate,
  TcpType,
} from './candidate.ts';
export {
  LOCAL_CANDIDATE_ADDRESS_RULES,
  LOCAL_CANDIDATE_RULES,
  REMOTE_CANDIDATE_RULES,
  isMdnsName,
} from './candidate.ts';
export { CheckBudget } from './check-budget.ts';
export type { CandidateFilter } from './candidate-filter.ts';
export type { TransportPolicy } from './candidates.ts';
export type { ChosenCredentials, IceCredentials, IceParameters } from './credentials.ts';
export { isSameCredentials, randomCredentials, remoteParametersRule } from './credentials.ts';
export type { ConsentSnapshot } from './consent.ts';
export type { GenerationInspection, IceEnd, IceInspection, PreviousInspection } from './inspection.ts';
export { ICE_OPTION_RULES } from './options.ts';
export type { IceLimits, IceOptions, IceTiming, PathUpgrade } from './options.ts';
export type { CandidatePair, CandidatePairState, IcePath, PairTraffic } from './pair.ts';
export type { IceCandidateType, PairPriority } from './priority.ts';
export { candidatePriority, comparePriority, pairPriority } from './priority.ts';
export type { IceRole } from './role.ts';
export type { IceCounter, IceEvent, IceState, IceTransmit } from './host.ts';
export type { IcePairStats, IceStats } from './statistics.ts';
