/**
 * The answerer's side: `receiveOffer` judges an offer and changes nothing, `answerOffer` writes the answer and cannot
 * fail because of the peer.
 *
 * The first live data channel section is kept, and the media section with the BUNDLE tag of its group, without media
 * (`inactive.ts`); every other section is rejected in its place (RFC 3264 §6). Where the tagged one has to be rejected the
 * tag moves to ours, whose own attributes then speak for the transport (RFC 9143 §7.3.1).
 */
import { badArgument } from '../core/errors.ts';
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isDataChannelSection, isSdpError, parseSdp, sdpError } from '../sdp/index.ts';
import { describe } from './describe.ts';
import { carriesData, inactiveMedia } from './inactive.ts';
import type { RemoteSections } from './remote.ts';
import {
  checkHistory,
  checkSctpPort,
  groupOf,
  readSections,
  readTransport,
  sameIce,
  sameIdentity,
  speakerFor,
} from './remote.ts';
import { resolveAnswererRole, resolveIceRole, setupOf } from './role.ts';
import type {
  LocalTransport,
  MediaSection,
  NegotiationState,
  RemoteOfferState,
  StableState,
  TransportPlan,
} from './state.ts';
import { settled, stable, wrongState } from './state.ts';
import { roleWarning } from './warning.ts';

/** An offer that can be answered. Dropping it is the way to decline it. */
export interface PreparedRemoteOffer {
  /** What it will come to; the ICE role alone waits for what this end is. */
  readonly plan: Omit<TransportPlan, 'iceRole'>;
  readonly warnings: readonly SdpWarning[];
  /** The sections of the answer: all rejected but that of the data channels, and the tagged one. */
  readonly sections: readonly MediaSection[];
  /** Of the offer's BUNDLE group that our section is in, the mids kept, in order. Empty if it is in none. */
  readonly bundle: readonly string[];
  /** The state with this offer pending. */
  readonly next: RemoteOfferState;
}

export interface WrittenAnswer {
  readonly sdp: string;
  readonly plan: TransportPlan;
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
  const { config, transport: before } = state;
  const session = parseSdp(sdp, config.limits);
  if (isSdpError(session)) return session;
  const offer = readSections(session);
  if (isSdpError(offer)) return offer;
  const history = checkHistory(state.sections, offer.sections);
  if (history !== undefined) return history;
  const index = chooseSection(state.sections, offer);
  if (isSdpError(index)) return index;
  const warnings: SdpWarning[] = [];
  const sections = keptSections(state.sections, offer, index);
  const speaker = speakerFor(offer, index, (i) => sections[i]?.rejected === false);
  const remote = readTransport(offer, { index, speaker }, config.strict, warnings);
  if (isSdpError(remote)) return remote;

  const mid = offer.sections[speaker]?.mid;
  const iceRestart = before !== undefined && !sameIce(before.plan.ice, remote.ice);
  const decision = resolveAnswererRole({
    offered: remote.remoteSetup,
    preference: config.dtlsSetup,
    current: before?.plan.dtlsRole,
    identityChanged: before !== undefined && !sameIdentity(before, remote),
    iceRestart,
    strict: config.strict,
  });
  if (isSdpError(decision)) return { ...decision, mid };
  const port = checkSctpPort(before, remote, decision.newAssociation, mid);
  if (port !== undefined) return port;

  return {
    plan: {
      ...remote,
      dtlsRole: decision.role,
      localSetup: setupOf(decision.role),
      mid,
      mLineIndex: speaker,
      iceRestart,
      dtlsRestart: decision.newAssociation,
    },
    warnings: [...warnings, ...roleWarning(decision, mid)],
    sections,
    bundle: groupOf(offer, index).filter((kept) => sections.some((one) => one.mid === kept && !one.rejected)),
    next: { ...stable(state), signalingState: 'have-remote-offer' },
  };
}

/**
 * Writes the answer to an offer that `receiveOffer` has accepted.
 *
 * `a=max-message-size` is the smaller of ours and the offer's, as Chromium answers (RFC 8841 §6 allows any size).
 * Throws `ERR_BAD_ARGUMENT` for a `local` that cannot be written, or whose ICE credentials are not new where the offer
 * restarts ICE, or new where it does not (RFC 8839 §4.4).
 */
export function answerOffer(prepared: PreparedRemoteOffer, local: LocalTransport): WrittenAnswer {
  const { plan: received, sections, bundle, next: state } = prepared;
  const before = state.transport;
  if (before !== undefined && sameIce(before.localIce, local.ice) === received.iceRestart) {
    const expected = received.iceRestart
      ? 'new ICE credentials: the offer restarts ICE'
      : 'the ICE credentials in use';
    throw badArgument('local', expected, local.ice.usernameFragment);
  }
  const { localSetup, tlsId } = received;
  const maxMessageSize = Math.min(local.maxMessageSize, received.maxMessageSize);
  const description = { sections, bundle, setup: localSetup, maxMessageSize };
  const sdp = describe(
    state,
    { ...description, tlsId: tlsId === undefined ? undefined : local.tlsId },
    local,
  );
  const lite = { localLite: local.ice.lite, remoteLite: received.ice.lite };
  const iceRole = before?.plan.iceRole ?? resolveIceRole({ offerer: false, ...lite });
  const plan: TransportPlan = { ...received, iceRole };
  const next = settled({ ...state, nextVersion: state.nextVersion + 1 }, sections, local.ice, plan);
  return { sdp, plan, next };
}

/** The sections of the answer: that of the data channels, what is kept without media, and the rest rejected. */
function keptSections(
  before: readonly MediaSection[],
  offer: RemoteSections,
  index: number,
): readonly MediaSection[] {
  const group = groupOf(offer, index);
  return offer.sections.map((section, i) => {
    if (i === index) return section;
    const isTagged = section.mid !== undefined && section.mid === group[0];
    const wasKept = before[i]?.inactive !== undefined && group.includes(section.mid ?? '');
    const media = offer.session.media[i]!;
    const inactive = !section.rejected && (isTagged || wasKept) ? inactiveMedia(media) : undefined;
    return inactive === undefined ? { ...section, rejected: true } : { ...section, inactive };
  });
}

/** The section in use, or the first one that offers data channels. */
function chooseSection(
  before: readonly MediaSection[],
  { session, sections }: RemoteSections,
): number | SdpError {
  const inUse = before.findIndex(carriesData);
  if (inUse < 0) {
    const index = session.media.findIndex(
      (media, i) => sections[i]?.rejected === false && isDataChannelSection(media),
    );
    if (index >= 0) return index;
    const message = 'expected "m=application … UDP/DTLS/SCTP webrtc-datachannel": there is nothing to accept';
    return sdpError('no-application-section', message);
  }
  const media = session.media[inUse]!;
  const place = { line: media.number, mid: sections[inUse]?.mid };
  if (sections[inUse]?.rejected !== false) {
    return sdpError(
      'application-rejected',
      'the offer switches the data channels off: close the connection',
      place,
    );
  }
  if (!isDataChannelSection(media)) {
    return sdpError('section-mismatch', 'the section of the data channels is in use', place);
  }
  return inUse;
}
