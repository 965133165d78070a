/**
 * ProtocolStack: ICE, DTLS, SCTP and channels of one connection, and what travels between them.
 *
 *   in:  datagram → first byte → ICE, or (from a validated path only) DTLS → SCTP → channels → events
 *   out: channels → SCTP packet → sealed in place by DTLS → the path ICE has chosen → transmit
 *
 *   first input         the gate `signaling` is armed
 *   start(parameters)   the peer's parameters are known: ICE begins to check
 *   first valid path    DTLS begins; ClientHellos that came too early are handed over
 *   DTLS connected      SCTP begins
 *   any layer's end     #end: the farewells are sealed, everything is released, one `closed` event comes last
 *
 * The layers know nothing of each other; this file alone carries things between them.
 */
import type { ChannelCall, DataChannel, DataChannelOptions } from '../channel/index.ts';
import { DataChannels } from '../channel/index.ts';
import type { Protocol, TransportAddress } from '../core/address.ts';
import { addressFamily } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RandomSource } from '../core/random.ts';
import { splitRandom } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { DtlsEvent, DtlsOptions, DtlsRole, Fingerprint } from '../dtls/index.ts';
import { DTLS_MAX_MTU, Dtls, SRTP_PROFILES } from '../dtls/index.ts';
import type {
  IceCandidate,
  IceEvent,
  IceParameters,
  IcePath,
  IceState,
  LocalCandidateInit,
} from '../ice/index.ts';
import { IceAgent } from '../ice/index.ts';
import { SctpAssociation } from '../sctp/index.ts';
import { connectionStateOf } from './connection-state.ts';
import type { ConnectionState, DtlsTransportState, PathAddresses, RtcEvent, Transmit } from './contract.ts';
import { datagramKind } from './demultiplex.ts';
import { EarlyDatagrams } from './early-datagrams.ts';
import { closedByPeer, isOrderly, isSamePath, pathTakenOver, sctpReason } from './end-reasons.ts';
import { EventOrder } from './event-order.ts';
import type { RtcOptions } from './options.ts';
import {
  DEFAULT_MAX_MESSAGE_SIZE,
  DEFAULT_MTU,
  ETHERNET_PAYLOAD_IPV4,
  ETHERNET_PAYLOAD_IPV6,
  SCTP_PORT,
} from './options.ts';
import type { TransportParameters } from './parameters.ts';
import { DTLS_OVERHEAD, nextSctpRecord } from './sctp-records.ts';
import { DEFAULT_SIGNALING_TIMEOUT, SignalingGate } from './signaling-gate.ts';
import type { StackCounter, StackInspection } from './stack-inspection.ts';
import { STACK_COUNTERS } from './stack-inspection.ts';
import { timeoutReason } from './timeout-reason.ts';

/** Who looks at what passes between the layers; for tracing. */
export interface StackTap {
  /** An SCTP packet in plaintext, valid during the call alone. */
  packet(direction: 'in' | 'out', packet: Uint8Array): void;
  /** Who takes the keys of the DTLS connection, if anybody does; asked when it begins. */
  readonly keyLog: DtlsOptions['keyLog'];
}

interface Path {
  readonly protocol: Protocol;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
}

export class ProtocolStack {
  tap: StackTap | undefined;
  readonly #ice: IceAgent;
  readonly #association: SctpAssociation;
  readonly #channels: DataChannels;
  readonly #options: RtcOptions;
  readonly #crypto: CryptoProvider;
  readonly #random: RandomSource;
  readonly #mtu: number;
  readonly #counters = new Counters<StackCounter>(STACK_COUNTERS);
  readonly #events: EventOrder;
  readonly #early = new EarlyDatagrams();
  readonly #signaling: SignalingGate;
  readonly #farewells = new BoundedQueue<Transmit>(8);
  #parameters: TransportParameters | undefined;
  #dtls: Dtls | undefined;
  #connectionState: ConnectionState = 'new';
  #dtlsState: DtlsTransportState = 'new';
  /** The path that another connection of this host has taken over, while no other has been selected. */
  #lostPath: PathAddresses | undefined;
  #end: Failure | undefined;
  #endPolled = false;

