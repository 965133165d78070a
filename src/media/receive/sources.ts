/**
 * Sources: who is heard, by SSRC, those of RTX among them; when each is due; and what is remembered of who is gone.
 *
 *     heard ─silence→ remembered: where it was bound to ─heard again→ heard
 *       └───BYE, or another one in its place→ retired: refused for a second, then nobody
 */
import type { Failure } from '../../core/errors.ts';
import { DeadlineHeap } from '../../core/deadline-heap.ts';
import type { MediaEventQueue } from './event-queue.ts';
import type { Encoding } from './received-media.ts';
import type { ReceiveStream } from './receive-stream.ts';
import type { Route, Source } from './routes.ts';

/** How long packets of a source that is over may still be under way, ms: they do not bring it back. */
const RETIREMENT = 1000;

/** What is known of a source that is not heard, or not yet. */
export interface Memory {
  /** What it was bound to; `undefined`: it is retired. */
  readonly route: Route | undefined;
  readonly refusedUntil: number;
}

/** All sources of a receiver. */
export class Sources {
  /** By SSRC; to be read. */
  readonly bySsrc: ReadonlyMap<number, Source>;
  readonly #sources = new Map<number, Source>();
  /** By SSRC, the one longest gone first. */
  readonly #memories = new Map<number, Memory>();
  readonly #deadlines = new DeadlineHeap<Source>();
  readonly #withFeedback = new Set<ReceiveStream>();
  readonly #events: MediaEventQueue;
  readonly #limit: number;

  /** @param limit how many are heard at the most, and how many are remembered */
  constructor(events: MediaEventQueue, limit: number) {
    this.bySsrc = this.#sources;
    this.#events = events;
    this.#limit = limit;
  }

  /** How many are remembered. */
  get remembered(): number {
    return this.#memories.size;
  }

  /** No other one can be added. */
  get isFull(): boolean {
    return this.#sources.size >= this.#limit;
  }

  /** Streams that have feedback to be polled; it may be scheduled meanwhile. */
  get withFeedback(): Iterable<ReceiveStream> {
    return this.#withFeedback;
  }

  /** What is remembered of a source that is not heard. */
  memoryOf(ssrc: number): Memory | undefined {
    return this.#memories.get(ssrc);
  }

  /** The stream that is heard in an encoding. */
  streamOf({ source: ssrc }: Encoding): ReceiveStream | undefined {
    const source = ssrc === undefined ? undefined : this.#sources.get(ssrc);
    return source === undefined || source.isRepair ? undefined : source;
  }

  /** A source is heard for the first time: its encoding has no other. */
  add(source: Source): void {
    const { ssrc, encoding } = source;
    this.#memories.delete(ssrc);
    encoding[source.isRepair ? 'repair' : 'source'] = ssrc;
    this.#sources.set(ssrc, source);
  }

  /** Its deadline, and whether it has feedback, may be others now. */
  schedule(source: Source): void {
    this.#deadlines.set(source, source.nextTimeout());
    if (source.isRepair) return;
    if (source.hasFeedback) this.#withFeedback.add(source);
    else this.#withFeedback.delete(source);
  }

  /** It is over, and has no place any more. */
  end(source: Source, failure: Failure): void {
    const { ssrc, encoding } = source;
    this.#sources.delete(ssrc);
    this.#deadlines.delete(source);
    encoding[source.isRepair ? 'repair' : 'source'] = undefined;
    if (source.isRepair) return;
    this.#withFeedback.delete(source);
    this.#events.pushAlways({ type: 'rtpstreamend', stream: source.handle, failure });
  }

  /** It has been silent too long; where it was bound to is remembered. */
  fallSilent(source: Source, now: number): void {
    const { ssrc, encoding, isRepair } = source;
    this.end(source, source.timedOut(now));
    this.#remember(ssrc, { route: { encoding, isRepair }, refusedUntil: -Infinity });
  }

  /** A source that is not heard yet is named by RTCP. */
  learn(ssrc: number, route: Route): void {
    if (this.#sources.has(ssrc) || this.#memories.has(ssrc)) return;
    this.#remember(ssrc, { route, refusedUntil: -Infinity });
  }

  /** It is over, and packets of it that are still under way do not bring it back. */
  retire(source: Source, failure: Failure, now: number): void {
    this.end(source, failure);
    this.#remember(source.ssrc, { route: undefined, refusedUntil: now + RETIREMENT });
  }

  /** What was bound to encodings that are no more is forgotten. */
  forget(isGone: (encoding: Encoding) => boolean): void {
    for (const [ssrc, { route }] of this.#memories) {
      if (route !== undefined && isGone(route.encoding)) this.#memories.delete(ssrc);
    }
  }

  nextTimeout(): number {
    return this.#deadlines.next();
  }

  /** Whose deadline is the earliest. */
  get earliest(): Source | undefined {
    return this.#deadlines.peek();
  }

  /** A source that is due; it has no deadline until it is scheduled or over. */
  takeDue(now: number): Source | undefined {
    return this.#deadlines.takeDue(now);
  }

  /** All waits are so much longer; no stream is called silent before `earliest`. */
  thaw(missed: number, earliest: number): void {
    for (const source of this.#sources.values()) {
      source.thaw(missed, earliest);
      this.#deadlines.set(source, source.nextTimeout());
    }
  }

  clear(): void {
    this.#sources.clear();
    this.#memories.clear();
    this.#deadlines.clear();
    this.#withFeedback.clear();
  }

  invariantViolation(): string | undefined {
    if (this.#sources.size > this.#limit) return `${this.#sources.size} sources, ${this.#limit} at the most`;
    if (this.#memories.size > this.#limit) return `${this.#memories.size} sources remembered, too many`;
    let next = Infinity;
    for (const source of this.#sources.values()) {
      next = Math.min(next, source.nextTimeout());
      const { ssrc, encoding, isRepair } = source;
      if (encoding[isRepair ? 'repair' : 'source'] !== ssrc) return `source ${ssrc} has lost its encoding`;
      if (source.isRepair) continue;
      const violation = source.invariantViolation();
      if (violation !== undefined) return violation;
      if (source.hasFeedback !== this.#withFeedback.has(source))
        return `source ${ssrc}: feedback for no poll`;
    }
    const known = this.#deadlines.next();
    return next === known ? undefined : `a source is due at ${next}, known is ${known}`;
  }

  #remember(ssrc: number, memory: Memory): void {
    this.#memories.delete(ssrc);
    this.#memories.set(ssrc, memory);
    if (this.#memories.size <= this.#limit) return;
    for (const oldest of this.#memories.keys()) {
      this.#memories.delete(oldest);
      return;
    }
  }
}
