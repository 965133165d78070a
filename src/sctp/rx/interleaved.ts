/**
 * Reassembly of I-DATA chunks (RFC 8260 §2.2): a fragment says itself which message of its stream it belongs to (MID) and
 * which part of it it is (FSN), so that the fragments of many messages may come mixed.
 *
 *   fragment → its message, by (stream, U, MID) → all from 0 to the one with E: whole
 *   message: unordered → delivered · ordered → delivered in MID order, held until its turn
 *
 * What follows on the message's beginning is copied to where the message will be; what is beyond a gap is kept as a view (`owned`
 * packets) or a copy until the gap has closed.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { FLAG_BEGIN, FLAG_END, FLAG_UNORDERED } from '../constants.ts';
import type { Link } from './chain.ts';
import { OrderedMap } from './ordered-map.ts';
import type { Expectation } from './pieces.ts';
import { kept, Pieces, Reserve, takeExpected } from './pieces.ts';
import type { DataChunk, MessageSink, Reassembler } from './reassembly.ts';
import { MAX_TSN_AHEAD } from './tsn-tracker.ts';
import type { Waiting } from './waiting.ts';
import { WaitingList } from './waiting.ts';

interface PartialMessage {
  /** The fragments up to the first that is missing, whose FSN is `next`; those beyond it, by FSN, in a map made with the first one. */
  readonly pieces: Pieces;
  next: number;
  beyond: OrderedMap<Uint8Array> | undefined;
  /** Its place among what waits: since its last fragment came. */
  readonly waiting: Link<Waiting>;
  bytes: number;
  /** From the first fragment; 0 before it has come. */
  ppid: number;
  /** The FSN of the last fragment, Infinity before it has come. */
  last: number;
}

interface WholeMessage {
  readonly ppid: number;
  readonly data: Bytes;
}

/** Message identifiers are on an unwrapped line: their low 32 bits are the wire's. */
interface InboundStream extends Expectation {
  readonly id: number;
  /** The MID whose turn it is. */
  next: number;
  /** Ordered messages by MID: begun, and whole but before their turn. Each map is made with its first one. */
  begun: OrderedMap<PartialMessage> | undefined;
  held: OrderedMap<WholeMessage> | undefined;
  /** Its place among what waits, while something is held: since the turn moved last. */
  waiting: Link<Waiting> | undefined;
  /** Unordered messages that have been begun, by MID, and the largest MID of one so far. */
  unordered: OrderedMap<PartialMessage> | undefined;
  lastUnordered: number;
  /** The last unordered MID, of the wire, that was skipped: fragments of it, or of one before, may still be on their way. */
  skipped: number | undefined;
  /** True once a message or a first fragment has been reported. */
  seen: boolean;
}

/** Puts together messages that come as I-DATA, each stream by itself. */
export class InterleavedReassembly implements Reassembler {
  heldBytes = 0;
  readonly #streams = new OrderedMap<InboundStream>();
  readonly #waiting = new WaitingList();
  readonly #reserve = new Reserve();
  readonly #sink: MessageSink;
  readonly #maxMessageSize: number;
  /** Messages begun and not whole. */
  openMessages = 0;
  #fragments = 0;
  heldMessages = 0;

  constructor(sink: MessageSink, maxMessageSize: number) {
    this.#sink = sink;
    this.#maxMessageSize = maxMessageSize;
  }

  get isEmpty(): boolean {
    return this.#fragments === 0 && this.heldMessages === 0;
  }

  get fragmentCount(): number {
    return this.#fragments;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  knows(streamId: number): boolean {
    return this.#streams.has(streamId);
  }

  get longestWaiting(): Waiting | undefined {
    return this.#waiting.longest;
  }

  /** Messages begun on the stream and not whole, if the chunk would begin another one; -1 if not. */
  openBeside(chunk: DataChunk): number {
    if ((chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END)) return -1;
    const stream = this.#streams.get(chunk.streamId);
    if (stream === undefined) return 0;
    const isUnordered = (chunk.flags & FLAG_UNORDERED) !== 0;
    const isKnown = isUnordered
      ? stream.unordered?.has(unwrap(chunk.sequence, stream.lastUnordered))
      : stream.begun?.has(unwrap(chunk.sequence, stream.next));
    return isKnown === true ? -1 : (stream.begun?.size ?? 0) + (stream.unordered?.size ?? 0);
  }

