/**
 * Offers and answers of one `Rtc`: handles that stand for one step each, over the pure functions of `negotiation`.
 *
 *   we offer:      rtc.negotiation() ─▶ OfferDraft.offer() ─▶ PendingOffer.accept(answer) or .rollback()
 *   they offer:    rtc.receiveOffer(sdp) ─▶ ReceivedOffer.answer()
 *
 * A description that is refused throws `SdpRefusal` and changes nothing. A handle whose moment has passed throws
 * `ERR_INVALID_STATE`.
 */
import type { ChannelDraft, DataChannel, DataChannelOptions } from '../channel/index.ts';
import { RtcError } from '../core/errors.ts';
import type {
  LocalEnd,
  LocalOfferState,
  NegotiationInspection,
  NegotiationState,
  PreparedLocalOffer,
  PreparedRemoteOffer,
  SessionPlan,
  SignalingState,
  TransportPlan,
} from '../negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  closeNegotiation,
  inspectNegotiation,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../negotiation/index.ts';
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, sdpError } from '../sdp/index.ts';
import type { RemoteDescription } from './parameters.ts';
import { textOf } from './parameters.ts';
import { SdpRefusal } from './refusal.ts';

/** One step of signalling, done. */
export type SignalingStep =
  | { readonly method: 'offer'; readonly draft: OfferDraft; readonly sdp: string }
  | { readonly method: 'accept'; readonly sdp: string }
  | { readonly method: 'rollback' }
  | { readonly method: 'answer'; readonly offer: string; readonly sdp: string };

/** The connection that signalling works for. */
export interface SignalingHost {
  /** Throws `ERR_INVALID_STATE` once the connection has ended. */
  assertOpen(): void;
  /** What this end says of itself; after `restart` with the credentials that a restart of ICE will begin with. */
  localEnd(restart: boolean): LocalEnd;
  /** ICE restarts with the credentials that `localEnd(true)` has told. */
  restartIce(origin: 'local' | 'remote'): void;
  /** False: the peer has restarted as often as it may. */
  admitsRestart(): boolean;
  /** The next offer restarts ICE, and none is out. */
  negotiationNeeded(): void;
  /** The restart is taken back: its offer was. */
  cancelIceRestart(): void;
  draftChannels(): ChannelDraft;
  /** Throws as `Rtc.createChannel` does. */
  createChannel(
    channels: ChannelDraft,
    label: string,
    options: DataChannelOptions,
    draft: OfferDraft,
  ): DataChannel;
  /** Told of each step after it, for tracing. */
  onStep(step: SignalingStep): void;
  /** An exchange is complete: does what it says. Never fails. */
  carryOut(plan: SessionPlan): void;
  warn(warning: SdpWarning): void;
}

/** The state of signalling, and its steps. One an `Rtc`. */
export class Signaling {
  readonly #host: SignalingHost;
  #state: NegotiationState;
  /** The next offer restarts ICE. */
  #restartWanted = false;

  constructor(initial: NegotiationState, host: SignalingHost) {
    this.#state = initial;
    this.#host = host;
  }

  /** That of the last step. */
  get state(): SignalingState {
    return this.#state.signalingState;
  }

