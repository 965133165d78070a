import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Reader,
  Writer,
  concatBytes,
  copyBytes,
  equalBytes,
  equalConstantTime,
  readU32,
  readU48,
  writeU24,
  writeU48,
} from '../../src/core/bytes.ts';

const WIDTHS = [
  ['u8', 1],
  ['u16', 2],
  ['u24', 3],
  ['u32', 4],
  ['u48', 6],
] as const;

describe('Reader', () => {
  test('reads big-endian fields one after the other', () => {
    const reader = new Reader(Uint8Array.of(1, 2, 3, 4, 5, 6, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 9));
    expect(reader.u8()).toBe(1);
    expect(reader.u16()).toBe(0x0203);
    expect(reader.u24()).toBe(0x040506);
    expect(reader.u32()).toBe(0xffff_ffff);
    expect(reader.u48()).toBe(2 ** 40);
    expect(reader.remaining).toBe(1);
    expect(reader.failed).toBe(false);
  });

  test.each(WIDTHS)('%s past the end is 0, fails, and the rest fails with it', (name, width) => {
    const reader = new Reader(new Uint8Array(width - 1).fill(7));
    expect(reader[name]()).toBe(0);
    expect(reader.failed).toBe(true);
    expect(reader.remaining).toBe(0);
    expect(reader.u8()).toBe(0);
  });

  test('views share memory, copies do not', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const reader = new Reader(bytes);
    const view = reader.view(2);
    const copy = reader.copy(2);
    bytes.fill(9);
    expect(Array.from(view)).toEqual([9, 9]);
    expect(Array.from(copy)).toEqual([3, 4]);
  });

  test('a reader of a part cannot leave it', () => {
    const reader = new Reader(Uint8Array.of(1, 2, 3, 4), 1);
    const part = reader.sub(2);
    expect(part.u16()).toBe(0x0203);
    expect(part.u8()).toBe(0);
    expect(part.failed).toBe(true);
    expect(reader.u8()).toBe(4);
    expect(reader.failed).toBe(false);
  });

  test('a part longer than what is left is empty, and the whole has failed', () => {
    const reader = new Reader(Uint8Array.of(1, 2));
    expect(reader.sub(3).remaining).toBe(0);
    expect(reader.failed).toBe(true);
  });

  test('a negative length fails', () => {
    const reader = new Reader(Uint8Array.of(1, 2), 1);
    reader.skip(-1);
    expect(reader.failed).toBe(true);
  });

  test('no sequence of reads throws or leaves the bytes given', () => {
    const read = fc.oneof(
      fc.constantFrom('u8', 'u16', 'u24', 'u32', 'u48').map((name) => ({ name, length: 0 })),
      fc.record({
        name: fc.constantFrom('view', 'copy', 'skip', 'sub'),
        length: fc.integer({ min: -3, max: 40 }),
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), fc.array(read), (bytes, reads) => {
        const reader = new Reader(bytes);
        let total = 0;
        for (const { name, length } of reads) {
          if (name === 'view' || name === 'copy') total += reader[name](length).length;
          else if (name === 'sub') total += reader.sub(length).remaining;
          else if (name === 'skip') reader.skip(length);
          else reader[name as 'u8']();
        }
        expect(total).toBeLessThanOrEqual(bytes.length);
        expect(reader.remaining).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('Writer', () => {
  test('what is written is read again, whatever the first capacity', () => {
    const field = fc.oneof(
      ...WIDTHS.map(([name, width]) =>
        fc.integer({ min: 0, max: 2 ** (8 * width) - 1 }).map((value) => ({ name, value })),
      ),
    );
    fc.assert(
      fc.property(fc.nat(8), fc.array(field), (capacity, fields) => {
        const writer = new Writer(capacity);
        for (const { name, value } of fields) writer[name](value);
        const reader = new Reader(writer.finish());
        for (const { name, value } of fields) expect(reader[name]()).toBe(value);
        expect(reader.remaining).toBe(0);
        expect(reader.failed).toBe(false);
      }),
    );
  });

  test('what it hands out is a copy, and a reused writer starts empty', () => {
    const writer = new Writer(4).u16(0x0102);
    const first = writer.finish();
    writer.reset().u8(9);
    expect(Array.from(first)).toEqual([1, 2]);
    expect(Array.from(writer.finish())).toEqual([9]);
    expect(writer.length).toBe(1);
  });

  test('padding is zeros, also where a reused buffer held something else', () => {
    const writer = new Writer(8).u32(0xffff_ffff).u32(0xffff_ffff).reset();
    writer.u8(1).pad(4);
    expect(Array.from(writer.finish())).toEqual([1, 0, 0, 0]);
    expect(Array.from(writer.pad(4).zeros(2).view())).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test('a field is overwritten in place', () => {
    const writer = new Writer(0).u16(0).raw(Uint8Array.of(7)).u24(0).u32(0);
    writer.patchU16(0, 0xaabb).patchU24(3, 0xccddee).patchU32(6, 0x0102_0304);
    expect(Array.from(writer.finish())).toEqual([0xaa, 0xbb, 7, 0xcc, 0xdd, 0xee, 1, 2, 3, 4]);
  });

  test('a buffer of no capacity grows', () => {
    const bytes = new Uint8Array(10_000).map((_, i) => i);
    expect(equalBytes(new Writer(0).raw(bytes).finish(), bytes)).toBe(true);
  });
});

describe('48 bits', () => {
  test.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 47, 2 ** 48 - 1])('%d survives', (value) => {
    const bytes = new Uint8Array(8).fill(0xee);
    writeU48(bytes, 1, value);
    expect(readU48(bytes, 1)).toBe(value);
    expect([bytes[0], bytes[7]]).toEqual([0xee, 0xee]);
  });
});

test('24 bits touch three bytes', () => {
  const bytes = new Uint8Array(5);
  writeU24(bytes, 1, 0xff_ffff);
  expect(Array.from(bytes)).toEqual([0, 255, 255, 255, 0]);
});

test('32 bits are unsigned', () => {
  expect(readU32(Uint8Array.of(0x80, 0, 0, 0), 0)).toBe(0x8000_0000);
});

test("a copy has memory of its own, also of Node's Buffer, whose slice would share it", () => {
  const buffer = Buffer.from([1, 2, 3, 4]);
  const copy = copyBytes(buffer, 1, 3);
  buffer.fill(9);
  expect(copy).toEqual(Uint8Array.of(2, 3));
  expect(copy.buffer.byteLength).toBe(2);
  expect(copyBytes(copy)).toEqual(copy);
});

test('parts become one', () => {
  expect(concatBytes()).toEqual(new Uint8Array(0));
  expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(
    Uint8Array.of(1, 2, 3),
  );
});

test.each([
  ['plain', equalBytes],
  ['in constant time', equalConstantTime],
])('%s: equal means the same length and the same bytes', (_name, equal) => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (a, at, flip) => {
      const b = a.slice();
      expect(equal(a, b)).toBe(true);
      expect(equal(a, a.subarray(1))).toBe(false);
      const index = at % a.length;
      b[index] = (b[index] ?? 0) ^ flip;
      expect(equal(a, b)).toBe(false);
    }),
  );
});
