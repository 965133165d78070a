/**
 * The comparison of an edited description with the one that was written: by what they say, not by how they say it. An edit may
 * say less and never more, for this end has to keep what it says.
 *
 *   free       line ends, white space, the order of attributes and the level at which they stand; candidates and default
 *              addresses, `b=`, `ptime` and others that bind nobody (`lines.ts`)
 *   taken      other ICE credentials, one role of `actpass`, a smaller `max-message-size`; of media a narrower direction, codecs
 *              left out or in another order, other `fmtp` of the same format, feedback, header extensions and encodings left
 *              out, other streams (`media.ts`)
 *   refused    all else: the identity of the session, certificates, SCTP's port, sections and their groups, codecs and header
 *              extensions that were not written, attributes that nobody here knows
 *
 * Each line is looked at a fixed number of times.
 */
import type { SdpError, SdpIceParameters, SessionDescription, Setup } from '../../sdp/index.ts';
import {
  attributes,
  isDataChannelSection,
  isIceLite,
  isSdpError,
  mediaFingerprints,
  mediaIce,
  mediaIceOptions,
  mediaMaxMessageSize,
  mediaSctpPort,
  mediaSetup,
  mediaTlsId,
} from '../../sdp/index.ts';
import { DEFAULT_MAX_MESSAGE_SIZE } from '../data-section.ts';
import { sameIce } from '../remote-transport.ts';
import type { OfferSetup } from '../role.ts';
import type { RemoteSection } from '../section.ts';
import type { DataEdit, EditedPair, EditedSection, LocalEdit, SectionEdit } from './edit.ts';
import { changed, placeOf, words } from './edit.ts';
import { compareLines } from './lines.ts';
import { compareMedia } from './media.ts';

/** What sections say of the transport that they share. */
type TransportEdit = Pick<LocalEdit, 'ice' | 'setup'>;

/** What one section says of it, if anything. */
interface SaidTransport {
  readonly ice: SdpIceParameters | undefined;
  readonly setup: Setup | undefined;
}

/**
 * What an edited description says; `local-description-changed` if that is more than an edit, and the codes of the views for what
 * is malformed.
 * @param setups what it may say of its role in DTLS
 */
export function compareDescriptions(pair: EditedPair, setups: readonly OfferSetup[]): LocalEdit | SdpError {
  const error = compareOrigin(pair) ?? compareStructure(pair) ?? compareGroups(pair);
  if (error !== undefined) return error;
  const sections = pair.written.sections.map((written, index): EditedSection => {
    return { written, edited: pair.edited.sections[index]! }; // as many as there were
  });
  const transport = compareTransport(pair, sections, setups);
  if (isSdpError(transport)) return transport;
  const edits: SectionEdit[] = [];
  for (const section of sections) {
    const edit = compareSection(pair, section);
    if (isSdpError(edit)) return edit;
    edits.push(edit);
  }
  return compareLines(pair, sections) ?? { ...transport, sections: edits };
}

// --- the session ---

/** RFC 8866 §5.2: the `o=` line names the session, and its version names one text. */
function compareOrigin({ written, edited }: EditedPair): SdpError | undefined {
  const [before, now] = [written.session.origin, edited.session.origin];
  const names = Object.keys(before) as (keyof typeof before)[];
  return names.every((name) => before[name] === now[name])
    ? undefined
    : changed('"o=" was changed', { line: 2 });
}

/** Every section keeps its place, what it is for, and whether it is in use. */
function compareStructure({ written, edited }: EditedPair): SdpError | undefined {
  const [count, now] = [written.sections.length, edited.sections.length];
  if (now !== count) {
    const line = edited.sections[count]?.media.number;
    return changed(`there were ${count} sections and are ${now}`, { line });
  }
  for (const { index, mid, media, isRejected } of written.sections) {
    const other = edited.sections[index]!; // as many as there were
    const place = { line: other.media.number, mid };
    if (other.media.kind !== media.kind || other.media.protocol !== media.protocol) {
      return changed('what a section is for was changed in "m="', place);
    }
    if (other.mid !== mid) return changed('"a=mid" was changed', place);
    if (other.isRejected !== isRejected || (other.media.port === 0) !== (media.port === 0)) {
      return changed('a section was switched on or off by the port in "m="', place);
    }
  }
  return undefined;
}

/** RFC 9143 §7.2: the groups, and in each the order of the mids, of which the first is the tag. */
function compareGroups({ written, edited }: EditedPair): SdpError | undefined {
  if (groupsOf(written.session) === groupsOf(edited.session)) return undefined;
  return changed('"a=group" was changed', { line: attributes(edited.session.lines, 'group')[0]?.line });
}

function groupsOf({ lines }: SessionDescription): string {
  return JSON.stringify(attributes(lines, 'group').map(({ value }) => words(value)));
}

// --- the transport ---

/**
 * RFC 9143 §7.1.3: the section that speaks for the transport says all of it, and what is bundled with it is not read for that. So
 * the others say the same, or nothing.
 */
