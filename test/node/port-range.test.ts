/** Ports of a range: every one is tried, and what is no question of the port ends it at once. */
import { expect, test } from 'vitest';
import { RtcError } from '../../src/core/errors.ts';
import { bindWithin } from '../../src/node/port-range.ts';

function failure(code: string): RtcError {
  const error = new RtcError('ERR_SOCKET', code);
  error.cause = Object.assign(new Error(code), { code });
  return error;
}

test('each port once, from a random one on, until one is free', async () => {
  const tried: number[] = [];
  const bound = bindWithin({ min: 40_000, max: 40_009 }, async (port) => {
    tried.push(port);
    if (tried.length < 10) throw failure(tried.length === 1 ? 'EACCES' : 'EADDRINUSE');
    return Promise.resolve(port);
  });
  expect(await bound).toBe(tried[9]);
  expect(tried.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 40_000 + i));
});

test('none is free: an error that says so', async () => {
  const bound = bindWithin({ min: 5, max: 6 }, () => Promise.reject(failure('EADDRINUSE')));
  await expect(bound).rejects.toMatchObject({
    code: 'ERR_SOCKET',
    message: expect.stringContaining('from 5 to 6') as string,
  });
});

test('another failure is no reason to try the next', async () => {
  let tried = 0;
  const bound = bindWithin({ min: 5, max: 9 }, () => {
    tried++;
    return Promise.reject(failure('EADDRNOTAVAIL'));
  });
  await expect(bound).rejects.toMatchObject({ message: 'EADDRNOTAVAIL' });
  expect(tried).toBe(1);
});