  add(chunk: DataChunk, owned: boolean): boolean {
    const stream = this.#stream(chunk.streamId);
    const isUnordered = (chunk.flags & FLAG_UNORDERED) !== 0;
    const key = unwrap(chunk.sequence, isUnordered ? stream.lastUnordered : stream.next);
    if (!isUnordered && (key < stream.next || stream.held?.has(key) === true)) {
      // A MID of the past on a new TSN: the peer counts wrongly.
      this.#sink.outOfTurn();
      return true;
    }
    if (isUnordered && isSkipped(stream, chunk.sequence)) {
      this.#sink.lateFragment();
      return true;
    }
    if ((chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END)) {
      if (chunk.payload.length > this.#maxMessageSize) return false;
      this.#complete(stream, isUnordered, key, chunk.ppid, copyBytes(chunk.payload));
      return true;
    }
    if (!stream.seen) {
      stream.seen = true;
      this.#sink.firstFragment(stream.id);
    }
    return this.#addFragment(stream, isUnordered, key, chunk, owned);
  }

  reset(streamIds: Iterable<number>): void {
    for (const id of streamIds) {
      const stream = this.#streams.delete(id);
      if (stream === undefined) continue;
      for (const message of stream.begun?.values() ?? []) this.#dropPartial(message);
      for (const message of stream.unordered?.values() ?? []) this.#dropPartial(message);
      for (const message of stream.held?.values() ?? []) this.#dropWhole(message);
      if (stream.waiting !== undefined) this.#waiting.remove(stream.waiting);
    }
  }

  streamIds(): number[] {
    return [...this.#streams.keys()];
  }

  /** I-FORWARD-TSN names every message it skips: nothing follows from TSNs alone. */
  dropThrough(): void {
    return;
  }

  /** RFC 8260 §2.3.1: messages up to `sequence` will not be completed; those behind them get their turn. */
  skipTo(streamId: number, unordered: boolean, sequence: number): void {
    const stream = this.#stream(streamId);
    if (!unordered) {
      this.#skipOrdered(stream, sequence);
      return;
    }
    this.#dropBegun(stream.unordered, unwrap(sequence, stream.lastUnordered));
    if (stream.skipped === undefined || ((sequence - stream.skipped) | 0) > 0) stream.skipped = sequence;
  }

  clear(): void {
    this.#streams.clear();
    this.#waiting.clear();
    this.#reserve.bytes = 0;
    this.heldBytes = 0;
    this.#fragments = 0;
    this.openMessages = 0;
    this.heldMessages = 0;
  }

  #stream(id: number): InboundStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = {
        id,
        next: 0,
        begun: undefined,
        held: undefined,
        waiting: undefined,
        unordered: undefined,
        lastUnordered: 0,
        lastLength: 0,
        skipped: undefined,
        seen: false,
      };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #addFragment(
    stream: InboundStream,
    isUnordered: boolean,
    key: number,
    chunk: DataChunk,
    owned: boolean,
  ): boolean {
    const messages = isUnordered
      ? (stream.unordered ??= new OrderedMap<PartialMessage>())
      : (stream.begun ??= new OrderedMap<PartialMessage>());
    const message = messages.get(key) ?? this.#begin(stream, messages, isUnordered, key);
    const fsn = (chunk.flags & FLAG_BEGIN) !== 0 ? 0 : chunk.fsn;
    const isLast = (chunk.flags & FLAG_END) !== 0;
    if (!fits(message, fsn, isLast)) {
      this.#sink.outOfTurn();
      return true;
    }
    if (fsn === 0) message.ppid = chunk.ppid;
    if (isLast) message.last = fsn;
    if (fsn === message.next) {
      message.pieces.append(chunk.payload, fsn === 0 ? takeExpected(stream) : 0);
      message.next++;
      if (message.beyond !== undefined) closeGap(message, message.beyond);
    } else {
      message.beyond ??= new OrderedMap();
      message.beyond.set(fsn, kept(chunk.payload, owned));
    }
    this.#waiting.renew(message.waiting, this.#sink.clock);
    message.bytes += chunk.payload.length;
    this.heldBytes += chunk.payload.length;
    this.#fragments++;
    if (message.bytes > this.#maxMessageSize) return false;
    if (message.next === message.last + 1) {
      messages.delete(key);
      stream.lastLength = message.bytes;
      const data = message.pieces.take();
      this.#dropPartial(message);
      this.#complete(stream, isUnordered, key, message.ppid, data);
    }
    return true;
  }

  #begin(
    stream: InboundStream,
    messages: OrderedMap<PartialMessage>,
    isUnordered: boolean,
    key: number,
  ): PartialMessage {
    const message: PartialMessage = {
      pieces: new Pieces(this.#reserve),
      next: 0,
      beyond: undefined,
      waiting: this.#waiting.add(stream.id, this.#sink.clock),
      bytes: 0,
      ppid: 0,
      last: Infinity,
    };
    messages.set(key, message);
    if (isUnordered) stream.lastUnordered = Math.max(stream.lastUnordered, key);
    this.openMessages++;
    return message;
  }

  #complete(stream: InboundStream, isUnordered: boolean, key: number, ppid: number, data: Bytes): void {
    stream.seen = true;
    if (isUnordered) {
      this.#sink.deliver(stream.id, ppid, data, true);
    } else if (key === stream.next) {
      stream.next++;
      this.#sink.deliver(stream.id, ppid, data, false);
      this.#releaseInTurn(stream);
    } else {
      stream.held ??= new OrderedMap();
      stream.waiting ??= this.#waiting.add(stream.id, this.#sink.clock);
      stream.held.set(key, { ppid, data });
      this.heldMessages++;
      this.heldBytes += data.length;
    }
  }

