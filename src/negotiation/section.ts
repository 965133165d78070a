/**
 * Sections of a description: its `m=` lines, in their order. A section has its index for ever (RFC 3264 §8), and a kind:
 * what this end and the peer have agreed to make of it (`sections.ts`; each kind has a file of its own).
 */
import type { MediaDescription, SdpError, SessionDescription } from '../sdp/index.ts';
import { isRejected, isSdpError, readBundles, readMids } from '../sdp/index.ts';

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
  /** The mids of the BUNDLE group that the section is in, in order, its own among them; empty if it is in none. */
  readonly group: readonly string[];
}

/** A remote description with its sections sorted out. */
export interface RemoteSession {
  readonly session: SessionDescription;
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
    return { index, mid, media, isRejected: isRejected(media, bundles), group };
  });
  return { session, sections };
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
