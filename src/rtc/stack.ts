/**
 * ProtocolStack: one secured path and its users, and what travels between them.
 *
 *   in:   datagram → transport → plain packet → the user of its kind → events for the host
 *   out:  ICE's checks, DTLS's flights, then each user's packets in the order of their urgency, sealed → transmit
 *
 *   first input         the gate `signaling` is armed
 *   start(parameters)   the peer's parameters are known: the transport seeks a path
 *   path secured        every user is told its facts, and again whenever they change
 *   anybody's end       #finish: the farewells are sealed, everything is released, one `closed` event comes last
 *
 * A machine that has been called may have something to say, so it is marked as touched, and `carry` ends every entry point: it
 * brings what the touched ones have said to where it belongs, until all is quiet. Machines that were not touched are not
 * looked at; their deadlines are remembered.
 */
import type {
  ChannelCall,
  ChannelDraft,
  DataChannel,
  DataChannelOptions,
  DataState,
} from '../channel/index.ts';
import { SctpTransport } from '../channel/index.ts';
import type { Bytes } from '../core/bytes.ts';
import { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { isOrderly } from '../core/errors.ts';
import type { Machine, PacketKind } from '../core/machine.ts';
import { BoundedQueue } from '../core/queue.ts';
import { splitRandom } from '../core/random.ts';
import { timerName } from '../core/timers.ts';
import type {
  ChosenCredentials,
  IceCandidate,
  IceParameters,
  LocalCandidateAddress,
  LocalCandidateInit,
} from '../ice/index.ts';
import type { MediaUser, RtpSender, SenderCall } from '../media/index.ts';
import type { MediaPlan } from '../negotiation/index.ts';
import type { DatagramPath, TransportEvent, TransportTap } from '../transport/index.ts';
import { Transport, dtlsOverhead } from '../transport/index.ts';
import type { ConnectionState, PathAddresses, RtcEvent, Transmit } from './contract.ts';
import { restartFailed } from './ice-restart.ts';
import { isSamePath, pathTakenOver } from './path-takeover.ts';
import { GateKeeper } from './gates.ts';
import type { StackCounter, StackInspection } from './inspection.ts';
import { STACK_COUNTERS } from './inspection.ts';
import type { RtcSettings } from './options.ts';
import { SCTP_PORT } from './options.ts';
import type { DataParameters, TransportParameters } from './parameters.ts';
import type { Seat, SeatedSource, UserSeat } from './seats.ts';
import type { ConnectionStats } from './stats/report.ts';
import { TRANSPORT_ID } from './stats/stats-object.ts';
import { byUrgency, deadlineOf, dropPackets, reasonOf, rest, seatOf } from './seats.ts';

/** Passes of one `carry` before we call it our own bug: what flows back dries up after two or three. */
const MAX_PASSES = 100;

/** One connection without signalling: the path, its users, and the host's way to them. */
export class ProtocolStack {
  /** Moved by `advance` alone. */
  readonly clock: Clock;
  readonly #transport: Seat<Transport>;
  readonly #data: SctpTransport;
  readonly #dataSeat: UserSeat;
  /** In the order in which they are told of things. */
  readonly #users: readonly UserSeat[];
  /** Every user's sources, in the order of their urgency, with their user. */
  readonly #sources: readonly SeatedSource[];
  /** Whose packets those of each kind are. */
  readonly #receivers: Readonly<Partial<Record<PacketKind, UserSeat>>>;
  readonly #gates: GateKeeper;
  readonly #onRestartFailed: () => void;
  readonly #media: MediaUser | undefined;
  readonly #mediaSeat: UserSeat | undefined;
  #mediaPlans: readonly MediaPlan[] = [];
  readonly #counters = new Counters<StackCounter>(STACK_COUNTERS);
  /** Events in the order of their causes; for one that waits with its user, the user. Bounded by what users let through. */
  readonly #events = new BoundedQueue<RtcEvent | UserSeat>(Infinity);
  readonly #farewells = new BoundedQueue<Transmit>(8);
  #parameters: TransportParameters | undefined;
  #connectionState: ConnectionState = 'new';
  #isTouched = false;
  /** The path that another connection of this host has taken over, while no other has been selected. */
  #lostPath: PathAddresses | undefined;
  #end: Failure | undefined;
  #endPolled = false;

  /**
   * Throws `ERR_BAD_ARGUMENT` for an option out of range.
   * @param connection whose channels they are
   * @param onActivity called when a channel's handle has been called
   * @param onRestartFailed called when no pair of an ICE restart has worked
   */
  constructor(
    settings: RtcSettings,
    connection: object,
    onActivity: () => void,
    onRestartFailed: () => void,
  ) {
    const { random, mtu } = settings;
    this.clock = new Clock(true, settings.now);
    this.#onRestartFailed = onRestartFailed;
    const transport = new Transport({ ...settings.transport, clock: this.clock });
    const overhead = dtlsOverhead(settings.transport.dtls);
    this.#data = new SctpTransport(
      {
        ...settings.sctp,
        clock: this.clock,
        random: splitRandom(random, 'sctp'),
        localPort: SCTP_PORT,
        remotePort: SCTP_PORT,
        // What DTLS leaves of a datagram; SCTP packets are multiples of four bytes.
        mtu: (mtu - overhead) & ~3,
        pathMtu: settings.pathMtu && { ...settings.pathMtu, overhead },
        maxMessageSize: settings.maxMessageSize,
      },
      {
        ...settings.channels,
        clock: this.clock,
        connection,
        onActivity: () => {
          this.#touch(data);
          onActivity();
        },
      },
    );
    const media = settings.media?.create({
      clock: this.clock,
      random: splitRandom(random, 'media'),
      mtu,
      cname: settings.sources?.cname ?? '',
      onActivity: () => {
        this.#touchMedia();
        onActivity();
      },
    });
    const data: UserSeat = { ...seatOf(this.#data), placed: 0 };
    this.#transport = seatOf(transport);
    this.#dataSeat = data;
    this.#media = media;
    this.#mediaSeat = media && { ...seatOf(media), placed: 0 };
    this.#users = this.#mediaSeat === undefined ? [data] : [data, this.#mediaSeat];
    this.#sources = byUrgency(this.#users);
    this.#receivers = Object.fromEntries(this.#sources.map(({ source, seat }) => [source.kind, seat]));
    this.#gates = new GateKeeper(settings.gates);
  }

  // --- how it is ---

  get connectionState(): ConnectionState {
    return this.#connectionState;
  }

  /** The path, to look at. */
  get transport(): TransportView {
    return this.#transport.machine;
  }

  /** Why it ended; `undefined` while it lives. */
  get end(): Failure | undefined {
    return this.#end;
  }

  /** Bytes of memory that messages, either way, and channels take. */
  get bufferedBytes(): number {
    return this.#data.heldBytes;
  }

  /** True once the `closed` event has been polled and, as it must be then, nothing is queued or armed. */
  get isEmpty(): boolean {
    const queued = this.#events.size + this.#farewells.size + this.transport.earlyDatagrams;
    return this.#endPolled && queued === 0 && this.nextTimeout() === Infinity;
  }

  // --- the host's calls ---

  /** Throws as `IceAgent.addLocalCandidate` does. */
  addLocalCandidate(init: LocalCandidateInit): IceCandidate {
    const candidate = this.#touched(this.#transport).addLocalCandidate(init, this.clock.now);
    this.carry();
    return candidate;
  }

  /** Throws as `IceAgent.removeLocalCandidate` does. @returns false: there was none */
  removeLocalCandidate(address: LocalCandidateAddress): boolean {
    const isRemoved = this.#touched(this.#transport).removeLocalCandidate(address, this.clock.now);
    this.carry();
    return isRemoved;
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#touched(this.#transport).addRemoteCandidate(candidate, this.clock.now);
    this.carry();
  }

  endOfRemoteCandidates(): void {
    this.#touched(this.#transport).endOfRemoteCandidates(this.clock.now);
    this.carry();
  }

  /** Throws as `DataChannels.createChannel` does. */
  createChannel(label: string, options: DataChannelOptions): DataChannel {
    return this.#data.createChannel(label, options);
  }

  /** There is a channel that has not closed. */
  get hasChannels(): boolean {
    return this.#data.hasChannels;
  }

  /** Channels in the making, for an offer. */
  draftChannels(): ChannelDraft {
    return this.#data.draft();
  }

  /** Our offer is out, or taken back: see `Transport.setOffering`. */
  setOffering(isOffering: boolean): void {
    this.#transport.machine.setOffering(isOffering);
  }

  /** The time is known: as long as there is no peer, the gate `signaling` is armed. */
  awaitSignaling(): void {
    this.#gates.arm('signaling', this.clock.now);
  }

  /** An offer goes out, or is applied: the gate `signaling` counts anew from the next time that is known. */
  awaitSignalingAnew(): void {
    this.#gates.disarm('signaling');
  }

  /** The peer is known: the transport seeks a path, and the rest follows by itself. */
  start(parameters: TransportParameters): void {
    if (this.#end !== undefined) return;
    this.#gates.passSignaling();
    this.#parameters = parameters;
    if (parameters.data !== false) this.#openData(parameters, parameters);
    this.#touchAll();
    this.#transport.machine.start(parameters, this.clock.now);
    this.carry();
  }

  /** Restarts ICE with these credentials of ours. Throws as `IceAgent.restart` does. */
  restartIce(credentials: ChosenCredentials): void {
    if (this.#end !== undefined) return;
    this.#touched(this.#transport).restartIce(credentials, this.clock.now);
    this.carry();
  }

  /** The peer's credentials after a restart: the new pairs are checked. */
  setRemoteIce(parameters: IceParameters): void {
    if (this.#end !== undefined) return;
    this.#touched(this.#transport).setRemoteIce(parameters, this.clock.now);
    this.carry();
  }

  /** The restart that has been offered is taken back. */
  cancelIceRestart(): void {
    this.#touched(this.#transport).cancelIceRestart(this.clock.now);
    this.carry();
  }

  /** Data is agreed on, after `start`: an association is set up as soon as the path is there. */
  openData(parameters: DataParameters): void {
    if (this.#end !== undefined || this.#parameters === undefined) return;
    this.#openData(this.#parameters, parameters);
    this.carry();
  }

  /** Data is agreed on no longer: the association ends, every channel closes, the connection lives on. */
  closeData(): void {
    if (this.#end !== undefined) return;
    this.#touchedData().closeData(this.clock.now);
    this.carry();
  }

  /** Whether data is agreed on, and what has become of it. */
  get data(): DataState {
    return this.#data.data;
  }

  /** What media the connection has. It outlives its data then. @returns whether there is anybody to carry them, and a drain is wanted */
  setMedia(plans: readonly MediaPlan[]): boolean {
    this.#mediaPlans = plans;
    if (this.#end === undefined) this.#touchMedia()?.setMedia(plans, this.clock.now);
    // What flows neither way is nothing to live for.
    this.#data.isOutlived = plans.some(({ direction }) => direction !== 'inactive');
    return this.#end === undefined && this.#media !== undefined;
  }

  /** What sends of this media, of the encoding `rid` where there are several; `undefined`: there is none. */
  sender(mediaId: number, rid: string | undefined): RtpSender | undefined {
    return this.#media?.sender(mediaId, rid);
  }

  /** @returns false: nothing of the kind is agreed on */
  requestKeyframe(mediaId: number, rid: string | undefined): boolean {
    if (this.#end !== undefined) return false;
    return this.#touchMedia()?.requestKeyframe(mediaId, rid, this.clock.now) ?? false;
  }

  /** @returns false: nothing of the kind is agreed on */
  sendRemb(bitrate: number): boolean {
    if (this.#end !== undefined) return false;
    return this.#touchMedia()?.sendRemb(bitrate, this.clock.now) ?? false;
  }

  /** The peer takes messages of another size from now on. */
  setRemoteMaxMessageSize(size: number): void {
    this.#data.setRemoteMaxMessageSize(size);
  }

  /** Ends the connection: ABORT and close_notify go out where there is a path, everything is released in this call. */
  close(): void {
    this.#finish({ layer: 'rtc', code: 'local-close', message: 'closed by this end' });
    this.carry();
  }

  /** Ends a connection whose path is secured gracefully: its users deliver what they have accepted, then it closes. */
  shutdown(): void {
    if (this.#end !== undefined) return;
    for (const seat of this.#users) this.#touched(seat).shutdown(this.clock.now);
    this.carry();
  }

  /** Something is going wrong but has not ended anything. */
  warn(failure: Failure): void {
    this.tell({ type: 'warning', failure });
  }

  /** An event of the owner's own. */
  tell(event: RtcEvent): void {
    this.#events.push(event);
  }

  /** Another connection of this host has `path`, or has it no more: what that leads to is to be named after it. */
  setPathHeld(path: PathAddresses, held: boolean): void {
    if (this.#end !== undefined) return;
    if (!held) {
      this.#lostPath = path;
      this.warn(pathTakenOver(path));
    } else if (this.#lostPath !== undefined && isSamePath(this.#lostPath, path)) {
      this.#lostPath = undefined;
    }
  }

  // --- for tracing ---

  set tap(tap: TransportTap | undefined) {
    this.#transport.machine.tap = tap;
  }

  /** Who is told of each call on a channel's handle. */
  set onChannelCall(listener: ((channel: DataChannel, call: ChannelCall) => void) | undefined) {
    this.#data.onChannelCall = listener;
  }

  /** Who is told of each call on a sender. */
  set onSenderCall(listener: ((sender: RtpSender, call: SenderCall) => void) | undefined) {
    if (this.#media !== undefined) this.#media.onSenderCall = listener;
  }

  // --- what the world did ---

  /** An input tells the time. */
  advance(now: number): void {
    this.clock.advance(now, this);
  }

  /** The drain is over: nobody says when the next call comes. */
  endDrain(): void {
    this.clock.endDrain();
  }

  receive(path: DatagramPath, data: Uint8Array, owned: boolean | undefined): void {
    this.#counters.add('datagramsReceived');
    this.#counters.add('bytesReceived', data.length);
    this.#touched(this.#transport).receive(path, data, this.clock.now, owned);
    this.carry();
  }

  /** The host's reply to an event `resolve`. */
  handleResolved(name: string, addresses: readonly string[]): void {
    this.#touched(this.#transport).handleResolved(name, addresses, this.clock.now);
    this.carry();
  }

  /** Runs what is due. */
  handleTimeout(): void {
    const { now } = this.clock;
    const expired = this.#gates.expired(now);
    if (expired !== undefined) this.#finish(expired);
    if (deadlineOf(this.#transport) <= now) this.#touched(this.#transport).handleTimeout(now);
    for (const seat of this.#users) if (deadlineOf(seat) <= now) this.#touched(seat).handleTimeout(now);
    this.carry();
  }

  /** Told by the clock. */
  thaw(missed: number): void {
    this.#gates.thaw(missed, this.clock.now);
    this.#touchAll();
    const machines: readonly Seat<Machine<unknown>>[] = [this.#transport, ...this.#users];
    for (const { machine } of machines) machine.thaw(missed);
  }

  // --- what to do next ---

  pollEvent(): RtcEvent | undefined {
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      if (!('machine' in next)) return next;
      next.placed--;
      // Taking a message opens the window. The user may have taken an event back: a message, as its channel was paused.
      const event = this.#touched(next).pollEvent();
      if (event !== undefined) return event;
    }
    return undefined;
  }

  pollTransmit(): Transmit | undefined {
    const transmit = this.#farewells.shift() ?? this.#nextTransmit();
    if (transmit !== undefined) {
      this.#counters.add('datagramsSent');
      this.#counters.add('bytesSent', transmit.data.length);
    }
    return transmit;
  }

  /** The last event, once nothing is left to send. */
  pollClosed(): RtcEvent | undefined {
    if (this.#end === undefined || this.#endPolled) return undefined;
    this.#endPolled = true;
    return { type: 'closed', reason: this.#end };
  }

  nextTimeout(): number {
    let at = Math.min(this.#gates.deadline, deadlineOf(this.#transport));
    for (const seat of this.#users) at = Math.min(at, deadlineOf(seat));
    return at;
  }

  /** @param at what `nextTimeout` answers */
  timeoutReason(at: number = this.nextTimeout()): string {
    if (at === Infinity) return 'idle';
    let reason = this.#gates.deadline === at ? timerName('rtc', this.#gates.next) : undefined;
    reason ??= reasonOf(this.#transport, at);
    for (const seat of this.#users) reason ??= reasonOf(seat, at);
    return reason ?? 'idle';
  }

  inspect(): StackInspection {
    const { counters, ...transport } = this.#transport.machine.inspect();
    return {
      connectionState: this.#connectionState,
      ...(this.#end === undefined ? {} : { closed: this.#end }),
      ...transport,
      ...this.#data.inspect(),
      media: this.#mediaPlans,
      ...(this.#media === undefined ? {} : { streams: this.#media.inspect() }),
      gates: this.#gates.armed(),
      queued: { events: this.#events.size, farewells: this.#farewells.size },
      counters: { ...this.#counters.snapshot(), ...counters, droppedSctp: this.#data.packetsDropped },
    };
  }

  /** What getStats() is made from, at `timestamp`. */
  stats(timestamp: number): ConnectionStats {
    return {
      transport: this.#transport.machine.stats(),
      channels: this.#data.channelsStats(),
      media: this.#media?.stats(TRANSPORT_ID, timestamp) ?? [],
    };
  }

  /** What must hold after a drain and does not, of any layer. */
  invariantViolation(): string | undefined {
    const isEndless = this.#gates.isEndless('pathDown') && !this.transport.facts.writable;
    if (
      this.#end === undefined &&
      this.#parameters !== undefined &&
      this.nextTimeout() === Infinity &&
      !isEndless
    ) {
      return `${this.#connectionState}, and no deadline`;
    }
    for (const seat of [this.#transport, ...this.#users]) {
      if (!seat.isTouched && seat.deadline !== seat.machine.nextTimeout())
        return 'a machine has another deadline, and nobody knows';
      const violation = seat.machine.invariantViolation();
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  // --- between the path and its users ---

  /** True while a machine has said something that its neighbour, or the host, has not been told. */
  get hasUncarried(): boolean {
    const transport = this.#transport.machine;
    return (
      transport.queuedEvents > 0 ||
      transport.hasPackets ||
      this.#users.some(({ machine, placed }) => machine.queuedEvents > placed)
    );
  }

  /**
   * Carries what the touched machines have to say to where it belongs; true if there is something for the host then. Every entry
   * point ends with it. A drain calls it when it finds nothing to send any more, for what sending has brought about (an emptied
   * buffer, a worn key).
   */
  carry(): boolean {
    if (!this.#isTouched) return false;
    for (let pass = 0; this.#isTouched && pass < MAX_PASSES; pass++) {
      this.#isTouched = false;
      if (this.#transport.isTouched) this.#carryTransport();
      for (const seat of this.#users) if (seat.isTouched) this.#carryUser(seat);
    }
    this.#updateConnectionState();
    return this.#events.size > 0;
  }

  #carryTransport(): void {
    const { machine } = this.#transport;
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) {
      this.#onTransportEvent(event);
    }
    machine.deliver(this, this.clock.now);
    rest(this.#transport);
  }

  /** From the transport: a plain packet for the user of its kind. */
  handlePacket(kind: PacketKind, packet: Bytes, now: number): void {
    const seat = this.#receivers[kind];
    if (seat !== undefined) this.#touched(seat).handlePacket(kind, packet, now);
  }

  #carryUser(seat: UserSeat): void {
    const { machine } = seat;
    for (; seat.placed < machine.queuedEvents; seat.placed++) this.#events.push(seat);
    rest(seat);
    if (machine.end !== undefined) this.#finish(machine.end);
  }

  #onTransportEvent(event: TransportEvent): void {
    switch (event.type) {
      case 'icestatechange':
        this.#events.push({ type: 'iceconnectionstatechange', state: event.state });
        return;
      case 'dtlsstatechange':
      case 'resolve':
      case 'restartwanted':
      case 'warning':
        this.#events.push(event);
        return;
      case 'icerestartfailed':
        this.#onRestartFailed();
        this.warn(restartFailed(event.failure));
        return;
      case 'selectedpairchange':
        // Whoever has found another way has lost nothing.
        this.#lostPath = undefined;
        return;
      case 'pathchange':
        this.#tellPath();
        return;
      case 'closed':
        // What the peer sent before it closed still counts, its SCTP ABORT above all.
        this.#transport.machine.deliver(this, this.clock.now);
        for (const seat of this.#users) this.#carryUser(seat);
        this.#finish(
          event.failure ?? {
            layer: 'dtls',
            code: 'remote-close',
            message: 'the peer closed the DTLS connection (close_notify)',
          },
        );
    }
  }

  #tellPath(): void {
    const { facts } = this.transport;
    const { now } = this.clock;
    if (facts.writable) this.#gates.disarm('pathDown');
    else this.#gates.arm('pathDown', now);
    for (const seat of this.#users) this.#touched(seat).handlePath(facts, now);
  }

  #updateConnectionState(): void {
    const state = this.#deriveState();
    if (state === this.#connectionState) return;
    this.#connectionState = state;
    this.#events.push({ type: 'connectionstatechange', state });
  }

  /** W3C webrtc-pc §4.3.3, for one ICE and one DTLS transport. */
  #deriveState(): ConnectionState {
    if (this.#end !== undefined) return isOrderly(this.#end) ? 'closed' : 'failed';
    const { iceState, isSecured } = this.transport;
    if (iceState === 'disconnected' || iceState === 'failed') return iceState;
    // A restart of a connection that was up waits for the peer's answer.
    if (iceState === 'new' && !isSecured) return 'new';
    return (iceState === 'connected' || iceState === 'completed') && isSecured ? 'connected' : 'connecting';
  }

  // --- out ---

  #nextTransmit(): Transmit | undefined {
    const { machine } = this.#transport;
    return machine.pollTransmit() ?? this.#nextPacket();
  }

  #nextPacket(): Transmit | undefined {
    const { machine } = this.#transport;
    for (const seated of this.#sources) {
      const { source, seat } = seated;
      if (seated.emptyAt === seat.calls || !machine.canSeal(source.kind)) continue;
      const transmit = machine.seal(source, this.clock.now);
      this.#touch(seat);
      if (transmit !== undefined) {
        this.#touch(this.#transport);
        return transmit;
      }
      seated.emptyAt = --seat.calls;
    }
    return undefined;
  }

  // --- the end ---

  #finish(cause: Failure): void {
    if (this.#end !== undefined) return;
    const { now } = this.clock;
    const transport = this.#transport.machine;
    const lost = isOrderly(cause) ? undefined : this.#lostPath;
    const reason = lost === undefined ? cause : pathTakenOver(lost, cause);
    this.#end = reason;
    this.#gates.passSignaling();
    this.#gates.disarm('pathDown');
    this.#touchAll();
    for (const { machine } of this.#users) machine.close(reason, now);
    this.#sealFarewells();
    transport.close(reason, now);
    this.#sealFarewells();
    for (const { source } of this.#sources) dropPackets(source, now);
  }

  #sealFarewells(): void {
    const transport = this.#transport.machine;
    for (;;) {
      const transmit = transport.pollRecord() ?? this.#nextPacket();
      if (transmit === undefined || !this.#farewells.push(transmit)) return;
    }
  }

  #openData({ dtlsRole: role }: TransportParameters, { sctpPort, maxMessageSize }: DataParameters): void {
    const remotePort = sctpPort ?? SCTP_PORT;
    this.#touchedData().open({ role, remotePort, remoteMaxMessageSize: maxMessageSize }, this.clock.now);
  }

  // --- who was called ---

  #touch(seat: Seat<Machine<unknown>>): void {
    seat.isTouched = true;
    seat.calls++;
    this.#isTouched = true;
  }

  #touched<M extends Machine<unknown>>(seat: Seat<M>): M {
    this.#touch(seat);
    return seat.machine;
  }

  #touchedData(): SctpTransport {
    this.#touch(this.#dataSeat);
    return this.#data;
  }

  #touchMedia(): MediaUser | undefined {
    if (this.#mediaSeat !== undefined) this.#touch(this.#mediaSeat);
    return this.#media;
  }

  #touchAll(): void {
    this.#touch(this.#transport);
    for (const seat of this.#users) this.#touch(seat);
  }
}

/** What others may see of the path. */
export type TransportView = Readonly<
  Pick<
    Transport,
    | 'connectionId'
    | 'dtlsRole'
    | 'earlyDatagrams'
    | 'facts'
    | 'iceParameters'
    | 'iceRole'
    | 'iceState'
    | 'isAuthenticatedPath'
    | 'isSecured'
    | 'isValidPath'
    | 'localCandidates'
    | 'pathProvenAt'
    | 'pathUse'
    | 'remoteCertificate'
    | 'remoteFingerprint'
    | 'remoteUsernameFragment'
    | 'sendPath'
    | 'usernameFragments'
  >
>;
