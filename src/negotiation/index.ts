/**
 * Offer and answer (RFC 3264, RFC 9429) as pure functions over plain state.
 *
 * @module
 */
export type { DtlsRole, IceRole } from '../core/roles.ts';
export type { AcceptedSections } from './accepted-sections.ts';
export type { OfferedPlan, PreparedRemoteOffer, WrittenAnswer, WrittenProvisionalAnswer } from './answer.ts';
export { answerOffer, answerProvisionally, applyOffer, chooseSections, receiveOffer } from './answer.ts';
export type { BundlePolicy } from './bundle.ts';
export { DEFAULT_CAPABILITIES, checkCapability } from './codec/index.ts';
export type { DataPlan, DataSection, LocalData } from './data-section.ts';
export type { LocalEnd } from './describe.ts';
export { judgeAnswerEdit, judgeEdit } from './edited.ts';
export type { LocalTransport } from './local-transport.ts';
export { DEFAULT_HEADER_EXTENSIONS } from './extensions.ts';
export type { AgreedExtension, ExtensionMeaning, ExtensionTable } from './extensions.ts';
export type { PayloadTypeMeaning, PayloadTypes } from './codec/index.ts';
export type { SimulcastLines } from './simulcast.ts';
export type {
  CodecCapability,
  MediaChange,
  MediaCodec,
  MediaEncoding,
  MediaFlow,
  MediaHeaderExtension,
  MediaKind,
  MediaPlan,
  MediaWish,
  OfferedMedia,
  ReceivedFlow,
  SectionChoice,
  SentFlow,
  SentSource,
} from './media.ts';
export type { MediaDeclaration } from './media-description.ts';
export type { MediaCapabilities, MediaSection, Numbering } from './media-section.ts';
export type { AcceptedAnswer, AcceptedProvisionalAnswer, PreparedLocalOffer } from './offer.ts';
export { acceptAnswer, acceptProvisionalAnswer, prepareOffer } from './offer.ts';
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
export type { RemoteSection, RemoteSession, SectionLine } from './section.ts';
export type { SourceNaming } from './sources.ts';
export type { PlannedSections, Section, SectionPlan } from './sections.ts';
export type {
  Agreement,
  ClosedState,
  LocalOffer,
  LocalOfferState,
  LocalPranswerState,
  NegotiationConfig,
  NegotiationInspection,
  NegotiationOptions,
  NegotiationState,
  RemoteOffer,
  RemoteOfferState,
  RemotePranswerState,
  SessionPlan,
  SignalingState,
  StableState,
  TransportPlan,
} from './state.ts';
export type { OfferWishes } from './wishes.ts';
export { NO_WISHES } from './wishes.ts';
export {
  closeNegotiation,
  createNegotiation,
  inspectNegotiation,
  MEDIA_OPTION_RULES,
  rollback,
} from './state.ts';
