import { describe, expect, test } from 'vitest';
import { Clock } from '../../src/core/clock.ts';
import { ownOptions } from '../../src/core/options.ts';

describe('options of our own', () => {
  test('are the same, and nothing that the caller changes', () => {
    const given = {
      list: ['a', { b: [1] }],
      nested: { deep: { number: 1 } },
      bytes: Uint8Array.of(1),
      none: undefined,
    };
    const own = ownOptions(given);
    expect(own).toEqual(given);
    given.list.push('c');
    given.nested.deep.number = 2;
    given.bytes[0] = 2;
    expect(own).toEqual({
      list: ['a', { b: [1] }],
      nested: { deep: { number: 1 } },
      bytes: Uint8Array.of(1),
      none: undefined,
    });
  });

  test('are frozen all the way down', () => {
    const own = ownOptions({ list: [{ value: 1 }] });
    expect(Object.isFrozen(own) && Object.isFrozen(own.list) && Object.isFrozen(own.list[0])).toBe(true);
  });

  test('have what acts as it is: functions, clocks, whatever is made by a class', () => {
    const given = { clock: new Clock(), act: () => 1, budget: { take: () => true } };
    const own = ownOptions(given);
    expect(own.clock).toBe(given.clock);
    expect(own.act).toBe(given.act);
    expect(own.budget).toBe(given.budget);
  });

  test('of a class are read from it, for no list of keys has its getters', () => {
    class Config {
      get mtu(): number {
        return 1200;
      }
    }
    const config = new Config();
    expect(ownOptions(config)).toBe(config);
  });

  test('may have no prototype', () => {
    const bare: { list?: number[] } = Object.create(null) as { list?: number[] };
    bare.list = [1];
    const own = ownOptions(bare);
    bare.list.push(2);
    expect(own.list).toEqual([1]);
  });
});
