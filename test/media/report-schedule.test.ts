import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import { ReportSchedule } from '../../src/media/report-schedule.ts';

const INTERVALS = { audio: 5000, video: 1000 };

describe('report schedule', () => {
  test('nothing is due while nothing flows', () => {
    const schedule = new ReportSchedule(new SeededRandom(1), INTERVALS);
    expect(schedule.due).toBe(Infinity);
    schedule.setFlow('video', 0);
    schedule.setFlow('none', 10);
    expect(schedule.due).toBe(Infinity);
    expect(schedule.take(1e9)).toBe(false);
  });

  test.each(['audio', 'video'] as const)(
    '%s: intervals are 0.5 to 1.5 of the set one, the first half that',
    (flow) => {
      const interval = INTERVALS[flow];
      fc.assert(
        fc.property(fc.nat(1000), fc.nat(1_000_000), (seed, begin) => {
          const schedule = new ReportSchedule(new SeededRandom(seed), INTERVALS);
          schedule.setFlow(flow, begin);
          expect(schedule.due - begin).toBeGreaterThanOrEqual(interval / 4);
          expect(schedule.due - begin).toBeLessThan((interval * 3) / 4);
          for (let i = 0; i < 10; i++) {
            const at = schedule.due;
            expect(schedule.take(at - 0.001)).toBe(false);
            expect(schedule.take(at)).toBe(true);
            expect(schedule.due - at).toBeGreaterThanOrEqual(interval / 2);
            expect(schedule.due - at).toBeLessThan((interval * 3) / 2);
          }
        }),
      );
    },
  );

  test('video that joins audio brings the report forward, and its end does not put it off', () => {
    const schedule = new ReportSchedule(new SeededRandom(1), INTERVALS);
    schedule.setFlow('audio', 0);
    const ofAudio = schedule.due;
    schedule.setFlow('video', 100);
    expect(schedule.due).toBeLessThanOrEqual(Math.min(ofAudio, 850));
    const ofVideo = schedule.due;
    schedule.setFlow('audio', 200);
    expect(schedule.due).toBeLessThanOrEqual(ofVideo);
  });
});
