/**
 * The receiving half: DATA and FORWARD TSN in; messages, SACKs and the advertised window out.
 *
 *   DATA → window? → TSN new? → (stream awaiting its reset? set aside) → reassembly → message event
 *   FORWARD TSN → drop what will not complete → move the cumulative TSN → give the streams their turn
 *   outgoing-reset request of the peer → performed now, or once everything up to its last TSN is here
 *
 * The window pays for everything that is held: fragments, messages out of turn, and messages not yet taken by
 * `pollEvent`. Nothing that was acknowledged is ever discarded, but on streams that nobody reads any more (`ignore`).
 */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, readU32 } from '../../core/bytes.ts';
import type { Counters } from '../../core/counters.ts';
import type { BoundedQueue } from '../../core/queue.ts';
import { DATA_HEADER_SIZE, FLAG_BEGIN, FLAG_END, FLAG_IMMEDIATE, I_DATA_HEADER_SIZE } from '../constants.ts';
import type { SctpCounter, SctpEvent } from '../events.ts';
import type { ReceiverInspection } from '../inspection.ts';
import type { ForwardTsnChunk } from '../packet/forward-tsn.ts';
import type { PacketWriter } from '../packet/packet.ts';
import { TsnLine } from '../tsn.ts';
import { InterleavedReassembly } from './interleaved.ts';
import { OrderedMap } from './ordered-map.ts';
import { kept } from './pieces.ts';
import type { DataChunk, MessageSink, Reassembler } from './reassembly.ts';
import { Reassembly } from './reassembly.ts';
import { MAX_TSN_AHEAD, TsnTracker } from './tsn-tracker.ts';
import type { Waiting } from './waiting.ts';
import { WindowSize } from './window.ts';

/**
 * From this share of the window on data counts as refused for want of a reader. Beyond the whole of it, which is what was
 * announced, only the chunk that moves the cumulative TSN is taken: it is the one that can free memory, so that a full
 * window never locks itself shut.
 */
const WATERMARK = 0.9;
/** Above this multiple of the window nothing is taken. */
const HARD_LIMIT = 2;
/**
 * What is held takes more memory than its bytes: for each chunk and each whole message, for each message begun, and for the
 * state of each stream. Measured, and rounded up. Of streams the first ones are free: what the channels of a connection need
 * by default is a cost that everybody has.
 */
const ITEM_CHARGE = 288;
const OPEN_CHARGE: { readonly data: number; readonly iData: number } = { data: 320, iData: 832 };
const STREAM_CHARGE = 192;
const FREE_STREAMS = 1024;
/** What all of it may take, as a multiple of the window: less for chunks as large as those of honest peers than their bytes. */
const MEMORY = 1.5;
/** A window this far open again, as a share of the whole, is reported unasked. */
const REOPENED = 0.5;

/** What became of a DATA chunk. The last three are for the association to answer. */
export type DataOutcome = 'ok' | 'invalid-stream' | 'no-user-data' | 'message-too-large';

/** Bounds on what the peer can make the receiving half hold. */
export interface ReceiverLimits {
  readonly receiveWindow: number;
  /** What it may grow to. */
  readonly receiveWindowMax: number;
  readonly maxMessageSize: number;
  /** Streams 0 … inboundStreams−1 exist. */
  readonly inboundStreams: number;
  /** RFC 8260 was negotiated: data comes as I-DATA. */
  readonly interleaving?: boolean;
  /** Chunks held of messages that are not whole. */
  readonly maxFragments: number;
  /** Interleaved messages begun and not whole: of all streams, and of one. */
  readonly maxOpenMessages: number;
  readonly maxOpenMessagesPerStream: number;
  /** What is set aside behind a stream reset that is still to come: bytes, and chunks. */
  readonly maxDeferredBytes: number;
  readonly maxDeferredChunks: number;
  /** Runs of TSNs above the first missing one. */
  readonly maxGaps: number;
}

interface Deferral {
  readonly lastPosition: number;
  /** `undefined`: all streams. */
  readonly streams: OrderedMap<true> | undefined;
  /** When it was asked for, by `clock`. */
  readonly since: number;
  readonly chunks: DataChunk[];
}

