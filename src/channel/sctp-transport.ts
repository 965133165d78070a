/**
 * SctpTransport: data channels and the association that carries them, as one user of a secured path (W3C `RTCSctpTransport`).
 *
 *   path secured ─▶ the association is set up ─▶ channels open
 *   in:   plain packet → association → its events → channels → events for the host
 *   out:  channels → association → plain packet, written where its record will be
 *
 * The association's end is the end of the user, and says why.
 */
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import type { PacketKind, PacketSource, PathFacts, PathUser } from '../core/machine.ts';
import { timerName } from '../core/timers.ts';
import type { SctpEvent, SctpInspection, SctpOptions, SctpState } from '../sctp/index.ts';
import { SctpAssociation } from '../sctp/index.ts';
import type { DataChannel } from './data-channel.ts';
import type { ChannelDraft } from './draft.ts';
import { DataChannels } from './data-channels.ts';
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

/** What `SctpTransport.inspect` shows. */
export interface SctpTransportInspection {
  readonly sctp: SctpInspection;
  readonly channels: ChannelsInspection;
}

/** The data channels of one connection. */
export class SctpTransport implements PathUser<SctpTransportEvent>, PacketSource {
  readonly kind = 'sctp';
  readonly urgency = 'data';
  readonly sources: readonly PacketSource[] = [this];
  readonly #association: SctpAssociation;
  readonly #channels: DataChannels<SctpTransportEvent>;
  /** The path that the association knows of; `undefined` before the first. */
  #path: PathFacts | undefined;
  #isShuttingDown = false;
  #end: Failure | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options out of range. */
  constructor(sctp: SctpOptions, channels: ChannelOptions) {
    this.#association = new SctpAssociation(sctp);
    this.#channels = new DataChannels(this.#association, channels);
  }

  // --- the owner's calls ---

  /** Throws as `DataChannels.createChannel` does. */
  createChannel(label: string, options: DataChannelOptions): DataChannel {
    return this.#channels.createChannel(label, options);
  }

  /** Channels in the making. */
  draft(): ChannelDraft {
    return this.#channels.draft();
  }

  /** The peer is known; the association is set up when the path is there. */
  start({ role, remotePort, remoteMaxMessageSize }: SctpTransportStart): void {
    this.#channels.setRole(role);
    this.#association.remotePort = remotePort;
    if (remoteMaxMessageSize !== undefined) this.#association.remoteMaxMessageSize = remoteMaxMessageSize;
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
    this.#association.shutdown(now);
    this.#carry(now);
  }

  /** Ends everything; an ABORT with the reason waits to be polled. What the peer has sent may still be read, unless we had enough. */
  close(reason: Failure, now: number): void {
    this.#association.close(reason, now);
    // The channels say the rest themselves.
    for (let event = this.#association.pollEvent(); event !== undefined;)
      event = this.#association.pollEvent();
    this.#channels.close(reason, now);
  }

  // --- what the world did ---

  handlePath(path: PathFacts, now: number): void {
    const association = this.#association;
    const before = this.#path;
    this.#path = path;
    // Before there is a path nothing is known of it: the first selection is no change.
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

  handlePacket(_kind: PacketKind, packet: Bytes, now: number): void {
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

  /** Why the association is over, by the peer's doing or a gate's; `undefined` while it is not. */
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

  inspect(): SctpTransportInspection {
    return { sctp: this.#association.inspect(), channels: this.#channels.inspect() };
  }

  /** What has come of the channels so far. */
  channelsStats(): ChannelsStats {
    return this.#channels.stats();
  }

  invariantViolation(): string | undefined {
    if (this.#path !== undefined && this.#association.state === 'new')
      return 'the path is up, SCTP is not told';
    if (this.#association.queuedEvents > 0) return 'SCTP has said something, and no channel is told';
    return this.#association.invariantViolation() ?? this.#channels.invariantViolation();
  }

  // --- from the association to the channels ---

  /** True if there was anything to carry. */
  #carry(now: number): boolean {
    const association = this.#association;
    if (association.queuedEvents === 0) return false;
    for (let event = association.pollEvent(); event !== undefined; event = association.pollEvent()) {
      if (event.type === 'sendbufferlow') this.#channels.passOn(event);
      if (event.type === 'connected') this.#channels.passOn({ type: 'sctpstatechange', state: 'connected' });
      if (event.type === 'closed') {
        this.#channels.passOn({ type: 'sctpstatechange', state: 'closed' });
        this.#end ??= this.#isShuttingDown && isShutDown(event) ? SHUT_DOWN : endReason(event);
      }
      this.#channels.handleSctpEvent(event, now);
    }
    return true;
  }
}

type Closed = Extract<SctpEvent, { type: 'closed' }>;

/** Up, or on its way down in order. */
const SET_UP: ReadonlySet<SctpState> = new Set<SctpState>([
  'established',
  'shutdown-pending',
  'shutdown-sent',
  'shutdown-received',
  'shutdown-ack-sent',
]);

/** The end of what `shutdown` has found not set up yet. */
const CLOSED_HERE: Failure = { layer: 'rtc', code: 'local-close', message: 'closed by this end' };

/** The end that `shutdown` has asked for. */
const SHUT_DOWN: Failure = {
  layer: 'rtc',
  code: 'local-close',
  message: 'shut down by this end: all that it had accepted was delivered',
};

/** Neither end has aborted, and no gate has expired. */
function isShutDown({ failure, causes }: Closed): boolean {
  return failure === undefined && causes.length === 0;
}

/** RFC 9260 §3.3.10.12: how browsers say "close() was called"; with any other cause an ABORT is a failure. */
const USER_INITIATED_ABORT = 12;

/**
 * The end of the association as that of its user. An ABORT without a cause (RFC 9260 §3.3.7 allows it) is how werift and
 * aiortc close.
 */
export function endReason({ failure, origin, causes }: Closed): Failure {
  if (origin === 'remote' && failure?.code === 'aborted-by-peer' && causes.length === 0)
    return remoteClose('the peer closed the connection (an ABORT without a cause)');
  const byUser = origin === 'remote' && causes.find(({ code }) => code === USER_INITIATED_ABORT);
  if (byUser) return remoteClose(`the peer closed the connection${byUser.text ? `: ${byUser.text}` : ''}`);
  return failure ?? remoteClose('the peer shut the SCTP association down');
}

function remoteClose(message: string): Failure {
  return { layer: 'sctp', code: 'remote-close', message };
}