  /** The beginning of an offer of ours. */
  draft(): OfferDraft {
    return new OfferDraft(this, this.#host.draftChannels());
  }

  /** Throws as `Rtc.receiveOffer` does. */
  receiveOffer(offer: RemoteDescription): ReceivedOffer {
    const sdp = textOf(offer, 'offer');
    const before = this.#state;
    const prepared = judged(receiveOffer(before, sdp));
    refuseNewAssociation(prepared.plan.transport);
    if (prepared.plan.transport.iceRestart && !this.#host.admitsRestart()) {
      const message = 'the peer has restarted ICE as often as it may in a minute ("maxRestartsPerMinute")';
      throw new SdpRefusal(sdpError('ice-restart-limit', message, { mid: prepared.plan.transport.mid }));
    }
    return new ReceivedOffer(this, { sdp, before, prepared });
  }

  /** The next offer of ours restarts ICE, until one is answered that does, the peer's or our own. */
  wantRestart(): void {
    if (this.#restartWanted || !this.hasAgreement) return;
    this.#restartWanted = true;
    this.#tellNeed();
  }

  /** True once offer and answer have been exchanged: then a restart is negotiated, too. */
  get hasAgreement(): boolean {
    return this.#state.agreement !== undefined;
  }

  /** Every step after it throws `ERR_INVALID_STATE`. */
  close(): void {
    this.#state = closeNegotiation(this.#state);
  }

  /** The negotiation for people. */
  inspect(): NegotiationInspection {
    return inspectNegotiation(this.#state);
  }

  // --- what the handles ask for ---

  /** See `OfferDraft.addChannel`. */
  addChannel(
    draft: OfferDraft,
    channels: ChannelDraft,
    label: string,
    options: DataChannelOptions,
  ): DataChannel {
    return this.#host.createChannel(channels, label, options, draft);
  }

  /** See `OfferDraft.offer`. */
  offer(draft: OfferDraft, channels: ChannelDraft): PendingOffer {
    this.#host.assertOpen();
    if (this.#state.signalingState !== 'stable') {
      const message = `an offer expected "stable", the negotiation is "${this.#state.signalingState}"`;
      throw new RtcError('ERR_INVALID_STATE', message);
    }
    const restarts = this.#restartWanted && this.hasAgreement;
    const offer = prepareOffer(this.#state, this.#localEnd(restarts));
    channels.adopt();
    this.#state = offer.next;
    if (restarts) this.#host.restartIce('local');
    this.#host.onStep({ method: 'offer', draft, sdp: offer.sdp });
    return new PendingOffer(this, offer, draft);
  }

  /** See `PendingOffer.accept`. */
  accept(pending: LocalOfferState, answer: RemoteDescription): void {
    const sdp = textOf(answer, 'answer');
    this.#assertUnchanged(pending);
    const { plan, next, warnings } = judged(acceptAnswer(pending, sdp));
    refuseNewAssociation(plan.transport);
    this.#state = next;
    this.#complete(plan, warnings);
    this.#host.onStep({ method: 'accept', sdp });
  }

  /** See `PendingOffer.rollback`. */
  rollback(pending: LocalOfferState, { channels }: OfferDraft): void {
    this.#assertUnchanged(pending);
    this.#state = rollback(pending);
    if (pending.offer.restartsIce) this.#host.cancelIceRestart();
    for (const channel of channels) channel.close();
    this.#tellNeed();
    this.#host.onStep({ method: 'rollback' });
  }

  /** See `ReceivedOffer.answer`. */
  answer({ sdp: offer, before, prepared }: JudgedOffer): string {
    this.#assertUnchanged(before);
    const restarts = prepared.plan.transport.iceRestart;
    const { sdp, plan, next } = answerOffer(prepared, this.#localEnd(restarts));
    this.#state = next;
    if (restarts) this.#host.restartIce('remote');
    this.#complete(plan, prepared.warnings);
    this.#host.onStep({ method: 'answer', offer, sdp });
    return sdp;
  }

  /** What has been agreed on is said again, whatever has become of a restart since. */
  #localEnd(restarts: boolean): LocalEnd {
    const local = this.#host.localEnd(restarts);
    const { agreement } = this.#state;
    if (restarts || agreement === undefined) return local;
    const { usernameFragment, password } = agreement.localIce;
    return { ...local, ice: { ...local.ice, usernameFragment, password } };
  }

  #complete(plan: SessionPlan, warnings: readonly SdpWarning[]): void {
    if (plan.transport.iceRestart) this.#restartWanted = false;
    for (const warning of warnings) this.#host.warn(warning);
    this.#host.carryOut(plan);
    this.#tellNeed();
  }

  #tellNeed(): void {
    if (this.#restartWanted && this.state === 'stable') this.#host.negotiationNeeded();
  }

  #assertUnchanged(expected: NegotiationState): void {
    this.#host.assertOpen();
    if (this.#state !== expected) {
      throw new RtcError(
        'ERR_INVALID_STATE',
        'this offer is no longer current: the negotiation has moved on',
      );
    }
  }
}

/**
 * An offer in the making. Nothing of it has happened before `offer()`: a draft that is dropped leaves nothing behind. Channels
 * added to it are `connecting`; `rollback()` of the offer closes them.
 */
export class OfferDraft {
  /** The channels added so far. */
  readonly channels: DataChannel[] = [];
  readonly #signaling: Signaling;
  readonly #drafted: ChannelDraft;

  /** @internal */
  constructor(signaling: Signaling, drafted: ChannelDraft) {
    this.#signaling = signaling;
    this.#drafted = drafted;
  }

  /**
   * Adds a channel that the offer is for: its handle; the channel comes to be with `offer()`, and after that at once. Throws as
   * `Rtc.createChannel` does. No event tells of a channel that is closed before `offer()`.
   */
  addChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    const channel = this.#signaling.addChannel(this, this.#drafted, label, options);
    this.channels.push(channel);
    return channel;
  }

  /**
   * Makes the channels and writes the offer. Throws, before anything has changed, `ERR_INVALID_STATE` while another offer is
   * out, and as `Rtc.createChannel` does where a channel cannot be any more, because others have come in between.
   */
  offer(): PendingOffer {
    return this.#signaling.offer(this, this.#drafted);
  }
}

/** Our offer, on its way. */
export class PendingOffer {
  /** The description to send to the peer. */
  readonly sdp: string;
  /** What to say of candidates that are trickled after it: `sdpMid` and `sdpMLineIndex` of `RTCIceCandidateInit`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly #signaling: Signaling;
  readonly #state: LocalOfferState;
  readonly #draft: OfferDraft;

  /** @internal */
  constructor(signaling: Signaling, { sdp, mid, mLineIndex, next }: PreparedLocalOffer, draft: OfferDraft) {
    this.sdp = sdp;
    this.mid = mid;
    this.mLineIndex = mLineIndex;
    this.#signaling = signaling;
    this.#state = next;
    this.#draft = draft;
  }

