/**
 * Rejected sections: `m=` lines of no use, of a kind that this end does not know or that one end has refused or closed. They keep
 * their place (RFC 3264 §8), and either end may put a new section into it (RFC 9429 §5.2.2).
 *
 *   offered    as rejected again, or recycled: another section, under another mid, takes the place
 *   answered   as rejected; what the peer has put into the place is judged like a section that was added
 *   planned    nothing to do
 */
import type { MediaDescription } from '../sdp/index.ts';
import { attributeLine } from '../sdp/index.ts';
import { connectionLine } from './local-transport.ts';
import type { SectionLine } from './section.ts';
import { mediaLine } from './section.ts';

/** A section that nobody uses. */
export interface RejectedSection extends SectionLine {
  readonly kind: 'rejected';
}

/** What the connection has to do for a rejected section: nothing. */
export interface RejectedPlan {
  readonly kind: 'rejected';
  readonly mid: string | undefined;
  /** It was to be for data channels. */
  readonly isForData?: true;
}

/** The section, rejected in its place: its line and its mid stay. */
export function rejectedSection({ mid, media, protocol, formats }: SectionLine): RejectedSection {
  return { kind: 'rejected', mid, media, protocol, formats };
}

/** The plan of a rejected section. */
export function rejectedPlan({ mid, media, protocol }: RejectedSection): RejectedPlan {
  const isForData = media === 'application' && protocol.endsWith('DTLS/SCTP');
  return { kind: 'rejected', mid, ...(isForData ? { isForData } : {}) };
}

/**
 * Writes a rejected section: port 0 and nothing of a transport. Its `c=` line is there because Firefox refuses a section without
 * one, `a=inactive` because the default would be sendrecv.
 */
export function writeRejectedSection(section: RejectedSection): MediaDescription {
  const lines = [connectionLine('0.0.0.0')];
  if (section.mid !== undefined) lines.push(attributeLine('mid', section.mid));
  if (section.media !== 'application') lines.push(attributeLine('inactive'));
  return { ...mediaLine(section), port: 0, lines };
}
