/**
 * Endpoint: many `Rtc` behind one socket, or a few. It speaks the same contract as an `Rtc`.
 *
 *   in:  STUN requests go by the username fragment, which names the connection, STUN responses by the transaction id of
 *        the check they answer, everything else to the connection the path belongs to (endpoint/ownership.ts). Nothing is
 *        bound before a connection has verified integrity. Each look-up is O(1) (F3a).
 *   out: connections with something to say stand in one queue, the deadlines of all the others in one heap (F4a);
 *        an idle connection costs nothing.
 *
 * A connection leaves by itself after its `closed` event has been polled.
 *
 * What throws inside of one connection (a bug of ours, a crypto provider of the host's) ends that connection alone: it
 * says its farewell if it still can, and its `closed` event has the code `internal-error`.
 */
import type { TransportAddress } from './core/address.ts';
import { Counters } from './core/counters.ts';
import { DeadlineHeap } from './core/deadline-heap.ts';
import type { Failure } from './core/errors.ts';
import { RtcError } from './core/errors.ts';
import type { OptionRules } from './core/options.ts';
import { callback, checkOptions, integer, number } from './core/options.ts';
import { BoundedQueue } from './core/queue.ts';
import { AwaitedAnswers } from './endpoint/answers.ts';
import { MemoryBudget } from './endpoint/memory-budget.ts';
import type { PathUser, SharedPath } from './endpoint/ownership.ts';
import { Ownership } from './endpoint/ownership.ts';
import type { Route } from './endpoint/routes.ts';
import type { IcePath, Input, Output, Rtc, RtcEvent, TimeoutOutput, Transmit } from './rtc.ts';
import { isStun, isStunRequest, stunRequestUsername } from './stun/index.ts';

export type { SharedPath } from './endpoint/ownership.ts';
export { MAX_SHARDS, shardOf, shardUsernameFragment } from './endpoint/shard.ts';

export type EndpointOutput =
  Transmit | { readonly type: 'event'; readonly rtc: Rtc; readonly event: RtcEvent } | TimeoutOutput;

export interface EndpointOptions {
  /** Most connections at once. Default 100000. */
  readonly maxConnections?: number | undefined;
  /**
   * Most remote addresses one connection may have to do with at once; for a new one the oldest that it does not own is let
   * go, and the oldest of its own only if there is no other. Default 32.
   */
  readonly maxRoutesPerConnection?: number | undefined;
  /**
   * How long the owner of a path must have been silent until a connection takes it that cannot prove that its peer is
   * there (a lite one), or has lost it before. Milliseconds, default 10000: peers check every 2.5 to 6 s.
   */
  readonly takeoverSilence?: number | undefined;
  /**
   * Two connections here meet one remote address over one local address, and cannot share that path. Called when the second
   * is about to send its first check there. True: the check is withheld and the connection keeps off this path, since the
   * caller has given it, or will give it, a local candidate on another socket. It may call `rtc.addLocalCandidate`.
   */
  readonly onSharedPath?: ((meeting: SharedPath) => boolean) | undefined;
  /**
   * Sees datagrams that belong to no connection here: a check for a connection of another worker, a probe. It must not
   * keep `data`, and answers at its own risk: nothing about the sender is verified.
   */
  readonly onUnknown?: ((datagram: UnknownDatagram) => void) | undefined;
  /** Most calls of `onUnknown` a second; the rest is counted alone (`unknownNotReported`). Default 100. */
  readonly maxUnknownPerSecond?: number | undefined;
  /**
   * Bytes of memory that what all connections have received and nobody has taken, and what they have accepted and their peers
   * have not acknowledged, may take together. Beyond it the connection that holds most is closed (`memory-budget`, counted in
   * `closedForMemory`). Default 1 GiB; Infinity: no limit.
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * How late the timers of an idle connection (its consent checks and heartbeats) may be, ms, so that those of many
   * connections share one wake-up of the process. Every other deadline is kept as it is. Default 0.
   */
  readonly idleTimerSlack?: number | undefined;
}