function compareTransport(
  pair: EditedPair,
  sections: readonly EditedSection[],
  setups: readonly OfferSetup[],
): TransportEdit | SdpError {
  if (isIceLite(pair.written.session) !== isIceLite(pair.edited.session)) {
    return changed('"a=ice-lite" was changed');
  }
  const inUse = sections.filter(({ written }) => !written.isRejected);
  const speaker = inUse.find(({ written }) => isTagged(written)) ?? inUse[0];
  if (speaker === undefined) return { ice: undefined, setup: undefined };
  const said = readTransport(pair, speaker);
  if (isSdpError(said)) return said;
  const { ice } = said;
  const setup = setups.find((allowed) => allowed === said.setup);
  if (ice === undefined) return changed('the ICE credentials were left out', placeOf(speaker));
  if (setup === undefined) {
    return changed('"a=setup" was changed', placeOf(speaker));
  }
  for (const section of inUse) {
    const error =
      compareIdentity(pair, section, section === speaker) ??
      compareWith({ ice, setup }, readTransport(pair, section), section);
    if (error !== undefined) return error;
  }
  const written = mediaIce(pair.written.session, speaker.written.media);
  const isSame = written !== undefined && !isSdpError(written) && sameIce(written, ice);
  return { ice: isSame ? undefined : ice, setup };
}

function isTagged({ mid, group }: RemoteSection): boolean {
  return mid !== undefined && group[0] === mid;
}

function readTransport(
  { edited: { session } }: EditedPair,
  { edited: { media } }: EditedSection,
): SaidTransport | SdpError {
  // What we write is to the letter, whatever is read.
  const ice = mediaIce(session, media, true);
  if (isSdpError(ice)) return ice;
  const setup = mediaSetup(session, media);
  return isSdpError(setup) ? setup : { ice, setup };
}

function compareWith(
  { ice, setup }: { readonly ice: SdpIceParameters; readonly setup: Setup },
  other: SaidTransport | SdpError,
  section: EditedSection,
): SdpError | undefined {
  if (isSdpError(other)) return other;
  if (other.ice !== undefined && !sameIce(other.ice, ice)) {
    return changed('the ICE credentials were changed in one section alone', placeOf(section));
  }
  if (other.setup !== undefined && other.setup !== setup) {
    return changed('"a=setup" was changed in one section alone', placeOf(section));
  }
  return undefined;
}

/** Who this end is, and the ICE options that it knows. */
function compareIdentity(
  { written: { session: ours }, edited: { session: theirs } }: EditedPair,
  section: EditedSection,
  isSpeaker: boolean,
): SdpError | undefined {
  const [before, now] = [section.written.media, section.edited.media];
  const fingerprints = mediaFingerprints(theirs, now);
  if (isSdpError(fingerprints)) return fingerprints;
  const isSame = textOf(fingerprints) === textOf(mediaFingerprints(ours, before));
  if (!isSame && (isSpeaker || fingerprints.length > 0)) {
    return changed('"a=fingerprint" was changed', placeOf(section));
  }
  const tlsId = mediaTlsId(theirs, now);
  if (isSdpError(tlsId)) return tlsId;
  if (tlsId !== mediaTlsId(ours, before) && (isSpeaker || tlsId !== undefined)) {
    return changed('"a=tls-id" was changed', placeOf(section));
  }
  const known = mediaIceOptions(ours, before);
  const isKnown = mediaIceOptions(theirs, now).every((option) => known.includes(option));
  return isKnown ? undefined : changed('"a=ice-options" was added to', placeOf(section));
}

/** The order of fingerprints means nothing. */
function textOf(fingerprints: ReturnType<typeof mediaFingerprints>): string | undefined {
  if (isSdpError(fingerprints)) return undefined;
  return fingerprints
    .map(({ algorithm, value }) => `${algorithm} ${value}`)
    .sort()
    .join();
}

// --- the sections ---

function compareSection(pair: EditedPair, section: EditedSection): SectionEdit | SdpError {
  if (section.written.isRejected) return { kind: 'rejected' };
  return isDataChannelSection(section.written.media) ? compareData(section) : compareMedia(pair, section);
}

/** RFC 8841: the port of an association stays; the largest message that this end takes may become smaller. */
function compareData(section: EditedSection): DataEdit | SdpError {
  const [before, now] = [section.written.media, section.edited.media];
  if (now.formats.join(' ') !== before.formats.join(' ')) {
    return changed('the format in "m=" was changed', placeOf(section));
  }
  const port = mediaSctpPort(now);
  if (isSdpError(port)) return port;
  if (port !== mediaSctpPort(before)) return changed('the port of SCTP was changed', placeOf(section));
  const maxMessageSize = mediaMaxMessageSize(now) ?? DEFAULT_MAX_MESSAGE_SIZE;
  if (isSdpError(maxMessageSize)) return maxMessageSize;
  const written = mediaMaxMessageSize(before) ?? DEFAULT_MAX_MESSAGE_SIZE;
  if (isSdpError(written) || maxMessageSize > written) {
    return changed('"a=max-message-size" was raised', placeOf(section));
  }
  return { kind: 'data', maxMessageSize };
}
