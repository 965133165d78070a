import { expect, test } from 'vitest';
import { heapGrowth } from './abandoned.ts';

test('F2e: 10,000 connections abandoned under a dead peer leave the heap flat', () => {
  expect(heapGrowth(10_000)).toBeLessThan(8_000_000);
});
