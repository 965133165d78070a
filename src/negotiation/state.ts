/**
 * The state of a negotiation, plain immutable data. Every step is a function from a state to the next one; holding on to
 * the old value is a rollback.
 *
 *            prepareOffer                 acceptAnswer
 *   stable ───────────────▶ have-local-offer ───────────────▶ stable
 *     │  ▲                        └────────── rollback ─────────▲
 *     │  └──────────────── answerOffer ──────────────┐
 *     └──────────────── receiveOffer ───▶ have-remote-offer          closeNegotiation: any ─▶ closed
 *
 * A description that is refused leaves no trace: the caller simply keeps the state it had.
 */
import { badArgument, RtcError } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { checkOptions, flag, nested, oneOf, required, withDefaults } from '../core/options.ts';
import type { SdpCandidate, SdpFingerprint, SdpIceParameters, SdpLimits, Setup } from '../sdp/index.ts';
import { DEFAULT_SDP_LIMITS, SDP_LIMIT_RULES } from '../sdp/index.ts';
import type { InactiveMedia } from './inactive.ts';
import type { DtlsRole, IceRole, OfferSetup, SetupPreference } from './role.ts';

/** W3C `RTCSignalingState` without the provisional answers. */
export type SignalingState = 'stable' | 'have-local-offer' | 'have-remote-offer' | 'closed';

export interface NegotiationOptions {
  /** `sess-id` of our `o=` lines, decimal, drawn at random by the caller; below 2^63 (RFC 9429 §5.2.1). */
  readonly sessionId: string;
  /** Default `auto`. */
  readonly dtlsSetup?: SetupPreference | undefined;
  /** Refuse what is against the RFCs though it could be understood (README, "lenient or strict"). Default false. */
  readonly strict?: boolean | undefined;
  readonly limits?: Partial<SdpLimits> | undefined;
}

/** What this end puts into a description. Nothing of it is kept but the ICE credentials. */
export interface LocalTransport {
  readonly ice: SdpIceParameters & { readonly lite: boolean };
  readonly candidates: readonly SdpCandidate[];
  readonly endOfCandidates: boolean;
  readonly fingerprints: readonly SdpFingerprint[];
  /** 1–65535. */
  readonly sctpPort: number;
  /** Largest message this end accepts, bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
  /** `a=tls-id`, 20–255 characters; written in offers, and in answers to offers that have one. */
  readonly tlsId?: string | undefined;
}

/** A remote candidate that ICE can use as it stands: component 1, an IP address. */
export type TransportCandidate = SdpCandidate & { readonly component: 1 };

/** The peer's transport as its description gives it. */
export interface RemoteTransport {
  readonly ice: SdpIceParameters & { readonly lite: boolean };
  readonly candidates: readonly TransportCandidate[];
  readonly endOfCandidates: boolean;
  /** True if the peer said `a=ice-options:trickle`: more candidates may come. */
  readonly trickle: boolean;
  /** SHA-256, SHA-384 or SHA-512; at least one. The peer's certificate must match one of them. */
  readonly fingerprints: readonly SdpFingerprint[];
  readonly tlsId: string | undefined;
  readonly remoteSetup: Setup | undefined;
  /** 1–65535. */
  readonly sctpPort: number;
  /** Largest message the peer accepts, bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
}

/** Everything a connection needs to know of its peer, and the parts each end plays. */
export interface TransportPlan extends RemoteTransport {
  readonly dtlsRole: DtlsRole;
  /** Kept from the first exchange on; an agent that has resolved a role conflict since knows better. */
  readonly iceRole: IceRole;
  readonly localSetup: OfferSetup;
  /** The section that speaks for the transport: what to say of candidates that are trickled to the peer. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  /** The peer's ICE credentials are new: ICE starts over on the same connection (RFC 8445 §9). */
  readonly iceRestart: boolean;
  /** The peer starts a new DTLS association, and it has restarted ICE as it must. */
  readonly dtlsRestart: boolean;
}

/** One `m=` section of the session, at its index for ever (RFC 3264 §8). */
export interface MediaSection {
  readonly mid: string | undefined;
  readonly kind: string;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly rejected: boolean;
  /** Accepted without media, because it has the BUNDLE tag: RTP in a description of ours that says `a=inactive`. */
  readonly inactive?: InactiveMedia | undefined;
}

/** What the last complete exchange has agreed on: the next one is measured against it. */
export interface NegotiatedTransport {
  readonly localIce: SdpIceParameters;
  /** Without its candidates: they are ICE's business from then on. */
  readonly plan: TransportPlan;
}

export interface NegotiationConfig {
  readonly sessionId: string;
  readonly dtlsSetup: SetupPreference;
  readonly strict: boolean;
  readonly limits: SdpLimits;
}

interface Session {
  readonly config: NegotiationConfig;
  /** `sess-version` of the next description written here. */
  readonly nextVersion: number;
  readonly sections: readonly MediaSection[];
  readonly transport: NegotiatedTransport | undefined;
  /** Answers so far that would have changed the DTLS role of a living association, as Firefox's do. */
  readonly roleChangesIgnored: number;
}

/** Our offer, waiting for its answer. */
export interface LocalOffer {
  readonly sections: readonly MediaSection[];
  readonly ice: LocalTransport['ice'];
  readonly setup: OfferSetup;
}

export interface StableState extends Session {
  readonly signalingState: 'stable';
}

export interface LocalOfferState extends Session {
  readonly signalingState: 'have-local-offer';
  readonly offer: LocalOffer;
}

export interface RemoteOfferState extends Session {
  readonly signalingState: 'have-remote-offer';
}

export interface ClosedState extends Session {
  readonly signalingState: 'closed';
}

/** Holds ICE passwords: show `inspectNegotiation(state)`, not the state. */
export type NegotiationState = StableState | LocalOfferState | RemoteOfferState | ClosedState;

const sessionIdRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !isSessionId(value)) {
    throw badArgument(name, 'a decimal number below 2^63', value);
  }
};

