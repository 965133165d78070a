import { expect, test } from 'vitest';
import { dropAll, expireAll } from '../soak/abandoned.ts';
import { howMany } from '../how-many.ts';

/** One connection holds some 100 kB while it lives. */
const COUNT = howMany(40, 100);
const SPARE = 30_000 * COUNT;

test(`F2e: ${3 * COUNT} connections whose peers have died each end at their gate, and leave the heap flat`, () => {
  const quarter = (3 * COUNT) / 4;
  const { heap, endings } = expireAll(3, COUNT);
  expect(Math.max(...heap.after)).toBeLessThan(heap.start + SPARE);
  expect(heap.peak).toBeGreaterThan(heap.start + 2 * SPARE);
  expect(endings).toEqual({
    gates: {
      'checking: iceConnect': quarter,
      'handshaking: dtlsHandshake': quarter,
      'associating: sctpConnect': quarter,
      'sending: pathDown': quarter,
    },
    messages: 100 * quarter,
    outcomes: 100 * quarter,
  });
});

test(`F2e: ${2 * COUNT} connections dropped alive leave the heap flat`, () => {
  const heap = dropAll(2, COUNT);
  expect(Math.max(...heap.after)).toBeLessThan(heap.start + SPARE);
  expect(heap.peak).toBeGreaterThan(heap.start + 2 * SPARE);
});
