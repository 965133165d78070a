/**
 * The answerer's side: `receiveOffer` judges an offer and changes nothing, `applyOffer` takes it as the one to be answered,
 * `chooseSections` says what this end makes of its sections, `answerOffer` writes the answer. The answer has every section of the offer in its place, accepted or rejected (RFC 3264 §6).
 */
import { badArgument } from '../core/errors.ts';
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import type { Bundle } from './bundle.ts';
import { bundleOf } from './bundle.ts';
import type { LocalEnd } from './describe.ts';
import { describe } from './describe.ts';
import type { OfferedMedia, SectionChoice } from './media.ts';
import { checkRestart, readTransport, sameIce, sameIdentity } from './remote-transport.ts';
import { keptIceRole, resolveAnswererRole, roleWarning, setupOf } from './role.ts';
import type { RemoteSession } from './section.ts';
import { promoteBundled, readSections } from './section.ts';
import type { AcceptedSections } from './accepted-sections.ts';
import { acceptedSections, checkHistory } from './accepted-sections.ts';
import { checkChanges, withSentSources } from './sections.ts';
import type {
  LocalPranswerState,
  NegotiationState,
  RemoteOffer,
  RemoteOfferState,
  SessionPlan,
  StableState,
  TransportPlan,
} from './state.ts';
import { boundedWarnings, settled, stable, wrongState } from './state.ts';

/** What an offer will come to; the ICE role alone waits for what this end is. */
export interface OfferedPlan extends Pick<SessionPlan, 'sections'> {
  readonly transport: Omit<TransportPlan, 'iceRole'>;
}

/** An offer that can be answered. Dropping it is the way to decline it. */
export interface PreparedRemoteOffer {
  readonly plan: OfferedPlan;
  readonly warnings: readonly SdpWarning[];
  /** The sections of the answer. */
  readonly accepted: AcceptedSections;
  /** The sections of the offer that could be media, for whoever chooses. */
  readonly media: readonly OfferedMedia[];
  /** The mids of the answer's BUNDLE group, the tag first. Empty if there is none. */
  readonly bundle: readonly string[];
  /** The offer, and the state that it was judged in, for other choices. */
  readonly remote: RemoteSession;
  readonly base: StableState;
}

/** The answer to an offer of the peer's, and what the exchange comes to. */
export interface WrittenAnswer {
  readonly sdp: string;
  readonly plan: SessionPlan;
  readonly next: StableState;
}

/** A provisional answer: the transport starts, and the offer waits for the answer that counts. */
export interface WrittenProvisionalAnswer {
  readonly sdp: string;
  readonly plan: SessionPlan;
  readonly next: LocalPranswerState;
  /** The offer, for the next answer. */
  readonly prepared: PreparedRemoteOffer;
}

/**
 * Judges a remote offer, as it is answered if nothing is chosen. `glare` if an offer of ours is out: one end must roll back first. An offer of the peer's that waits is
 * replaced. Throws `ERR_INVALID_STATE` once closed, and while a provisional answer is out.
 */
export function receiveOffer(state: NegotiationState, sdp: string): PreparedRemoteOffer | SdpError {
  const { signalingState } = state;
  if (signalingState === 'have-local-offer') {
    return sdpError('glare', 'an offer of this end waits for its answer: one of the two must be rolled back');
  }
  if (signalingState !== 'stable' && signalingState !== 'have-remote-offer')
    throw wrongState('an offer', 'stable', state);
  const base = stable(state);
  const session = parseSdp(sdp, base.config.limits);
  if (isSdpError(session)) return session;
  const read = readSections(session);
  if (isSdpError(read)) return read;
  const warnings: SdpWarning[] = [];
  const remote = base.config.strict ? read : promoteBundled(read, warnings);
  return judgeOffer(base, remote, [], warnings);
}

/**
 * Judges an offer again, with what this end chooses to make of its sections, in place of what was chosen before. An error where the
 * choices leave nothing to agree on.
 */
export function chooseSections(
  { base, remote }: PreparedRemoteOffer,
  choices: readonly SectionChoice[],
): PreparedRemoteOffer | SdpError {
  return judgeOffer(base, remote, choices, []);
}

/** The offer is the one to be answered: W3C's `have-remote-offer`. */
export function applyOffer({ base, accepted, plan }: PreparedRemoteOffer): RemoteOfferState {
  return { ...base, signalingState: 'have-remote-offer', remoteOffer: remoteOfferOf(accepted, plan) };
}

/**
 * Writes the answer to an offer that `receiveOffer` has accepted. Throws `ERR_BAD_ARGUMENT` for a `local` that cannot be written,
 * or whose ICE credentials are not new where the offer restarts ICE, or new where it does not (RFC 8839 §4.4).
 */
export function answerOffer(prepared: PreparedRemoteOffer, local: LocalEnd): WrittenAnswer {
  const { accepted, base } = prepared;
  const { sdp, plan } = writeAnswer(prepared, local);
  const { sections, numbering, nextRemoteMediaId } = accepted;
  const settlement = { sections, numbering, nextRemoteMediaId, localIce: local.ice };
  return { sdp, plan, next: settled(versionUsed(base), settlement, plan) };
}

