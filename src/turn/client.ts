/**
 * TurnClient: one allocation on a TURN server (RFC 8656), kept for as long as its owner wants it.
 *
 *     new ──allocate──▶ allocating ──success──▶ allocated ──shutdown──▶ releasing ──▶ closed
 *      ▲                    │  └─ 300, 437 ─▶ new: the owner finds another server or 5-tuple, and allocates again
 *      └────────────────────┘                     │
 *                           └─ refused, silent ─▶ failed ◀─ its lifetime is over, the server does not know it
 *
 * What comes in changes one of the parts (requests.ts, permissions.ts, channels.ts), and every entry ends with `#turn`, which runs
 * what is due and arms what is next. What a response means stands in `#settle`.
 */
import type { TransportAddress } from '../core/address.ts';
import { addressFamily, formatAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { TimerTable } from '../core/timers.ts';
import type { StunMessage } from '../stun/index.ts';
import { StunErrorCode as Code, StunMethod, decodeStun, unknownAttributes } from '../stun/index.ts';
import { Authentication } from './authentication.ts';
import { isChannelData } from './channel-data.ts';
import type {
  AddressFamily,
  TurnClientEvent,
  TurnClientOptions,
  TurnClientState,
  TurnCredentials,
  TurnReceived,
} from './contract.ts';
import type { TurnEnd, TurnInspection, TurnTimer } from './inspection.ts';
import { TURN_TIMERS, inspectPeers, inspectQueues } from './inspection.ts';
import type { AllocationAnswer } from './messages.ts';
import { UNDERSTOOD, encodeKeepAlive, lifetimeOf, readAllocation, readRedirect } from './messages.ts';
import { credentialsRule } from './options.ts';
import { Peers } from './peers.ts';
import type { Outcome, Request } from './requests.ts';
import { NO_ANSWER, Requests } from './requests.ts';
import { Servers } from './servers.ts';
import { WayOut } from './way-out.ts';

/** LIFETIME that a server gives to whom asks for none (RFC 8656 §3.2). Milliseconds. */
const DEFAULT_LIFETIME = 600_000;

/** What the server has given. */
interface Allocation extends AllocationAnswer {
  /** Milliseconds on our clock. */
  readonly expiresAt: number;
}

/** A TURN client: messages of a server, data for peers and times in; messages, data of peers, events and one deadline out. */
export class TurnClient implements Machine<TurnClientEvent> {
  readonly #out: WayOut;
  readonly #authentication: Authentication;
  readonly #requests: Requests;
  readonly #peers: Peers;
  readonly #timers = new TimerTable<TurnTimer>(TURN_TIMERS);
  #state: TurnClientState = 'new';
  #allocation: Allocation | undefined;
  #end: TurnEnd | undefined;
  /** Families worth asking for. */
  #families: readonly AddressFamily[];
  readonly #servers: Servers;
  /** 5-tuples that the server has refused. */
  #mismatches = 0;
  /** When `allocate` was called first, milliseconds; `undefined`: never. */
  #startedAt: number | undefined;

  /** Throws `ERR_BAD_ARGUMENT`. */
  constructor(options: TurnClientOptions) {
    this.#out = new WayOut(options);
    this.#authentication = new Authentication(options.crypto, options.credentials);
    this.#requests = new Requests(this.#out, this.#authentication);
    this.#peers = new Peers(this.#out, this.#requests);
    this.#families = [...(options.families ?? [4, 6])];
    this.#servers = new Servers(options.server, this.#out.settings.maxRedirects);
  }

  get state(): TurnClientState {
    return this.#state;
  }

  /** Where the client takes the server to be: after a redirect that was told, there. */
  get server(): TransportAddress {
    return this.#servers.current;
  }

  /** The relayed addresses, one of each family at the most; none unless `allocated`. */
  get relayed(): readonly TransportAddress[] {
    return this.#allocation?.relayed ?? [];
  }

  /** Our address as the server sees it; `undefined` unless `allocated`. */
  get mapped(): TransportAddress | undefined {
    return this.#allocation?.mapped;
  }

  /**
   * Asks for relayed addresses: the first time, and again after `newtuplewanted` and `redirect`, over the new 5-tuple. Throws
   * `ERR_INVALID_STATE` at any other time.
   */
  allocate(now: number): void {
    if (this.#state !== 'new') throw new RtcError('ERR_INVALID_STATE', `the TURN client is ${this.#state}`);
    this.#out.clock.observe(now, this);
    this.#state = 'allocating';
    if (this.#startedAt === undefined) {
      this.#startedAt = this.#out.now;
      this.#timers.arm('turnAllocate', this.#out.now + this.#out.settings.allocateTimeout);
      this.#armCredentials();
    }
    this.#ask();
    this.#turn();
  }

  /**
   * Other credentials, in place of those that expire or are refused. What is asked next is signed with them; where the server
   * holds the allocation for the username of before (441), those are used on. The same ones again: another `expiresAt`, and what
   * was refused stays so. Throws `ERR_BAD_ARGUMENT`.
   */
  setCredentials(credentials: TurnCredentials, now: number): void {
    credentialsRule(credentials, 'credentials');
    if (this.#isOver) return;
    this.#out.clock.observe(now, this);
    const areOthers = this.#authentication.setCredentials(credentials);
    if (this.#startedAt !== undefined) this.#armCredentials();
    if (areOthers && this.#peers.isPaused) {
      this.#peers.resume();
      this.#timers.arm('refresh', this.#out.now);
    }
    this.#turn();
  }

  /**
   * One whole message of the server's: a datagram, or what `StreamDeframer` gives. Nothing in it makes this throw. It is neither
   * written to nor kept, unless it is `owned`: then data that `pollReceived` gives lies in it.
   */
  handlePacket(message: Uint8Array, now: number, owned = false): void {
    if (this.#isOver) {
      this.#out.counters.add('not-running');
      return;
    }
    this.#out.clock.observe(now, this);
    if (isChannelData(message)) this.#peers.takeChannelData(message, owned);
    else this.#takeStun(message, owned);
    this.#turn();
  }

  /**
   * Sends a datagram to a peer, a copy of it. The first one to an IP address waits until the server lets that through.
   * @param peer canonical text
   * @returns false: it is dropped, which is counted
   */
  send(peer: TransportAddress, data: Uint8Array, now: number): boolean {
    if (this.#isOver || this.#state === 'releasing') {
      this.#out.counters.add('not-running');
      return false;
    }
    this.#out.clock.observe(now, this);
    const isTaken = this.#peers.send(peer, data);
    this.#turn();
    return isTaken;
  }

  /** Bytes for the server, the caller's: over UDP a datagram, over a stream to be written as they are. */
  pollTransmit(): Bytes | undefined {
    return this.#out.transmits.shift();
  }

  /** A datagram of a peer's. */
  pollReceived(): TurnReceived | undefined {
    return this.#out.received.shift();
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#out.events.size;
  }

  pollEvent(): TurnClientEvent | undefined {
    return this.#out.events.shift();
  }

  handleTimeout(now: number): void {
    this.#out.clock.observe(now, this);
    this.#turn();
  }

  /** When `handleTimeout` is due, milliseconds; `Infinity` when nothing is awaited. */
  nextTimeout(): number {
    return this.#timers.next();
  }

  timeoutReason(): TurnTimer | undefined {
    return this.#timers.nextName();
  }

  /** What the server has to answer is waited for anew. What it has granted ends when it ends: its clock went on. */
  thaw(missed: number): void {
    if (this.#isOver) return;
    this.#out.counters.add('clock-jump');
    this.#requests.thaw(missed);
    for (const gate of ['turnAllocate', 'turnFarewell'] as const) {
      if (this.#timers.isArmed(gate)) this.#timers.arm(gate, this.#timers.deadline(gate) + missed);
    }
    this.#timers.arm('turnRequest', this.#requests.nextTimeout());
  }

  /**
   * Gives the allocation back and ends: a Refresh with lifetime 0, repeated until the server confirms it or `turnFarewell` is over;
   * then the event `closed`. Data is not taken any more. Again, or once it is over: nothing happens.
   */
  shutdown(now: number): void {
    if (this.#isOver || this.#state === 'releasing') return;
    this.#out.clock.observe(now, this);
    const mayHold = this.#mayHold;
    this.#release();
    if (mayHold) {
      this.#state = 'releasing';
      this.#requests.ask({ type: 'refresh', lifetime: 0 });
      this.#timers.arm('turnFarewell', this.#out.now + this.#out.settings.farewellTimeout);
    } else {
      this.#confirmed();
    }
    this.#turn();
  }

  /** Ends at once and releases everything. One Refresh with lifetime 0 is there to be polled, if there may be an allocation. */
  close(reason: Failure, now: number): void {
    if (this.#state === 'closed') return;
    this.#end ??= { reason, at: Math.max(now, this.#out.now) };
    const mayHold = this.#mayHold;
    this.#state = 'closed';
    this.#release();
    this.#out.events.clear();
    if (mayHold) this.#sayFarewell();
  }

  /** Everything one would ask in a debugger, as plain data without secrets. */
  inspect(): TurnInspection {
    return {
      state: this.#state,
      server: this.#servers.current,
      realm: this.#authentication.realm ?? null,
      relayed: this.relayed,
      mapped: this.mapped ?? null,
      expiresAt: this.#allocation?.expiresAt ?? null,
      areCredentialsRefused: this.#peers.isPaused,
      ...inspectPeers(this.#peers, this.#out.now),
      ...inspectQueues(this.#out, this.#peers.permissions.waiting, this.#requests.size),
      timers: this.#timers.armed(),
      ...(this.#end === undefined ? {} : { end: this.#end }),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    const { permissions, channels } = this.#peers;
    if (this.#isOver) {
      // One farewell may be polled yet.
      const held = this.#requests.size + permissions.size + permissions.waiting + channels.size;
      const isReleased = this.nextTimeout() === Infinity && held === 0 && this.#out.transmits.size <= 1;
      return isReleased ? undefined : `the TURN client is ${this.#state} and holds something`;
    }
    const awaited = WAITS[this.#state];
    if (awaited !== undefined && !this.#timers.isArmed(awaited)) return `${this.#state}, and no ${awaited}`;
    if (this.#requests.size > 0 && !this.#timers.isArmed('turnRequest'))
      return 'requests, and no turnRequest';
    return undefined;
  }

  get #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'closed';
  }

  /** The server has an allocation of ours, or may have one. */
  get #mayHold(): boolean {
    return this.#allocation !== undefined || this.#state === 'releasing' || this.#requests.mayHaveAllocated;
  }

  // --- time ---

  /** Runs what is due until nothing is, and arms what follows from the facts. */
  #turn(): void {
    for (;;) {
      this.#arm();
      const due = this.#timers.takeDue(this.#out.now);
      if (due === undefined) return;
      this.#runDue(due);
    }
  }

  #arm(): void {
    if (this.#isOver) return;
    const { now, sentAt, isUnheard, isStream, settings } = this.#out;
    this.#timers.arm('turnRequest', this.#requests.nextTimeout());
    if (this.#peers.takeChanged()) this.#timers.arm('upkeep', this.#peers.nextTimeout());
    if (this.#state !== 'allocated') return;
    if (!isUnheard) this.#timers.disarm('probe');
    else if (!this.#timers.isArmed('probe')) this.#timers.arm('probe', now + settings.probeInterval);
    if (!isStream) this.#timers.arm('keepAlive', sentAt + settings.keepAliveInterval);
  }

  #runDue(timer: TurnTimer): void {
    const { now, settings, counters } = this.#out;
    switch (timer) {
      case 'turnRequest':
        for (const outcome of this.#requests.takeDue()) this.#settle(outcome);
        return;
      case 'turnAllocate':
        this.#fail(NO_ANSWER, 'allocate-timeout', 'the server has given no allocation in time', {
          gate: 'turnAllocate',
          elapsed: now - (this.#startedAt ?? now),
        });
        return;
      case 'relayRefresh':
        this.#lose('relay-expired', 'the allocation was not refreshed before its lifetime was over', {
          gate: 'relayRefresh',
          elapsed: now - this.#out.heardAt,
        });
        return;
      case 'turnFarewell':
        this.#confirmed();
        return;
      case 'refresh':
        this.#refresh();
        return;
      case 'probe':
        this.#timers.arm('probe', now + settings.probeInterval);
        // It is sent once, in place of one that may have been due; should data of peers end the silence, that comes after all.
        this.#timers.arm('refresh', now + 2 * settings.probeInterval);
        if (this.#refresh(false)) counters.add('probe');
        return;
      case 'upkeep':
        this.#peers.runDue();
        return;
      case 'keepAlive':
        if (this.#out.transmitUnanswered(encodeKeepAlive(this.#out.transactionId())))
          counters.add('keep-alive');
        return;
      case 'credentials':
        this.#out.events.push({ type: 'credentialswanted', reason: 'expiring' });
        return;
    }
  }

  /**
   * Asks anew: a request that is under way has backed off, or is not repeated, and would tell too late that the server is there.
   * @returns false: not with these credentials
   */
  #refresh(isRepeated = true): boolean {
    if (this.#peers.isPaused) return false;
    this.#requests.forget('refresh');
    this.#requests.ask({ type: 'refresh', lifetime: this.#out.settings.lifetime }, isRepeated);
    return true;
  }

  #armCredentials(): void {
    const { settings, now } = this.#out;
    const at = this.#authentication.expiresAt - settings.credentialsMargin;
    if (at === Infinity) this.#timers.disarm('credentials');
    else this.#timers.arm('credentials', Math.max(at, now));
  }

  // --- what comes in ---

  #takeStun(bytes: Uint8Array, isOwned: boolean): void {
    const { counters } = this.#out;
    const message = decodeStun(bytes);
    if (isFailure(message)) {
      counters.add(message.reason);
    } else if (message.class === 'success' || message.class === 'error') {
      const outcome = this.#requests.answer(message);
      if (outcome !== undefined) this.#settle(outcome);
    } else if (message.class !== 'indication' || message.method !== StunMethod.data) {
      counters.add('unexpected-message');
    } else if (unknownAttributes(message, UNDERSTOOD).length > 0) {
      counters.add('unknown-attribute');
    } else {
      this.#peers.takeIndication(message, isOwned);
    }
  }

  /** What came of a request. */
  #settle(outcome: Outcome): void {
    // One that was due in the same moment may have ended it.
    if (this.#isOver) return;
    const { ask } = outcome.request;
    switch (ask.type) {
      case 'allocate':
        if (outcome.type === 'success') this.#allocated(outcome.request, outcome.message);
        else if (outcome.type === 'error') this.#notAllocated(outcome.code, outcome.text, outcome.message);
        else this.#unanswered(outcome.request);
        return;
      case 'refresh':
        if (this.#state === 'releasing') this.#confirmed();
        else if (outcome.type === 'success') this.#refreshed(outcome.request, outcome.message);
        else if (outcome.type === 'error') this.#notRefreshed(outcome.code);
        else this.#refresh();
        return;
      case 'permission':
        if (this.#mayGoOn(outcome)) this.#peers.permissionSettled(ask.address, outcome);
        return;
      case 'channel':
        if (this.#mayGoOn(outcome)) this.#peers.channelSettled(ask.number, outcome);
        return;
    }
  }

  /** @returns false: the error says that there is no allocation any more */
  #mayGoOn(outcome: Outcome): boolean {
    if (outcome.type !== 'error') return true;
    if (outcome.code === Code.allocationMismatch) {
      this.#lose('relay-unknown', 'the server does not know the allocation');
      return false;
    }
    if (outcome.code === Code.unauthenticated || outcome.code === Code.wrongCredentials) this.#pause();
    return true;
  }

  // --- allocating ---

  #ask(): void {
    const { lifetime } = this.#out.settings;
    const [first, second] = this.#families;
    this.#requests.ask({
      type: 'allocate',
      lifetime: lifetime === DEFAULT_LIFETIME ? undefined : lifetime,
      families: second === undefined || second === first ? (first ?? 4) : 'both',
    });
  }

  #allocated(request: Request, message: StunMessage): void {
    const { settings } = this.#out;
    const answer = readAllocation(message);
    const relayed = answer?.relayed.filter(({ address }) =>
      this.#families.some((f) => f === addressFamily(address)),
    );
    if (answer === undefined || relayed?.[0] === undefined || answer.lifetime < settings.minLifetime) {
      this.#out.counters.add('bad-response');
      this.#fail(NO_ANSWER, 'bad-allocation', describeBadAllocation(answer, settings.minLifetime));
      this.#sayFarewell();
      return;
    }
    const lifetime = Math.min(answer.lifetime, settings.maxLifetime);
    this.#allocation = { relayed, mapped: answer.mapped, lifetime, expiresAt: -Infinity };
    this.#state = 'allocated';
    this.#timers.disarm('turnAllocate');
    this.#keepFor(request, lifetime);
    this.#out.events.push({ type: 'allocated', relayed, mapped: answer.mapped, lifetime });
    this.#peers.open(relayed);
  }

  /** The lifetime counts from the request at the latest: nobody knows when the server has read it. */
  #keepFor(request: Request, lifetime: number): void {
    if (this.#allocation === undefined) return;
    const expiresAt = request.sentAt + lifetime;
    this.#allocation = { ...this.#allocation, lifetime, expiresAt };
    this.#timers.arm('relayRefresh', expiresAt);
    // Half is left for the renewal to be lost, and asked for again.
    this.#timers.arm('refresh', request.sentAt + lifetime / 2);
  }

  #notAllocated(code: number, text: string, message: StunMessage | undefined): void {
    switch (code) {
      case Code.tryAlternate:
        this.#redirect(message, text);
        return;
      case Code.allocationMismatch:
        if (this.#mismatches >= this.#out.settings.maxMismatches) break;
        this.#mismatches++;
        this.#authentication.reset();
        this.#state = 'new';
        this.#out.events.push({ type: 'newtuplewanted' });
        return;
      case Code.addressFamilyNotSupported:
        // The one asked for first; of the other the server has said nothing yet.
        if (this.#families.length < 2 || !this.#families.includes(6)) break;
        this.#families = [6];
        this.#ask();
        return;
      case Code.unauthenticated:
      case Code.wrongCredentials:
        this.#fail(
          code,
          'unauthorized',
          `the server does not take the credentials: ${code} ${text}`.trimEnd(),
        );
        return;
      default:
        break;
    }
    this.#fail(code, 'server-error', `the server gives no allocation: ${code} ${text}`.trimEnd());
  }

  #redirect(message: StunMessage | undefined, text: string): void {
    const target = message === undefined ? undefined : readRedirect(message);
    const objection = this.#servers.redirect(target?.server);
    if (objection !== undefined || target === undefined) {
      const words = `the server sends us to another one, ${objection ?? ''}: 300 ${text}`.trimEnd();
      this.#fail(Code.tryAlternate, 'redirect-refused', words);
      return;
    }
    this.#authentication.reset();
    this.#state = 'new';
    this.#out.events.push({ type: 'redirect', ...target });
  }

  #unanswered({ startedAt, discarded }: Request): void {
    const hint =
      discarded === undefined ? '' : `; an answer that was not signed as it must be said ${discarded}`;
    this.#fail(NO_ANSWER, 'no-response', `no answer from ${formatAddress(this.#servers.current)}${hint}`, {
      gate: 'turnRequest',
      elapsed: this.#out.now - startedAt,
    });
  }

  // --- keeping ---

  #refreshed(request: Request, message: StunMessage): void {
    const { settings, counters } = this.#out;
    const lifetime = lifetimeOf(message);
    if (lifetime === undefined) {
      // As if it had not come; the next one is asked for while there is time.
      counters.add('bad-response');
      this.#timers.arm('refresh', this.#out.now + settings.refusalTimeout);
    } else if (lifetime < settings.minLifetime) {
      this.#lose('relay-ended', `the server keeps the allocation for ${lifetime} ms, less than is of use`);
      this.#sayFarewell();
    } else {
      this.#keepFor(request, Math.min(lifetime, settings.maxLifetime));
    }
  }

  #notRefreshed(code: number): void {
    if (code === Code.allocationMismatch)
      this.#lose('relay-unknown', 'the server does not know the allocation');
    else if (code === Code.unauthenticated || code === Code.wrongCredentials) this.#pause();
    // It stands as long as it was granted; the server may think better of it until then.
    else this.#timers.arm('refresh', this.#out.now + this.#out.settings.refusalTimeout);
  }

  /** The server does not take the credentials any more: nothing is asked until there are others. */
  #pause(): void {
    if (this.#peers.isPaused) return;
    this.#peers.isPaused = true;
    this.#timers.disarm('credentials');
    this.#out.events.push({ type: 'credentialswanted', reason: 'refused' });
  }

  // --- the end ---

  #fail(errorCode: number, code: string, message: string, gate: Partial<Failure> = {}): void {
    const failure = this.#over(code, message, gate);
    this.#out.events.push({ type: 'failed', errorCode, errorText: message, failure });
  }

  #lose(code: string, message: string, gate: Partial<Failure> = {}): void {
    const failure = this.#over(code, message, gate);
    this.#out.events.push({ type: 'lost', failure });
  }

  #over(code: string, message: string, gate: Partial<Failure>): Failure {
    const { now, heardAt } = this.#out;
    const silence = heardAt === -Infinity ? {} : { peerSilentFor: now - heardAt };
    const failure: Failure = { layer: 'turn', code, message, ...gate, ...silence };
    this.#end = { reason: failure, at: now };
    this.#state = 'failed';
    this.#release();
    return failure;
  }

  /** `shutdown` has done what it can. */
  #confirmed(): void {
    const reason: Failure = { layer: 'turn', code: 'local-close', message: 'shut down by its owner' };
    this.#end ??= { reason, at: this.#out.now };
    this.#state = 'closed';
    this.#release();
    this.#out.events.push({ type: 'closed' });
  }

  #release(): void {
    this.#allocation = undefined;
    this.#requests.clear();
    this.#peers.clear();
    this.#timers.disarmAll();
    this.#out.transmits.clear();
    this.#out.received.clear();
  }

  /** One message that nobody waits for the answer of. */
  #sayFarewell(): void {
    this.#out.transmitUnanswered(this.#requests.encode({ type: 'refresh', lifetime: 0 }));
  }
}

/** The gate of each state that waits for the server. */
const WAITS: Readonly<Partial<Record<TurnClientState, TurnTimer>>> = {
  allocating: 'turnAllocate',
  allocated: 'relayRefresh',
  releasing: 'turnFarewell',
};

function describeBadAllocation(answer: AllocationAnswer | undefined, minLifetime: number): string {
  if (answer === undefined) return 'the server gives an allocation, and leaves out what it is';
  if (answer.lifetime >= minLifetime) return 'the server gives an allocation of no family that was asked for';
  return `the server gives an allocation for ${answer.lifetime} ms, less than is of use`;
}
