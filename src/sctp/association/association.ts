/**
 * SctpAssociation: one SCTP association over DTLS (RFC 9260, RFC 8831), for one path.
 *
 *   feed:   handlePacket · handleOwnedPacket · handleTimeout · setPathWritable
 *   drain:  pollTransmitInto (until 0) · pollEvent (until undefined), then come back at nextTimeout()
 *   say:    connect · send · resetStreams · discard · shutdown · abort · close
 *
 *   new → cookie-wait → cookie-echoed → established → shutdown-pending → shutdown-sent → closed
 *          (an INIT and a COOKIE ECHO of the peer lead there too)  └→ shutdown-received → shutdown-ack-sent ┘
 *
 * Nothing happens between calls: no timer, no clock, no randomness of its own. Taking a message by `pollEvent` opens
 * the window, which may make a packet to poll.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/errors.ts';
import { badArgument } from '../../core/errors.ts';
import type { Machine } from '../../core/machine.ts';
import { CAUSE, charge } from '../constants.ts';
import type { SctpEvent, SctpMessage, SctpState } from '../events.ts';
import type { SctpInspection } from '../inspection.ts';
import type { SctpOptions } from '../options.ts';
import { resolveOptions } from '../options.ts';
import type { SctpCause } from '../packet/causes.ts';
import type { PacketPorts } from '../packet/packet.ts';
import { ChunkCursor, PacketWriter } from '../packet/packet.ts';
import type { OutgoingMessage } from '../tx/send-queue.ts';
import { outgoingMessage } from '../tx/send-queue.ts';
import { invariantViolation } from './invariants.ts';
import type { DeadlineName } from './deadlines.ts';
import { checkOpen, checkPriority, checkSend, checkStream, acceptsData } from './call-checks.ts';
import { readPacket } from './receive.ts';
import { startConnect } from './setup.ts';
import { runDeadline, updateTimers } from './timers.ts';
import { TransmissionControlBlock, abortWith, failure } from './state.ts';
import { writePacket } from './transmit.ts';

/** One SCTP association. */
export class SctpAssociation implements Machine<SctpEvent> {
  readonly #a: TransmissionControlBlock;
  #ports: PacketPorts;
  readonly #cursor = new ChunkCursor();
  readonly #writer = new PacketWriter();

  /** Throws `ERR_BAD_ARGUMENT` for an option out of range. */
  constructor(options: SctpOptions) {
    const settings = resolveOptions(options);
    this.#a = new TransmissionControlBlock(settings);
    this.#ports = { source: settings.localPort, destination: settings.remotePort };
  }

  get state(): SctpState {
    return this.#a.state;
  }

  /** Largest message the peer takes, in bytes (RFC 8841 `a=max-message-size`); Infinity: no limit. */
  get remoteMaxMessageSize(): number {
    return this.#a.remoteMaxMessageSize;
  }

  set remoteMaxMessageSize(size: number) {
    if (!(size > 0)) throw badArgument('remoteMaxMessageSize', 'a number above 0', size);
    this.#a.remoteMaxMessageSize = size;
  }

  /** Largest message `send` takes, in bytes: what the peer takes, or the whole send buffer if that is less. */
  get maxMessageSize(): number {
    return this.#a.maxMessageSize;
  }

  /** The peer's SCTP port; it may be learned after construction (RFC 8841 `a=sctp-port`), before `connect`. */
  get remotePort(): number {
    return this.#ports.destination;
  }

  set remotePort(port: number) {
    if (!(Number.isInteger(port) && port >= 1 && port <= 65535))
      throw badArgument('remotePort', '1–65535', port);
    this.#ports = { source: this.#ports.source, destination: port };
  }

  /** Largest SCTP packet this association may ever send, in bytes: with path MTU probing, its `max`. */
  get mtu(): number {
    return this.#a.pathMtu.largest;
  }

  /** Bytes that the layers below add to a packet, for path MTU probing; it may be learned after construction, before `connect`. */
  get overhead(): number {
    return this.#a.pathMtu.overhead;
  }

