/**
 * Rtc: one WebRTC peer connection as a pure state machine, and the clock of its calls.
 *
 * A drain gives events first, then datagrams, so that what the host does about an event travels with the
 * acknowledgement of it; `closed` comes after the last datagram. What is due is run before the drain ends, so the
 * deadline is always in the future.
 *
 * Calls without a time act at the last time seen. After a drain that time is stale, so such calls only change queues; what arms
 * a deadline or takes a measurement waits for the next input, a millisecond away at the most. A host that calls from outside
 * its receive loop feeds `{ type: 'timeout', now }` before it drains and waits for nothing; drivers and `Endpoint` do that
 * for their users.
 */
import type { ChannelDraft, DataChannel, DataChannelOptions } from './channel/index.ts';
import type { Protocol, TransportAddress } from './core/address.ts';
import { bytesOf } from './core/bytes.ts';
import type { Clock } from './core/clock.ts';
import { RtcError, badArgument } from './core/errors.ts';
import { checkFields } from './core/options.ts';
import type { RandomSource } from './core/random.ts';
import { randomUnit, splitRandom } from './core/random.ts';
import type { Fingerprint } from './dtls/index.ts';
import type {
  IceCandidate,
  IceCandidateError,
  IceGatheringState,
  IceParameters,
  IcePath,
  IceState,
  LocalCandidateAddress,
  LocalCandidateInit,
} from './ice/index.ts';
import { ICE_CANDIDATE_ERROR_RULES, ICE_GATHERING_STATES } from './ice/index.ts';
import type { RtpSender } from './media/index.ts';
import type { LocalEnd, MediaPlan, SignalingState } from './negotiation/index.ts';
import { createNegotiation } from './negotiation/index.ts';
import type { ConnectionState, Input, Output, PathAddresses, RtcEvent } from './rtc/contract.ts';
import type { PathUse } from './transport/index.ts';
import type { RtcOptions } from './rtc/options.ts';
import { NextCredentials, RestartBudget } from './rtc/ice-restart.ts';
import { SCTP_PORT, rtcSettings } from './rtc/options.ts';
import type { Media } from './rtc/signaling/media.ts';
import type { OfferDraft } from './rtc/signaling/offer-draft.ts';
import type { ReceivedOffer } from './rtc/signaling/received-offer.ts';
import type { SignalingStep } from './rtc/signaling/host.ts';
import type { SignalingInspection } from './rtc/signaling/signaling.ts';
import { Signaling } from './rtc/signaling/signaling.ts';
import type {
  DataParameters,
  RemoteCandidate,
  RemoteDescription,
  TransportParameters,
} from './rtc/parameters.ts';
import {
  checkMessageSize,
  checkedDataParameters,
  checkedIceParameters,
  checkedParameters,
  readCandidate,
} from './rtc/parameters.ts';
import type { StackInspection } from './rtc/inspection.ts';
import { checkBitrate, checkedMedia } from './rtc/media-plans.ts';
import { Session } from './rtc/session.ts';
import { ProtocolStack } from './rtc/stack.ts';
import { CandidateIds } from './rtc/stats/candidate-ids.ts';
import type { RTCStatsReport } from './rtc/stats/report.ts';
import { statsReport } from './rtc/stats/report.ts';
import type { TraceListener, TraceOptions } from './rtc/tracer/entry.ts';
import { Tracer } from './rtc/tracer/tracer.ts';

export type { IcePath } from './ice/index.ts';
export type * from './rtc/contract.ts';
export { IDLE_TIMERS } from './rtc/contract.ts';
export type { RtcOptions } from './rtc/options.ts';
export { RTC_OPTION_RULES } from './rtc/options.ts';
export type { Media } from './rtc/signaling/media.ts';
export type { MediaEncodingInit, MediaInit } from './rtc/signaling/media-init.ts';
export type { OfferDraft } from './rtc/signaling/offer-draft.ts';
export type { PendingOffer, RollbackOptions, WrittenOffer } from './rtc/signaling/pending-offer.ts';
export type { OfferedMediaHandle, ReceivedOffer } from './rtc/signaling/received-offer.ts';
export type { SignalingInspection } from './rtc/signaling/signaling.ts';
export { SdpRefusal } from './rtc/refusal.ts';
export type {
  DataParameters,
  RemoteCandidate,
  RemoteDescription,
  TransportParameters,
} from './rtc/parameters.ts';
export type { StackInspection } from './rtc/inspection.ts';
export type { RTCIceCandidatePairStats } from './rtc/stats/candidate-pair.ts';
export type { RTCIceCandidateStats } from './rtc/stats/candidate.ts';
export type { RTCCertificateStats } from './rtc/stats/certificate.ts';
export type { RTCDataChannelStats } from './rtc/stats/data-channel.ts';
export type { RTCPeerConnectionStats } from './rtc/stats/peer-connection.ts';
export type { RTCStats, RTCStatsReport } from './rtc/stats/report.ts';
export type { RTCTransportStats } from './rtc/stats/transport.ts';
export type { PathUse } from './transport/index.ts';
export type { ConnectionGate } from './rtc/gates.ts';
export type { StackCounter } from './rtc/inspection.ts';
export type { MediaEvent } from './rtc/signaling/media.ts';
export type { DraftMark, Wishes, Wishing } from './rtc/signaling/wishes.ts';
export type { CallMembers, CallName, OfSender, TraceCall, TraceChannel } from './rtc/calls.ts';
export type { OfDraft, OfMedia, TraceMedia } from './rtc/signaling/calls.ts';
export type { TransportCounter } from './transport/index.ts';
export { datagramKind } from './transport/index.ts';
export type * from './rtc/tracer/entry.ts';