/** The receiving half of an association. */
export class Receiver implements MessageSink {
  readonly tracker: TsnTracker;
  readonly reassembly: Reassembler;
  /** Something has come or been taken since this was last set to false: what waits may have changed. */
  hasChanged = true;
  /** Milliseconds by a clock that stands still while nothing can arrive. Its owner winds it before each chunk. */
  clock = 0;
  /** The same, when it is interleaved messages that are put together. */
  readonly #interleaved: InterleavedReassembly | undefined;
  /** The shortest round trip of this path, milliseconds; Infinity: not known. Its owner keeps it up to date. */
  roundTrip: number = Infinity;
  readonly #limits: ReceiverLimits;
  readonly #size: WindowSize;
  readonly #events: BoundedQueue<SctpEvent>;
  readonly #counters: Counters<SctpCounter>;
  #deferral: Deferral | undefined;
  #deferredBytes = 0;
  /** Streams whose data is dropped until the peer resets them. */
  readonly #ignored = new OrderedMap<true>();
  /** Streams the peer has reset while the events that say so wait, with how many do. */
  readonly #untold = new OrderedMap<number>();
  /** Since when, by `clock`, TSNs have been missing in front of the same one; Infinity: none is. */
  #gapSince = Infinity;
  /** Messages that nobody has taken yet. */
  #unreadBytes = 0;
  #unreadMessages = 0;
  #advertised: number;

  constructor(
    initialTsn: number,
    limits: ReceiverLimits,
    events: BoundedQueue<SctpEvent>,
    counters: Counters<SctpCounter>,
  ) {
    this.tracker = new TsnTracker(new TsnLine(initialTsn));
    if (limits.interleaving === true)
      this.#interleaved = new InterleavedReassembly(this, limits.maxMessageSize);
    this.reassembly = this.#interleaved ?? new Reassembly(this, limits.maxMessageSize);
    this.#limits = limits;
    this.#events = events;
    this.#counters = counters;
    this.#size = new WindowSize(limits.receiveWindow, limits.receiveWindowMax);
    this.#advertised = limits.receiveWindow;
  }

  /** Bytes of the window in use: those of the messages, or what they cost by another measure, if that is more. */
  get usedBytes(): number {
    const free = Math.min(this.reassembly.streamCount, FREE_STREAMS) * STREAM_CHARGE;
    return Math.max(this.#messageBytes(), Math.ceil((this.heldBytes - free) / MEMORY));
  }

  /** Bytes of memory that all it holds takes. */
  get heldBytes(): number {
    const { fragmentCount, heldMessages, openMessages, streamCount } = this.reassembly;
    const items = fragmentCount + heldMessages + this.#unreadMessages + (this.#deferral?.chunks.length ?? 0);
    const open = openMessages * (this.interleaving ? OPEN_CHARGE.iData : OPEN_CHARGE.data);
    return this.#messageBytes() + items * ITEM_CHARGE + open + streamCount * STREAM_CHARGE;
  }

  #messageBytes(): number {
    return this.reassembly.heldBytes + this.#deferredBytes + this.#unreadBytes;
  }

