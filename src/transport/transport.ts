/**
 * Transport: one secured path. ICE finds it and DTLS secures it, and they are wired together here and nowhere else.
 *
 *   in:     datagram ─first byte→ STUN: ICE │ DTLS, SRTP, from a validated pair alone → plain packets
 *   out:    ICE's checks, DTLS's flights │ plain packets, sealed where they lie, for the pair that ICE has chosen
 *   facts:  writable, largest datagram, overhead, round trip, generation
 *
 *   start             the peer's parameters are known: ICE begins to check
 *   first valid pair  DTLS begins; ClientHellos that came too early are handed over
 *   DTLS connected    the path is secured, SRTP is keyed: `pathchange`, and again whenever the path's facts change
 *   close             close_notify waits to be polled, everything else is released
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { addressFamily, sameAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, equalBytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { isOrderly } from '../core/errors.ts';
import type { Machine, PacketKind, PacketSource, PathFacts } from '../core/machine.ts';
import { BoundedQueue } from '../core/queue.ts';
import { splitRandom } from '../core/random.ts';
import { briefCopy, closeRoom, openRoom, takeFromRoom, wireCopy } from '../core/slab.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import { encodeUtf8 } from '../core/text.ts';
import { timerName } from '../core/timers.ts';
import type { DtlsEvent, DtlsOptions, DtlsRole, Fingerprint } from '../dtls/index.ts';
import {
  DTLS_HEADROOM,
  DTLS_MAX_MTU,
  DTLS_TAILROOM,
  Dtls,
  MAX_CONNECTION_ID_LENGTH,
  SRTP_PROFILES,
} from '../dtls/index.ts';
import type {
  ChosenCredentials,
  IceCandidate,
  IceEvent,
  IceParameters,
  IcePath,
  IceRole,
  IceState,
  LocalCandidateAddress,
  LocalCandidateInit,
} from '../ice/index.ts';
import { IceAgent } from '../ice/index.ts';
import type { Srtp } from '../srtp/index.ts';
import type {
  DatagramPath,
  DtlsTransportState,
  PathUse,
  Traffic,
  Transmit,
  TransportCounter,
  TransportEvent,
  TransportInspection,
  TransportOptions,
  TransportStart,
  TransportStats,
  TransportTap,
} from './contract.ts';
import { EarlyDatagrams } from './early-datagrams.ts';
import { datagramKind, isRtcp } from './first-byte.ts';

/** Bytes that DTLS adds to a plain packet, at the most, but for a connection id that the peer wants in it. */
export const DTLS_OVERHEAD: number = DTLS_HEADROOM + DTLS_TAILROOM;

/** Bytes that DTLS adds to a plain packet, at the most, under these options. */
export function dtlsOverhead(options: Partial<DtlsOptions> | undefined): number {
  return DTLS_OVERHEAD + (options?.connectionId === undefined ? 0 : MAX_CONNECTION_ID_LENGTH);
}

const COUNTERS: readonly TransportCounter[] = [
  'droppedUnknownProtocol',
  'droppedRtp',
  'droppedUnkeyedRtp',
  'droppedUndeliveredRtp',
  'droppedUnvalidatedPath',
  'droppedEarlyDatagrams',
];

/** Bytes of a connection id, and characters of the username fragment in front of it, by which connections are told apart. */
const NAME_LENGTH = 8;

/** Packets of RTP and RTCP that may wait to be delivered. */
const UNDELIVERED_RTP = 1024;

/** Takes plain packets. */
export interface PacketReceiver {
  /** One packet, authenticated; its memory is given away. */
  handlePacket(kind: PacketKind, packet: Bytes, now: number): void;
}

/**
 * One secured path. Its methods come in families:
 *
 * - the owner's calls: `addLocalCandidate`, `addRemoteCandidate`, `endOfRemoteCandidates`, `setOffering`, `start`, `restartIce`,
 *   `setRemoteIce`, `cancelIceRestart`, `close`
 * - what the world did: `receive`, `handleTimeout`, `thaw`
 * - what to do next: `pollEvent`, `deliver`, `pollTransmit`, `pollRecord`, `seal`, `nextTimeout`, `timeoutReason`
 * - how it is: `facts`, the states, `isValidPath` and its like, `inspect`
 *
 * ```ts
 * transport.receive(path, datagram, now);
 * for (let event = transport.pollEvent(); event !== undefined; event = transport.pollEvent()) react(event);
 * transport.deliver(receiver, now);
 * const transmit = transport.pollTransmit() ?? transport.seal(source, now);
 * ```
 */
