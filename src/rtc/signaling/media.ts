/**
 * Media: audio or video of a connection, from the draft or the offer that it came with to its end, whatever `m=` line it has
 * meanwhile; and the table of them.
 *
 *   drafted ──its offer goes out──▶ live ──stopped, rejected, or its offer taken back──▶ stopped
 *                 the peer's offer is answered ──▶ live
 *
 * Where a media stands follows from the negotiation alone: after each step `MediaTable.follow` reads it there.
 */
import { badArgument } from '../../core/errors.ts';
import type { RtpSender } from '../../media/index.ts';
import type { MediaKind, MediaPlan, Section, SectionPlan } from '../../negotiation/index.ts';
import type { Direction } from '../../sdp/index.ts';

/** One media, as plain data; its table changes it. */
interface MediaState {
  readonly id: number;
  readonly kind: MediaKind;
  phase: 'drafted' | 'live' | 'stopped';
  /** What this end wants. */
  direction: Direction;
  mid: string | undefined;
  plan: MediaPlan | undefined;
}

/** Audio or video, one way or both: what W3C calls a transceiver. The same object for as long as the media lives. */
export class Media {
  readonly #state: Readonly<MediaState>;
  readonly #owner: MediaOwner;

  /** @internal */
  constructor(state: Readonly<MediaState>, owner: MediaOwner) {
    this.#state = state;
    this.#owner = owner;
  }

  /** Names it in events and stats; the connection's own. */
  get id(): number {
    return this.#state.id;
  }

  get kind(): MediaKind {
    return this.#state.kind;
  }

  /** Of its section; `undefined` before it has one, and once it has none any more. */
  get mid(): string | undefined {
    return this.#state.mid;
  }

  /** What this end wants, as its latest offer or answer says; before the first, as its draft says. */
  get direction(): Direction {
    return this.#state.direction;
  }

  /** What is agreed on; `null` before that, and after the end. */
  get currentDirection(): Direction | null {
    return this.parameters?.direction ?? null;
  }

  /** It has ended: by either end, or with the connection. It never comes back. */
  get stopped(): boolean {
    return this.#state.phase === 'stopped' || this.#owner.isOver();
  }

  /** What is agreed on, as the connection carries it out: payload types, extensions and encodings of each way. */
  get parameters(): MediaPlan | undefined {
    return this.stopped ? undefined : this.#state.plan;
  }

  /**
   * What sends, of the encoding `rid` where several are sent: the same object for as long as the media lives. `undefined` where nothing
   * has been agreed on yet, for an encoding that is not, after the end, and where the connection was given no media.
   */
  sender(rid?: string): RtpSender | undefined {
    return this.stopped ? undefined : this.#owner.sender(this.#state.id, rid);
  }

  /**
   * Asks the peer for a keyframe of what it sends, of the encoding `rid` where several come. Requests are repeated until one has come, or
   * `keyframeTimeout` is over. @returns false: nothing of the kind is agreed on
   */
  requestKeyframe(rid?: string): boolean {
    return !this.stopped && this.#owner.requestKeyframe(this.#state.id, rid);
  }
}

/** The connection, as far as its media ask. */
export interface MediaOwner {
  /** True once it has ended. */
  isOver(): boolean;
  sender(id: number, rid: string | undefined): RtpSender | undefined;
  requestKeyframe(id: number, rid: string | undefined): boolean;
}

/** A media has come, or is another than before. */
export interface MediaEvent {
  readonly type: 'mediaadded' | 'mediachanged';
  readonly media: Media;
}

/** Where the negotiation stands, as far as media go. */
export interface MediaView {
  /** Those of the latest description. */
  readonly sections: readonly Section[];
  /** What is agreed on, provisionally at the least. */
  readonly plans: readonly SectionPlan[];
  /** The ids of media that are in no description and not over: their offer was taken back, and comes again. */
  readonly waiting: ReadonlySet<number>;
}

