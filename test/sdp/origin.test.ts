/** The "o=" line (RFC 8866 §5.2): six fields, none of them empty. */
import { describe, expect, test } from 'vitest';
import { parseSdp } from '../../src/sdp/index.ts';
import { codeOf, valid } from './recorded.ts';

const FIELDS: readonly string[] = ['-', '1', '2', 'IN', 'IP4', '127.0.0.1'];

function described(...fields: readonly string[]): string {
  return `v=0\r\no=${fields.join(' ')}\r\ns=-\r\n`;
}

describe('origin', () => {
  test('all six fields are told', () => {
    expect(valid(parseSdp(described(...FIELDS))).origin).toEqual({
      username: '-',
      sessionId: '1',
      sessionVersion: '2',
      networkType: 'IN',
      addressType: 'IP4',
      address: '127.0.0.1',
    });
  });

  test.each([...FIELDS.keys()])('field %d may not be empty', (at) => {
    expect(codeOf(parseSdp(described(...FIELDS.with(at, ''))))).toBe('origin-invalid');
  });

  test.each([...FIELDS.keys()])('there are more than %d fields', (count) => {
    expect(codeOf(parseSdp(described(...FIELDS.slice(0, count))))).toBe('origin-invalid');
  });

  test('there are no seven', () => {
    expect(codeOf(parseSdp(described(...FIELDS, 'x')))).toBe('origin-invalid');
  });

  test.each([1, 2])('field %d is a number, of any length', (at) => {
    expect(codeOf(parseSdp(described(...FIELDS.with(at, '1x'))))).toBe('origin-invalid');
    expect(codeOf(parseSdp(described(...FIELDS.with(at, '-1'))))).toBe('origin-invalid');
    expect(valid(parseSdp(described(...FIELDS.with(at, '9'.repeat(40))))).lines).toHaveLength(1);
  });
});
