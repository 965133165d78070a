/**
 * Accepted sections: what becomes of each section of an offer of the peer's.
 *
 *   checkHistory        sections keep their place; one in use keeps its kind and its mid (RFC 3264 §8)
 *   acceptedSections    what shares the transport, and has something in common with what this end can do, is taken; the rest is
 *                       rejected
 */
import type { SdpCodec, SdpError, SdpExtension, SdpWarning } from '../sdp/index.ts';
import { isSdpError, sdpError } from '../sdp/index.ts';
import { sectionsInReach } from './bundle.ts';
import { meaningOf, notePayloadTypes, toSdpCodecs } from './codec/index.ts';
import { chooseDataSection, dataSection, readDataPlan } from './data-section.ts';
import { noteAgreedExtensions, noteExtensions } from './extensions.ts';
import type { MediaHeaderExtension, MediaWish, OfferedMedia, SectionChoice } from './media.ts';
import type { MediaCapabilities, Numbering } from './media-section.ts';
import { isMediaSection } from './media-description.ts';
import { acceptedMedia, describeOffered } from './media-section.ts';
import { rejectedPlan, rejectedSection } from './rejected-section.ts';
import type { RemoteSection, RemoteSession } from './section.ts';
import { lineOf } from './section.ts';
import type { PlannedSections, Section, SectionPlan } from './sections.ts';

/** What becomes of the sections of an offer of the peer's. */
export interface AcceptedSections extends PlannedSections {
  readonly media: readonly OfferedMedia[];
  readonly numbering: Numbering;
  /** The first id that no media has. */
  readonly nextRemoteMediaId: number;
}

/** A later offer may add sections and reuse the places of rejected ones, nothing else. */
export function checkHistory(
  before: readonly Section[],
  offered: readonly RemoteSection[],
): SdpError | undefined {
  if (offered.length < before.length) {
    const counts = `expected at least the ${before.length} sections negotiated so far, got ${offered.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  for (const [index, old] of before.entries()) {
    const section = offered[index];
    if (section === undefined || old.kind === 'rejected') continue;
    const place = { line: section.media.number, mid: section.mid };
    if (section.media.kind !== old.media) {
      return sdpError('section-mismatch', `section ${index} was "${old.media}" and is still in use`, place);
    }
    // RFC 9429 §5.10 lets a rejected section do without.
    if (section.mid !== old.mid && !(section.isRejected && section.mid === undefined)) {
      return sdpError('mid-mismatch', `section ${index} is in use under another "a=mid"`, place);
    }
  }
  return undefined;
}

/** What is known of an offer of the peer's when its sections are judged. */
export interface OfferContext {
  readonly before: readonly Section[];
  readonly choices: readonly SectionChoice[];
  readonly capabilities: MediaCapabilities;
  /** What this end wants of media that the peer adds. */
  readonly newMedia: MediaWish;
  readonly numbering: Numbering;
  readonly nextRemoteMediaId: number;
  readonly strict: boolean;
}

/** Where the letter counts a number that means two things refuses the offer. */
const NOTHING_TAKEN: ReadonlyMap<number, string> = new Map();

/**
 * What becomes of each section of an offer. What does not share the transport of the connection is rejected.
 * @param warnings what is passed over is added here
 */
export function acceptedSections(
  remote: RemoteSession,
  context: OfferContext,
  warnings: SdpWarning[],
): AcceptedSections | SdpError {
  const { before, capabilities, newMedia, strict } = context;
  const offered = remote.sections;
  const choices = new Map(context.choices.map((choice) => [choice.index, choice]));
  const isInReach = sectionsInReach(before, offered);
  const data = chooseDataSection(
    before.findIndex(({ kind }) => kind === 'data'),
    offered,
    (section) => isInReach(section) && choices.get(section.index)?.reject !== true,
  );
  if (isSdpError(data)) return data;

  const sections: Section[] = [];
  const plans: SectionPlan[] = [];
  const media: OfferedMedia[] = [];
  const taken: (readonly SdpCodec[])[] = [];
  const meanings = new Map<number, string>();
  const unused: SdpCodec[] = [];
  const extensions: (readonly SdpExtension[])[] = [];
  const agreed: (readonly MediaHeaderExtension[])[] = [];
  let { nextRemoteMediaId } = context;
  for (const section of offered) {
    const old = before[section.index];
    const choice = choices.get(section.index);
    if (section === data) {
      const kept = dataSection(section);
      const plan = readDataPlan(kept, section, strict, warnings);
      if (isSdpError(plan)) return plan;
      sections.push(kept);
      plans.push(plan);
      continue;
    }
    const known = old?.kind === 'media' ? old : undefined;
    const id = known?.id ?? nextRemoteMediaId;
    const isPossible = isMediaSection(section) && isInReach(section);
    const accepted = isPossible
      ? acceptedMedia(
          section,
          remote,
          { id, wish: known?.wish ?? newMedia },
          choice,
          capabilities,
          strict ? NOTHING_TAKEN : meanings,
          warnings,
        )
      : undefined;
    if (isSdpError(accepted)) return accepted;
    if (isPossible) {
      const shown = describeOffered(section, remote, known?.id, accepted?.plan.direction);
      if (shown !== undefined) media.push(shown);
    }
    if (accepted === undefined || choice?.reject === true) {
      // A place that was closed keeps what is said of it: another section may take it.
      const closed = rejectedSection({ ...lineOf(section), mid: section.mid ?? known?.mid });
      sections.push(closed);
      plans.push(rejectedPlan(closed));
      continue;
    }
    if (known === undefined) nextRemoteMediaId += 2;
    sections.push(accepted.section);
    plans.push(accepted.plan);
    const numbers = new Set(toSdpCodecs(accepted.section.said.codecs).map(({ payloadType }) => payloadType));
    const own = accepted.codecs.filter(({ payloadType }) => numbers.has(payloadType));
    taken.push(own);
    for (const codec of own) meanings.set(codec.payloadType, meaningOf(codec));
    unused.push(...accepted.codecs.filter(({ payloadType }) => !numbers.has(payloadType)));
    extensions.push(accepted.extensions);
    agreed.push(accepted.section.said.headerExtensions);
  }
  const payloadTypes = notePayloadTypes(context.numbering.payloadTypes, taken, unused);
  if (isSdpError(payloadTypes)) return payloadTypes;
  const table = noteExtensions(context.numbering.extensions, extensions);
  if (isSdpError(table)) return table;
  const numbering = { payloadTypes, extensions: noteAgreedExtensions(table, agreed) };
  return { sections, plans, media, numbering, nextRemoteMediaId };
}
