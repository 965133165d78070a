import { expect, test } from 'vitest';
import { dropAll, expireAll, heapInMegabytes } from './abandoned.ts';

const BATCHES = 20;
const COUNT = 500;

test('F2e: 10,000 connections whose peers have died each end at their gate, and leave the heap flat', () => {
  const { heap, endings } = expireAll(BATCHES, COUNT);
  console.log(`heap: ${heapInMegabytes(heap)}; ${JSON.stringify(endings)}`);
  for (const bytes of heap.after) expect(bytes).toBeLessThan(heap.start * 1.1);
  const quarter = (BATCHES * COUNT) / 4;
  expect(endings).toEqual({
    gates: {
      'checking: iceConnect': quarter,
      'handshaking: dtlsHandshake': quarter,
      'associating: sctpConnect': quarter,
      'sending: pathDown': quarter,
    },
    messages: quarter * 100,
    outcomes: quarter * 100,
  });
});

test('F2e: 10,000 connections dropped alive leave the heap flat', () => {
  const heap = dropAll(BATCHES, COUNT);
  console.log(`heap: ${heapInMegabytes(heap)}`);
  for (const bytes of heap.after) expect(bytes).toBeLessThan(heap.start * 1.1);
});
