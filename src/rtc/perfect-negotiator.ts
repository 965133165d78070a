/**
 * Perfect negotiation (W3C webrtc-pc §10.7) as a machine beside an `Rtc`: wishes of this end and signals of the peer go in, signals
 * for the peer come out. It waits for nothing, and whatever offers cross on the way, both ends agree in the end.
 *
 *   wishes    draft, negotiate() ──┐
 *   the Rtc   handleEvent(event) ──┼──▶ pollSignal() ──▶ to the peer
 *   the peer  handleSignal(signal) ┘
 *
 * Both ends may offer whenever they like. Where two offers cross, the polite end takes its own back and answers, and offers again
 * what it wished for; the impolite end passes the other's over, and its candidates with it. One of the two is polite, and both
 * know which.
 *
 * The polite end answers an offer which crosses its own although its own may have been answered already, were the peer's signals to
 * come in another order than they were sent. So signals are numbered, and what comes early is held until its turn. There is no clock
 * here: a signal that is lost for good is given up once `maxHeld` others wait for it, so the way must lose none, or close when it does.
 */
import { BoundedQueue } from '../core/queue.ts';
import { RtcError } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { callback, checkOptions, flag, integer, required } from '../core/options.ts';
import type { Rtc } from '../rtc.ts';
import type { IceCandidate } from '../ice/index.ts';
import { attributes, candidateInit, isSdpError, parseSdp } from '../sdp/index.ts';
import type { RtcEvent } from './contract.ts';
import { SdpRefusal } from './refusal.ts';
import type { OfferDraft } from './signaling/offer-draft.ts';
import type { PendingOffer } from './signaling/pending-offer.ts';
import type { ReceivedOffer } from './signaling/received-offer.ts';
import type { CandidateSignal, Signal } from './signals.ts';
import { readSignal } from './signals.ts';

/** Options of a `PerfectNegotiator`. */
export interface PerfectNegotiatorOptions {
  /**
   * Gives way where offers cross. The peer must be the other of the two. An `Rtc` that is made with `polite` gives way to an offer only
   * once that is found good.
   */
  readonly polite: boolean;
  /**
   * Called with every offer of the peer's before it is answered, to choose directions and codecs, or to reject sections. What it
   * throws leaves the offer unanswered and goes to whoever called `handleSignal`.
   */
  readonly onOffer?: ((offer: ReceivedOffer) => void) | undefined;
  /** Signals for the peer that wait to be polled. Default 1000: then candidates are dropped, and offers refused. */
  readonly maxQueued?: number | undefined;
  /** Signals of the peer's that wait for an earlier one. Default 100: then the earlier one is given up. */
  readonly maxHeld?: number | undefined;
}

/** The rules of its options. */
export const PERFECT_NEGOTIATOR_RULES: OptionRules<PerfectNegotiatorOptions> = {
  polite: required(flag),
  onOffer: callback,
  maxQueued: integer(1),
  maxHeld: integer(0),
};

const DEFAULT_MAX_QUEUED = 1000;
const DEFAULT_MAX_HELD = 100;

/** How many of each there were. */
export interface PerfectNegotiatorCounters {
  /** Offers of the peer's that crossed ours and were passed over, and candidates that came with them. */
  readonly offersIgnored: number;
  readonly offerCandidatesIgnored: number;
  /** Offers of ours that were taken back because the peer's crossed them. */
  readonly offersRolledBack: number;
  /** Answers to no offer that is out. */
  readonly answersIgnored: number;
  /** Signals of the peer's that are none, or that were refused. */
  readonly signalsRefused: number;
  /** Signals that came twice, or too late. */
  readonly signalsRepeated: number;
  /** Signals that never came in their turn. */
  readonly signalsMissed: number;
  /** Candidates of ours that nobody has polled. */
  readonly candidatesDropped: number;
}

