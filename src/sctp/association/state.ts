/**
 * The transmission control block (TCB, RFC 9260 §14): everything an association is, as plain data and machines; and its two
 * ends: by an ABORT of ours (`abortWith`, `failGate`), or because the peer ended it or both shut down (`end`). Each releases
 * everything in the same call.
 */
import type { Clock } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { Counters } from '../../core/counters.ts';
import { BoundedQueue } from '../../core/queue.ts';
import { CAUSE, CHUNK, COMMON_HEADER_SIZE } from '../constants.ts';
import type { MessageOutcome, SctpCounter, SctpEvent, SctpState } from '../events.ts';
import { COUNTERS } from '../events.ts';
import type { SctpSettings } from '../options.ts';
import type { SctpCause } from '../packet/causes.ts';
import { encodeAbort } from '../packet/causes.ts';
import type { InitChunk } from '../packet/init.ts';
import { Receiver } from '../rx/receiver.ts';
import { RtoEstimator } from '../tx/rto.ts';
import type { OutgoingMessage } from '../tx/send-queue.ts';
import type { SenderObserver } from '../tx/sender.ts';
import { Sender } from '../tx/sender.ts';
import type { GateName } from './deadlines.ts';
import { Deadlines } from './deadlines.ts';
import { Initialization } from './initialization.ts';
import { Heartbeat } from './heartbeat.ts';
import type { LonePacket } from './outbox.ts';
import { Outbox } from './outbox.ts';
import { PathMtu } from './path-mtu.ts';
import { IncomingResets, OutgoingResets } from './stream-reset.ts';

/** RTO limits, milliseconds: RFC 9260 §16 with a lower floor and a cap on backing off, for interactive traffic. */
const MIN_RTO = 200;
const MAX_RTO = 60_000;
/** The longest that backing off makes a time-out, milliseconds. */
export const BACKOFF_CAP = 3000;
/** Packets' worth of the first congestion window (as RFC 6928 has it for TCP). */
const INITIAL_WINDOW = 10;

/** All that is known of one association: the TCB of RFC 9260 §14. Its functions take it as `tcb`. */
export class TransmissionControlBlock implements SenderObserver {
  state: SctpState = 'new';
  pathWritable = true;
  /** When the last valid packet of the peer came, or set-up began. */
  lastHeardAt: number = -Infinity;
  /** Streams we may send on: ours and the peer's number, the smaller. */
  outboundStreams: number;
  remoteMaxMessageSize: number;
  /** When the INIT or COOKIE ECHO went out, if only once: its answer is the first round-trip sample. */
  setupSentAt: number | undefined;
  /** Messages with a lifetime, sent since the last time seen: their time runs from the next one. */
  undated: OutgoingMessage[] = [];
  /** What was accepted and not acknowledged has been above `sendBufferLowThreshold` since that was last reported. */
  sendBufferHigh = false;
  /** We have closed with a SHUTDOWN COMPLETE, which may be lost. */
  hasCompletedShutdown = false;
  /** Messages that were polled still count against the window, until `release`. */
  retainsMessages = false;
  readonly settings: SctpSettings;
  readonly counters: Counters<SctpCounter> = new Counters<SctpCounter>(COUNTERS);
  // Bounded by the receive window (messages), by streams (resets) and by the send buffer (low thresholds).
  readonly events: BoundedQueue<SctpEvent> = new BoundedQueue<SctpEvent>(Infinity);
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly outbox: Outbox = new Outbox();
  readonly initialization: Initialization;
  readonly heartbeat: Heartbeat;
  readonly pathMtu: PathMtu;
  readonly sender: Sender;
  readonly outgoingResets: OutgoingResets;
  /** These two exist once the peer's INIT or INIT ACK counts. */
  receiver: Receiver | undefined;
  incomingResets: IncomingResets | undefined;

