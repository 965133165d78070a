/**
 * Sections of a description: its `m=` lines, in their order. A section has its index for ever (RFC 3264 §8), and a kind:
 * what this end and the peer have agreed to make of it (`sections.ts`; each kind has a file of its own).
 */
import type { MediaDescription, SdpError, SdpWarning, SessionDescription } from '../sdp/index.ts';
import { hasAttribute, isBundleOnly, isSdpError, readBundles, readMids } from '../sdp/index.ts';

/** What the `m=` line of a section says, and its `a=mid`. */
export interface SectionLine {
  readonly mid: string | undefined;
  /** `audio`, `video`, `application` or what else came: `<media>` of RFC 8866 §5.14. */
  readonly media: string;
  readonly protocol: string;
  readonly formats: readonly string[];
}

/** A section of a remote description, as it stands there. */
export interface RemoteSection {
  readonly index: number;
  readonly mid: string | undefined;
  readonly media: MediaDescription;
  /** Refused, or switched off: port 0 and not `a=bundle-only`. */
  readonly isRejected: boolean;
  /**
   * The mids of the BUNDLE group that the section is in, in order, its own among them; empty if it is in none. The sections of one
   * group have the same array.
   */
  readonly group: readonly string[];
}

/** A remote description with its sections sorted out. */
export interface RemoteSession {
  readonly session: SessionDescription;
  /** The session with those lines alone that media sections take from it where they say nothing: few, whatever came. */
  readonly inherited: SessionDescription;
  readonly sections: readonly RemoteSection[];
}

/** The sections of a description: mids, groups, which are rejected. Errors: those of `readMids` and `readBundles`. */
export function readSections(session: SessionDescription): RemoteSession | SdpError {
  const mids = readMids(session);
  if (isSdpError(mids)) return mids;
  const bundles = readBundles(session);
  if (isSdpError(bundles)) return bundles;
  const groups = new Map(bundles.flatMap((group) => group.map((mid) => [mid, group] as const)));
  const sections = session.media.map((media, index) => {
    const mid = mids[index];
    const group = (mid === undefined ? undefined : groups.get(mid)) ?? [];
    // As `isRejected` has it, without a search in the groups for each section.
    const isRejected = media.port === 0 && !(group.length > 0 && isBundleOnly(media));
    return { index, mid, media, isRejected, group };
  });
  return { session, inherited: inheritedLines(session), sections };
}

/**
 * An offer whose sections in a BUNDLE group have port 0 without `a=bundle-only`, as some stacks write `max-bundle`. A section
 * that is switched off is in no group (RFC 9143 §7.2), so it can only be meant to be used.
 */
export function promoteBundled(remote: RemoteSession, warnings: SdpWarning[]): RemoteSession {
  const sections = remote.sections.map((section) => {
    const { media, group, mid } = section;
    if (!section.isRejected || group.length === 0 || isBundleOnly(media)) return section;
    const message = 'port 0 in a BUNDLE group without "a=bundle-only" is taken for a section in use';
    warnings.push({ code: 'bundle-only-missing', message, line: media.number, mid });
    return { ...section, isRejected: false };
  });
  return { ...remote, sections };
}

/** The line of a section that is agreed to as it came. */
export function lineOf({ mid, media }: RemoteSection): SectionLine {
  return { mid, media: media.kind, protocol: media.protocol, formats: media.formats };
}

/** The line of a section of ours. */
export function mediaLine({
  media,
  protocol,
  formats,
}: SectionLine): Omit<MediaDescription, 'port' | 'lines'> {
  return { kind: media, protocol, formats, number: 0 };
}

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** More header extensions than one table can hold (RFC 8285 §4.3). */
const MAX_INHERITED_EXTENSIONS = 256;

/** Every section looks there, so that a long session level with many sections must not cost their product. */
function inheritedLines(session: SessionDescription): SessionDescription {
  const { lines } = session;
  const flags = lines.filter((line) =>
    ['extmap-allow-mixed', ...DIRECTIONS].some((name) => hasAttribute([line], name)),
  );
  const extensions = lines.filter((line) => hasAttribute([line], 'extmap'));
  // The first of each flag counts.
  return {
    ...session,
    lines: [...flags.slice(0, DIRECTIONS.length + 1), ...extensions.slice(0, MAX_INHERITED_EXTENSIONS)],
  };
}
