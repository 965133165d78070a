import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Schedule } from '../../src/sim/schedule.ts';

it('takes out what was put in by time, and in the order of planning at one time', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(20), { nil: undefined })), (plan) => {
      const schedule = new Schedule<{ at: number; order: number }>();
      const expected: { at: number; order: number }[] = [];
      for (const [order, at] of plan.entries()) {
        if (at === undefined) {
          expected.sort((x, y) => x.at - y.at || x.order - y.order);
          expect(schedule.nextTime()).toBe(expected[0]?.at ?? Infinity);
          expect(schedule.pop()).toEqual(expected.shift());
        } else {
          schedule.push(at, { at, order });
          expected.push({ at, order });
        }
        expect(schedule.size).toBe(expected.length);
      }
    }),
  );
});