export interface UnknownDatagram {
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Uint8Array;
  /** Of a STUN check: the username fragment of the connection it is for. */
  readonly usernameFragment?: string | undefined;
}

/** One datagram as an input. */
export type ReceiveInput = Extract<Input, { type: 'receive' }>;

const COUNTERS = [
  'datagramsReceived',
  /** STUN checks for a username fragment that is not here. */
  'droppedUnknownUsername',
  /** Anything else from an address that no connection has verified. */
  'droppedUnknownAddress',
  /** Of both kinds, those that `onUnknown` was not told of: it had been told too often in that second. */
  'unknownNotReported',
  'routesBound',
  /** Of these, those taken from a connection that is still here. */
  'routesTakenOver',
  /** Connections that were told that another one here has their path (`path-taken-over`). */
  'routesContested',
  /** Routes let go for a new one at `maxRoutesPerConnection`. */
  'routesEvicted',
  /** Checks not sent, and those not taken, over a path that `onSharedPath` keeps a connection off. */
  'routesShunned',
  /** What connections threw when they were fed or polled. */
  'internalErrors',
  /** Connections closed as they held most of `maxBufferedBytes`. */
  'closedForMemory',
] as const;

export type EndpointCounter = (typeof COUNTERS)[number];

const DEFAULT_MAX_BUFFERED_BYTES = 2 ** 30;

const DEFAULT_UNKNOWN_PER_SECOND = 100;

/** A consent check a second late still leaves room for another one within the 30 s of the gate (RFC 7675 §5.1). */
const MAX_IDLE_TIMER_SLACK = 1000;

const RULES: OptionRules<EndpointOptions> = {
  maxConnections: number(1, Infinity),
  maxRoutesPerConnection: integer(1),
  onUnknown: callback,
  maxUnknownPerSecond: number(0, Infinity),
  maxBufferedBytes: number(1, Infinity),
  idleTimerSlack: number(0, MAX_IDLE_TIMER_SLACK),
  takeoverSilence: number(0, Infinity),
  onSharedPath: callback,
};

/** Outputs taken from one connection before the next one has its turn. */
const TURN = 64;

/** Timers whose lateness nobody notices: they recur every few seconds, spread at random by far more than any slack. */
const IDLE_TIMERS: ReadonlySet<string> = new Set(['ice.consentCheck', 'sctp.heartbeat']);

const DEFAULT_MAX_ROUTES = 32;

/** Errors of the host's functions kept for the end of `handleInput`; it throws the first. */
const MAX_UNREPORTED = 16;

const DEFAULT_TAKEOVER_SILENCE = 10_000;

interface Member extends PathUser<Member> {
  readonly rtc: Rtc;
  readonly key: string;
  readonly routes: Set<Route<Member>>;
  readonly isLite: boolean;
  /** Bytes it holds; the budget keeps it up to date. */
  held: number;
  /** The path in use at the end of the latest drain, of a lite one. */
  litePath: IcePath | undefined;
  present: boolean;
  queued: boolean;
  /** Woken by an API call: it must hear the time before it is drained. */
  stale: boolean;
  /** Why its deadline is what it is. */
  reason: string;
  /** What it has thrown; it is being closed for it. */
  failure: Failure | undefined;
  /** It cannot even be closed: it is not called any more. */
  broken: boolean;
  /** Its `closed` event has been given out. */
  closed: boolean;
}

