/**
 * Calls of signalling: the rows that they have in the table of all calls (`../calls.ts`), what is wished in drafts included.
 */
import { quote } from '../../core/text.ts';
import type { MediaKind, SectionChoice } from '../../negotiation/index.ts';
import type { Direction } from '../../sdp/index.ts';
import type { Field, Fields } from '../tracer/fields.ts';
import { count, flag, object, oneOf, optional, plain, text } from '../tracer/fields.ts';
import type { SignalingStep } from './host.ts';
import type { Media } from './media.ts';
import type { OfferDraft } from './offer-draft.ts';
import type { PendingOffer, WrittenOffer } from './pending-offer.ts';
import type { ReceivedOffer } from './received-offer.ts';

/** Audio or video, by the order in which the connection came to know it (from 0), and how it is. */
export interface TraceMedia {
  readonly index: number;
  readonly kind: MediaKind;
  /** Once it has a section. */
  readonly mid?: string | undefined;
  /** What is agreed on, once it is. */
  readonly direction?: Direction | undefined;
  readonly stopped?: boolean | undefined;
}

/** What a step of signalling tells of itself: drafts and written offers by their number (from 0), media as a trace has them. */
type OfSignaling<Name extends SignalingStep['method']> = Omit<
  Extract<SignalingStep, { readonly method: Name }>,
  'method' | 'draft' | 'written' | 'media'
>;

/** Which draft, by its number (from 0). */
export interface OfDraft {
  /** Drafts are counted from 0, in the order in which they were made. */
  readonly draft: number;
}

/** Which media. */
export interface OfMedia {
  /** The media, by what a trace knows it by. */
  readonly media: TraceMedia;
}

/** What each call takes, and what came of it. */
export interface SignalingCallMembers {
  /** `draft`: by `OfferDraft.restartIce` of the draft of this number. */
  readonly restartIce: { readonly draft?: number | undefined };
  /** `draft`: by `OfferDraft.closeData` of the draft of this number. */
  readonly closeData: { readonly draft?: number | undefined };
  readonly addMedia: OfDraft & OfMedia & OfSignaling<'addMedia'>;
  readonly setDirection: OfDraft & OfMedia & OfSignaling<'setDirection'>;
  readonly setCodecs: OfDraft & OfMedia & OfSignaling<'setCodecs'>;
  /** `OfferDraft.stop()`. */
  readonly stopMedia: OfDraft & OfMedia & OfSignaling<'stopMedia'>;
  /** `OfferDraft.offer()`; `sdp` is what it gave. */
  readonly offer: OfDraft & OfSignaling<'offer'>;
  /** `OfferDraft.write()`; `written` is the number of what it gave. */
  readonly write: OfDraft & { readonly written: number } & OfSignaling<'write'>;
  /** `WrittenOffer.commit(edited)`; `sdp` is the offer. */
  readonly commit: { readonly written: number } & OfSignaling<'commit'>;
  /** `PendingOffer.accept()`, of the latest offer. */
  readonly accept: OfSignaling<'accept'>;
  /** `PendingOffer.acceptProvisional()`, of the latest offer. */
  readonly acceptProvisional: OfSignaling<'acceptProvisional'>;
  /** `PendingOffer.rollback()`, of the latest offer; with `remote` `ReceivedOffer.rollback()`, of the one that is applied. */
  readonly rollback: OfSignaling<'rollback'>;
  /** `ReceivedOffer.apply()`. */
  readonly apply: OfSignaling<'apply'>;
  /** `receiveOffer(offer).answer(edited)`; `sdp` is what it gave. */
  readonly answer: OfSignaling<'answer'>;
  /** `receiveOffer(offer).provisionalAnswer()`; `sdp` is what it gave. */
  readonly provisionalAnswer: OfSignaling<'provisionalAnswer'>;
}

/** How media stand in a file. */
export const mediaField: Field<TraceMedia> = object<TraceMedia>({
  index: count,
  kind: oneOf('audio', 'video'),
  mid: optional(text),
  direction: optional(oneOf('sendrecv', 'sendonly', 'recvonly', 'inactive')),
  stopped: optional(flag),
});

/** What calls of signalling are done on: a connection, and the handles that it has given out, as a trace numbers them. */
export interface SignalingTarget {
  /** The `Rtc`, as far as calls of signalling go. */
  readonly rtc: {
    restartIce(): void;
    closeData(): void;
    receiveOffer(offer: string): ReceivedOffer;
    readonly media: readonly Media[];
  };
  /** In the order in which they became known. */
  readonly media: Media[];
  /** By number. */
  readonly written: Map<number, WrittenOffer>;
  /** The draft of this number, made now if it has not been before. */
  draft(number: number): OfferDraft;
  /** The latest offer. */
  offer: PendingOffer | undefined;
  /** The peer's that is applied, with its text. */
  applied: { readonly offer: string; readonly received: ReceivedOffer } | undefined;
}

/** One row: what is known of a call besides its method. */
export interface CallRow<Members, Target> {
  /** In the order in which they are written. */
  readonly members: Fields<Members>;
  /** In one line. */
  describe(members: Members): string;
  /** Does it again, by the method; throws what the method throws. */
  perform(target: Target, members: Members): void;
}