export class Transport implements Machine<TransportEvent> {
  /** Sees plain packets pass. */
  tap: TransportTap | undefined;
  readonly #options: TransportOptions;
  readonly #ice: IceAgent;
  readonly #early = new EarlyDatagrams();
  readonly #counters = new Counters<TransportCounter>(COUNTERS);
  // Bounded by their causes: a handful for each change of a state.
  readonly #events = new BoundedQueue<TransportEvent>(Infinity);
  #start: TransportStart | undefined;
  #dtls: Dtls | undefined;
  #dtlsState: DtlsTransportState = 'new';
  /** Present while there are keys for it. */
  #srtp: Srtp | undefined;
  #srtpProfile: SrtpProfile | undefined;
  /** RTP and RTCP, plain. */
  readonly #rtp = new BoundedQueue<Bytes>(UNDELIVERED_RTP);
  /** Ways that data has gone so far. */
  #generation = 0;
  #usedPath: IcePath | undefined;
  readonly #traffic: Traffic = { packetsSent: 0, bytesSent: 0, packetsReceived: 0, bytesReceived: 0 };
  /** What the peer knows us by from the beginning, whatever ICE restarts bring. */
  readonly #firstUsernameFragment: string;
  /** Where farewells go: the pair that was in use at the end. */
  #lastPath: IcePath | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for an option out of range. */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#ice = new IceAgent({
      ...options.ice,
      clock: options.clock,
      crypto: options.crypto,
      random: splitRandom(options.random, 'ice'),
      role: 'controlled',
      lite: options.iceLite,
    });
    this.#firstUsernameFragment = this.#ice.localParameters.usernameFragment;
  }

  // --- how it is ---

  get iceState(): IceState {
    return this.#ice.state;
  }

  get dtlsState(): DtlsTransportState {
    return this.#dtlsState;
  }

  get dtlsRole(): DtlsRole | undefined {
    return this.#start?.dtlsRole;
  }

  get iceRole(): IceRole {
    return this.#ice.role;
  }

  /** The peer's, as signalling told at first; `undefined` before `start`. */
  get remoteUsernameFragment(): string | undefined {
    return this.#start?.ice.usernameFragment;
  }

  /** The connection id that we ask for; `undefined` before DTLS begins, and where we want none. */
  get connectionId(): Bytes | undefined {
    return this.#dtls?.localConnectionId;
  }

  /**
   * Shared: everything that is protected has a connection id, both ways, and the peer's hellos offer an id that begins with its
   * username fragment, as ours do, which is how a handshake is told from another. That is enough in DTLS 1.3, as long as a
   * hello is one datagram; in DTLS 1.2 almost all of a handshake is plaintext.
   */
  get pathUse(): PathUse {
    const { connectionId, groups = [], versions } = this.#options.dtls ?? {};
    if (connectionId === undefined || connectionId.length < NAME_LENGTH) return 'exclusive';
    if (groups[0] === 'x25519mlkem768' || versions?.max === '1.2') return 'exclusive';
    const { remoteUsernameFragment } = this;
    if (!this.isSecured || remoteUsernameFragment === undefined) return 'undecided';
    const remote = this.#dtls?.version === '1.3' ? this.#dtls.connectionIds?.remote : undefined;
    const name = encodeUtf8(remoteUsernameFragment.slice(0, NAME_LENGTH));
    return remote !== undefined && equalBytes(remote.subarray(0, name.length), name) ? 'shared' : 'exclusive';
  }

  /** True from the end of the DTLS handshake on: packets are taken and given. */
  get isSecured(): boolean {
    return this.#dtlsState === 'connected';
  }

  /** Facts of the path in use, as they are now. */
  get facts(): PathFacts {
    const { state, sendPath, roundTripTime } = this.#ice;
    return {
      writable: state === 'connected' || state === 'completed',
      largestDatagram: sendPath === undefined ? this.#options.mtu : this.#largestDatagram(sendPath),
      overhead: this.#dtls?.overhead ?? DTLS_OVERHEAD,
      ...(this.#srtp && { srtpOverhead: this.#srtp.overhead }),
      roundTripTime,
      generation: this.#generation,
    };
  }

  /** Where data goes: the pair ICE has selected, before that the best valid one. The same object until that changes. */
  get sendPath(): IcePath | undefined {
    return this.#ice.sendPath;
  }

  get iceParameters(): IceParameters {
    return this.#ice.localParameters;
  }

  /** Those of this generation and, during a restart, of the one before. */
  get usernameFragments(): readonly string[] {
    return this.#ice.usernameFragments;
  }

  get localCandidates(): readonly IceCandidate[] {
    return this.#ice.localCandidates;
  }

  /** The peer's certificate, DER, once its DTLS has shown it; only `isSecured` says that it is the right one. */
  get remoteCertificate(): Bytes | undefined {
    return this.#dtls?.remoteCertificate;
  }

  /** SHA-256 of `remoteCertificate`. */
  get remoteFingerprint(): Fingerprint | undefined {
    return this.#dtls?.remoteFingerprint;
  }

  /** True if an integrity-checked STUN message has come over this path: an endpoint may bind the address then. */
  isAuthenticatedPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#ice.isAuthenticatedPath(local, remote, protocol);
  }

  /** True if ICE holds this path valid: DTLS is taken from it, and may be sent over it. */
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol): boolean {
    return this.#ice.isValidPath(local, remote, protocol);
  }

  /** As `IceAgent.pathProvenAt` says. */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    return this.#ice.pathProvenAt(local, remote, protocol);
  }

  /** Datagrams that wait for their path to become valid. */
  get earlyDatagrams(): number {
    return this.#early.size;
  }

  // --- the owner's calls ---

  /** Throws as `IceAgent.addLocalCandidate` does. */
  addLocalCandidate(init: LocalCandidateInit, now: number): IceCandidate {
    const candidate = this.#ice.addLocalCandidate(init, now);
    this.#carry(now);
    return candidate;
  }

  /** As `IceAgent.removeLocalCandidate` says. */
  removeLocalCandidate(address: LocalCandidateAddress, now: number): boolean {
    const isRemoved = this.#ice.removeLocalCandidate(address, now);
    this.#carry(now);
    return isRemoved;
  }

  addRemoteCandidate(candidate: IceCandidate, now: number): void {
    this.#ice.addRemoteCandidate(candidate, now);
    this.#carry(now);
  }

  /** As `IceAgent.handleResolved` says. */
  handleResolved(name: string, addresses: readonly string[], now: number): void {
    this.#ice.handleResolved(name, addresses, now);
    this.#carry(now);
  }

  endOfRemoteCandidates(now: number): void {
    this.#ice.endOfRemoteCandidates(now);
    this.#carry(now);
  }

  /**
   * Our offer is out, or taken back: RFC 8445 §6.1.1 makes whoever offers controlling, from the offer on, and the peer's
   * checks may come before its answer. A lite end that offers learns only then whether its peer is full, and controls.
   */
  setOffering(isOffering: boolean): void {
    this.#ice.setRole(isOffering && !this.#options.iceLite ? 'controlling' : 'controlled');
  }

  /** The peer is known: ICE starts to check, and the rest follows by itself. Once. */
  start(start: TransportStart, now: number): void {
    this.#start = start;
    this.#ice.setRole(start.iceRole);
    this.#ice.setRemoteParameters(start.ice, now);
    // A lite end may have been nominated a pair before it has the answer: `pairvalid` came when nobody knew the peer.
    if (this.#ice.sendPath !== undefined) this.#beginDtls(start, now);
    this.#carry(now);
  }

  /**
   * Restarts ICE with these credentials of ours; the pair in use carries on until a new one is selected. Throws as
   * `IceAgent.restart` does.
   */
  restartIce(credentials: ChosenCredentials, now: number): void {
    this.#ice.restart(now, credentials);
    this.#carry(now);
  }

  /** The peer's credentials after a restart. Throws as `IceAgent.setRemoteParameters` does. */
  setRemoteIce(parameters: IceParameters, now: number): void {
    this.#ice.setRemoteParameters(parameters, now);
    this.#carry(now);
  }

  /** A restart has come to nothing. @returns false: none was under way, or there is no pair of before to fall back to */
  cancelIceRestart(now: number): boolean {
    const isCancelled = this.#ice.cancelRestart(now);
    this.#carry(now);
    return isCancelled;
  }

  /** Ends the path; close_notify, if there is anybody to tell, is the last record to be polled. */
  close(reason: Failure, now: number): void {
    this.#lastPath = this.#ice.sendPath;
    this.#dtls?.close(reason, now);
    this.#ice.close(reason, now);
    this.#srtp = undefined;
    this.#rtp.clear();
    this.#early.clear();
    this.#events.clear();
    this.#setDtlsState(isOrderly(reason) ? 'closed' : 'failed');
  }

  // --- what the world did ---

  /** One datagram. It is neither written to nor kept, unless it is `owned`: then it is opened where it lies. */
  receive(path: DatagramPath, data: Uint8Array, now: number, owned = false): void {
    switch (datagramKind(data)) {
      case 'stun':
        this.#ice.handlePacket(data, path, now);
        break;
      case 'dtls':
        this.#receiveDtls(path, data, now, owned);
        break;
      case 'rtp':
        if (!this.#receiveRtp(path, data, now, owned)) return;
        break;
      case 'unknown':
        this.#counters.add('droppedUnknownProtocol');
        return;
    }
    this.#carry(now);
  }

  handleTimeout(now: number): void {
    if (this.#ice.nextTimeout() <= now) this.#ice.handleTimeout(now);
    if (this.#dtls !== undefined && this.#dtls.nextTimeout() <= now) this.#dtls.handleTimeout(now);
    this.#carry(now);
  }

  thaw(missed: number): void {
    this.#ice.thaw(missed);
    this.#dtls?.thaw(missed);
  }

  // --- what to do next ---

  get queuedEvents(): number {
    return this.#events.size;
  }

  pollEvent(): TransportEvent | undefined {
    return this.#events.shift();
  }

  /** True while plain packets wait for `deliver`. */
  get hasPackets(): boolean {
    if (this.#rtp.size > 0) return true;
    return this.#dtls !== undefined && this.#dtls.state !== 'connecting' && this.#dtls.queuedEvents > 0;
  }

  /** Gives the plain packets that have come to `receiver`, in their order. */
  deliver(receiver: PacketReceiver, now: number): void {
    for (let packet = this.#rtp.shift(); packet !== undefined; packet = this.#rtp.shift()) {
      const kind = isRtcp(packet) ? 'rtcp' : 'rtp';
      this.tap?.packet('in', kind, packet);
      receiver.handlePacket(kind, packet, now);
    }
    const dtls = this.#dtls;
    if (dtls === undefined) return;
    for (let packet = dtls.pollData(); packet !== undefined; packet = dtls.pollData()) {
      this.tap?.packet('in', 'sctp', packet);
      receiver.handlePacket('sctp', packet, now);
    }
  }

  /** The next check of ICE's or record of DTLS's own, `undefined` when there is none. */
  pollTransmit(): Transmit | undefined {
    const check = this.#ice.pollTransmit();
    return check === undefined ? this.pollRecord() : transmitOver(check, check.data);
  }

  /** The next handshake or alert record, for the path in use: `undefined` when there is none, or no path. */
  pollRecord(): Transmit | undefined {
    const path = this.#path();
    // Nothing is taken from the layer above before it can be sent.
    if (path === undefined) return undefined;
    const record = this.#dtls?.pollTransmit();
    return record === undefined ? undefined : this.#transmitOver(path, record, this.#options.clock.now);
  }

  /** There is a path for packets of this kind, and keys to seal them. */
  canSeal(kind: PacketKind): boolean {
    if (this.#path() === undefined) return false;
    return kind === 'sctp' ? this.#dtls?.state === 'connected' : this.#srtp !== undefined;
  }

  /** Asks `source` for a packet, and seals it where it lies. `undefined` when the source has none, or nothing can be sent. */
  seal(source: PacketSource, now: number): Transmit | undefined {
    const { kind } = source;
    return kind === 'sctp' ? this.#sealRecord(source, now) : this.#protect(source, kind, now);
  }

  /** In a record of DTLS. The workspace is one for all connections, so it is copied out, once. */
  #sealRecord(source: PacketSource, now: number): Transmit | undefined {
    const path = this.#path();
    const dtls = this.#dtls;
    if (path === undefined || dtls === undefined || dtls.state !== 'connected') return undefined;
    const buffer = takeWorkspace(source.largestPacket + DTLS_OVERHEAD + MAX_CONNECTION_ID_LENGTH);
    const offset = dtls.headroom;
    const length = source.pollPacket(buffer, offset, now);
    if (length > 0) this.tap?.packet('out', 'sctp', buffer.subarray(offset, offset + length));
    const sealed = length > 0 ? dtls.seal(buffer, offset, length) : -1;
    const record = sealed < 0 ? undefined : wireCopy(buffer, 0, sealed);
    workspace = buffer;
    // Sealing may wear out a key, and end the association.
    if (length > 0 && dtls.queuedEvents > 0) this.#carry(now);
    return record === undefined ? undefined : this.#transmitOver(path, record, now);
  }

  /** By SRTP. It is written into the memory that leaves: what SRTP adds is known before. */
  #protect(source: PacketSource, kind: 'rtp' | 'rtcp', now: number): Transmit | undefined {
    const path = this.#path();
    const srtp = this.#srtp;
    if (path === undefined || srtp === undefined) return undefined;
    const growth = srtp.overhead[kind];
    for (;;) {
      const room = openRoom(source.largestPacket + growth);
      const length = source.pollPacket(room.bytes, room.offset, now);
      if (length === 0) {
        closeRoom(room);
        return undefined;
      }
      const datagram = takeFromRoom(room, length + growth);
      this.tap?.packet('out', kind, datagram.subarray(0, length));
      const sealed =
        kind === 'rtp' ? srtp.protectRtp(datagram, 0, length) : srtp.protectRtcp(datagram, 0, length);
      if (sealed === datagram.length) return this.#transmitOver(path, datagram, now);
      // Refused, and counted there. What comes after it may go.
      datagram.fill(0);
    }
  }

  nextTimeout(): number {
    const ice = this.#ice.nextTimeout();
    return this.#dtls === undefined ? ice : Math.min(ice, this.#dtls.nextTimeout());
  }

  timeoutReason(): string | undefined {
    const dtls = this.#dtls;
    const isDtls = dtls !== undefined && dtls.nextTimeout() < this.#ice.nextTimeout();
    return isDtls ? timerName('dtls', dtls.timeoutReason()) : timerName('ice', this.#ice.timeoutReason());
  }

  inspect(): TransportInspection {
    return {
      dtlsRole: this.#start?.dtlsRole ?? null,
      setups: { local: this.#start?.localSetup ?? null, remote: this.#start?.remoteSetup ?? null },
      ice: this.#ice.inspect(),
      dtls: this.#dtls?.inspect() ?? null,
      srtp: this.#srtp?.inspect() ?? null,
      earlyDatagrams: this.#early.size,
      undeliveredRtp: this.#rtp.size,
      counters: this.#counters.snapshot(),
    };
  }

  /** The facts behind W3C's stats, as they are now; after the end as they were last. */
  stats(): TransportStats {
    const { remoteCertificate: der, remoteFingerprint: fingerprint } = this;
    const hasRole = this.#start !== undefined || this.#ice.role === 'controlling';
    return {
      traffic: { ...this.#traffic },
      ice: this.#ice.stats(),
      dtlsState: this.#dtlsState,
      dtlsRole: this.#dtls?.role,
      cipherSuite: this.#dtls?.cipherSuite,
      srtpProfile: this.#srtpProfile,
      localCertificate: this.#options.certificate,
      remoteCertificate: der === undefined || fingerprint === undefined ? undefined : { der, fingerprint },
      iceRole: hasRole ? this.#ice.role : undefined,
    };
  }

  invariantViolation(): string | undefined {
    if (this.#ice.queuedEvents > 0) return 'ICE has said something, and DTLS is not told';
    return this.#ice.invariantViolation() ?? this.#dtls?.invariantViolation();
  }

  // --- in: DTLS from validated pairs ---

  #receiveDtls(path: DatagramPath, data: Uint8Array, now: number, owned: boolean): void {
    const { protocol, destination: local, source: remote } = path;
    if (this.#dtls !== undefined && this.#ice.isValidPath(local, remote, protocol)) {
      this.#noteReceived(path, data, now);
      this.#dtls.handlePacket(data, now, owned);
      const hasData = this.#dtls.state === 'connected' && this.#dtls.queuedEvents > 0;
      if (hasData) this.#ice.noteData(local, remote, protocol, now);
    } else if (!this.#ice.isAuthenticatedPath(local, remote, protocol)) {
      this.#counters.add('droppedUnvalidatedPath');
    } else if (this.#early.keep(protocol, local, remote, data)) {
      this.#noteReceived(path, data, now);
    } else {
      this.#counters.add('droppedEarlyDatagrams');
    }
  }

  // --- in: SRTP from validated pairs ---

  /** @returns false: dropped. Nothing that is not authentic is answered, or leaves anything behind but a count. */
  #receiveRtp(path: DatagramPath, data: Uint8Array, now: number, owned: boolean): boolean {
    const { protocol, destination: local, source: remote } = path;
    const srtp = this.#srtp;
    if (srtp === undefined) {
      this.#counters.add(this.#options.srtp === undefined ? 'droppedRtp' : 'droppedUnkeyedRtp');
      return false;
    }
    if (!this.#ice.isValidPath(local, remote, protocol)) {
      this.#counters.add('droppedUnvalidatedPath');
      return false;
    }
    this.#noteReceived(path, data, now);
    // Shared memory is nobody's own.
    const isOurs = owned && data.buffer instanceof ArrayBuffer;
    const packet = isOurs ? (data as Bytes) : briefCopy(data);
    const length = isRtcp(packet) ? srtp.unprotectRtcp(packet) : srtp.unprotectRtp(packet);
    if (length < 0) return false;
    this.#options.clock.hear();
    this.#ice.noteData(local, remote, protocol, now);
    // As a plain array: hosts give subclasses of it.
    const plain = new Uint8Array(packet.buffer, packet.byteOffset, length);
    if (!this.#rtp.push(plain)) this.#counters.add('droppedUndeliveredRtp');
    return true;
  }

  #noteReceived(
    { protocol, destination: local, source: remote }: DatagramPath,
    data: Uint8Array,
    now: number,
  ): void {
    this.#traffic.packetsReceived++;
    this.#traffic.bytesReceived += data.length;
    this.#ice.noteReceived(local, remote, protocol, data.length, now);
  }

  // --- between the two ---

  /** ICE's events first, for they may begin DTLS. Nothing flows back. */
  #carry(now: number): void {
    for (let event = this.#ice.pollEvent(); event !== undefined; event = this.#ice.pollEvent()) {
      this.#onIceEvent(event, now);
    }
    this.#followPath();
    const dtls = this.#dtls;
    if (dtls === undefined) return;
    for (let event = dtls.pollEvent(); event !== undefined; event = dtls.pollEvent()) {
      this.#onDtlsEvent(event);
    }
  }

  #onIceEvent(event: IceEvent, now: number): void {
    switch (event.type) {
      case 'statechange':
        this.#events.push({ type: 'icestatechange', state: event.state });
        if (this.isSecured) this.#events.push({ type: 'pathchange' });
        return;
      case 'resolve':
        this.#events.push(event);
        return;
      case 'pairvalid':
        if (this.#start !== undefined) this.#beginDtls(this.#start, now);
        return;
      case 'selectedpairchange':
        this.#events.push({ type: 'selectedpairchange' });
        return;
      case 'restartwanted':
        this.#events.push({ type: 'restartwanted' });
        return;
      case 'restartfailed':
        this.#events.push({ type: 'icerestartfailed', failure: event.failure });
        return;
      case 'failed':
        // Of a connection that was up a restart may find another path: its owner decides how long that may take.
        if (this.isSecured) this.#events.push({ type: 'warning', failure: event.failure });
        else this.#events.push({ type: 'closed', failure: event.failure });
    }
  }

  /** Data may go another way without a pair having been selected: after a restart, the first new one that works. */
  #followPath(): void {
    const path = this.#ice.sendPath;
    if (path === undefined || path === this.#usedPath) return;
    const before = this.#usedPath;
    this.#usedPath = path;
    if (before !== undefined && isSameWay(before, path)) return;
    this.#generation++;
    if (this.isSecured) this.#events.push({ type: 'pathchange' });
  }

  /** A pair is valid: DTLS begins, once, and gets what came over this pair too early. */
  #beginDtls(start: TransportStart, now: number): void {
    const dtls = (this.#dtls ??= this.#startDtls(start, now));
    this.#early.handOver(this.#ice, dtls, now);
  }

  #startDtls(start: TransportStart, now: number): Dtls {
    const { certificate, crypto, random, mtu } = this.#options;
    const { roundTripTime } = this.#ice;
    const { connectionId } = this.#options.dtls ?? {};
    const prefix = encodeUtf8(this.#firstUsernameFragment);
    const dtls = new Dtls({
      role: start.dtlsRole,
      certificate,
      crypto,
      random: splitRandom(random, 'dtls'),
      clock: this.#options.clock,
      remoteFingerprints: start.fingerprints,
      mtu: Math.min(mtu, DTLS_MAX_MTU),
      // RFC 6347 §4.2.4.1 starts at 1 s "unless other information is available": ICE has measured this path.
      // (On a coarse clock it may have taken no time at all.)
      ...(roundTripTime === undefined ? {} : { retransmitTimeout: Math.max(1, 2 * roundTripTime) }),
      requireCookie: false,
      setups: { local: start.localSetup, remote: start.remoteSetup },
      keyLog: this.tap?.keyLog,
      // Browsers offer them without media too, and pion ends a connection that agrees on none.
      srtpProfiles: this.#options.srtp?.profiles ?? SRTP_PROFILES,
      ...this.#options.dtls,
      ...(connectionId && { connectionId: { prefix, ...connectionId } }),
    });
    this.#setDtlsState('connecting');
    dtls.start(now);
    return dtls;
  }

  #onDtlsEvent(event: DtlsEvent): void {
    switch (event.type) {
      case 'connected':
        this.#early.clear();
        this.#keySrtp();
        this.#setDtlsState('connected');
        this.#events.push({ type: 'pathchange' });
        return;
      case 'warning':
        this.#events.push(event);
        return;
      case 'closed':
        // The owner ends us: what came before it is given out first.
        this.#events.push(event);
    }
  }

  /** The handshake is complete: new keys for SRTP, if it has agreed on a profile. Those of before go. */
  #keySrtp(): void {
    const { srtp, crypto } = this.#options;
    const dtls = this.#dtls;
    const keys = srtp === undefined ? undefined : dtls?.srtpKeys();
    if (srtp === undefined || dtls === undefined || keys === undefined) {
      this.#srtp = undefined;
      return;
    }
    const { profile } = keys;
    const local = keys[dtls.role];
    const remote = keys[dtls.role === 'client' ? 'server' : 'client'];
    this.#srtp = srtp.create({ profile, crypto, local, remote });
    this.#srtpProfile = profile;
  }

  #setDtlsState(state: DtlsTransportState): void {
    if (state === this.#dtlsState) return;
    this.#dtlsState = state;
    this.#events.push({ type: 'dtlsstatechange', state });
  }

  #largestDatagram(path: IcePath): number {
    const carried = this.#options.largestDatagram[addressFamily(path.destination.address) === 6 ? 6 : 4];
    return carried - (path.overhead ?? 0);
  }

  #transmitOver(path: IcePath, data: Bytes, now: number): Transmit {
    this.#traffic.packetsSent++;
    this.#traffic.bytesSent += data.length;
    this.#ice.noteSent(data.length, now);
    return transmitOver(path, data);
  }

  #path(): IcePath | undefined {
    return this.#ice.sendPath ?? this.#lastPath;
  }
}

/** Between the same two addresses: what was measured there holds. */
function isSameWay(a: IcePath, b: IcePath): boolean {
  return (
    a.protocol === b.protocol && sameAddress(a.source, b.source) && sameAddress(a.destination, b.destination)
  );
}

let workspace: Bytes = NO_BYTES;

/** At least `length` bytes, nobody else's until they are put back: a tap may call whatever it likes. */
function takeWorkspace(length: number): Bytes {
  const taken = workspace;
  workspace = NO_BYTES;
  return taken.length < length ? new Uint8Array(length) : taken;
}

function transmitOver(path: DatagramPath, data: Bytes): Transmit {
  const { protocol, source, destination } = path;
  return { type: 'transmit', protocol, source, destination, data };
}