  set overhead(bytes: number) {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= 200))
      throw badArgument('overhead', '0–200', bytes);
    this.#a.pathMtu.overhead = bytes;
  }

  /** Streams that may be sent on are 0 … outboundStreams−1: until `connected` our own limit, then the peer's if smaller. */
  get outboundStreams(): number {
    return this.#a.outboundStreams;
  }

  /** Smoothed round-trip time in milliseconds, `undefined` before the first sample. */
  get roundTripTime(): number | undefined {
    return this.#a.sender.rto.smoothed;
  }

  /**
   * Starts set-up: the lower layer can carry packets. Both ends may. Once the peer has set up it does nothing more, nor once
   * the association is closed: the peer may have done both before.
   */
  connect(now: number): void {
    this.#observe(now);
    if (this.#a.state === 'new') startConnect(this.#a);
    updateTimers(this.#a);
  }

  /** Takes one SCTP packet; what is kept of it is copied. Never throws because of its bytes. */
  handlePacket(packet: Uint8Array, now: number): void {
    this.#handle(packet, now, false);
  }

  /** As `handlePacket`, for a packet whose memory is given away: fragments are kept as views of it. */
  handleOwnedPacket(packet: Bytes, now: number): void {
    this.#handle(packet, now, true);
  }

  /** Runs what is due. Afterwards `nextTimeout()` lies in the future. */
  handleTimeout(now: number): void {
    this.#observe(now);
    this.#runTimers();
  }

  /**
   * Writes the next packet at `offset` of `buffer`, which has `mtu` bytes of room there; the packet's length, 0 when there
   * is nothing to send. `now`, if given, is a time like any other; without it the last one seen counts.
   */
  pollTransmitInto(buffer: Uint8Array, offset: number, now?: number): number {
    const { mtu } = this;
    if (buffer.length - offset < mtu)
      throw badArgument('buffer', `${mtu} bytes of room`, buffer.length - offset);
    if (now !== undefined) this.#observe(now);
    const length = writePacket(this.#a, this.#writer, buffer, offset, this.#ports);
    updateTimers(this.#a);
    return length;
  }

  /** The next packet in memory of its own, `undefined` when there is nothing to send. */
  pollTransmit(): Bytes | undefined {
    const buffer = new Uint8Array(this.mtu);
    const length = this.pollTransmitInto(buffer, 0);
    return length === 0 ? undefined : buffer.slice(0, length);
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#a.events.size;
  }

  /** The next event, `undefined` when drained. */
  pollEvent(): SctpEvent | undefined {
    const event = this.#a.events.shift();
    if (event?.type === 'message' && !this.#a.retainsMessages) this.release(event.data.length);
    if (event?.type === 'streamreset' && event.origin === 'remote')
      this.#a.receiver?.resetTold(event.streamId);
    return event;
  }

  /**
   * True: a message that was polled still counts against the receive window, until `release` says that its reader has
   * taken it. For owners who pass messages on. Default false.
   */
  get retainsMessages(): boolean {
    return this.#a.retainsMessages;
  }

  set retainsMessages(retains: boolean) {
    this.#a.retainsMessages = retains;
  }

  /** With `retainsMessages`: `messages` of together `length` bytes that were polled have been taken. Once for each. */
  release(length: number, messages = 1): void {
    const a = this.#a;
    if (a.state === 'closed' || a.receiver === undefined) return;
    // The SACK that says so may go with the next poll; its timer is for hosts that do not poll again now.
    if (a.receiver.release(length, messages)) a.deadlines.start('sack', 1);
    // A reader that reads does not stall.
    if (!a.deadlines.isArmed('readerStalled')) return;
    a.deadlines.stop('readerStalled');
    updateTimers(a);
  }

  /**
   * Bytes of memory that what was received and not taken, and what was accepted and not acknowledged, takes together. O(1).
   */
  get heldBytes(): number {
    return this.#a.sender.heldBytes + (this.#a.receiver?.heldBytes ?? 0);
  }

  /** Milliseconds between the last valid packet of the peer and the last time seen; 0 before the first. */
  get peerSilentFor(): number {
    const silence = this.#a.now - this.#a.lastHeardAt;
    return Number.isFinite(silence) ? Math.max(0, silence) : 0;
  }

  /** When `handleTimeout` is due, milliseconds; Infinity: nothing is awaited. */
  nextTimeout(): number {
    this.#date();
    return this.#a.deadlines.next();
  }

  /** Which deadline that is. */
  timeoutReason(): DeadlineName | undefined {
    this.#date();
    return this.#a.deadlines.nextName();
  }

  /**
   * Queues a message; `data` is copied. Messages queued before `connected` go out with it. False, and nothing is queued:
   * - when the send buffer is full;
   * - above `maxMessageSize`: counted (`refused-too-large`), and a `messageoutcome` event of `too-large` says so;
   * - for a stream that the peer does not have (`outboundStreams`);
   * - when the association is closed, or the peer has begun to shut it down.
   *
   * Throws `ERR_INVALID_STATE` after `shutdown`, `ERR_BAD_ARGUMENT` for an empty message or a stream beyond our own `streams`.
   */
  send(streamId: number, message: SctpMessage): boolean {
    const a = this.#a;
    checkSend(a, streamId, message);
    if (!acceptsData(a) || streamId >= a.outboundStreams) return false;
    const { data, ppid, unordered, maxRetransmits, maxPacketLifeTime, priority, token } = message;
    if (data.length > a.maxMessageSize) {
      a.counters.add('refused-too-large');
      a.events.push({ type: 'messageoutcome', streamId, token, outcome: 'too-large' });
      return false;
    }
    if (a.sender.heldBytes + charge(data.length) > a.settings.sendBuffer) {
      a.sendBufferHigh = true;
      return false;
    }
    const traits = { unordered, maxRetransmits, lifetime: maxPacketLifeTime, priority, token };
    const outgoing = outgoingMessage(streamId, ppid, copyBytes(data), traits);
    a.clock.callWithoutTime();
    this.#limitLifetime(outgoing);
    a.sender.accept(outgoing);
    updateTimers(a);
    return true;
  }

  /**
   * Asks the peer to see these streams begin anew (RFC 6525 §5.1.2), once what is queued on them has been sent; the answer is a
   * `streamreset` event for each. What is sent on them from now on waits for it. Nothing happens when the association is
   * closed, or the peer shuts it down. Throws as `send` does.
   */
  resetStreams(streamIds: readonly number[]): void {
    const a = this.#a;
    checkOpen(a);
    for (const id of streamIds) checkStream(id, a.settings.streams);
    if (!acceptsData(a)) return;
    a.clock.callWithoutTime();
    for (const id of streamIds) a.outgoingResets.request(id, a.sender.queue);
    updateTimers(a);
  }

  /** Drops the stream's messages that have not been started; one that was started is finished. */
  discard(streamId: number): void {
    this.#a.sender.queue.discard(streamId);
    updateTimers(this.#a);
  }

  /**
   * Nobody reads the stream any more: what has come of an unfinished message is dropped, and so is all that still comes,
   * until the peer resets the stream.
   */
  ignore(streamId: number): void {
    if (this.#a.state === 'closed') return;
    this.#a.receiver?.ignore(streamId);
    updateTimers(this.#a);
  }

  /** Bytes accepted by `send` for the stream and not yet put into a packet for the first time. */
  bufferedAmount(streamId: number): number {
    return this.#a.sender.queue.bufferedAmount(streamId);
  }

  /** Bytes at which a falling `bufferedAmount` gives a `bufferedamountlow` event. Default 0. */
  setBufferedAmountLowThreshold(streamId: number, bytes: number): void {
    checkStream(streamId, this.#a.settings.streams);
    if (!(bytes >= 0)) throw badArgument('bytes', 'a number from 0', bytes);
    this.#a.sender.queue.setLowThreshold(streamId, bytes);
  }

  /**
   * The stream's share of the path against other streams: with `weighted-fair` scheduling, streams that have something to
   * send get it in proportion to these numbers (RFC 8831 §6.4 has 128, 256, 512 and 1024). Above 0; default 256. It holds
   * for messages that have no `priority` of their own, queued ones too, from the stream's next turn on.
   */
  setPriority(streamId: number, priority: number): void {
    checkStream(streamId, this.#a.settings.streams);
    checkPriority(priority);
    if (this.#a.state !== 'closed') this.#a.sender.queue.setPriority(streamId, priority);
  }

  /**
   * Says whether the lower layer can carry packets. While it cannot, nothing is sent and the clocks that wait for the
   * peer stand still: how long that may last is the owner's to say. When it can again, what was in flight is sent again at once.
   */
  setPathWritable(writable: boolean, now: number): void {
    const a = this.#a;
    this.#observe(now);
    if (a.state === 'closed' || writable === a.pathWritable) return;
    a.pathWritable = writable;
    if (writable) {
      a.deadlines.release();
      a.deadlines.stop('t3');
      a.sender.recovery.handlePathRestored(a.now);
      a.outbox.init ||= a.state === 'cookie-wait';
      a.outbox.cookieEcho ||= a.state === 'cookie-echoed';
      a.outbox.heartbeat ||= a.isAssociated;
      a.outbox.reconfig ||= a.outgoingResets.inFlight;
    } else {
      a.deadlines.hold();
    }
    updateTimers(a);
  }

  /**
   * Packets take another path from now on: its MTU is not known (RFC 8899 §3). `max` is the largest UDP payload to try there,
   * `pathMtu.max` at the most.
   */
  changePath(max: number, now: number): void {
    this.#observe(now);
    this.#a.pathMtu.reset(max);
    this.#a.sender.rto.shortest = Infinity;
    updateTimers(this.#a);
  }

  /** Ends gracefully: everything accepted is delivered first (RFC 9260 §9.2). Before `connected` it just ends. */
  shutdown(now: number): void {
    const a = this.#a;
    this.#observe(now);
    if (a.state === 'new' || a.state === 'cookie-wait' || a.state === 'cookie-echoed') {
      const text = 'shut down before the association was set up';
      abortWith(a, byUser(text), failure(a, 'aborted', text));
    } else if (a.state === 'established') {
      a.state = 'shutdown-pending';
      a.deadlines.start('shutdown', a.settings.gates.shutdown);
    }
    updateTimers(a);
  }

  /** The host stood still for `missed` milliseconds up to now: what waits for the peer waits so much longer. */
  thaw(missed: number): void {
    this.#date();
    this.#a.deadlines.thaw(missed);
  }

  /**
   * Ends at once (RFC 9260 §9.1, ABORT). There to be polled afterwards: one ABORT with the reason's code, if the peer is known,
   * and the events, `closed` with the reason last. Everything else is released in this call.
   */
  close(reason: Failure, now: number): void {
    this.#observe(now);
    if (this.#a.state !== 'closed') abortWith(this.#a, byUser(reason.code), reason);
  }

  /** As `close`, for a reason in words, which the ABORT has too. */
  abort(reason: string, now: number): void {
    this.#observe(now);
    if (this.#a.state !== 'closed') abortWith(this.#a, byUser(reason), failure(this.#a, 'aborted', reason));
  }

  /** State, timers (milliseconds, absolute), queues and counters as plain data. No tags, cookies or payload. */
  inspect(): SctpInspection {
    const a = this.#a;
    return {
      state: a.state,
      pathWritable: a.pathWritable,
      timers: a.deadlines.armed(),
      nextTimeout: Number.isFinite(this.nextTimeout()) ? this.nextTimeout() : null,
      outboundStreams: a.outboundStreams,
      remoteMaxMessageSize: Number.isFinite(a.remoteMaxMessageSize) ? a.remoteMaxMessageSize : null,
      partialReliability: a.sender.abandonment.isSupported,
      interleaving: a.sender.queue.interleaving,
      zeroChecksum: a.settings.zeroChecksum && a.initialization.peer?.zeroChecksum === true,
      pathMtu: a.pathMtu.inspect(),
      events: a.events.size,
      send: a.sender.inspect(),
      receive: a.receiver?.inspect() ?? null,
      resets: {
        inFlight: [...a.outgoingResets.streams],
        overdue: a.outgoingResets.isOverdue,
        waiting: a.outgoingResets.waitingCount,
      },
      counters: a.counters.snapshot(),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    return this.#writer.isMisordered ? 'a control chunk stood behind DATA' : invariantViolation(this.#a);
  }

  #handle(packet: Uint8Array, now: number, owned: boolean): void {
    this.#observe(now);
    readPacket(this.#a, this.#cursor, packet, this.#ports, owned);
    // What the packet says may stop a clock that is due. A packet that was refused has told the time as well.
    this.#runTimers();
  }

  /** Runs what is due by the last time seen, and sees to what waits. */
  #runTimers(): void {
    const { deadlines } = this.#a;
    for (let due = deadlines.takeDue(); due !== undefined; due = deadlines.takeDue())
      runDeadline(this.#a, due);
    updateTimers(this.#a);
  }

  #observe(now: number): void {
    const a = this.#a;
    a.clock.observe(now, this);
    this.#date();
  }

  /** What was done while the clock was stale counts from now on, if it is right again. */
  #date(): void {
    const a = this.#a;
    if (a.clock.isStale) return;
    a.sender.recovery.observe(a.now);
    if (a.undated.length === 0) return;
    for (const message of a.undated) a.sender.abandonment.limitLifetime(message, a.now);
    a.undated = [];
    a.deadlines.set('messageLifetime', a.sender.abandonment.nextExpiry);
  }

  /** A message's lifetime begins now, or as soon as it is known when that is. */
  #limitLifetime(message: OutgoingMessage): void {
    const a = this.#a;
    if (message.lifetime === 0 || message.lifetime === Infinity) return;
    if (a.clock.isStale) a.undated.push(message);
    else a.sender.abandonment.limitLifetime(message, a.now);
  }
}

/** RFC 9260 §3.3.10.12. */
function byUser(text: string): SctpCause {
  return { code: CAUSE.userInitiatedAbort, text };
}
