/**
 * Reassembly: DATA chunks become messages (RFC 9260 §6.5, §6.6, §6.9).
 *
 *   chunk B…E in one → message
 *   fragment → joins its neighbours (by TSN) into a run; a run from B to E is a message
 *   message: unordered → delivered · ordered → delivered in SSN order, held until its turn
 *
 * Runs lie in the order of their TSNs, and each stream knows its own: a fragment finds its place, a FORWARD TSN what it
 * drops and a reset what it ends, all without a look at anything else. Payloads are copied to where their message will be.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { FLAG_BEGIN, FLAG_END, FLAG_UNORDERED } from '../constants.ts';
import type { Link } from './chain.ts';
import { Chain } from './chain.ts';
import { OrderedMap } from './ordered-map.ts';
import type { Expectation } from './pieces.ts';
import { Pieces, Reserve, takeExpected } from './pieces.ts';
import type { Waiting } from './waiting.ts';
import { WaitingList } from './waiting.ts';

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

/** Neighbouring fragments of one message. */
interface Run {
  readonly stream: InboundStream;
  readonly sequence: number;
  readonly unordered: boolean;
  /** Of its first fragment. */
  ppid: number;
  /** Positions of both ends. */
  first: number;
  last: number;
  /** It has the message's first fragment, and its last one. */
  begins: boolean;
  ends: boolean;
  readonly pieces: Pieces;
  fragments: number;
  /** Its places among those of its stream, and among what waits. */
  ofStream: Link<Run> | undefined;
  waiting: Link<Waiting> | undefined;
}

interface Message {
  readonly ppid: number;
  readonly data: Bytes;
}

interface InboundStream extends Expectation {
  readonly id: number;
  /** The SSN whose turn it is, on an unwrapped line: its low 16 bits are the wire's. */
  next: number;
  /** Whole ordered messages before their turn, by unwrapped SSN; made with the first one. */
  held: OrderedMap<Message> | undefined;
  /** Its place among what waits, while something is held: since the turn moved last. */
  waiting: Link<Waiting> | undefined;
  /** What has come of messages that are not whole. */
  readonly runs: Chain<Run>;
  /** True once a message or a first fragment has been reported. */
  seen: boolean;
}

/** Where whole messages go. */
export interface MessageSink {
  /** The time by the clock that stands still while nothing can arrive, for `longestWaiting`. */
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
  /** Bytes of what waits here. */
  readonly heldBytes: number;
  /** True while nothing is incomplete or out of turn. */
  readonly isEmpty: boolean;
  readonly fragmentCount: number;
  /** Messages that have been begun and are not whole; of DATA, the runs of neighbouring fragments. */
  readonly openMessages: number;
  /** Whole messages that wait for their turn. */
  readonly heldMessages: number;
  readonly streamCount: number;
  /** The message that has waited longest for its next piece or its turn: its stream, and since when by the sink's clock. */
  readonly longestWaiting: Waiting | undefined;
  /** Adds a new chunk; false when it makes a message larger than the limit. `owned`: the payload may be kept as it is. */
  add(chunk: DataChunk, owned: boolean): boolean;
  /** RFC 6525 §5.2.2: the streams begin anew; what was waiting on them will never complete. */
  reset(streamIds: Iterable<number>): void;
  /** True for a stream with state. */
  knows(streamId: number): boolean;
  /** Ids of all streams with state. */
  streamIds(): number[];
  /** RFC 3758 §3.6: fragments up to `position` will not be completed. */
  dropThrough(position: number): void;
  /** Messages of the stream up to `sequence` will not come: those behind them get their turn. */
  skipTo(streamId: number, unordered: boolean, sequence: number): void;
  clear(): void;
}

/** Puts together messages that come as DATA. */
export class Reassembly implements Reassembler {
  heldBytes = 0;
  fragmentCount = 0;
  /** By the position of their first fragment. */
  readonly #runs = new OrderedMap<Run>();
  readonly #streams = new OrderedMap<InboundStream>();
  readonly #waiting = new WaitingList();
  readonly #reserve = new Reserve();
  readonly #sink: MessageSink;
  readonly #maxMessageSize: number;
  heldMessages = 0;