  constructor(options: RtcOptions, crypto: CryptoProvider, random: RandomSource, onActivity: () => void) {
    this.#options = options;
    this.#crypto = crypto;
    this.#random = random;
    this.#mtu = options.mtu ?? DEFAULT_MTU;
    this.#signaling = new SignalingGate(options.signalingTimeout ?? DEFAULT_SIGNALING_TIMEOUT);
    this.#ice = new IceAgent({
      ...options.ice,
      crypto,
      random: splitRandom(random, 'ice'),
      role: 'controlled',
      lite: options.iceLite ?? false,
    });
    this.#association = new SctpAssociation({
      ...options.sctp,
      random: splitRandom(random, 'sctp'),
      localPort: SCTP_PORT,
      remotePort: SCTP_PORT,
      mtu: sctpMtu(this.#mtu),
      pathMtu: options.pathMtu === false ? undefined : { ...options.pathMtu, overhead: DTLS_OVERHEAD },
      maxMessageSize: options.maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE,
    });
    this.#channels = new DataChannels(this.#association, { ...options.channels, onActivity });
    this.#events = new EventOrder(this.#channels);
  }

  get connectionState(): ConnectionState {
    return this.#connectionState;
  }

  get sendPath(): IcePath | undefined {
    return this.#ice.sendPath;
  }

  get iceState(): IceState {
    return this.#ice.state;
  }

  get iceParameters(): IceParameters {
    return this.#ice.localParameters;
  }

  get localCandidates(): readonly IceCandidate[] {
    return this.#ice.localCandidates;
  }

  get remoteCertificate(): Bytes | undefined {
    return this.#dtls?.remoteCertificate;
  }

  get remoteFingerprint(): Fingerprint | undefined {
    return this.#dtls?.remoteFingerprint;
  }

  get dtlsRole(): DtlsRole | undefined {
    return this.#parameters?.dtlsRole;
  }

  /** Why it ended; `undefined` while it lives. */
  get end(): Failure | undefined {
    return this.#end;
  }

  /** Bytes of memory that messages, either way, and channels take. */
  get bufferedBytes(): number {
    return this.#association.heldBytes + this.#channels.heldBytes;
  }

  /** True once the `closed` event has been polled and, as it must be then, nothing is queued or armed. */
  get isEmpty(): boolean {
    const queued = this.#events.size + this.#farewells.size + this.#early.size;
    return this.#endPolled && queued === 0 && this.nextTimeout() === Infinity;
  }

  // --- the host's calls ---

  /** Throws as `IceAgent.addLocalCandidate` does. */
  addLocalCandidate(init: LocalCandidateInit, now: number): IceCandidate {
    const candidate = this.#ice.addLocalCandidate(init, now);
    this.carry(now);
    return candidate;
  }

  addRemoteCandidate(candidate: IceCandidate, now: number): void {
    this.#ice.addRemoteCandidate(candidate, now);
    this.carry(now);
  }

  endOfRemoteCandidates(now: number): void {
    this.#ice.endOfRemoteCandidates(now);
    this.carry(now);
  }

  /** Throws as `DataChannels.createChannel` does. */
  createChannel(label: string, options: DataChannelOptions): DataChannel {
    return this.#channels.createChannel(label, options);
  }

  /** Who is told of each call on a channel's handle; for tracing. */
  set onChannelCall(listener: ((channel: DataChannel, call: ChannelCall) => void) | undefined) {
    this.#channels.onCall = listener;
  }

  /**
   * Our offer is out, or taken back: RFC 8445 §6.1.1 makes whoever offers controlling, from the offer on, and the peer's
   * checks may come before its answer. A lite end that offers learns only then whether its peer is full, and controls.
   */
  setOffering(isOffering: boolean): void {
    const isLite = this.#ice.localParameters.lite === true;
    this.#ice.setRole(isOffering && !isLite ? 'controlling' : 'controlled');
  }

  /** The time is known: as long as there is no peer, the gate `signaling` is armed. */
  awaitSignaling(now: number): void {
    this.#signaling.arm(now);
  }

  /** An offer goes out: the gate `signaling` counts anew from the next time that is known. */
  offerGoesOut(): void {
    this.#signaling.restart();
  }

  /** The peer is known: ICE starts to check, and the rest follows by itself. */
  start(parameters: TransportParameters, now: number): void {
    if (this.#end !== undefined) return;
    this.#signaling.pass();
    this.#parameters = parameters;
    this.#channels.setRole(parameters.dtlsRole);
    this.#association.remotePort = parameters.sctpPort ?? SCTP_PORT;
    this.#association.remoteMaxMessageSize = parameters.maxMessageSize ?? 65_536;
    this.#ice.setRole(parameters.iceRole);
    this.#ice.setRemoteParameters(parameters.ice, now);
    // A lite end may have been nominated a pair before it has the answer: `pairvalid` came when nobody knew the peer.
    if (this.#ice.sendPath !== undefined) this.#beginDtls(parameters, now);
    this.carry(now);
  }

  /** Ends the connection: ABORT and close_notify go out where there is a path, everything is released in this call. */
  close(now: number): void {
    this.#finish({ layer: 'rtc', code: 'local-close', message: 'closed by this end' }, now);
  }

  warn(failure: Failure): void {
    this.#events.push({ type: 'warning', failure });
  }

  // --- what the world did ---

  receive(path: Path, data: Uint8Array, now: number): void {
    this.#counters.add('datagramsReceived');
    this.#counters.add('bytesReceived', data.length);
    const kind = datagramKind(data);
    if (kind === 'stun') this.#ice.handlePacket(data, path, now);
    else if (kind === 'dtls') this.#receiveDtls(path, data, now);
    else this.#counters.add(kind === 'rtp' ? 'droppedRtp' : 'droppedUnknownProtocol');
    this.carry(now);
  }

  handleTimeout(now: number): void {
    const neverStarted = this.#signaling.expired(now);
    if (neverStarted !== undefined) this.#finish(neverStarted, now);
    if (this.#ice.nextTimeout() <= now) this.#ice.handleTimeout(now);
    if (this.#dtls !== undefined && this.#dtls.nextTimeout() <= now) this.#dtls.handleTimeout(now);
    if (this.#association.nextTimeout() <= now) this.#association.handleTimeout(now);
    if (this.#channels.nextTimeout() <= now) this.#channels.handleTimeout(now);
    this.carry(now);
  }

  // --- what to do next ---

  pollEvent(): RtcEvent | undefined {
    return this.#events.shift();
  }

  pollTransmit(now: number): Transmit | undefined {
    // What the host's calls began counts from the time of this drain.
    this.#channels.handleTimeout(now);
    const transmit = this.#farewells.shift() ?? this.#nextTransmit(now);
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
    return Math.min(
      this.#signaling.deadline,
      this.#ice.nextTimeout(),
      this.#dtls === undefined ? Infinity : this.#dtls.nextTimeout(),
      this.#association.nextTimeout(),
      this.#channels.nextTimeout(),
    );
  }

  /** @param at what `nextTimeout` answers */
  timeoutReason(at: number = this.nextTimeout()): string {
    if (at === Infinity) return 'idle';
    if (this.#signaling.deadline === at) return timeoutReason('rtc', 'signaling');
    if (this.#ice.nextTimeout() === at) return timeoutReason('ice', this.#ice.timeoutReason());
    if (this.#dtls?.nextTimeout() === at) return timeoutReason('dtls', this.#dtls.timeoutReason());
    if (this.#association.nextTimeout() === at)
      return timeoutReason('sctp', this.#association.timeoutReason());
    return timeoutReason('channel', this.#channels.timeoutReason());
  }

  /** True if an integrity-checked STUN message has come over this path: an endpoint may bind the address then. */
  isAuthenticatedPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#ice.isAuthenticatedPath(local, remote, protocol);
  }

  isValidPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#ice.isValidPath(local, remote, protocol);
  }

  /** As `IceAgent.pathProvenAt` says. */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    return this.#ice.pathProvenAt(local, remote, protocol);
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

  inspect(): StackInspection {
    return {
      connectionState: this.#connectionState,
      ...(this.#end === undefined ? {} : { closed: this.#end }),
      dtlsRole: this.#parameters?.dtlsRole ?? null,
      setups: { local: this.#parameters?.localSetup ?? null, remote: this.#parameters?.remoteSetup ?? null },
      ice: this.#ice.inspect(),
      dtls: this.#dtls?.inspect() ?? null,
      sctp: this.#association.inspect(),
      channels: this.#channels.inspect(),
      earlyDatagrams: this.#early.size,
      queued: { events: this.#events.size, farewells: this.#farewells.size },
      counters: this.#counters.snapshot(),
    };
  }

  /** What must hold after a drain and does not, of any layer. */
  invariantViolation(): string | undefined {
    if (this.#end === undefined && this.#parameters !== undefined && this.nextTimeout() === Infinity) {
      return `${this.#connectionState}, and no deadline`;
    }
    if (this.#dtls?.state === 'connected' && this.#association.state === 'new')
      return 'DTLS is up, SCTP is not told';
    return (
      this.#ice.invariantViolation() ??
      this.#dtls?.invariantViolation() ??
      this.#association.invariantViolation() ??
      this.#channels.invariantViolation()
    );
  }

  // --- in: DTLS from validated paths, and between the layers ---

  #receiveDtls(path: Path, data: Uint8Array, now: number): void {
    const { protocol, destination: local, source: remote } = path;
    if (this.#dtls !== undefined && this.#ice.isValidPath(local, remote, protocol)) {
      this.#dtls.handlePacket(data, now);
      const hasData = this.#dtls.state === 'connected' && this.#dtls.queuedEvents > 0;
      if (hasData) this.#ice.noteData(local, remote, protocol, now);
    } else if (!this.#ice.isAuthenticatedPath(local, remote, protocol)) {
      this.#counters.add('droppedUnvalidatedPath');
    } else if (!this.#early.keep(protocol, local, remote, data)) {
      this.#counters.add('droppedEarlyDatagrams');
    }
  }

  /**
   * Carries what each layer has to say to its neighbour; true if any had something. Every entry point ends with it. A drain
   * calls it when it finds nothing to send any more, for what sending has brought about (an emptied buffer, a worn key), and
   * begins again if there was any. One pass from the bottom up is enough: nothing flows back.
   */
  carry(now: number): boolean {
    if (!this.hasUncarried) return false;
    for (let event = this.#ice.pollEvent(); event !== undefined; event = this.#ice.pollEvent()) {
      this.#onIceEvent(event, now);
    }
    const dtls = this.#dtls;
    if (dtls !== undefined) {
      for (let event = dtls.pollEvent(); event !== undefined; event = dtls.pollEvent()) {
        this.#onDtlsEvent(dtls, event, now);
      }
      this.#deliverData(dtls, now);
    }
    this.#carryChannels(now);
    this.#updateConnectionState();
    return true;
  }

  /** True while a layer has said something that its neighbour, or the host, has not been told. */
  get hasUncarried(): boolean {
    return (
      this.#ice.queuedEvents > 0 || (this.#dtls?.queuedEvents ?? 0) > 0 || this.#association.queuedEvents > 0
    );
  }

  #deliverData(dtls: Dtls, now: number): void {
    for (let data = dtls.pollData(); data !== undefined; data = dtls.pollData()) {
      this.tap?.packet('in', data);
      this.#association.handleOwnedPacket(data, now);
    }
  }

  #carryChannels(now: number): void {
    const association = this.#association;
    for (let event = association.pollEvent(); event !== undefined; event = association.pollEvent()) {
      this.#channels.handleSctpEvent(event, now);
      if (event.type === 'sendbufferlow') this.#events.push({ type: 'sendbufferlow' });
      if (event.type === 'connected') this.#events.push({ type: 'sctpstatechange', state: 'connected' });
      if (event.type === 'closed') {
        this.#events.push({ type: 'sctpstatechange', state: 'closed' });
        this.#finish(sctpReason(event), now);
      }
    }
    this.#events.placeChannelEvents();
  }

  #onIceEvent(event: IceEvent, now: number): void {
    switch (event.type) {
      case 'statechange':
        this.#events.push({ type: 'iceconnectionstatechange', state: event.state });
        // The association holds its gates while there is no path, and goes on at once when there is one again.
        if (event.state === 'disconnected') this.#association.setPathWritable(false, now);
        if (event.state === 'connected' || event.state === 'completed')
          this.#association.setPathWritable(true, now);
        return;
      case 'pairvalid':
        if (this.#parameters !== undefined) this.#beginDtls(this.#parameters, now);
        return;
      case 'selectedpairchange':
        // Whoever has found another way has lost nothing.
        this.#lostPath = undefined;
        this.#association.changePath(this.#largestDatagram(event.pair.remote.address), now);
        return;
      case 'failed':
        this.#finish(event.failure, now);
    }
  }

  /** Largest UDP payload to try: what an Ethernet frame holds, unless the host says otherwise. */
  #largestDatagram(address: string): number {
    const { pathMtu } = this.#options;
    const ethernet = addressFamily(address) === 6 ? ETHERNET_PAYLOAD_IPV6 : ETHERNET_PAYLOAD_IPV4;
    return pathMtu === false ? this.#mtu : (pathMtu?.max ?? ethernet);
  }

  /** A path is valid: DTLS begins, once, and gets what came over this path too early. */
  #beginDtls(parameters: TransportParameters, now: number): void {
    this.#dtls ??= this.#startDtls(parameters, now);
    this.#takeEarlyDatagrams(this.#dtls, now);
  }

  #startDtls(parameters: TransportParameters, now: number): Dtls {
    const roundTripTime = this.#ice.roundTripTime;
    const dtls = new Dtls({
      role: parameters.dtlsRole,
      certificate: this.#options.certificate,
      crypto: this.#crypto,
      random: splitRandom(this.#random, 'dtls'),
      remoteFingerprints: parameters.fingerprints,
      mtu: Math.min(this.#mtu, DTLS_MAX_MTU),
      // RFC 6347 §4.2.4.1 starts at 1 s "unless other information is available": ICE has measured this path.
      // (On a coarse clock it may have taken no time at all.)
      ...(roundTripTime === undefined ? {} : { retransmitTimeout: Math.max(1, 2 * roundTripTime) }),
      requireCookie: false,
      setups: { local: parameters.localSetup, remote: parameters.remoteSetup },
      keyLog: this.tap?.keyLog,
      // Browsers offer them without media too, and pion ends a connection that agrees on none.
      srtpProfiles: SRTP_PROFILES,
      ...this.#options.dtls,
    });
    this.#setDtlsState('connecting');
    dtls.start(now);
    return dtls;
  }

  #takeEarlyDatagrams(dtls: Dtls, now: number): void {
    this.#early.handOver(
      (local, remote, protocol) => this.#ice.isValidPath(local, remote, protocol),
      (data) => {
        dtls.handlePacket(data, now);
      },
    );
  }

  #onDtlsEvent(dtls: Dtls, event: DtlsEvent, now: number): void {
    switch (event.type) {
      case 'connected':
        this.#early.clear();
        this.#setDtlsState('connected');
        this.#events.push({ type: 'sctpstatechange', state: 'connecting' });
        this.#association.overhead = dtls.overhead;
        this.#association.connect(now);
        return;
      case 'warning':
        this.#events.push({ type: 'warning', failure: event.failure });
        return;
      case 'closed':
        // What the peer sent before it closed still counts, its SCTP ABORT above all.
        this.#deliverData(dtls, now);
        this.#carryChannels(now);
        this.#setDtlsState(event.failure === undefined ? 'closed' : 'failed');
        this.#finish(
          event.failure ?? closedByPeer('dtls', 'the peer closed the DTLS connection (close_notify)'),
          now,
        );
    }
  }

  #setDtlsState(state: DtlsTransportState): void {
    if (state === this.#dtlsState) return;
    this.#dtlsState = state;
    this.#events.push({ type: 'dtlsstatechange', state });
  }

  #updateConnectionState(): void {
    const state = connectionStateOf(this.#ice.state, this.#dtlsState, this.#end);
    if (state === this.#connectionState) return;
    this.#connectionState = state;
    this.#events.push({ type: 'connectionstatechange', state });
  }

  // --- out ---

  #nextTransmit(now: number): Transmit | undefined {
    const check = this.#ice.pollTransmit();
    if (check !== undefined) {
      return {
        type: 'transmit',
        protocol: check.protocol,
        source: check.source,
        destination: check.destination,
        data: check.data,
      };
    }
    // Nothing is taken from the layers above, let alone sealed, before it can be sent.
    const path = this.#ice.sendPath;
    if (path === undefined) return undefined;
    const data = this.#nextRecord(now);
    return data === undefined ? undefined : transmitOver(path, data);
  }

  #nextRecord(now: number): Bytes | undefined {
    const dtls = this.#dtls;
    if (dtls === undefined) return undefined;
    const handshake = dtls.pollTransmit();
    if (handshake !== undefined || dtls.state !== 'connected') return handshake;
    return nextSctpRecord(this.#association, dtls, this.tap, now);
  }

  // --- the end ---

  #finish(cause: Failure, now: number): void {
    if (this.#end !== undefined) return;
    const lost = isOrderly(cause) ? undefined : this.#lostPath;
    const reason = lost === undefined ? cause : pathTakenOver(lost, cause);
    this.#end = reason;
    this.#signaling.pass();
    const path = this.#ice.sendPath;
    this.#association.abort(reason.code, now);
    if (path !== undefined) this.#pushFarewells(path, now);
    this.#dtls?.close(now);
    if (path !== undefined) this.#pushFarewells(path, now);
    const isOurs = reason.code === 'local-close';
    this.#channels.close(isOrderly(reason) ? undefined : reason, now, isOurs ? 'dropped' : 'given-out');
    this.#association.close();
    this.#ice.close();
    this.#early.clear();
    this.#setDtlsState(isOrderly(reason) ? 'closed' : 'failed');
    this.carry(now);
    this.#updateConnectionState();
  }

  #pushFarewells(path: Path, now: number): void {
    for (let data = this.#nextRecord(now); data !== undefined; data = this.#nextRecord(now)) {
      if (!this.#farewells.push(transmitOver(path, data))) return;
    }
  }
}

/** What DTLS leaves of a datagram; SCTP packets are multiples of four bytes. */
function sctpMtu(mtu: number): number {
  return (mtu - DTLS_OVERHEAD) & ~3;
}

function transmitOver(path: Path, data: Bytes): Transmit {
  return {
    type: 'transmit',
    protocol: path.protocol,
    source: path.source,
    destination: path.destination,
    data,
  };
}
