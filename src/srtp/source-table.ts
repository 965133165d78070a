/**
 * Source table: what is kept of each source of one direction, within a bound. Of a source that has made room for another one, or
 * has ended, the highest index stays for long: no index may be used twice under one key, and none taken twice.
 */
import { ReplayWindow } from './replay-window.ts';

/** Sources of before whose highest index is remembered, for one of which everything is kept. */
export const REMEMBERED = 64;

/** What is kept of a source. */
export interface Source {
  readonly ssrc: number;
  readonly window: ReplayWindow;
  /** When it was used last, in packets of the table. */
  usedAt: number;
}

/** The sources of one direction by their SSRCs. */
export class SourceTable<S extends Source> {
  readonly #sources = new Map<number, S>();
  /** Highest indices of former sources, the one that has been so for longest first. */
  readonly #former = new Map<number, number>();
  readonly #capacity: number;
  readonly #windowLength: number;
  readonly #make: (ssrc: number, window: ReplayWindow) => S;
  #last: S | undefined;
  #uses = 0;

  constructor(capacity: number, windowLength: number, make: (ssrc: number, window: ReplayWindow) => S) {
    this.#capacity = capacity;
    this.#windowLength = windowLength;
    this.#make = make;
  }

  get size(): number {
    return this.#sources.size;
  }

  /** True while no former source must be forgotten for another one. */
  get canRemember(): boolean {
    return this.#former.size < REMEMBERED * this.#capacity;
  }

  /** `undefined`: nothing is kept of it. */
  get(ssrc: number): S | undefined {
    const last = this.#last;
    const found = last?.ssrc === ssrc ? last : this.#sources.get(ssrc);
    if (found === undefined) return undefined;
    return (this.#last = found);
  }

  /** A packet of `source` was sent, or was authentic: others make room before it. */
  use(source: S): void {
    source.usedAt = ++this.#uses;
  }

  /** The highest index of a source, former ones included; -1: it is not known. */
  highestOf(ssrc: number): number {
    return this.#sources.get(ssrc)?.window.highest ?? this.#former.get(ssrc) ?? -1;
  }

  /** Begins to keep a source that `get` does not know. @returns whether another one has made room */
  add(ssrc: number): { readonly source: S; readonly hasEvicted: boolean } {
    const hasEvicted = this.#sources.size >= this.#capacity;
    if (hasEvicted) this.#evict();
    const source = this.#make(ssrc, new ReplayWindow(this.#windowLength, this.#former.get(ssrc)));
    this.#former.delete(ssrc);
    this.#sources.set(ssrc, source);
    this.use(source);
    this.#last = source;
    return { source, hasEvicted };
  }

  /** A source has ended: of what was kept its highest index stays. */
  forget(ssrc: number): void {
    const source = this.#sources.get(ssrc);
    if (source === undefined) return;
    if (this.#last === source) this.#last = undefined;
    this.#sources.delete(ssrc);
    this.#former.set(ssrc, source.window.highest);
    if (this.#former.size <= REMEMBERED * this.#capacity) return;
    const [oldest] = this.#former.keys();
    if (oldest !== undefined) this.#former.delete(oldest);
  }

  #evict(): void {
    let longest: S | undefined;
    for (const source of this.#sources.values()) {
      if (longest === undefined || source.usedAt < longest.usedAt) longest = source;
    }
    if (longest !== undefined) this.forget(longest.ssrc);
  }
}
