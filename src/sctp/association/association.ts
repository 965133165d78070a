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
  readonly #tcb: TransmissionControlBlock;
  #ports: PacketPorts;
  readonly #cursor = new ChunkCursor();
  readonly #writer = new PacketWriter();

  /** Throws `ERR_BAD_ARGUMENT` for an option out of range. */
  constructor(options: SctpOptions) {
    const settings = resolveOptions(options);
    this.#tcb = new TransmissionControlBlock(settings);
    this.#ports = { source: settings.localPort, destination: settings.remotePort };
  }

  get state(): SctpState {
    return this.#tcb.state;
  }

  /** Largest message the peer takes, in bytes (RFC 8841 `a=max-message-size`); Infinity: no limit. */
  get remoteMaxMessageSize(): number {
    return this.#tcb.remoteMaxMessageSize;
  }

  set remoteMaxMessageSize(size: number) {
    if (!(size > 0)) throw badArgument('remoteMaxMessageSize', 'a number above 0', size);
    this.#tcb.remoteMaxMessageSize = size;
  }

  /** Largest message `send` takes, in bytes: what the peer takes, or the whole send buffer if that is less. */
  get maxMessageSize(): number {
    return this.#tcb.maxMessageSize;
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
    return this.#tcb.pathMtu.largest;
  }

  /** Bytes that the layers below add to a packet, for path MTU probing; it may be learned after construction, before `connect`. */
  get overhead(): number {
    return this.#tcb.pathMtu.overhead;
  }

  set overhead(bytes: number) {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= 200))
      throw badArgument('overhead', '0–200', bytes);
    this.#tcb.pathMtu.overhead = bytes;
  }

  /** Streams that may be sent on are 0 … outboundStreams−1: until `connected` our own limit, then the peer's if smaller. */
  get outboundStreams(): number {
    return this.#tcb.outboundStreams;
  }

  /** Smoothed round-trip time in milliseconds, `undefined` before the first sample. */
  get roundTripTime(): number | undefined {
    return this.#tcb.sender.rto.smoothed;
  }

  /**
   * Starts set-up: the lower layer can carry packets. Both ends may. Once the peer has set up it does nothing more, nor once
   * the association is closed: the peer may have done both before.
   */
  connect(now: number): void {
    this.#observe(now);
    if (this.#tcb.state === 'new') startConnect(this.#tcb);
    updateTimers(this.#tcb);
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
    const length = writePacket(this.#tcb, this.#writer, buffer, offset, this.#ports);
    updateTimers(this.#tcb);
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
    return this.#tcb.events.size;
  }

  /** The next event, `undefined` when drained. */
  pollEvent(): SctpEvent | undefined {
    const event = this.#tcb.events.shift();
    if (event?.type === 'message' && !this.#tcb.retainsMessages) this.release(event.data.length);
    if (event?.type === 'streamreset' && event.origin === 'remote')
      this.#tcb.receiver?.resetTold(event.streamId);
    return event;
  }

  /**
   * True: a message that was polled still counts against the receive window, until `release` says that its reader has
   * taken it. For owners who pass messages on. Default false.
   */
  get retainsMessages(): boolean {
    return this.#tcb.retainsMessages;
  }

  set retainsMessages(retains: boolean) {
    this.#tcb.retainsMessages = retains;
  }

  /** With `retainsMessages`: `messages` of together `length` bytes that were polled have been taken. Once for each. */
  release(length: number, messages = 1): void {
    const tcb = this.#tcb;
    if (tcb.state === 'closed' || tcb.receiver === undefined) return;
    // The SACK that says so may go with the next poll; its timer is for hosts that do not poll again now.
    if (tcb.receiver.release(length, messages)) tcb.deadlines.start('sack', 1);
    // A reader that reads does not stall.
    if (!tcb.deadlines.isArmed('readerStalled')) return;
    tcb.deadlines.stop('readerStalled');
    updateTimers(tcb);
  }

  /**
   * Bytes of memory that what was received and not taken, and what was accepted and not acknowledged, takes together. O(1).
   */
  get heldBytes(): number {
    return this.#tcb.sender.heldBytes + (this.#tcb.receiver?.heldBytes ?? 0);
  }

  /** Milliseconds between the last valid packet of the peer and the last time seen; 0 before the first. */
  get peerSilentFor(): number {
    const silence = this.#tcb.now - this.#tcb.lastHeardAt;
    return Number.isFinite(silence) ? Math.max(0, silence) : 0;
  }

  /** When `handleTimeout` is due, milliseconds; Infinity: nothing is awaited. */
  nextTimeout(): number {
    this.#date();
    return this.#tcb.deadlines.next();
  }

  /** Which deadline that is. */
  timeoutReason(): DeadlineName | undefined {
    this.#date();
    return this.#tcb.deadlines.nextName();
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
    const tcb = this.#tcb;
    checkSend(tcb, streamId, message);
    if (!acceptsData(tcb) || streamId >= tcb.outboundStreams) return false;
    const { data, ppid, unordered, maxRetransmits, maxPacketLifeTime, priority, token } = message;
    if (data.length > tcb.maxMessageSize) {
      tcb.counters.add('refused-too-large');
      tcb.events.push({ type: 'messageoutcome', streamId, token, outcome: 'too-large' });
      return false;
    }
    if (tcb.sender.heldBytes + charge(data.length) > tcb.settings.sendBuffer) {
      tcb.sendBufferHigh = true;
      return false;
    }
    const traits = { unordered, maxRetransmits, lifetime: maxPacketLifeTime, priority, token };
    const outgoing = outgoingMessage(streamId, ppid, copyBytes(data), traits);
    tcb.clock.callWithoutTime();
    this.#limitLifetime(outgoing);
    tcb.sender.accept(outgoing);
    updateTimers(tcb);
    return true;
  }

  /**
   * Asks the peer to see these streams begin anew (RFC 6525 §5.1.2), once what is queued on them has been sent; the answer is a
   * `streamreset` event for each. What is sent on them from now on waits for it. Nothing happens when the association is
   * closed, or the peer shuts it down. Throws as `send` does.
   */
  resetStreams(streamIds: readonly number[]): void {
    const tcb = this.#tcb;
    checkOpen(tcb);
    for (const id of streamIds) checkStream(id, tcb.settings.streams);
    if (!acceptsData(tcb)) return;
    tcb.clock.callWithoutTime();
    for (const id of streamIds) tcb.outgoingResets.request(id, tcb.sender.queue);
    updateTimers(tcb);
  }

  /** Drops the stream's messages that have not been started; one that was started is finished. */
  discard(streamId: number): void {
    this.#tcb.sender.queue.discard(streamId);
    updateTimers(this.#tcb);
  }

  /**
   * Nobody reads the stream any more: what has come of an unfinished message is dropped, and so is all that still comes,
   * until the peer resets the stream.
   */
  ignore(streamId: number): void {
    if (this.#tcb.state === 'closed') return;
    this.#tcb.receiver?.ignore(streamId);
    updateTimers(this.#tcb);
  }

  /** Bytes accepted by `send` for the stream and not yet put into a packet for the first time. */
  bufferedAmount(streamId: number): number {
    return this.#tcb.sender.queue.bufferedAmount(streamId);
  }

  /** Bytes at which a falling `bufferedAmount` gives a `bufferedamountlow` event. Default 0. */
  setBufferedAmountLowThreshold(streamId: number, bytes: number): void {
    checkStream(streamId, this.#tcb.settings.streams);
    if (!(bytes >= 0)) throw badArgument('bytes', 'a number from 0', bytes);
    this.#tcb.sender.queue.setLowThreshold(streamId, bytes);
  }

  /**
   * The stream's share of the path against other streams: with `weighted-fair` scheduling, streams that have something to
   * send get it in proportion to these numbers (RFC 8831 §6.4 has 128, 256, 512 and 1024). Above 0; default 256. It holds
   * for messages that have no `priority` of their own, queued ones too, from the stream's next turn on.
   */
  setPriority(streamId: number, priority: number): void {
    checkStream(streamId, this.#tcb.settings.streams);
    checkPriority(priority);
    if (this.#tcb.state !== 'closed') this.#tcb.sender.queue.setPriority(streamId, priority);
  }

  /**
   * Says whether the lower layer can carry packets. While it cannot, nothing is sent and the clocks that wait for the
   * peer stand still: how long that may last is the owner's to say. When it can again, what was in flight is sent again at once.
   */
  setPathWritable(writable: boolean, now: number): void {
    const tcb = this.#tcb;
    this.#observe(now);
    if (tcb.state === 'closed' || writable === tcb.pathWritable) return;
    tcb.pathWritable = writable;
    if (writable) {
      tcb.deadlines.release();
      tcb.deadlines.stop('t3');
      tcb.sender.recovery.handlePathRestored(tcb.now);
      tcb.outbox.init ||= tcb.state === 'cookie-wait';
      tcb.outbox.cookieEcho ||= tcb.state === 'cookie-echoed';
      tcb.outbox.heartbeat ||= tcb.isAssociated;
      tcb.outbox.reconfig ||= tcb.outgoingResets.inFlight;
    } else {
      tcb.deadlines.hold();
    }
    updateTimers(tcb);
  }

  /**
   * Packets take another path from now on: its MTU is not known (RFC 8899 §3). `max` is the largest UDP payload to try there,
   * `pathMtu.max` at the most.
   */
  changePath(max: number, now: number): void {
    this.#observe(now);
    this.#tcb.pathMtu.reset(max);
    this.#tcb.sender.rto.shortest = Infinity;
    updateTimers(this.#tcb);
  }

  /** Ends gracefully: everything accepted is delivered first (RFC 9260 §9.2). Before `connected` it just ends. */
  shutdown(now: number): void {
    const tcb = this.#tcb;
    this.#observe(now);
    if (tcb.state === 'new' || tcb.state === 'cookie-wait' || tcb.state === 'cookie-echoed') {
      const text = 'shut down before the association was set up';
      abortWith(tcb, byUser(text), failure(tcb, 'aborted', text));
    } else if (tcb.state === 'established') {
      tcb.state = 'shutdown-pending';
      tcb.deadlines.start('shutdown', tcb.settings.gates.shutdown);
    }
    updateTimers(tcb);
  }

  /** The host stood still for `missed` milliseconds up to now: what waits for the peer waits so much longer. */
  thaw(missed: number): void {
    this.#date();
    this.#tcb.deadlines.thaw(missed);
  }

  /**
   * Ends at once (RFC 9260 §9.1, ABORT). There to be polled afterwards: one ABORT with the reason's code, if the peer is known,
   * and the events, `closed` with the reason last. Everything else is released in this call.
   */
  close(reason: Failure, now: number): void {
    this.#observe(now);
    if (this.#tcb.state !== 'closed') abortWith(this.#tcb, byUser(reason.code), reason);
  }

  /** As `close`, for a reason in words, which the ABORT has too. */
  abort(reason: string, now: number): void {
    this.#observe(now);
    if (this.#tcb.state !== 'closed')
      abortWith(this.#tcb, byUser(reason), failure(this.#tcb, 'aborted', reason));
  }

  /** State, timers (milliseconds, absolute), queues and counters as plain data. No tags, cookies or payload. */
  inspect(): SctpInspection {
    const tcb = this.#tcb;
    return {
      state: tcb.state,
      pathWritable: tcb.pathWritable,
      timers: tcb.deadlines.armed(),
      nextTimeout: Number.isFinite(this.nextTimeout()) ? this.nextTimeout() : null,
      outboundStreams: tcb.outboundStreams,
      remoteMaxMessageSize: Number.isFinite(tcb.remoteMaxMessageSize) ? tcb.remoteMaxMessageSize : null,
      partialReliability: tcb.sender.abandonment.isSupported,
      interleaving: tcb.sender.queue.interleaving,
      zeroChecksum: tcb.settings.zeroChecksum && tcb.initialization.peer?.zeroChecksum === true,
      pathMtu: tcb.pathMtu.inspect(),
      events: tcb.events.size,
      send: tcb.sender.inspect(),
      receive: tcb.receiver?.inspect() ?? null,
      resets: {
        inFlight: [...tcb.outgoingResets.streams],
        overdue: tcb.outgoingResets.isOverdue,
        waiting: tcb.outgoingResets.waitingCount,
      },
      counters: tcb.counters.snapshot(),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    return this.#writer.isMisordered ? 'a control chunk stood behind DATA' : invariantViolation(this.#tcb);
  }

  #handle(packet: Uint8Array, now: number, owned: boolean): void {
    this.#observe(now);
    readPacket(this.#tcb, this.#cursor, packet, this.#ports, owned);
    // What the packet says may stop a clock that is due. A packet that was refused has told the time as well.
    this.#runTimers();
  }

  /** Runs what is due by the last time seen, and sees to what waits. */
  #runTimers(): void {
    const { deadlines } = this.#tcb;
    for (let due = deadlines.takeDue(); due !== undefined; due = deadlines.takeDue())
      runDeadline(this.#tcb, due);
    updateTimers(this.#tcb);
  }

  #observe(now: number): void {
    const tcb = this.#tcb;
    tcb.clock.observe(now, this);
    this.#date();
  }

  /** What was done while the clock was stale counts from now on, if it is right again. */
  #date(): void {
    const tcb = this.#tcb;
    if (tcb.clock.isStale) return;
    if (tcb.sender.recovery.isProvisional) tcb.sender.recovery.observe(tcb.now);
    if (tcb.undated.length === 0) return;
    for (const message of tcb.undated) tcb.sender.abandonment.limitLifetime(message, tcb.now);
    tcb.undated = [];
    tcb.deadlines.set('messageLifetime', tcb.sender.abandonment.nextExpiry);
  }

  /** A message's lifetime begins now or, on a stale clock, at the next time told. */
  #limitLifetime(message: OutgoingMessage): void {
    const tcb = this.#tcb;
    if (message.lifetime === 0 || message.lifetime === Infinity) return;
    if (tcb.clock.isStale) tcb.undated.push(message);
    else tcb.sender.abandonment.limitLifetime(message, tcb.now);
  }
}

/** RFC 9260 §3.3.10.12. */
function byUser(text: string): SctpCause {
  return { code: CAUSE.userInitiatedAbort, text };
}
