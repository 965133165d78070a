/**
 * IceAgent: one ICE session with one stream and one component (RFC 8445), full or lite.
 *
 * Feed it with `handlePacket` and `handleTimeout`, drain `pollTransmit` and `pollEvent`, come back at `nextTimeout()`.
 * What happens, in order:
 *
 *     local candidates, remote parameters, remote candidates, in any order ──▶ pairs
 *     checks go out, requests come in: answered, role conflict repaired, peer-reflexive candidate learnt, check triggered
 *     a check is answered ──▶ the pair is valid: data may flow both ways
 *     controlling: the best valid pair is nominated. controlled: the peer's USE-CANDIDATE selects ──▶ selected pair
 *     consent checks for as long as it lasts; requests are answered all the while
 *
 *     new ──remote parameters──▶ checking ──valid pair──▶ connected ◀──▶ completed (selected, nothing left to check)
 *                                   │ iceConnect             ▲ │ 5 s unanswered
 *                                   ▼                 answer │ ▼
 *                                 failed ◀──iceConsent── disconnected                    close() ──▶ closed
 *
 * Every entry point changes facts and then calls `#turn`, which runs what is due and derives the rest from the facts:
 * what to nominate, what to check, which pair carries data, which timers are armed, the state.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { Clock } from '../core/clock.ts';
import { isFailure } from '../core/decode.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { randomUnit } from '../core/random.ts';
import { TimerTable } from '../core/timers.ts';
import { StunMethod, decodeStun } from '../stun/index.ts';
import { ActivePair } from './active-pair.ts';
import type { IceCandidate, LocalCandidate, LocalCandidateInit } from './candidate.ts';
import { Checklist } from './checklist.ts';
import { Checks } from './checks.ts';
import type { IceParameters } from './credentials.ts';
import { remoteParametersRule, generatePassword, generateUsernameFragment } from './credentials.ts';
import { Following } from './following.ts';
import type { IceInspection } from './inspection.ts';
import type { IceOptions } from './options.ts';
import { iceSettings } from './options.ts';
import type { CandidatePair, IcePath } from './pair.ts';
import { Pairing } from './pairing.ts';
import { Requests } from './requests.ts';
import { Responses } from './responses.ts';
import type { IceRole } from './role.ts';
import { Selection } from './selection.ts';
import type { IceEvent, IceState, IceTransmit } from './session.ts';
import { Session } from './session.ts';

const TIMERS = [
  'iceConnect',
  'checkPacing',
  'checkRetransmit',
  'nomination',
  'pairSwitch',
  'consentCheck',
  'disconnected',
  'iceConsent',
] as const;

export type IceTimer = (typeof TIMERS)[number];

/** How long, at the least, the connect gate stands open after the host stood still. Milliseconds. */
const CONNECT_GRACE = 10_000;

export class IceAgent implements Machine<IceEvent> {
  readonly localParameters: IceParameters;
  readonly #session: Session;
  readonly #timers = new TimerTable<IceTimer>(TIMERS);
  readonly #checklist: Checklist;
  readonly #checks: Checks;
  readonly #pairing: Pairing;
  readonly #selection: Selection;
  readonly #following: Following;
  readonly #active: ActivePair;
  readonly #requests: Requests;
  readonly #responses: Responses;
  #signalledRole: IceRole;
  #state: IceState = 'new';
  #remoteEnded = false;
  #connectingSince = -Infinity;
  #end: IceInspection['end'];

  /** Throws `ERR_BAD_ARGUMENT`. Draws credentials and tie-breaker from `random`. */
  constructor(options: IceOptions) {
    const settings = iceSettings(options);
    const { role, random, lite = false } = options;
    this.localParameters = {
      usernameFragment: options.usernameFragment ?? generateUsernameFragment(random),
      password: options.password ?? generatePassword(random),
      lite,
    };
    const session = new Session(
      settings,
      options.clock ?? new Clock(),
      options.crypto,
      random,
      this.localParameters,
      role,
    );
    const checklist = new Checklist(settings.maxPairs);
    const checks = new Checks(session, checklist);
    const pairing = new Pairing(
      session,
      checklist,
      checks,
      options.remoteAddressClasses === undefined ? undefined : new Set(options.remoteAddressClasses),
    );
    const selection = new Selection(session, checklist, checks);
    const active = new ActivePair(session);
    this.#session = session;
    this.#signalledRole = role;
    this.#checklist = checklist;
    this.#checks = checks;
    this.#pairing = pairing;
    this.#selection = selection;
    this.#following = new Following(session, checklist, checks, selection);
    this.#active = active;
    this.#requests = new Requests(session, checklist, checks, pairing, selection, active);
    this.#responses = new Responses(session, checklist, checks, pairing, selection, active);
  }

  get state(): IceState {
    return this.#state;
  }