  constructor(sink: MessageSink, maxMessageSize: number) {
    this.#sink = sink;
    this.#maxMessageSize = maxMessageSize;
  }

  get isEmpty(): boolean {
    return this.fragmentCount === 0 && this.heldMessages === 0;
  }

  get openMessages(): number {
    return this.#runs.size;
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

  add(chunk: DataChunk): boolean {
    const stream = this.#stream(chunk.streamId);
    if ((chunk.flags & (FLAG_BEGIN | FLAG_END)) === (FLAG_BEGIN | FLAG_END)) {
      if (chunk.payload.length > this.#maxMessageSize) return false;
      const isUnordered = (chunk.flags & FLAG_UNORDERED) !== 0;
      this.#complete(stream, isUnordered, chunk.sequence, chunk.ppid, copyBytes(chunk.payload));
      return true;
    }
    if (!stream.seen) {
      stream.seen = true;
      this.#sink.firstFragment(stream.id);
    }
    return this.#addFragment(stream, chunk);
  }

  reset(streamIds: Iterable<number>): void {
    for (const id of streamIds) {
      const stream = this.#streams.delete(id);
      if (stream === undefined) continue;
      for (let run = stream.runs.first; run !== undefined; run = stream.runs.first) this.#dropRun(run.item);
      for (const message of stream.held?.values() ?? []) this.#dropMessage(message);
      if (stream.waiting !== undefined) this.#waiting.remove(stream.waiting);
    }
  }

  streamIds(): number[] {
    return [...this.#streams.keys()];
  }

  dropThrough(position: number): void {
    while (this.#runs.first <= position) {
      const run = this.#runs.shift();
      if (run === undefined) return;
      if (run.last <= position) {
        this.#release(run);
      } else {
        // The message is given up, but not the TSNs of its rest: it goes with those that are still to come.
        this.#cut(run, position);
      }
    }
  }

  skipTo(streamId: number, _unordered: boolean, sequence: number): void {
    const stream = this.#stream(streamId);
    const skipped = unwrap(sequence, stream.next);
    if (skipped < stream.next) return;
    // Messages held out of turn up to the skipped one are whole: they are still delivered, in order.
    while (stream.held !== undefined && stream.held.first <= skipped) this.#deliverHeld(stream, stream.held);
    stream.next = skipped + 1;
    this.#releaseInTurn(stream);
  }

  clear(): void {
    this.#runs.clear();
    this.#streams.clear();
    this.#waiting.clear();
    this.#reserve.bytes = 0;
    this.heldBytes = 0;
    this.fragmentCount = 0;
    this.heldMessages = 0;
  }

  #stream(id: number): InboundStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = {
        id,
        next: 0,
        held: undefined,
        waiting: undefined,
        runs: new Chain(),
        lastLength: 0,
        seen: false,
      };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #addFragment(stream: InboundStream, chunk: DataChunk): boolean {
    const { position } = chunk;
    const run = this.#join(stream, chunk);
    this.fragmentCount++;
    this.heldBytes += chunk.payload.length;
    const after = run.ends ? undefined : this.#runs.get(run.last + 1);
    if (after !== undefined && run.last === position && continues(run, after)) this.#melt(run, after);
    if (run.pieces.bytes > this.#maxMessageSize) return false;
    if (run.begins && run.ends) {
      this.#runs.delete(run.first);
      this.#leave(run);
      this.fragmentCount -= run.fragments;
      this.heldBytes -= run.pieces.bytes;
      stream.lastLength = run.pieces.bytes;
      this.#complete(stream, run.unordered, run.sequence, run.ppid, run.pieces.take());
    }
    return true;
  }

  /** The run that the fragment is part of now: the one that ended in front of it, or a new one. */
  #join(stream: InboundStream, chunk: DataChunk): Run {
    const { position, flags, payload } = chunk;
    const isUnordered = (flags & FLAG_UNORDERED) !== 0;
    const before = (flags & FLAG_BEGIN) === 0 ? this.#runs.floor(position) : undefined;
    const goesOn =
      before?.last === position - 1 &&
      !before.ends &&
      before.stream === stream &&
      before.sequence === chunk.sequence &&
      before.unordered === isUnordered;
    if (goesOn) {
      before.pieces.append(payload, 0);
      before.last = position;
      before.ends = (flags & FLAG_END) !== 0;
      before.fragments++;
      this.#waiting.renew(before.waiting, this.#sink.clock);
      return before;
    }
    const pieces = new Pieces(this.#reserve);
    pieces.append(payload, (flags & FLAG_BEGIN) === 0 ? 0 : takeExpected(stream));
    const run: Run = {
      stream,
      sequence: chunk.sequence,
      unordered: isUnordered,
      ppid: chunk.ppid,
      first: position,
      last: position,
      begins: (flags & FLAG_BEGIN) !== 0,
      ends: (flags & FLAG_END) !== 0,
      pieces,
      fragments: 1,
      ofStream: undefined,
      waiting: undefined,
    };
    run.ofStream = stream.runs.append(run);
    run.waiting = this.#waiting.add(stream.id, this.#sink.clock);
    this.#runs.set(position, run);
    return run;
  }

  /** `after`, which goes on where `run` stops, becomes part of it. */
  #melt(run: Run, after: Run): void {
    this.#runs.delete(after.first);
    run.pieces.join(after.pieces);
    run.last = after.last;
    run.ends = after.ends;
    run.fragments += after.fragments;
    this.#leave(after);
    this.#waiting.renew(run.waiting, this.#sink.clock);
  }

  #complete(stream: InboundStream, isUnordered: boolean, sequence: number, ppid: number, data: Bytes): void {
    stream.seen = true;
    if (isUnordered) {
      this.#sink.deliver(stream.id, ppid, data, true);
      return;
    }
    const turn = unwrap(sequence, stream.next);
    if (turn < stream.next) {
      // An SSN of the past on a new TSN: the peer counts wrongly. Delivering it would break the stream's order.
      this.#sink.outOfTurn();
      return;
    }
    if (turn === stream.next) {
      stream.next++;
      this.#sink.deliver(stream.id, ppid, data, false);
      this.#releaseInTurn(stream);
      return;
    }
    stream.held ??= new OrderedMap();
    stream.waiting ??= this.#waiting.add(stream.id, this.#sink.clock);
    const twin = stream.held.get(turn);
    if (twin !== undefined) this.#dropMessage(twin);
    stream.held.set(turn, { ppid, data });
    this.heldMessages++;
    this.heldBytes += data.length;
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
  #deliverHeld(stream: InboundStream, held: OrderedMap<Message>): void {
    const message = held.shift();
    if (message === undefined) return;
    this.#dropMessage(message);
    this.#sink.deliver(stream.id, message.ppid, message.data, false);
  }

