/**
 * OfferDraft: an offer in the making, of which nothing has happened yet. What it wishes is a list that grows, so that what an offer
 * was written of can be told from what came later.
 */
import type { ChannelDraft, DataChannel, DataChannelOptions } from '../../channel/index.ts';
import { RtcError } from '../../core/errors.ts';
import type { CodecCapability, MediaChange, MediaKind } from '../../negotiation/index.ts';
import type { Direction } from '../../sdp/index.ts';
import type { Media, MediaTable } from './media.ts';
import type { MediaInit } from './media-init.ts';
import { checkedCodecs, checkedDirection, checkedKind, checkedMediaInit } from './media-init.ts';
import type { PendingOffer, WrittenOffer } from './pending-offer.ts';
import type { DraftMark, Wishes } from './wishes.ts';
import { folded } from './wishes.ts';

/** One wish of a draft's, added to it. */
export type DraftStep = { readonly draft: OfferDraft } & (
  | { readonly method: 'addMedia'; readonly media: Media; readonly init: MediaInit }
  | { readonly method: 'setDirection'; readonly media: Media; readonly direction: Direction }
  | { readonly method: 'setCodecs'; readonly media: Media; readonly codecs: readonly CodecCapability[] }
  | { readonly method: 'stopMedia'; readonly media: Media }
  | { readonly method: 'closeData' }
  | { readonly method: 'restartIce' }
);

/** Who makes offers of drafts. */
export interface DraftOwner {
  readonly media: MediaTable;
  /** Throws `ERR_INVALID_STATE` once the connection has ended. */
  assertOpen(): void;
  addChannel(
    draft: OfferDraft,
    drafted: ChannelDraft,
    label: string,
    options: DataChannelOptions,
  ): DataChannel;
  /** A draft wishes something more. */
  wished(step: DraftStep): void;
  offer(draft: OfferDraft): PendingOffer;
  write(draft: OfferDraft): WrittenOffer;
}

/**
 * An offer in the making. Nothing of it has happened before `offer()`: a draft that is dropped leaves nothing behind. Make one at
 * any time. While another offer is out `offer()` throws, and the event `negotiationneeded` says when that is over for a draft that
 * wishes anything. What is wished after `offer()` is for the next one. Channels added to a draft are `connecting`, its media not yet
 * among `Rtc.media`; `rollback()` of the offer ends both.
 */
// It is a `Wishing` by its internal members, which the package's declarations are without: so it must not say that it is.
export class OfferDraft {
  /** The channels added so far. */
  readonly channels: DataChannel[] = [];
  readonly #owner: DraftOwner;
  readonly #drafted: ChannelDraft;
  /** Wished and not offered yet, one after the other. */
  readonly #changes: MediaChange[] = [];
  /** Media that are added by these, by id. */
  readonly #added = new Map<number, Media>();
  #restartsIce = false;
  #closesData = false;
  /** How many of `channels` wait for no offer: they have been offered, or came to be at once. */
  #offeredChannels = 0;
  #isOffered = false;

  /** @internal */
  constructor(owner: DraftOwner, drafted: ChannelDraft) {
    this.#owner = owner;
    this.#drafted = drafted;
  }

  /**
   * Adds a channel that the offer is for: its handle; the channel comes to be with `offer()`, and after that at once. Throws as
   * `Rtc.createChannel` does. No event tells of a channel that is closed before `offer()`.
   */
  addChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    const channel = this.#owner.addChannel(this, this.#drafted, label, options);
    this.channels.push(channel);
    this.#closesData = false;
    if (this.#isOffered) this.#offeredChannels = this.channels.length;
    return channel;
  }

  /**
   * Adds audio or video that the offer is for: its handle, the same for as long as the media lives. Throws `ERR_BAD_ARGUMENT` for
   * what is out of range, `ERR_INVALID_STATE` once the connection has ended.
   */
  addMedia(kind: MediaKind, init: MediaInit = {}): Media {
    this.#owner.assertOpen();
    const table = this.#owner.media;
    const wish = checkedMediaInit(checkedKind(kind), init);
    const media = table.draft(kind, wish.direction);
    const id = table.idOf(media);
    this.#added.set(id, media);
    this.#changes.push({ type: 'add', id, media: kind, wish });
    this.#owner.wished({ method: 'addMedia', draft: this, media, init });
    return media;
  }

