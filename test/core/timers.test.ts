import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TimerTable } from '../../src/core/timers.ts';

const NAMES = ['rto', 'probe', 'idle'] as const;
type Name = (typeof NAMES)[number];

describe('TimerTable', () => {
  test('a new table waits for nothing', () => {
    const timers = new TimerTable<Name>(NAMES);
    expect(timers.next()).toBe(Infinity);
    expect(timers.nextName()).toBeUndefined();
    expect(timers.takeDue(Number.MAX_VALUE)).toBeUndefined();
    expect(timers.armed()).toEqual({});
  });

  test('arming replaces, arming the earliest only moves forward', () => {
    const timers = new TimerTable<Name>(NAMES);
    timers.arm('rto', 10);
    timers.arm('rto', 20);
    expect(timers.deadline('rto')).toBe(20);
    timers.armEarliest('rto', 30);
    expect(timers.deadline('rto')).toBe(20);
    timers.armEarliest('rto', 15);
    expect(timers.deadline('rto')).toBe(15);
    timers.armEarliest('idle', 99);
    expect(timers.deadline('idle')).toBe(99);
  });

  test('of equal deadlines the first of the table is named and taken first', () => {
    const timers = new TimerTable<Name>(NAMES);
    timers.arm('idle', 5);
    timers.arm('probe', 5);
    expect(timers.nextName()).toBe('probe');
    expect(timers.takeDue(5)).toBe('probe');
    expect(timers.takeDue(5)).toBe('idle');
  });

  test('due means at the time or before', () => {
    const timers = new TimerTable<Name>(NAMES);
    timers.arm('rto', 10);
    expect(timers.takeDue(9.999)).toBeUndefined();
    expect(timers.takeDue(10)).toBe('rto');
    expect(timers.isArmed('rto')).toBe(false);
  });

  test('armed for Infinity is not armed', () => {
    const timers = new TimerTable<Name>(NAMES);
    timers.arm('rto', Infinity);
    expect(timers.isArmed('rto')).toBe(false);
    expect(timers.takeDue(Infinity)).toBeUndefined();
  });

  test('everything can be disarmed at once', () => {
    const timers = new TimerTable<Name>(NAMES);
    timers.arm('rto', 1);
    timers.arm('idle', 2);
    expect(timers.armed()).toEqual({ rto: 1, idle: 2 });
    timers.disarmAll();
    expect(timers.next()).toBe(Infinity);
  });

  test('taking what is due comes out in the order of the deadlines and leaves the future armed', () => {
    const arming = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.option(fc.nat(100))), { maxLength: 20 });
    fc.assert(
      fc.property(arming, fc.nat(100), (armings, now) => {
        const timers = new TimerTable<Name>(NAMES);
        const model = new Map<Name, number>();
        for (const [name, at] of armings) {
          if (at === null) timers.disarm(name);
          else timers.arm(name, at);
          if (at === null) model.delete(name);
          else model.set(name, at);
        }
        expect(timers.next()).toBe(Math.min(Infinity, ...model.values()));
        let last = -Infinity;
        for (let name = timers.takeDue(now); name !== undefined; name = timers.takeDue(now)) {
          const at = model.get(name) ?? expect.unreachable();
          expect(at).toBeGreaterThanOrEqual(last);
          expect(at).toBeLessThanOrEqual(now);
          last = at;
          model.delete(name);
        }
        expect(timers.next()).toBeGreaterThan(now);
        expect(timers.armed()).toEqual(Object.fromEntries(model));
      }),
    );
  });
});
