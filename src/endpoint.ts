/**
 * Endpoint: many `Rtc` behind one socket, or a few. It speaks the same contract as an `Rtc`.
 *
 *   in:  STUN requests go by the username fragment, which names the connection, STUN responses by the transaction id of
 *        the check they answer, DTLS with a connection id by that, where there are any (endpoint/connection-ids.ts),
 *        everything else to the connection the path belongs to (endpoint/ownership.ts). Nothing is bound before a connection has verified integrity. Each look-up is O(1) (F3a).
 *   out: connections with something to say stand in one queue, the deadlines of all the others in one heap (F4a);
 *        an idle connection costs nothing.
 *
 * A connection leaves by itself after its `closed` event has been polled.
 *
 * What throws inside of one connection (a bug of ours, a crypto provider of the host's) ends that connection alone: it
 * says its farewell if it still can, and its `closed` event has the code `internal-error`.
 */
import { Counters } from './core/counters.ts';
import { DeadlineHeap } from './core/deadline-heap.ts';
import { RtcError } from './core/errors.ts';
import type { HostReply, HostRequest } from './core/host.ts';
import { BoundedQueue } from './core/queue.ts';
import { AwaitedAnswers } from './endpoint/answers.ts';
import { ConnectionIds } from './endpoint/connection-ids.ts';
import { EndpointGathering } from './endpoint/gathering.ts';
import type { EndpointCounter, EndpointInspection } from './endpoint/inspection.ts';
import { ENDPOINT_COUNTERS } from './endpoint/inspection.ts';
import type { Member } from './endpoint/member.ts';
import { memberOf } from './endpoint/member.ts';
import { MemoryBudget } from './endpoint/memory-budget.ts';
import { Ownership } from './endpoint/ownership.ts';
import type { EndpointOptions } from './endpoint/options.ts';
import { endpointSettings } from './endpoint/options.ts';
import type { Route } from './endpoint/routes.ts';
import { UnknownReports } from './endpoint/unknown.ts';
import type { GatherConfig } from './gather/index.ts';
import type { LocalCandidateAddress } from './ice/index.ts';
import type { Input, Output, Rtc, RtcEvent, TimeoutOutput, Transmit } from './rtc.ts';
import { IDLE_TIMERS } from './rtc.ts';
import { isStun, isStunRequest, stunRequestUsername } from './stun/index.ts';

export type { EndpointCounter, EndpointInspection } from './endpoint/inspection.ts';
export type { EndpointOptions } from './endpoint/options.ts';
export type { SharedPath } from './endpoint/ownership.ts';
export type { UnknownDatagram } from './endpoint/unknown.ts';
export { MAX_SHARDS, shardOf, shardUsernameFragment } from './endpoint/shard.ts';

/** What to do next, as of an `Rtc`; an event says whose it is. A `request` is answered by an input (core/host.ts). */
export type EndpointOutput =
  | Transmit
  | { readonly type: 'event'; readonly rtc: Rtc; readonly event: RtcEvent }
  | { readonly type: 'request'; readonly request: HostRequest }
  | TimeoutOutput;

/** One datagram as an input. */
export type ReceiveInput = Extract<Input, { type: 'receive' }>;

/** Outputs taken from one connection before the next one has its turn. */
const TURN = 64;

/** Errors of the host's functions kept for the end of `handleInput`; it throws the first. */
const MAX_UNREPORTED = 16;

