/** Offers of ours: one that is written, and one that is out. */
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, flag } from '../../core/options.ts';
import type { NegotiationState, PreparedLocalOffer } from '../../negotiation/index.ts';
import type { RemoteDescription } from '../parameters.ts';
import type { DraftMark, Wishes, Wishing } from './wishes.ts';

/** What an offer was written of. */
export interface WrittenState {
  readonly draft: Wishing;
  /** As far as the draft had come. */
  readonly mark: DraftMark;
  /** The negotiation that it was written for. */
  readonly before: NegotiationState;
  readonly prepared: PreparedLocalOffer;
  readonly wishes: Wishes;
  /** ICE restarts: with new credentials, or again with those of the offer that it replaces. */
  readonly restart: 'new' | 'again' | undefined;
  /** A restart was wanted when it was written, and stays so until an exchange has one. */
  readonly wantsRestart: boolean;
}

/** How an offer of ours is taken back. */
export interface RollbackOptions {
  /** Its channels and media stay, and go with the next offer. Default false. */
  readonly keepWishes?: boolean | undefined;
}

/** An offer of ours that is out: what it wishes, until it is answered. */
export interface OutOffer {
  readonly draft: Wishing;
  wishes: Wishes;
}

/** Who carries out what these handles ask for. */
export interface PendingOwner {
  commit(written: WrittenOffer, offer: WrittenState, edited: string | undefined): PendingOffer;
  accept(out: OutOffer, answer: RemoteDescription, type: 'answer' | 'pranswer'): void;
  rollback(out: OutOffer, keepWishes: boolean): void;
}

/** An offer that is written and not made. Dropping it leaves nothing behind. */
export class WrittenOffer {
  readonly sdp: string;
  /** As in `PendingOffer`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly #owner: PendingOwner;
  readonly #state: WrittenState;

  /** @internal */
  constructor(owner: PendingOwner, state: WrittenState) {
    const { sdp, mid, mLineIndex } = state.prepared;
    this.sdp = sdp;
    this.mid = mid;
    this.mLineIndex = mLineIndex;
    this.#owner = owner;
    this.#state = state;
  }

  /**
   * Makes the offer as it was written, or as `edited`, your version of `sdp`, which says the same or less in any words
   * (docs/negotiation.md). It replaces one that is out. Throws, before anything has changed, `SdpRefusal` for more than an edit
   * (`local-description-changed`), `ERR_INVALID_STATE` if the negotiation has moved on since or media in it has been stopped, and as
   * `OfferDraft.offer` does.
   */
  commit(edited?: string): PendingOffer {
    return this.#owner.commit(this, this.#state, edited);
  }
}

/** Our offer, on its way. */
export class PendingOffer {
  /** The description to send to the peer. */
  readonly sdp: string;
  /** What to say of candidates that are trickled after it: `sdpMid` and `sdpMLineIndex` of `RTCIceCandidateInit`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly #owner: PendingOwner;
  readonly #out: OutOffer;

  /** @internal */
  constructor(owner: PendingOwner, { sdp, mid, mLineIndex }: PreparedLocalOffer, out: OutOffer) {
    this.sdp = sdp;
    this.mid = mid;
    this.mLineIndex = mLineIndex;
    this.#owner = owner;
    this.#out = out;
  }

  /**
   * Takes the peer's answer, its text or W3C's `{ type: 'answer', sdp }`; it never waits. Throws `SdpRefusal` for an answer
   * that cannot be accepted (the offer stays out), `ERR_BAD_ARGUMENT` for something that is none, `ERR_INVALID_STATE` once
   * answered, rolled back or replaced.
   */
  accept(answer: RemoteDescription): void {
    this.#owner.accept(this.#out, answer, 'answer');
  }

  /**
   * Takes a provisional answer, its text or W3C's `{ type: 'pranswer', sdp }`: the connection starts by it, and the offer stays
   * out for a further one, which may not contradict it as to the transport (`pranswer-transport-changed`). There is no rollback
   * any more. Throws as `accept` does.
   */
  acceptProvisional(answer: RemoteDescription): void {
    this.#owner.accept(this.#out, answer, 'pranswer');
  }

  /**
   * Takes the offer back and ends the channels and media that were added for it; a restart of ICE stays wanted. With
   * `keepWishes` they stay, and go with the next offer. Throws `ERR_INVALID_STATE` once answered, provisionally too, rolled back
   * or replaced.
   */
  rollback(options: RollbackOptions = {}): void {
    this.#owner.rollback(this.#out, keepsWishes(options));
  }
}

const RULES: OptionRules<RollbackOptions> = { keepWishes: flag };

function keepsWishes(options: RollbackOptions): boolean {
  checkOptions('rollback', options, RULES);
  return options.keepWishes ?? false;
}