  constructor(settings: SctpSettings) {
    this.settings = settings;
    this.clock = settings.clock;
    this.deadlines = new Deadlines(settings.clock);
    this.outboundStreams = settings.streams;
    this.remoteMaxMessageSize = settings.remoteMaxMessageSize;
    const { random } = settings;
    this.initialization = new Initialization(random, {
      window: settings.receiveWindow,
      streams: settings.streams,
      interleaving: settings.interleaving,
      zeroChecksum: settings.zeroChecksum,
    });
    this.heartbeat = new Heartbeat(random, settings.heartbeatInterval);
    this.pathMtu = new PathMtu(settings.pathMtu, random, this.counters);
    this.outgoingResets = new OutgoingResets(this.initialization.initialTsn);
    const chunkSpace = settings.mtu - COMMON_HEADER_SIZE;
    this.sender = new Sender(
      this.initialization.initialTsn,
      {
        observer: this,
        rto: new RtoEstimator({
          initial: settings.initialRto,
          min: MIN_RTO,
          max: MAX_RTO,
          backoffCap: BACKOFF_CAP,
        }),
        congestion: settings.congestion({ mtu: chunkSpace, initialWindow: INITIAL_WINDOW * chunkSpace }),
        counters: this.counters,
      },
      {
        chunkSpace,
        maxBurst: settings.maxBurst,
        scheduling: settings.scheduling,
        maxRate: settings.maxRate === undefined ? undefined : settings.maxRate / 1000,
      },
    );
  }

  /** What is queued on a stream has fallen to its threshold. */
  bufferedAmountLow(streamId: number): void {
    this.events.push({ type: 'bufferedamountlow', streamId });
  }

  /** A message with a token has ended. */
  outcome({ streamId, token }: OutgoingMessage, outcome: MessageOutcome): void {
    this.events.push({ type: 'messageoutcome', streamId, token, outcome });
  }

  get now(): number {
    return this.clock.now;
  }

  /** Largest message that is taken for sending, in bytes: one for the peer to take and the send buffer to hold. */
  get maxMessageSize(): number {
    return Math.min(this.remoteMaxMessageSize, this.settings.sendBuffer);
  }

  /** True while both ends know of the association. */
  get isAssociated(): boolean {
    return (
      this.state !== 'new' &&
      this.state !== 'cookie-wait' &&
      this.state !== 'cookie-echoed' &&
      this.state !== 'closed'
    );
  }

  /** True in the states in which user data goes out (RFC 9260 §4, §9.2). */
  get maySendData(): boolean {
    return (
      this.state === 'established' || this.state === 'shutdown-pending' || this.state === 'shutdown-received'
    );
  }

  /** True in the states in which user data is taken (RFC 9260 §4, §9.2): a peer that shuts down has none left. */
  get mayReceiveData(): boolean {
    return (
      this.state === 'established' || this.state === 'shutdown-pending' || this.state === 'shutdown-sent'
    );
  }

  /** Takes the peer's parameters as those of the association. */
  adoptPeer(init: InitChunk): void {
    const known = this.initialization.peer;
    this.initialization.adopt(init);
    const peer = this.initialization.peer ?? init;
    this.outboundStreams = Math.min(this.settings.streams, peer.inboundStreams);
    this.sender.sendWindow.peerWindow = peer.window;
    this.sender.abandonment.isSupported = peer.forwardTsn;
    if (peer.extensions.includes(CHUNK.pad)) this.pathMtu.notePadSupported();
    const isKnown = known?.tag === peer.tag && known.initialTsn === peer.initialTsn;
    if (isKnown && this.receiver?.interleaving === this.initialization.interleaves) return;
    if (this.initialization.interleaves) this.sender.enableInterleaving();
    // Half of the peer's window: the other half is for messages that are sent as a whole and still on their way.
    this.sender.queue.maxOpenBytes = peer.window / 2;
    this.receiver?.clear();
    this.receiver = new Receiver(
      peer.initialTsn,
      {
        ...this.settings,
        inboundStreams: Math.min(this.settings.streams, peer.outboundStreams),
        interleaving: this.initialization.interleaves,
      },
      this.events,
      this.counters,
    );
    this.incomingResets = new IncomingResets(peer.initialTsn);
  }
}

