/** Offers of the peer's: one that was found good, and what this end makes of each of its media sections. */
import type {
  CodecCapability,
  LocalEnd,
  MediaCodec,
  MediaEncoding,
  MediaHeaderExtension,
  MediaKind,
  NegotiationState,
  OfferedMedia,
  PreparedRemoteOffer,
  SectionChoice,
} from '../../negotiation/index.ts';
import type { Direction, SdpWarning } from '../../sdp/index.ts';
import type { Media } from './media.ts';

/** An offer of the peer's, as plain data; signalling changes it. */
export interface ReceivedState {
  readonly sdp: string;
  /** The negotiation that it was judged for. */
  readonly before: NegotiationState;
  /** An offer of ours that was out then is taken back first: this end is the polite one. */
  readonly rollsBack: boolean;
  /** As it is answered if nothing is chosen. */
  prepared: PreparedRemoteOffer;
  /** What a provisional answer has said of this end's ICE. */
  answered: LocalEnd['ice'] | undefined;
  /** By the index of the section. */
  readonly choices: Map<number, SectionChoice>;
  /** Neither dismissed nor answered. */
  isOpen: boolean;
}

/** Who carries out what these handles ask for. */
export interface ReceivedOwner {
  choose(received: ReceivedState, section: OfferedMediaHandle, choice: Omit<SectionChoice, 'index'>): void;
  rejectData(received: ReceivedState): void;
  apply(received: ReceivedState): void;
  writeAnswer(received: ReceivedState): string;
  answer(received: ReceivedState, edited: string | undefined): string;
  provisionalAnswer(received: ReceivedState): string;
  rollbackReceived(received: ReceivedState): void;
  dismiss(received: ReceivedState): void;
}

/** A media section of an offer of the peer's, and what the answer is to say of it. What is not chosen here is as before, or `inactive`. */
export class OfferedMediaHandle {
  /** The index of its `m=` line. */
  readonly index: number;
  readonly mid: string | undefined;
  readonly kind: MediaKind;
  /** The media that it goes on with; `undefined` for new ones. */
  readonly media: Media | undefined;
  /** As the peer says it, of itself. */
  readonly remoteDirection: Direction;
  /** Every codec that is offered, under the offer's numbers. */
  readonly codecs: readonly MediaCodec[];
  readonly headerExtensions: readonly MediaHeaderExtension[];
  /** What the peer would send as simulcast. */
  readonly encodings: readonly MediaEncoding[];
  /** The identifiers of the peer's MediaStreams. */
  readonly streams: readonly string[];
  readonly #byDefault: Direction | undefined;
  readonly #owner: ReceivedOwner;
  readonly #offer: ReceivedState;

  /** @internal */
  constructor(owner: ReceivedOwner, offer: ReceivedState, offered: OfferedMedia, media: Media | undefined) {
    this.index = offered.index;
    this.mid = offered.mid;
    this.kind = offered.media;
    this.media = media;
    this.remoteDirection = offered.direction;
    this.codecs = offered.codecs;
    this.headerExtensions = offered.headerExtensions;
    this.encodings = offered.encodings;
    this.streams = offered.streams;
    this.#byDefault = offered.answer;
    this.#owner = owner;
    this.#offer = offer;
  }

