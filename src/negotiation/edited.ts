/**
 * Edited descriptions of ours: what a caller has made of an offer or an answer before it is applied (W3C webrtc-pc §4.4.1.5), judged
 * by what it says, and taken into what is agreed on. `edit/compare.ts` says what an edit is; with `strict` there is none.
 *
 *   prepareOffer ─▶ judgeEdit ─▶ the offer that is out, and what an answer is measured against
 *   answerOffer ─▶ judgeAnswerEdit ─▶ what is agreed on
 *
 * What is edited out is not forgotten: the next description says it again, as browsers do.
 */
import type { DtlsRole } from '../core/roles.ts';
import type { SdpError, SdpIceParameters } from '../sdp/index.ts';
import { isSdpError, parseSdp } from '../sdp/index.ts';
import type { PreparedRemoteOffer, WrittenAnswer } from './answer.ts';
import { fromSdpCodecs } from './codec/index.ts';
import { compareDescriptions } from './edit/compare.ts';
import type { LocalEdit, MediaEdit, SectionEdit } from './edit/edit.ts';
import { changed } from './edit/edit.ts';
import type { MediaCodec, MediaEncoding, MediaFlow, MediaHeaderExtension } from './media.ts';
import type { MediaDeclaration } from './media-description.ts';
import type { MediaSection } from './media-section.ts';
import { declared } from './media-section.ts';
import type { PreparedLocalOffer } from './offer.ts';
import { sameIce } from './remote-transport.ts';
import type { OfferSetup } from './role.ts';
import { setupOf } from './role.ts';
import type { RemoteSession } from './section.ts';
import { readSections } from './section.ts';
import type { Section, SectionPlan } from './sections.ts';
import type { NegotiationConfig, NegotiationState, SessionPlan } from './state.ts';

/**
 * Judges an offer of ours that was edited. `local-description-changed` for more than an edit, naming what; the codes of `parseSdp` and of
 * the views for what is malformed.
 * @param state that which the offer was written for
 */
export function judgeEdit(
  state: NegotiationState,
  written: PreparedLocalOffer,
  edited: string,
): PreparedLocalOffer | SdpError {
  if (edited === written.sdp) return written;
  const { offer } = written.next;
  const { agreement, config } = state;
  const edit = readEdit(config, written.sdp, edited, offeredSetups(offer.setup, agreement?.plan));
  if (isSdpError(edit)) return edit;
  const isShown = 'offer' in state && sameIce(state.offer.ice, offer.ice);
  const isInUse = agreement !== undefined && !offer.restartsIce;
  const error = checkIce(edit, isShown || isInUse, agreement?.localIce);
  if (error !== undefined) return error;
  const sections = offer.sections.map((section, index) => editedSection(section, edit.sections[index]));
  const ice = { ...offer.ice, ...edit.ice };
  const setup = edit.setup ?? offer.setup;
  return {
    ...written,
    sdp: edited,
    next: { ...written.next, offer: { ...offer, sections, ice, setup } },
  };
}

/**
 * Judges an answer of ours that was edited, as `judgeEdit` an offer.
 * @param started what a provisional answer to the same offer has come to: its transport stays
 */
export function judgeAnswerEdit(
  prepared: PreparedRemoteOffer,
  written: WrittenAnswer,
  edited: string,
  started?: SessionPlan,
): WrittenAnswer | SdpError {
  if (edited === written.sdp) return written;
  const { base, plan: offered } = prepared;
  const { next } = written;
  const { transport } = written.plan;
  const isBound = base.agreement !== undefined || started !== undefined;
  const isFree = offered.transport.remoteSetup === 'actpass' && !isBound;
  const setups: readonly OfferSetup[] = isFree ? ['active', 'passive'] : [transport.localSetup];
  const edit = readEdit(base.config, written.sdp, edited, setups);
  if (isSdpError(edit)) return edit;
  const isInUse = base.agreement !== undefined && !transport.iceRestart;
  const error = checkIce(edit, isInUse || started !== undefined, base.agreement?.localIce);
  if (error !== undefined) return error;
  const { setup = transport.localSetup } = edit;
  const dtlsRole = isFree ? roleOf(setup) : transport.dtlsRole;
  const plan: SessionPlan = {
    transport: { ...transport, localSetup: setup, dtlsRole },
    sections: written.plan.sections.map((section, index) => editedPlan(section, edit.sections[index])),
  };
  const sections = next.sections.map((section, index) => editedSection(section, edit.sections[index]));
  const agreement = next.agreement && {
    localIce: edit.ice ?? next.agreement.localIce,
    plan: { ...plan, transport: { ...plan.transport, candidates: [] } },
  };
  return { sdp: edited, plan, next: { ...next, sections, agreement } };
}

// --- the whole of it ---

function readEdit(
  { strict, limits }: NegotiationConfig,
  written: string,
  edited: string,
  setups: readonly OfferSetup[],
): LocalEdit | SdpError {
  if (strict && edited !== written) return changed('this end is strict, and the text is another');
  const now = readDescription(edited, limits);
  if (isSdpError(now)) return now;
  const before = readDescription(written, limits);
  return isSdpError(before) ? before : compareDescriptions({ written: before, edited: now }, setups);
}

