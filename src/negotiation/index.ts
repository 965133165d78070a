/** Offer and answer (RFC 3264, RFC 9429) as pure functions over plain state. */
export type { DtlsRole, IceRole } from '../core/roles.ts';
export type { OfferedPlan, PreparedRemoteOffer, WrittenAnswer } from './answer.ts';
export { answerOffer, receiveOffer } from './answer.ts';
export type { DataPlan, DataSection, LocalData } from './data-section.ts';
export type { LocalEnd } from './describe.ts';
export type { LocalTransport } from './local-transport.ts';
export type { MediaCodec, MediaPlan, MediaSection } from './media-section.ts';
export type { AcceptedAnswer, PreparedLocalOffer } from './offer.ts';
export { acceptAnswer, prepareOffer } from './offer.ts';
export type { RejectedPlan, RejectedSection } from './rejected-section.ts';
export type { RemoteTransport, TransportCandidate } from './remote-transport.ts';
export type {
  AnswererRoleInput,
  AssociationState,
  OffererRoleInput,
  OfferSetup,
  RoleDecision,
  SetupPreference,
} from './role.ts';
export {
  keptIceRole,
  offerSetup,
  resolveAnswererRole,
  resolveIceRole,
  resolveOffererRole,
  setupOf,
} from './role.ts';
export type { SectionLine } from './section.ts';
export type { Section, SectionPlan } from './sections.ts';
export type {
  Agreement,
  ClosedState,
  LocalOffer,
  LocalOfferState,
  NegotiationConfig,
  NegotiationInspection,
  NegotiationOptions,
  NegotiationState,
  RemoteOfferState,
  SessionPlan,
  SignalingState,
  StableState,
  TransportPlan,
} from './state.ts';
export { closeNegotiation, createNegotiation, inspectNegotiation, rollback } from './state.ts';