  /** The message is held no longer. */
  #dropMessage(message: Message): void {
    this.heldMessages--;
    this.heldBytes -= message.data.length;
  }

  #dropRun(run: Run): void {
    this.#runs.delete(run.first);
    this.#release(run);
  }

  /** The run is held no longer. */
  #release(run: Run): void {
    this.#dropBytes(run);
    this.fragmentCount -= run.fragments;
    this.#leave(run);
  }

  #dropBytes({ pieces }: Run): void {
    this.heldBytes -= pieces.bytes;
    pieces.clear();
  }

  #leave(run: Run): void {
    if (run.ofStream !== undefined) run.stream.runs.remove(run.ofStream);
    if (run.waiting !== undefined) this.#waiting.remove(run.waiting);
    run.ofStream = undefined;
    run.waiting = undefined;
  }

  /** The run goes on behind `position`. Nobody will read its bytes: they all go. */
  #cut(run: Run, position: number): void {
    const gone = position + 1 - run.first;
    this.#dropBytes(run);
    this.fragmentCount -= gone;
    run.fragments -= gone;
    run.first = position + 1;
    run.begins = false;
    this.#runs.set(run.first, run);
  }
}

/** True if `next` goes on where `run` stops, in the same message. */
function continues(run: Run, next: Run): boolean {
  return (
    !next.begins &&
    run.stream === next.stream &&
    run.sequence === next.sequence &&
    run.unordered === next.unordered
  );
}

/** The number nearest to `near` whose low 16 bits are `ssn`. */
function unwrap(ssn: number, near: number): number {
  return near + (((ssn - near) << 16) >> 16);
}
