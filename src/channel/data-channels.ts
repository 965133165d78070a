/**
 * DataChannels: the channels of one association (RFC 8831, RFC 8832).
 *
 *   createChannel        a handle at once; its stream identifier when the DTLS role is known (client even, server odd)
 *   association up       local: OPEN goes out ─▶ ACK, or data, comes back ─▶ open     negotiated: open
 *   OPEN comes in        ACK goes out, the channel is open                            anything else: stream refused
 *   close()              drain ─▶ reset our direction ─▶ the peer resets its own ─▶ closed, identifier free
 *   the peer's reset     reset our direction too ─▶ closed
 *   association closed   every channel closed, with the reason
 *
 * A stream that breaks the rules is reset; the association and its other streams go on. Feed it with the association's
 * events and with time, drain `pollEvent`, come back at `nextTimeout()`; what it wants sent it gives the association.
 * Waits that begin in a call without a time count from the next time seen, so tell the time soon after such a call.
 */
import type { Bytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import type { MessageOutcome, SctpEvent } from '../sctp/index.ts';
import { judgeFirstMessage } from './admission.ts';
import type { StreamEnd } from './closing.ts';
import { Closing, channelOf } from './closing.ts';
import { ControlQueue } from './control-queue.ts';
import type { AskedMessage, ChannelOwner, DataChannel } from './data-channel.ts';
import { ChannelState } from './data-channel.ts';
import { encodeAck, encodeOpen, isAck } from './dcep.ts';
import { EventQueue } from './event-queue.ts';
import type {
  ChannelCall,
  ChannelCounter,
  ChannelEvent,
  ChannelsInspection,
  RefusalCounter,
} from './events.ts';
import { CHANNEL_COUNTERS } from './events.ts';
import { channelFailure, expiry } from './failures.ts';
import type { Gate, Gates } from './gate.ts';
import { Clock, armedGates, earliestGate, makeGates } from './gate.ts';
import { streamsViolation } from './invariants.ts';
import type { ChannelLimits, ChannelOptions, DataChannelOptions, GateName, SendOptions } from './options.ts';
import { PRIORITY, checkLayerOptions, checkSendOptions, localSettings, remoteSettings } from './options.ts';
import { outgoing } from './outbound.ts';
import { Ppid, toPayload } from './payload.ts';
import type { SctpPort } from './port.ts';
import type { ChannelRole, Stream } from './streams.ts';
import { StreamTable, parityOf } from './streams.ts';

const NO_OPTIONS: SendOptions = {};

export class DataChannels {
  /** Called after each call on a handle. For tracing. */
  onCall: ((channel: DataChannel, call: ChannelCall) => void) | undefined;
  readonly #port: SctpPort;
  readonly #limits: ChannelLimits;
  readonly #onActivity: () => void;
  readonly #clock = new Clock();
  readonly #gates: Gates<Stream>;
  readonly #streams = new StreamTable();
  readonly #closing: Closing;
  /** Every channel that is not closed, in order of creation. */
  readonly #channels = new Set<ChannelState>();
  readonly #control: ControlQueue;
  readonly #events: EventQueue;
  readonly #counters = new Counters<ChannelCounter>(CHANNEL_COUNTERS);
  #association: 'connecting' | 'connected' | 'closed' = 'connecting';
  #role: ChannelRole | undefined;

  /** What handles ask for: an object of its own, so that it is no part of the public class. */
  readonly #owner: ChannelOwner = {
    send: (state, data, options) => this.#send(state, data, options),
    pauseReading: (state) => this.#pauseReading(state),
    resumeReading: (state) => this.#resumeReading(state),
    close: (state) => this.#close(state),
    bufferedAmount: (state) =>
      this.#streamOf(state) === undefined ? 0 : this.#port.bufferedAmount(state.id ?? 0),
    setLowThreshold: (state, bytes) => this.#setLowThreshold(state, bytes),
  };

  /** Throws `ERR_BAD_ARGUMENT` for a gate or limit out of range. */
  constructor(port: SctpPort, options: ChannelOptions = {}) {
    const { gates, limits } = checkLayerOptions(options);
    this.#port = port;
    // A message counts against the window until the application has it.
    port.retainsMessages = true;
    this.#limits = limits;
    this.#gates = makeGates(gates, this.#clock);
    this.#closing = new Closing(port, this.#streams, this.#gates);
    this.#control = new ControlQueue(port);
    this.#events = new EventQueue(port);
    this.#onActivity = options.onActivity ?? ((): void => undefined);
  }

  /**
   * Makes a channel; `channelopen` follows when both sides have it. Before the association is up it waits for it.
   *
   * Throws `ERR_BAD_ARGUMENT` for options out of range and a negotiated `id` in use, `ERR_LIMIT` when there are too many
   * channels or no identifiers left, `ERR_INVALID_STATE` once the association has closed.
   */
  createChannel(label: string, options: DataChannelOptions = {}): DataChannel {
    if (this.#association === 'closed') {
      throw new RtcError('ERR_INVALID_STATE', 'the association has closed: no channel can be created');
    }
    const settings = localSettings(label, options, this.#limits);
    if (this.#isFull()) {
      throw new RtcError('ERR_LIMIT', `"maxChannels" is ${this.#limits.maxChannels}, and so many are in use`);
    }
    const id = options.id === undefined ? this.#inBandId() : this.#negotiatedId(options.id);
    this.#clock.isStale = true;
    const state = new ChannelState(settings, this.#limits.maxMessageSize, this.#owner);
    this.#channels.add(state);
    if (id !== undefined) this.#occupy(id, state);
    this.#establish(state);
    this.#onActivity();
    return state.handle;
  }

  /**
   * The DTLS role is known: channels created before get their identifiers, in order of creation. Throws
   * `ERR_INVALID_STATE` for another role than before.
   */
  setRole(role: ChannelRole): void {
    if (this.#role === role) return;
    if (this.#role !== undefined) {
      throw new RtcError('ERR_INVALID_STATE', `the role is "${this.#role}" and cannot become "${role}"`);
    }
    this.#role = role;
    this.#clock.isStale = true;
    for (const state of this.#channels) {
      if (state.id !== undefined) continue;
      const id = this.#freeId(role);
      if (id === undefined) {
        this.#fail(state, channelFailure('no-stream-id', 'all stream identifiers of our parity are in use'));
      } else {
        this.#occupy(id, state);
        this.#establish(state);
      }
    }
  }

  /** Feed every event of the association, in its order; `now` in milliseconds. */
  handleSctpEvent(event: SctpEvent, now: number): void {
    this.#advance(now);
    if (this.#association === 'closed') return;
    switch (event.type) {
      case 'connected':
        if (this.#association === 'connected') return;
        this.#association = 'connected';
        // Data may have overtaken the end of the handshake, and opened channels already.
        for (const state of this.#channels) if (state.phase === 'waiting') this.#establish(state);
        return;
      case 'streamdata':
        this.#onStreamData(event.streamId);
        return;
      case 'message':
        if (!this.#onMessage(event.streamId, event.ppid, event.data)) this.#port.release(event.data.length);
        return;
      case 'messageoutcome':
        this.#onOutcome(event.token as AskedMessage, event.outcome);
        return;
      case 'sendbufferlow':
        this.#control.flush();
        return;
      case 'bufferedamountlow':
        this.#onBufferedAmountLow(event.streamId);
        return;
      case 'streamreset':
        if (event.origin === 'remote') this.#onRemoteReset(event.streamId);
        else this.#onLocalReset(event.streamId, event.outcome);
        return;
      case 'closed':
        this.close(event.failure, now);
    }
  }

  /** Runs every gate that is due at `now`. */
  handleTimeout(now: number): void {
    this.#advance(now);
    for (;;) {
      const gate = earliestGate(this.#gates);
      const due = gate.takeDue();
      if (due === undefined) break;
      this.#expire(gate, due.key, due.elapsed);
    }
    this.#control.flush();
  }

  /** How many events `pollEvent` has. */
  get queuedEvents(): number {
    return this.#events.size;
  }

  /** The next event, `undefined` when drained. Poll before the association's packets: it may give them something to carry. */
  pollEvent(): ChannelEvent | undefined {
    this.#control.flush();
    return this.#events.shift();
  }

  /** When `handleTimeout` is due, in milliseconds; `Infinity`: nothing is waited for. */
  nextTimeout(): number {
    return earliestGate(this.#gates).next();
  }

  /** Which gate that is. */
  timeoutReason(): GateName | undefined {
    const gate = earliestGate(this.#gates);
    return gate.next() === Infinity ? undefined : gate.name;
  }

  /** The association is over: every channel closes, once, for the reason `cause`; nothing is waited for any more. */
  close(cause: Failure | undefined, now: number): void {
    this.#advance(now);
    if (this.#association === 'closed') return;
    this.#association = 'closed';
    for (const gate of Object.values(this.#gates)) gate.clear();
    this.#control.clear();
    this.#streams.clear();
    for (const state of this.#channels) this.#finish(state, cause);
  }

  /** What there is, what is waited for, what was dropped. */
  inspect(): ChannelsInspection {
    return {
      association: this.#association,
      role: this.#role,
      channels: Array.from(this.#channels, (state) => state.inspect()),
      halfOpenStreams: this.#streams.count('half-open'),
      refusedStreams: this.#streams.count('refused'),
      quarantinedStreams: this.#streams.count('quarantined'),
      timers: armedGates(this.#gates),
      queuedEvents: this.#events.size,
      queuedControl: this.#control.size,
      counters: this.#counters.snapshot(),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    if (this.#association === 'closed') {
      const isEmpty =
        this.#channels.size === 0 && this.#control.size === 0 && this.nextTimeout() === Infinity;
      return isEmpty ? undefined : 'the channels are closed and hold something';
    }
    return streamsViolation(this.#streams, this.#gates);
  }

  // --- Opening, by us ---------------------------------------------------------------------------------------------

  #isFull(): boolean {
    return this.#channels.size + this.#gates.inboundOpen.size >= this.#limits.maxChannels;
  }

  /** The lowest identifier of our parity that is free, `undefined` if none is. */
  #freeId(role: ChannelRole): number | undefined {
    const id = this.#streams.lowestFree(parityOf(role));
    return id < this.#port.outboundStreams ? id : undefined;
  }

  /** The identifier of a new in-band channel; `undefined` while it depends on a role that is not known. */
  #inBandId(): number | undefined {
    if (this.#role === undefined) return undefined;
    const id = this.#freeId(this.#role);
    if (id === undefined) throw new RtcError('ERR_LIMIT', 'all stream identifiers of our parity are in use');
    return id;
  }

  /** The identifier of a negotiated channel, checked to be free; data that came early has kept a place for it. */
  #negotiatedId(id: number): number {
    const stream = this.#streams.get(id);
    if (id >= this.#port.outboundStreams || (stream !== undefined && stream.occupant !== 'half-open')) {
      throw badArgument('id', 'a stream that exists and is not in use', id);
    }
    return id;
  }

  #occupy(id: number, state: ChannelState): Stream {
    state.id = id;
    const early = this.#streams.get(id);
    if (early === undefined) return this.#streams.occupy(id, state);
    this.#gates.inboundOpen.disarm(early);
    early.occupant = state;
    return early;
  }

  /** Opens a channel as soon as it has both an identifier and an association that is up. */
  #establish(state: ChannelState): void {
    const stream = this.#streamOf(state);
    if (stream === undefined || this.#association !== 'connected') return;
    if (stream.id >= this.#port.outboundStreams) {
      this.#fail(
        state,
        channelFailure('no-stream-id', `the peer takes ${this.#port.outboundStreams} streams`),
      );
      return;
    }
    if (state.settings.negotiated) {
      this.#open(stream, state);
      return;
    }
    const data = encodeOpen({ ...state.settings, priority: PRIORITY[state.settings.priority] });
    if (data.length > this.#port.remoteMaxMessageSize) {
      const message = `the OPEN has ${data.length} bytes, the peer takes ${this.#port.remoteMaxMessageSize}`;
      this.#fail(state, channelFailure('open-too-large', message));
      return;
    }
    this.#gates.openAck.arm(stream);
    this.#control.send(stream.id, data, state);
  }

  /**
   * RFC 8832 §6 wants user data sent ordered until something has been heard on the channel. A channel is open, and `send`
   * allowed, only when it has been, so that every message can have the channel's own reliability.
   */
  #open(stream: Stream, state: ChannelState): void {
    this.#gates.openAck.disarm(stream);
    state.phase = 'open';
    this.#port.setBufferedAmountLowThreshold(stream.id, state.lowThreshold);
    const type = state.settings.origin === 'remote' ? 'datachannel' : 'channelopen';
    this.#events.push({ type, channel: state.handle });
  }

  // --- Opening, by the peer ---------------------------------------------------------------------------------------

  /** The first bytes of an unfinished message: on an unknown stream, an OPEN that must not take for ever. */
  #onStreamData(streamId: number): void {
    if (this.#streams.get(streamId) !== undefined) return;
    if (this.#isFull()) {
      this.#refuse(streamId, 'openOverLimit');
      return;
    }
    this.#gates.inboundOpen.arm(this.#streams.occupy(streamId, 'half-open'));
  }

  /** True: the message is kept for the application. */
  #onMessage(streamId: number, ppid: number, data: Bytes): boolean {
    let stream = this.#streams.get(streamId);
    if (stream?.incoming === 'reset' && ppid === Ppid.dcep) {
      this.#end(this.#closing.onReuse(stream));
      stream = undefined;
    }
    if (stream === undefined) {
      this.#onFirstMessage(streamId, ppid, data);
    } else if (stream.occupant === 'half-open') {
      this.#gates.inboundOpen.disarm(stream);
      this.#onFirstMessage(streamId, ppid, data);
    } else if (typeof stream.occupant === 'string') {
      this.#counters.add('lateMessages');
    } else {
      return this.#onChannelMessage(stream, stream.occupant, ppid, data);
    }
    return false;
  }

  /** RFC 8832 §6: a valid OPEN of the peer's parity is answered, and the channel open; all else resets the stream. */
  #onFirstMessage(streamId: number, ppid: number, data: Bytes): void {
    const { outboundStreams } = this.#port;
    const open = judgeFirstMessage(streamId, ppid, data, this.#role, outboundStreams, this.#limits);
    if (typeof open === 'string' || this.#isFull()) {
      this.#refuse(streamId, typeof open === 'string' ? open : 'openOverLimit');
      return;
    }
    const state = new ChannelState(remoteSettings(open), this.#limits.maxMessageSize, this.#owner);
    this.#channels.add(state);
    this.#open(this.#occupy(streamId, state), state);
    this.#control.send(streamId, encodeAck());
  }

  /** Resets a stream that never became a channel. */
  #refuse(streamId: number, why: RefusalCounter): void {
    this.#counters.add(why);
    const known = this.#streams.get(streamId);
    if (known === undefined && this.#streams.lostCount >= this.#limits.maxRefusedStreams) {
      this.#counters.add('unansweredStreams');
      return;
    }
    const stream = known ?? this.#streams.occupy(streamId, 'refused');
    this.#streams.lose(stream, 'refused');
    if (stream.incoming === 'in-use') this.#port.ignore(streamId);
    this.#closing.begin(stream, 'discard');
  }

  // --- Open -------------------------------------------------------------------------------------------------------

  #send(state: ChannelState, data: string | Uint8Array, options: SendOptions = NO_OPTIONS): boolean {
    if (state.phase !== 'open' || state.id === undefined) {
      const message = `"send" expected an open channel, this one is ${state.handle.readyState}`;
      throw new RtcError('ERR_INVALID_STATE', message);
    }
    checkSendOptions(options);
    const { ppid, data: bytes } = toPayload(data);
    if (bytes.length > this.#port.remoteMaxMessageSize) {
      const message = `"data" has ${bytes.length} bytes, the peer takes ${this.#port.remoteMaxMessageSize}`;
      throw new RtcError('ERR_TOO_LARGE', message);
    }
    const asked = options.id === undefined ? undefined : { state, id: options.id };
    const accepted = this.#port.send(state.id, outgoing(state, ppid, bytes, options, asked));
    this.onCall?.(state.handle, {
      method: 'send',
      data,
      accepted,
      ...(options === NO_OPTIONS ? {} : { options }),
    });
    if (!accepted) return false;
    if (asked !== undefined) state.asked.add(asked);
    state.sentSinceLow = true;
    state.messagesSent++;
    state.bytesSent += data.length === 0 ? 0 : bytes.length;
    this.#onActivity();
    return true;
  }

  #setLowThreshold(state: ChannelState, bytes: number): void {
    state.lowThreshold = bytes;
    if (state.phase === 'open' && state.id !== undefined) {
      this.#port.setBufferedAmountLowThreshold(state.id, bytes);
    }
    this.onCall?.(state.handle, { method: 'setLowThreshold', bytes });
  }

  #pauseReading(state: ChannelState): void {
    if (state.isPaused || state.phase === 'closed') return;
    state.isPaused = true;
    this.onCall?.(state.handle, { method: 'pauseReading' });
  }

  #resumeReading(state: ChannelState): void {
    if (!state.isPaused) return;
    this.#events.resume(state);
    this.onCall?.(state.handle, { method: 'resumeReading' });
    this.#onActivity();
  }

  #onOutcome(asked: AskedMessage, outcome: MessageOutcome): void {
    const { state, id } = asked;
    if (state.asked.delete(asked)) {
      this.#events.push({ type: 'messageoutcome', channel: state.handle, id, outcome });
    }
  }

  #onChannelMessage(stream: Stream, state: ChannelState, ppid: number, data: Bytes): boolean {
    if (state.phase === 'closing') {
      // W3C webrtc-pc §6.2: what arrives on a channel that is not open is discarded.
      this.#counters.add('lateMessages');
      return false;
    }
    // Data may overtake the end of the association's own handshake; it says the same as `connected`.
    if (state.phase === 'waiting' && state.settings.negotiated) this.#open(stream, state);
    const acknowledges = ppid === Ppid.dcep && isAck(data);
    if (state.phase === 'waiting' || (ppid === Ppid.dcep && !acknowledges)) {
      this.#counters.add('protocolViolations');
      this.#fail(state, channelFailure('protocol-violation', 'the peer used the stream for another channel'));
      return false;
    }
    // RFC 8832 §6: user data says as well as an ACK that the peer has the channel; the two may change places.
    if (state.phase === 'opening') this.#open(stream, state);
    return !acknowledges && this.#receive(stream, state, ppid, data);
  }

  #receive(stream: Stream, state: ChannelState, ppid: number, data: Bytes): boolean {
    const received = state.reader.read(ppid, data);
    switch (received.type) {
      case 'incomplete':
        this.#gates.reassembly.arm(stream);
        return false;
      case 'violation':
        // RFC 8831 §6.6: the receiver SHOULD close the channel.
        this.#counters.add('badUserMessages');
        this.#fail(state, channelFailure(received.reason, 'the peer sent a message that cannot be read'));
        return false;
      case 'message':
        this.#gates.reassembly.disarm(stream);
        state.messagesReceived++;
        state.bytesReceived += received.size;
        this.#events.pushMessage(state, received.data, data.length);
        return true;
    }
  }

  /** Of a channel that drains, the end of draining; of an open one, the application's event. */
  #onBufferedAmountLow(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#closing.drained(stream);
    const state = channelOf(stream);
    if (state?.phase !== 'open' || !state.sentSinceLow) return;
    state.sentSinceLow = false;
    this.#events.push({ type: 'bufferedamountlow', channel: state.handle });
  }

  // --- Closing ----------------------------------------------------------------------------------------------------

  #close(state: ChannelState): void {
    if (state.phase === 'closing' || state.phase === 'closed') return;
    this.#clock.isStale = true;
    // Whoever closes a channel does not want to hear from it any more.
    this.#counters.add('lateMessages', this.#events.dropUnread(state));
    this.#shut(state, 'send');
    this.onCall?.(state.handle, { method: 'closeChannel' });
    this.#onActivity();
  }

  /** The channel cannot go on; the association can. */
  #fail(state: ChannelState, cause: Failure): void {
    state.failure = cause;
    this.#events.resume(state);
    this.#events.push({ type: 'channelerror', channel: state.handle, failure: cause });
    this.#shut(state, 'discard');
  }

  /** Ends what the channel was waiting for and begins to close its stream, if anything was ever sent there. */
  #shut(state: ChannelState, queued: 'send' | 'discard'): void {
    const stream = this.#streamOf(state);
    if (stream !== undefined) {
      this.#gates.openAck.disarm(stream);
      this.#gates.reassembly.disarm(stream);
      this.#control.drop(stream.id);
    }
    if (state.phase !== 'waiting') {
      state.phase = 'closing';
      if (stream !== undefined) this.#closing.begin(stream, queued);
      return;
    }
    if (stream !== undefined) this.#streams.release(stream);
    this.#finish(state, undefined);
  }

  /** RFC 8831 §6.7: whoever sees the peer's direction reset resets its own. */
  #onRemoteReset(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const state = channelOf(stream);
    switch (state?.phase) {
      case 'waiting': // Nothing has been said on the stream yet: this is about a former use of it.
        return;
      case 'opening': // RFC 8832 §6: a reset instead of an ACK refuses the channel.
        this.#fail(state, channelFailure('open-refused', 'the peer refused the channel'));
        break;
      case 'open':
        this.#events.resume(state);
        this.#events.push({ type: 'channelclosing', channel: state.handle });
        this.#shut(state, 'discard');
        break;
      case 'closing':
      case 'closed':
        this.#closing.discard(stream);
        break;
      case undefined:
        if (stream.occupant === 'half-open') {
          this.#gates.inboundOpen.disarm(stream);
          stream.incoming = 'reset';
          this.#refuse(streamId, 'openMalformed');
        }
    }
    this.#end(this.#closing.onRemoteReset(stream));
  }

  #onLocalReset(streamId: number, outcome: 'performed' | 'denied' | 'timeout'): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#end(this.#closing.onLocalReset(stream, outcome));
  }

  #expire(gate: Gate<Stream>, stream: Stream, elapsed: number): void {
    const state = channelOf(stream);
    const cause = expiry(gate.name, elapsed, this.#port.peerSilentFor);
    switch (gate.name) {
      case 'openAck':
      case 'reassembly':
        if (state !== undefined) this.#fail(state, cause);
        return;
      case 'inboundOpen':
        this.#refuse(stream.id, 'openExpired');
        return;
      case 'closeDrain':
        if (state !== undefined) state.failure ??= cause;
        this.#closing.discard(stream);
        return;
      case 'streamReset':
        this.#end(this.#closing.giveUp(stream, cause));
    }
  }

  #end(end: StreamEnd | undefined): void {
    if (end?.channel !== undefined) this.#finish(end.channel, end.failure, end.isDelivered);
  }

  /** The one way into `closed`: the channel's last event, with the first cause. */
  #finish(state: ChannelState, cause: Failure | undefined, isDelivered = false): void {
    this.#events.resume(state);
    // Acknowledgements may be on their way still; what is known now is said now, and once.
    for (const asked of state.asked) this.#onOutcome(asked, isDelivered ? 'acknowledged' : 'discarded');
    const first = state.failure ?? cause;
    state.phase = 'closed';
    this.#channels.delete(state);
    this.#events.push({
      type: 'channelclose',
      channel: state.handle,
      ...(first === undefined ? {} : { failure: first }),
    });
  }

  /** The stream of a channel that has one and is not closed. */
  #streamOf(state: ChannelState): Stream | undefined {
    if (state.id === undefined || state.phase === 'closed') return undefined;
    return this.#streams.get(state.id);
  }

  #advance(now: number): void {
    if (now > this.#clock.now) this.#clock.now = now;
    if (!this.#clock.isStale) return;
    this.#clock.isStale = false;
    for (const gate of Object.values(this.#gates)) gate.date();
  }
}
