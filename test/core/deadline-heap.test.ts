import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineHeap } from '../../src/core/deadline-heap.ts';

test('behaves like a map of deadlines whose least is known, through any changes', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ item: fc.nat(30), at: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ item: fc.nat(30), at: fc.constant(Infinity) }) },
    { weight: 2, arbitrary: fc.record({ due: fc.nat(100) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new DeadlineHeap<number>();
      const model = new Map<number, number>();
      for (const each of steps) {
        const least = Math.min(Infinity, ...model.values());
        if ('due' in each) {
          const item = heap.takeDue(each.due);
          if (item === undefined) expect(least).toBeGreaterThan(each.due);
          else expect(model.get(item)).toBe(least);
          if (item !== undefined) model.delete(item);
        } else {
          heap.set(each.item, each.at);
          if (each.at === Infinity) model.delete(each.item);
          else model.set(each.item, each.at);
        }
        expect(heap.size).toBe(model.size);
        expect(heap.next()).toBe(Math.min(Infinity, ...model.values()));
        const first = heap.peek();
        expect(first === undefined ? Infinity : model.get(first)).toBe(heap.next());
      }
    }),
  );
});

test('a deadline that is no number ends nothing in a loop', () => {
  const heap = new DeadlineHeap<string>();
  heap.set('well', 5);
  heap.set('well', NaN);
  expect(heap.next()).toBeNaN();
  expect(heap.peek()).toBe('well');
});

test('everything comes out once, earliest first', () => {
  const heap = new DeadlineHeap<string>();
  const deadlines = [5, 3, 8, 1, 9, 2, 7];
  deadlines.forEach((at) => heap.set(`at ${at}`, at));
  heap.delete('at 8');
  heap.delete('never there');
  const order: string[] = [];
  for (let item = heap.takeDue(100); item !== undefined; item = heap.takeDue(100)) order.push(item);
  expect(order).toEqual(['at 1', 'at 2', 'at 3', 'at 5', 'at 7', 'at 9']);
});
