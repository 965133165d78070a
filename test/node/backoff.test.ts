import { describe, expect, test } from 'vitest';
import { Backoff } from '../../src/node/backoff.ts';

const LIMITS = { base: 100, cap: 5000, healthyAfter: 60_000 };

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.nextDelay(0));
}

describe('F5a: tries', () => {
  test('the first at once, the limits doubling up to the cap', () => {
    const backoff = new Backoff({ ...LIMITS, random: () => 1 });
    expect(delays(backoff, 9)).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  test('anywhere below the limit (full jitter)', () => {
    const backoff = new Backoff({ ...LIMITS, random: () => 0.25 });
    expect(delays(backoff, 3)).toEqual([0, 25, 50]);
  });

  test('what held for a minute starts from the beginning, what did not goes on', () => {
    const backoff = new Backoff({ ...LIMITS, random: () => 1 });
    delays(backoff, 3);
    backoff.succeeded(1000);
    expect(backoff.nextDelay(60_999)).toBe(400);
    backoff.succeeded(61_000);
    expect(backoff.nextDelay(121_000)).toBe(0);
  });

  test('stay finite after years', () => {
    const backoff = new Backoff({ ...LIMITS, random: () => 1 });
    backoff.attempts = 5000;
    expect(backoff.nextDelay(0)).toBe(5000);
  });
});