  #skipOrdered(stream: InboundStream, sequence: number): void {
    const skipped = unwrap(sequence, stream.next);
    if (skipped < stream.next) return;
    this.#dropBegun(stream.begun, skipped);
    // What is held up to the skipped one is whole: it is still delivered, in order.
    while (stream.held !== undefined && stream.held.first <= skipped) this.#deliverHeld(stream, stream.held);
    stream.next = skipped + 1;
    this.#releaseInTurn(stream);
  }

  /** Messages begun that will not be whole, up to `last`. */
  #dropBegun(messages: OrderedMap<PartialMessage> | undefined, last: number): void {
    while (messages !== undefined && messages.first <= last) {
      const message = messages.shift();
      if (message !== undefined) this.#dropPartial(message);
    }
  }

  #releaseInTurn(stream: InboundStream): void {
    const { held } = stream;
    if (held === undefined) return;
    while (held.first === stream.next) {
      this.#deliverHeld(stream, held);
      stream.next++;
    }
    if (stream.waiting === undefined) return;
    // The turn has moved: what is still held waits for another one.
    if (held.size > 0) {
      this.#waiting.renew(stream.waiting, this.#sink.clock);
    } else {
      this.#waiting.remove(stream.waiting);
      stream.waiting = undefined;
    }
  }

  /** The first of the messages held is delivered. */
  #deliverHeld(stream: InboundStream, held: OrderedMap<WholeMessage>): void {
    const message = held.shift();
    if (message === undefined) return;
    this.#dropWhole(message);
    this.#sink.deliver(stream.id, message.ppid, message.data, false);
  }

  #dropPartial(message: PartialMessage): void {
    this.heldBytes -= message.bytes;
    this.#fragments -= message.next + (message.beyond?.size ?? 0);
    message.pieces.clear();
    this.openMessages--;
    this.#waiting.remove(message.waiting);
  }

  #dropWhole(message: WholeMessage): void {
    this.heldMessages--;
    this.heldBytes -= message.data.length;
  }
}

/**
 * A fragment that was on its way when its message was skipped. A sender begins a stream's messages one after the other, so
 * those up to the skipped one have no other fragments beyond the new cumulative TSN. Serial numbers come round: once the
 * stream is further than any TSN in flight can lag behind, nothing has been skipped.
 */
function isSkipped(stream: InboundStream, mid: number): boolean {
  if (stream.skipped === undefined) return false;
  const ahead = (mid - stream.skipped) | 0;
  if (ahead > MAX_TSN_AHEAD) stream.skipped = undefined;
  return ahead <= 0;
}

/** Whether a fragment can be one of the message: not one that it has, nor beyond its last one, nor a last one before others. */
function fits({ next, beyond, last }: PartialMessage, fsn: number, isLast: boolean): boolean {
  if (fsn < next || fsn > last || beyond?.has(fsn) === true) return false;
  return !isLast || fsn > (beyond?.last ?? -1);
}

/** What was beyond the gap goes on where the message stops. */
function closeGap(message: PartialMessage, beyond: OrderedMap<Uint8Array>): void {
  while (beyond.first === message.next) {
    const fragment = beyond.shift();
    if (fragment === undefined) return;
    message.pieces.append(fragment, 0);
    message.next++;
  }
}

/** The number nearest to `near` whose low 32 bits are `mid`. */
function unwrap(mid: number, near: number): number {
  return near + ((mid - near) | 0);
}
