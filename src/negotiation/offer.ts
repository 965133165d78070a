/**
 * The offerer's side: `prepareOffer` writes an offer, `acceptAnswer` judges the answer. Neither changes a state: both
 * hand out the next one.
 */
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import type { LocalEnd } from './describe.ts';
import { describe } from './describe.ts';
import { checkRestart, readTransport, sameIce, sameIdentity } from './remote-transport.ts';
import { keptIceRole, offerSetup, resolveOffererRole, roleWarning } from './role.ts';
import { readSections } from './section.ts';
import {
  answeredSections,
  bundleOf,
  checkChanges,
  offeredBundle,
  offeredSections,
  planSections,
} from './sections.ts';
import type { LocalOffer, LocalOfferState, NegotiationState, SessionPlan, StableState } from './state.ts';
import { settled, stable, wrongState } from './state.ts';

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

/**
 * Writes an offer: the sections of the session, each in its place, and one for data channels if there is none.
 * Other ICE credentials than last time make it an ICE restart.
 * Throws `ERR_INVALID_STATE` unless stable, `ERR_BAD_ARGUMENT` for a `local` that cannot be written.
 */
export function prepareOffer(state: NegotiationState, local: LocalEnd): PreparedLocalOffer {
  if (state.signalingState !== 'stable') throw wrongState('an offer', 'stable', state);
  const sections = offeredSections(state.sections);
  const setup = offerSetup(state.config.dtlsSetup);
  const { mids, speaker } = offeredBundle(sections);
  const sdp = describe(state, { sections, bundle: mids, setup }, local);
  const { agreement } = state;
  const restartsIce = agreement !== undefined && !sameIce(agreement.localIce, local.ice);
  const offer: LocalOffer = { sections, ice: local.ice, restartsIce, setup };
  const next: LocalOfferState = {
    ...stable(state),
    signalingState: 'have-local-offer',
    nextVersion: state.nextVersion + 1,
    offer,
  };
  return { sdp, mid: sections[speaker]?.mid, mLineIndex: speaker, next };
}

/**
 * Judges the answer to the offer that is out. An error leaves the offer pending: another answer may come, or a rollback.
 * Throws `ERR_INVALID_STATE` if no offer is out.
 */
export function acceptAnswer(state: NegotiationState, sdp: string): AcceptedAnswer | SdpError {
  if (state.signalingState !== 'have-local-offer') throw wrongState('an answer', 'have-local-offer', state);
  const { config, offer, agreement } = state;
  const { strict } = config;
  const session = parseSdp(sdp, config.limits);
  if (isSdpError(session)) return session;
  const answer = readSections(session);
  if (isSdpError(answer)) return answer;
  const sections = answeredSections(offer.sections, answer.sections);
  if (isSdpError(sections)) return sections;
  const { speaker } = bundleOf(answer, sections);
  const transportWarnings: SdpWarning[] = [];
  const remote = readTransport(answer, answer.sections[speaker]!, strict, transportWarnings);
  if (isSdpError(remote)) return remote;
  const sectionWarnings: SdpWarning[] = [];
  const plans = planSections(sections, answer.sections, strict, sectionWarnings);
  if (isSdpError(plans)) return plans;

  const mid = sections[speaker]?.mid;
  const before = agreement?.plan.transport;
  const weRestarted = offer.restartsIce;
  const iceRestart = before !== undefined && !sameIce(before.ice, remote.ice);
  // RFC 8839 §4.4: both ends restart, or neither.
  if (iceRestart && !weRestarted) {
    const message = 'an answer changes ICE credentials only where the offer did';
    return sdpError('ice-restart-in-answer', message, { mid });
  }
  if (weRestarted && !iceRestart) {
    const message = 'the offer restarts ICE, the answer keeps its old credentials';
    return sdpError('ice-restart-unanswered', message, { mid });
  }
  const incomplete = strict && before !== undefined ? checkRestart(before.ice, remote.ice, mid) : undefined;
  if (incomplete !== undefined) return incomplete;
  const decision = resolveOffererRole({
    offered: offer.setup,
    answered: remote.remoteSetup,
    current: before?.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, remote),
    iceRestart,
    strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  const change = checkChanges(agreement?.plan.sections ?? [], plans, decision.newAssociation);
  if (change !== undefined) return change;

  const lite = { localLite: offer.ice.lite, remoteLite: remote.ice.lite };
  const plan: SessionPlan = {
    transport: {
      ...remote,
      dtlsRole: decision.role,
      iceRole: keptIceRole(before?.iceRole, { offerer: true, ...lite }),
      localSetup: offer.setup,
      mid,
      mLineIndex: speaker,
      iceRestart,
      dtlsRestart: decision.newAssociation,
    },
    sections: plans,
  };
  const roleChangesIgnored = state.roleChangesIgnored + (decision.warning === 'role-change-ignored' ? 1 : 0);
  const next = { ...settled(state, sections, offer.ice, plan), roleChangesIgnored };
  return { plan, next, warnings: [...sectionWarnings, ...transportWarnings, ...roleWarning(decision, mid)] };
}