/**
 * Many connections behind one socket, or a few; `handleInput` and `pollOutput` are those of an `Rtc`. Its methods come in families:
 *
 * - the connections: `add`, `remove`, `connections`, `size`
 * - their addresses: `addSocket`, `removeSocket`, `gather`, `renewCredentials`
 * - what the world did: `handleInput`, `handleInputs`
 * - what to do next: `pollOutput`; `onWake` says when
 * - how it is: `inspect`
 */
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
  readonly #members = new Map<Rtc, Member>();
  /** By number: awaited answers hold that, not what it stands for. */
  readonly #byNumber = new Map<number, Member>();
  #joined = 0;
  /** By each username fragment that its peer may address. */
  readonly #byFragment = new Map<string, Member>();
  readonly #paths: Ownership<Member>;
  readonly #answers = new AwaitedAnswers();
  readonly #ids = new ConnectionIds<Member>();
  readonly #ready = new BoundedQueue<Member>(Infinity); // each member stands in it once
  readonly #deadlines = new DeadlineHeap<Member>();
  readonly #counters = new Counters<EndpointCounter>(ENDPOINT_COUNTERS);
  readonly #maxConnections: number;
  readonly #onUnknown: EndpointOptions['onUnknown'];
  readonly #unknownReports: UnknownReports;
  readonly #idleTimerSlack: number;
  readonly #budget: MemoryBudget<Member>;
  readonly #gathering: EndpointGathering;
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
    const settings = endpointSettings(options);
    this.#maxConnections = settings.maxConnections;
    this.#paths = new Ownership(
      {
        maxRoutesPerConnection: settings.maxRoutesPerConnection,
        takeoverSilence: settings.takeoverSilence,
        onSharedPath: this.#guardedSharedPath(options.onSharedPath),
      },
      this.#counters,
    );
    this.#budget = new MemoryBudget(settings.maxBufferedBytes);
    this.#gathering = new EndpointGathering(options.gathering, settings.maxNames, this.#counters);
    this.#onUnknown = options.onUnknown;
    this.#unknownReports = new UnknownReports(settings.maxUnknownPerSecond);
    this.#idleTimerSlack = settings.idleTimerSlack;
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
    const taken = rtc.usernameFragments.find((fragment) => this.#byFragment.has(fragment));
    if (taken !== undefined) {
      throw new RtcError('ERR_INVALID_STATE', `an Rtc with the username fragment "${taken}" is here already`);
    }
    if (this.#members.size >= this.#maxConnections) {
      throw new RtcError(
        'ERR_LIMIT',
        `"maxConnections" is ${String(this.#maxConnections)}, and as many are here`,
      );
    }
    const member = memberOf(rtc, ++this.#joined);
    this.#members.set(rtc, member);
    this.#byNumber.set(member.number, member);
    this.#register(member);
    rtc.onUsernameFragments = (): void => {
      this.#register(member);
      if (this.#gathering.noteRestart(member)) this.#wakeHost();
    };
    rtc.onWake = (): void => this.#wake(member);
    rtc.onError = (error): void => this.#report(error, rtc);
    this.#wake(member);
  }

  /** Lets `rtc` go without closing it. */
  remove(rtc: Rtc): void {
    const member = this.#members.get(rtc);
    if (member === undefined) return;
    member.present = false;
    this.#budget.note(member, 0);
    this.#members.delete(rtc);
    this.#byNumber.delete(member.number);
    this.#unregister(member);
    this.#deadlines.delete(member);
    this.#drained?.delete(member);
    this.#paths.release(member);
    this.#gathering.release(member);
    this.#ids.forget(member);
    if (this.#members.size === 0) this.#answers.clear();
    rtc.onWake = undefined;
    rtc.onError = undefined;
    rtc.onUsernameFragments = undefined;
  }

  /**
   * A socket of the host's, whose server-reflexive and relayed addresses may be gathered. Its own address is a candidate only
   * where the host says so (`rtc.addLocalCandidate`). Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT` over `gathering.maxSockets`.
   */
  addSocket(socket: LocalCandidateAddress & { readonly protocol: 'udp' }): void {
    this.#gathering.addSocket(socket);
    this.#wakeHost();
  }

  /** The socket is gone, and with it every connection's candidates on it. Throws `ERR_BAD_ARGUMENT`. */
  removeSocket(socket: LocalCandidateAddress): void {
    const { protocol, address, port } = socket;
    if (protocol === 'udp') this.#gathering.removeSocket({ protocol, address, port });
    for (const { rtc } of this.#members.values()) rtc.removeLocalCandidate({ protocol, address, port });
    this.#wakeHost();
  }

  /**
   * Gathers server-reflexive and relayed addresses for a connection that is here; what comes of it are events of that connection
   * (`icecandidate`, `icecandidateerror`, `icegatheringstatechange`). They belong to the sockets and are shared: each server is
   * asked once a socket, whoever gathers. Again: in place of what was gathered before.
   *
   * Throws `ERR_BAD_ARGUMENT`, `ERR_LIMIT` over `gathering.maxServers`, `ERR_INVALID_STATE` for a connection that is not here.
   */
  gather(rtc: Rtc, config: GatherConfig): void {
    const member = this.#members.get(rtc);
    if (member === undefined) throw new RtcError('ERR_INVALID_STATE', 'this Rtc is not in the endpoint');
    this.#gathering.gather(member, config);
    this.#wakeHost();
  }

  /**
   * Other credentials for the TURN servers that are gathered from for a connection, in place of those that expire: their
   * allocations stay. Throws as `gather` does.
   */
  renewCredentials(rtc: Rtc, iceServers: GatherConfig['iceServers']): void {
    const member = this.#members.get(rtc);
    if (member === undefined) throw new RtcError('ERR_INVALID_STATE', 'this Rtc is not in the endpoint');
    this.#gathering.renewCredentials(member, iceServers);
    this.#wakeHost();
  }

  /**
   * Gives back what servers keep for these sockets (relayed addresses), for a host that ends: close the connections and drain, call
   * this, drain again. Nothing is gathered here afterwards.
   */
  endGathering(): void {
    this.#gathering.close(this.#now);
    this.#wakeHost();
  }

  /** Feeds one datagram, a reply to a request, or the time. Never throws because of bytes from the network. */
  handleInput(input: Input | HostReply): void {
    this.#advance(input.now);
    if (input.type === 'receive') this.#receive(input);
    else if (input.type !== 'timeout') this.#receiveReply(input);
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
    const gathered = this.#gathering.pollOutput();
    if (gathered !== undefined) return gathered;
    this.#draining = false;
    this.#woken = false;
    const next = this.#deadlines.peek();
    const at = this.#deadlines.next();
    const gatherAt = this.#gathering.nextTimeout();
    if (gatherAt < at)
      return {
        type: 'timeout',
        at: Math.max(gatherAt, this.#now + 1),
        reason: this.#gathering.timeoutReason(),
      };
    return next === undefined
      ? { type: 'timeout', at: Infinity, reason: 'idle' }
      : { type: 'timeout', at, reason: next.reason };
  }

  /**
   * What must hold after a drain and does not, as a sentence; `undefined` while all is well. For simulations: it looks at
   * the connections drained since it was asked last.
   */
  invariantViolation(): string | undefined {
    const violation = this.#gathering.invariantViolation();
    if (violation !== undefined) return violation;
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
    const gathering = this.#gathering.inspect();
    return {
      connections: this.#members.size,
      routes: this.#paths.size,
      armed: this.#deadlines.size,
      ready: this.#ready.size,
      bufferedBytes: this.#budget.total,
      names: this.#gathering.awaitedNames,
      ...(gathering === undefined ? {} : { gathering }),
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
    if (output.type === 'event') {
      if (output.event.type === 'resolve') {
        this.#resolve(member, output.event.name);
        return undefined;
      }
      return { type: 'event', rtc: member.rtc, event: this.#noteEvent(member, output.event) };
    }
    if (output.type === 'transmit') {
      if (!this.#maySend(member, output)) return undefined;
      // What leaves from a relayed address goes to its server, wrapped, as the next output.
      return this.#gathering.sendFromRelay(output, this.#now) ? this.#gathering.pollOutput() : output;
    }
    this.#turn = 0;
    this.#ready.shift();
    if (member.isLite) this.#noteLitePath(member);
    if (member.pathUse === 'undecided') this.#notePathUse(member);
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
    this.#gathering.handleTimeout(this.#now);
    this.#carryGathering();
  }

  /** What was gathered goes to its connections; what came through relays arrives where they have its peers. */
  #carryGathering(): void {
    this.#gathering.carry(this.#now);
    for (let next = this.#gathering.pollDatagram(); next !== undefined; next = this.#gathering.pollDatagram())
      this.#receiveFromPeer({ type: 'receive', now: this.#now, protocol: 'udp', ...next });
  }

  #receiveReply(reply: HostReply): void {
    for (const member of this.#gathering.handleReply(reply)) {
      if (reply.type === 'resolved') this.#deliver(member, { ...reply, now: this.#now });
    }
  }

  /** A name of a candidate of its peer's. */
  #resolve(member: Member, name: string): void {
    if (this.#gathering.ask(name, member, this.#now)) return;
    this.#deliver(member, { type: 'resolved', now: this.#now, name, addresses: [] });
  }

  #receive(input: ReceiveInput): void {
    this.#counters.add('datagramsReceived');
    if (!this.#gathering.handlePacket(input)) this.#receiveFromPeer(input);
  }

  #receiveFromPeer(input: ReceiveInput): void {
    if (!isStun(input.data)) this.#receiveData(input);
    else if (isStunRequest(input.data)) this.#receiveCheck(input);
    else this.#receiveAnswer(input);
  }

  #receiveCheck(input: ReceiveInput): void {
    const usernameFragment = stunRequestUsername(input.data)?.receiver ?? '';
    const member = this.#byFragment.get(usernameFragment);
    if (member === undefined) {
      this.#counters.add('droppedUnknownUsername');
      this.#reportUnknown(input, usernameFragment);
    } else if (!this.#isKeptOff(member, input)) {
      this.#deliverStun(member, input);
    }
  }

  /** A check is not answered where none of ours is sent: the peer would take the path for one that may be used. */
  #isKeptOff(member: Member, input: ReceiveInput): boolean {
    const route = this.#route(input);
    if (route === undefined) return false;
    const isTooEarly = this.#paths.isTooEarly(member, route, this.#now);
    const isKeptOff = isTooEarly || route.shunned.has(member);
    if (isKeptOff) this.#counters.add(isTooEarly ? 'checksDeferred' : 'routesShunned');
    return isKeptOff;
  }

  /** A STUN response concerns whoever asked. */
  #receiveAnswer(input: ReceiveInput): void {
    const member = this.#byNumber.get(this.#answers.find(input.data, input.source.port) ?? 0);
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
    const addressee = this.#ids.size === 0 ? undefined : this.#ids.find(input.data);
    if (addressee !== undefined) {
      this.#receiveAddressed(addressee, input);
      return;
    }
    const route = this.#route(input);
    if (route?.owner !== undefined) {
      if (isAmbiguous(route)) this.#counters.add('droppedUnattributed');
      else this.#deliver(route.owner, input);
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

  /** The datagram says whose it is. That may be a lie, so the connection must know the address that it comes from. */
  #receiveAddressed(addressee: Member | 'nobody', input: ReceiveInput): void {
    const { protocol, source, destination } = input;
    const isKnown = (rtc: Rtc): boolean =>
      rtc.isValidPath(destination, source, protocol) ||
      rtc.isAuthenticatedPath(destination, source, protocol);
    if (addressee !== 'nobody' && isKnown(addressee.rtc)) {
      this.#deliver(addressee, input);
    } else {
      this.#counters.add('droppedUnknownConnectionId');
      this.#reportUnknown(input);
    }
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
    if (!this.#unknownReports.admits(this.#now)) {
      this.#counters.add('unknownNotReported');
      return;
    }
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
    this.#paths.using(member, path.protocol, path.source, path.destination, this.#now);
  }

  /** What its handshake has shown by now: whether its datagrams say whose they are. */
  #notePathUse(member: Member): void {
    const isTold = this.#ids.note(member);
    member.pathUse = isTold ? member.rtc.pathUse : 'exclusive';
    if (member.pathUse !== 'undecided') this.#paths.decided(member);
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
    if (!this.#paths.checking(member, protocol, source, destination, this.#now)) return false;
    this.#answers.expect(data, destination.port, member.number, this.#now);
    return true;
  }

  /** The fragments of `member` are these now: those of a restart lead to it, too, and those before the last one no more. */
  #register(member: Member): void {
    this.#unregister(member);
    for (const fragment of member.rtc.usernameFragments) {
      if (this.#byFragment.has(fragment)) {
        this.#counters.add('usernameFragmentTaken');
        continue;
      }
      this.#byFragment.set(fragment, member);
      member.fragments.push(fragment);
    }
  }

  #unregister(member: Member): void {
    for (const fragment of member.fragments.splice(0)) this.#byFragment.delete(fragment);
  }

  #wake(member: Member): void {
    member.stale = true;
    this.#enqueue(member);
    this.#wakeHost();
  }

  #wakeHost(): void {
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
    const event: RtcEvent = { type: 'closed', reason: member.failure };
    member.rtc.onEvent?.(event);
    return { type: 'event', rtc: member.rtc, event };
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

/** True where what has no name may be of any of several handshakes: given to the wrong one it would spoil that. */
function isAmbiguous({ owner, claimants, peersShare }: Route<Member>): boolean {
  if (peersShare !== true || owner?.pathUse !== 'undecided') return false;
  for (const claimant of claimants) if (claimant.pathUse === 'undecided') return true;
  return false;
}