/** Writes an answer that another one will follow (W3C `pranswer`). Throws as `answerOffer` does. */
export function answerProvisionally(
  prepared: PreparedRemoteOffer,
  local: LocalEnd,
): WrittenProvisionalAnswer {
  const { accepted, plan: offered } = prepared;
  const { sdp, plan } = writeAnswer(prepared, local);
  const base = versionUsed(prepared.base);
  const next: LocalPranswerState = {
    ...base,
    signalingState: 'have-local-pranswer',
    remoteOffer: remoteOfferOf(accepted, offered),
    provisional: { ...plan, transport: { ...plan.transport, candidates: [] } },
  };
  return { sdp, plan, next, prepared: { ...prepared, base } };
}

function writeAnswer(
  { base, plan: offered, accepted, bundle }: PreparedRemoteOffer,
  local: LocalEnd,
): { readonly sdp: string; readonly plan: SessionPlan } {
  const { transport } = offered;
  const before = base.agreement;
  if (before !== undefined && sameIce(before.localIce, local.ice) === transport.iceRestart) {
    const expected = transport.iceRestart
      ? 'new ICE credentials: the offer restarts ICE'
      : 'the ICE credentials in use';
    throw badArgument('local', expected, local.ice.usernameFragment);
  }
  const { sections } = accepted;
  const description = { sections, offered: offered.sections, bundle, setup: transport.localSetup };
  const tlsId = transport.tlsId === undefined ? undefined : local.tlsId;
  const sdp = describe(base, description, { ...local, tlsId });
  const lite = { localLite: local.ice.lite, remoteLite: transport.ice.lite };
  const iceRole = keptIceRole(before?.plan.transport.iceRole, { offerer: false, ...lite });
  return { sdp, plan: { transport: { ...transport, iceRole }, sections: offered.sections } };
}

function versionUsed(base: StableState): StableState {
  return { ...base, nextVersion: base.nextVersion + 1 };
}

function judgeOffer(
  base: StableState,
  remote: RemoteSession,
  choices: readonly SectionChoice[],
  warnings: readonly SdpWarning[],
): PreparedRemoteOffer | SdpError {
  const { config, sections: before, numbering, nextRemoteMediaId, agreement } = base;
  const { strict, capabilities, newMediaDirection } = config;
  const history = checkHistory(before, remote.sections);
  if (history !== undefined) return history;
  const sectionWarnings: SdpWarning[] = [];
  const newMedia = {
    direction: newMediaDirection,
    codecs: undefined,
    headerExtensions: undefined,
    encodings: [],
    streams: [],
  };
  const context = { before, choices, capabilities, newMedia, numbering, nextRemoteMediaId, strict };
  const accepted = acceptedSections(remote, context, sectionWarnings);
  if (isSdpError(accepted)) return accepted;
  const { plans, sections, media } = accepted;
  const bundle = bundleOf(remote, sections);
  const transportWarnings: SdpWarning[] = [];
  const transport =
    bundle.speaker < 0 ? nothingInUse(base) : offeredTransport(base, remote, bundle, transportWarnings);
  if (isSdpError(transport)) return transport;
  const change = checkChanges(agreement?.plan.sections ?? [], plans, transport.dtlsRestart);
  if (change !== undefined) return change;
  return {
    plan: { transport, sections: withSentSources(plans, base.config.sources) },
    warnings: boundedWarnings(warnings, sectionWarnings, transportWarnings),
    accepted,
    media,
    bundle: bundle.mids,
    remote,
    base,
  };
}

function offeredTransport(
  { config, agreement }: StableState,
  remote: RemoteSession,
  { speaker }: Bundle,
  warnings: SdpWarning[],
): OfferedPlan['transport'] | SdpError {
  const { strict, dtlsSetup } = config;
  const section = remote.sections[speaker]!; // it is one of them
  const read = readTransport(remote, section, strict, warnings);
  if (isSdpError(read)) return read;
  const { mid } = section;
  const before = agreement?.plan.transport;
  const iceRestart = before !== undefined && !sameIce(before.ice, read.ice);
  const incomplete = strict && before !== undefined ? checkRestart(before.ice, read.ice, mid) : undefined;
  if (incomplete !== undefined) return incomplete;
  const decision = resolveAnswererRole({
    offered: read.remoteSetup,
    preference: dtlsSetup,
    current: before?.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, read),
    iceRestart,
    strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  warnings.push(...roleWarning(decision, mid));
  return {
    ...read,
    dtlsRole: decision.role,
    localSetup: setupOf(decision.role),
    mid,
    mLineIndex: speaker,
    iceRestart,
    dtlsRestart: decision.newAssociation,
  };
}

/** Nothing of the offer is in use: the transport stays as it is, if there is one. */
function nothingInUse({ agreement }: StableState): OfferedPlan['transport'] | SdpError {
  if (agreement !== undefined) return { ...agreement.plan.transport, iceRestart: false, dtlsRestart: false };
  const message =
    'expected data channels, or audio or video over DTLS with a codec that is known: there is nothing to accept';
  return sdpError('no-application-section', message);
}

function remoteOfferOf({ sections }: AcceptedSections, { transport }: OfferedPlan): RemoteOffer {
  return { sections, ice: transport.ice, restartsIce: transport.iceRestart };
}