  get role(): IceRole {
    return this.#session.role;
  }

  get localCandidates(): readonly LocalCandidate[] {
    return this.#pairing.locals.all;
  }

  get remoteCandidates(): readonly IceCandidate[] {
    return this.#pairing.remotes.all;
  }

  /** The nominated pair in use. */
  get selectedPair(): CandidatePair | undefined {
    return this.#selection.selected?.snapshot();
  }

  /** Where data goes: the selected pair, before nomination the best valid one. `undefined`: nowhere, hold it. */
  get sendPath(): IcePath | undefined {
    return this.#active.pair?.path;
  }

  /** Milliseconds, measured by the latest check on the pair in use that was answered without a retransmission. */
  get roundTripTime(): number | undefined {
    return this.#active.pair?.roundTripTime;
  }

  /** True if the two addresses form a validated pair: data between them may be taken. Made to be called per datagram. */
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol?: Protocol): boolean {
    return !this.#isOver() && this.#checklist.find(local, remote, protocol)?.valid === true;
  }

  /** True if an integrity-checked request has come from `remote` to `local`: early data may be kept, not yet used. */
  isAuthenticatedPath(local: TransportAddress, remote: TransportAddress, protocol?: Protocol): boolean {
    return !this.#isOver() && this.#checklist.find(local, remote, protocol)?.authenticated === true;
  }

  /**
   * When the peer last proved that it is at `remote`, milliseconds: the sending of our latest check over this path that has
   * been answered; of a lite agent, which sends none, the arrival of its latest authentic request. `-Infinity`: never.
   * It grows with each proof, unless two checks were sent at one instant.
   */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    const pair = this.#isOver() ? undefined : this.#checklist.find(local, remote, protocol);
    if (pair === undefined) return -Infinity;
    return this.#session.isLite ? pair.requestedAt : pair.answeredAt;
  }

  /**
   * Sets the role that signalling decided. Saying the same again changes nothing, whatever a role conflict has led to since.
   * Throws `ERR_INVALID_STATE` once checks have been sent.
   */
  setRole(role: IceRole): void {
    if (role === this.#signalledRole) return;
    if (this.#session.counters.get('check-sent') > 0) {
      throw new RtcError('ERR_INVALID_STATE', 'the ICE role is fixed once checks have been sent');
    }
    this.#signalledRole = role;
    this.#selection.switchRole(role);
  }

  /**
   * Adds one of the host's addresses. Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT`, and `ERR_INVALID_STATE` once it is over.
   * @returns the completed candidate, as a description shows it; the same address again answers the first.
   */
  addLocalCandidate(init: LocalCandidateInit, now: number): LocalCandidate {
    if (this.#isOver()) throw new RtcError('ERR_INVALID_STATE', `the ICE agent is ${this.#state}`);
    const candidate = this.#pairing.addLocal(init);
    this.#turn(now);
    return candidate;
  }

  /**
   * Applies the peer's credentials; checking starts here. Where one side is lite the full one controls (RFC 8445 §6.1.1).
   * Throws `ERR_BAD_ARGUMENT`, and `ERR_INVALID_STATE` for credentials that differ from those applied before.
   */
  setRemoteParameters(parameters: IceParameters, now: number): void {
    remoteParametersRule(parameters, 'parameters');
    const session = this.#session;
    if (session.remote !== undefined) {
      const { usernameFragment, password } = session.remote;
      if (usernameFragment === parameters.usernameFragment && password === parameters.password) return;
      throw new RtcError('ERR_INVALID_STATE', 'remote ICE credentials cannot change without an ICE restart');
    }
    if (this.#isOver()) return;
    session.remote = session.credentials(parameters);
    if (session.isLite !== session.isRemoteLite) {
      this.#selection.switchRole(session.isRemoteLite ? 'controlling' : 'controlled');
    }
    this.#pairing.remoteKnown(parameters);
    this.#selection.forgetDropped();
    this.#turn(now);
  }

  /**
   * Adds a candidate of the peer's, trickled or not. It never throws: what cannot be used (TCP, mDNS names, foreign
   * username fragments, duplicates, too many) is counted and ignored.
   */
  addRemoteCandidate(candidate: IceCandidate, now: number): void {
    if (this.#isOver()) {
      this.#session.counters.add('not-running');
      return;
    }
    this.#pairing.addRemote(candidate);
    this.#turn(now);
  }

  /** The peer has no more candidates. Peer-reflexive ones may still turn up. */
  endOfRemoteCandidates(now: number): void {
    if (this.#isOver()) return;
    this.#remoteEnded = true;
    this.#turn(now);
  }

  /** Handles one STUN datagram that arrived at `destination` from `source`. Nothing in it makes this throw. */
  handlePacket(data: Uint8Array, path: IcePath, now: number): void {
    const { counters } = this.#session;
    if (this.#isOver()) {
      counters.add('not-running');
      return;
    }
    this.#session.clock.observe(now, this);
    const message = decodeStun(data);
    if (isFailure(message)) {
      counters.add(message.reason);
    } else if (message.method !== StunMethod.binding) {
      counters.add('not-binding');
    } else {
      switch (message.class) {
        case 'request':
          this.#requests.handle(message, path);
          break;
        case 'indication':
          counters.add('indication');
          break;
        case 'success':
        case 'error':
          this.#responses.handle(message, path);
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
    const { pair, consent } = this.#active;
    if (pair === undefined || consent?.isDoubtful(now) !== true) return;
    if (this.#checklist.find(local, remote, protocol) !== pair) return;
    consent.dataHeard(now);
    this.#turn(now);
  }

  handleTimeout(now: number): void {
    this.#turn(now);
  }

  pollTransmit(): IceTransmit | undefined {
    return this.#session.transmits.shift();
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#session.events.size;
  }

  pollEvent(): IceEvent | undefined {
    return this.#session.events.shift();
  }

  /** When `handleTimeout` is due, milliseconds; `Infinity` when nothing is awaited. */
  nextTimeout(): number {
    return this.#timers.next();
  }

  timeoutReason(): IceTimer | undefined {
    return this.#timers.nextName();
  }

  /** What was awaited while the host stood still is awaited anew, and nothing is caught up on. */
  thaw(missed: number): void {
    if (this.#isOver()) return;
    const { now, counters } = this.#session;
    counters.add('clock-jump');
    this.#checks.transactions.resume(now);
    this.#active.consent?.resume(now);
    this.#armConsent();
    const connectEnds = this.#timers.deadline('iceConnect') + missed;
    if (connectEnds !== Infinity) this.#timers.arm('iceConnect', Math.max(connectEnds, now + CONNECT_GRACE));
  }

  /** Ends the agent at once and releases everything. Nothing is sent and no event follows. */
  close(reason: Failure, now: number): void {
    if (this.#state === 'closed') return;
    this.#end ??= { reason, at: now };
    this.#state = 'closed';
    this.#release();
    this.#checklist.clear();
    this.#session.events.clear();
  }

  /** Everything one would ask in a debugger, as plain data without secrets. */
  inspect(): IceInspection {
    const session = this.#session;
    const { selected } = this.#selection;
    const { consent } = this.#active;
    return {
      state: this.#state,
      role: session.role,
      lite: session.isLite,
      remoteLite: session.isRemoteLite,
      localUsernameFragment: session.local.usernameFragment,
      ...(session.remote === undefined ? {} : { remoteUsernameFragment: session.remote.usernameFragment }),
      localCandidates: [...this.localCandidates],
      remoteCandidates: [...this.remoteCandidates],
      endOfRemoteCandidates: this.#remoteEnded,
      pairs: this.#checklist.pairs.map((pair) => pair.snapshot()),
      ...(selected === undefined ? {} : { selectedPair: selected.snapshot() }),
      ...(consent === undefined ? {} : { consent: consent.snapshot() }),
      timers: this.#timers.armed(),
      queues: {
        transmits: session.transmits.size,
        events: session.events.size,
        triggeredChecks: this.#checklist.triggeredCount,
        transactions: this.#checks.transactions.size,
      },
      counters: session.counters.snapshot(),
      ...(this.#end === undefined ? {} : { end: this.#end }),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    const { transmits, isLite } = this.#session;
    const { transactions } = this.#checks;
    const timers = this.#timers;
    if (this.#isOver()) {
      const isReleased = timers.next() === Infinity && transmits.size === 0 && transactions.size === 0;
      return isReleased ? undefined : `ICE is ${this.#state} and holds something`;
    }
    if (transactions.size > 0 && !timers.isArmed('checkRetransmit'))
      return 'checks in flight, no checkRetransmit';
    if (this.#state === 'checking' && !timers.isArmed('iceConnect')) return 'ICE is checking, no iceConnect';
    if (this.#active.consent === undefined) return undefined;
    if (!timers.isArmed('iceConsent')) return 'a pair is in use, no iceConsent';
    return isLite || timers.isArmed('consentCheck') ? undefined : 'a pair is in use, no consentCheck';
  }

  // ---- time ----

  /** Runs what is due and settles what follows, until nothing is due any more. */
  #turn(at: number): void {
    this.#session.clock.observe(at, this);
    const { now } = this.#session;
    while (!this.#isOver()) {
      for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
        this.#fire(due);
        if (this.#isOver()) return;
      }
      this.#settle();
      if (this.#timers.next() > now) return;
    }
  }

  #fire(timer: IceTimer): void {
    const { now, random, remote } = this.#session;
    const { pair, consent } = this.#active;
    switch (timer) {
      case 'iceConnect':
        this.#failConnect();
        break;
      case 'checkPacing':
      case 'nomination':
      case 'pairSwitch':
        // What is to be done follows from the facts: `#settle` does it.
        break;
      case 'checkRetransmit':
        for (const unanswered of this.#checks.retransmitDue()) this.#selection.checkFailed(unanswered);
        break;
      case 'consentCheck':
        if (pair === undefined || remote === undefined) break;
        // The controlling end says each time which pair it uses, as Chromium does: the peer may see another address now.
        this.#checks.sendConsentCheck(
          remote,
          pair,
          pair === this.#selection.selected && this.role === 'controlling',
        );
        consent?.checkSent(now, randomUnit(random));
        break;
      case 'disconnected':
        consent?.disconnect();
        break;
      case 'iceConsent':
        this.#failConsent();
        break;
    }
  }

  /** Everything that follows from the facts as they are now. */
  #settle(): void {
    const { remote, settings, now, isLite } = this.#session;
    const selection = this.#selection;
    selection.selectBetweenLites();
    this.#timers.arm('nomination', selection.plan());
    this.#timers.arm('pairSwitch', this.#following.plan());
    const mayCheck = remote !== undefined && !isLite;
    const nextCheckAt = mayCheck
      ? this.#checks.pace(remote, selection.appetite, selection.nominating)
      : Infinity;
    this.#timers.arm('checkPacing', nextCheckAt);
    this.#timers.arm('checkRetransmit', this.#checks.transactions.nextTimeout());
    this.#active.follow(selection.selected ?? this.#checklist.bestValid());
    this.#armConsent();
    if (this.#active.pair !== undefined || remote === undefined) {
      this.#timers.disarm('iceConnect');
    } else if (!this.#timers.isArmed('iceConnect')) {
      this.#connectingSince = now;
      this.#timers.arm('iceConnect', now + settings.connectTimeout);
    }
    this.#setState(this.#deriveState());
  }

  #armConsent(): void {
    const { consent } = this.#active;
    this.#timers.arm('consentCheck', consent?.nextCheckAt ?? Infinity);
    this.#timers.arm('disconnected', consent?.disconnectsAt ?? Infinity);
    this.#timers.arm('iceConsent', consent?.expiresAt ?? Infinity);
  }

  #deriveState(): IceState {
    const { pair, consent } = this.#active;
    if (pair === undefined) return this.#session.remote === undefined ? 'new' : 'checking';
    if (consent?.disconnected === true) return 'disconnected';
    const { selected, appetite } = this.#selection;
    const isDone = selected !== undefined && this.#remoteEnded && this.#checklist.isIdle(appetite);
    return isDone ? 'completed' : 'connected';
  }

  #setState(state: IceState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#session.events.push({ type: 'statechange', state });
  }

  // ---- the end ----

  #failConnect(): void {
    const { now, heardAt, counters } = this.#session;
    const elapsed = now - this.#connectingSince;
    const wasHeard = heardAt > -Infinity;
    const { localCandidates, remoteCandidates } = this;
    const notTried = counters.get('candidate-not-tried');
    const aside = notTried === 0 ? '' : ` (${notTried} not tried: see remoteAddressClasses)`;
    const facts = `${localCandidates.length} local and ${remoteCandidates.length} remote candidates${aside}`;
    const hint = wasHeard
      ? 'the peer was heard, but answered no check'
      : 'nothing valid was heard from the peer';
    this.#fail({
      layer: 'ice',
      code: 'connect-timeout',
      message: `no candidate pair worked: ${facts}; ${hint}`,
      gate: 'iceConnect',
      elapsed,
      peerSilentFor: wasHeard ? now - heardAt : elapsed,
    });
  }

  #failConsent(): void {
    const { now, heardAt } = this.#session;
    const { consent } = this.#active;
    if (consent === undefined) return;
    // Both thresholds may pass in one late call; whoever watches the states still sees them in order.
    this.#setState('disconnected');
    this.#fail({
      layer: 'ice',
      code: 'consent-expired',
      message: 'the peer answered no consent check on the pair in use',
      gate: 'iceConsent',
      elapsed: now - consent.grantedAt,
      peerSilentFor: now - heardAt,
    });
  }

  #fail(failure: Failure): void {
    this.#end = { reason: failure, at: this.#session.now };
    this.#setState('failed');
    this.#session.events.push({ type: 'failed', failure });
    this.#release();
  }

  /** No timers, nothing queued, nothing awaited. The pairs of a failed agent stay for `inspect()`. */
  #release(): void {
    this.#timers.disarmAll();
    this.#session.transmits.clear();
    this.#checks.transactions.clear();
    this.#active.follow(undefined);
  }

  #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'closed';
  }
}
