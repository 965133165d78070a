import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/core/counters.ts';
import { rowIn, rowsOf } from '../../src/core/timers.ts';

describe('rows', () => {
  it('are the places of the names, made once for a list', () => {
    const names = ['a', 'b', 'c'] as const;
    const rows = rowsOf(names);
    expect(names.map((name) => rowIn(rows, name))).toEqual([0, 1, 2]);
    expect(rowsOf(names)).toBe(rows);
    expect(rowIn<string>(rows, 'd')).toBe(-1);
  });

  it('keep tables of one list apart', () => {
    const names = ['first', 'second'] as const;
    const [one, other] = [new Counters(names), new Counters(names)];
    one.add('second', 2 ** 40);
    one.add('second');
    expect(one.snapshot()).toEqual({ first: 0, second: 2 ** 40 + 1 });
    expect(other.get('second')).toBe(0);
  });
});
