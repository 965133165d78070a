/**
 * The receiving half: DATA and FORWARD TSN in; messages, SACKs and the advertised window out.
 *
 *   DATA → window? → TSN new? → (stream awaiting its reset? set aside) → reassembly → message event
 *   FORWARD TSN → drop what will not complete → move the cumulative TSN → give the streams their turn
 *   outgoing-reset request of the peer → performed now, or once everything up to its last TSN is here
 *
 * The window pays for everything that is held: fragments, messages out of turn, and messages not yet taken by
 * `pollEvent`. Nothing that was acknowledged is ever discarded.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, readU16, readU32 } from '../../core/bytes.ts';
import type { Counters } from '../../core/counters.ts';
import type { BoundedQueue } from '../../core/queue.ts';
import { DATA_HEADER_SIZE, FLAG_BEGIN, FLAG_IMMEDIATE, I_DATA_HEADER_SIZE } from '../constants.ts';
import type { SctpCounter, SctpEvent } from '../events.ts';
import type { ForwardTsnChunk } from '../packet/forward-tsn.ts';
import type { PacketWriter } from '../packet/packet.ts';
import { TsnLine } from '../tsn.ts';
import { InterleavedReassembly } from './interleaved.ts';
import type { DataChunk, MessageSink, Reassembler } from './reassembly.ts';
import { charge, Reassembly } from './reassembly.ts';
import { MAX_TSN_AHEAD, TsnTracker } from './tsn-tracker.ts';

/**
 * From this share of the window on data counts as refused for want of a reader. Beyond the whole of it, which is what was
 * announced, only the chunk that moves the cumulative TSN is taken: it is the one that can free memory, so that a full
 * window never locks itself shut.
 */
const WATERMARK = 0.9;
/** Above this multiple of the window nothing is taken. */
const HARD_LIMIT = 2;
/** A window this far open again, as a share of the whole, is reported unasked. */
const REOPENED = 0.5;

/** What became of a DATA chunk. The last three are for the association to answer. */
export type DataOutcome = 'ok' | 'invalid-stream' | 'no-user-data' | 'message-too-large';

export interface ReceiverLimits {
  readonly receiveWindow: number;
  readonly maxMessageSize: number;
  /** Streams 0 … inboundStreams−1 exist. */
  readonly inboundStreams: number;
  /** RFC 8260 was negotiated: data comes as I-DATA. */
  readonly interleaving?: boolean;
}

interface Deferral {
  readonly lastPosition: number;
  /** `undefined`: all streams. */
  readonly streams: ReadonlySet<number> | undefined;
  readonly chunks: DataChunk[];
}

export class Receiver implements MessageSink {
  readonly tracker: TsnTracker;
  readonly reassembly: Reassembler;
  readonly #limits: ReceiverLimits;
  readonly #events: BoundedQueue<SctpEvent>;
  readonly #counters: Counters<SctpCounter>;
  #deferral: Deferral | undefined;
  #deferredBytes = 0;
  /** Charged for messages in the event queue. */
  #unreadBytes = 0;
  #advertised: number;

  constructor(
    initialTsn: number,
    limits: ReceiverLimits,
    events: BoundedQueue<SctpEvent>,
    counters: Counters<SctpCounter>,
  ) {
    this.tracker = new TsnTracker(new TsnLine(initialTsn));
    this.reassembly =
      limits.interleaving === true
        ? new InterleavedReassembly(this, limits.maxMessageSize)
        : new Reassembly(this, limits.maxMessageSize);
    this.#limits = limits;
    this.#events = events;
    this.#counters = counters;
    this.#advertised = limits.receiveWindow;
  }

  /** Bytes of the window in use. */
  get usedBytes(): number {
    return this.reassembly.heldBytes + this.#deferredBytes + this.#unreadBytes;
  }

  get window(): number {
    return Math.max(0, this.#limits.receiveWindow - this.usedBytes);
  }

  get cumulativeTsn(): number {
    return this.tracker.line.wire(this.tracker.cumulative);
  }

  /** True while a gap, an incomplete message or one out of turn waits for the peer. */
  get awaitsMore(): boolean {
    return this.tracker.hasGap || !this.reassembly.isEmpty || this.#deferral !== undefined;
  }

  /** True while data is refused, or about to be, as messages have not been taken. */
  get isStalled(): boolean {
    return this.#unreadBytes > 0 && this.usedBytes >= this.#limits.receiveWindow * WATERMARK;
  }

  /** True for a peer whose data comes as I-DATA. */
  get interleaving(): boolean {
    return this.#limits.interleaving === true;
  }

  get awaitsReset(): boolean {
    return this.#deferral !== undefined;
  }

  /** Takes the DATA or I-DATA chunk at `packet[start, end)`, whichever was negotiated. `owned`: views of the packet may be kept. */
  handleData(packet: Uint8Array, start: number, end: number, flags: number, owned: boolean): DataOutcome {
    const { interleaving } = this;
    const headerSize = interleaving ? I_DATA_HEADER_SIZE : DATA_HEADER_SIZE;
    if (end - start <= headerSize) return 'no-user-data';
    const tracker = this.tracker;
    const position = tracker.line.position(readU32(packet, start + 4), tracker.cumulative);
    if ((flags & FLAG_IMMEDIATE) !== 0) tracker.demandSack();
    switch (tracker.judge(position)) {
      case 'duplicate':
        this.#counters.add('duplicate-tsn');
        tracker.noteDuplicate(position);
        return 'ok';
      case 'out-of-window':
        this.#counters.add('tsn-out-of-window');
        return 'ok';
      case 'new':
        break;
    }
    if (!this.#hasRoom(position)) {
      this.#counters.add('receive-window-full');
      tracker.demandSack();
      return 'ok';
    }
    tracker.accept(position);
    const streamId = readU16(packet, start + 8);
    if (streamId >= this.#limits.inboundStreams) {
      this.#counters.add('invalid-stream');
      return 'invalid-stream';
    }
    const whole = this.#place(
      {
        position,
        flags,
        streamId,
        sequence: interleaving ? readU32(packet, start + 12) : readU16(packet, start + 10),
        // RFC 8260 §2.1: one field, the PPID in a first fragment, the FSN in the others.
        ppid: readU32(packet, start + (interleaving ? 16 : 12)),
        fsn: interleaving && (flags & FLAG_BEGIN) === 0 ? readU32(packet, start + 16) : 0,
        payload: packet.subarray(start + headerSize, end),
      },
      owned,
    );
    return whole && this.#performDeferred() ? 'ok' : 'message-too-large';
  }

