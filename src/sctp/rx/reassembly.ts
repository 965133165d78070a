/**
 * Reassembly: DATA chunks become messages (RFC 9260 §6.5, §6.6, §6.9).
 *
 *   chunk B…E in one → message
 *   fragment → joins its neighbours (by TSN) into a run; a run from B to E is a message
 *   message: unordered → delivered · ordered → delivered in SSN order, held until its turn
 *
 * A run's two ends know each other and the run's size, so that a fragment finds its place in constant time whatever
 * the order of arrival. Payloads are kept as views (`owned` packets) or copies; delivery makes the one final copy.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { charge, FLAG_BEGIN, FLAG_END, FLAG_UNORDERED } from '../constants.ts';

/**
 * The payload in memory that may be kept. A view keeps its whole packet alive: one that is but a small part of it (a byte
 * in front of a kilobyte of padding) is copied, or a peer could make us hold many times what it is charged for.
 */
export function kept(payload: Uint8Array, owned: boolean): Uint8Array {
  return owned && payload.length * 2 >= payload.buffer.byteLength ? payload : copyBytes(payload);
}

/** One DATA or I-DATA chunk. `position` is its TSN on the line; `payload` may be a view of the packet it came in. */
export interface DataChunk {
  readonly position: number;
  readonly flags: number;
  readonly streamId: number;
  /** SSN, or MID of an I-DATA chunk. */
  readonly sequence: number;
  readonly ppid: number;
  /** FSN of an I-DATA chunk; 0 in others. */
  readonly fsn: number;
  readonly payload: Uint8Array;
}

interface Fragment extends DataChunk {
  /** Valid at both ends of a run: its ends, its bytes, and when it last grew. */
  first: number;
  last: number;
  bytes: number;
  grewAt: number;
}

interface Message {
  readonly ppid: number;
  readonly data: Bytes;
}

interface InboundStream {
  readonly id: number;
  /** The SSN whose turn it is, on an unwrapped line: its low 16 bits are the wire's. */
  next: number;
  /** Whole ordered messages before their turn, by unwrapped SSN; made with the first one. */
  held: Map<number, Message> | undefined;
  /** Since when the messages held have waited for the same turn. */
  heldSince: number;
  /** True once a message or a first fragment has been reported. */
  seen: boolean;
}

/** Where whole messages go. */
export interface MessageSink {
  /** The time by the clock that stands still while nothing can arrive, for `waitingSince`. */
  readonly clock: number;
  deliver(streamId: number, ppid: number, data: Bytes, unordered: boolean): void;
  /** The first chunk ever of a stream did not complete a message. */
  firstFragment(streamId: number): void;
  /** A whole ordered message came with a sequence number of the past and is dropped. */
  outOfTurn(): void;
  /** A fragment came behind the FORWARD TSN that gave its message up, and is dropped. */
  lateFragment(): void;
}

/** What makes messages of chunks: by TSN (`Reassembly`) or by MID and FSN (`InterleavedReassembly`). */
export interface Reassembler {
  /** Bytes charged for what waits here. */
  readonly heldBytes: number;
  /** True while nothing is incomplete or out of turn. */
  readonly isEmpty: boolean;
  readonly fragmentCount: number;
  readonly streamCount: number;
  /** Since when, by the sink's clock, the message that has waited longest waits for its next piece; Infinity: none does. */
  waitingSince(): number;
  /** Adds a new chunk; false when it makes a message larger than the limit. `owned`: the payload may be kept as it is. */
  add(chunk: DataChunk, owned: boolean): boolean;
  /** RFC 6525 §5.2.2: the streams begin anew; what was waiting on them will never complete. */
  reset(streamIds: readonly number[]): void;
  /** Ids of all streams with state. */
  streamIds(): number[];
  /** RFC 3758 §3.6: fragments up to `position` will not be completed. */
  dropThrough(position: number): void;
  /** Messages of the stream up to `sequence` will not come: those behind them get their turn. */
  skipTo(streamId: number, unordered: boolean, sequence: number): void;
  clear(): void;
}

export class Reassembly implements Reassembler {
  heldBytes = 0;
  readonly #fragments = new Map<number, Fragment>();
  readonly #streams = new Map<number, InboundStream>();
  readonly #sink: MessageSink;
  readonly #maxMessageSize: number;
  /** Whole messages that wait for their turn. */
  #heldMessages = 0;
  /** No fragment lies here or below. */
  #droppedThrough = -1;