function readDescription(text: string, limits: NegotiationConfig['limits']): RemoteSession | SdpError {
  const session = parseSdp(text, limits);
  return isSdpError(session) ? session : readSections(session);
}

/** Of `actpass` one role is left, that of the living association where there is one. */
function offeredSetups(written: OfferSetup, agreed: SessionPlan | undefined): readonly OfferSetup[] {
  if (written !== 'actpass') return [written];
  const roles: readonly OfferSetup[] =
    agreed === undefined ? ['active', 'passive'] : [setupOf(agreed.transport.dtlsRole)];
  return ['actpass', ...roles];
}

/**
 * Other credentials than were written, as long as nobody has been told those, nor gathers with them. A restart needs such as are new (RFC
 * 8839 §4.4).
 */
function checkIce(
  { ice }: LocalEdit,
  isFixed: boolean,
  agreed: SdpIceParameters | undefined,
): SdpError | undefined {
  if (ice === undefined) return undefined;
  if (isFixed) return changed('the ICE credentials were changed, and are in use');
  if (agreed === undefined || !sameIce(ice, agreed)) return undefined;
  return changed('the ICE credentials were changed to those of before, and the description restarts ICE');
}

function roleOf(setup: OfferSetup): DtlsRole {
  return setup === 'active' ? 'client' : 'server';
}

// --- a section ---

function editedSection(section: Section, edit: SectionEdit | undefined): Section {
  return section.kind === 'media' && edit?.kind === 'media' ? editedMedia(section, edit) : section;
}

/** What is said now; what is sent by name is what the peer has been told. */
function editedMedia(section: MediaSection, edit: MediaEdit): MediaSection {
  const { direction, simulcast, reducedSizeRtcp, mixedExtensions, streams } = edit;
  const said: MediaDeclaration = {
    direction,
    codecs: fromSdpCodecs(edit.codecs, section.media),
    headerExtensions: leftOf(section.said.headerExtensions, edit),
    simulcast,
    reducedSizeRtcp,
    mixedExtensions,
  };
  const encodings = leftEncodings(section.wish.encodings, edit, 'send');
  return declared({ ...section, wish: { ...section.wish, encodings, streams } }, said);
}

function editedPlan(plan: SectionPlan, edit: SectionEdit | undefined): SectionPlan {
  if (plan.kind !== 'media' || edit?.kind !== 'media') return plan;
  const codecs = fromSdpCodecs(edit.codecs, plan.media);
  const { direction, streams } = edit;
  const send = {
    ...editedFlow(plan.send, edit, 'send'),
    codecs: sentCodecs(plan.send.codecs, codecs),
    streams,
  };
  const receive = { ...plan.receive, ...editedFlow(plan.receive, edit, 'recv'), codecs };
  return { ...plan, direction, send, receive };
}

function editedFlow(
  { headerExtensions, encodings, reducedSizeRtcp }: MediaFlow,
  edit: MediaEdit,
  way: 'send' | 'recv',
): Pick<MediaFlow, 'headerExtensions' | 'encodings' | 'reducedSizeRtcp'> {
  return {
    headerExtensions: leftOf(headerExtensions, edit),
    encodings: leftEncodings(encodings, edit, way),
    reducedSizeRtcp: reducedSizeRtcp && edit.reducedSizeRtcp,
  };
}

/** What the peer takes, as far as this end has still said that it speaks it. */
function sentCodecs(codecs: readonly MediaCodec[], left: readonly MediaCodec[]): readonly MediaCodec[] {
  const now = new Map(left.map((codec) => [codec.payloadType, codec]));
  return codecs.flatMap((codec) => {
    const said = now.get(codec.payloadType);
    if (said === undefined) return [];
    const rtcpFeedback = codec.rtcpFeedback.filter((feedback) => said.rtcpFeedback.includes(feedback));
    const rtxPayloadType = said.rtxPayloadType === undefined ? undefined : codec.rtxPayloadType;
    return [{ ...codec, rtcpFeedback, rtxPayloadType }];
  });
}

function leftOf<E extends MediaHeaderExtension>(extensions: readonly E[], edit: MediaEdit): readonly E[] {
  const left = new Set(edit.extensions.map(({ id }) => id));
  return extensions.filter(({ id }) => left.has(id));
}

/** One encoding left is named by its rid alone. */
function leftEncodings(
  encodings: readonly MediaEncoding[],
  { simulcast: { rids, simulcast } }: MediaEdit,
  way: 'send' | 'recv',
): readonly MediaEncoding[] {
  const declaredRids = new Set(rids.filter(({ direction }) => direction === way).map(({ id }) => id));
  const named = simulcast?.[way].flatMap(([first]) => (first === undefined ? [] : [first]));
  const paused = new Map(named?.map((one) => [one.rid, one.paused]));
  return encodings.flatMap((encoding) => {
    if (!declaredRids.has(encoding.rid)) return [];
    if (named === undefined) return [encoding];
    const isPaused = paused.get(encoding.rid);
    return isPaused === undefined ? [] : [{ ...encoding, active: !isPaused }];
  });
}