/** Every media of a connection. */
export class MediaTable {
  /** Weak: a draft that is dropped leaves nothing behind. */
  readonly #states = new WeakMap<Media, MediaState>();
  /** By id, in the order in which they came to live. */
  readonly #live = new Map<number, Media>();
  readonly #owner: MediaOwner;
  /** Even, as those of the peer's media are odd: the two never meet. */
  #nextId = 0;

  constructor(owner: MediaOwner) {
    this.#owner = owner;
  }

  /** Those that live, in the order in which they came to be. */
  get live(): readonly Media[] {
    return this.#owner.isOver() ? [] : [...this.#live.values()];
  }

  /** The live media of this id. */
  get(id: number): Media | undefined {
    return this.#live.get(id);
  }

  /** Media of a draft: nobody knows of it but its handle. */
  draft(kind: MediaKind, direction: Direction): Media {
    const id = this.#nextId;
    this.#nextId += 2;
    return this.#make({ id, kind, phase: 'drafted', direction, mid: undefined, plan: undefined });
  }

  /** Throws `ERR_BAD_ARGUMENT` for what is no media of this connection. */
  idOf(media: Media): number {
    return this.#stateOf(media).id;
  }

  /** Its draft has not been offered. Throws as `idOf` does. */
  isDrafted(media: Media): boolean {
    return this.#stateOf(media).phase === 'drafted';
  }

  /** What its draft wants of drafted media. */
  setDrafted(media: Media, direction: Direction): void {
    this.#stateOf(media).direction = direction;
  }

  /** The draft of this media is offered. */
  admit(media: Media): void {
    const state = this.#stateOf(media);
    state.phase = 'live';
    this.#live.set(state.id, media);
  }

  /** It ends before it has lived: no event tells of it. */
  drop(media: Media): void {
    end(this.#stateOf(media));
  }

  /**
   * Reads where each media stands: agreed on, or in a description, or `waiting`; what is none of these has ended.
   * @returns what the host is to be told
   */
  follow({ sections, plans, waiting }: MediaView): readonly MediaEvent[] {
    const described = new Map(
      sections.flatMap((one) => (one.kind === 'media' ? [[one.id, one] as const] : [])),
    );
    const planned = new Map(plans.flatMap((one) => (one.kind === 'media' ? [[one.id, one] as const] : [])));
    const events: MediaEvent[] = [];
    for (const [id, media] of this.#live) {
      const state = this.#stateOf(media);
      const section = described.get(id);
      const before = state.plan;
      const plan = planned.get(id);
      if (section === undefined && plan === undefined && !waiting.has(id)) {
        this.#live.delete(id);
        end(state);
        events.push({ type: 'mediachanged', media });
        continue;
      }
      state.mid = section?.mid ?? plan?.mid;
      state.direction = section?.wish.direction ?? state.direction;
      state.plan = plan;
      if (!isSameAgreement(before, plan)) events.push({ type: 'mediachanged', media });
    }
    for (const [id, plan] of planned) {
      if (this.#live.has(id)) continue;
      const direction = described.get(id)?.wish.direction ?? plan.direction;
      const media = this.#make({ id, kind: plan.media, phase: 'live', direction, mid: plan.mid, plan });
      this.#live.set(id, media);
      events.push({ type: 'mediaadded', media });
    }
    return events;
  }

  #make(state: MediaState): Media {
    const media = new Media(state, this.#owner);
    this.#states.set(media, state);
    return media;
  }

  #stateOf(media: Media): MediaState {
    const isObject = typeof media === 'object' && (media as unknown) !== null;
    const state = isObject ? this.#states.get(media) : undefined;
    if (state === undefined) throw badArgument('media', 'a media of this connection', media);
    return state;
  }
}

function end(state: MediaState): void {
  state.phase = 'stopped';
  state.mid = undefined;
  state.plan = undefined;
}

/** Direction and codecs, either way: what `mediachanged` is told for. */
function isSameAgreement(before: MediaPlan | undefined, after: MediaPlan | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return (
    before === after ||
    (before.direction === after.direction &&
      JSON.stringify(codecsOf(before)) === JSON.stringify(codecsOf(after)))
  );
}

function codecsOf({ send, receive }: MediaPlan): readonly unknown[] {
  return [send.codecs, receive.codecs];
}
