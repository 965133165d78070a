/** Renumbering: places of packets, against a model that remembers all of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Renumbering } from '../../../src/media/forward/renumbering.ts';

test('what is left out closes up, what is missing keeps its place', () => {
  const numbers = new Renumbering(64);
  numbers.start(10, 70);
  expect([numbers.take(10), numbers.take(11)]).toEqual([70, 71]);
  expect(numbers.leaveOut(12)).toBe(-1);
  expect(numbers.take(14)).toBe(73);
  expect(numbers.standing(13)).toBe('missing');
  expect(numbers.take(13)).toBe(72);
  expect(numbers.lastSent).toBe(73);
  numbers.start(500, numbers.lastSent + 1);
  expect([numbers.take(500), numbers.take(501)]).toEqual([74, 75]);
});

test('each standing', () => {
  const numbers = new Renumbering(64);
  numbers.start(100, 0);
  expect(numbers.standing(99)).toBe('old');
  expect(numbers.standing(100)).toBe('new');
  numbers.take(100);
  numbers.leaveOut(101);
  numbers.take(103);
  expect([100, 101, 102, 103, 104].map((at) => numbers.standing(at))).toEqual([
    'taken',
    'leftOut',
    'missing',
    'taken',
    'new',
  ]);
  numbers.take(166);
  expect(numbers.standing(102)).toBe('old');
  expect(numbers.standing(103)).toBe('taken');
  expect(numbers.standing(104)).toBe('missing');
});

test('what was missing and is left out has a place that must be filled', () => {
  const numbers = new Renumbering(64);
  numbers.start(1, 1);
  numbers.take(1);
  numbers.take(3);
  expect(numbers.leaveOut(2)).toBe(2);
  expect(numbers.standing(2)).toBe('leftOut');
  expect(numbers.take(4)).toBe(4);
});

test('a leap over more than the memory costs the memory, and leaves its gap', () => {
  const numbers = new Renumbering(64);
  numbers.start(1, 1);
  numbers.take(1);
  expect(numbers.take(1_000_000_000)).toBe(1_000_000_000);
  expect(numbers.standing(1)).toBe('old');
  expect(numbers.standing(1_000_000_000 - 63)).toBe('missing');
});

test('no number twice, none out of turn, and no gap but what never came', () => {
  const step = fc.record({
    jump: fc.integer({ min: -80, max: 6 }),
    isLeftOut: fc.boolean(),
    isSwitch: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(2 ** 31), (steps, origin) => {
      const numbers = new Renumbering(64);
      numbers.start(origin, 5);
      let at = origin;
      const sent = new Map<number, number>();
      /** Of one source: its numbers as sent, in their order. */
      let ofSource = new Map<number, number>();
      const places: number[] = [];
      for (const { jump, isLeftOut, isSwitch } of steps) {
        if (isSwitch) {
          at += 10_000;
          ofSource = new Map();
          numbers.start(at, numbers.lastSent + 1);
        } else at = Math.max(0, at + jump);
        const standing = numbers.standing(at);
        if (standing !== 'new' && standing !== 'missing') continue;
        const place = isLeftOut ? numbers.leaveOut(at) : numbers.take(at);
        if (place < 0) continue;
        expect(sent.has(place)).toBe(false);
        sent.set(place, at);
        ofSource.set(at, place);
        places.push(place);
        for (const [other, otherPlace] of ofSource) {
          if (other < at) expect(otherPlace).toBeLessThan(place);
          if (other > at) expect(otherPlace).toBeGreaterThan(place);
          expect(Math.abs(otherPlace - place)).toBeLessThanOrEqual(Math.abs(other - at));
        }
        expect(place).toBeLessThanOrEqual(numbers.lastSent);
      }
    }),
    { numRuns: 200 },
  );
});
