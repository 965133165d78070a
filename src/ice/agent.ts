/**
 * IceAgent: ICE for one stream with one component (RFC 8445), full or lite.
 *
 * Feed it with `handlePacket` and `handleTimeout`, drain `pollTransmit` and `pollEvent`, come back at `nextTimeout()`.
 * What happens, in order:
 *
 *     local candidates, remote parameters, remote candidates, in any order ──▶ pairs
 *     checks go out, requests come in: answered, role conflict repaired, peer-reflexive candidate learnt, check triggered
 *     a check is answered ──▶ the pair is valid: data may flow both ways
 *     controlling: the best valid pair is nominated. controlled: the peer's USE-CANDIDATE selects ──▶ selected pair
 *     consent checks for as long as it lasts; requests are answered all the while
 *     restart ──▶ all of that anew, while the old pair carries data (generations.ts)
 *
 *     new ──remote parameters──▶ checking ──valid pair──▶ connected ◀──▶ completed (selected, nothing left to check)
 *                                   │ iceConnect             ▲ │ 5 s unanswered
 *                                   ▼                 answer │ ▼
 *                                 failed ◀──iceConsent── disconnected                    close() ──▶ closed
 *
 * Every entry point changes facts and then calls `#turn`, which runs what is due and derives the rest from the facts
 * (schedule.ts): what to nominate, what to check, which pair carries data, which timers are armed, the state.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { isFailure } from '../core/decode.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { checkOptions } from '../core/options.ts';
import { StunMethod, decodeStun } from '../stun/index.ts';
import type { IceCandidate, LocalCandidateAddress, LocalCandidateInit } from './candidate.ts';
import type { ChosenCredentials, IceParameters } from './credentials.ts';
import {
  CHOSEN_CREDENTIALS_RULES,
  isSameCredentials,
  localParameters,
  remoteParametersRule,
} from './credentials.ts';
import type { IceTimer } from './generation.ts';
import { Generations } from './generations.ts';
import type { IceEvent, IceState, IceTransmit } from './host.ts';
import { Host } from './host.ts';
import type { IceEnd, IceInspection } from './inspection.ts';
import { inspectGeneration, inspectPrevious } from './inspection.ts';
import type { IceOptions } from './options.ts';
import type { CandidatePair, IcePath } from './pair.ts';
import { addRemoteCandidate, dropForeignCandidates, pairAll } from './pairing.ts';
import { handleRequest } from './requests.ts';
import { handleResponse } from './responses.ts';
import type { IceRole } from './role.ts';
import { ordinaryChecks, switchRole } from './selection.ts';
import type { IceStats } from './statistics.ts';
import { statistics } from './statistics.ts';

/** An ICE agent: addresses, datagrams and times in; datagrams, events and one deadline out. */
export class IceAgent implements Machine<IceEvent> {
  readonly #host: Host;
  readonly #generations: Generations;
  #signalledRole: IceRole;
  #state: IceState = 'new';
  #end: IceEnd | undefined;

  /** Throws `ERR_BAD_ARGUMENT`. Draws credentials and tie-breaker from `random`. */
  constructor(options: IceOptions) {
    const host = new Host(options);
    this.#host = host;
    this.#generations = new Generations(host, localParameters(host.random, options, host), options.role);
    this.#signalledRole = options.role;
  }

  /** Our credentials, for the peer; after `restart` the new ones. */
  get localParameters(): IceParameters {
    const {
      usernameFragment,
      password,
      lite = false,
      renomination = false,
    } = this.#generations.current.local;
    return { usernameFragment, password, lite, renomination };
  }

  /**
   * The username fragments by which we are addressed, the newest first: two from a restart on until the old pair is forgotten.
   * The same array until that changes.
   */
  get usernameFragments(): readonly string[] {
    return this.#generations.usernameFragments;
  }

  get state(): IceState {
    return this.#state;
  }

  get role(): IceRole {
    return this.#generations.current.role;
  }

  /** Our candidates, as the peer is to be told of them. */
  get localCandidates(): readonly IceCandidate[] {
    return this.#host.locals.told;
  }

  get remoteCandidates(): readonly IceCandidate[] {
    return this.#generations.current.remotes.all;
  }

  /** The nominated pair in use. */
  get selectedPair(): CandidatePair | undefined {
    return this.#generations.inUse.selected?.snapshot();
  }

  /**
   * Where data goes: the selected pair, before nomination the best valid one, and after a restart the old one until a new
   * one is selected. `undefined`: nowhere, hold it.
   */
  get sendPath(): IcePath | undefined {
    return this.#generations.inUse.active?.path;
  }

