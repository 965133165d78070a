import type { Place } from './places.mjs';

/** A place in a file of a room, and what its line is without and with the change. */
export interface Mutant extends Place {
  readonly room: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** Every mutant of the protocol rooms but those listed in equivalent.json. */
export declare function allMutants(): Mutant[];
/** `count` of those that are `sound` (default: all are); the same for the same seed. */
export declare function sample(
  mutants: readonly Mutant[],
  count: number,
  seed: number,
  sound?: (mutant: Mutant) => boolean,
): Mutant[];