  /**
   * Takes the peer's answer, its text or W3C's `{ type: 'answer', sdp }`; it never waits. Throws `SdpRefusal` for an answer
   * that cannot be accepted (the offer stays out), `ERR_BAD_ARGUMENT` for something that is none, `ERR_INVALID_STATE` once
   * answered or rolled back.
   */
  accept(answer: RemoteDescription): void {
    this.#signaling.accept(this.#state, answer);
  }

  /** Takes the offer back and closes the channels that were added for it. */
  rollback(): void {
    this.#signaling.rollback(this.#state, this.#draft);
  }
}

/** An offer of the peer's that was found good: its text, the state that it was judged in, and what it comes to. */
interface JudgedOffer {
  readonly sdp: string;
  readonly before: NegotiationState;
  readonly prepared: PreparedRemoteOffer;
}

/** A valid offer of the peer's. Nothing has changed yet: dropping this declines it. */
export class ReceivedOffer {
  /** What to say of candidates that are trickled to the peer, as in `PendingOffer`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly warnings: readonly SdpWarning[];
  readonly #signaling: Signaling;
  readonly #offer: JudgedOffer;

  /** @internal */
  constructor(signaling: Signaling, offer: JudgedOffer) {
    const { plan, warnings } = offer.prepared;
    this.mid = plan.transport.mid;
    this.mLineIndex = plan.transport.mLineIndex;
    this.warnings = warnings;
    this.#signaling = signaling;
    this.#offer = offer;
  }

  /** Commits, and writes the answer's SDP. Throws `ERR_INVALID_STATE` if the negotiation has moved on since. */
  answer(): string {
    return this.#signaling.answer(this.#offer);
  }
}

function judged<T>(result: T | SdpError): T {
  if (isSdpError(result)) throw new SdpRefusal(result);
  return result;
}

/**
 * Another certificate starts another DTLS association (RFC 8842 §5.5), and with it another SCTP association: every channel of
 * this one would end. Refused before anything changes.
 */
function refuseNewAssociation({ dtlsRestart, mid }: Pick<TransportPlan, 'dtlsRestart' | 'mid'>): void {
  if (!dtlsRestart) return;
  const message =
    'another certificate or "a=tls-id" needs another connection: channels do not outlive their association';
  throw new SdpRefusal(sdpError('dtls-restart-unsupported', message, { mid }));
}
