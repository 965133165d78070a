/**
 * Reassembly of I-DATA chunks (RFC 8260 §2.2): a fragment says itself which message of its stream it belongs to (MID) and
 * which part of it it is (FSN), so that the fragments of many messages may come mixed.
 *
 *   fragment → its message, by (stream, U, MID) → all from 0 to the one with E: whole
 *   message: unordered → delivered · ordered → delivered in MID order, held until its turn
 *
 * Payloads are kept as views (`owned` packets) or copies; delivery makes the one final copy.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { charge, FLAG_BEGIN, FLAG_END, FLAG_UNORDERED } from '../constants.ts';
import type { DataChunk, MessageSink, Reassembler } from './reassembly.ts';
import { kept, turnsUpTo } from './reassembly.ts';
import { MAX_TSN_AHEAD } from './tsn-tracker.ts';

interface PartialMessage {
  readonly fragments: Map<number, Uint8Array>;
  /** When the last fragment came. */
  grewAt: number;
  bytes: number;
  charged: number;
  /** From the first fragment; 0 before it has come. */
  ppid: number;
  /** The FSN of the last fragment, Infinity before it has come. */
  last: number;
}

interface WholeMessage {
  readonly ppid: number;
  readonly data: Bytes;
}

interface InboundStream {
  readonly id: number;
  /** The MID whose turn it is, on an unwrapped line: its low 32 bits are the wire's. */
  next: number;
  /** Ordered messages by unwrapped MID: begun, and whole but before their turn. Each map is made with its first one. */
  begun: Map<number, PartialMessage> | undefined;
  held: Map<number, WholeMessage> | undefined;
  /** Unordered messages that have been begun, by MID. */
  unordered: Map<number, PartialMessage> | undefined;
  /** The last unordered MID that was skipped: fragments of it, or of one before, may still be on their way. */
  skipped: number | undefined;
  /** Since when the messages held have waited for the same turn. */
  heldSince: number;
  /** True once a message or a first fragment has been reported. */
  seen: boolean;
}

export class InterleavedReassembly implements Reassembler {
  heldBytes = 0;
  readonly #streams = new Map<number, InboundStream>();
  readonly #sink: MessageSink;
  readonly #maxMessageSize: number;
  /** Messages begun and not whole. */
  openMessages = 0;
  #fragments = 0;
  #heldMessages = 0;

  constructor(sink: MessageSink, maxMessageSize: number) {
    this.#sink = sink;
    this.#maxMessageSize = maxMessageSize;
  }

  get isEmpty(): boolean {
    return this.#fragments === 0 && this.#heldMessages === 0;
  }

  get fragmentCount(): number {
    return this.#fragments;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  waitingSince(): number {
    let since = Infinity;
    if (this.isEmpty) return since;
    for (const { begun, unordered, held, heldSince } of this.#streams.values()) {
      for (const { grewAt } of begun?.values() ?? []) since = Math.min(since, grewAt);
      for (const { grewAt } of unordered?.values() ?? []) since = Math.min(since, grewAt);
      if (held !== undefined && held.size > 0) since = Math.min(since, heldSince);
    }
    return since;
  }

  /** Messages begun on the stream and not whole, if the chunk would begin another one; -1 if not. */
  openBeside(chunk: DataChunk): number {
    if ((chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END)) return -1;
    const stream = this.#streams.get(chunk.streamId);
    if (stream === undefined) return 0;
    const isUnordered = (chunk.flags & FLAG_UNORDERED) !== 0;
    const isKnown = isUnordered
      ? stream.unordered?.has(chunk.sequence)
      : stream.begun?.has(unwrap(chunk.sequence, stream.next));
    return isKnown === true ? -1 : (stream.begun?.size ?? 0) + (stream.unordered?.size ?? 0);
  }