const RULES: OptionRules<NegotiationOptions> = {
  sessionId: required(sessionIdRule),
  dtlsSetup: oneOf(['auto', 'active', 'passive']),
  strict: flag,
  limits: nested(SDP_LIMIT_RULES),
};

/** Throws `ERR_BAD_ARGUMENT`, also for a session id that is no decimal number below 2^63. */
export function createNegotiation(options: NegotiationOptions): StableState {
  checkOptions('createNegotiation', options, RULES);
  const { sessionId, dtlsSetup = 'auto', strict = false } = options;
  const limits = withDefaults(DEFAULT_SDP_LIMITS, options.limits);
  const config = { sessionId, dtlsSetup, strict, limits };
  return {
    signalingState: 'stable',
    config,
    nextVersion: 1,
    sections: [],
    transport: undefined,
    roleChangesIgnored: 0,
  };
}

/** As text: the number may exceed what a double counts exactly. */
function isSessionId(text: string): boolean {
  return /^\d{1,19}$/.test(text) && (text.length < 19 || text <= '9223372036854775807');
}

/**
 * Takes our offer back: as if it had never been made, except that its version number is not used again. The peer may
 * have seen it, and a version names one text only (RFC 3264 §8). Throws `ERR_INVALID_STATE` if no offer is out.
 */
export function rollback(state: NegotiationState): StableState {
  if (state.signalingState !== 'have-local-offer') throw wrongState('rollback()', 'have-local-offer', state);
  return stable(state);
}

/** Ends it: every later step throws `ERR_INVALID_STATE`. */
export function closeNegotiation(state: NegotiationState): ClosedState {
  return { ...stable(state), signalingState: 'closed', transport: undefined };
}

/** The state for people: plain, JSON-safe, without passwords. */
export interface NegotiationInspection {
  readonly signalingState: SignalingState;
  readonly nextVersion: number;
  readonly sections: readonly MediaSection[];
  readonly dtlsRole: DtlsRole | null;
  readonly iceRole: IceRole | null;
  readonly setups: { readonly local: OfferSetup | null; readonly remote: Setup | null };
  readonly remoteFingerprints: readonly SdpFingerprint[];
  /** Answers so far that would have changed the DTLS role of a living association; it kept its role. */
  readonly roleChangesIgnored: number;
}

export function inspectNegotiation(state: NegotiationState): NegotiationInspection {
  const plan = state.transport?.plan;
  return {
    signalingState: state.signalingState,
    nextVersion: state.nextVersion,
    sections: state.sections,
    dtlsRole: plan?.dtlsRole ?? null,
    iceRole: plan?.iceRole ?? null,
    setups: { local: plan?.localSetup ?? null, remote: plan?.remoteSetup ?? null },
    remoteFingerprints: plan?.fingerprints ?? [],
    roleChangesIgnored: state.roleChangesIgnored,
  };
}

/** The session without what is pending. */
export function stable(state: NegotiationState): StableState {
  const { config, nextVersion, sections, transport, roleChangesIgnored } = state;
  return { signalingState: 'stable', config, nextVersion, sections, transport, roleChangesIgnored };
}

/** The state after a complete exchange. */
export function settled(
  state: NegotiationState,
  sections: readonly MediaSection[],
  localIce: SdpIceParameters,
  plan: TransportPlan,
): StableState {
  return { ...stable(state), sections, transport: { localIce, plan: { ...plan, candidates: [] } } };
}

export function wrongState(call: string, expected: SignalingState, state: NegotiationState): RtcError {
  return new RtcError(
    'ERR_INVALID_STATE',
    `${call} expected "${expected}", the negotiation is "${state.signalingState}"`,
  );
}
