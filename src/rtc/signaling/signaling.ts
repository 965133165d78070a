/**
 * Signaling: where the negotiation of one `Rtc` stands, and its steps, over the pure functions of `negotiation`. Handles stand for one
 * step each:
 *
 *   we offer      rtc.negotiation() ─▶ OfferDraft.offer(), or .write() ─▶ WrittenOffer.commit()
 *                   ─▶ PendingOffer.accept(answer), .acceptProvisional(answer) or .rollback()
 *   they offer    rtc.receiveOffer(sdp) ─▶ ReceivedOffer.answer(), .provisionalAnswer(), or .apply() first; .rollback(), .dismiss()
 *
 * A step is judged before anything changes: a description that is refused throws `SdpRefusal`, a handle whose moment has passed
 * `ERR_INVALID_STATE`.
 */
import type { ChannelDraft, DataChannel, DataChannelOptions } from '../../channel/index.ts';
import { RtcError } from '../../core/errors.ts';
import { text } from '../../core/options.ts';
import type {
  AcceptedAnswer,
  AcceptedProvisionalAnswer,
  LocalEnd,
  MediaChange,
  NegotiationInspection,
  NegotiationState,
  PreparedLocalOffer,
  PreparedRemoteOffer,
  Section,
  SectionChoice,
  SessionPlan,
  SignalingState,
} from '../../negotiation/index.ts';
import {
  acceptAnswer,
  acceptProvisionalAnswer,
  answerOffer,
  answerProvisionally,
  applyOffer,
  chooseSections,
  closeNegotiation,
  inspectNegotiation,
  judgeAnswerEdit,
  judgeEdit,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../negotiation/index.ts';
import type { SdpWarning } from '../../sdp/index.ts';
import { sdpError } from '../../sdp/index.ts';
import type { RemoteDescription } from '../parameters.ts';
import { textOf } from '../parameters.ts';
import { SdpRefusal } from '../refusal.ts';
import type { AnswerStep, SignalingHost } from './host.ts';
import { MediaTable } from './media.ts';
import { NegotiationNeed } from './need.ts';
import type { DraftOwner, DraftStep } from './offer-draft.ts';
import { OfferDraft } from './offer-draft.ts';
import type { OutOffer, PendingOwner, WrittenState } from './pending-offer.ts';
import { PendingOffer, WrittenOffer } from './pending-offer.ts';
import type { OfferedMediaHandle, ReceivedOwner, ReceivedState } from './received-offer.ts';
import { ReceivedOffer } from './received-offer.ts';
import {
  judged,
  movedOn,
  refuseDuringProvisional,
  refuseNewAssociation,
  refuseOtherIce,
  refuseOtherTransport,
} from './refusals.ts';
import { joinedChoice } from './section-choice.ts';
import type { Wishes, Wishing } from './wishes.ts';
import { joinedWishes, NO_WISHES } from './wishes.ts';

/** What signalling shows of itself, beside the negotiation. */
export interface SignalingInspection extends NegotiationInspection {
  /** The next offer restarts ICE. */
  readonly restartWanted: boolean;
  /** Changes of media that wait for the next offer, because theirs was taken back. */
  readonly keptWishes: readonly MediaChange[];
}

/** W3C's event of that name. */
export interface NegotiationNeeded {
  readonly type: 'negotiationneeded';
}

/** The state of signalling, and its steps. One an `Rtc`. */
export class Signaling implements DraftOwner, PendingOwner, ReceivedOwner {
  readonly media: MediaTable;
  readonly #host: SignalingHost;
  #state: NegotiationState;
  /** Ours, until it is answered for good. */
  #out: OutOffer | undefined;
  /** The peer's, applied, until it is answered for good. */
  #applied: ReceivedState | undefined;
  /** Of an offer that was taken back: they go with the next one. */
  #kept: Wishes = NO_WISHES;
  readonly #need = new NegotiationNeed();
  /** The next offer restarts ICE, until one is answered that does, the peer's or our own. */
  #restartWanted = false;
  constructor(initial: NegotiationState, host: SignalingHost) {
    this.#state = initial;
    this.#host = host;
    this.media = new MediaTable(host);
  }

  /** That of the last step. */
  get state(): SignalingState {
    return this.#state.signalingState;
  }

  /** True once offer and answer have been exchanged: then a restart is negotiated, too. */
  get hasAgreement(): boolean {
    return this.#state.agreement !== undefined;
  }

  /** Throws `ERR_INVALID_STATE` once the connection has ended. */
  assertOpen(): void {
    this.#host.assertOpen();
  }

  /** Every step after it throws `ERR_INVALID_STATE`. */
  close(): void {
    this.#state = closeNegotiation(this.#state);
    this.#need.close();
  }

  /** Signalling for people. */
  inspect(): SignalingInspection {
    const { media } = this.#kept;
    return { ...inspectNegotiation(this.#state), restartWanted: this.#restartWanted, keptWishes: media };
  }

  // --- what is wished ---

  /** The beginning of an offer of ours. */
  draft(): OfferDraft {
    return new OfferDraft(this, this.#host.draftChannels());
  }

  /** See `OfferDraft.addChannel`. */
  addChannel(
    draft: OfferDraft,
    drafted: ChannelDraft,
    label: string,
    options: DataChannelOptions,
  ): DataChannel {
    const channel = this.#host.createChannel(drafted, label, options, draft);
    // What comes to be at once ends with the offer of its draft all the same.
    if (this.#out?.draft === draft)
      this.#out.wishes = joinedWishes(this.#out.wishes, { ...NO_WISHES, channels: [channel] });
    this.#need.wished(draft);
    this.updateNeed();
    return channel;
  }

  /** A draft wishes something more. */
  wished(step: DraftStep): void {
    this.#need.wished(step.draft);
    this.#host.onStep(step);
  }

  /** The next offer of ours restarts ICE, until one is answered that does, the peer's or our own. */
  wantRestart(): void {
    if (this.#restartWanted || !this.hasAgreement) return;
    this.#restartWanted = true;
    this.updateNeed();
  }

  /** What needs an offer may have changed: `pollEvent` is asked at the next drain. */
  updateNeed(): void {
    if (this.state === 'stable' && this.#need.update(this.#isNeeded())) this.#host.onNeed();
  }

  /**
   * The event `negotiationneeded`, if it is to be told now (W3C webrtc-pc §4.7.3): asked in a drain and not told in a call, so that
   * what is over within one call, as a glare is for the polite end, tells nothing.
   */
  pollEvent(): NegotiationNeeded | undefined {
    if (!this.#need.isDue || this.state !== 'stable' || this.#host.isOver()) return undefined;
    return this.#need.take(this.#isNeeded()) ? { type: 'negotiationneeded' } : undefined;
  }

  #isNeeded(): boolean {
    if (this.#restartWanted && this.hasAgreement) return true;
    if (this.#relevant(this.#kept.media).length > 0 || this.#kept.closesData) return true;
    if (this.#lacksDataSection() && (this.hasAgreement || hasLiving(this.#kept.channels))) return true;
    return this.#need.waiting.some((draft) => this.#wishesSomething(draft));
  }

  /** There are channels, and no section that they could be of. */
  #lacksDataSection(): boolean {
    return this.#host.hasChannels() && !hasDataSection(this.#state);
  }

  #wishesSomething(draft: Wishing): boolean {
    const { media, channels, closesData } = draft.wishes;
    const isOfData = closesData || channels.length > 0;
    return draft.mark.restartsIce || isOfData || this.#relevant(media).length > 0;
  }

  /** Without the changes of media that has ended meanwhile. */
  #relevant(changes: readonly MediaChange[]): readonly MediaChange[] {
    return changes.filter(({ type, id }) => type === 'add' || this.media.get(id) !== undefined);
  }

  // --- our offers ---

  /** See `OfferDraft.offer`. */
  offer(draft: OfferDraft): PendingOffer {
    this.#host.assertOpen();
    if (this.state !== 'stable') {
      const message = `another one is out ("${this.state}"): "negotiationneeded" tells when this one can be made`;
      throw new RtcError('ERR_INVALID_STATE', message);
    }
    const written = this.#write(draft);
    const { prepared } = written;
    const out = this.#send(written, prepared);
    this.#host.onStep({ method: 'offer', draft, sdp: prepared.sdp });
    return new PendingOffer(this, prepared, out);
  }

  /** See `OfferDraft.write`. */
  write(draft: OfferDraft): WrittenOffer {
    this.#host.assertOpen();
    const { state } = this;
    if (state !== 'stable' && state !== 'have-local-offer')
      throw new RtcError('ERR_INVALID_STATE', `no offer can be written while the negotiation is "${state}"`);
    const offer = this.#write(draft);
    const written = new WrittenOffer(this, offer);
    this.#host.onStep({ method: 'write', draft, written, sdp: written.sdp });
    return written;
  }

  /** See `WrittenOffer.commit`. */
  commit(written: WrittenOffer, offer: WrittenState, edited: string | undefined): PendingOffer {
    if (edited !== undefined) text()(edited, 'edited');
    this.#assertUnchanged(offer.before);
    const prepared =
      edited === undefined ? offer.prepared : judged(judgeEdit(offer.before, offer.prepared, edited));
    refuseOtherIce(offer.prepared.next.offer.ice, prepared.next.offer.ice);
    const out = this.#send(offer, prepared);
    this.#host.onStep({ method: 'commit', written, ...editedStep(edited, prepared.sdp) });
    return new PendingOffer(this, prepared, out);
  }

  #write(draft: Wishing): WrittenState {
    const before = this.#state;
    const mark = draft.mark;
    const wishes = joinedWishes(this.#out?.wishes ?? this.#kept, draft.wishes);
    const media = this.#relevant(wishes.media);
    const replaced = before.signalingState === 'have-local-offer' ? before.offer : undefined;
    const wantsRestart = this.hasAgreement && (this.#restartWanted || mark.restartsIce);
    const restart = replaced?.restartsIce === true ? 'again' : wantsRestart ? 'new' : undefined;
    const local = this.#localEnd(restart !== undefined, restart === 'again' ? replaced?.ice : undefined);
    const prepared = prepareOffer(before, local, {
      media,
      data: this.#host.hasChannels() || wishes.channels.length > 0,
      closesData: wishes.closesData,
    });
    return { draft, mark, before, prepared, wishes: { ...wishes, media }, restart, wantsRestart };
  }

  /** An offer goes out. Throws before anything has changed where its draft cannot be offered. */
  #send(written: WrittenState, prepared: PreparedLocalOffer): OutOffer {
    const { draft, mark, wishes, restart, wantsRestart } = written;
    draft.take(mark);
    const out: OutOffer = { draft, wishes };
    this.#out = out;
    this.#kept = NO_WISHES;
    this.#state = prepared.next;
    this.#need.offered(draft, this.#wishesSomething(draft));
    this.#restartWanted ||= wantsRestart;
    if (restart === 'new') this.#host.restartIce('local');
    this.#follow();
    return out;
  }

  /** See `PendingOffer.accept` and `acceptProvisional`. */
  accept(out: OutOffer, answer: RemoteDescription, type: 'answer' | 'pranswer'): void {
    const sdp = textOf(answer, type);
    this.#assertOut(out);
    const isProvisional = type === 'pranswer';
    const accept = isProvisional ? acceptProvisionalAnswer : acceptAnswer;
    const before = this.#state;
    const { plan, next, warnings } = judged<AcceptedAnswer | AcceptedProvisionalAnswer>(accept(before, sdp));
    refuseNewAssociation(plan.transport);
    this.#state = next;
    if (!isProvisional) this.#out = undefined;
    if (leavesRestart(before, next)) this.#giveUpRestart();
    this.#exchanged(plan, warnings);
    this.#host.onStep({ method: isProvisional ? 'acceptProvisional' : 'accept', sdp });
  }

  /** The answer rejects every section, so that there is nothing to restart for. */
  #giveUpRestart(): void {
    this.#restartWanted = false;
    this.#host.cancelIceRestart();
  }

  /** See `PendingOffer.rollback`. */
  rollback(out: OutOffer, keepWishes: boolean): void {
    this.#assertOut(out);
    this.#takeBack(out, keepWishes);
    this.updateNeed();
  }

  #takeBack(out: OutOffer, keepWishes: boolean): void {
    const before = this.#state;
    this.#state = rollback(before);
    this.#out = undefined;
    this.#kept = keepWishes ? out.wishes : NO_WISHES;
    if (before.signalingState === 'have-local-offer' && before.offer.restartsIce)
      this.#host.cancelIceRestart();
    if (!keepWishes) for (const channel of out.wishes.channels) channel.close();
    this.#need.settle();
    this.#follow();
    this.#host.onStep({ method: 'rollback', ...(keepWishes ? { keepWishes } : {}) });
  }

  // --- the peer's offers ---

  /** Throws as `Rtc.receiveOffer` does. */
  receiveOffer(offer: RemoteDescription): ReceivedOffer {
    const sdp = textOf(offer, 'offer');
    const before = this.#state;
    refuseDuringProvisional(this.state);
    const rollsBack = this.#host.polite && before.signalingState === 'have-local-offer';
    const prepared = judged(receiveOffer(rollsBack ? rollback(before) : before, sdp));
    refuseNewAssociation(prepared.plan.transport);
    if (prepared.plan.transport.iceRestart && !this.#host.admitsRestart()) {
      const message = 'the peer has restarted ICE as often as it may in a minute ("maxRestartsPerMinute")';
      throw new SdpRefusal(sdpError('ice-restart-limit', message, { mid: prepared.plan.transport.mid }));
    }
    const choices = new Map<number, SectionChoice>();
    const received = { sdp, before, rollsBack, prepared, answered: undefined, choices, isOpen: true };
    return new ReceivedOffer(this, received, (id) => this.media.get(id));
  }

  /** See `OfferedMediaHandle`. */
  choose(received: ReceivedState, section: OfferedMediaHandle, choice: Omit<SectionChoice, 'index'>): void {
    this.#assertReceived(received);
    const { index } = section;
    received.choices.set(index, joinedChoice(received.choices.get(index) ?? { index }, choice, section));
  }

  /** See `ReceivedOffer.rejectData`. */
  rejectData(received: ReceivedState): void {
    this.#assertReceived(received);
    const index = received.prepared.plan.sections.findIndex(({ kind }) => kind === 'data');
    if (index < 0)
      throw new RtcError('ERR_INVALID_STATE', 'this offer has no section for data channels in use');
    received.choices.set(index, { index, reject: true });
  }

  /** See `ReceivedOffer.apply`. */
  apply(received: ReceivedState): void {
    this.#assertReceived(received);
    if (this.#applied === received) throw new RtcError('ERR_INVALID_STATE', 'this offer is applied already');
    const next = applyOffer(received.prepared);
    this.#giveWay(received);
    this.#state = next;
    this.#applied = received;
    this.#host.onStep({ method: 'apply', offer: received.sdp });
  }

  /** See `ReceivedOffer.writeAnswer`. */
  writeAnswer(received: ReceivedState): string {
    this.#assertReceived(received);
    const { prepared, local } = this.#prepareAnswer(received);
    return answerOffer(prepared, local).sdp;
  }

  /** See `ReceivedOffer.answer`. */
  answer(received: ReceivedState, edited: string | undefined): string {
    if (edited !== undefined) text()(edited, 'edited');
    this.#assertReceived(received);
    const { prepared, local } = this.#prepareAnswer(received);
    const written = answerOffer(prepared, local);
    const answer =
      edited === undefined ? written : judged(judgeAnswerEdit(prepared, written, edited, this.#provisional));
    refuseOtherIce(written.next.agreement?.localIce, answer.next.agreement?.localIce);
    this.#giveWay(received);
    this.#applied = undefined;
    received.isOpen = false;
    this.#answered(received, answer.plan, answer.next);
    const { sdp } = answer;
    this.#host.onStep({ method: 'answer', ...answerStep(received, sdp), ...editedStep(edited, sdp) });
    return sdp;
  }

  /** See `ReceivedOffer.provisionalAnswer`. */
  provisionalAnswer(received: ReceivedState): string {
    this.#assertReceived(received);
    const { prepared, local } = this.#prepareAnswer(received);
    const { sdp, plan, next, prepared: following } = answerProvisionally(prepared, local);
    this.#giveWay(received);
    this.#applied = received;
    received.prepared = following;
    this.#answered(received, plan, next);
    received.answered = local.ice;
    this.#host.onStep({ method: 'provisionalAnswer', ...answerStep(received, sdp) });
    return sdp;
  }

  /** See `ReceivedOffer.rollback`. */
  rollbackReceived(received: ReceivedState): void {
    this.#assertReceived(received);
    if (this.#applied !== received) throw new RtcError('ERR_INVALID_STATE', 'this offer is not applied');
    this.#state = rollback(this.#state);
    this.#applied = undefined;
    received.isOpen = false;
    this.#need.settle();
    this.#follow();
    this.#host.onStep({ method: 'rollback', remote: true });
    this.updateNeed();
  }

  /** See `ReceivedOffer.dismiss`. */
  dismiss(received: ReceivedState): void {
    if (this.#applied === received) this.rollbackReceived(received);
    else received.isOpen = false;
  }

  /** What the answer is written from. Throws `SdpRefusal` where the choices leave nothing to agree on. */
  #prepareAnswer({ prepared: byDefault, choices, answered }: ReceivedState): {
    readonly prepared: PreparedRemoteOffer;
    readonly local: LocalEnd;
  } {
    const prepared =
      choices.size === 0 ? byDefault : judged(chooseSections(byDefault, [...choices.values()]));
    const { transport } = prepared.plan;
    refuseOtherTransport(this.#provisional?.transport, transport);
    return { prepared, local: this.#localEnd(transport.iceRestart, answered) };
  }

  #answered({ prepared, answered }: ReceivedState, plan: SessionPlan, next: NegotiationState): void {
    const { iceRestart } = plan.transport;
    this.#state = next;
    if (answered !== undefined) {
      // What the provisional answer has begun is not done twice.
      this.#exchanged({ ...plan, transport: { ...plan.transport, iceRestart: false } }, []);
      return;
    }
    if (iceRestart) this.#host.restartIce('remote');
    this.#exchanged(plan, prepared.warnings);
  }

  /** The polite end takes its own offer back, and keeps what it wished. */
  #giveWay({ rollsBack }: ReceivedState): void {
    if (rollsBack && this.#out !== undefined) this.#takeBack(this.#out, true);
  }

  // --- after every step ---

  #exchanged(plan: SessionPlan, warnings: readonly SdpWarning[]): void {
    if (plan.transport.iceRestart) this.#restartWanted = false;
    for (const warning of warnings) this.#host.warn(warning);
    this.#host.carryOut(plan, this.state !== 'stable');
    // Channels that have found a section are like any other.
    if (hasDataSection(this.#state)) this.#kept = { ...this.#kept, channels: [] };
    if (this.state === 'stable') this.#need.settle();
    this.#follow();
    this.updateNeed();
  }

  #follow(): void {
    const state = this.#state;
    const waiting = this.#kept.media.flatMap(({ type, id }) => (type === 'add' ? [id] : []));
    const plan = this.#provisional ?? state.agreement?.plan;
    const events = this.media.follow({
      sections: sectionsOf(state),
      plans: plan?.sections ?? [],
      waiting: new Set(waiting),
    });
    for (const event of events) this.#host.tell(event);
  }

  /** What has been agreed on is said again, whatever has become of a restart since. */
  #localEnd(restarts: boolean, again?: LocalEnd['ice']): LocalEnd {
    const local = this.#host.localEnd(restarts);
    const said = again ?? (restarts ? undefined : this.#state.agreement?.localIce);
    if (said === undefined) return local;
    const { usernameFragment, password } = said;
    return { ...local, ice: { ...local.ice, usernameFragment, password } };
  }

  /** What an exchange that is not over yet has come to. */
  get #provisional(): SessionPlan | undefined {
    return 'provisional' in this.#state ? this.#state.provisional : undefined;
  }

  #assertOut(out: OutOffer): void {
    this.#host.assertOpen();
    if (this.#out !== out) throw movedOn();
  }

  #assertReceived(received: ReceivedState): void {
    this.#host.assertOpen();
    if (!received.isOpen || (this.#applied !== received && this.#state !== received.before)) throw movedOn();
  }

  #assertUnchanged(expected: NegotiationState): void {
    this.#host.assertOpen();
    if (this.#state !== expected) throw movedOn();
  }
}

function answerStep({ sdp: offer, choices }: ReceivedState, sdp: string): AnswerStep {
  return choices.size === 0 ? { offer, sdp } : { offer, choices: [...choices.values()], sdp };
}

function editedStep(
  edited: string | undefined,
  sdp: string,
): { readonly edited?: string; readonly sdp: string } {
  return edited === undefined ? { sdp } : { edited, sdp };
}

/** Those of the latest description. */
function sectionsOf(state: NegotiationState): readonly Section[] {
  if ('offer' in state) return state.offer.sections;
  return 'remoteOffer' in state ? state.remoteOffer.sections : state.sections;
}

/** Our offer restarts ICE, and its answer rejects all that could be reached by it: the credentials of before stay. */
function leavesRestart(pending: NegotiationState, next: NegotiationState): boolean {
  if (!('offer' in pending) || next.signalingState !== 'stable') return false;
  const { restartsIce, ice } = pending.offer;
  return restartsIce && next.agreement?.localIce.usernameFragment !== ice.usernameFragment;
}

function hasDataSection({ sections }: NegotiationState): boolean {
  return sections.some(({ kind }) => kind === 'data');
}

function hasLiving(channels: readonly DataChannel[]): boolean {
  return channels.some(({ readyState }) => readyState !== 'closed');
}