  add(chunk: DataChunk, owned: boolean): boolean {
    const stream = this.#stream(chunk.streamId);
    const isUnordered = (chunk.flags & FLAG_UNORDERED) !== 0;
    const key = isUnordered ? chunk.sequence : unwrap(chunk.sequence, stream.next);
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

  reset(streamIds: readonly number[]): void {
    for (const id of streamIds) {
      const stream = this.#streams.get(id);
      if (stream === undefined) continue;
      for (const message of stream.begun?.values() ?? []) this.#dropPartial(message);
      for (const message of stream.unordered?.values() ?? []) this.#dropPartial(message);
      for (const message of stream.held?.values() ?? []) this.#dropWhole(message);
      this.#streams.delete(id);
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
    for (const [mid, message] of stream.unordered ?? []) {
      if (((mid - sequence) | 0) > 0) continue;
      stream.unordered?.delete(mid);
      this.#dropPartial(message);
    }
    if (stream.skipped === undefined || ((sequence - stream.skipped) | 0) > 0) stream.skipped = sequence;
  }

  clear(): void {
    this.#streams.clear();
    this.heldBytes = 0;
    this.#fragments = 0;
    this.openMessages = 0;
    this.#heldMessages = 0;
  }

  #stream(id: number): InboundStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = {
        id,
        next: 0,
        begun: undefined,
        held: undefined,
        unordered: undefined,
        skipped: undefined,
        heldSince: 0,
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
      ? (stream.unordered ??= new Map<number, PartialMessage>())
      : (stream.begun ??= new Map<number, PartialMessage>());
    let message = messages.get(key);
    if (message === undefined) {
      message = { fragments: new Map(), grewAt: 0, bytes: 0, charged: 0, ppid: 0, last: Infinity };
      messages.set(key, message);
      this.openMessages++;
    }
    const fsn = (chunk.flags & FLAG_BEGIN) !== 0 ? 0 : chunk.fsn;
    if (message.fragments.has(fsn) || fsn > message.last) {
      this.#sink.outOfTurn();
      return true;
    }
    if (fsn === 0) message.ppid = chunk.ppid;
    if ((chunk.flags & FLAG_END) !== 0) message.last = fsn;
    message.fragments.set(fsn, kept(chunk.payload, owned));
    message.grewAt = this.#sink.clock;
    message.bytes += chunk.payload.length;
    message.charged += charge(chunk.payload.length);
    this.heldBytes += charge(chunk.payload.length);
    this.#fragments++;
    if (message.bytes > this.#maxMessageSize) return false;
    if (message.fragments.size === message.last + 1) {
      messages.delete(key);
      this.#dropPartial(message);
      this.#complete(stream, isUnordered, key, message.ppid, assemble(message));
    }
    return true;
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
      stream.held ??= new Map();
      if (stream.held.size === 0) stream.heldSince = this.#sink.clock;
      stream.held.set(key, { ppid, data });
      this.#heldMessages++;
      this.heldBytes += charge(data.length);
    }
  }

  #skipOrdered(stream: InboundStream, sequence: number): void {
    const skipped = unwrap(sequence, stream.next);
    if (skipped < stream.next) return;
    for (const turn of turnsUpTo(stream.begun, stream.next, skipped)) {
      const message = stream.begun?.get(turn);
      stream.begun?.delete(turn);
      if (message !== undefined) this.#dropPartial(message);
    }
    // What is held up to the skipped one is whole: it is still delivered, in order.
    for (const turn of turnsUpTo(stream.held, stream.next, skipped)) this.#release(stream, turn);
    stream.next = skipped + 1;
    this.#releaseInTurn(stream);
  }

  #releaseInTurn(stream: InboundStream): void {
    // The turn has moved: what is still held waits for another one.
    stream.heldSince = this.#sink.clock;
    while (stream.held?.has(stream.next) === true) {
      this.#release(stream, stream.next);
      stream.next++;
    }
  }

  #release(stream: InboundStream, turn: number): void {
    const message = stream.held?.get(turn);
    if (message === undefined) return;
    stream.held?.delete(turn);
    this.#dropWhole(message);
    this.#sink.deliver(stream.id, message.ppid, message.data, false);
  }

  #dropPartial(message: PartialMessage): void {
    this.heldBytes -= message.charged;
    this.#fragments -= message.fragments.size;
    this.openMessages--;
  }

  #dropWhole(message: WholeMessage): void {
    this.#heldMessages--;
    this.heldBytes -= charge(message.data.length);
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

function assemble(message: PartialMessage): Bytes {
  const data = new Uint8Array(message.bytes);
  let at = 0;
  for (let fsn = 0; fsn <= message.last; fsn++) {
    const fragment = message.fragments.get(fsn);
    if (fragment === undefined) continue;
    data.set(fragment, at);
    at += fragment.length;
  }
  return data;
}

/** The number nearest to `near` whose low 32 bits are `mid`. */
function unwrap(mid: number, near: number): number {
  return near + ((mid - near) | 0);
}