export class Endpoint {
  /**
   * Called when an API call (`channel.send` outside the receive loop, say) has made work: feed
   * `{ type: 'timeout', now }` and drain. It is called at most once until the next drain.
   */
  onWake: (() => void) | undefined;
  /**
   * Told what a connection has thrown (`rtc` says which; its `closed` event follows), and what the functions that the host
   * has given throw: `onUnknown`, `onWake`, a connection's trace listener. Without it the latter are thrown by
   * `handleInput`, after its work.
   */
  onError: ((error: unknown, rtc?: Rtc) => void) | undefined;
  readonly #members = new Map<string, Member>();
  readonly #paths: Ownership<Member>;
  readonly #answers = new AwaitedAnswers();
  readonly #ready = new BoundedQueue<Member>(Infinity); // each member stands in it once
  readonly #deadlines = new DeadlineHeap<Member>();
  readonly #counters = new Counters<EndpointCounter>(COUNTERS);
  readonly #maxConnections: number;
  readonly #onUnknown: ((datagram: UnknownDatagram) => void) | undefined;
  readonly #maxUnknown: number;
  readonly #idleTimerSlack: number;
  readonly #budget: MemoryBudget<Member>;
  /** Calls of `onUnknown` since `#unknownSince`. */
  #unknown = 0;
  #unknownSince = -Infinity;
  /** Connections drained since `invariantViolation` was asked; `undefined` as long as nobody does. */
  #drained: Set<Member> | undefined;
  #now = 0;
  #draining = false;
  #woken = false;
  #turn = 0;
  /** What functions of the host's have thrown while nobody was told (`onError`). */
  readonly #unreported = new BoundedQueue<unknown>(MAX_UNREPORTED);

