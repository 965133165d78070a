/**
 * The state of a negotiation, plain immutable data. Every step is a function from a state to the next one; holding on to
 * the old value is a rollback.
 *
 *                prepareOffer                   acceptAnswer, provisional
 *   stable ──────────────────▶ have-local-offer ─────────────────────────▶ have-remote-pranswer
 *     ▲  ◀────── rollback ───────┘     │ acceptAnswer                          │ acceptAnswer
 *     └────────────────────────────────┴──────────────────────────────────────┘
 *                applyOffer                     answerOffer, provisional
 *   stable ──────────────────▶ have-remote-offer ────────────────────────▶ have-local-pranswer
 *     ▲  ◀────── rollback ───────┘     │ answerOffer                           │ answerOffer
 *     └────────────────────────────────┴──────────────────────────────────────┘
 *                                               closeNegotiation: any ─▶ closed
 *
 * A description that is refused leaves no trace: the caller simply keeps the state it had.
 */
import { badArgument, RtcError } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  checkOptions,
  flag,
  integer,
  listOf,
  nested,
  oneOf,
  ownOptions,
  required,
  text,
  withDefaults,
} from '../core/options.ts';
import type { DtlsRole, IceRole } from '../core/roles.ts';
import type {
  Direction,
  SdpFingerprint,
  SdpIceParameters,
  SdpLimits,
  SdpWarning,
  Setup,
} from '../sdp/index.ts';
import { DEFAULT_SDP_LIMITS, SDP_LIMIT_RULES } from '../sdp/index.ts';
import type { BundlePolicy } from './bundle.ts';
import { DEFAULT_CAPABILITIES, NO_PAYLOAD_TYPES, checkCapability } from './codec/index.ts';
import { DEFAULT_HEADER_EXTENSIONS, NO_EXTENSIONS } from './extensions.ts';
import type { LocalTransport } from './local-transport.ts';
import type { CodecCapability, MediaKind, MediaPlan } from './media.ts';
import type { MediaCapabilities, Numbering } from './media-section.ts';
import type { RemoteTransport } from './remote-transport.ts';
import type { OfferSetup, SetupPreference } from './role.ts';
import type { SourceNaming } from './sources.ts';
import type { Section, SectionPlan } from './sections.ts';
import { nextMidAfter } from './wishes.ts';

/** W3C `RTCSignalingState`. */
export type SignalingState =
  | 'stable'
  | 'have-local-offer'
  | 'have-remote-offer'
  | 'have-local-pranswer'
  | 'have-remote-pranswer'
  | 'closed';

/** Options of a negotiation. */
export interface NegotiationOptions {
  /** `sess-id` of our `o=` lines, decimal, drawn at random by the caller; below 2^63 (RFC 9429 §5.2.1). */
  readonly sessionId: string;
  /** Default `auto`. */
  readonly dtlsSetup?: SetupPreference | undefined;
  /** Refuse what is against the RFCs though it could be understood (README, "lenient or strict"). Default false. */
  readonly strict?: boolean | undefined;
  readonly limits?: Partial<SdpLimits> | undefined;
  /** Default `max-compat`: every section tells the transport, as Chromium writes under W3C's default. */
  readonly bundlePolicy?: BundlePolicy | undefined;
  /** What this end can do, in order of preference. Default: `DEFAULT_CAPABILITIES`. */
  readonly codecs?: Partial<Readonly<Record<MediaKind, readonly CodecCapability[]>>> | undefined;
  /** URIs of header extensions that this end can do. Default: `DEFAULT_HEADER_EXTENSIONS`. */
  readonly headerExtensions?: Partial<Readonly<Record<MediaKind, readonly string[]>>> | undefined;
  /** What this end wants of media that the peer adds, if nothing is chosen. Default `inactive`. */
  readonly newMediaDirection?: Direction | undefined;
  /** Our descriptions name the sources that this end sends from. Default: they do not. */
  readonly sources?: SourceNaming | undefined;
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
  readonly bundlePolicy: BundlePolicy;
  readonly capabilities: MediaCapabilities;
  readonly newMediaDirection: Direction;
  readonly sources: SourceNaming | undefined;
}

