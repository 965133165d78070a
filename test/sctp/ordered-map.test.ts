/** Numbers that a peer chooses, in order, at the same cost whatever they are. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { OrderedMap } from '../../src/sctp/rx/ordered-map.ts';

describe('OrderedMap', () => {
  test('is a map whose numbers are in order, over any history', () => {
    const step = fc.tuple(
      fc.constantFrom('set', 'set', 'delete', 'shift'),
      fc.integer({ min: -50, max: 400 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const map = new OrderedMap<string>();
        const model = new Map<number, string>();
        const smallest = (): number => Math.min(Infinity, ...model.keys());
        steps.forEach(([kind, key], i) => {
          if (kind === 'set') {
            map.set(key, String(i));
            model.set(key, String(i));
          } else {
            const gone = kind === 'shift' ? smallest() : key;
            expect(kind === 'shift' ? map.shift() : map.delete(key)).toBe(model.get(gone));
            model.delete(gone);
          }
          expect([map.size, map.first]).toEqual([model.size, smallest()]);
        });
        const sorted = [...model.keys()].sort((a, b) => a - b);
        expect([...map.keys()]).toEqual(sorted);
        expect([...map.values()]).toEqual(sorted.map((key) => model.get(key)));
        expect(map.last).toBe(sorted.at(-1) ?? -Infinity);
        for (let key = -51; key < 402; key += 7) {
          const below = sorted.filter((known) => known <= key).at(-1);
          expect([map.get(key), map.has(key)]).toEqual([model.get(key), model.has(key)]);
          expect(map.floor(key)).toBe(below === undefined ? undefined : model.get(below));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('each number of many is found, is its own floor, and is given back when it goes, first of its leaf or not', () => {
    const orders = [
      Array.from({ length: 1000 }, (_, i) => i),
      Array.from({ length: 1000 }, (_, i) => 999 - i),
      Array.from({ length: 1000 }, (_, i) => (i * 387) % 1000),
    ];
    for (const order of orders) {
      const map = new OrderedMap<number>();
      for (const key of order) map.set(2 * key, key);
      for (let key = 0; key < 1000; key++) {
        expect([map.get(2 * key), map.floor(2 * key), map.floor(2 * key + 1), map.has(2 * key)]).toEqual([
          key,
          key,
          key,
          true,
        ]);
        expect([map.get(2 * key + 1), map.has(2 * key + 1)]).toEqual([undefined, false]);
      }
      for (const key of order) map.set(2 * key, key + 1);
      expect(map.size).toBe(1000);
      for (const key of order) expect(map.delete(2 * key)).toBe(key + 1);
      expect([map.size, map.first, map.last]).toEqual([0, Infinity, -Infinity]);
    }
  });

  it('A10: few entries keep few leaves, wherever the others were', () => {
    const map = new OrderedMap<number>();
    for (let key = 0; key < 20_000; key++) map.set(key, key);
    for (let key = 0; key < 20_000; key++) if (key % 64 !== 0) map.delete(key);
    expect(map.size).toBe(313);
    expect([...map.keys()]).toEqual(Array.from({ length: 313 }, (_, i) => 64 * i));
    map.clear();
    expect([map.size, map.first, map.last, map.get(0), map.shift()]).toEqual([
      0,
      Infinity,
      -Infinity,
      undefined,
      undefined,
    ]);
  });
});
