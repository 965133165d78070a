/** Offer and answer (RFC 3264, RFC 9429) as pure functions over plain state. */
export type { PreparedRemoteOffer, WrittenAnswer } from './answer.ts';
export { answerOffer, receiveOffer } from './answer.ts';
export type { InactiveMedia } from './inactive.ts';
export type { AcceptedAnswer, PreparedLocalOffer } from './offer.ts';
export { acceptAnswer, prepareOffer } from './offer.ts';
export type {
  AnswererRoleInput,
  AssociationState,
  DtlsRole,
  IceRole,
  OffererRoleInput,
  OfferSetup,
  RoleDecision,
  SetupPreference,
} from './role.ts';
export { offerSetup, resolveAnswererRole, resolveIceRole, resolveOffererRole, setupOf } from './role.ts';
export type {
  ClosedState,
  LocalOffer,
  LocalOfferState,
  LocalTransport,
  MediaSection,
  NegotiatedTransport,
  NegotiationConfig,
  NegotiationInspection,
  NegotiationOptions,
  NegotiationState,
  RemoteOfferState,
  RemoteTransport,
  SignalingState,
  StableState,
  TransportCandidate,
  TransportPlan,
} from './state.ts';
export { closeNegotiation, createNegotiation, inspectNegotiation, rollback } from './state.ts';