  /**
   * What is to flow of this media, as seen from this end. Throws `ERR_BAD_ARGUMENT` for what is no direction or no media of this
   * connection, `ERR_INVALID_STATE` for media that has ended or is of another draft.
   */
  setDirection(media: Media, direction: Direction): void {
    const id = this.#idOf(media);
    this.#changes.push({ type: 'set', id, wish: { direction: checkedDirection(direction) } });
    if (this.#added.has(id)) this.#owner.media.setDrafted(media, direction);
    this.#owner.wished({ method: 'setDirection', draft: this, media, direction });
  }

  /** Which codecs this media may have, in order of preference, one at the least. Throws as `setDirection` does. */
  setCodecs(media: Media, codecs: readonly CodecCapability[]): void {
    const id = this.#idOf(media);
    const checked = checkedCodecs(codecs, media.kind);
    this.#changes.push({ type: 'set', id, wish: { codecs: checked } });
    this.#owner.wished({ method: 'setCodecs', draft: this, media, codecs: checked });
  }

  /**
   * Ends this media: once the offer is answered; one that was added to this draft at once, and no event tells of it. Throws as
   * `setDirection` does.
   */
  stop(media: Media): void {
    const id = this.#idOf(media);
    this.#changes.push({ type: 'stop', id });
    this.#owner.wished({ method: 'stopMedia', draft: this, media });
    if (!this.#added.delete(id)) return;
    this.#owner.media.drop(media);
  }

  /**
   * The offer rejects the section for data channels: once it is answered the association ends, and every channel closes with
   * `data-closed`; the connection lives on. A channel that is added later has a section again. Throws `ERR_INVALID_STATE` once the
   * connection has ended.
   */
  closeData(): void {
    this.#owner.assertOpen();
    this.#closesData = true;
    this.#owner.wished({ method: 'closeData', draft: this });
  }

  /** The offer restarts ICE, as one after `Rtc.restartIce` does; before the first exchange there is nothing to restart. */
  restartIce(): void {
    this.#owner.assertOpen();
    this.#restartsIce = true;
    this.#owner.wished({ method: 'restartIce', draft: this });
  }

  /**
   * Makes the offer: it is out from now on. Throws, before anything has changed, `ERR_INVALID_STATE` while another one is out or an
   * offer of the peer's is applied, and as `Rtc.createChannel` does where a channel cannot be any more, because others have come in
   * between.
   */
  offer(): PendingOffer {
    return this.#owner.offer(this);
  }

  /**
   * Writes the offer and changes nothing, as often as you like; `WrittenOffer.commit()` makes it. While an offer of ours is out it
   * is written to replace that one. Throws `ERR_INVALID_STATE` while an offer of the peer's is applied, or an answer provisional.
   */
  write(): WrittenOffer {
    return this.#owner.write(this);
  }

  // --- for signalling ---

  /** @internal What is wished and not offered yet. */
  get wishes(): Wishes {
    const channels = this.channels.slice(this.#offeredChannels);
    return {
      media: folded(this.#changes),
      channels: channels.filter(({ readyState }) => readyState !== 'closed'),
      closesData: this.#closesData,
    };
  }

  /** @internal */
  get mark(): DraftMark {
    return {
      changes: this.#changes.length,
      restartsIce: this.#restartsIce,
      closesData: this.#closesData,
    };
  }

  /**
   * @internal Is offered, as far as `mark` says: the channels come to be, the media live. Throws before anything has changed, as
   * `offer` does, and `ERR_INVALID_STATE` for media that has been stopped since.
   */
  take({ changes, restartsIce, closesData }: DraftMark): void {
    const added = folded(this.#changes.slice(0, changes)).flatMap(({ type, id }) =>
      type === 'add' ? [{ id, media: this.#added.get(id) }] : [],
    );
    if (added.some(({ media }) => media === undefined))
      throw new RtcError('ERR_INVALID_STATE', 'media of this offer has been stopped since it was written');
    this.#drafted.adopt();
    this.#changes.splice(0, changes);
    this.#isOffered = true;
    this.#offeredChannels = this.channels.length;
    if (restartsIce) this.#restartsIce = false;
    if (closesData) this.#closesData = false;
    for (const { id, media } of added) {
      if (media !== undefined) this.#owner.media.admit(media);
      this.#added.delete(id);
    }
  }

  /** Throws for what this draft can wish nothing of. */
  #idOf(media: Media): number {
    this.#owner.assertOpen();
    const table = this.#owner.media;
    const id = table.idOf(media);
    if (media.stopped) throw new RtcError('ERR_INVALID_STATE', 'this media has ended');
    if (table.isDrafted(media) && !this.#added.has(id))
      throw new RtcError('ERR_INVALID_STATE', 'this media is of another draft, which has not been offered');
    return id;
  }
}