/** How far behind the caller's clock a call outside the receive loop may leave its effects, in milliseconds. */
const STALE_CLOCK_DELAY = 1;

/** Rounds of due timers at one instant before we call it our own bug: every layer re-arms in the future. */
const MAX_ROUNDS_AT_ONE_INSTANT = 100;

/** What this end tells the peer, for signalling without SDP. */
export interface LocalParameters {
  readonly ice: IceParameters;
  readonly fingerprints: readonly Fingerprint[];
  readonly sctpPort: number;
  readonly maxMessageSize: number;
}

/** What `Rtc.inspect` shows: the whole connection as plain, JSON-safe data without secrets. */
export interface RtcInspection extends StackInspection {
  /** The last time seen, milliseconds on the caller's clock. */
  readonly now: number;
  /** When the machine wants to be woken, and by which timer; `null` for never (JSON has no Infinity). */
  readonly timeout: { readonly at: number | null; readonly reason: string };
  readonly negotiation: SignalingInspection;
  readonly iceGatheringState: IceGatheringState;
  /** Inputs whose time was earlier than one seen before. */
  readonly clockWentBackwards: number;
  /**
   * Candidates of the peer's that are of no use: a transport, a type or a component that is not known, a username fragment
   * that can be nobody's, or more of them at once than calls may wait for the time.
   */
  readonly candidatesIgnored: number;
  /** Candidates of the peer's that came when the connection was over. */
  readonly candidatesAfterEnd: number;
  /** Restarts of ICE by the peer beyond `maxRestartsPerMinute`. */
  readonly restartsRefused: number;
  /** Calls that wait for the time. */
  readonly deferred: number;
}

/**
 * One WebRTC peer connection. No socket, no timer, no clock, no hidden randomness. Its methods come in families:
 *
 * - addresses: `addLocalCandidate`, `removeLocalCandidate`, `addRemoteCandidate`, `localCandidates`; who gathers says so by
 *   `setGatheringState`, `reportCandidateError`
 * - signalling: `negotiation`, `receiveOffer`, `media`, `restartIce`; without SDP `localParameters`, `start`, `setRemoteIceParameters`,
 *   `openData`, `closeData`, `setRemoteMaxMessageSize`, `setMedia`
 * - channels: `createChannel`
 * - the poll contract: `handleInput`, `pollOutput`
 * - the end: `shutdown`, `close`
 * - how it is: `connectionState` and its like, `getStats`, `inspect`, `setTrace`
 * - for endpoints and drivers: `onWake`, `onError`, `onEvent`, `sendPath`, `isValidPath` and its like, `setPathHeld`, `isEmpty`,
 *   `pathUse`, `connectionId`, `remoteUsernameFragment`, `isControlling`
 *
 * ```ts
 * const rtc = new Rtc({ certificate });
 * rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port });
 * const answer = rtc.receiveOffer(offer).answer(); // or: draft = rtc.negotiation(), draft.offer(), offer.accept(answer)
 *
 * rtc.handleInput({ type: 'receive', now, protocol, source, destination, data }); // or { type: 'timeout', now }
 * for (;;) {
 *   const output = rtc.pollOutput();
 *   if (output.type === 'transmit') send(output);
 *   else if (output.type === 'event') react(output.event);
 *   else {
 *     schedule(output.at);
 *     break;
 *   }
 * }
 * ```
 */
export class Rtc {
  /** Called when an API call outside of a drain has made work. For endpoints and drivers. */
  onWake: (() => void) | undefined;
  /**
   * Told what a trace listener throws; tracing ends with it. For endpoints and drivers. Without it what a listener throws
   * goes through the call that it was told of.
   */
  onError: ((error: unknown) => void) | undefined;
  /**
   * Told of each event that `pollOutput` answers, before it does: for `sansrtc/streams`, so that no host has to pass events on.
   * It must not throw.
   */
  onEvent: ((event: RtcEvent) => void) | undefined;
  /** Called when the username fragments that the peer may address (`usernameFragments`) have changed. For endpoints. */
  onUsernameFragments: (() => void) | undefined;
  readonly #stack: ProtocolStack;
  readonly #session: Session;
  readonly #signaling: Signaling;
  readonly #local: Omit<LocalParameters, 'ice'>;
  readonly #nextCredentials: NextCredentials;
  readonly #restartBudget: RestartBudget;
  readonly #strict: boolean;
  readonly #acceptAnyFingerprint: boolean;
  #tracer: Tracer | undefined;
  #candidatesAfterEnd = 0;
  /** Of the candidates that `getStats` has shown. */
  #candidateIds: CandidateIds | undefined;
  #gatheringState: IceGatheringState = 'new';
  /** True if a call has made work that waits for a fresh time. */
  #stirred = false;

