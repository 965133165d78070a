/**
 * Wishes: what the next offer is to change, as plain data, in three places in turn:
 *
 *   in a draft ──write──▶ of the offer that is out ──answered──▶ done
 *                              └── taken back, and kept (glare) ──▶ waiting for the next offer of whichever draft
 *
 * Of each media there is one change at the most: a later one is folded into the one before.
 */
import type { DataChannel } from '../../channel/index.ts';
import type { MediaChange } from '../../negotiation/index.ts';

/** What an offer is to change. */
export interface Wishes {
  /** One for each media, in the order in which they were first spoken of. */
  readonly media: readonly MediaChange[];
  /** Channels that were added for the offer: they close with it if it is taken back for good. */
  readonly channels: readonly DataChannel[];
  /** The data section is closed, with its channels. */
  readonly closesData: boolean;
}

/** How far a draft had come when an offer was written of it. */
export interface DraftMark {
  readonly changes: number;
  readonly restartsIce: boolean;
  readonly closesData: boolean;
}

/** Whoever wishes something, as signalling sees it. */
export interface Wishing {
  /** Wished and not offered yet. */
  readonly wishes: Wishes;
  readonly mark: DraftMark;
  /**
   * It is offered, as far as `mark` says. Throws before anything has changed where it cannot be any more, as `OfferDraft.offer`
   * does.
   */
  take(mark: DraftMark): void;
}

/** None. */
export const NO_WISHES: Wishes = { media: [], channels: [], closesData: false };

/** Those of `first`, and then those of `second`. Channels that are added after the data section was to be closed keep it. */
export function joinedWishes(first: Wishes, second: Wishes): Wishes {
  const channels = new Set([...first.channels, ...second.channels]);
  const closesData = second.closesData || (first.closesData && second.channels.length === 0);
  return { media: folded([...first.media, ...second.media]), channels: [...channels], closesData };
}

/** One change for each media. One that is added and stopped again has none. */
export function folded(changes: readonly MediaChange[]): readonly MediaChange[] {
  const byMedia = new Map<number, MediaChange>();
  for (const change of changes) {
    const both = joined(byMedia.get(change.id), change);
    if (both === undefined) byMedia.delete(change.id);
    else byMedia.set(change.id, both);
  }
  return [...byMedia.values()];
}

/** Both changes in one; `undefined` if nothing is left of them. */
function joined(before: MediaChange | undefined, change: MediaChange): MediaChange | undefined {
  if (before === undefined || change.type === 'add') return change;
  if (before.type === 'stop') return before;
  if (change.type === 'stop') return before.type === 'add' ? undefined : change;
  if (before.type === 'add') return { ...before, wish: { ...before.wish, ...change.wish } };
  return { ...before, wish: { ...before.wish, ...change.wish } };
}
