/** Timeline: timestamps over switches. */
import { expect, test } from 'vitest';
import { Timeline } from '../../../src/media/forward/timeline.ts';

const RATE = 90_000;

test('the first source keeps its own timestamps', () => {
  const line = new Timeline(500);
  line.start(123_456, 0, RATE, undefined, undefined);
  expect([line.sent(123_456, 0), line.sent(126_456, 33), line.sent(125_000, 34)]).toEqual([
    123_456, 126_456, 125_000,
  ]);
  expect(line.latestSent).toBe(126_456);
});

test('by arrival: as much later as it came later', () => {
  const line = new Timeline(500);
  line.start(1000, 0, RATE, undefined, undefined);
  line.sent(4000, 33);
  line.start(7_000_000, 133, RATE, undefined, undefined);
  expect(line.sent(7_000_000, 133)).toBe(4000 + 9000);
  expect(line.sent(7_003_000, 170)).toBe(4000 + 9000 + 3000);
});

test('by sender reports, where both have told: to the tick, whatever arrival says', () => {
  const line = new Timeline(500);
  line.start(90_000, 0, RATE, undefined, undefined);
  // 1 s after its report; the other one's frame is of 40 ms later, and came 70 ms later.
  const before = { ntpTime: 1_000_000, time: 0 };
  const report = { ntpTime: 1_000_500, time: 8_000_000 };
  const time = 8_000_000 + 540 * 90;
  line.start(time, 70, RATE, before, report);
  expect(line.sent(time, 70)).toBe(90_000 + 40 * 90);
});

test('one report alone is of no use, nor are clocks that have nothing to do with each other', () => {
  const report = { ntpTime: 9_000_000, time: 0 };
  for (const before of [undefined, { ntpTime: 5_000_000, time: 0 }]) {
    const line = new Timeline(500);
    line.start(0, 0, RATE, undefined, undefined);
    line.start(500, 20, RATE, before, report);
    expect(line.sent(500, 20)).toBe(1800);
  }
});

test('never back: a frame captured before the last one, or come at the same moment, is one tick later', () => {
  const line = new Timeline(500);
  line.start(9000, 0, RATE, undefined, undefined);
  line.start(100, 0, RATE, undefined, undefined);
  expect(line.sent(100, 0)).toBe(9001);
  line.start(9000, 10, RATE, { ntpTime: 1000, time: 100 }, { ntpTime: 990, time: 9000 });
  expect(line.sent(9000, 10)).toBe(9002);
});

test('what one switch added is not added to the next: by reports the line comes back to the clock', () => {
  const line = new Timeline(500);
  const a = { ntpTime: 0, time: 0 };
  const b = { ntpTime: 0, time: 500_000 };
  line.start(0, 0, RATE, undefined, a);
  let sent = 0;
  // Frames of 33 ms in turn from each; b comes up to 30 ms later than a.
  for (let frame = 1; frame <= 100; frame++) {
    const isA = frame % 2 === 0;
    const time = frame * 2970 + (isA ? 0 : 500_000);
    line.start(time, frame * 33 + (isA ? 0 : 30), RATE, isA ? b : a, isA ? a : b);
    sent = line.sent(time, frame * 33);
  }
  expect(sent).toBe(100 * 2970);
});

test('a clock of another rate counts on in its own units', () => {
  const line = new Timeline(500);
  line.start(0, 0, 48_000, undefined, undefined);
  line.start(77, 20, 8000, undefined, undefined);
  expect(line.sent(77, 20)).toBe(160);
});

test('a pause of days is no leap back', () => {
  const line = new Timeline(500);
  line.start(0, 0, RATE, undefined, undefined);
  line.start(1, 7 * 86_400_000, RATE, undefined, undefined);
  expect(line.sent(1, 7 * 86_400_000)).toBe(2 ** 30);
});

test('a source whose own time runs back does not take the line with it at the next switch', () => {
  const line = new Timeline(500);
  line.start(1_000_000, 0, RATE, undefined, undefined);
  expect(line.sent(500, 33)).toBe(500);
  line.start(42, 66, RATE, undefined, undefined);
  expect(line.sent(42, 66)).toBe(1_000_000 + 66 * 90);
});
