import { expect, test } from 'vitest';
import { dropAll, expireAll } from '../soak/abandoned.ts';

/** One connection holds some 100 kB while it lives. */
const COUNT = 100;
const SPARE = 3_000_000;

test('F2e: 300 connections whose peers have died each end at their gate, and leave the heap flat', () => {
  const { heap, endings } = expireAll(3, COUNT);
  expect(Math.max(...heap.after)).toBeLessThan(heap.start + SPARE);
  expect(heap.peak).toBeGreaterThan(heap.start + 2 * SPARE);
  expect(endings).toEqual({
    gates: {
      'checking: iceConnect': 75,
      'handshaking: dtlsHandshake': 75,
      'associating: iceConsent': 75,
      'sending: iceConsent': 75,
    },
    messages: 7_500,
    outcomes: 7_500,
  });
});

test('F2e: 200 connections dropped alive leave the heap flat', () => {
  const heap = dropAll(2, COUNT);
  expect(Math.max(...heap.after)).toBeLessThan(heap.start + SPARE);
  expect(heap.peak).toBeGreaterThan(heap.start + 2 * SPARE);
});
