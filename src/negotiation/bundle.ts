/**
 * The BUNDLE group of the connection (RFC 9143): it has one transport, and the sections of one group share it. The section with
 * the tag, the first of the group that is in use, speaks for the transport of all.
 *
 *   our offer      all sections in use; the tag stays where it is as long as that section is in use
 *   their offer    the group of what is in use already, else that of the data channels, else that of the first media
 *   their answer   what it takes must be one group
 */
import type { SdpError } from '../sdp/index.ts';
import { isDataChannelSection, sdpError } from '../sdp/index.ts';
import { isMediaSection } from './media-description.ts';
import type { RemoteSection, RemoteSession } from './section.ts';
import type { Section } from './sections.ts';

/** The sections that share the transport of the connection. */
export interface Bundle {
  /** Their mids in the order of the group, the tag first; empty for a section without a group. */
  readonly mids: readonly string[];
  /** The index of the section that speaks for the transport: the one with the tag, or the only one. -1 if none is in use. */
  readonly speaker: number;
}

/** How an offer tells the transport of sections that a peer without BUNDLE would have to reach apart. W3C RTCBundlePolicy. */
export type BundlePolicy = 'balanced' | 'max-compat' | 'must-bundle';

/**
 * The group of an offer of ours. Where nobody has had the tag the first section has it, whatever it is: Chromium never connects where it is
 * another, and Firefox moves the tag to the first with its next offer, and its transport with it.
 * @param tag the mid that has had it
 */
export function offeredBundle(sections: readonly Section[], tag: string | undefined): Bundle {
  const live = sections.filter(({ kind, mid }) => kind !== 'rejected' && mid !== undefined);
  const tagged = live.find(({ mid }) => mid === tag) ?? live[0];
  const inOrder = tagged === undefined ? [] : [tagged, ...live.filter((section) => section !== tagged)];
  // A session whose sections have no mids has one in use.
  const speaker = sections.findIndex((section) =>
    tagged === undefined ? section.kind !== 'rejected' : section === tagged,
  );
  return { mids: inOrder.flatMap(({ mid }) => mid ?? []), speaker };
}

/**
 * The sections of a first offer that have no transport of their own and want none (RFC 9143 §6): by `balanced` all but the first of
 * each kind, by `must-bundle` all but the one with the tag. What has been agreed on before has its transport.
 */
export function bundleOnlySections(
  policy: BundlePolicy,
  sections: readonly Section[],
  before: readonly Section[],
  { mids: [tag] }: Bundle,
): ReadonlySet<number> {
  const seen = new Set<string>();
  const bundleOnly = new Set<number>();
  for (const [index, { kind, media, mid }] of sections.entries()) {
    if (kind === 'rejected' || mid === undefined) continue;
    const isFirst = !seen.has(media);
    seen.add(media);
    const isAgreed = (before[index]?.kind ?? 'rejected') !== 'rejected';
    if (policy === 'max-compat' || isAgreed || mid === tag) continue;
    if (policy === 'must-bundle' || !isFirst) bundleOnly.add(index);
  }
  return bundleOnly;
}

/** The sections of an offer that can share the transport of the connection: those of one group, or one that is in none. */
export function sectionsInReach(
  before: readonly Section[],
  offered: readonly RemoteSection[],
): (section: RemoteSection) => boolean {
  const anchor =
    offered.find(({ index, isRejected }) => !isRejected && isInUse(before[index])) ??
    offered.find(({ isRejected, media }) => !isRejected && isDataChannelSection(media)) ??
    offered.find(isMediaSection);
  if (anchor === undefined) return () => false;
  // The sections of a group have the same array.
  return (section) => section === anchor || (anchor.group.length > 0 && section.group === anchor.group);
}

function isInUse(section: Section | undefined): boolean {
  return section !== undefined && section.kind !== 'rejected';
}

/**
 * The sections in use that share the transport of the connection. The tag is on the first of the group that is in use: where
 * one that has it is rejected it moves to the next (RFC 9143 §7.3.1).
 */
export function bundleOf({ sections: remote }: RemoteSession, sections: readonly Section[]): Bundle {
  const indices = new Map(remote.map(({ mid, index }) => [mid, index]));
  const anchor = sections.findIndex(isInUse);
  const group = remote[anchor]?.group ?? [];
  const mids = group.filter((mid) => isInUse(sections[indices.get(mid) ?? -1]));
  const [tag] = mids;
  return { mids, speaker: (tag === undefined ? undefined : indices.get(tag)) ?? anchor };
}

/** RFC 9143 §7.3.3: what an answer takes out of the group would need a transport of its own, and there is one. */
export function checkOneTransport(
  remote: readonly RemoteSection[],
  sections: readonly Section[],
  { speaker }: Bundle,
): SdpError | undefined {
  const tagged = remote[speaker];
  if (tagged === undefined) return undefined;
  const { group } = tagged;
  const other = remote.find(
    (section) =>
      section.index !== speaker &&
      isInUse(sections[section.index]) &&
      (section.group !== group || group.length === 0),
  );
  if (other === undefined) return undefined;
  const message = 'the answer takes a section without BUNDLE: all share one transport, or are rejected';
  return sdpError('bundle-required', message, { line: other.media.number, mid: other.mid });
}