  /**
   * What this end wants; the answer says what the offer leaves of it. `undefined`: the section is rejected, as by `reject()`; a
   * direction takes that back. Throws `ERR_BAD_ARGUMENT` for what is none, `ERR_INVALID_STATE` once the offer is answered or over.
   */
  get direction(): Direction | undefined {
    const { reject, direction } = this.#offer.choices.get(this.index) ?? {};
    return reject === true ? undefined : (direction ?? this.#byDefault);
  }

  set direction(direction: Direction | undefined) {
    this.#owner.choose(this.#offer, this, direction === undefined ? { reject: true } : { direction });
  }

  /** The section is rejected: it carries nothing, and its media ends. Throws as `direction` does. */
  reject(): void {
    this.#owner.choose(this.#offer, this, { reject: true });
  }

  /** Which codecs this end can do, in order of preference, one at the least. Throws as `direction` does. */
  setCodecs(codecs: readonly CodecCapability[]): void {
    this.#owner.choose(this.#offer, this, { codecs });
  }

  /** Which header extensions this end can do: URIs. Throws as `direction` does. */
  setHeaderExtensions(headerExtensions: readonly string[]): void {
    this.#owner.choose(this.#offer, this, { headerExtensions });
  }

  /** The identifiers of the MediaStreams that what this end sends belongs to. Throws as `direction` does. */
  setStreams(streams: readonly string[]): void {
    this.#owner.choose(this.#offer, this, { streams });
  }

  /** Which of `encodings` this end receives, by rid, in order. Throws as `direction` does. */
  setEncodings(rids: readonly string[]): void {
    this.#owner.choose(this.#offer, this, { encodings: rids });
  }
}

/** A valid offer of the peer's. Nothing has changed yet: dropping this declines it. */
export class ReceivedOffer {
  /** What to say of candidates that are trickled to the peer, as in `PendingOffer`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  /** Its sections for audio and video, in their order. */
  readonly media: readonly OfferedMediaHandle[];
  readonly warnings: readonly SdpWarning[];
  readonly #owner: ReceivedOwner;
  readonly #state: ReceivedState;

  /** @internal */
  constructor(owner: ReceivedOwner, state: ReceivedState, mediaOf: (id: number) => Media | undefined) {
    const { plan, warnings, media } = state.prepared;
    this.mid = plan.transport.mid;
    this.mLineIndex = plan.transport.mLineIndex;
    this.warnings = warnings;
    this.media = media.map((offered) => {
      const known = offered.id === undefined ? undefined : mediaOf(offered.id);
      return new OfferedMediaHandle(owner, state, offered, known);
    });
    this.#owner = owner;
    this.#state = state;
  }

  /**
   * The section for data channels is rejected: with the answer every channel closes, `data-closed`, and the connection lives on. Throws
   * `ERR_INVALID_STATE` where the offer has none, and once it is answered or over.
   */
  rejectData(): void {
    this.#owner.rejectData(this.#state);
  }

  /**
   * Applies the offer without answering it yet: `have-remote-offer`. Nothing is sent, nothing starts; another one that is applied
   * replaces it. A polite end takes its own offer back first, and keeps what it wished. Throws `ERR_INVALID_STATE` if the
   * negotiation has moved on since.
   */
  apply(): void {
    this.#owner.apply(this.#state);
  }

  /** Writes the answer's SDP and changes nothing, as often as you like. Throws as `answer` does. */
  writeAnswer(): string {
    return this.#owner.writeAnswer(this.#state);
  }

  /**
   * Commits, and writes the answer's SDP; or as `edited`, your version of what `writeAnswer()` gave, which says the same or less in any
   * words (docs/negotiation.md). A polite end takes its own offer back first, and keeps what it wished. Throws
   * `ERR_INVALID_STATE` if the negotiation has moved on since, `SdpRefusal` where what was chosen leaves nothing to connect for, and for
   * more than an edit (`local-description-changed`).
   */
  answer(edited?: string): string {
    return this.#owner.answer(this.#state, edited);
  }

  /**
   * As `answer`, provisionally (W3C `pranswer`): the connection starts by it, the offer waits for a further answer. There is no
   * rollback any more.
   */
  provisionalAnswer(): string {
    return this.#owner.provisionalAnswer(this.#state);
  }

  /** Takes it back after `apply()`. Throws `ERR_INVALID_STATE` unless it is applied, and not answered provisionally. */
  rollback(): void {
    this.#owner.rollbackReceived(this.#state);
  }

  /** Declines it: every call after it throws `ERR_INVALID_STATE`. Takes it back where it is applied, and throws as `rollback` does. */
  dismiss(): void {
    this.#owner.dismiss(this.#state);
  }
}
