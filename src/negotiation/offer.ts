/**
 * The offerer's side: `prepareOffer` writes an offer, `acceptAnswer` judges the answer. Neither changes a state: both
 * hand out the next one.
 */
import type { SdpError, SdpIceParameters, SdpWarning } from '../sdp/index.ts';
import { isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import { bundleOf, bundleOnlySections, checkOneTransport, offeredBundle } from './bundle.ts';
import type { LocalEnd } from './describe.ts';
import { describe } from './describe.ts';
import { withAgreedExtensions } from './media-section.ts';
import type { RemoteTransport } from './remote-transport.ts';
import { checkRestart, readTransport, sameIce, sameIdentity } from './remote-transport.ts';
import { keptIceRole, offerSetup, resolveOffererRole, roleWarning } from './role.ts';
import type { RemoteSession } from './section.ts';
import { readSections } from './section.ts';
import type { Section } from './sections.ts';
import { answeredSections } from './answered-sections.ts';
import { checkChanges, withSentSources } from './sections.ts';
import type {
  LocalOffer,
  LocalOfferState,
  NegotiationState,
  RemotePranswerState,
  SessionPlan,
  StableState,
  TransportPlan,
} from './state.ts';
import { boundedWarnings, settled, stable, wrongState } from './state.ts';
import type { OfferWishes } from './wishes.ts';
import { NO_WISHES, offeredSections } from './wishes.ts';

/** An offer of ours, written, and the state with it out. */
export interface PreparedLocalOffer {
  readonly sdp: string;
  /** The section that speaks for the transport: what to say of candidates that are trickled to the peer. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly next: LocalOfferState;
}

/** What the answer to an offer of ours comes to. */
export interface AcceptedAnswer {
  readonly plan: SessionPlan;
  readonly next: StableState;
  readonly warnings: readonly SdpWarning[];
}

/** What a provisional answer comes to: the transport starts, and the offer is out still. */
export interface AcceptedProvisionalAnswer extends Omit<AcceptedAnswer, 'next'> {
  readonly next: RemotePranswerState;
}

/**
 * Writes an offer: the sections of the session, each in its place, as they are wished to be. Other ICE credentials than last time
 * make it an ICE restart. It takes the place of an offer of ours that is out. Throws `ERR_INVALID_STATE` if an offer of the peer's
 * is, `ERR_BAD_ARGUMENT` for a `local` that cannot be written.
 */
export function prepareOffer(
  state: NegotiationState,
  local: LocalEnd,
  wishes: OfferWishes = NO_WISHES,
): PreparedLocalOffer {
  if (state.signalingState !== 'stable' && state.signalingState !== 'have-local-offer')
    throw wrongState('an offer', 'stable', state);
  const { agreement, config, nextMid } = state;
  const { sections, numbering } = offeredSections(
    state.sections,
    wishes,
    config.capabilities,
    state.numbering,
    nextMid,
  );
  const setup = offerSetup(config.dtlsSetup);
  const bundle = offeredBundle(sections, agreement?.plan.transport.mid);
  const bundleOnly = bundleOnlySections(config.bundlePolicy, sections, state.sections, bundle);
  const sdp = describe(state, { sections, bundle: bundle.mids, bundleOnly, setup }, local);
  const restartsIce = agreement !== undefined && !sameIce(agreement.localIce, local.ice);
  const offer: LocalOffer = { sections, numbering, ice: local.ice, restartsIce, setup };
  const next: LocalOfferState = {
    ...stable(state),
    signalingState: 'have-local-offer',
    nextVersion: state.nextVersion + 1,
    offer,
  };
  const { speaker } = bundle;
  return { sdp, mid: sections[speaker]?.mid, mLineIndex: Math.max(speaker, 0), next };
}

/**
 * Judges the answer to the offer that is out. An error leaves the offer pending: another answer may come, or a rollback.
 * Throws `ERR_INVALID_STATE` if no offer is out.
 */
export function acceptAnswer(state: NegotiationState, sdp: string): AcceptedAnswer | SdpError {
  const judged = judgeAnswer(pendingOffer(state), sdp);
  if (isSdpError(judged)) return judged;
  const { plan, sections, localIce, roleChange, warnings } = judged;
  const media = plan.sections.filter((section) => section.kind === 'media');
  const numbering = withAgreedExtensions(judged.offer.numbering, media);
  const { nextRemoteMediaId } = state;
  const next = settled(state, { sections, numbering, nextRemoteMediaId, localIce }, plan);
  const roleChangesIgnored = state.roleChangesIgnored + roleChange;
  return { plan, next: { ...next, roleChangesIgnored }, warnings };
}

/** Judges an answer that another one will follow (W3C `pranswer`). As `acceptAnswer` otherwise. */
export function acceptProvisionalAnswer(
  state: NegotiationState,
  sdp: string,
): AcceptedProvisionalAnswer | SdpError {
  const judged = judgeAnswer(pendingOffer(state), sdp);
  if (isSdpError(judged)) return judged;
  const { plan, offer, warnings } = judged;
  const next: RemotePranswerState = {
    ...stable(state),
    signalingState: 'have-remote-pranswer',
    offer,
    provisional: { ...plan, transport: { ...plan.transport, candidates: [] } },
  };
  return { plan, next, warnings };
}

/** What an answer comes to. */
interface JudgedAnswer {
  readonly offer: LocalOffer;
  readonly plan: SessionPlan;
  readonly sections: readonly Section[];
  /** Those that this end goes on with. */
  readonly localIce: SdpIceParameters;
  readonly roleChange: 0 | 1;
  readonly warnings: readonly SdpWarning[];
}

function pendingOffer(state: NegotiationState): PendingState {
  const { signalingState } = state;
  if (signalingState === 'have-local-offer' || signalingState === 'have-remote-pranswer') return state;
  throw wrongState('an answer', 'have-local-offer', state);
}

function judgeAnswer(state: PendingState, sdp: string): JudgedAnswer | SdpError {
  const { config, offer, agreement } = state;
  const { strict, limits } = config;
  const session = parseSdp(sdp, limits);
  if (isSdpError(session)) return session;
  const answer = readSections(session);
  if (isSdpError(answer)) return answer;
  const sectionWarnings: SdpWarning[] = [];
  const answered = answeredSections(offer.sections, answer, strict, sectionWarnings);
  if (isSdpError(answered)) return answered;
  const { sections, plans } = answered;
  const bundle = bundleOf(answer, sections);
  const apart = checkOneTransport(answer.sections, sections, bundle);
  if (apart !== undefined) return apart;
  const warnings: SdpWarning[] = [];
  const started = state.signalingState === 'have-remote-pranswer' ? state.provisional.transport : undefined;
  const isUnused = bundle.speaker < 0;
  const decided = isUnused
    ? nothingInUse(started ?? agreement?.plan.transport)
    : answeredTransport(state, started, answer, bundle.speaker, warnings);
  if (isSdpError(decided)) return decided;
  const localIce = isUnused && started === undefined ? (agreement?.localIce ?? offer.ice) : offer.ice;
  const { roleChange, ...transport } = decided;
  const change = checkChanges(agreement?.plan.sections ?? [], plans, transport.dtlsRestart);
  if (change !== undefined) return change;
  const plan = { transport, sections: withSentSources(plans, config.sources) };
  return {
    offer,
    plan,
    sections,
    localIce,
    roleChange,
    warnings: boundedWarnings(sectionWarnings, warnings),
  };
}

type PendingState = LocalOfferState | RemotePranswerState;

/** `roleChange`: 1 if the answer would have changed the role of the living association. */
type AnsweredTransport = TransportPlan & { readonly roleChange: 0 | 1 };

function answeredTransport(
  state: PendingState,
  started: TransportPlan | undefined,
  answer: RemoteSession,
  speaker: number,
  warnings: SdpWarning[],
): AnsweredTransport | SdpError {
  const { config, offer, agreement } = state;
  const { strict } = config;
  const isRunning = agreement !== undefined || started !== undefined;
  const remote = readTransport(answer, answer.sections[speaker]!, strict, warnings, isRunning); // `speaker` is one of them
  if (isSdpError(remote)) return remote;
  const mid = offer.sections[speaker]?.mid;
  if (started !== undefined && (!sameIce(started.ice, remote.ice) || !sameIdentity(started, remote))) {
    const message = 'the transport of the provisional answer has started: another one cannot take its place';
    return sdpError('pranswer-transport-changed', message, { mid });
  }
  const before = agreement?.plan.transport;
  const iceRestart = before !== undefined && !sameIce(before.ice, remote.ice);
  const restart = checkAnsweredRestart(before, remote, offer.restartsIce, mid);
  if (restart !== undefined) return restart;
  const incomplete = strict && before !== undefined ? checkRestart(before.ice, remote.ice, mid) : undefined;
  if (incomplete !== undefined) return incomplete;
  const decision = resolveOffererRole({
    offered: offer.setup,
    answered: remote.remoteSetup,
    current: (started ?? before)?.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, remote),
    iceRestart,
    strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  warnings.push(...roleWarning(decision, mid));
  const lite = { localLite: offer.ice.lite, remoteLite: remote.ice.lite };
  return {
    ...remote,
    dtlsRole: decision.role,
    iceRole: keptIceRole(before?.iceRole, { offerer: true, ...lite }),
    localSetup: offer.setup,
    mid,
    mLineIndex: speaker,
    // What the provisional answer has begun is not done twice.
    iceRestart: iceRestart && started === undefined,
    dtlsRestart: decision.newAssociation && started === undefined,
    roleChange: decision.warning === 'role-change-ignored' ? 1 : 0,
  };
}

/** RFC 8839 §4.4: both ends restart, or neither. */
function checkAnsweredRestart(
  before: TransportPlan | undefined,
  { ice }: RemoteTransport,
  weRestarted: boolean,
  mid: string | undefined,
): SdpError | undefined {
  const iceRestart = before !== undefined && !sameIce(before.ice, ice);
  if (iceRestart === weRestarted) return undefined;
  if (iceRestart) {
    const message = 'an answer changes ICE credentials only where the offer did';
    return sdpError('ice-restart-in-answer', message, { mid });
  }
  const message = 'the offer restarts ICE, the answer keeps its old credentials';
  return sdpError('ice-restart-unanswered', message, { mid });
}

/**
 * The answer rejects, or both have closed, every section: the transport stays as it is, if there is one. A restart of ICE that the
 * offer began is over, for nothing in the answer speaks of it.
 */
function nothingInUse(before: TransportPlan | undefined): AnsweredTransport | SdpError {
  if (before !== undefined) return { ...before, iceRestart: false, dtlsRestart: false, roleChange: 0 };
  return sdpError(
    'application-rejected',
    'the answer rejects every section: there is nothing to connect for',
  );
}