/** The peer of this association has spoken. */
export function hearPeer(tcb: TransmissionControlBlock): void {
  tcb.lastHeardAt = tcb.now;
  tcb.clock.hear();
}

/** Ends the association: nothing is armed, nothing is queued, and one last packet may go out. */
export function end(
  tcb: TransmissionControlBlock,
  closed: Omit<Extract<SctpEvent, { type: 'closed' }>, 'type'>,
  farewell?: LonePacket,
): void {
  release(tcb);
  tcb.outbox.farewell = farewell;
  tcb.events.push({ type: 'closed', ...closed });
}

/** Closes, and lets go of everything; messages that were asked about have their outcome. */
export function release(tcb: TransmissionControlBlock): void {
  tcb.state = 'closed';
  tcb.undated = [];
  tcb.sender.clear();
  tcb.receiver?.clear();
  tcb.outgoingResets.clear();
  tcb.outbox.clear();
  tcb.pathMtu.clear();
  tcb.deadlines.stopAll();
}

/** Ends the association from this side with an ABORT, if the peer's tag is known. */
export function abortWith(tcb: TransmissionControlBlock, cause: SctpCause, failure: Failure): void {
  const tag = tcb.initialization.peerTag;
  const farewell = tag === 0 ? undefined : { tag, chunk: encodeAbort(cause) };
  end(tcb, { failure, origin: 'local', causes: [cause] }, farewell);
}

/** The peer broke a rule that leaves no way on (RFC 9260 §3.3.10.13). */
export function abortForViolation(tcb: TransmissionControlBlock, code: string, text: string): void {
  abortWith(tcb, { code: CAUSE.protocolViolation, text }, failure(tcb, code, text));
}

/** A gate's time is up. */
export function failGate(tcb: TransmissionControlBlock, gate: GateName): void {
  const { code, text } = GATE_FAILURES[gate];
  const elapsed = elapsedOf(tcb, gate);
  // RFC 9260 §3.3.10.4 has no text.
  const cause =
    gate === 'readerStalled' ? { code: CAUSE.outOfResource } : { code: CAUSE.userInitiatedAbort, text };
  abortWith(tcb, cause, {
    ...failure(tcb, code, `${text}: nothing for ${Math.round(elapsed)} ms`),
    gate,
    elapsed,
  });
}

/** `peerLiveness` and `reassembly` are armed again with what is left, so that their own row does not tell how long they ran. */
function elapsedOf(tcb: TransmissionControlBlock, gate: GateName): number {
  if (gate === 'peerLiveness') return tcb.now - tcb.lastHeardAt;
  if (gate === 'reassembly')
    return tcb.deadlines.awake - (tcb.receiver?.waitingSince() ?? tcb.deadlines.awake);
  return tcb.deadlines.elapsed(gate);
}

/** A failure of the association, with how long the peer has been silent. */
export function failure(tcb: TransmissionControlBlock, code: string, message: string): Failure {
  return { layer: 'sctp', code, message, peerSilentFor: Math.max(0, tcb.now - tcb.lastHeardAt) };
}

const GATE_FAILURES: Readonly<Record<GateName, { readonly code: string; readonly text: string }>> = {
  sctpConnect: { code: 'connect-timeout', text: 'the association was not set up in time' },
  dataProgress: { code: 'data-timeout', text: 'data outstanding and nothing acknowledged' },
  zeroWindow: { code: 'zero-window-timeout', text: 'the peer kept its receive window shut' },
  streamReset: { code: 'stream-reset-timeout', text: 'a stream reset was not answered' },
  peerLiveness: { code: 'peer-unresponsive', text: 'the peer gave no sign of life' },
  readerStalled: { code: 'reader-stalled', text: 'the application did not take what has arrived' },
  reassembly: { code: 'reassembly-timeout', text: 'a missing chunk never came' },
  shutdown: { code: 'shutdown-timeout', text: 'the shutdown did not finish in time' },
};
