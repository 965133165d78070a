import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedQueue } from '../../src/core/queue.ts';

test('behaves like an array with a bound, through any pushes and shifts', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.nat() },
    { weight: 2, arbitrary: fc.constant('shift' as const) },
  );
  fc.assert(
    fc.property(fc.nat(40), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
      const queue = new BoundedQueue<number>(capacity);
      const model: number[] = [];
      for (const each of steps) {
        if (each === 'shift') {
          expect(queue.shift()).toBe(model.shift());
        } else {
          expect(queue.push(each)).toBe(model.length < capacity);
          if (model.length < capacity) model.push(each);
        }
        expect(queue.size).toBe(model.length);
        expect(queue.peek()).toBe(model[0]);
      }
    }),
  );
});

test('a full queue refuses and has not changed', () => {
  const queue = new BoundedQueue<string>(1);
  expect(queue.push('first')).toBe(true);
  expect(queue.push('second')).toBe(false);
  expect(queue.shift()).toBe('first');
  expect(queue.shift()).toBeUndefined();
});

test('cleared, it is empty and works on', () => {
  const queue = new BoundedQueue<number>(Infinity);
  for (let i = 0; i < 100; i++) queue.push(i);
  queue.clear();
  expect(queue.size).toBe(0);
  expect(queue.peek()).toBeUndefined();
  queue.push(7);
  expect(queue.shift()).toBe(7);
});