  /** Throws `ERR_BAD_ARGUMENT` for an option that cannot be. */
  constructor(options: EndpointOptions = {}) {
    checkOptions('Endpoint', options, RULES);
    this.#maxConnections = options.maxConnections ?? 100_000;
    this.#paths = new Ownership(
      {
        maxRoutesPerConnection: options.maxRoutesPerConnection ?? DEFAULT_MAX_ROUTES,
        takeoverSilence: options.takeoverSilence ?? DEFAULT_TAKEOVER_SILENCE,
        onSharedPath: this.#guardedSharedPath(options.onSharedPath),
      },
      this.#counters,
    );
    this.#budget = new MemoryBudget(options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES);
    this.#onUnknown = options.onUnknown;
    this.#maxUnknown = options.maxUnknownPerSecond ?? DEFAULT_UNKNOWN_PER_SECOND;
    this.#idleTimerSlack = options.idleTimerSlack ?? 0;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Every connection, in the order in which they were added. */
  connections(): Rtc[] {
    return [...this.#members.values()].map((member) => member.rtc);
  }

  /**
   * Takes `rtc` in; from now on this endpoint alone feeds and drains it.
   * Throws `ERR_LIMIT` when full, `ERR_INVALID_STATE` when its username fragment is taken.
   */
  add(rtc: Rtc): void {
    const key = rtc.localParameters.ice.usernameFragment;
    if (this.#members.has(key)) {
      throw new RtcError('ERR_INVALID_STATE', `an Rtc with the username fragment "${key}" is here already`);
    }
    if (this.#members.size >= this.#maxConnections) {
      throw new RtcError(
        'ERR_LIMIT',
        `"maxConnections" is ${String(this.#maxConnections)}, and as many are here`,
      );
    }
    const member: Member = {
      rtc,
      key,
      isLite: rtc.localParameters.ice.lite === true,
      held: 0,
      litePath: undefined,
      routes: new Set(),
      present: true,
      queued: false,
      stale: false,
      reason: 'idle',
      failure: undefined,
      broken: false,
      closed: false,
    };
    this.#members.set(key, member);
    rtc.onWake = (): void => this.#wake(member);
    rtc.onError = (error): void => this.#report(error, rtc);
    this.#wake(member);
  }

  /** Lets `rtc` go without closing it. */
  remove(rtc: Rtc): void {
    const key = rtc.localParameters.ice.usernameFragment;
    const member = this.#members.get(key);
    if (member?.rtc !== rtc) return;
    member.present = false;
    this.#budget.note(member, 0);
    this.#members.delete(key);
    this.#deadlines.delete(member);
    this.#drained?.delete(member);
    this.#paths.release(member);
    if (this.#members.size === 0) this.#answers.clear();
    rtc.onWake = undefined;
    rtc.onError = undefined;
  }

  /** Feeds one datagram or the time. Never throws because of bytes from the network. */
  handleInput(input: Input): void {
    this.#advance(input.now);
    if (input.type === 'receive') this.#receive(input);
    this.#runDue();
    this.#throwUnreported();
  }

  /** F4b: feeds the datagrams of one batch; what is due runs once, after them. Drain when it returns. */
  handleInputs(inputs: readonly ReceiveInput[]): void {
    for (const input of inputs) {
      this.#advance(input.now);
      this.#receive(input);
    }
    this.#runDue();
    this.#throwUnreported();
  }

  /** What to do next; drain until it answers `timeout`. */
  pollOutput(): EndpointOutput {
    for (let member = this.#ready.peek(); member !== undefined; member = this.#ready.peek()) {
      const output = this.#pollMember(member);
      if (output !== undefined) return output;
    }
    this.#draining = false;
    this.#woken = false;
    const next = this.#deadlines.peek();
    if (next === undefined) return { type: 'timeout', at: Infinity, reason: 'idle' };
    return { type: 'timeout', at: this.#deadlines.next(), reason: next.reason };
  }

  /**
   * What must hold after a drain and does not, as a sentence; `undefined` while all is well. For simulations: it looks at
   * the connections drained since it was asked last.
   */
  invariantViolation(): string | undefined {
    const drained = this.#drained ?? this.#members.values();
    this.#drained = new Set();
    for (const { rtc, queued } of drained) {
      const violation = queued ? undefined : rtc.invariantViolation();
      if (violation !== undefined) return `${rtc.localParameters.ice.usernameFragment}: ${violation}`;
    }
    return undefined;
  }

  /** Plain and JSON-safe: sizes and counters of the endpoint itself. Each connection has its own `inspect()`. */
  inspect(): EndpointInspection {
    return {
      connections: this.#members.size,
      routes: this.#paths.size,
      armed: this.#deadlines.size,
      ready: this.#ready.size,
      bufferedBytes: this.#budget.total,
      counters: this.#counters.snapshot(),
    };
  }

  /** The next output of the connection at the head of the queue; `undefined` when its turn is over. */
  #pollMember(member: Member): EndpointOutput | undefined {
    if (!member.present) {
      this.#ready.shift();
      return undefined;
    }
    if (member.broken) return this.#expel(member);
    // A connection with a lot to say must not keep the others waiting.
    if (++this.#turn > TURN) {
      this.#turn = 0;
      this.#ready.shift();
      this.#ready.push(member);
      return undefined;
    }
    if (member.stale && this.#draining) {
      member.stale = false;
      this.#feed(member, { type: 'timeout', now: this.#now });
    }
    const output = this.#poll(member);
    if (output === undefined) return undefined;
    if (output.type === 'event')
      return { type: 'event', rtc: member.rtc, event: this.#noteEvent(member, output.event) };
    if (output.type === 'transmit') return this.#maySend(member, output) ? output : undefined;
    this.#turn = 0;
    this.#ready.shift();
    if (member.isLite) this.#noteLitePath(member);
    member.queued = false;
    this.#noteMemory(member);
    member.reason = output.reason;
    if (member.rtc.isEmpty || (member.failure !== undefined && member.closed)) this.remove(member.rtc);
    else this.#deadlines.set(member, this.#wakeAt(output));
    this.#drained?.add(member);
    return undefined;
  }

  /** Idle timers fall on the points of a grid, and all connections have the same. */
  #wakeAt({ at, reason }: TimeoutOutput): number {
    // A connection that was called outside of a drain counts from its own clock, which may be behind ours.
    if (at <= this.#now) return this.#now + 1;
    const slack = this.#idleTimerSlack;
    return slack === 0 || !IDLE_TIMERS.has(reason) ? at : Math.max(at, Math.ceil(at / slack) * slack);
  }

  #advance(now: number): void {
    this.#now = Math.max(this.#now, now);
    this.#draining = true;
  }

  #runDue(): void {
    for (
      let due = this.#deadlines.takeDue(this.#now);
      due !== undefined;
      due = this.#deadlines.takeDue(this.#now)
    ) {
      this.#feed(due, { type: 'timeout', now: this.#now });
      this.#enqueue(due);
    }
  }

  #receive(input: ReceiveInput): void {
    this.#counters.add('datagramsReceived');
    if (!isStun(input.data)) this.#receiveData(input);
    else if (isStunRequest(input.data)) this.#receiveCheck(input);
    else this.#receiveAnswer(input);
  }