/** What is known of each call besides its method. */
export const SIGNALING_CALLS: {
  readonly [Name in keyof SignalingCallMembers]: CallRow<SignalingCallMembers[Name], SignalingTarget>;
} = {
  restartIce: {
    members: { draft: optional(count) },
    describe: () => 'restartIce',
    perform: (target, { draft }) => {
      if (draft === undefined) target.rtc.restartIce();
      else target.draft(draft).restartIce();
    },
  },
  closeData: {
    members: { draft: optional(count) },
    describe: ({ draft }) => (draft === undefined ? 'closeData' : 'closeData by an offer'),
    perform: (target, { draft }) => {
      if (draft === undefined) target.rtc.closeData();
      else target.draft(draft).closeData();
    },
  },
  addMedia: {
    members: { draft: count, media: mediaField, init: plain() },
    describe: (call) => `addMedia ${describeMedia(call.media)}`,
    perform: (target, { draft, media, init }) => {
      target.media.push(target.draft(draft).addMedia(media.kind, init));
    },
  },
  setDirection: {
    members: {
      draft: count,
      media: mediaField,
      direction: oneOf('sendrecv', 'sendonly', 'recvonly', 'inactive'),
    },
    describe: (call) => `setDirection of ${describeMedia(call.media)}: ${call.direction}`,
    perform: (target, { draft, media, direction }) => {
      const handle = mediaOf(target, media);
      if (handle !== undefined) target.draft(draft).setDirection(handle, direction);
    },
  },
  setCodecs: {
    members: { draft: count, media: mediaField, codecs: plain() },
    describe: (call) =>
      `setCodecs of ${describeMedia(call.media)}: ${call.codecs.map(({ mimeType }) => mimeType).join(', ')}`,
    perform: (target, { draft, media, codecs }) => {
      const handle = mediaOf(target, media);
      if (handle !== undefined) target.draft(draft).setCodecs(handle, codecs);
    },
  },
  stopMedia: {
    members: { draft: count, media: mediaField },
    describe: (call) => `stop ${describeMedia(call.media)}`,
    perform: (target, { draft, media }) => {
      const handle = mediaOf(target, media);
      if (handle !== undefined) target.draft(draft).stop(handle);
    },
  },
  offer: {
    members: { draft: count, sdp: text },
    describe: () => 'offer',
    perform: (target, { draft }) => {
      target.offer = target.draft(draft).offer();
    },
  },
  write: {
    members: { draft: count, written: count, sdp: text },
    describe: () => 'write an offer',
    perform: (target, { draft, written }) => {
      target.written.set(written, target.draft(draft).write());
    },
  },
  commit: {
    members: { written: count, edited: optional(text), sdp: text },
    describe: ({ edited }) => (edited === undefined ? 'commit' : 'commit, edited'),
    perform: (target, { written, edited }) => {
      target.offer = target.written.get(written)?.commit(edited) ?? target.offer;
    },
  },
  accept: {
    members: { sdp: text },
    describe: () => 'accept',
    perform: ({ offer }, { sdp }) => offer?.accept(sdp),
  },
  acceptProvisional: {
    members: { sdp: text },
    describe: () => 'acceptProvisional',
    perform: ({ offer }, { sdp }) => offer?.acceptProvisional(sdp),
  },
  rollback: {
    members: { keepWishes: optional(flag), remote: optional(flag) },
    describe: ({ keepWishes, remote }) =>
      `rollback${remote === true ? ' of the peer’s offer' : ''}${keepWishes === true ? ', wishes kept' : ''}`,
    perform: (target, { keepWishes, remote }) => {
      if (remote !== true) {
        target.offer?.rollback({ keepWishes });
        return;
      }
      target.applied?.received.rollback();
      target.applied = undefined;
    },
  },
  apply: {
    members: { offer: text },
    describe: () => 'apply an offer',
    perform: (target, { offer }) => {
      const received = target.rtc.receiveOffer(offer);
      received.apply();
      target.applied = { offer, received };
    },
  },
  answer: {
    members: { offer: text, choices: optional(plain()), edited: optional(text), sdp: text },
    describe: ({ edited }) => (edited === undefined ? 'answer' : 'answer, edited'),
    perform: (target, { offer, choices, edited }) => {
      chosen(target, offer, choices).answer(edited);
      target.applied = undefined;
    },
  },
  provisionalAnswer: {
    members: { offer: text, choices: optional(plain()), sdp: text },
    describe: () => 'provisionalAnswer',
    perform: (target, { offer, choices }) => {
      const received = chosen(target, offer, choices);
      received.provisionalAnswer();
      target.applied = { offer, received };
    },
  },
};

/** `video 1 (mid "0")`. */
export function describeMedia({ index, kind, mid }: TraceMedia): string {
  return `${kind} ${index}${mid === undefined ? '' : ` (mid ${quote(mid)})`}`;
}

/** Media that the peer has added may be spoken of before an event has told of it: it is found by its mid then. */
function mediaOf({ rtc, media }: SignalingTarget, { index, mid }: TraceMedia): Media | undefined {
  media[index] ??= rtc.media.find((one) => one.mid === mid && !media.includes(one)) as Media;
  return media[index];
}

/** The offer to be answered, the one that is applied if it is that, and what was chosen of its sections. */
function chosen(
  { rtc, applied }: SignalingTarget,
  offer: string,
  choices: readonly SectionChoice[] = [],
): ReceivedOffer {
  const received = applied?.offer === offer ? applied.received : rtc.receiveOffer(offer);
  for (const { index, reject, direction, codecs, headerExtensions, streams, encodings } of choices) {
    const section = received.media.find((one) => one.index === index);
    if (section === undefined) {
      if (reject === true) received.rejectData();
      continue;
    }
    if (direction !== undefined) section.direction = direction;
    if (codecs !== undefined) section.setCodecs(codecs);
    if (headerExtensions !== undefined) section.setHeaderExtensions(headerExtensions);
    if (streams !== undefined) section.setStreams(streams);
    if (encodings !== undefined) section.setEncodings(encodings);
    if (reject === true) section.reject();
  }
  return received;
}
