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
import type { DtlsRole, IceRole } from '../core/roles.ts';
import type { SdpFingerprint, SdpIceParameters, SdpLimits, Setup } from '../sdp/index.ts';
import { DEFAULT_SDP_LIMITS, SDP_LIMIT_RULES } from '../sdp/index.ts';
import type { LocalTransport } from './local-transport.ts';
import type { RemoteTransport } from './remote-transport.ts';
import type { OfferSetup, SetupPreference } from './role.ts';
import type { Section, SectionPlan } from './sections.ts';

/** W3C `RTCSignalingState` without the provisional answers. */
export type SignalingState = 'stable' | 'have-local-offer' | 'have-remote-offer' | 'closed';

/** Options of a negotiation. */
export interface NegotiationOptions {
  /** `sess-id` of our `o=` lines, decimal, drawn at random by the caller; below 2^63 (RFC 9429 §5.2.1). */
  readonly sessionId: string;
  /** Default `auto`. */
  readonly dtlsSetup?: SetupPreference | undefined;
  /** Refuse what is against the RFCs though it could be understood (README, "lenient or strict"). Default false. */
  readonly strict?: boolean | undefined;
  readonly limits?: Partial<SdpLimits> | undefined;
}

/** What a connection has to know of the transport: the peer's side, and the part that each end plays. */
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

/** What an exchange comes to, all of it: the connection does what of this it has not done yet. */
export interface SessionPlan {
  readonly transport: TransportPlan;
  /** One a section, in the order of the `m=` lines. */
  readonly sections: readonly SectionPlan[];
}

/** What the last complete exchange has agreed on: the next one is measured against it. */
export interface Agreement {
  readonly localIce: SdpIceParameters;
  /** Without its candidates: they are ICE's business from then on. */
  readonly plan: SessionPlan;
}

/** The options of a negotiation, complete. */
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
  readonly sections: readonly Section[];
  /** `undefined` before the first exchange is complete. */
  readonly agreement: Agreement | undefined;
  /** Answers so far that would have changed the DTLS role of a living association, as Firefox's do. */
  readonly roleChangesIgnored: number;
}

/** Our offer, waiting for its answer. */
export interface LocalOffer {
  readonly sections: readonly Section[];
  readonly ice: LocalTransport['ice'];
  /** Its ICE credentials are others than those agreed on. */
  readonly restartsIce: boolean;
  readonly setup: OfferSetup;
}

/** No offer is out. */
export interface StableState extends Session {
  readonly signalingState: 'stable';
}

/** An offer of ours is out. */
export interface LocalOfferState extends Session {
  readonly signalingState: 'have-local-offer';
  readonly offer: LocalOffer;
}

/** An offer of the peer's was found good and is not answered yet. */
export interface RemoteOfferState extends Session {
  readonly signalingState: 'have-remote-offer';
}

/** It is over: there is no step out of it. */
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
    agreement: undefined,
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
  return { ...stable(state), signalingState: 'closed', agreement: undefined };
}

/** The state for people: plain, JSON-safe, without passwords. */
export interface NegotiationInspection {
  readonly signalingState: SignalingState;
  readonly nextVersion: number;
  readonly sections: readonly Section[];
  readonly dtlsRole: DtlsRole | null;
  readonly iceRole: IceRole | null;
  readonly setups: { readonly local: OfferSetup | null; readonly remote: Setup | null };
  readonly remoteFingerprints: readonly SdpFingerprint[];
  /** Answers so far that would have changed the DTLS role of a living association; it kept its role. */
  readonly roleChangesIgnored: number;
}

/** Shows a negotiation to people. */
export function inspectNegotiation(state: NegotiationState): NegotiationInspection {
  const transport = state.agreement?.plan.transport;
  return {
    signalingState: state.signalingState,
    nextVersion: state.nextVersion,
    sections: state.sections,
    dtlsRole: transport?.dtlsRole ?? null,
    iceRole: transport?.iceRole ?? null,
    setups: { local: transport?.localSetup ?? null, remote: transport?.remoteSetup ?? null },
    remoteFingerprints: transport?.fingerprints ?? [],
    roleChangesIgnored: state.roleChangesIgnored,
  };
}

/** The session without what is pending. */
export function stable(state: NegotiationState): StableState {
  const { config, nextVersion, sections, agreement, roleChangesIgnored } = state;
  return { signalingState: 'stable', config, nextVersion, sections, agreement, roleChangesIgnored };
}

/** The state after a complete exchange. */
export function settled(
  state: NegotiationState,
  sections: readonly Section[],
  localIce: SdpIceParameters,
  { transport, sections: plans }: SessionPlan,
): StableState {
  const plan = { transport: { ...transport, candidates: [] }, sections: plans };
  return { ...stable(state), sections, agreement: { localIce, plan } };
}

/** The error of a step that is taken in the wrong state, to be thrown. */
export function wrongState(call: string, expected: SignalingState, state: NegotiationState): RtcError {
  return new RtcError(
    'ERR_INVALID_STATE',
    `${call} expected "${expected}", the negotiation is "${state.signalingState}"`,
  );
}
