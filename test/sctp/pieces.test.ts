/** Pieces: the bytes of a message in the making, whatever comes in whatever lengths, and what they have set aside. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pieces, Reserve } from '../../src/sctp/rx/pieces.ts';

/** What a test of memory may see of an answer. */
function shape(data: Uint8Array): { readonly length: number; readonly memory: number } {
  return { length: data.length, memory: data.buffer.byteLength };
}

describe('Pieces', () => {
  test('are what was appended and joined, in order, in memory of their own', () => {
    const part = fc.record({
      payload: fc.uint8Array({ maxLength: 40 }),
      expected: fc.nat({ max: 200 }),
      /** Whether it begins pieces of its own, which are joined to the rest in the end. */
      apart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const reserve = new Reserve();
        const all: Pieces[] = [new Pieces(reserve)];
        for (const { payload, expected, apart } of parts) {
          if (apart) all.push(new Pieces(reserve));
          all.at(-1)?.append(payload, expected);
        }
        const [whole, ...others] = all;
        if (whole === undefined) return;
        for (const other of others) whole.join(other);
        const wanted = parts.flatMap(({ payload }) => [...payload]);
        expect(whole.bytes).toBe(wanted.length);
        const data = whole.take();
        expect([...data]).toEqual(wanted);
        expect(data.buffer.byteLength).toBe(wanted.length);
        expect([whole.bytes, reserve.bytes, whole.take().length]).toEqual([0, 0, 0]);
        for (const other of others) expect(other.bytes).toBe(0);
      }),
    );
  });

  test('a message as long as expected is given out as it is', () => {
    const reserve = new Reserve();
    const pieces = new Pieces(reserve);
    for (let i = 0; i < 60; i++) pieces.append(new Uint8Array(1000).fill(i), 60_000);
    expect(reserve.bytes).toBe(60_000);
    expect(shape(pieces.take())).toEqual({ length: 60_000, memory: 60_000 });
    expect(reserve.bytes).toBe(0);
  });

  test('shorter and longer ones keep nothing of what was expected', () => {
    const reserve = new Reserve();
    const pieces = new Pieces(reserve);
    pieces.append(new Uint8Array(1000), 60_000);
    expect(shape(pieces.take())).toEqual({ length: 1000, memory: 1000 });
    for (let i = 0; i < 3; i++) pieces.append(new Uint8Array(1000), 2000);
    expect(shape(pieces.take())).toEqual({ length: 3000, memory: 3000 });
    expect(reserve.bytes).toBe(0);
  });

  test('of what nobody expects, no more is set aside than half of the bytes that are there', () => {
    const made: number[] = [];
    const Original = globalThis.Uint8Array;
    globalThis.Uint8Array = new Proxy(Original, {
      construct(target, args: [number]): object {
        made.push(args[0]);
        return Reflect.construct(target, args) as object;
      },
    });
    try {
      const payload = new Original(1000);
      const pieces = new Pieces(new Reserve());
      for (let i = 0; i < 500; i++) {
        pieces.append(payload, 0);
        const memory = made.reduce((sum, length) => sum + length, 0);
        expect(memory).toBeLessThanOrEqual(1000 + pieces.bytes * 1.5);
      }
      expect(made.length).toBeLessThan(40);
    } finally {
      globalThis.Uint8Array = Original;
    }
  });

  test('all messages together set aside 256 KiB, however much they might become', () => {
    const reserve = new Reserve();
    const many = Array.from({ length: 100 }, () => new Pieces(reserve));
    for (const pieces of many) pieces.append(new Uint8Array(1), 60_000);
    expect(reserve.bytes).toBe(240_000);
    many[0]?.append(new Uint8Array(1), 60_000);
    for (const pieces of many.slice(1)) pieces.clear();
    expect(reserve.bytes).toBe(60_000);
    many[0]?.clear();
    expect(reserve.bytes).toBe(0);
  });

  test('what joins others brings along what it has set aside', () => {
    const reserve = new Reserve();
    const [one, other] = [new Pieces(reserve), new Pieces(reserve)];
    one.append(new Uint8Array(1), 500);
    other.append(new Uint8Array(1), 700);
    one.join(other);
    expect(reserve.bytes).toBe(1200);
    other.clear();
    expect(reserve.bytes).toBe(1200);
    expect(one.take().length).toBe(2);
    expect(reserve.bytes).toBe(0);
  });
});
