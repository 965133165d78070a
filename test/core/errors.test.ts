import { describe, expect, test } from 'vitest';
import { Counters } from '../../src/core/counters.ts';
import { decodeFailure, isFailure } from '../../src/core/decode.ts';
import { RtcError, badArgument } from '../../src/core/errors.ts';

describe('RtcError', () => {
  test('is an Error with a stable code', () => {
    const error = new RtcError('ERR_LIMIT', 'too many');
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(RtcError);
    expect(error).toMatchObject({ name: 'RtcError', code: 'ERR_LIMIT', message: 'too many' });
    expect(error.stack).toContain('errors.test');
  });

  test('nothing else is one', () => {
    for (const other of [new Error('x'), { code: 'ERR_LIMIT' }, null, undefined, 'RtcError']) {
      expect(other instanceof RtcError).toBe(false);
    }
  });

  test('a subclass asks for its own instances', () => {
    class Refusal extends RtcError {}
    expect(new Refusal('ERR_SDP', 'x')).toBeInstanceOf(Refusal);
    expect(new Refusal('ERR_SDP', 'x')).toBeInstanceOf(RtcError);
    expect(new RtcError('ERR_SDP', 'x')).not.toBeInstanceOf(Refusal);
  });

  test('two copies of the package recognise each other’s errors', async () => {
    const specifier = '../../src/core/errors.ts?copy';
    const copy = (await import(/* @vite-ignore */ specifier)) as typeof import('../../src/core/errors.ts');
    expect(copy.RtcError).not.toBe(RtcError);
    expect(new copy.RtcError('ERR_LIMIT', 'x')).toBeInstanceOf(RtcError);
    expect(new RtcError('ERR_LIMIT', 'x')).toBeInstanceOf(copy.RtcError);
  });

  test.each([
    [7, 'got 7'],
    [undefined, 'got undefined'],
    [null, 'got null'],
    ['text', 'got "text"'],
    ['x'.repeat(100), `got "${'x'.repeat(40)}…"`],
    [{ password: 'secret' }, 'got [object Object]'],
    [new Uint8Array(3), 'got [object Uint8Array]'],
  ])('a bad argument says what was expected and what came: %j', (got, ending) => {
    const error = badArgument('mtu', 'an integer', got);
    expect(error.code).toBe('ERR_BAD_ARGUMENT');
    expect(error.message).toBe(`"mtu" expected an integer, ${ending}`);
  });
});

describe('DecodeFailure', () => {
  test('is told from every decoded value', () => {
    const failure = decodeFailure('too-short');
    expect(isFailure(failure)).toBe(true);
    expect(failure.reason).toBe('too-short');
    for (const value of [{}, [], new Uint8Array(1), { failed: false }, { failed: 'true' }, { reason: 'x' }]) {
      expect(isFailure(value)).toBe(false);
    }
  });

  test('is shared, hence frozen', () => {
    expect(Object.isFrozen(decodeFailure('x'))).toBe(true);
  });
});

describe('Counters', () => {
  test('every name exists from the start', () => {
    expect(new Counters(['a', 'b']).snapshot()).toEqual({ a: 0, b: 0 });
  });

  test('count by one, or by more', () => {
    const counters = new Counters(['a', 'b']);
    counters.add('a');
    counters.add('a', 5);
    expect(counters.get('a')).toBe(6);
    expect(counters.get('b')).toBe(0);
  });

  test('a snapshot does not change any more', () => {
    const counters = new Counters(['a']);
    const snapshot = counters.snapshot();
    counters.add('a');
    expect(snapshot).toEqual({ a: 0 });
  });
});