  get window(): number {
    return Math.max(0, this.#size.bytes - this.usedBytes);
  }

  get cumulativeTsn(): number {
    return this.tracker.line.wire(this.tracker.cumulative);
  }

  /** True while a gap, an incomplete message or one out of turn waits for the peer. */
  get awaitsMore(): boolean {
    return this.tracker.hasGap || !this.reassembly.isEmpty || this.#deferral !== undefined;
  }

  /**
   * Since when, by `clock`, all streams wait: for the TSN behind which everything stands, or for what a stream reset wants
   * first. Infinity: they do not.
   */
  missingSince(): number {
    return Math.min(this.#gapSince, this.#deferral?.since ?? Infinity);
  }

  /**
   * The message that has waited longest for its next piece or its turn. Each has a time of its own: other messages that
   * arrive do not make it younger.
   */
  get longestWaiting(): Waiting | undefined {
    return this.reassembly.longestWaiting;
  }

  /** Since when, by `clock`, the one that has waited longest of all waits; Infinity: nothing does. */
  waitingSince(): number {
    return Math.min(this.missingSince(), this.longestWaiting?.since ?? Infinity);
  }

  /** True while data is refused, or about to be, as messages have not been taken. */
  get isStalled(): boolean {
    return this.#unreadBytes > 0 && this.usedBytes >= this.#size.bytes * WATERMARK;
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
    this.hasChanged = true;
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
    const streamId = readU16(packet, start + 8);
    if (streamId >= this.#limits.inboundStreams) {
      this.#accept(position);
      this.#counters.add('invalid-stream');
      return 'invalid-stream';
    }
    const chunk: DataChunk = {
      position,
      flags,
      streamId,
      sequence: interleaving ? readU32(packet, start + 12) : readU16(packet, start + 10),
      // RFC 8260 §2.1: one field, the PPID in a first fragment, the FSN in the others.
      ppid: readU32(packet, start + (interleaving ? 16 : 12)),
      fsn: interleaving && (flags & FLAG_BEGIN) === 0 ? readU32(packet, start + 16) : 0,
      payload: packet.subarray(start + headerSize, end),
    };
    const refusal = this.#refusal(chunk);
    if (refusal !== undefined) {
      this.#counters.add(refusal);
      tracker.demandSack();
      return 'ok';
    }
    this.#accept(position);
    const isWhole = this.#place(chunk, owned) && this.#performDeferred();
    const held = this.reassembly.heldBytes + this.#deferredBytes;
    if (this.#size.observe(held, this.roundTrip, this.clock)) this.#counters.add('receive-window-grown');
    return isWhole ? 'ok' : 'message-too-large';
  }

  /** RFC 3758 §3.6. */
  handleForwardTsn(forward: ForwardTsnChunk): DataOutcome {
    const tracker = this.tracker;
    const position = tracker.line.position(forward.newCumulativeTsn, tracker.cumulative);
    this.hasChanged = true;
    tracker.demandSack();
    if (position <= tracker.cumulative) return 'ok';
    if (position - tracker.cumulative > MAX_TSN_AHEAD) {
      this.#counters.add('invalid-forward-tsn');
      return 'ok';
    }
    tracker.forwardTo(position);
    this.#noteGap(true);
    // A chunk that reaches beyond a reset to come speaks of the streams as they are behind it.
    const isBehindReset = this.#deferral !== undefined && position > this.#deferral.lastPosition;
    const isWhole = !isBehindReset || this.#performDeferred();
    this.reassembly.dropThrough(position);
    for (const { streamId, unordered, sequence } of forward.streams) {
      if (streamId >= this.#limits.inboundStreams) continue;
      if (this.#hasRoomForStream(streamId)) this.reassembly.skipTo(streamId, unordered, sequence);
      else this.#counters.add('stream-states-full');
    }
    return isWhole && this.#performDeferred() ? 'ok' : 'message-too-large';
  }

  /**
   * RFC 6525 §5.2.2: the peer wants `streams` (none: all) reset once everything up to `lastTsn` has arrived. `performed`
   * is said by events, too. `denied`: no window reaches as far as `lastTsn`.
   */
  resetStreams(streams: readonly number[], lastTsn: number): 'performed' | 'in-progress' | 'denied' {
    const lastPosition = this.tracker.line.position(lastTsn, this.tracker.cumulative);
    if (lastPosition - this.tracker.cumulative > MAX_TSN_AHEAD) return 'denied';
    this.hasChanged = true;
    const ids = streams.length === 0 ? undefined : idsOf(streams);
    if (lastPosition <= this.tracker.cumulative) {
      this.#reset(ids);
      return 'performed';
    }
    this.#deferral ??= { lastPosition, streams: ids, since: this.clock, chunks: [] };
    return 'in-progress';
  }

  /**
   * Nobody reads the stream any more: what waits of it goes, and what comes is dropped, until the peer resets it. If it has
   * and the caller has not been told yet, there is nothing to ignore: what is here belongs to the stream's next use.
   */
  ignore(streamId: number): void {
    if (this.#untold.has(streamId)) return;
    this.giveUp(streamId);
  }

  /** What waits of the stream goes, and what comes is dropped, until the peer resets it. */
  giveUp(streamId: number): void {
    this.hasChanged = true;
    this.reassembly.reset([streamId]);
    this.#ignored.set(streamId, true);
  }

  /** The owner has taken the event that says that the peer reset the stream. */
  resetTold(streamId: number): void {
    const left = (this.#untold.get(streamId) ?? 1) - 1;
    if (left === 0) this.#untold.delete(streamId);
    else this.#untold.set(streamId, left);
  }

  /** `messages` of together `length` bytes have been taken. True when the window opened enough to tell the peer now. */
  release(length: number, messages = 1): boolean {
    this.hasChanged = true;
    this.#unreadBytes -= length;
    this.#unreadMessages -= messages;
    this.#size.noteTaken(length);
    const wide = this.#size.bytes * REOPENED;
    if (this.#advertised >= wide || this.window < wide) return false;
    this.tracker.demandSack();
    return true;
  }

  /** True when the peer is to be asked how long the round trip is. */
  wantsRoundTrip(): boolean {
    return this.#size.wantsRoundTrip(this.roundTrip, this.clock);
  }

  writeSack(writer: PacketWriter): void {
    this.#advertised = this.window;
    this.tracker.writeInto(writer, this.#advertised);
  }

  clear(): void {
    this.reassembly.clear();
    this.#ignored.clear();
    this.#untold.clear();
    this.#gapSince = Infinity;
    this.#deferral = undefined;
    this.#deferredBytes = 0;
    this.#unreadBytes = 0;
    this.#unreadMessages = 0;
  }

  inspect(): ReceiverInspection {
    return {
      usedBytes: this.usedBytes,
      window: this.window,
      windowSize: this.#size.bytes,
      gaps: this.tracker.above.size,
      fragments: this.reassembly.fragmentCount,
      openMessages: this.#interleaved?.openMessages ?? 0,
      deferredChunks: this.#deferral?.chunks.length ?? 0,
      streams: this.reassembly.streamCount,
      ignoredStreams: this.#ignored.size,
    };
  }

  deliver(streamId: number, ppid: number, data: Bytes, unordered: boolean): void {
    this.#unreadBytes += data.length;
    this.#unreadMessages++;
    this.#counters.add('messages-received');
    this.#events.push({ type: 'message', streamId, ppid, data, unordered });
  }

  firstFragment(streamId: number): void {
    this.#events.push({ type: 'streamdata', streamId });
  }

  outOfTurn(): void {
    this.#counters.add('message-out-of-turn');
  }

  lateFragment(): void {
    this.#counters.add('late-fragment');
  }

  /**
   * The counter of the limit that leaves no room for the chunk, which is then not acknowledged, so that it comes again. The
   * chunk that moves the cumulative TSN may go up to twice beyond a limit, for it is the one that can make room.
   */
  #refusal(chunk: DataChunk): SctpCounter | undefined {
    const limits = this.#limits;
    const movesOn = chunk.position === this.tracker.cumulative + 1;
    const share = movesOn ? HARD_LIMIT : 1;
    if (this.usedBytes >= this.#size.bytes * share) return 'receive-window-full';
    const deferral = this.#deferral;
    if (deferral !== undefined && isBehind(deferral, chunk)) {
      const bytes = this.#deferredBytes + chunk.payload.length;
      const fits = bytes <= limits.maxDeferredBytes && deferral.chunks.length < limits.maxDeferredChunks;
      return fits ? undefined : 'deferred-reset-full';
    }
    if (this.#ignored.has(chunk.streamId)) return undefined;
    const { above } = this.tracker;
    if (above.size >= limits.maxGaps && !movesOn && !above.touches(chunk.position)) return 'gaps-full';
    const isWhole = (chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END);
    if (isWhole) return undefined;
    if (this.reassembly.fragmentCount >= limits.maxFragments * share) return 'fragments-full';
    const beside = this.#interleaved?.openBeside(chunk) ?? -1;
    if (beside < 0 || this.#interleaved === undefined) return undefined;
    const isFull =
      beside >= limits.maxOpenMessagesPerStream * share ||
      this.#interleaved.openMessages >= limits.maxOpenMessages * share;
    return isFull ? 'open-messages-full' : undefined;
  }

  #accept(position: number): void {
    const { cumulative } = this.tracker;
    this.tracker.accept(position);
    this.#noteGap(this.tracker.cumulative !== cumulative);
  }

  #noteGap(hasMoved: boolean): void {
    if (!this.tracker.hasGap) this.#gapSince = Infinity;
    else if (hasMoved || this.#gapSince === Infinity) this.#gapSince = this.clock;
  }

  /** Reassembles, or sets aside what belongs behind a reset that is still to come. */
  #place(chunk: DataChunk, owned: boolean): boolean {
    const deferral = this.#deferral;
    if (deferral !== undefined && isBehind(deferral, chunk)) {
      deferral.chunks.push({ ...chunk, payload: kept(chunk.payload, owned) });
      this.#deferredBytes += chunk.payload.length;
      return true;
    }
    if (this.#ignored.has(chunk.streamId)) {
      this.#counters.add('ignored-chunk');
      return true;
    }
    return this.reassembly.add(chunk, owned);
  }

  #performDeferred(): boolean {
    const deferral = this.#deferral;
    if (deferral === undefined || deferral.lastPosition > this.tracker.cumulative) return true;
    this.#deferral = undefined;
    this.#deferredBytes = 0;
    this.#reset(deferral.streams);
    return deferral.chunks.every((chunk) => this.reassembly.add(chunk, true));
  }

  #hasRoomForStream(streamId: number): boolean {
    return this.reassembly.knows(streamId) || this.usedBytes < this.#size.bytes * HARD_LIMIT;
  }

  #reset(streams: OrderedMap<true> | undefined): void {
    const ids = streams === undefined ? this.reassembly.streamIds() : [...streams.keys()];
    this.reassembly.reset(ids);
    for (const streamId of ids) {
      this.#ignored.delete(streamId);
      this.#untold.set(streamId, (this.#untold.get(streamId) ?? 0) + 1);
      this.#events.push({ type: 'streamreset', streamId, origin: 'remote', outcome: 'performed' });
    }
  }
}

/** True if the chunk belongs behind the reset: to the stream as it will be. */
function isBehind(deferral: Deferral, chunk: DataChunk): boolean {
  return chunk.position > deferral.lastPosition && (deferral.streams?.has(chunk.streamId) ?? true);
}

function idsOf(streams: readonly number[]): OrderedMap<true> {
  const ids = new OrderedMap<true>();
  for (const id of streams) ids.set(id, true);
  return ids;
}
