/** The connection that signalling works for: what signalling asks of it, and what it tells it. */
import type { ChannelDraft, DataChannel, DataChannelOptions } from '../../channel/index.ts';
import type { LocalEnd, SectionChoice, SessionPlan } from '../../negotiation/index.ts';
import type { SdpWarning } from '../../sdp/index.ts';
import type { MediaEvent, MediaOwner } from './media.ts';
import type { DraftStep, OfferDraft } from './offer-draft.ts';
import type { WrittenOffer } from './pending-offer.ts';

/** An answer of ours. */
export interface AnswerStep {
  /** The peer's. */
  readonly offer: string;
  /** What was chosen; absent for nothing. */
  readonly choices?: readonly SectionChoice[] | undefined;
  readonly sdp: string;
}

/** A description of ours that may have been edited. */
interface EditedStep {
  /** What its caller has made of it; absent: nothing. */
  readonly edited?: string | undefined;
  readonly sdp: string;
}

/** One step of signalling, done; `sdp` is the description that it gave or took. */
export type SignalingStep =
  | DraftStep
  | { readonly method: 'offer'; readonly draft: OfferDraft; readonly sdp: string }
  | {
      readonly method: 'write';
      readonly draft: OfferDraft;
      readonly written: WrittenOffer;
      readonly sdp: string;
    }
  | ({ readonly method: 'commit'; readonly written: WrittenOffer } & EditedStep)
  | { readonly method: 'accept'; readonly sdp: string }
  | { readonly method: 'acceptProvisional'; readonly sdp: string }
  /** `remote`: of an offer of the peer's that was applied. */
  | {
      readonly method: 'rollback';
      readonly keepWishes?: boolean | undefined;
      readonly remote?: boolean | undefined;
    }
  | { readonly method: 'apply'; readonly offer: string }
  | ({ readonly method: 'answer' } & AnswerStep & EditedStep)
  | ({ readonly method: 'provisionalAnswer' } & AnswerStep);

/** What signalling asks of its connection, and tells it. */
export interface SignalingHost extends MediaOwner {
  /** An offer of the peer's that meets one of ours makes ours wait. */
  readonly polite: boolean;
  /** Throws `ERR_INVALID_STATE` once the connection has ended. */
  assertOpen(): void;
  /** What this end says of itself; after `restart` with the credentials that a restart of ICE will begin with. */
  localEnd(restart: boolean): LocalEnd;
  /** ICE restarts with the credentials that `localEnd(true)` has told. */
  restartIce(origin: 'local' | 'remote'): void;
  /** The restart is taken back: its offer was. */
  cancelIceRestart(): void;
  /** False: the peer has restarted as often as it may. */
  admitsRestart(): boolean;
  draftChannels(): ChannelDraft;
  /** Throws as `Rtc.createChannel` does. */
  createChannel(
    channels: ChannelDraft,
    label: string,
    options: DataChannelOptions,
    draft: OfferDraft,
  ): DataChannel;
  /** There is a channel that is not closed. */
  hasChannels(): boolean;
  /** Told of each step after it. */
  onStep(step: SignalingStep): void;
  /** An exchange is complete, or provisionally so: does what it says. Never fails. */
  carryOut(plan: SessionPlan, isProvisional: boolean): void;
  /** For the application. */
  tell(event: MediaEvent): void;
  /** `Signaling.pollEvent` has something to say: a drain is wanted. */
  onNeed(): void;
  warn(warning: SdpWarning): void;
}