  #receiveCheck(input: ReceiveInput): void {
    const usernameFragment = stunRequestUsername(input.data)?.receiver ?? '';
    const member = this.#members.get(usernameFragment);
    if (member === undefined) {
      this.#counters.add('droppedUnknownUsername');
      this.#reportUnknown(input, usernameFragment);
    } else if (this.#route(input)?.shunned.has(member) === true) {
      this.#counters.add('routesShunned');
    } else {
      this.#deliverStun(member, input);
    }
  }

  /** A STUN response concerns whoever asked. */
  #receiveAnswer(input: ReceiveInput): void {
    const member = this.#members.get(this.#answers.find(input.data, input.source.port) ?? '');
    if (member !== undefined) {
      if (this.#deliverStun(member, input)) this.#answers.forget(input.data, input.source.port);
    } else {
      // The owner's agent counts what it does not await.
      const owner = this.#route(input)?.owner;
      if (owner === undefined) this.#dropUnknownAddress(input);
      else this.#deliver(owner, input);
    }
  }

  #receiveData(input: ReceiveInput): void {
    const route = this.#route(input);
    if (route?.owner !== undefined) {
      this.#deliver(route.owner, input);
      return;
    }
    // Nobody has proved that its peer is there, so what came early is for any of them: DTLS will tell.
    let isForSomebody = false;
    for (const claimant of route?.claimants ?? []) {
      const { protocol, source, destination } = input;
      if (!claimant.rtc.isAuthenticatedPath(destination, source, protocol)) continue;
      this.#deliver(claimant, input);
      isForSomebody = true;
    }
    if (!isForSomebody) this.#dropUnknownAddress(input);
  }

  #route({ protocol, source, destination }: ReceiveInput): Route<Member> | undefined {
    return this.#paths.find(protocol, destination, source);
  }

  #dropUnknownAddress(input: ReceiveInput): void {
    this.#counters.add('droppedUnknownAddress');
    this.#reportUnknown(input);
  }

  #reportUnknown({ source, destination, data }: ReceiveInput, usernameFragment?: string): void {
    if (this.#onUnknown === undefined) return;
    if (this.#now - this.#unknownSince >= 1000) {
      this.#unknownSince = this.#now;
      this.#unknown = 0;
    }
    if (this.#unknown >= this.#maxUnknown) {
      this.#counters.add('unknownNotReported');
      return;
    }
    this.#unknown++;
    try {
      this.#onUnknown({ source, destination, data, usernameFragment });
    } catch (error) {
      this.#report(error);
    }
  }

  /** True if it was proof: an answer to a check, and verified. */
  #deliverStun(member: Member, input: ReceiveInput): boolean {
    const { protocol, source, destination } = input;
    const { rtc } = member;
    const provenBefore = rtc.pathProvenAt(destination, source, protocol);
    this.#deliver(member, input);
    this.#paths.heard(member, protocol, destination, source, provenBefore, this.#now);
    return rtc.pathProvenAt(destination, source, protocol) > provenBefore;
  }

  #noteLitePath(member: Member): void {
    const path = member.rtc.sendPath;
    if (path === undefined || path === member.litePath) return;
    member.litePath = path;
    this.#paths.using(member, path.protocol, path.source, path.destination);
  }

  #deliver(member: Member, input: Input): void {
    this.#feed(member, input);
    this.#noteMemory(member);
    this.#enqueue(member);
  }

  #noteMemory(member: Member): void {
    if (!member.present) return;
    this.#budget.note(member, member.rtc.bufferedBytes);
    while (this.#budget.isExceeded) {
      const largest = this.#budget.largest(this.#members.values());
      if (largest === undefined || largest.held === 0) return;
      this.#counters.add('closedForMemory');
      largest.failure ??= this.#budget.failure(largest);
      if (!closes(largest.rtc)) largest.broken = true;
      this.#budget.note(largest, 0);
      this.#enqueue(largest);
    }
  }

  /** A check leaves: its answer will be awaited. False: it must not. */
  #maySend(member: Member, { protocol, source, destination, data }: Transmit): boolean {
    if (!isStunRequest(data)) return true;
    if (!this.#paths.checking(member, protocol, source, destination)) return false;
    this.#answers.expect(data, destination.port, member.key, this.#now);
    return true;
  }

  #wake(member: Member): void {
    member.stale = true;
    this.#enqueue(member);
    if (this.#draining || this.#woken) return;
    this.#woken = true;
    try {
      this.onWake?.();
    } catch (error) {
      this.#woken = false; // nobody knows: the next call tries again
      this.#report(error);
    }
  }

  #enqueue(member: Member): void {
    if (member.queued) return;
    member.queued = true;
    this.#ready.push(member);
  }

  // --- what throws ---

  #feed(member: Member, input: Input): void {
    if (member.broken) return;
    try {
      member.rtc.handleInput(input);
    } catch (error) {
      this.#failed(member, error);
    }
  }

  /** @returns `undefined` if it has thrown */
  #poll(member: Member): Output | undefined {
    if (member.broken) return undefined;
    try {
      return member.rtc.pollOutput();
    } catch (error) {
      this.#failed(member, error);
      return undefined;
    }
  }

  /** Once: it is closed, and may say so to its peer. Twice, or if it cannot be closed: it is let go without a word. */
  #failed(member: Member, error: unknown): void {
    this.#counters.add('internalErrors');
    const again = member.failure !== undefined;
    const what = error instanceof Error ? error.message : String(error);
    member.failure ??= { layer: 'rtc', code: 'internal-error', message: `this end has failed: ${what}` };
    member.broken = again || !closes(member.rtc);
    this.#enqueue(member);
    this.onError?.(error, member.rtc);
  }

  /** What throws has decided nothing: the path is shared. */
  #guardedSharedPath(onSharedPath: EndpointOptions['onSharedPath']): EndpointOptions['onSharedPath'] {
    if (onSharedPath === undefined) return undefined;
    return (meeting) => {
      try {
        return onSharedPath(meeting);
      } catch (error) {
        this.#report(error, meeting.rtc);
        return false;
      }
    };
  }

  #noteEvent(member: Member, event: RtcEvent): RtcEvent {
    if (event.type !== 'closed') return event;
    member.closed = true;
    return member.failure === undefined ? event : { ...event, reason: member.failure };
  }

  #expel(member: Member): EndpointOutput | undefined {
    this.remove(member.rtc);
    if (member.closed || member.failure === undefined) return undefined;
    return { type: 'event', rtc: member.rtc, event: { type: 'closed', reason: member.failure } };
  }

  #report(error: unknown, rtc?: Rtc): void {
    if (this.onError === undefined) this.#unreported.push(error);
    else this.onError(error, rtc);
  }

  #throwUnreported(): void {
    if (this.#unreported.size === 0) return;
    const first = this.#unreported.shift();
    this.#unreported.clear();
    throw first;
  }
}

function closes(rtc: Rtc): boolean {
  try {
    rtc.close();
    return true;
  } catch {
    return false;
  }
}

export interface EndpointInspection {
  readonly connections: number;
  readonly routes: number;
  /** Connections with a deadline. */
  readonly armed: number;
  /** Connections waiting to be drained. */
  readonly ready: number;
  /** Bytes that all connections hold of what was received or is to be sent. */
  readonly bufferedBytes: number;
  readonly counters: Record<EndpointCounter, number>;
}
