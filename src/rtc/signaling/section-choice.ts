/** Section choices: what this end makes of one media section of an offer of the peer's, judged and copied as it is said. */
import type { MediaEncoding, MediaKind, SectionChoice } from '../../negotiation/index.ts';
import {
  checkedCodecs,
  checkedDirection,
  checkedHeaderExtensions,
  checkedRids,
  checkedStreams,
} from './media-init.ts';

/** The section that is chosen for. */
interface OfferedSection {
  readonly kind: MediaKind;
  readonly encodings: readonly MediaEncoding[];
}

/**
 * What was chosen before, and this. A direction takes a rejection back. Throws `ERR_BAD_ARGUMENT` for what is out of range.
 */
export function joinedChoice(
  before: SectionChoice,
  choice: Omit<SectionChoice, 'index'>,
  { kind, encodings }: OfferedSection,
): SectionChoice {
  const { reject, direction, codecs, headerExtensions, streams, encodings: rids } = choice;
  if (reject === true) return { ...before, reject };
  if (direction !== undefined)
    return { ...before, reject: undefined, direction: checkedDirection(direction) };
  if (codecs !== undefined) return { ...before, codecs: checkedCodecs(codecs, kind) };
  if (headerExtensions !== undefined)
    return { ...before, headerExtensions: checkedHeaderExtensions(headerExtensions) };
  if (streams !== undefined) return { ...before, streams: checkedStreams(streams) };
  const offered = encodings.map(({ rid }) => rid);
  return { ...before, encodings: checkedRids(rids ?? [], offered) };
}
