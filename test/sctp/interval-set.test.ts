import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IntervalSet } from '../../src/sctp/tsn.ts';

function intervals(set: IntervalSet): [number, number][] {
  return Array.from({ length: set.size }, (_, i) => [set.first(i), set.last(i)]);
}

const step = fc.oneof(
  fc.record({ op: fc.constant('add' as const), first: fc.nat(60), length: fc.nat(8) }),
  fc.record({ op: fc.constant('remove' as const), first: fc.nat(60), length: fc.constant(0) }),
);

describe('IntervalSet', () => {
  test('is a set of integers in sorted, disjoint, non-adjacent intervals', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const set = new IntervalSet();
        const model = new Set<number>();
        for (const { op, first, length } of steps) {
          if (op === 'add') {
            set.add(first, first + length);
            for (let value = first; value <= first + length; value++) model.add(value);
          } else {
            set.removeThrough(first);
            for (const value of model) if (value <= first) model.delete(value);
          }
          const bounds = intervals(set);
          bounds.forEach(([low, high], i) => {
            expect(low).toBeLessThanOrEqual(high);
            if (i > 0) expect(low).toBeGreaterThan((bounds[i - 1]?.[1] ?? 0) + 1);
          });
          for (let value = 0; value < 72; value++) {
            expect(set.has(value)).toBe(model.has(value));
            let missing = value;
            while (model.has(missing)) missing++;
            expect(set.nextMissing(value)).toBe(missing);
          }
          expect(set.highest).toBe(model.size === 0 ? -Infinity : Math.max(...model));
        }
      }),
      { numRuns: 60 },
    );
  });
});
