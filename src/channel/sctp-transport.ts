/**
 * SctpTransport: data channels and the association that carries them, as one user of a secured path (W3C `RTCSctpTransport`).
 *
 *   data agreed on, path secured ─▶ the association is set up ─▶ channels open
 *   in:   plain packet → association → its events → channels → events for the host
 *   out:  channels → association → plain packet, written where its record will be
 *
 *            open                 the association ends by itself, and the connection has others to live for
 *   none ───────────▶ open ─────────────────────────────────────────────────────────────▶ over
 *     ▲                 │ close of data: ABORT, every channel closes                       │
 *     └─────────────────┴──────────────────────────────────────────────────────────────────┘
 *
 * In `none` channels may be made, and wait. Each time data is agreed on anew there is another association, between the same
 * ports (README): verification tags and cookies, which are drawn for each, tell whose a late packet is (RFC 9260 §8.5). An INIT may
 * come before we know that data is agreed on, as the peer's answer is still on its way: it is dropped, for this end sends an
 * INIT of its own when it knows, and that one sets the association up.
 *
 * Where the connection has nothing but data, the association's end is the end of the user, and says why.
 */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import type { PacketKind, PacketSource, PathFacts, PathUser } from '../core/machine.ts';
import { splitRandom } from '../core/random.ts';
import { timerName } from '../core/timers.ts';
import type { SctpCounter, SctpInspection, SctpOptions, SctpState } from '../sctp/index.ts';
import { SctpAssociation } from '../sctp/index.ts';
import type { DataChannel } from './data-channel.ts';
import type { ChannelDraft } from './draft.ts';
import { DataChannels } from './data-channels.ts';
import type { AssociationClosed } from './end-reasons.ts';
import { CLOSED_HERE, DATA_CLOSED, SHUT_DOWN, endReason, isDataClosed, isShutDown } from './end-reasons.ts';
import type { ChannelCall, ChannelsInspection, SctpTransportEvent } from './events.ts';
import type { ChannelOptions, DataChannelOptions } from './options.ts';
import type { ChannelsStats } from './stats.ts';
import type { ChannelRole } from './streams.ts';

/** What the two descriptions say of the data section. */
export interface SctpTransportStart {
  /** Which DTLS role this end has (RFC 8832 §6): it decides whose stream identifiers are even. */
  readonly role: ChannelRole;
  readonly remotePort: number;
  /** Largest message the peer takes, bytes; `Infinity`: no limit. */
  readonly remoteMaxMessageSize?: number | undefined;
}

/**
 * Whether the ends agree on data channels: `none`, not yet or no longer; `open`; `over`, where the association has ended by itself
 * and the connection lives on.
 */
export type DataState = 'none' | 'open' | 'over';

/** What `SctpTransport.inspect` shows. */
export interface SctpTransportInspection {
  readonly data: {
    readonly state: DataState;
    /** How many associations there have been, one for each time that data was agreed on. */
    readonly associations: number;
  };
  /** The latest association; counters are those of all. */
  readonly sctp: SctpInspection;
  readonly channels: ChannelsInspection;
}

/** The data channels of one connection. */
export class SctpTransport implements PathUser<SctpTransportEvent>, PacketSource {
  readonly kind = 'sctp';
  readonly urgency = 'data';
  readonly sources: readonly PacketSource[] = [this];
  /** The connection has other things to do than data: it outlives the association. */
  isOutlived: boolean = false;
  readonly #sctp: SctpOptions;
  readonly #channels: DataChannels<SctpTransportEvent>;
  /** In `none` the one that will be set up. */
  #association: SctpAssociation;
  #data: DataState = 'none';
  #associations = 0;
  #packetsDropped = 0;
  /** What the associations before this one have counted. */
  #counted: Partial<SctpCounts> = {};
  /** The ABORT of the association before this one. */
  #farewell: Bytes | undefined;
  #path: PathFacts | undefined;
  /** The path that the association knows of; `undefined` before the first. */
  #knownPath: PathFacts | undefined;
  #isShuttingDown = false;
  #end: Failure | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options out of range. */
  constructor(sctp: SctpOptions, channels: ChannelOptions) {
    this.#sctp = sctp;
    this.#association = new SctpAssociation(sctp);
    this.#channels = new DataChannels(this.#association, channels);
  }

  // --- the owner's calls ---

  /** Throws as `DataChannels.createChannel` does. */
  createChannel(label: string, options: DataChannelOptions): DataChannel {
    return this.#channels.createChannel(label, options);
  }

  /** There is a channel that has not closed. */
  get hasChannels(): boolean {
    return this.#channels.hasChannels;
  }

  /** Channels in the making. */
  draft(): ChannelDraft {
    return this.#channels.draft();
  }