interface Session {
  readonly config: NegotiationConfig;
  /** `sess-version` of the next description written here. */
  readonly nextVersion: number;
  readonly sections: readonly Section[];
  /** Mids of ours below it have been used. */
  readonly nextMid: number;
  /** The first id that no media of the peer's has: odd, as those of this end's own are even. */
  readonly nextRemoteMediaId: number;
  readonly numbering: Numbering;
  /** `undefined` before the first exchange is complete. */
  readonly agreement: Agreement | undefined;
  /** Answers so far that would have changed the DTLS role of a living association, as Firefox's do. */
  readonly roleChangesIgnored: number;
}

/** Our offer, waiting for its answer. */
export interface LocalOffer {
  readonly sections: readonly Section[];
  readonly numbering: Numbering;
  readonly ice: LocalTransport['ice'];
  /** Its ICE credentials are others than those agreed on. */
  readonly restartsIce: boolean;
  readonly setup: OfferSetup;
}

/** The peer's offer, waiting for our answer. */
export interface RemoteOffer {
  /** What becomes of them if nothing else is chosen. */
  readonly sections: readonly Section[];
  readonly ice: SdpIceParameters;
  readonly restartsIce: boolean;
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

/** An offer of ours is out, and has been answered provisionally: the transport has started. */
export interface RemotePranswerState extends Session {
  readonly signalingState: 'have-remote-pranswer';
  readonly offer: LocalOffer;
  readonly provisional: SessionPlan;
}

/** An offer of the peer's was found good and is not answered yet. */
export interface RemoteOfferState extends Session {
  readonly signalingState: 'have-remote-offer';
  readonly remoteOffer: RemoteOffer;
}

/** An offer of the peer's is answered provisionally: the transport has started. */
export interface LocalPranswerState extends Session {
  readonly signalingState: 'have-local-pranswer';
  readonly remoteOffer: RemoteOffer;
  readonly provisional: SessionPlan;
}

/** It is over: there is no step out of it. */
export interface ClosedState extends Session {
  readonly signalingState: 'closed';
}

/** Holds ICE passwords: show `inspectNegotiation(state)`, not the state. */
export type NegotiationState =
  StableState | LocalOfferState | RemotePranswerState | RemoteOfferState | LocalPranswerState | ClosedState;

const sessionIdRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !isSessionId(value)) {
    throw badArgument(name, 'a decimal number below 2^63', value);
  }
};

const capabilitiesRule: OptionRule = (value, name) => {
  listOf((item, place) => {
    checkCapability(item, place);
  })(value, name);
};

/** What must be of the options that are about media. */
export const MEDIA_OPTION_RULES: OptionRules<
  Pick<NegotiationOptions, 'bundlePolicy' | 'codecs' | 'headerExtensions'>
> = {
  bundlePolicy: oneOf(['balanced', 'max-compat', 'must-bundle']),
  codecs: nested({ audio: capabilitiesRule, video: capabilitiesRule }),
  headerExtensions: nested({ audio: listOf(text()), video: listOf(text()) }),
};

const RULES: OptionRules<NegotiationOptions> = {
  ...MEDIA_OPTION_RULES,
  sessionId: required(sessionIdRule),
  dtlsSetup: oneOf(['auto', 'active', 'passive']),
  strict: flag,
  limits: nested(SDP_LIMIT_RULES),
  newMediaDirection: oneOf(['sendrecv', 'sendonly', 'recvonly', 'inactive']),
  sources: nested<SourceNaming>({ seed: required(integer(0, 0xffff_ffff)), cname: required(text(1)) }),
};

/** Throws `ERR_BAD_ARGUMENT`, also for a session id that is no decimal number below 2^63. */
export function createNegotiation(options: NegotiationOptions): StableState {
  checkOptions('createNegotiation', options, RULES);
  const { sessionId, dtlsSetup = 'auto', strict = false, bundlePolicy = 'max-compat' } = options;
  const { newMediaDirection = 'inactive' } = options;
  const limits = withDefaults(DEFAULT_SDP_LIMITS, options.limits);
  const capabilities: MediaCapabilities = {
    codecs: withDefaults(DEFAULT_CAPABILITIES, ownOptions(options.codecs ?? {})),
    headerExtensions: withDefaults(DEFAULT_HEADER_EXTENSIONS, ownOptions(options.headerExtensions ?? {})),
  };
  return {
    signalingState: 'stable',
    config: {
      sessionId,
      dtlsSetup,
      strict,
      limits,
      bundlePolicy,
      capabilities,
      newMediaDirection,
      sources: options.sources,
    },
    nextVersion: 1,
    sections: [],
    nextMid: 0,
    nextRemoteMediaId: 1,
    numbering: { payloadTypes: NO_PAYLOAD_TYPES, extensions: NO_EXTENSIONS },
    agreement: undefined,
    roleChangesIgnored: 0,
  };
}

