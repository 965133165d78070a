import { test } from 'vitest';
import { freshSeed } from '../seed.ts';
import { checkSchedules } from './schedules.ts';

test('F2: 300 random fault schedules break no invariant, and nothing hangs', { timeout: 120_000 }, () => {
  checkSchedules(300, freshSeed('300 fault schedules'), 90_000);
});
