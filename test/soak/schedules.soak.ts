import { test } from 'vitest';
import { freshSeed } from '../seed.ts';
import { checkSchedules } from './schedules.ts';

test('F2: 10,000 random fault schedules break no invariant, and nothing hangs', () => {
  checkSchedules(10_000, freshSeed('10,000 fault schedules'), 1_200_000);
});
