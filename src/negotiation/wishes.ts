/**
 * Wishes: the sections of an offer of ours, from those of the session and what this end wants to change.
 *
 *   set     another direction, codecs, streams … for media that has a section
 *   stop    the section is closed; its place is free once the peer has agreed
 *   add     the place of a section that both ends have closed, or a new one at the end (RFC 9429 §5.2.2)
 *   data    a section for data channels, where there is none; or the one that there is is closed
 *
 * A change of media that is gone is moot, and ignored.
 */
import { isSdpError } from '../sdp/index.ts';
import type { PayloadTypes } from './codec/index.ts';
import { NO_PAYLOAD_TYPES, notePayloadTypes, toSdpCodecs } from './codec/index.ts';
import { newDataSection } from './data-section.ts';
import type { MediaChange, MediaWish } from './media.ts';
import type { MediaCapabilities, MediaSection, Numbering } from './media-section.ts';
import { newMediaSection, offeredMedia } from './media-section.ts';
import { rejectedSection } from './rejected-section.ts';
import type { Section } from './sections.ts';

/** What an offer of ours is for. */
export interface OfferWishes {
  /** In the order in which they were wished. */
  readonly media: readonly MediaChange[];
  /** A section for data channels. One that is in use stays, and an offer of nothing else has one. */
  readonly data: boolean;
  /** The section for data channels is closed, and no other one made. Default false. */
  readonly closesData?: boolean | undefined;
}

/** What an offer is for where nothing is said: data channels, and what the session has. */
export const NO_WISHES: OfferWishes = { media: [], data: true };

/** The sections of an offer of ours, and the numbers that it uses. */
export interface OfferedSections {
  readonly sections: readonly Section[];
  readonly numbering: Numbering;
}

/**
 * The sections of an offer.
 * @param nextMid mids below it have been used: none comes twice in a session
 */
export function offeredSections(
  before: readonly Section[],
  wishes: OfferWishes,
  capabilities: MediaCapabilities,
  numbering: Numbering,
  nextMid: number,
): OfferedSections {
  const mids = new FreeMids(before, nextMid);
  const places = freePlaces(before);
  const changes = sortedChanges(wishes.media);
  const { data, closesData = false } = wishes;
  const sections = before.map((section) =>
    closesData && section.kind === 'data' ? rejectedSection(section) : changedSection(section, changes),
  );
  const put = (section: Section) => {
    sections[places.shift() ?? sections.length] = section;
  };
  for (const { id, media, wish } of changes.added) put(newMediaSection(mids.next(), { id, media, wish }));
  const hasMedia = sections.some(({ kind }) => kind === 'media');
  const hasData = sections.some(({ kind }) => kind === 'data');
  // Where nothing else is in use, data channels hold the transport.
  if (!hasData && !closesData && (data || !hasMedia)) put(newDataSection(mids.next()));

  let numbered = numbering;
  const offered = [...sections];
  for (const [index, section] of sections.entries()) {
    if (section.kind !== 'media') continue;
    const isReordered = changes.reordered.has(section.id);
    let result = offeredMedia(section, capabilities, isReordered, numbered);
    if (result.section.said.codecs.length === 0) {
      // The peer has used every number: those that no section in use has may mean something else now.
      const payloadTypes = numbersInUse(offered);
      result = offeredMedia(section, capabilities, isReordered, { ...numbered, payloadTypes });
    }
    numbered = result.numbering;
    const hasCodecs = result.section.said.codecs.length > 0;
    offered[index] = hasCodecs ? result.section : rejectedSection({ ...section, formats: ['0'] });
  }
  return { sections: offered, numbering: numbered };
}

function numbersInUse(sections: readonly Section[]): PayloadTypes {
  const said = sections.flatMap((section) =>
    section.kind === 'media' ? [toSdpCodecs(section.said.codecs)] : [],
  );
  const numbers = notePayloadTypes(NO_PAYLOAD_TYPES, said);
  return isSdpError(numbers) ? NO_PAYLOAD_TYPES : numbers;
}

/** The first mid of ours that no section has had. */
export function nextMidAfter(nextMid: number, sections: readonly Section[]): number {
  // What is longer is the peer's own way of naming: ours stay short.
  const numbers = sections.map(({ mid }) => (mid !== undefined && /^\d{1,3}$/.test(mid) ? Number(mid) : -1));
  return Math.max(nextMid, ...numbers.map((number) => number + 1));
}

interface SortedChanges {
  readonly set: ReadonlyMap<number, Partial<MediaWish>>;
  readonly stopped: ReadonlySet<number>;
  readonly added: readonly Pick<MediaSection, 'id' | 'media' | 'wish'>[];
  /** The media whose codecs were wished anew. */
  readonly reordered: ReadonlySet<number>;
}

/** One after the other, so that a later one counts, also for what is added by the same offer. */
function sortedChanges(changes: readonly MediaChange[]): SortedChanges {
  const set = new Map<number, Partial<MediaWish>>();
  const stopped = new Set<number>();
  const added = new Map<number, Pick<MediaSection, 'id' | 'media' | 'wish'>>();
  const reordered = new Set<number>();
  for (const change of changes) {
    const { id } = change;
    const fresh = added.get(id);
    if (change.type === 'add') added.set(id, { id, media: change.media, wish: change.wish });
    else if (change.type === 'stop') {
      added.delete(id);
      stopped.add(id);
    } else if (fresh !== undefined) added.set(id, { ...fresh, wish: { ...fresh.wish, ...change.wish } });
    else set.set(id, { ...set.get(id), ...change.wish });
    if (change.type === 'set' && change.wish.codecs !== undefined) reordered.add(id);
  }
  return { set, stopped, added: [...added.values()], reordered };
}

function changedSection(section: Section, { set, stopped }: SortedChanges): Section {
  if (section.kind !== 'media') return section;
  if (stopped.has(section.id)) return rejectedSection(section);
  const wish = set.get(section.id);
  return wish === undefined ? section : { ...section, wish: { ...section.wish, ...wish } };
}

/** Of sections that both ends have closed, in order. */
function freePlaces(sections: readonly Section[]): number[] {
  return sections.flatMap(({ kind }, index) => (kind === 'rejected' ? [index] : []));
}

/** Mids that none of the session's sections has had. */
class FreeMids {
  readonly #used: Set<string | undefined>;
  #next: number;

  constructor(sections: readonly Section[], next: number) {
    this.#used = new Set(sections.map(({ mid }) => mid));
    this.#next = next;
  }

  next(): string {
    while (this.#used.has(String(this.#next))) this.#next++;
    return String(this.#next++);
  }
}
