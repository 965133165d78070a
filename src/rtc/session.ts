/**
 * Session: what the peer has told of itself, and what comes of it, in calls that do not know of SDP. The methods of `Rtc` are
 * these, judged and traced; what descriptions mean is carried out by them, too (carry-out.ts).
 *
 * Inside a drain a call acts at once. Outside of it the time is stale, and what arms deadlines waits for the next input.
 */
import type { IceCandidate, IceParameters } from '../ice/index.ts';
import { isSameCredentials } from '../ice/index.ts';
import type { MediaPlan, SessionPlan } from '../negotiation/index.ts';
import type { PlainCalls } from './carry-out.ts';
import { carryOut } from './carry-out.ts';
import type { DeferredCall } from './deferred-calls.ts';
import { DeferredCalls } from './deferred-calls.ts';
import type { NextCredentials } from './ice-restart.ts';
import type { DataParameters, TransportParameters } from './parameters.ts';
import type { ProtocolStack } from './stack.ts';

/** Who is told of what calls bring about. */
export interface SessionListener {
  /** A call has made work. */
  stir(): void;
  /** The username fragments that the peer may address have changed. */
  usernameFragmentsChanged(): void;
}

/** The session of one `Rtc`, without its signalling. */
export class Session implements PlainCalls {
  /** Candidates of the peer's that are of no use, or more than may wait for the time. */
  candidatesIgnored: number = 0;
  readonly #stack: ProtocolStack;
  readonly #nextCredentials: NextCredentials;
  readonly #listener: SessionListener;
  readonly #deferred = new DeferredCalls();
  #isStarted = false;
  #hasData = false;
  /** The peer's latest credentials. */
  #remoteIce: IceParameters | undefined;
  /** We have restarted ICE, and the peer's new credentials are to come. */
  #awaitsRemoteIce = false;
  /** What descriptions have come to so far. */
  #plan: SessionPlan | undefined;

  constructor(stack: ProtocolStack, nextCredentials: NextCredentials, listener: SessionListener) {
    this.#stack = stack;
    this.#nextCredentials = nextCredentials;
    this.#listener = listener;
  }

  // --- how it is ---

  /** The peer is known. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Data is agreed on, whether its association is up, is to come, or has ended by itself. */
  get hasData(): boolean {
    return this.#hasData;
  }

  /** Data channels can be: data is agreed on, and its association has not ended by itself. */
  get hasLivingData(): boolean {
    return this.#hasData && this.#stack.data !== 'over';
  }

  /** We have restarted ICE, and the peer's new credentials are to come. */
  get awaitsRemoteIce(): boolean {
    return this.#awaitsRemoteIce;
  }

  /** These are the peer's latest credentials. */
  isRemoteIce(parameters: IceParameters): boolean {
    return this.#remoteIce !== undefined && isSameCredentials(this.#remoteIce, parameters);
  }

  /** Our credentials of the latest restart, if that waits for the time. */
  get restartCredentials(): DeferredCalls['restartCredentials'] {
    return this.#deferred.restartCredentials;
  }

  /** Calls that wait for the time. */
  get deferred(): number {
    return this.#deferred.size;
  }

  // --- the calls ---

  /** See `Rtc.start`. */
  start(parameters: TransportParameters): void {
    this.#isStarted = true;
    this.#hasData = parameters.data !== false;
    this.#remoteIce = parameters.ice;
    this.#defer({ type: 'start', parameters });
  }

  /** Restarts ICE with new credentials of ours. */
  restartIce(): void {
    this.#awaitsRemoteIce = true;
    this.#defer({ type: 'restart', credentials: this.#nextCredentials.take() });
    this.#listener.usernameFragmentsChanged();
  }

  /** The latest restart, which may have waited for the time so far, is taken back. */
  cancelIceRestart(): void {
    this.#awaitsRemoteIce = false;
    if (!this.#deferred.withdrawRestart()) this.#defer({ type: 'cancel-restart' });
    this.#listener.usernameFragmentsChanged();
  }

  /** No pair of the restart has worked: the peer's new credentials are awaited no longer. */
  restartFailed(): void {
    this.#awaitsRemoteIce = false;
  }

  /** The peer's credentials after a restart. */
  setRemoteIceParameters(ice: IceParameters): void {
    this.#awaitsRemoteIce = false;
    this.#remoteIce = ice;
    this.#defer({ type: 'remote-ice', ice });
  }

  /** See `Rtc.openData`. */
  openData(parameters: DataParameters): void {
    // At once, as channels may be made before the time is known.
    if (this.#stack.data === 'over') this.#stack.closeData();
    this.#hasData = true;
    this.#defer({ type: 'open-data', parameters });
  }

  /** See `Rtc.closeData`. At once: channels that are made from now on are none that close. */
  closeData(): void {
    this.#hasData = false;
    this.#deferred.withdrawData();
    this.#stack.closeData();
    this.#listener.stir();
  }

  /** See `Rtc.setRemoteMaxMessageSize`. */
  setRemoteMaxMessageSize(size: number): void {
    this.#defer({ type: 'message-size', size });
  }

  /** See `Rtc.setMedia`. */
  setMedia(plans: readonly MediaPlan[]): void {
    // Streams of what is not agreed on any more end, and the host is to be told.
    if (this.#stack.setMedia(plans)) this.#listener.stir();
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#defer({ type: 'candidate', candidate });
  }

  endOfRemoteCandidates(): void {
    this.#defer({ type: 'end-of-candidates' });
  }

  /**
   * What descriptions mean, beyond what is done already.
   * @param isProvisional a provisional answer takes nothing away: the final one may agree on it after all
   */
  carryOut(plan: SessionPlan, isProvisional: boolean = false): void {
    const before = this.#plan;
    if (!isProvisional) this.#plan = plan;
    carryOut(this, plan, before, isProvisional);
  }

  // --- the time ---

  /** The time is known: what has waited for it is done. */
  catchUp(): void {
    for (let next = this.#deferred.shift(); next !== undefined; next = this.#deferred.shift())
      this.#apply(next);
  }

  /** The connection is over. */
  close(): void {
    this.#deferred.clear();
  }

  /**
   * How many come at once is up to the peer, so too many are no misuse: they are counted and ignored, as ICE does over its own
   * limit.
   */
  #defer(call: DeferredCall): void {
    if (!this.#stack.clock.isStale) this.#apply(call);
    else if (!this.#deferred.push(call)) this.candidatesIgnored++;
    this.#listener.stir();
  }

  #apply(call: DeferredCall): void {
    switch (call.type) {
      case 'start':
        this.#stack.start(call.parameters);
        return;
      case 'restart':
        this.#stack.restartIce(call.credentials);
        this.#listener.usernameFragmentsChanged();
        return;
      case 'cancel-restart':
        this.#stack.cancelIceRestart();
        this.#listener.usernameFragmentsChanged();
        return;
      case 'open-data':
        this.#stack.openData(call.parameters);
        return;
      case 'message-size':
        this.#stack.setRemoteMaxMessageSize(call.size);
        return;
      case 'remote-ice':
        this.#stack.setRemoteIce(call.ice);
        return;
      case 'candidate':
        this.#stack.addRemoteCandidate(call.candidate);
        return;
      case 'end-of-candidates':
        this.#stack.endOfRemoteCandidates();
    }
  }
}
