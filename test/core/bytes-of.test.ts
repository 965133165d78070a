/** bytesOf, of src/core/bytes.ts: what holds bytes, whoever made it. */
import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/core/bytes.ts';

/** Of a realm with classes of its own. */
function foreign(expression: string): unknown {
  return runInContext(expression, createContext({}));
}

describe('bytesOf', () => {
  test.each([
    ['a buffer', Uint8Array.of(1, 2).buffer, [1, 2]],
    ['a shared buffer', new SharedArrayBuffer(2), [0, 0]],
    ['a part of a buffer', new DataView(Uint8Array.of(1, 2, 3).buffer, 1, 1), [2]],
    ['two words', Uint16Array.of(0x0101, 0x0202), [1, 1, 2, 2]],
    ['an empty buffer', new ArrayBuffer(0), []],
    ['an array of another realm', foreign('Uint8Array.of(1, 2)'), [1, 2]],
    ['a buffer of another realm', foreign('Uint8Array.of(1, 2).buffer'), [1, 2]],
    ['a shared buffer of another realm', foreign('new SharedArrayBuffer(1)'), [0]],
    ['a view of another realm', foreign('new DataView(Uint8Array.of(1, 2).buffer, 1)'), [2]],
  ])('%s', (_, data, expected) => {
    const bytes = bytesOf(data);
    expect(bytes && Array.from(bytes)).toEqual(expected);
  });

  test.each([undefined, null, 7, 'text', [1, 2], {}, { byteLength: 2 }])('%j is none', (data) => {
    expect(bytesOf(data)).toBeUndefined();
  });

  test('the same memory is seen, not a copy', () => {
    const buffer = new ArrayBuffer(2);
    const bytes = bytesOf(buffer);
    new Uint8Array(buffer)[1] = 9;
    expect(bytes).toEqual(Uint8Array.of(0, 9));
  });

  test('memory that was given away holds nothing, an array over none holds no bytes', () => {
    const bytes = new Uint8Array(2);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    // Engines before ES2024 cannot tell.
    const isTold = 'detached' in ArrayBuffer.prototype;
    expect(bytesOf(bytes)?.length).toBe(isTold ? undefined : 0);
    expect(bytesOf(new Uint8Array(0))).toEqual(new Uint8Array(0));
  });
});
