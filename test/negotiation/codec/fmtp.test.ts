import { describe, expect, test } from 'vitest';
import {
  formatParameter,
  numberParameter,
  withFormatParameter,
} from '../../../src/negotiation/codec/parameters.ts';

describe('parameters of a format', () => {
  test('are found by name, whatever the case and the blanks around', () => {
    expect(formatParameter('a=1; Profile-ID = 2 ;b', 'profile-id')).toBe('2');
    expect(formatParameter('a=1;b', 'b')).toBeUndefined();
    expect(formatParameter('xa=1', 'a')).toBeUndefined();
    expect(formatParameter('a=1;a=2', 'a')).toBe('1');
    expect(formatParameter('a=b=c', 'a')).toBe('b=c');
    expect(formatParameter('', 'a')).toBeUndefined();
    expect(formatParameter(undefined, 'a')).toBeUndefined();
    expect(formatParameter('__proto__=1', 'constructor')).toBeUndefined();
  });

  test('that are numbers have a value of their own where they are absent, and none where they are malformed', () => {
    expect(numberParameter('profile-id=02', 'profile-id', 0)).toBe(2);
    expect(numberParameter('max-fr=30', 'profile-id', 7)).toBe(7);
    for (const malformed of ['-1', '1.5', '0x2', '', '1234567', 'two']) {
      expect(numberParameter(`profile-id=${malformed}`, 'profile-id', 0)).toBeUndefined();
    }
  });

  test('are replaced in their place, the others verbatim', () => {
    expect(withFormatParameter('a=1; Level-ID=93;c', 'level-id', '60')).toBe('a=1; Level-ID=60;c');
    expect(withFormatParameter('a=1', 'level-id', '60')).toBe('a=1;level-id=60');
    expect(withFormatParameter(undefined, 'level-id', '60')).toBe('level-id=60');
    expect(withFormatParameter('', 'level-id', '60')).toBe('level-id=60');
  });
});