  /** RFC 3758 §3.6. */
  handleForwardTsn(forward: ForwardTsnChunk): void {
    const tracker = this.tracker;
    const position = tracker.line.position(forward.newCumulativeTsn, tracker.cumulative);
    tracker.demandSack();
    if (position <= tracker.cumulative) return;
    if (position - tracker.cumulative > MAX_TSN_AHEAD) {
      this.#counters.add('invalid-forward-tsn');
      return;
    }
    this.reassembly.dropThrough(position);
    tracker.forwardTo(position);
    for (const { streamId, unordered, sequence } of forward.streams) {
      if (streamId < this.#limits.inboundStreams) this.reassembly.skipTo(streamId, unordered, sequence);
    }
    this.#performDeferred();
  }

  /**
   * RFC 6525 §5.2.2: the peer wants `streams` (none: all) reset once everything up to `lastTsn` has arrived.
   * True: performed, and said so by events. False: in progress.
   */
  resetStreams(streams: readonly number[], lastTsn: number): boolean {
    const lastPosition = this.tracker.line.position(lastTsn, this.tracker.cumulative);
    const ids = streams.length === 0 ? undefined : new Set(streams);
    if (lastPosition <= this.tracker.cumulative) {
      this.#reset(ids);
      return true;
    }
    this.#deferral ??= { lastPosition, streams: ids, chunks: [] };
    return false;
  }

  /** A message has been taken by its reader. True when the window opened enough to tell the peer now. */
  release(length: number): boolean {
    this.#unreadBytes -= charge(length);
    const wide = this.#limits.receiveWindow * REOPENED;
    if (this.#advertised >= wide || this.window < wide) return false;
    this.tracker.demandSack();
    return true;
  }

  writeSack(writer: PacketWriter): void {
    this.#advertised = this.window;
    this.tracker.writeInto(writer, this.#advertised);
  }

  clear(): void {
    this.reassembly.clear();
    this.#deferral = undefined;
    this.#deferredBytes = 0;
    this.#unreadBytes = 0;
  }

  inspect(): Record<string, number> {
    return {
      usedBytes: this.usedBytes,
      window: this.window,
      gaps: this.tracker.above.size,
      fragments: this.reassembly.fragmentCount,
      streams: this.reassembly.streamCount,
    };
  }

  deliver(streamId: number, ppid: number, data: Bytes, unordered: boolean): void {
    this.#unreadBytes += charge(data.length);
    this.#counters.add('messages-received');
    this.#events.push({ type: 'message', streamId, ppid, data, unordered });
  }

  firstFragment(streamId: number): void {
    this.#events.push({ type: 'streamdata', streamId });
  }

  outOfTurn(): void {
    this.#counters.add('message-out-of-turn');
  }

  #hasRoom(position: number): boolean {
    const used = this.usedBytes;
    const share = position === this.tracker.cumulative + 1 ? HARD_LIMIT : 1;
    return used < this.#limits.receiveWindow * share;
  }

  /** Reassembles, or sets aside what belongs behind a reset that is still to come. */
  #place(chunk: DataChunk, owned: boolean): boolean {
    const deferral = this.#deferral;
    if (
      deferral === undefined ||
      chunk.position <= deferral.lastPosition ||
      !(deferral.streams?.has(chunk.streamId) ?? true)
    ) {
      return this.reassembly.add(chunk, owned);
    }
    deferral.chunks.push(owned ? chunk : { ...chunk, payload: copyBytes(chunk.payload) });
    this.#deferredBytes += charge(chunk.payload.length);
    return true;
  }

  #performDeferred(): boolean {
    const deferral = this.#deferral;
    if (deferral === undefined || deferral.lastPosition > this.tracker.cumulative) return true;
    this.#deferral = undefined;
    this.#deferredBytes = 0;
    this.#reset(deferral.streams);
    return deferral.chunks.every((chunk) => this.reassembly.add(chunk, true));
  }

  #reset(streams: ReadonlySet<number> | undefined): void {
    const ids = streams === undefined ? this.reassembly.streamIds() : [...streams];
    this.reassembly.reset(ids);
    for (const streamId of ids) {
      this.#events.push({ type: 'streamreset', streamId, origin: 'remote', outcome: 'performed' });
    }
  }
}