/** What a `PerfectNegotiator` shows: plain, JSON-safe data. */
export interface PerfectNegotiatorInspection extends PerfectNegotiatorCounters {
  readonly polite: boolean;
  /** An offer of ours is out. */
  readonly offering: boolean;
  /** The last offer of the peer's was passed over. */
  readonly ignoring: boolean;
  /** Signals that wait to be polled. */
  readonly queued: number;
  /** Signals that wait for an earlier one. */
  readonly held: number;
}

/**
 * Negotiates for one `Rtc`, which nobody else does then.
 *
 * ```ts
 * const negotiator = new PerfectNegotiator(rtc, { polite: true });
 * negotiator.draft.addChannel('chat');
 * negotiator.negotiate();
 *
 * negotiator.handleEvent(event); // every event of rtc's
 * negotiator.handleSignal(JSON.parse(message)); // every message of the peer's
 * for (let signal = negotiator.pollSignal(); signal !== undefined; signal = negotiator.pollSignal()) {
 *   sendToPeer(JSON.stringify(signal));
 * }
 * ```
 */
export class PerfectNegotiator {
  readonly #rtc: Rtc;
  readonly #polite: boolean;
  readonly #onOffer: ((offer: ReceivedOffer) => void) | undefined;
  /** Offers are bounded by what this end wishes for, answers and candidates by `maxQueued`. */
  readonly #queue = new BoundedQueue<Signal>(Infinity);
  readonly #maxQueued: number;
  readonly #maxHeld: number;
  readonly #held = new Map<number, Signal>();
  #nextSent = 0;
  #nextReceived = 0;
  #draft: OfferDraft;
  /** `negotiate` was called, and the draft is not offered yet. */
  #isWanted = false;
  #pending: PendingOffer | undefined;
  /** Of the last offer, if it was passed over. */
  #ignoredFragments: ReadonlySet<string> | undefined;
  /** The section that candidates of ours are said to be of; `undefined` before the first description. */
  #place: { readonly mid: string | undefined; readonly mLineIndex: number } | undefined;
  readonly #counters: { -readonly [Name in keyof PerfectNegotiatorCounters]: number } = {
    offersIgnored: 0,
    offerCandidatesIgnored: 0,
    offersRolledBack: 0,
    answersIgnored: 0,
    signalsRefused: 0,
    signalsRepeated: 0,
    signalsMissed: 0,
    candidatesDropped: 0,
  };

  /** Throws `ERR_BAD_ARGUMENT` for options that are none, `ERR_INVALID_STATE` for an `Rtc` that is closed. */
  constructor(rtc: Rtc, options: PerfectNegotiatorOptions) {
    checkOptions('PerfectNegotiator', options, PERFECT_NEGOTIATOR_RULES);
    this.#rtc = rtc;
    this.#polite = options.polite;
    this.#onOffer = options.onOffer;
    this.#maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED;
    this.#maxHeld = options.maxHeld ?? DEFAULT_MAX_HELD;
    this.#draft = rtc.negotiation();
  }

  // --- this end ---

  /** What the next offer will be for: add media and channels, change and stop media, then call `negotiate`. */
  get draft(): OfferDraft {
    return this.#draft;
  }

  /**
   * Offers what the draft has, now or as soon as no other offer is out. Throws as `OfferDraft.offer` does, for what cannot be
   * offered.
   */
  negotiate(): void {
    this.#isWanted = true;
    this.#offerWished();
  }

  // --- the Rtc ---

  /** Takes every event of the `Rtc`'s: what it needs to negotiate, and the candidates it finds. */
  handleEvent(event: RtcEvent): void {
    switch (event.type) {
      case 'negotiationneeded':
        // Told while an offer is out it is told again, if that offer does not settle it.
        if (this.#rtc.signalingState === 'stable') this.negotiate();
        return;
      case 'icecandidate':
        this.#sendCandidate(event.candidate);
        return;
      case 'icegatheringstatechange':
        if (event.state === 'complete') this.#sendCandidate(undefined);
        return;
      case 'closed':
        this.#queue.clear();
        this.#held.clear();
        this.#pending = undefined;
        return;
      default:
    }
  }

  // --- the peer ---

  /**
   * Takes a signal of the peer's. What is wrong with it, or with signals that waited for it, is answered and counted, and never
   * thrown: the peer decides that. `SdpRefusal` is a description or candidate that was refused, `ERR_BAD_ARGUMENT` a value that is
   * no signal, `ERR_LIMIT` an offer while nobody polls, `ERR_INVALID_STATE` one that makes no sense now.
   *
   * An answer that is refused leaves our offer out: the peer believes it answered, so the connection is best closed.
   */
  handleSignal(signal: unknown): readonly RtcError[] {
    const read = readSignal(signal);
    if (read instanceof RtcError) {
      this.#counters.signalsRefused++;
      return [read];
    }
    const refusals: RtcError[] = [];
    for (const next of this.#inOrder(read)) {
      const refusal = this.#judged(next);
      if (refusal === undefined) continue;
      this.#counters.signalsRefused++;
      refusals.push(refusal);
    }
    return refusals;
  }

  /** The next signal to send to the peer, the oldest first; `undefined` if there is none. */
  pollSignal(): Signal | undefined {
    return this.#queue.shift();
  }

  /** Shows it to people. */
  inspect(): PerfectNegotiatorInspection {
    return {
      polite: this.#polite,
      offering: this.#pending !== undefined,
      ignoring: this.#ignoredFragments !== undefined,
      queued: this.#queue.size,
      held: this.#held.size,
      ...this.#counters,
    };
  }

  // --- the order of signals ---

  /** The signals whose turn it is with this one. */
  *#inOrder(signal: Signal): Iterable<Signal> {
    const { sequence } = signal;
    if (sequence === undefined) {
      yield signal;
      return;
    }
    if (sequence < this.#nextReceived || this.#held.has(sequence)) {
      this.#counters.signalsRepeated++;
      return;
    }
    this.#held.set(sequence, signal);
    if (!this.#held.has(this.#nextReceived) && this.#held.size > this.#maxHeld) {
      const earliest = Math.min(...this.#held.keys());
      this.#counters.signalsMissed += earliest - this.#nextReceived;
      this.#nextReceived = earliest;
    }
    for (;;) {
      const next = this.#held.get(this.#nextReceived);
      if (next === undefined) return;
      this.#held.delete(this.#nextReceived);
      this.#nextReceived++;
      yield next;
    }
  }

  // --- descriptions ---

  /** Does what a signal says. An error of this end's own hook is thrown, anything else answered. */
  #judged(signal: Signal): RtcError | undefined {
    if (this.#rtc.signalingState === 'closed') {
      return new RtcError('ERR_INVALID_STATE', 'this Rtc is closed');
    }
    if ('candidate' in signal) return refusalOf(() => this.#receiveCandidate(signal));
    const { type, sdp } = signal.description;
    return type === 'offer' ? this.#receiveOffer(sdp) : refusalOf(() => this.#receiveAnswer(type, sdp));
  }

  #receiveOffer(sdp: string): RtcError | undefined {
    if (this.#pending !== undefined && !this.#polite) {
      this.#counters.offersIgnored++;
      this.#ignoredFragments = fragmentsIn(sdp);
      return undefined;
    }
    if (this.#queue.size >= this.#maxQueued) {
      return new RtcError(
        'ERR_LIMIT',
        'an offer is not answered while nobody polls for signals ("maxQueued")',
      );
    }
    this.#ignoredFragments = undefined;
    let received: ReceivedOffer | undefined;
    const refusal = refusalOf(() => {
      received = this.#judgedOffer(sdp);
    });
    return received === undefined ? refusal : this.#answer(received);
  }

  /**
   * Where the offer crosses ours: an Rtc that is polite itself judges it first, and takes its own back with the answer; of any other one
   * ours is taken back now, unless the peer's is no description at all.
   */
  #judgedOffer(sdp: string): ReceivedOffer {
    try {
      return this.#rtc.receiveOffer(sdp);
    } catch (error) {
      const isGlare = error instanceof SdpRefusal && error.sdpCode === 'glare';
      if (!isGlare || this.#pending === undefined) throw error;
    }
    const session = parseSdp(sdp);
    if (isSdpError(session)) throw new SdpRefusal(session);
    // The Rtc keeps what was wished for, and says `negotiationneeded` once it can be offered again.
    this.#pending.rollback({ keepWishes: true });
    this.#pendingIsOver();
    return this.#rtc.receiveOffer(sdp);
  }

  #answer(received: ReceivedOffer): RtcError | undefined {
    this.#onOffer?.(received);
    return refusalOf(() => {
      const sdp = received.answer();
      if (this.#pending !== undefined) this.#pendingIsOver();
      this.#place = received;
      this.#send({ description: { type: 'answer', sdp } });
      this.#offerWished();
    });
  }

  /** Our offer has given way to the peer's. */
  #pendingIsOver(): void {
    this.#pending = undefined;
    this.#counters.offersRolledBack++;
  }

  #receiveAnswer(type: 'answer' | 'pranswer', sdp: string): void {
    if (this.#pending === undefined) {
      this.#counters.answersIgnored++;
      return;
    }
    if (type === 'pranswer') {
      this.#pending.acceptProvisional(sdp);
      return;
    }
    this.#pending.accept(sdp);
    this.#pending = undefined;
    // The peer has given way: what it said with its own offer is past.
    this.#ignoredFragments = undefined;
    this.#offerWished();
  }

  #offerWished(): void {
    if (!this.#isWanted || this.#rtc.signalingState !== 'stable') return;
    this.#isWanted = false;
    const pending = this.#draft.offer();
    this.#draft = this.#rtc.negotiation();
    this.#pending = pending;
    this.#place = pending;
    this.#send({ description: { type: 'offer', sdp: pending.sdp } });
  }

  // --- candidates ---

  #receiveCandidate({ candidate }: CandidateSignal): void {
    const fragment = candidate?.usernameFragment;
    if (
      typeof fragment === 'string' &&
      this.#ignoredFragments?.has(fragment) === true &&
      fragment !== this.#rtc.remoteUsernameFragment
    ) {
      this.#counters.offerCandidatesIgnored++;
      return;
    }
    this.#rtc.addRemoteCandidate(candidate);
  }

  /** A candidate of ours, or that there are no more. What comes before the first description stands in that. */
  #sendCandidate(found: IceCandidate | undefined): void {
    if (this.#place === undefined) return;
    if (this.#queue.size >= this.#maxQueued) {
      this.#counters.candidatesDropped++;
      return;
    }
    const { mid, mLineIndex } = this.#place;
    const candidate =
      found === undefined
        ? { candidate: '', sdpMid: mid ?? null, sdpMLineIndex: mLineIndex }
        : candidateInit(found, mid, mLineIndex);
    this.#send({ candidate });
  }

  #send(signal: Signal): void {
    this.#queue.push({ ...signal, sequence: this.#nextSent });
    this.#nextSent++;
  }
}

/** The error that a call throws: what the peer has said, nobody is to catch. */
function refusalOf(call: () => void): RtcError | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof RtcError) return error;
    throw error;
  }
  return undefined;
}

/** The username fragments of an offer; none, if it cannot be read. */
function fragmentsIn(sdp: string): ReadonlySet<string> {
  const session = parseSdp(sdp);
  if (isSdpError(session)) return new Set();
  const levels = [session, ...session.media];
  return new Set(levels.flatMap(({ lines }) => attributes(lines, 'ice-ufrag').map(({ value }) => value)));
}