  /** Throws `ERR_BAD_ARGUMENT` for an option out of its range. */
  constructor(options: RtcOptions) {
    const settings = rtcSettings(options);
    this.#strict = settings.strictSdp;
    this.#acceptAnyFingerprint = options.dtls?.dangerouslyAcceptAnyFingerprint ?? false;
    this.#stack = new ProtocolStack(
      settings,
      this,
      () => {
        this.#stir();
      },
      () => {
        this.#session.restartFailed();
        // The peer knows credentials that are no longer answered: the next offer has new ones.
        this.#signaling.wantRestart();
        this.onUsernameFragments?.();
      },
    );
    this.#restartBudget = new RestartBudget(settings.maxRestartsPerMinute);
    this.#nextCredentials = new NextCredentials(
      splitRandom(settings.random, 'restart'),
      options.ice?.usernameFragment,
    );
    this.#session = new Session(this.#stack, this.#nextCredentials, {
      stir: () => {
        this.#stir();
      },
      usernameFragmentsChanged: () => {
        this.onUsernameFragments?.();
      },
    });
    this.#local = {
      fingerprints: [options.certificate.fingerprint],
      sctpPort: SCTP_PORT,
      maxMessageSize: settings.maxMessageSize,
    };
    const negotiation = createNegotiation({
      sessionId: sessionId(splitRandom(settings.random, 'sdp')),
      dtlsSetup: options.setup,
      strict: options.strictSdp,
      bundlePolicy: options.bundlePolicy,
      codecs: options.codecs,
      headerExtensions: options.headerExtensions,
      sources: settings.sources,
    });
    this.#signaling = new Signaling(negotiation, {
      polite: settings.polite,
      isOver: () => this.#stack.end !== undefined,
      sender: (id, rid) => this.sender(id, rid),
      requestKeyframe: (id, rid) => this.requestKeyframe(id, rid),
      assertOpen: () => {
        this.#assertOpen();
      },
      localEnd: (restart) => this.#localEnd(restart),
      restartIce: (origin) => {
        if (origin === 'remote') this.#restartBudget.spend(this.#clock().now);
        this.#session.restartIce();
      },
      cancelIceRestart: () => {
        this.#session.cancelIceRestart();
      },
      admitsRestart: () => this.#restartBudget.admits(this.#clock().now),
      draftChannels: () => this.#stack.draftChannels(),
      createChannel: (channels, label, channelOptions, draft) =>
        this.#createChannel(channels, label, channelOptions, draft),
      hasChannels: () => this.#stack.hasChannels,
      onStep: (step) => {
        this.#onSignalingStep(step);
      },
      carryOut: (plan, isProvisional) => {
        this.#session.carryOut(plan, isProvisional);
      },
      tell: (event) => {
        this.#stack.tell(event);
        this.#stir();
      },
      onNeed: () => {
        this.#stir();
      },
      warn: ({ code, message }) => {
        this.#stack.warn({ layer: 'rtc', code, message });
      },
    });
  }

  // --- looking ---

  get connectionState(): ConnectionState {
    return this.#stack.connectionState;
  }

  get iceConnectionState(): IceState {
    return this.#stack.transport.iceState;
  }

  /** What `setGatheringState` was told: `new` where nobody gathers. */
  get iceGatheringState(): IceGatheringState {
    return this.#gatheringState;
  }

  get signalingState(): SignalingState {
    return this.#stack.end === undefined ? this.#signaling.state : 'closed';
  }

  /** This end's ICE credentials, those of the latest restart, certificate fingerprints and SCTP limits. */
  get localParameters(): LocalParameters {
    const current = this.#stack.transport.iceParameters;
    const latest = this.#session.restartCredentials;
    return { ice: latest === undefined ? current : { ...current, ...latest }, ...this.#local };
  }

  /** The username fragments that the peer's checks may be addressed to: ours, and during a restart those of before. */
  get usernameFragments(): readonly string[] {
    const fragments = this.#stack.transport.usernameFragments;
    const latest = this.#session.restartCredentials;
    return latest === undefined ? fragments : [latest.usernameFragment, ...fragments];
  }

  /** The peer's certificate, DER, once its DTLS has shown it; only `connectionState` says that it is the right one. */
  get remoteCertificate(): Uint8Array | undefined {
    return this.#stack.transport.remoteCertificate;
  }

  /** SHA-256 of `remoteCertificate`: who has come, where `dtls.dangerouslyAcceptAnyFingerprint` lets anybody in. */
  get remoteFingerprint(): Fingerprint | undefined {
    return this.#stack.transport.remoteFingerprint;
  }

  get localCandidates(): readonly IceCandidate[] {
    return this.#stack.transport.localCandidates;
  }

  /**
   * Bytes of memory that what was received and not taken, and what was accepted and not acknowledged, takes, with the objects
   * around it; of the channels, a rough share. O(1).
   */
  get bufferedBytes(): number {
    return this.#stack.bufferedBytes;
  }

  /** True once `closed` has been polled: nothing is queued or armed, and nothing will come out again. */
  get isEmpty(): boolean {
    return this.#stack.isEmpty;
  }

  /** Where data goes: the pair ICE has selected, before that the best valid one. The same object until that changes. */
  get sendPath(): IcePath | undefined {
    return this.#stack.transport.sendPath;
  }

  /** True if an integrity-checked STUN message has come over this path (RFC 8445 §7.3): addresses may be bound to it. */
  isAuthenticatedPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#stack.transport.isAuthenticatedPath(local, remote, protocol);
  }

  /** True if ICE holds this path valid: DTLS is taken from it, and may be sent over it. */
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#stack.transport.isValidPath(local, remote, protocol);
  }

  /**
   * When the peer last proved that it is at `remote`, milliseconds: the sending of our latest check over this path that
   * was answered; of a lite end, the arrival of its latest authentic check. `-Infinity`: never.
   */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    return this.#stack.transport.pathProvenAt(local, remote, protocol);
  }

  /**
   * For endpoints: whether this connection needs its paths to itself, or shares them with others that have connection ids, too.
   * `undecided` as long as the peer has not shown whether it has them.
   */
  get pathUse(): PathUse {
    return this.#stack.transport.pathUse;
  }

  /**
   * For endpoints: the connection id in what the peer sends (RFC 9146), once DTLS has begun; `undefined` where there is none. It is
   * chosen once. The bytes are not to be changed.
   */
  get connectionId(): Uint8Array | undefined {
    return this.#stack.transport.connectionId;
  }

  /** For endpoints: the peer's first username fragment, once it is known: ICE restarts do not change it. */
  get remoteUsernameFragment(): string | undefined {
    return this.#stack.transport.remoteUsernameFragment;
  }

  /** For endpoints: true for the end that chooses the pair. */
  get isControlling(): boolean {
    return this.#stack.transport.iceRole === 'controlling';
  }

  /** Every state, timer, queue size and counter, as one plain JSON-safe object. It holds no secrets. */
  inspect(): RtcInspection {
    const at = this.#stack.nextTimeout();
    return {
      now: this.#clock().now,
      negotiation: this.#signaling.inspect(),
      iceGatheringState: this.#gatheringState,
      timeout: { at: at === Infinity ? null : at, reason: this.#stack.timeoutReason() },
      clockWentBackwards: this.#clock().wentBackwards,
      candidatesIgnored: this.#session.candidatesIgnored,
      candidatesAfterEnd: this.#candidatesAfterEnd,
      restartsRefused: this.#restartBudget.refused,
      deferred: this.#session.deferred,
      ...this.#stack.inspect(),
    };
  }

  /**
   * W3C `getStats()`: the stats objects of the connection, its transport, certificates, candidates, pairs and channels as they are now,
   * by ids that stay (docs/operations.md). Times are milliseconds on the caller's clock. It changes nothing, and what it tells is
   * counted whether it is called or not. After the end it answers what was counted last; channels, all closed, are not in it.
   */
  getStats(): RTCStatsReport {
    this.#candidateIds ??= new CandidateIds();
    const { now } = this.#clock();
    return statsReport(this.#stack.stats(now), this.#candidateIds, now);
  }

  /**
   * What must hold after a drain and does not, as a sentence; `undefined` while all is well. `sansrtc/sim` asks after
   * every step.
   */
  invariantViolation(): string | undefined {
    if (this.#session.deferred > 0 && !this.#stirred)
      return 'calls wait for the time, and it is not asked for';
    // What a call outside of a drain has brought about is carried at the time that it has asked for.
    if (this.#stack.hasUncarried && !this.#stirred)
      return 'a layer has said something, and nobody has carried it';
    return this.#stack.invariantViolation();
  }

  /**
   * Tells `listener` of every input, call, output, plaintext packet, timer, state change and drop as it happens, as
   * plain data (docs/trace.md); `undefined` ends it. Without a listener tracing costs nothing.
   */
  setTrace(listener: TraceListener | undefined, options: TraceOptions = {}): void {
    const tracer =
      listener === undefined ? undefined : new Tracer(this.#guarded(listener), options, () => this.inspect());
    this.#tracer = tracer;
    this.#stack.tap = tracer;
    this.#stack.onChannelCall =
      tracer === undefined ? undefined : (channel, call) => tracer.channelCall(channel, call);
    this.#stack.onSenderCall =
      tracer === undefined ? undefined : (sender, call) => tracer.senderCall(sender, call);
  }

  // --- what the endpoint says ---

  /**
   * For endpoints: another connection of this host has taken `path`, or this one has it again. The former is told as a
   * warning, `path-taken-over`, and if it ends this connection the reason says so.
   */
  setPathHeld(path: PathAddresses, held: boolean): void {
    this.#stack.setPathHeld(path, held);
    this.#tracer?.call({ method: 'setPathHeld', path, held });
    this.#stir();
  }

  /** What calls `listener`; a throw of its ends tracing and is reported to `onError`. */
  #guarded(listener: TraceListener): TraceListener {
    let failed = false;
    return (entry) => {
      if (failed) return;
      try {
        listener(entry);
      } catch (error) {
        if (this.onError === undefined) throw error;
        failed = true;
        this.setTrace(undefined);
        this.onError(error);
      }
    };
  }

  // --- candidates ---

  /**
   * Adds an address datagrams can arrive at and leave from. Throws `ERR_BAD_ARGUMENT` for something that is no IP
   * address, `ERR_LIMIT` over the agent's limit.
   * @returns the candidate as the peer must learn it; `writeCandidateLine` of `sansrtc/sdp` makes its SDP line.
   */
  addLocalCandidate(init: LocalCandidateInit): IceCandidate {
    this.#assertOpen();
    const known = this.localCandidates.length;
    const candidate = this.#stack.addLocalCandidate(init);
    // What the policy keeps to ourselves, or was known before, is nothing to tell.
    if (this.#gatheringState !== 'new' && this.localCandidates.length > known) {
      const { usernameFragment } = this.#stack.transport.iceParameters;
      this.#stack.tell({ type: 'icecandidate', candidate: { ...candidate, usernameFragment } });
    }
    this.#tracer?.call({ method: 'addLocalCandidate', candidate: init });
    this.#stir();
    return candidate;
  }

  /**
   * An address is gone: the candidate of this name goes, or all on the base of this name. @returns false, and nothing changes, if
   * there was none. Throws `ERR_BAD_ARGUMENT` for what names none.
   */
  removeLocalCandidate(address: LocalCandidateAddress): boolean {
    if (this.#stack.end !== undefined || !this.#stack.removeLocalCandidate(address)) return false;
    this.#tracer?.call({ method: 'removeLocalCandidate', address });
    this.#stir();
    return true;
  }

  /**
   * For whoever gathers: servers are asked for addresses, or all of them have answered. From `gathering` on each candidate that
   * is added is told by an event `icecandidate`; descriptions made after `complete` say that no more will come. Throws
   * `ERR_BAD_ARGUMENT` for what is no state.
   */
  setGatheringState(state: IceGatheringState): void {
    if (!ICE_GATHERING_STATES.includes(state)) throw badArgument('state', 'an RTCIceGatheringState', state);
    if (this.#stack.end !== undefined || state === this.#gatheringState) return;
    this.#gatheringState = state;
    this.#stack.tell({ type: 'icegatheringstatechange', state });
    this.#tracer?.call({ method: 'setGatheringState', state });
    this.#stir();
  }

  /** For whoever gathers: a server gave no candidate, which is told by an event. Throws `ERR_BAD_ARGUMENT` for what is none. */
  reportCandidateError(error: IceCandidateError): void {
    checkFields('error', error, ICE_CANDIDATE_ERROR_RULES);
    if (this.#stack.end !== undefined) return;
    const { url, errorCode, errorText, address, port } = error;
    this.#stack.tell({ type: 'icecandidateerror', url, errorCode, errorText, address, port });
    this.#tracer?.call({ method: 'reportCandidateError', error });
    this.#stir();
  }

  /**
   * Adds a candidate of the peer's: an object, a line (`candidate:…`, with or without `a=`), or the
   * `RTCIceCandidateInit` browsers signal. `null`, `{}` and an empty line mean that no more will come. What is of no use
   * is ignored and counted (`candidatesIgnored`), as is what comes after the end (`candidatesAfterEnd`): both are up to the
   * peer. Throws `SdpRefusal` (`ERR_SDP`) for a line that is none, `ERR_BAD_ARGUMENT` for any other thing that is none.
   */
  addRemoteCandidate(candidate: RemoteCandidate): void {
    this.#addRemoteCandidate(candidate);
    this.#tracer?.call({ method: 'addRemoteCandidate', candidate });
  }

  // --- signalling ---

  /** A draft of an offer: add channels and media to it, then `offer()`. Any number of them may be about. */
  negotiation(): OfferDraft {
    this.#assertOpen();
    return this.#signaling.draft();
  }

  /** Audio and video that live, ours from their offer on, the peer's from our answer on, in the order in which they came to be. */
  get media(): readonly Media[] {
    return this.#signaling.media.live;
  }

  /**
   * Validates an offer, its text or W3C's `{ type: 'offer', sdp }`; it never waits and changes nothing. `.answer()` commits
   * and gives the answer's SDP. While an offer of ours is out the peer's is refused (`glare`), unless this end is `polite`. Throws `SdpRefusal` (`ERR_SDP`, with code, line and mid) for an offer that must be refused,
   * `ERR_BAD_ARGUMENT` for something that is none.
   */
  receiveOffer(offer: RemoteDescription): ReceivedOffer {
    this.#assertOpen();
    return this.#signaling.receiveOffer(offer);
  }

  /**
   * Starts with the peer's parameters, without SDP. Once; throws `ERR_INVALID_STATE` after that, `ERR_BAD_ARGUMENT` for
   * parameters that are none.
   */
  start(parameters: TransportParameters): void {
    this.#assertOpen();
    if (this.#session.isStarted) throw new RtcError('ERR_INVALID_STATE', 'this Rtc has started already');
    const judged = checkedParameters(parameters, this.#acceptAnyFingerprint);
    this.#session.start(judged);
    this.#tracer?.call({ method: 'start', parameters: judged });
  }

  /**
   * Restarts ICE (W3C `restartIce`, RFC 8445 §9): after a change of network, or when the state has become `failed`. The next
   * offer has new credentials, `negotiation().offer()` makes it; the pair in use carries data until a new one is selected. Before
   * the first exchange there is nothing to restart. Without SDP it happens at once: tell the peer `localParameters.ice`, which
   * gives it to `setRemoteIceParameters`, and so do you with what it replies.
   */
  restartIce(): void {
    this.#assertOpen();
    if (!this.#session.isStarted) return;
    this.#tracer?.call({ method: 'restartIce' });
    if (this.#signaling.hasAgreement) this.#signaling.wantRestart();
    else this.#session.restartIce();
    this.#stir();
  }

  /**
   * The peer's new ICE credentials, where there is no SDP. If it is the peer that restarts, this end does, too: its own new ones
   * are in `localParameters.ice`. The same ones again change nothing. Throws `ERR_BAD_ARGUMENT` for credentials that are none,
   * `ERR_INVALID_STATE` before `start`, `ERR_LIMIT` where the peer restarts more often than `maxRestartsPerMinute`.
   */
  setRemoteIceParameters(parameters: IceParameters): void {
    this.#assertOpen();
    const ice = checkedIceParameters(parameters);
    this.#assertStarted();
    if (this.#session.isRemoteIce(ice)) return;
    if (!this.#session.awaitsRemoteIce) {
      const { now } = this.#clock();
      if (!this.#restartBudget.admits(now))
        throw new RtcError('ERR_LIMIT', 'the peer has restarted ICE as often as "maxRestartsPerMinute" says');
      this.#restartBudget.spend(now);
      this.#session.restartIce();
    }
    this.#session.setRemoteIceParameters(ice);
    this.#tracer?.call({ method: 'setRemoteIceParameters', parameters: ice });
  }

  /**
   * Data channels, where `start` has brought none or `closeData` has ended them: an association is set up as soon as the path is
   * there, and channels open. Without SDP both ends call it, in any order. Throws `ERR_BAD_ARGUMENT` for parameters that are
   * none, `ERR_INVALID_STATE` before `start`, and where there are data channels.
   */
  openData(parameters: DataParameters = {}): void {
    this.#assertStarted();
    const data = checkedDataParameters(parameters);
    if (this.#session.hasLivingData)
      throw new RtcError('ERR_INVALID_STATE', 'this Rtc has data channels already');
    this.#session.openData(data);
    this.#tracer?.call({ method: 'openData', parameters: data });
  }

  /**
   * No data channels any more; the connection goes on. The association ends with an ABORT, every channel closes, also those that
   * wait for one, with the failure `data-closed`. Channels made afterwards wait for the next `openData`. Of a peer that is no
   * sansrtc, and has no media, the connection may end with its association. Throws `ERR_INVALID_STATE` before `start`.
   */
  closeData(): void {
    this.#assertStarted();
    this.#session.closeData();
    this.#tracer?.call({ method: 'closeData' });
  }

  /**
   * The largest message that the peer takes from now on, bytes; `Infinity`: no limit. Throws `ERR_BAD_ARGUMENT` for what is no size,
   * `ERR_INVALID_STATE` where there are no data channels.
   */
  setRemoteMaxMessageSize(size: number): void {
    this.#assertStarted();
    checkMessageSize(size);
    if (!this.#session.hasData) throw new RtcError('ERR_INVALID_STATE', 'this Rtc has no data channels');
    this.#session.setRemoteMaxMessageSize(size);
    this.#tracer?.call({ method: 'setRemoteMaxMessageSize', size });
  }

  /**
   * What media the ends have agreed on (`inspect().media`), carried from now on where the connection was given media; otherwise RTP is
   * dropped and counted (`droppedRtp`). A connection that has media outlives its data channels. Throws `ERR_BAD_ARGUMENT` for
   * plans that are none.
   */
  setMedia(plans: readonly MediaPlan[]): void {
    this.#assertOpen();
    const media = checkedMedia(plans);
    this.#session.setMedia(media);
    this.#tracer?.call({ method: 'setMedia', plans: media });
  }

  // --- media ---

  /**
   * What sends of the media `mediaId`, of its encoding `rid` where there are several: the same object for as long as these live.
   * `undefined`: there is none, or the connection was given no media.
   */
  sender(mediaId: number, rid?: string): RtpSender | undefined {
    return this.#stack.sender(mediaId, rid);
  }

  /**
   * Asks the peer for a keyframe of the media `mediaId`, of its encoding `rid` where several come. Requests are repeated until one has
   * come, or `keyframeTimeout` is over (`keyframetimeout`). @returns false: nothing of the kind is agreed on, or heard
   */
  requestKeyframe(mediaId: number, rid?: string): boolean {
    const isAsked = this.#stack.requestKeyframe(mediaId, rid);
    if (!isAsked) return false;
    this.#stir();
    this.#tracer?.call({ method: 'requestKeyframe', mediaId, rid });
    return true;
  }

  /**
   * Tells the peer how much this end can receive (REMB). @param bitrate bits per second
   * @returns false: it is not agreed on
   */
  sendRemb(bitrate: number): boolean {
    checkBitrate(bitrate);
    const isSent = this.#stack.sendRemb(bitrate);
    if (!isSent) return false;
    this.#stir();
    this.#tracer?.call({ method: 'sendRemb', bitrate });
    return true;
  }

  // --- channels ---

  /**
   * Creates a data channel; it opens by itself once the transport is up. Defaults: ordered, reliable, id by role.
   *
   * Throws `ERR_BAD_ARGUMENT` for options out of range and a negotiated `id` that another channel of ours has, `ERR_LIMIT`
   * when our own channels are as many as may be, `ERR_INVALID_STATE` after `close()`. Where the peer has a part in it the
   * channel fails instead, at once (`channelerror`, `channelclose`): its channels take the places, it has no stream left, it has
   * opened the negotiated `id` itself. If it has ended the connection, the channel is `closed` already, and no event follows.
   */
  createChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    return this.#createChannel(this.#stack, label, options);
  }

  // --- the contract ---

  /**
   * Feeds one datagram, the reply to a `resolve`, or the time. Never throws because of bytes from the network; `ERR_BAD_ARGUMENT` for `data` that is none
   * at all. A buffer or another view of one than a Uint8Array, and one of another realm, is taken for its bytes.
   */
  handleInput(given: Input): void {
    const input = given.type === 'receive' ? withBytes(given) : given;
    this.#tracer?.input(input);
    if (this.#stack.end !== undefined) return;
    this.#stack.advance(input.now);
    this.#session.catchUp();
    if (!this.#session.isStarted) this.#stack.awaitSignaling();
    if (input.type === 'receive') this.#stack.receive(input, input.data, input.owned);
    else if (input.type === 'resolved') this.#stack.handleResolved(input.name, input.addresses);
    if (this.#stack.nextTimeout() <= this.#clock().now) this.#stack.handleTimeout();
    this.#tracer?.compare();
  }

  /** What to do next; call until it answers `timeout`. */
  pollOutput(): Output {
    const output = this.#nextOutput();
    this.#tracer?.output(output);
    if (output.type === 'event') this.onEvent?.(output.event);
    return output;
  }

  /**
   * Ends the connection gracefully (RFC 9260 §9.2): nothing more is taken, what `send` has accepted is delivered and
   * acknowledged, then both ends close; `closed` with `local-close` says that it was. The gate `shutdown` bounds it: 30 s, 10 s
   * once all is delivered (`shutdown-timeout`). What has not been set up yet just closes. Calling it twice is fine.
   */
  shutdown(): void {
    if (this.#stack.end !== undefined) return;
    if (!this.#stack.transport.isSecured) {
      this.close();
      return;
    }
    this.#tracer?.call({ method: 'shutdown' });
    // What it arms is dated by the next input, as of any call without a time.
    this.#stack.shutdown();
    this.#stir();
  }

  /**
   * Ends the connection: SCTP ABORT and DTLS close_notify come out if there is a path, every channel ends, `closed` is
   * the last event. Everything else is released before this returns. Closing twice is fine.
   */
  close(): void {
    if (this.#stack.end !== undefined) return;
    this.#tracer?.call({ method: 'close' });
    this.#session.close();
    this.#signaling.close();
    this.#stack.close();
    this.onWake?.();
  }

  #nextOutput(): Output {
    for (let round = 0; ; round++) {
      const event = this.#stack.pollEvent() ?? this.#signaling.pollEvent();
      if (event !== undefined) return { type: 'event', event };
      // Farewells go whatever the time is: no deadline hangs on them.
      if (this.#clock().isStale && this.#stack.end === undefined) break;
      const transmit = this.#stack.pollTransmit();
      if (transmit !== undefined) return transmit;
      if (this.#stack.carry()) continue;
      if (this.#stack.nextTimeout() > this.#clock().now) break;
      if (round === MAX_ROUNDS_AT_ONE_INSTANT) {
        throw new RtcError(
          'ERR_INTERNAL',
          `timer ${this.#stack.timeoutReason()} is due again and again at one instant`,
        );
      }
      this.#stack.handleTimeout();
    }
    const closed = this.#stack.pollClosed();
    if (closed !== undefined) return { type: 'event', event: closed };
    return this.#endDrain();
  }

  #endDrain(): Output {
    if (!this.#clock().isStale || this.#stack.end !== undefined) this.#stirred = false;
    this.#stack.endDrain();
    const at = this.#stack.nextTimeout();
    if (this.#stirred && this.#clock().now + STALE_CLOCK_DELAY < at) {
      return { type: 'timeout', at: this.#clock().now + STALE_CLOCK_DELAY, reason: 'rtc.staleClock' };
    }
    return { type: 'timeout', at, reason: this.#stack.timeoutReason(at) };
  }

  #localEnd(restart: boolean): LocalEnd {
    const current = this.#stack.transport.iceParameters;
    const { usernameFragment, password } = restart ? this.#nextCredentials.peek() : current;
    const { lite = false, renomination = false } = current;
    return {
      ...this.#local,
      ice: { usernameFragment, password, lite, renomination },
      candidates: this.localCandidates,
      // A restart gathers anew.
      endOfCandidates: this.#gatheringState === 'complete' && !restart,
    };
  }

  #onSignalingStep(step: SignalingStep): void {
    const isOffer = step.method === 'offer' || step.method === 'commit';
    const isTakenBack = step.method === 'rollback' && step.remote !== true;
    // The roles of what has started stay: only an ICE restart would settle them anew.
    if (!this.#session.isStarted && (isOffer || isTakenBack)) this.#stack.setOffering(isOffer);
    this.#tracer?.signaling(step);
    if (isOffer || step.method === 'apply') this.#awaitSignalingAnew();
  }

  #awaitSignalingAnew(): void {
    this.#stack.awaitSignalingAnew();
    if (!this.#clock().isStale) this.#stack.awaitSignaling();
    this.#stir();
  }

  #addRemoteCandidate(candidate: RemoteCandidate): void {
    const read = readCandidate(candidate, this.#strict);
    if (this.#stack.end !== undefined) {
      this.#candidatesAfterEnd++;
      return;
    }
    if (read === 'end-of-candidates') this.#session.endOfRemoteCandidates();
    else if (read === 'ignored') this.#session.candidatesIgnored++;
    else this.#session.addRemoteCandidate(read);
  }

  #createChannel(
    maker: Pick<ChannelDraft, 'createChannel'>,
    label: string,
    options: DataChannelOptions,
    draft?: OfferDraft,
  ): DataChannel {
    if (this.#stack.end?.code === 'local-close') this.#assertOpen();
    const channel = maker.createChannel(label, options);
    this.#tracer?.createChannel(channel, options, draft);
    if (draft === undefined) this.#signaling.updateNeed();
    return channel;
  }

  #clock(): Clock {
    return this.#stack.clock;
  }

  #assertStarted(): void {
    this.#assertOpen();
    if (!this.#session.isStarted) throw new RtcError('ERR_INVALID_STATE', 'this Rtc has not started');
  }

  #assertOpen(): void {
    if (this.#stack.end !== undefined) throw new RtcError('ERR_INVALID_STATE', 'this Rtc is closed');
  }

  #stir(): void {
    this.#stirred = true;
    if (this.#clock().isStale) this.onWake?.();
  }
}

function withBytes(input: Extract<Input, { type: 'receive' }>): Input & { type: 'receive' } {
  if (input.data instanceof Uint8Array) return input;
  const data = bytesOf(input.data);
  if (data === undefined) throw badArgument('data', 'a Uint8Array', input.data);
  return { ...input, data };
}

/** RFC 8829 §5.2.1: a session id of 63 random bits, in decimal. 52 bits fit a number exactly and are random enough. */
function sessionId(random: RandomSource): string {
  return String(
    Math.floor(randomUnit(random) * 2 ** 32) * 2 ** 20 + Math.floor(randomUnit(random) * 2 ** 20),
  );
}
