import { test } from 'vitest';
import { howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { checkSchedules } from './schedules.ts';

const COUNT = howMany(100, 300);

test(`F2: ${COUNT} random fault schedules break no invariant, and nothing hangs`, () => {
  checkSchedules(COUNT, freshSeed(`${COUNT} fault schedules`), 500_000);
});
