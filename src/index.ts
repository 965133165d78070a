/**
 * One WebRTC connection as a pure state machine (`Rtc`), many behind one socket (`Endpoint`), and what both are given: certificates,
 * cryptography, randomness, candidates. Re-exports, nothing else; importing it does nothing.
 *
 * @module
 */
export type { DataChannel, DataChannelOptions, ReadyState, SendOptions } from './channel/index.ts';
export type { Protocol, TransportAddress } from './core/address.ts';
export type { Bytes } from './core/bytes.ts';
export type { ErrorCode, Failure, Layer } from './core/errors.ts';
export { RtcError } from './core/errors.ts';
export type { RandomSource } from './core/random.ts';
export { SeededRandom, systemRandom } from './core/random.ts';
export type { CryptoProvider } from './crypto/index.ts';
export { jsCrypto } from './crypto/index.ts';
export type { Certificate, Fingerprint } from './dtls/index.ts';
export { selfSignedCertificate } from './dtls/index.ts';
export type {
  EndpointCounter,
  EndpointInspection,
  EndpointOptions,
  EndpointOutput,
  ReceiveInput,
  SharedPath,
  UnknownDatagram,
} from './endpoint.ts';
export { Endpoint, MAX_SHARDS, shardOf, shardUsernameFragment } from './endpoint.ts';
export type { WarmUpOptions, WarmConnection } from './endpoint/warm-up.ts';
export { warmUp } from './endpoint/warm-up.ts';
export type {
  GatherConfig,
  GatherCounter,
  GatherEvent,
  GatherInput,
  GatherInspection,
  GatherLimits,
  GatherOutput,
  GatherTiming,
  GatherTransmit,
  GathererOptions,
  GatheringId,
  IceServer,
  LocalSocket,
  RelayedDatagram,
} from './gather/index.ts';
export { Gatherer } from './gather/index.ts';
export type {
  IceCandidate,
  IceCandidateError,
  IceGatheringState,
  IceParameters,
  IceState,
  LocalCandidateInit,
} from './ice/index.ts';
export type {
  ConnectionState,
  DtlsTransportState,
  Ecn,
  IcePath,
  Input,
  LocalParameters,
  Media,
  MediaEncodingInit,
  MediaInit,
  OfferDraft,
  OfferedMediaHandle,
  Output,
  PathAddresses,
  PendingOffer,
  RTCCertificateStats,
  RTCDataChannelStats,
  RTCIceCandidatePairStats,
  RTCIceCandidateStats,
  RTCPeerConnectionStats,
  RTCStats,
  RTCStatsReport,
  RTCTransportStats,
  ReceivedOffer,
  RemoteCandidate,
  RemoteDescription,
  RollbackOptions,
  RtcEvent,
  RtcInspection,
  RtcOptions,
  SctpTransportState,
  TimeoutOutput,
  TraceEntry,
  TraceListener,
  TraceOptions,
  TransportParameters,
  Transmit,
  WrittenOffer,
} from './rtc.ts';
export { Rtc, SdpRefusal } from './rtc.ts';
export type {
  PerfectNegotiatorCounters,
  PerfectNegotiatorInspection,
  PerfectNegotiatorOptions,
} from './rtc/perfect-negotiator.ts';
export { PerfectNegotiator } from './rtc/perfect-negotiator.ts';
export type { CandidateSignal, DescriptionSignal, Signal } from './rtc/signals.ts';
export type {
  BundlePolicy,
  CodecCapability,
  MediaCodec,
  MediaEncoding,
  MediaFlow,
  MediaHeaderExtension,
  MediaKind,
  MediaPlan,
  ReceivedFlow,
} from './negotiation/index.ts';
export type { CandidateInit, Direction, SdpCandidate } from './sdp/index.ts';
export type {
  AddressFamily,
  TurnClientEvent,
  TurnClientOptions,
  TurnClientState,
  TurnCounter,
  TurnCredentials,
  TurnInspection,
  TurnReceived,
  TurnTransport,
} from './turn/index.ts';
export { RELAY_OVERHEAD, StreamDeframer, TurnClient } from './turn/index.ts';
export { candidateInit, parseCandidateLine, writeCandidateLine } from './sdp/index.ts';

// Types that the signatures above name, and that nobody makes.
export type { ByteSource } from './core/bytes.ts';
export type { Clock, Sleeper } from './core/clock.ts';
export type { Counters } from './core/counters.ts';
export type { DecodeFailure } from './core/decode.ts';
export type { HostReply, HostRequest, StreamProtocol } from './core/host.ts';
export type { Machine, PacketKind, PacketSource, PathFacts, PathUser } from './core/machine.ts';
export type { OptionRule, OptionRules } from './core/options.ts';
export type {
  CallMembers,
  CallName,
  ConnectionGate,
  DataParameters,
  DraftMark,
  MediaEvent,
  OfDraft,
  OfMedia,
  OfSender,
  PathUse,
  SignalingInspection,
  StackCounter,
  StackInspection,
  TraceCall,
  TraceChannel,
  TraceEvent,
  TraceMachine,
  TraceMedia,
  TransportCounter,
  Wishes,
  Wishing,
} from './rtc.ts';
export type {
  ChannelInspection as TurnChannelInspection,
  PermissionInspection as TurnPermissionInspection,
  TurnEnd,
  TurnLimits,
  TurnTimer,
  TurnTiming,
} from './turn/index.ts';
