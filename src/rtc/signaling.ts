/**
 * Offers and answers of one `Rtc`: handles that stand for one step each, over the pure functions of `negotiation`.
 *
 *   we offer:      rtc.negotiation() ─▶ OfferDraft.offer() ─▶ PendingOffer.accept(answer) or .rollback()
 *   they offer:    rtc.receiveOffer(sdp) ─▶ ReceivedOffer.answer()
 *
 * A description that is refused throws `SdpRefusal` and changes nothing. A handle whose moment has passed throws
 * `ERR_INVALID_STATE`.
 */
import type { DataChannel, DataChannelOptions } from '../channel/index.ts';
import { RtcError } from '../core/errors.ts';
import type {
  LocalEnd,
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

/** What signalling needs of the connection it works for. */
export interface SignalingHost {
  /** Throws `ERR_INVALID_STATE` once the connection has ended. */
  assertOpen(): void;
  localEnd(): LocalEnd;
  createChannel(label: string, options: DataChannelOptions, draft: OfferDraft): DataChannel;
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

  constructor(initial: NegotiationState, host: SignalingHost) {
    this.#state = initial;
    this.#host = host;
  }

  get state(): SignalingState {
    return this.#state.signalingState;
  }

  draft(): OfferDraft {
    return new OfferDraft(this.#host, (draft) => this.#offer(draft));
  }

  receiveOffer(offer: RemoteDescription): ReceivedOffer {
    const sdp = textOf(offer, 'offer');
    const before = this.#state;
    const prepared = judged(receiveOffer(before, sdp));
    refuseRestart(prepared.plan.transport);
    return new ReceivedOffer(prepared, () => {
      this.#assertUnchanged(before, 'this offer');
      const answer = this.#answer(prepared);
      this.#host.onStep({ method: 'answer', offer: sdp, sdp: answer });
      return answer;
    });
  }

  close(): void {
    this.#state = closeNegotiation(this.#state);
  }

  inspect(): NegotiationInspection {
    return inspectNegotiation(this.#state);
  }

  #offer(draft: OfferDraft): PendingOffer {
    this.#host.assertOpen();
    const prepared = prepareOffer(this.#state, this.#host.localEnd());
    const pending = prepared.next;
    this.#state = pending;
    this.#host.onStep({ method: 'offer', draft, sdp: prepared.sdp });
    return new PendingOffer(prepared, {
      accept: (answer) => {
        const sdp = textOf(answer, 'answer');
        this.#assertUnchanged(pending, 'this offer');
        this.#accept(sdp);
        this.#host.onStep({ method: 'accept', sdp });
      },
      rollback: () => {
        this.#assertUnchanged(pending, 'this offer');
        this.#state = rollback(pending);
        for (const channel of draft.channels) channel.close();
        this.#host.onStep({ method: 'rollback' });
      },
    });
  }

  #accept(sdp: string): void {
    const { plan, next, warnings } = judged(acceptAnswer(this.#state, sdp));
    refuseRestart(plan.transport);
    this.#state = next;
    this.#complete(plan, warnings);
  }

  #answer(prepared: PreparedRemoteOffer): string {
    const { sdp, plan, next } = answerOffer(prepared, this.#host.localEnd());
    this.#state = next;
    this.#complete(plan, prepared.warnings);
    return sdp;
  }

  #complete(plan: SessionPlan, warnings: readonly SdpWarning[]): void {
    for (const warning of warnings) this.#host.warn(warning);
    this.#host.carryOut(plan);
  }

  #assertUnchanged(expected: NegotiationState, what: string): void {
    this.#host.assertOpen();
    if (this.#state !== expected) {
      throw new RtcError('ERR_INVALID_STATE', `${what} is no longer current: the negotiation has moved on`);
    }
  }
}

/** An offer in the making. Channels added to it exist at once, as `connecting`; `rollback()` of the offer closes them. */
export class OfferDraft {
  /** The channels added so far. */
  readonly channels: DataChannel[] = [];
  readonly #host: SignalingHost;
  readonly #commit: (draft: OfferDraft) => PendingOffer;

  /** @internal */
  constructor(host: SignalingHost, commit: (draft: OfferDraft) => PendingOffer) {
    this.#host = host;
    this.#commit = commit;
  }

  /** Creates a channel that the offer is for. Throws as `Rtc.createChannel` does. */
  addChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    const channel = this.#host.createChannel(label, options, this);
    this.channels.push(channel);
    return channel;
  }

  /** Writes the offer. Throws `ERR_INVALID_STATE` while another offer is out. */
  offer(): PendingOffer {
    return this.#commit(this);
  }
}

/** Our offer, on its way. */
export class PendingOffer {
  /** The description to send to the peer. */
  readonly sdp: string;
  /** What to say of candidates that are trickled after it: `sdpMid` and `sdpMLineIndex` of `RTCIceCandidateInit`. */
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly #steps: { accept(answer: RemoteDescription): void; rollback(): void };

  /** @internal */
  constructor(
    offer: PreparedLocalOffer,
    steps: { accept(answer: RemoteDescription): void; rollback(): void },
  ) {
    this.sdp = offer.sdp;
    this.mid = offer.mid;
    this.mLineIndex = offer.mLineIndex;
    this.#steps = steps;
  }

  /**
   * Takes the peer's answer, its text or W3C's `{ type: 'answer', sdp }`; it never waits. Throws `SdpRefusal` for an answer
   * that cannot be accepted (the offer stays out), `ERR_BAD_ARGUMENT` for something that is none, `ERR_INVALID_STATE` once
   * answered or rolled back.
   */
  accept(answer: RemoteDescription): void {
    this.#steps.accept(answer);
  }

  /** Takes the offer back and closes the channels that were added for it. */
  rollback(): void {
    this.#steps.rollback();
  }
}

/** A valid offer of the peer's. Nothing has changed yet: dropping this declines it. */
export class ReceivedOffer {
  readonly mid: string | undefined;
  readonly mLineIndex: number;
  readonly warnings: readonly SdpWarning[];
  readonly #answer: () => string;

  /** @internal */
  constructor(offer: PreparedRemoteOffer, answer: () => string) {
    this.mid = offer.plan.transport.mid;
    this.mLineIndex = offer.plan.transport.mLineIndex;
    this.warnings = offer.warnings;
    this.#answer = answer;
  }

  /** Commits, and writes the answer's SDP. Throws `ERR_INVALID_STATE` if the negotiation has moved on since. */
  answer(): string {
    return this.#answer();
  }
}

function judged<T>(result: T | SdpError): T {
  if (isSdpError(result)) throw new SdpRefusal(result);
  return result;
}

/** ICE restart is read and judged by `negotiation`, but the agent cannot do it yet: refused before anything changes. */
function refuseRestart({ iceRestart, mid }: Pick<TransportPlan, 'iceRestart' | 'mid'>): void {
  if (!iceRestart) return;
  const message = 'restarting ICE is not supported yet: make a new connection';
  throw new SdpRefusal(sdpError('ice-restart-unsupported', message, { mid }));
}
