/**
 * The answerer's side: `receiveOffer` judges an offer and changes nothing, `answerOffer` writes the answer and cannot
 * fail because of the peer. The answer has every section of the offer in its place, accepted or rejected (RFC 3264 §6).
 */
import { badArgument } from '../core/errors.ts';
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import type { LocalEnd } from './describe.ts';
import { describe } from './describe.ts';
import { checkRestart, readTransport, sameIce, sameIdentity } from './remote-transport.ts';
import { keptIceRole, resolveAnswererRole, roleWarning, setupOf } from './role.ts';
import { readSections } from './section.ts';
import type { Section } from './sections.ts';
import { acceptedSections, bundleOf, checkChanges, checkHistory, planSections } from './sections.ts';
import type { NegotiationState, RemoteOfferState, SessionPlan, StableState, TransportPlan } from './state.ts';
import { settled, stable, wrongState } from './state.ts';

/** What an offer will come to; the ICE role alone waits for what this end is. */
export interface OfferedPlan extends Pick<SessionPlan, 'sections'> {
  readonly transport: Omit<TransportPlan, 'iceRole'>;
}

/** An offer that can be answered. Dropping it is the way to decline it. */
export interface PreparedRemoteOffer {
  readonly plan: OfferedPlan;
  readonly warnings: readonly SdpWarning[];
  /** The sections of the answer. */
  readonly sections: readonly Section[];
  /** The mids of the answer's BUNDLE group, the tag first. Empty if there is none. */
  readonly bundle: readonly string[];
  /** The state with this offer pending. */
  readonly next: RemoteOfferState;
}

/** The answer to an offer of the peer's, and what the exchange comes to. */
export interface WrittenAnswer {
  readonly sdp: string;
  readonly plan: SessionPlan;
  readonly next: StableState;
}

/**
 * Judges a remote offer. `glare` if an offer of ours is out: one end must roll back first.
 * Throws `ERR_INVALID_STATE` once closed.
 */
export function receiveOffer(state: NegotiationState, sdp: string): PreparedRemoteOffer | SdpError {
  if (state.signalingState === 'closed') throw wrongState('an offer', 'stable', state);
  if (state.signalingState === 'have-local-offer') {
    return sdpError('glare', 'an offer of this end waits for its answer: one of the two must be rolled back');
  }
  const { config, agreement } = state;
  const { strict } = config;
  const session = parseSdp(sdp, config.limits);
  if (isSdpError(session)) return session;
  const offer = readSections(session);
  if (isSdpError(offer)) return offer;
  const history = checkHistory(state.sections, offer.sections);
  if (history !== undefined) return history;
  const sections = acceptedSections(state.sections, offer.sections);
  if (isSdpError(sections)) return sections;
  const { mids: bundle, speaker } = bundleOf(offer, sections);
  const transportWarnings: SdpWarning[] = [];
  const remote = readTransport(offer, offer.sections[speaker]!, strict, transportWarnings);
  if (isSdpError(remote)) return remote;
  const sectionWarnings: SdpWarning[] = [];
  const plans = planSections(sections, offer.sections, strict, sectionWarnings);
  if (isSdpError(plans)) return plans;

  const mid = sections[speaker]?.mid;
  const before = agreement?.plan.transport;
  const iceRestart = before !== undefined && !sameIce(before.ice, remote.ice);
  const incomplete = strict && before !== undefined ? checkRestart(before.ice, remote.ice, mid) : undefined;
  if (incomplete !== undefined) return incomplete;
  const decision = resolveAnswererRole({
    offered: remote.remoteSetup,
    preference: config.dtlsSetup,
    current: before?.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, remote),
    iceRestart,
    strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  const change = checkChanges(agreement?.plan.sections ?? [], plans, decision.newAssociation);
  if (change !== undefined) return change;

  return {
    plan: {
      transport: {
        ...remote,
        dtlsRole: decision.role,
        localSetup: setupOf(decision.role),
        mid,
        mLineIndex: speaker,
        iceRestart,
        dtlsRestart: decision.newAssociation,
      },
      sections: plans,
    },
    warnings: [...sectionWarnings, ...transportWarnings, ...roleWarning(decision, mid)],
    sections,
    bundle,
    next: { ...stable(state), signalingState: 'have-remote-offer' },
  };
}

/**
 * Writes the answer to an offer that `receiveOffer` has accepted.
 * Throws `ERR_BAD_ARGUMENT` for a `local` that cannot be written, or whose ICE credentials are not new where the offer
 * restarts ICE, or new where it does not (RFC 8839 §4.4).
 */
export function answerOffer(prepared: PreparedRemoteOffer, local: LocalEnd): WrittenAnswer {
  const { plan: offered, sections, bundle, next: state } = prepared;
  const { transport } = offered;
  const before = state.agreement;
  if (before !== undefined && sameIce(before.localIce, local.ice) === transport.iceRestart) {
    const expected = transport.iceRestart
      ? 'new ICE credentials: the offer restarts ICE'
      : 'the ICE credentials in use';
    throw badArgument('local', expected, local.ice.usernameFragment);
  }
  const description = { sections, offered: offered.sections, bundle, setup: transport.localSetup };
  const tlsId = transport.tlsId === undefined ? undefined : local.tlsId;
  const sdp = describe(state, description, { ...local, tlsId });
  const lite = { localLite: local.ice.lite, remoteLite: transport.ice.lite };
  const iceRole = keptIceRole(before?.plan.transport.iceRole, { offerer: false, ...lite });
  const plan: SessionPlan = { transport: { ...transport, iceRole }, sections: offered.sections };
  const next = settled({ ...state, nextVersion: state.nextVersion + 1 }, sections, local.ice, plan);
  return { sdp, plan, next };
}