  constructor(sink: MessageSink, maxMessageSize: number) {
    this.#sink = sink;
    this.#maxMessageSize = maxMessageSize;
  }

  get isEmpty(): boolean {
    return this.#fragments.size === 0 && this.#heldMessages === 0;
  }

  get fragmentCount(): number {
    return this.#fragments.size;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  waitingSince(): number {
    let since = Infinity;
    for (const fragment of this.#fragments.values()) {
      // The first of a run speaks for it.
      if (fragment.first === fragment.position) since = Math.min(since, fragment.grewAt);
    }
    if (this.#heldMessages === 0) return since;
    for (const { held, heldSince } of this.#streams.values()) {
      if (held !== undefined && held.size > 0) since = Math.min(since, heldSince);
    }
    return since;
  }

  add(chunk: DataChunk, owned: boolean): boolean {
    const stream = this.#stream(chunk.streamId);
    if ((chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END)) {
      if (chunk.payload.length > this.#maxMessageSize) return false;
      this.#complete(stream, chunk, copyBytes(chunk.payload));
      return true;
    }
    if (!stream.seen) {
      stream.seen = true;
      this.#sink.firstFragment(stream.id);
    }
    return this.#addFragment(stream, chunk, owned);
  }

  reset(streamIds: readonly number[]): void {
    for (const id of streamIds) {
      const stream = this.#streams.get(id);
      if (stream === undefined) continue;
      for (const message of stream.held?.values() ?? []) this.#drop(message);
      this.#streams.delete(id);
    }
    const gone = new Set(streamIds);
    this.#dropFragments((fragment) => gone.has(fragment.streamId));
  }

  streamIds(): number[] {
    return [...this.#streams.keys()];
  }

  dropThrough(position: number): void {
    const from = this.#droppedThrough + 1;
    this.#droppedThrough = Math.max(this.#droppedThrough, position);
    // Whichever is less: the peer sets the pace, one TSN at a time if it likes.
    if (position - from > this.#fragments.size) {
      this.#dropFragments((fragment) => fragment.position <= position);
    } else {
      for (let at = from; at <= position; at++) this.#dropFragment(this.#fragments.get(at));
    }
  }

  skipTo(streamId: number, _unordered: boolean, sequence: number): void {
    const stream = this.#stream(streamId);
    const skipped = unwrap(sequence, stream.next);
    if (skipped < stream.next) return;
    // Messages held out of turn up to the skipped one are whole: they are still delivered, in order.
    for (const turn of turnsUpTo(stream.held, stream.next, skipped)) this.#release(stream, turn);
    stream.next = skipped + 1;
    this.#releaseInTurn(stream);
  }

  clear(): void {
    this.#fragments.clear();
    this.#streams.clear();
    this.heldBytes = 0;
    this.#heldMessages = 0;
  }

  #stream(id: number): InboundStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { id, next: 0, held: undefined, heldSince: 0, seen: false };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #addFragment(stream: InboundStream, chunk: DataChunk, owned: boolean): boolean {
    const { position, flags } = chunk;
    const fragment: Fragment = {
      position,
      flags,
      streamId: chunk.streamId,
      sequence: chunk.sequence,
      fsn: 0,
      ppid: chunk.ppid,
      payload: kept(chunk.payload, owned),
      first: position,
      last: position,
      bytes: chunk.payload.length,
      grewAt: this.#sink.clock,
    };
    this.#fragments.set(position, fragment);
    this.heldBytes += charge(chunk.payload.length);
    const before = (flags & FLAG_BEGIN) === 0 ? this.#fragments.get(position - 1) : undefined;
    if (before !== undefined && continues(before, fragment)) this.#join(before, fragment);
    const after = (flags & FLAG_END) === 0 ? this.#fragments.get(position + 1) : undefined;
    if (after !== undefined && continues(fragment, after)) this.#join(fragment, after);
    const run = this.#fragments.get(fragment.first) ?? fragment;
    if (run.bytes > this.#maxMessageSize) return false;
    const end = this.#fragments.get(run.last) ?? fragment;
    if ((run.flags & FLAG_BEGIN) !== 0 && (end.flags & FLAG_END) !== 0) {
      this.#complete(stream, run, this.#assemble(run));
    }
    return true;
  }

  /** Joins the run that ends at `left` with the one that starts at `right`; `left` and `right` may be inner ends. */
  #join(left: Fragment, right: Fragment): void {
    const first = this.#fragments.get(left.first) ?? left;
    const last = this.#fragments.get(right.last) ?? right;
    const bytes = first.bytes + last.bytes;
    const from = first.position;
    const to = last.position;
    const grewAt = this.#sink.clock;
    // The joint may be the fragment just added: it must lead to the run's ends for the second joining.
    for (const fragment of [first, last, left, right]) {
      fragment.first = from;
      fragment.last = to;
      fragment.bytes = bytes;
      fragment.grewAt = grewAt;
    }
  }

  #assemble(run: Fragment): Bytes {
    const data = new Uint8Array(run.bytes);
    let at = 0;
    for (let position = run.first; position <= run.last; position++) {
      const fragment = this.#fragments.get(position);
      if (fragment === undefined) continue;
      data.set(fragment.payload, at);
      at += fragment.payload.length;
      this.heldBytes -= charge(fragment.payload.length);
      this.#fragments.delete(position);
    }
    return data;
  }

  #complete(stream: InboundStream, chunk: DataChunk, data: Bytes): void {
    stream.seen = true;
    if ((chunk.flags & FLAG_UNORDERED) !== 0) {
      this.#sink.deliver(stream.id, chunk.ppid, data, true);
      return;
    }
    const turn = unwrap(chunk.sequence, stream.next);
    if (turn < stream.next) {
      // An SSN of the past on a new TSN: the peer counts wrongly. Delivering it would break the stream's order.
      this.#sink.outOfTurn();
      return;
    }
    if (turn === stream.next) {
      stream.next++;
      this.#sink.deliver(stream.id, chunk.ppid, data, false);
      this.#releaseInTurn(stream);
      return;
    }
    stream.held ??= new Map();
    if (stream.held.size === 0) stream.heldSince = this.#sink.clock;
    const twin = stream.held.get(turn);
    if (twin !== undefined) this.#drop(twin);
    stream.held.set(turn, { ppid: chunk.ppid, data });
    this.#heldMessages++;
    this.heldBytes += charge(data.length);
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
    this.#drop(message);
    this.#sink.deliver(stream.id, message.ppid, message.data, false);
  }

