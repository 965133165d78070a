import { expect, test } from 'vitest';
import { heapGrowth } from '../soak/abandoned.ts';

test('F2e: 1,000 connections abandoned under a dead peer leave the heap flat', () => {
  // One such connection holds some 100 kB while it lives.
  expect(heapGrowth(1000)).toBeLessThan(4_000_000);
});
