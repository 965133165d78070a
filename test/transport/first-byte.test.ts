/** The first byte of a datagram, all 256 of them (RFC 7983 §7). */
import { expect, test } from 'vitest';
import { datagramKind } from '../../src/transport/first-byte.ts';

test.each([
  ['stun', [[0, 3]]],
  ['dtls', [[20, 63]]],
  ['rtp', [[128, 191]]],
  [
    'unknown',
    [
      [4, 19],
      [64, 127],
      [192, 255],
    ],
  ],
])('%s: %j', (kind, ranges) => {
  const expected = ranges.flatMap(([from = 0, to = 0]) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
  const bytes = Array.from({ length: 256 }, (_, first) => first);
  expect(bytes.filter((first) => datagramKind(Uint8Array.of(first, 0)) === kind)).toEqual(expected);
});

test('a datagram without a byte is of none', () => {
  expect(datagramKind(new Uint8Array(0))).toBe('unknown');
});
