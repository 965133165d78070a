/** examples/property-test: a bug in a user's protocol over two channels is found and shrunk, and its repair holds. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PropertyFailure } from '../../src/sim/fast-check/index.ts';
import type { PlannedFault } from '../../src/sim/index.ts';
import { freshSeed } from '../seed.ts';

interface Example {
  readonly check: (kind: unknown, parameters?: { seed?: number; examples?: unknown[] }) => void;
}

interface Kinds {
  readonly Watcher: unknown;
  readonly CarefulWatcher: unknown;
}

const folder = new URL('../../examples/property-test/', import.meta.url);
let example: Example;
let kinds: Kinds;

beforeAll(async () => {
  example = (await import(new URL('check.mjs', folder).pathname)) as Example;
  kinds = (await import(new URL('moves.mjs', folder).pathname)) as Kinds;
});

function failure(parameters: { seed?: number; examples?: unknown[] }): PropertyFailure {
  try {
    example.check(kinds.Watcher, parameters);
  } catch (error) {
    if (error instanceof PropertyFailure) return error;
    throw error;
  }
  throw new Error('nothing was found');
}

describe('examples/property-test', () => {
  const seed = freshSeed('examples/property-test');

  test('the bug is found, and shrinks to a fault or two', () => {
    const found = failure({ seed });
    const [faults] = found.counterexample as [PlannedFault[]];
    expect(found.message).toMatch(
      /^seen (walking back|standing).* \(examples: \[\[\[.*\]\]\], seed -?\d+\)$/,
    );
    expect(faults.length).toBeLessThanOrEqual(2);
    // The line brings it back at once.
    expect(failure({ seed: 0, examples: [found.counterexample] }).message).toContain('seen ');
  });

  test('the careful watcher is never wrong', () => {
    example.check(kinds.CarefulWatcher, { seed });
  });
});
