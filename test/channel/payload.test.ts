import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayloadReader, Ppid, checkedData, toPayload } from '../../src/channel/payload.ts';
import { encodeUtf8 } from '../../src/core/text.ts';

function bytes(...values: number[]): ReturnType<typeof Uint8Array.of> {
  return Uint8Array.from(values);
}

describe('user messages (RFC 8831 §6.6)', () => {
  test.each([
    ['text', 'héllo €', 51, encodeUtf8('héllo €')],
    ['binary', bytes(1, 2), 53, bytes(1, 2)],
    ['empty text', '', 56, bytes(0)],
    ['empty binary', bytes(), 57, bytes(0)],
  ])('%s has its own identifier', (_name, data, ppid, wire) => {
    expect(toPayload(data, 100)).toEqual({ ppid, data: wire });
    expect(new PayloadReader(100).read(ppid, bytes(...wire))).toMatchObject({ type: 'message', data });
  });

  test.each([7, null, undefined, {}, [1, 2], { length: 1, 0: 1 }, 5n, true])('%s is refused', (data) => {
    expect(() => checkedData(data as never)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });

  test.each<[string, unknown, number[]]>([
    ['a Uint8Array', bytes(1, 2, 3, 4), [1, 2, 3, 4]],
    ['one of another realm', vm.runInNewContext('Uint8Array.of(1, 2, 3, 4).subarray(1)'), [2, 3, 4]],
    ['a Node Buffer', Buffer.from([0, 1, 2, 3]).subarray(1), [1, 2, 3]],
    ['an ArrayBuffer', bytes(1, 2, 3, 4).buffer, [1, 2, 3, 4]],
    ['one of another realm', vm.runInNewContext('Uint8Array.of(5, 6).buffer'), [5, 6]],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2), [0, 0]],
    ['an array over one', new Uint8Array(new SharedArrayBuffer(2)).fill(7), [7, 7]],
    ['a DataView', new DataView(bytes(1, 2, 3, 4).buffer, 1, 2), [2, 3]],
    ['one of another realm', vm.runInNewContext('new DataView(Uint8Array.of(1, 2, 3).buffer, 1)'), [2, 3]],
    ['a Float32Array', new Float32Array([1.5]), [...new Uint8Array(new Float32Array([1.5]).buffer)]],
    ['a BigInt64Array', new BigInt64Array(1), [0, 0, 0, 0, 0, 0, 0, 0]],
    ['an Int8Array', Int8Array.of(-1), [255]],
    ['a Uint8ClampedArray', Uint8ClampedArray.of(300), [255]],
    ['an empty ArrayBuffer', new ArrayBuffer(0), []],
  ])('C9: the bytes of %s are taken', (_, data, expected) => {
    const taken = checkedData(data as never);
    expect(taken).toBeInstanceOf(Uint8Array);
    expect([...(taken as Uint8Array)]).toEqual(expected);
  });

  test('C9: memory that was transferred away is no empty message', () => {
    const data = bytes(1, 2, 3);
    const { buffer } = data;
    structuredClone(buffer, { transfer: [buffer] });
    // Engines before ES2024 do not say it of a buffer; they read it as empty.
    if (!('detached' in buffer)) return;
    for (const gone of [data, buffer]) {
      expect(() => checkedData(gone)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
  });

  test('A1: what is too long as text is not encoded to find that out, nor is it thrown', () => {
    expect(toPayload('x'.repeat(101), 100)).toBeUndefined();
    expect(toPayload('\ud800'.repeat(34), 100)).toBeUndefined();
    expect(toPayload('\ud800'.repeat(33), 100)?.data).toHaveLength(99);
    expect(toPayload('', 1)?.data).toHaveLength(1);
  });

  test('empty is empty, whatever the byte that carries it', () => {
    expect(new PayloadReader(100).read(Ppid.emptyText, bytes(65))).toMatchObject({ data: '', size: 0 });
    expect(new PayloadReader(100).read(Ppid.emptyBinary, bytes(65))).toMatchObject({
      data: bytes(),
      size: 0,
    });
  });

  test('text that is not UTF-8 gets replacement characters', () => {
    expect(new PayloadReader(100).read(Ppid.text, bytes(0x61, 0xff))).toMatchObject({ data: 'a\ufffd' });
  });

  test('deprecated partial pieces become one message, cut anywhere', () => {
    const text = encodeUtf8('€€');
    const reader = new PayloadReader(100);
    expect(reader.read(Ppid.partialText, text.slice(0, 2))).toEqual({ type: 'incomplete' });
    expect(reader.read(Ppid.partialText, text.slice(2, 4))).toEqual({ type: 'incomplete' });
    expect(reader.read(Ppid.text, text.slice(4))).toMatchObject({
      type: 'message',
      data: '€€',
      size: 6,
      held: 6,
      pieces: 3,
    });
    expect(reader.read(Ppid.partialBinary, bytes(1))).toEqual({ type: 'incomplete' });
    expect(reader.read(Ppid.binary, bytes(2))).toMatchObject({
      type: 'message',
      data: bytes(1, 2),
      size: 2,
      held: 2,
      pieces: 2,
    });
  });

  test('pieces of two kinds do not mix', () => {
    const reader = new PayloadReader(100);
    reader.read(Ppid.partialText, bytes(0x61));
    expect(reader.read(Ppid.binary, bytes(1))).toEqual({ type: 'violation', reason: 'mixed-partial' });
  });

  test('pieces add up to the limit and no further', () => {
    const reader = new PayloadReader(3);
    reader.read(Ppid.partialBinary, bytes(1, 2));
    expect(reader.read(Ppid.partialBinary, bytes(3, 4))).toEqual({
      type: 'violation',
      reason: 'message-too-large',
    });
  });

  test('an unknown identifier is a violation', () => {
    expect(new PayloadReader(100).read(58, bytes(1))).toEqual({ type: 'violation', reason: 'unknown-ppid' });
  });

  test('whatever is sent is received', () => {
    const data = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array());
    fc.assert(
      fc.property(data, (sent) => {
        const payload = toPayload(sent, 1000);
        if (payload === undefined) throw new Error('refused');
        const received = new PayloadReader(1000).read(payload.ppid, Uint8Array.from(payload.data));
        expect(received).toMatchObject({ type: 'message', data: sent });
      }),
    );
  });

  test('any sequence of payloads is read without throwing, and holds no more than the limit', () => {
    const piece = fc.tuple(fc.integer({ min: 49, max: 60 }), fc.uint8Array({ maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const reader = new PayloadReader(16);
        for (const [ppid, data] of pieces) {
          const received = reader.read(ppid, Uint8Array.from(data));
          if (received.type === 'message') expect(received.size).toBeLessThanOrEqual(16);
          if (received.type === 'violation') return;
        }
      }),
    );
  });
});
