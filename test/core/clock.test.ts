import { describe, expect, it } from 'vitest';
import { Clock, FREEZE } from '../../src/core/clock.ts';

/** Something that is due at `due` and writes down what it is told. */
function sleeper(due: number): { nextTimeout(): number; thaw(missed: number): void; missed: number[] } {
  const missed: number[] = [];
  return { nextTimeout: () => due, thaw: (ms) => missed.push(ms), missed };
}

describe('Clock', () => {
  it('keeps the latest time, and counts earlier ones', () => {
    const clock = new Clock();
    clock.advance(10, sleeper(Infinity));
    clock.advance(4, sleeper(Infinity));
    expect(clock).toMatchObject({ now: 10, wentBackwards: 1 });
  });

  it('is stale before the first time and after a drain, and fresh from an input on', () => {
    const clock = new Clock();
    expect(clock.isStale).toBe(true);
    clock.advance(0, sleeper(Infinity));
    expect(clock.isStale).toBe(false);
    clock.endDrain();
    expect(clock.isStale).toBe(true);
  });

  it('tells what was missed of a deadline, from the deadline on', () => {
    const clock = new Clock();
    clock.advance(0, sleeper(Infinity));
    const late = sleeper(1000);
    clock.advance(1000 + FREEZE, late);
    expect(late.missed).toEqual([FREEZE]);
    expect(clock.freezes).toBe(1);
  });

  it('takes a deadline missed by less, and a long sleep with nothing due, for no freeze', () => {
    const clock = new Clock();
    clock.advance(0, sleeper(Infinity));
    const late = sleeper(1000);
    clock.advance(1000 + FREEZE - 1, late);
    clock.advance(1e6, sleeper(Infinity));
    clock.advance(2e6, sleeper(2e6));
    expect(late.missed).toEqual([]);
    expect(clock.freezes).toBe(0);
  });

  it('counts a deadline that lay in the past already from the last time seen', () => {
    const clock = new Clock();
    clock.advance(10_000, sleeper(Infinity));
    const late = sleeper(0);
    clock.advance(15_000, late);
    expect(late.missed).toEqual([5000]);
  });

  it('takes the first time told for no freeze, whatever was armed before', () => {
    const clock = new Clock();
    const early = sleeper(0);
    clock.advance(1e9, early);
    expect(early.missed).toEqual([]);
  });

  it('forgives once, until the peer is heard again', () => {
    const clock = new Clock();
    clock.advance(0, sleeper(Infinity));
    const late = sleeper(0);
    clock.advance(10_000, late);
    clock.advance(20_000, late);
    expect(late.missed).toEqual([10_000]);
    clock.hear();
    clock.advance(30_000, late);
    expect(late.missed).toEqual([10_000, 10_000]);
  });

  it('is moved by its owner alone when it is shared', () => {
    const shared = new Clock(true);
    shared.observe(5, sleeper(Infinity));
    expect(shared.now).toBe(-Infinity);
    shared.advance(5, sleeper(Infinity));
    shared.callWithoutTime();
    expect(shared).toMatchObject({ now: 5, isStale: false });

    const own = new Clock();
    own.observe(5, sleeper(Infinity));
    own.callWithoutTime();
    expect(own).toMatchObject({ now: 5, isStale: true });
  });
});