  /** The message is held no longer. */
  #drop(message: Message): void {
    this.#heldMessages--;
    this.heldBytes -= charge(message.data.length);
  }

  #dropFragments(gone: (fragment: Fragment) => boolean): void {
    for (const fragment of this.#fragments.values()) if (gone(fragment)) this.#dropFragment(fragment);
  }

  #dropFragment(fragment: Fragment | undefined): void {
    if (fragment === undefined) return;
    this.#fragments.delete(fragment.position);
    this.heldBytes -= charge(fragment.payload.length);
  }
}

/** The turns from `next` to `last` at which a message is held, ascending. Costs the lesser of the two. */
export function turnsUpTo(
  held: ReadonlyMap<number, unknown> | undefined,
  next: number,
  last: number,
): readonly number[] {
  if (held === undefined || held.size === 0) return NO_TURNS;
  const turns: number[] = [];
  if (last - next < held.size) {
    for (let turn = next; turn <= last; turn++) if (held.has(turn)) turns.push(turn);
    return turns;
  }
  for (const turn of held.keys()) if (turn <= last) turns.push(turn);
  return turns.sort((a, b) => a - b);
}

const NO_TURNS: readonly number[] = [];

/** True if `next` goes on where `fragment` stops, in the same message. */
function continues(fragment: DataChunk, next: DataChunk): boolean {
  return (
    (fragment.flags & FLAG_END) === 0 &&
    (next.flags & FLAG_BEGIN) === 0 &&
    fragment.streamId === next.streamId &&
    fragment.sequence === next.sequence &&
    ((fragment.flags ^ next.flags) & FLAG_UNORDERED) === 0
  );
}

/** The number nearest to `near` whose low 16 bits are `ssn`. */
function unwrap(ssn: number, near: number): number {
  return near + (((ssn - near) << 16) >> 16);
}