  /** Milliseconds, measured by the latest check on the pair in use that was answered without a retransmission. */
  get roundTripTime(): number | undefined {
    return this.#generations.inUse.active?.roundTripTime;
  }

  /** True if the two addresses form a validated pair: data between them may be taken. Made to be called per datagram. */
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol?: Protocol): boolean {
    return !this.#isOver() && this.#generations.isValidPath(local, remote, protocol);
  }

  /** True if an integrity-checked request has come from `remote` to `local`: early data may be kept, not yet used. */
  isAuthenticatedPath(local: TransportAddress, remote: TransportAddress, protocol?: Protocol): boolean {
    return !this.#isOver() && this.#generations.isAuthenticatedPath(local, remote, protocol);
  }

  /**
   * When the peer last proved that it is at `remote`, milliseconds: the sending of our latest check over this path that has
   * been answered; of a lite agent, which sends none, the arrival of its latest authentic request. `-Infinity`: never.
   * It grows with each proof, unless two checks were sent at one instant.
   */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    return this.#isOver() ? -Infinity : this.#generations.pathProvenAt(local, remote, protocol);
  }

  /**
   * Sets the role that signalling decided. Saying the same again changes nothing, whatever a role conflict has led to since.
   * Throws `ERR_INVALID_STATE` once checks have been sent: a role persists, over restarts too (RFC 8445 §6.1.1).
   */
  setRole(role: IceRole): void {
    if (role === this.#signalledRole) return;
    if (this.#host.counters.get('check-sent') > 0) {
      throw new RtcError('ERR_INVALID_STATE', 'the ICE role is fixed once checks have been sent');
    }
    this.#signalledRole = role;
    switchRole(this.#generations.current, role);
  }

  /**
   * Adds one of the host's addresses; what the policy excludes (`IceOptions.transportPolicy`) is known and not used. Throws
   * `ERR_BAD_ARGUMENT`, `ERR_LIMIT`, and `ERR_INVALID_STATE` once closed. A failed agent keeps it for a restart.
   * @returns the candidate as the peer is to be told of it
   */
  addLocalCandidate(init: LocalCandidateInit, now: number): IceCandidate {
    if (this.#state === 'closed') throw new RtcError('ERR_INVALID_STATE', 'the ICE agent is closed');
    const { candidate, opensPairs } = this.#host.locals.add(init);
    if (opensPairs && !this.#isOver()) pairAll(this.#generations.current);
    this.#turn(now);
    return this.#host.locals.tell(candidate);
  }

  /**
   * An address is gone: the candidate of this name goes, or all on the base of this name, and the pairs on it. If one of them
   * is in use another one that works takes its place at once. Checks that still come there are not answered. Throws
   * `ERR_BAD_ARGUMENT`.
   * @returns false, and nothing changes, if there was none, or it is over
   */
  removeLocalCandidate(address: LocalCandidateAddress, now: number): boolean {
    const isKnown = this.#host.locals.remove(address) > 0;
    if (!isKnown || this.#isOver()) return false;
    this.#generations.dropRemovedLocals();
    this.#host.dropStrayTransmits();
    this.#turn(now);
    return true;
  }

  /**
   * Applies the peer's credentials; checking starts here. Where one side is lite the full one controls (RFC 8445 §6.1.1).
   * Saying the same again changes nothing; after `restart` that goes for those of before, too: the peer has not restarted.
   * Throws `ERR_BAD_ARGUMENT`, and `ERR_INVALID_STATE` for credentials that differ, without a restart of ours before.
   */
  setRemoteParameters(parameters: IceParameters, now: number): void {
    remoteParametersRule(parameters, 'parameters');
    const { current, previous } = this.#generations;
    if (previous?.remote !== undefined && isSameCredentials(previous.remote, parameters)) return;
    if (current.remote !== undefined) {
      if (isSameCredentials(current.remote, parameters)) return;
      throw new RtcError('ERR_INVALID_STATE', 'remote ICE credentials cannot change without an ICE restart');
    }
    if (this.#isOver()) return;
    current.setRemote(parameters);
    if (this.#host.isLite !== current.isRemoteLite) {
      switchRole(current, current.isRemoteLite ? 'controlling' : 'controlled');
    }
    dropForeignCandidates(current, parameters.usernameFragment);
    for (const parked of this.#generations.takeParked()) addRemoteCandidate(current, parked);
    this.#turn(now);
  }

  /**
   * Restarts ICE (RFC 8445 §9): with new credentials, over the same local candidates, in the same role. Once the peer's new
   * parameters have come (`setRemoteParameters`) the new generation checks; until it has selected a pair the old one carries
   * data. To restart is for both sides: who is asked to by the peer's new credentials calls this first. A restart during a
   * restart drops the unfinished one. A failed agent may be restarted, too.
   * @param credentials other than those in use; random by default
   * @returns our new credentials, for the peer. Throws `ERR_BAD_ARGUMENT`, and `ERR_INVALID_STATE` once closed.
   */
  restart(now: number, credentials: ChosenCredentials = {}): IceParameters {
    checkOptions('restart', credentials, CHOSEN_CREDENTIALS_RULES);
    if (this.#state === 'closed') throw new RtcError('ERR_INVALID_STATE', 'the ICE agent is closed');
    this.#generations.refuseUsed(credentials);
    const local = localParameters(this.#host.random, credentials, this.#host);
    this.#generations.restart(local, this.#state === 'failed' ? this.#end?.reason : undefined);
    this.#end = undefined;
    if (this.#state === 'failed') this.#setState('new');
    this.#turn(now);
    return this.localParameters;
  }

  /**
   * Takes a restart back that has come to nothing: its offer was rolled back. Where the old pair is gone there is nothing to go
   * back to, and the agent fails, or is failed as it was. @returns false, and nothing changes, if none is under way.
   */
  cancelRestart(now: number): boolean {
    if (this.#isOver()) return false;
    if (!this.#generations.fallBack()) {
      const { lost, current } = this.#generations;
      if (lost === undefined || current.remote !== undefined) return false;
      this.#host.clock.observe(now, this);
      this.#fail(lost);
    }
    this.#turn(now);
    return true;
  }

  /**
   * Adds a candidate of the peer's, trickled or not. It never throws: what cannot be used (foreign username fragments,
   * duplicates, too many) is counted and ignored. One with an mDNS name waits for the host to resolve it: event `resolve`. One that
   * names a session which the peer has not described yet waits for its description.
   */
  addRemoteCandidate(candidate: IceCandidate, now: number): void {
    if (this.#state !== 'closed' && this.#generations.park(candidate)) return;
    if (this.#isOver()) {
      this.#host.counters.add('not-running');
      return;
    }
    addRemoteCandidate(this.#generations.current, candidate);
    this.#turn(now);
  }

  /**
   * The host's answer to an event `resolve`: addresses of `name`, best first; none if it has none. What nobody asked for, or
   * what comes too late, is counted and ignored.
   */
  handleResolved(name: string, addresses: readonly string[], now: number): void {
    if (this.#isOver()) return;
    this.#host.clock.observe(now, this);
    this.#generations.handleResolved(name, addresses);
    this.#turn(now);
  }

  /** The peer has no more candidates. Peer-reflexive ones may still turn up. */
  endOfRemoteCandidates(now: number): void {
    if (this.#isOver()) return;
    this.#generations.current.remoteEnded = true;
    this.#turn(now);
  }

  /** Handles one STUN datagram that arrived at `destination` from `source`. Nothing in it makes this throw. */
  handlePacket(data: Uint8Array, path: IcePath, now: number): void {
    const { counters, clock } = this.#host;
    if (this.#isOver()) {
      counters.add('not-running');
      return;
    }
    clock.observe(now, this);
    const message = decodeStun(data);
    if (isFailure(message)) {
      counters.add(message.reason);
    } else if (message.method !== StunMethod.binding) {
      counters.add('not-binding');
    } else {
      switch (message.class) {
        case 'request':
          handleRequest(this.#generations.addressedBy(message), message, path);
          break;
        case 'indication':
          counters.add('indication');
          break;
        case 'success':
        case 'error':
          handleResponse(this.#generations.awaiting(message), message, path);
          break;
      }
    }
    this.#turn(now);
  }

  /**
   * Data that the layer above has authenticated came over this path: a pair is not `disconnected` while it brings some, though
   * two checks in a row be lost. Consent is not renewed by it (RFC 7675 §5.1). Made to be called per datagram.
   */
  noteData(local: TransportAddress, remote: TransportAddress, protocol: Protocol, now: number): void {
    const { active, consent, checklist } = this.#generations.inUse;
    if (active === undefined || consent?.isDoubtful(now) !== true) return;
    if (checklist.find(local, remote, protocol) !== active) return;
    consent.dataHeard(now);
    this.#turn(now);
  }

  /** `bytes` that are no check left over the path in use. Made to be called per datagram. */
  noteSent(bytes: number, now: number): void {
    const traffic = this.#generations.inUse.active?.traffic;
    if (traffic === undefined) return;
    traffic.packetsSent++;
    traffic.bytesSent += bytes;
    traffic.lastPacketSentAt = now;
  }

  /** `bytes` that are no check came over a valid path. Made to be called per datagram. */
  noteReceived(
    local: TransportAddress,
    remote: TransportAddress,
    protocol: Protocol,
    bytes: number,
    now: number,
  ): void {
    const traffic = this.#generations.pairOver(local, remote, protocol)?.traffic;
    if (traffic === undefined) return;
    traffic.packetsReceived++;
    traffic.bytesReceived += bytes;
    traffic.lastPacketReceivedAt = now;
  }

  handleTimeout(now: number): void {
    this.#turn(now);
  }

  pollTransmit(): IceTransmit | undefined {
    return this.#host.transmits.shift();
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#host.events.size;
  }

  pollEvent(): IceEvent | undefined {
    return this.#host.events.shift();
  }

  /** When `handleTimeout` is due, milliseconds; `Infinity` when nothing is awaited. */
  nextTimeout(): number {
    return this.#generations.nextTimeout();
  }

  timeoutReason(): IceTimer | undefined {
    return this.#generations.timeoutReason();
  }

  /** What was awaited while the host stood still is awaited anew, and nothing is caught up on. */
  thaw(missed: number): void {
    if (this.#isOver()) return;
    this.#host.counters.add('clock-jump');
    this.#generations.thaw(missed);
  }

  /** Ends the agent at once and releases everything but what `stats()` and `inspect()` show. Nothing is sent and no event follows. */
  close(reason: Failure, now: number): void {
    if (this.#state === 'closed') return;
    this.#end ??= { reason, at: now };
    this.#state = 'closed';
    this.#release();
    this.#generations.current.checklist.stop();
    this.#host.events.clear();
  }

  /** What has passed over each pair, and what there is to choose from. */
  stats(): IceStats {
    return statistics(this.#generations, this.#state);
  }

  /** Everything one would ask in a debugger, as plain data without secrets. */
  inspect(): IceInspection {
    const { transmits, events, counters, locals, isLite } = this.#host;
    const { previous } = this.#generations;
    const { triggeredChecks, transactions, ...current } = inspectGeneration(this.#generations.current);
    return {
      state: this.#state,
      lite: isLite,
      localCandidates: [...locals.all],
      ...current,
      queues: { transmits: transmits.size, events: events.size, triggeredChecks, transactions },
      counters: counters.snapshot(),
      ...(previous === undefined ? {} : { previous: inspectPrevious(previous) }),
      ...(this.#end === undefined ? {} : { end: this.#end }),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    const { transmits } = this.#host;
    const { current } = this.#generations;
    if (this.#isOver()) {
      const isReleased =
        this.nextTimeout() === Infinity && transmits.size === 0 && current.transactions.size === 0;
      return isReleased ? undefined : `ICE is ${this.#state} and holds something`;
    }
    if (this.#state === 'checking' && !current.timers.isArmed('iceConnect')) {
      return 'ICE is checking, no iceConnect';
    }
    return this.#generations.invariantViolation();
  }

  /** Runs what is due and does what follows, until nothing is due any more. */
  #turn(at: number): void {
    this.#host.clock.observe(at, this);
    const { now } = this.#host;
    while (!this.#isOver()) {
      const failure = this.#generations.step();
      if (failure !== undefined) {
        this.#fail(failure);
        return;
      }
      this.#setState(this.#deriveState());
      if (this.nextTimeout() > now) return;
    }
  }

  #deriveState(): IceState {
    const { current, inUse } = this.#generations;
    const { selected, remote, remoteEnded, names, checklist } = current;
    const isChecking = remote !== undefined && current.active === undefined;
    if (inUse.active === undefined) return isChecking ? 'checking' : 'new';
    if (inUse.consent?.disconnected === true) return isChecking ? 'checking' : 'disconnected';
    const isDone =
      selected !== undefined && remoteEnded && names.size === 0 && checklist.isIdle(ordinaryChecks(current));
    return isDone ? 'completed' : 'connected';
  }

  #setState(state: IceState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#host.events.push({ type: 'statechange', state });
  }

  #fail(failure: Failure): void {
    // Both thresholds may pass in one late call; whoever watches the states still sees them in order.
    if (failure.gate === 'iceConsent' && this.#state !== 'new') this.#setState('disconnected');
    this.#end = { reason: failure, at: this.#host.now };
    this.#setState('failed');
    this.#host.events.push({ type: 'failed', failure });
    this.#release();
  }

  #release(): void {
    this.#host.transmits.clear();
    this.#generations.release();
  }

  #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'closed';
  }
}