/** As text: the number may exceed what a double counts exactly. */
function isSessionId(text: string): boolean {
  return /^\d{1,19}$/.test(text) && (text.length < 19 || text <= '9223372036854775807');
}

/**
 * Takes an offer back, ours or the peer's: as if it had never been made, except that a version number of ours is not used
 * again. The peer may have seen it, and a version names one text only (RFC 3264 §8). Throws `ERR_INVALID_STATE` if no offer is
 * out, or one that has been answered provisionally (RFC 9429 §4.1.10.2).
 */
export function rollback(state: NegotiationState): StableState {
  const { signalingState } = state;
  if (signalingState === 'have-local-offer' || signalingState === 'have-remote-offer') return stable(state);
  throw wrongState('rollback()', 'have-local-offer', state);
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
  /** What was agreed on of each media section. */
  readonly media: readonly MediaPlan[];
  /** The offer that is out. */
  readonly offer: { readonly sections: readonly Section[]; readonly restartsIce: boolean } | null;
  readonly dtlsRole: DtlsRole | null;
  readonly iceRole: IceRole | null;
  readonly setups: { readonly local: OfferSetup | null; readonly remote: Setup | null };
  readonly remoteFingerprints: readonly SdpFingerprint[];
  /** Answers so far that would have changed the DTLS role of a living association; it kept its role. */
  readonly roleChangesIgnored: number;
}

/** Shows a negotiation to people. */
export function inspectNegotiation(state: NegotiationState): NegotiationInspection {
  const plan = state.agreement?.plan;
  const transport = plan?.transport;
  const offer = 'offer' in state ? state.offer : 'remoteOffer' in state ? state.remoteOffer : undefined;
  return {
    signalingState: state.signalingState,
    nextVersion: state.nextVersion,
    sections: state.sections,
    media: plan?.sections.filter((section) => section.kind === 'media') ?? [],
    offer: offer === undefined ? null : { sections: offer.sections, restartsIce: offer.restartsIce },
    dtlsRole: transport?.dtlsRole ?? null,
    iceRole: transport?.iceRole ?? null,
    setups: { local: transport?.localSetup ?? null, remote: transport?.remoteSetup ?? null },
    remoteFingerprints: transport?.fingerprints ?? [],
    roleChangesIgnored: state.roleChangesIgnored,
  };
}

/** The session without what is pending. */
export function stable(state: NegotiationState): StableState {
  const { config, nextVersion, sections, nextMid, nextRemoteMediaId, numbering } = state;
  const { agreement, roleChangesIgnored } = state;
  return {
    signalingState: 'stable',
    config,
    nextVersion,
    sections,
    nextMid,
    nextRemoteMediaId,
    numbering,
    agreement,
    roleChangesIgnored,
  };
}

/** What a complete exchange leaves besides its plan. */
export interface Settlement extends Pick<Session, 'sections' | 'numbering' | 'nextRemoteMediaId'> {
  readonly localIce: SdpIceParameters;
}

/** The state after a complete exchange. */
export function settled(
  state: NegotiationState,
  { sections, numbering, nextRemoteMediaId, localIce }: Settlement,
  { transport, sections: plans }: SessionPlan,
): StableState {
  const plan = { transport: { ...transport, candidates: [] }, sections: plans };
  return {
    ...stable(state),
    sections,
    nextMid: nextMidAfter(state.nextMid, sections),
    nextRemoteMediaId,
    numbering,
    agreement: { localIce, plan },
  };
}

/** Warnings of one description: how many lines deserve one is up to the peer. */
const MAX_WARNINGS = 64;

/** The first of them, in order. */
export function boundedWarnings(...warnings: readonly (readonly SdpWarning[])[]): readonly SdpWarning[] {
  return warnings.flat().slice(0, MAX_WARNINGS);
}

/** The error of a step that is taken in the wrong state, to be thrown. */
export function wrongState(call: string, expected: SignalingState, state: NegotiationState): RtcError {
  return new RtcError(
    'ERR_INVALID_STATE',
    `${call} expected "${expected}", the negotiation is "${state.signalingState}"`,
  );
}
