/** The kinds of change. */
export declare const KINDS: readonly string[];

/** One change: `start` and `end` are offsets in the source, `line` counts from 1. */
export interface Place {
  readonly kind: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** All places of a file, in its order. */
export declare function placesIn(source: string): Place[];