  /** Data is agreed on: an association is set up as soon as the path is there. Where there has been one, after `closeData` alone. */
  open({ role, remotePort, remoteMaxMessageSize }: SctpTransportStart, now: number): void {
    if (this.#data !== 'none' || this.#end !== undefined) return;
    this.#data = 'open';
    this.#associations++;
    this.#channels.setRole(role);
    this.#association.remotePort = remotePort;
    if (remoteMaxMessageSize !== undefined) this.#association.remoteMaxMessageSize = remoteMaxMessageSize;
    this.#tellPath(now);
  }

  /**
   * Data is agreed on no longer: an ABORT waits to be polled, every channel closes with `data-closed`, those that wait for an
   * association as well. What the peer has sent may still be read. During a graceful end nothing happens: everything ends.
   */
  closeData(now: number): void {
    if (this.#isShuttingDown || this.#end !== undefined) return;
    const isTold = this.#knownPath !== undefined && this.#data === 'open';
    if (isTold) this.#channels.passOn({ type: 'sctpstatechange', state: 'closed' });
    if (this.#data === 'open') this.#closeAssociation(DATA_CLOSED, now);
    this.#channels.close(DATA_CLOSED, now);
    if (this.#data === 'none') this.#channels.reopen(this.#association);
    else this.#renew();
  }

  /** A later description of the peer's says what size of message it takes from now on; those under way are not judged again. */
  setRemoteMaxMessageSize(size: number): void {
    this.#association.remoteMaxMessageSize = size;
  }

  /** Who is told of each call on a channel's handle; for tracing. */
  set onChannelCall(listener: ((channel: DataChannel, call: ChannelCall) => void) | undefined) {
    this.#channels.onCall = listener;
  }

  /**
   * Ends gracefully (RFC 9260 §9.2): no more is taken, what was accepted is delivered, then `end` is `local-close`. What was not
   * set up yet just ends. The gate `shutdown` bounds it.
   */
  shutdown(now: number): void {
    if (SET_UP.has(this.#association.state)) this.#isShuttingDown = true;
    else this.#end ??= CLOSED_HERE;
    this.#channels.shutdown(now);
    if (this.#data !== 'open') return;
    this.#association.shutdown(now);
    this.#carry(now);
  }

  /** Ends everything; an ABORT with the reason waits to be polled. What the peer has sent may still be read, unless we had enough. */
  close(reason: Failure, now: number): void {
    this.#end ??= reason;
    // Whoever learns that the connection is over need not be told that its data was.
    this.#farewell = undefined;
    this.#closeAssociation(reason, now);
    this.#channels.close(reason, now);
  }

  // --- what the world did ---

  handlePath(path: PathFacts, now: number): void {
    this.#path = path;
    this.#tellPath(now);
  }

  handlePacket(_kind: PacketKind, packet: Bytes, now: number): void {
    if (this.#data === 'none') {
      this.#packetsDropped++;
      return;
    }
    this.#association.handleOwnedPacket(packet, now);
    this.#carry(now);
  }

  handleTimeout(now: number): void {
    if (this.#association.nextTimeout() <= now) this.#association.handleTimeout(now);
    this.#channels.handleTimeout(now);
    this.#carry(now);
  }

  thaw(missed: number): void {
    this.#association.thaw(missed);
    this.#channels.thaw(missed);
  }

  // --- what to do next ---

  get largestPacket(): number {
    return this.#association.mtu;
  }

  pollPacket(into: Uint8Array, offset: number, now: number): number {
    // What the host's calls began counts from the time of this drain.
    this.#channels.handleTimeout(now);
    if (this.#farewell !== undefined) return this.#writeFarewell(this.#farewell, into, offset);
    for (;;) {
      const length = this.#association.pollTransmitInto(into, offset, now);
      // What sending has brought about may give it something more to send.
      if (!this.#carry(now) || length > 0) return length;
    }
  }

  get queuedEvents(): number {
    return this.#channels.queuedEvents;
  }

  pollEvent(): SctpTransportEvent | undefined {
    return this.#channels.pollEvent();
  }

  /** Why it is over: by the peer's doing or a gate's, or as `close` says; `undefined` while it is not. */
  get end(): Failure | undefined {
    return this.#end;
  }

  nextTimeout(): number {
    return Math.min(this.#association.nextTimeout(), this.#channels.nextTimeout());
  }

  timeoutReason(): string | undefined {
    const association = this.#association;
    return association.nextTimeout() <= this.#channels.nextTimeout()
      ? timerName('sctp', association.timeoutReason())
      : timerName('channel', this.#channels.timeoutReason());
  }

  // --- how it is ---

  /** Bytes of memory that messages, either way, and channels take. O(1). */
  get heldBytes(): number {
    return this.#association.heldBytes + this.#channels.heldBytes;
  }

  /** Whether the ends agree on data channels. */
  get data(): DataState {
    return this.#data;
  }

  /** Packets of the peer's that came while the ends did not agree on data. */
  get packetsDropped(): number {
    return this.#packetsDropped;
  }

  inspect(): SctpTransportInspection {
    const sctp = this.#association.inspect();
    return {
      data: { state: this.#data, associations: this.#associations },
      sctp: { ...sctp, counters: added(sctp.counters, this.#counted) },
      channels: this.#channels.inspect(),
    };
  }

  /** What has come of the channels so far. */
  channelsStats(): ChannelsStats {
    return this.#channels.stats();
  }

  invariantViolation(): string | undefined {
    const { state } = this.#association;
    if (this.#data === 'open' && this.#path !== undefined && state === 'new')
      return 'the path is up, SCTP is not told';
    if (this.#data === 'none' && this.#end === undefined && state !== 'new' && state !== 'closed')
      return 'SCTP has begun, and nobody has agreed on data';
    if (this.#association.queuedEvents > 0) return 'SCTP has said something, and no channel is told';
    return this.#association.invariantViolation() ?? this.#channels.invariantViolation();
  }

  // --- the association ---

  /** Tells the association of the path. Before there is one nothing is known of it: the first selection is no change. */
  #tellPath(now: number): void {
    const path = this.#path;
    if (path === undefined || this.#data !== 'open') return;
    const association = this.#association;
    const before = this.#knownPath;
    this.#knownPath = path;
    if (path.generation !== (before?.generation ?? 0)) association.changePath(path.largestDatagram, now);
    if (before === undefined) {
      this.#channels.passOn({ type: 'sctpstatechange', state: 'connecting' });
      association.overhead = path.overhead;
      association.connect(now);
    }
    association.setPathWritable(path.writable, now);
    this.#channels.setPathWritable(path.writable);
    this.#carry(now);
  }

  #closeAssociation(reason: Failure, now: number): void {
    this.#association.close(reason, now);
    // The channels say the rest themselves.
    for (let event = this.#association.pollEvent(); event !== undefined;)
      event = this.#association.pollEvent();
  }

  /** The association has ended. Another one, not set up yet, takes its place, and channels may wait for it. */
  #renew(): void {
    const last = this.#association;
    // Two may end before the path carries anything: the peer knows of the first at the most.
    this.#farewell ??= last.pollTransmit();
    this.#counted = added(last.inspect().counters, this.#counted);
    const name = `association ${this.#associations + 1}`;
    this.#association = new SctpAssociation({
      ...this.#sctp,
      // A source that splits by name alone would give each the same tags.
      random: splitRandom(this.#sctp.random, name),
    });
    this.#channels.reopen(this.#association);
    this.#knownPath = undefined;
    this.#data = 'none';
  }

  #writeFarewell(farewell: Bytes, into: Uint8Array, offset: number): number {
    // As of everything else: not while there is no consent to send.
    if (this.#path?.writable !== true) return 0;
    this.#farewell = undefined;
    into.set(farewell, offset);
    return farewell.length;
  }

  /** From the association to the channels; true if there was anything to carry. */
  #carry(now: number): boolean {
    const association = this.#association;
    if (association.queuedEvents === 0) return false;
    for (let event = association.pollEvent(); event !== undefined; event = association.pollEvent()) {
      if (event.type === 'sendbufferlow') this.#channels.passOn(event);
      if (event.type === 'connected') this.#channels.passOn({ type: 'sctpstatechange', state: 'connected' });
      if (event.type === 'closed') this.#carryEnd(event, now);
      else this.#channels.handleSctpEvent(event, now);
    }
    return true;
  }

  /** The association has ended by itself: with it the user, or the channels alone. */
  #carryEnd(closed: AssociationClosed, now: number): void {
    const isOfData = isDataClosed(closed);
    this.#channels.passOn({ type: 'sctpstatechange', state: 'closed' });
    if ((isOfData || this.isOutlived) && !this.#isShuttingDown && this.#end === undefined)
      this.#data = 'over';
    else this.#end ??= this.#isShuttingDown && isShutDown(closed) ? SHUT_DOWN : endReason(closed);
    this.#channels.handleSctpEvent(isOfData ? { ...closed, failure: DATA_CLOSED } : closed, now);
  }
}

type SctpCounts = Readonly<Record<SctpCounter, number>>;

function added(counts: SctpCounts, before: Partial<SctpCounts>): SctpCounts {
  const sums: Record<SctpCounter, number> = { ...counts };
  for (const name of Object.keys(sums) as SctpCounter[]) sums[name] += before[name] ?? 0;
  return sums;
}

/** Up, or on its way down in order. */
const SET_UP: ReadonlySet<SctpState> = new Set<SctpState>([
  'established',
  'shutdown-pending',
  'shutdown-sent',
  'shutdown-received',
  'shutdown-ack-sent',
]);
