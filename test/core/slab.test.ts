/** Memory for bytes that do not live long: pieces of shared slabs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Writer, copyBytes, ownBytes } from '../../src/core/bytes.ts';
import { briefBytes, briefCopy, wireBytes, wireCopy } from '../../src/core/slab.ts';

describe('brief memory', () => {
  it('gives each piece to one owner, all zeros, across the ends of slabs', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }), (lengths) => {
        const pieces = lengths.map((length) => briefBytes(length));
        pieces.forEach((piece, i) => {
          expect(piece.length).toBe(lengths[i]);
          expect(piece.every((byte) => byte === 0)).toBe(true);
          piece.fill(i + 1);
        });
        pieces.forEach((piece, i) => {
          expect(piece.every((byte) => byte === ((i + 1) & 255))).toBe(true);
        });
      }),
    );
  });

  it('shares buffers among what is neither short nor long, and nothing else', () => {
    const buffers = Array.from({ length: 10 }, () => briefBytes(100).buffer);
    expect(new Set(buffers).size).toBeLessThanOrEqual(2);
    expect(briefBytes(64).buffer.byteLength).toBe(64);
    expect(briefBytes(2049).buffer.byteLength).toBe(2049);
  });

  it('copies a part or all, and leaves the original alone', () => {
    const original = Uint8Array.from({ length: 200 }, (_, i) => i);
    for (const [start, end] of [
      [0, 200],
      [0, 100],
      [7, 190],
      [50, 51],
      [200, 200],
    ] as const) {
      const copy = wireCopy(original, start, end);
      expect(copy).toEqual(original.slice(start, end));
      copy.fill(255);
      expect(original[start] ?? 200).toBe(start);
    }
  });
});

describe('what is sent', () => {
  it('shares no buffer with what was opened', () => {
    const inside = Array.from({ length: 300 }, (_, i) => briefCopy(new Uint8Array(65 + i).fill(7)));
    const sent = Array.from({ length: 300 }, (_, i) => wireBytes(65 + i));
    const buffers = new Set(inside.map((piece) => piece.buffer));
    expect(inside.every((piece) => piece.every((byte) => byte === 7))).toBe(true);
    expect(sent.some((piece) => buffers.has(piece.buffer))).toBe(false);
  });
});

describe('a writer that lives long', () => {
  it('keeps no slab alive, however it grows', () => {
    const writer = new Writer(100, ownBytes).raw(new Uint8Array(90));
    expect(writer.view().buffer.byteLength).toBe(100);
    expect(writer.raw(new Uint8Array(90)).view().buffer.byteLength).toBe(200);
    expect(new Writer(100).u8(1).view().buffer.byteLength).toBe(16_384);
  });
});

describe('a copy to keep', () => {
  it('has a buffer of its own, of its own length, however short', () => {
    const original = briefBytes(150).fill(3);
    for (const length of [0, 1, 64, 65, 150]) {
      const copy = copyBytes(original, 150 - length);
      expect(copy).toEqual(new Uint8Array(length).fill(3));
      expect(copy.buffer.byteLength).toBe(length);
    }
  });
});
