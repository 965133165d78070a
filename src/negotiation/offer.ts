/**
 * The offerer's side: `prepareOffer` writes an offer, `acceptAnswer` judges the answer. Neither changes a state: both
 * hand out the next one.
 */
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { DATA_CHANNEL_FORMAT, isDataChannelSection, isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import { describe } from './describe.ts';
import { carriesData } from './inactive.ts';
import type { RemoteSections } from './remote.ts';
import { checkSctpPort, readSections, readTransport, sameIce, sameIdentity, speakerFor } from './remote.ts';
import { offerSetup, resolveIceRole, resolveOffererRole } from './role.ts';
import type {
  LocalOffer,
  LocalOfferState,
  LocalTransport,
  MediaSection,
  NegotiationState,
  StableState,
  TransportPlan,
} from './state.ts';
import { settled, stable, wrongState } from './state.ts';
import { roleWarning } from './warning.ts';

export interface PreparedLocalOffer {
  readonly sdp: string;
  /** The data channel section: what to say of candidates that are trickled to the peer. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly next: LocalOfferState;
}

export interface AcceptedAnswer {
  readonly plan: TransportPlan;
  readonly next: StableState;
  readonly warnings: readonly SdpWarning[];
}

/**
 * Writes an offer: one data channel section in a BUNDLE group, after whatever sections the session has already had, those
 * without media among them.
 * Other ICE credentials than last time make it an ICE restart.
 * Throws `ERR_INVALID_STATE` unless stable, `ERR_BAD_ARGUMENT` for a `local` that cannot be written.
 */
export function prepareOffer(state: NegotiationState, local: LocalTransport): PreparedLocalOffer {
  if (state.signalingState !== 'stable') throw wrongState('an offer', 'stable', state);
  const sections = withDataChannels(state.sections);
  const setup = offerSetup(state.config.dtlsSetup);
  const { maxMessageSize, tlsId } = local;
  const bundle = sections.flatMap(({ rejected, mid }) => (rejected || mid === undefined ? [] : [mid]));
  const sdp = describe(state, { sections, bundle, setup, maxMessageSize, tlsId }, local);
  const offer: LocalOffer = { sections, ice: local.ice, setup };
  const next: LocalOfferState = {
    ...stable(state),
    signalingState: 'have-local-offer',
    nextVersion: state.nextVersion + 1,
    offer,
  };
  const mLineIndex = sections.findIndex(({ rejected }) => !rejected);
  return { sdp, mid: sections[mLineIndex]?.mid, mLineIndex, next };
}

/**
 * Judges the answer to the offer that is out. An error leaves the offer pending: another answer may come, or a rollback.
 * Throws `ERR_INVALID_STATE` if no offer is out.
 */
export function acceptAnswer(state: NegotiationState, sdp: string): AcceptedAnswer | SdpError {
  if (state.signalingState !== 'have-local-offer') throw wrongState('an answer', 'have-local-offer', state);
  const { config, offer, transport: before } = state;
  const session = parseSdp(sdp, config.limits);
  if (isSdpError(session)) return session;
  const answer = readSections(session);
  if (isSdpError(answer)) return answer;
  const index = offer.sections.findIndex(carriesData);
  const mismatch = checkAnswer(offer.sections, answer, index);
  if (mismatch !== undefined) return mismatch;
  const warnings: SdpWarning[] = [];
  const speaker = speakerFor(answer, index, (i) => offer.sections[i]?.rejected === false);
  const remote = readTransport(answer, { index, speaker }, config.strict, warnings);
  if (isSdpError(remote)) return remote;

  const mid = offer.sections[speaker]?.mid;
  const weRestarted = before !== undefined && !sameIce(before.localIce, offer.ice);
  const iceRestart = before !== undefined && !sameIce(before.plan.ice, remote.ice);
  // RFC 8839 §4.4: both ends restart, or neither.
  if (iceRestart && !weRestarted) {
    return sdpError('ice-restart-in-answer', 'an answer changes ICE credentials only where the offer did', {
      mid,
    });
  }
  if (weRestarted && !iceRestart) {
    return sdpError(
      'ice-restart-unanswered',
      'the offer restarts ICE, the answer keeps its old credentials',
      { mid },
    );
  }
  const decision = resolveOffererRole({
    offered: offer.setup,
    answered: remote.remoteSetup,
    current: before?.plan.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, remote),
    iceRestart,
    strict: config.strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  const port = checkSctpPort(before, remote, decision.newAssociation, mid);
  if (port !== undefined) return port;

  const lite = { localLite: offer.ice.lite, remoteLite: remote.ice.lite };
  const plan: TransportPlan = {
    ...remote,
    dtlsRole: decision.role,
    iceRole: before?.plan.iceRole ?? resolveIceRole({ offerer: true, ...lite }),
    localSetup: offer.setup,
    mid,
    mLineIndex: speaker,
    iceRestart,
    dtlsRestart: decision.newAssociation,
  };
  const roleChangesIgnored = state.roleChangesIgnored + (decision.warning === 'role-change-ignored' ? 1 : 0);
  // What we kept open without media the peer may have closed.
  const sections = offer.sections.map((section, i) =>
    answer.sections[i]?.rejected === true ? { ...section, rejected: true, inactive: undefined } : section,
  );
  const next = { ...settled(state, sections, offer.ice, plan), roleChangesIgnored };
  return { plan, next, warnings: [...warnings, ...roleWarning(decision, mid)] };
}

/** The sections of the session; a data channel section is appended if none is live. */
function withDataChannels(sections: readonly MediaSection[]): readonly MediaSection[] {
  if (sections.some(carriesData)) return sections;
  const used = new Set(sections.map(({ mid }) => mid));
  let number = 0;
  while (used.has(String(number))) number++;
  const section = {
    mid: String(number),
    kind: 'application',
    protocol: 'UDP/DTLS/SCTP',
    formats: [DATA_CHANNEL_FORMAT],
    rejected: false,
  };
  return [...sections, section];
}

/** RFC 3264 §6: an answer has the offer's sections, each at its place. */
function checkAnswer(
  offered: readonly MediaSection[],
  answer: RemoteSections,
  index: number,
): SdpError | undefined {
  const { session, sections } = answer;
  if (sections.length !== offered.length) {
    const counts = `expected ${offered.length} sections as in the offer, got ${sections.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  for (const [i, section] of sections.entries()) {
    const place = { line: session.media[i]?.number, mid: section.mid };
    if (section.kind !== offered[i]!.kind) {
      return sdpError('section-mismatch', `section ${i} of the offer is "${offered[i]!.kind}"`, place);
    }
    if (section.mid !== undefined && section.mid !== offered[i]!.mid) {
      return sdpError('mid-mismatch', 'the answer repeats the "a=mid" of the offer', place);
    }
  }
  const media = session.media[index]!;
  const place = { line: media.number, mid: offered[index]?.mid };
  if (sections[index]?.rejected === true) {
    return sdpError('application-rejected', 'the answer rejects the data channels', place);
  }
  if (!isDataChannelSection(media)) {
    return sdpError('section-mismatch', `expected "${DATA_CHANNEL_FORMAT}" over DTLS/SCTP`, place);
  }
  return undefined;
}
