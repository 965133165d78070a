import { describe, expect, it, vi } from 'vitest';
import { FrameReader } from '../../src/node/frame-reader.ts';

function framed(length: number, fill = 7): Buffer {
  const frame = Buffer.alloc(2 + length, fill);
  frame.writeUInt16BE(length);
  return frame;
}

/** Every frame of `stream`, given in chunks of `size` bytes. */
function read(stream: Buffer, size: number, max = 0xffff): number[] {
  const reader = new FrameReader();
  const lengths: number[] = [];
  for (let at = 0; at < stream.length; at += size) {
    reader.feed(stream.subarray(at, at + size));
    for (let frame = reader.next(max); frame !== undefined; frame = reader.next(max)) {
      if (frame === 'too-long') return [...lengths, -1];
      expect(frame.every((byte) => byte === 7)).toBe(true);
      lengths.push(frame.length);
    }
  }
  return lengths;
}

describe('FrameReader', () => {
  it.each([1, 2, 3, 5, 7, 64, 1000, 100_000])('cuts the same frames out of chunks of %i bytes', (size) => {
    const lengths = [0, 1, 2, 300, 0, 8192, 5];
    expect(read(Buffer.concat(lengths.map((length) => framed(length))), size)).toEqual(lengths);
  });

  it.each([1, 2, 50])('says of a frame that is too long so, behind those that are not (%i)', (size) => {
    expect(read(Buffer.concat([framed(9), framed(11)]), size, 10)).toEqual([9, -1]);
  });

  it('A10: a long frame that drips is not copied anew for each byte', () => {
    const stream = framed(0xffff);
    const copy = vi.spyOn(Buffer.prototype, 'copy');
    let copied = 0;
    try {
      expect(read(stream, 1)).toEqual([0xffff]);
      for (const { type, value } of copy.mock.results) if (type === 'return') copied += Number(value);
    } finally {
      copy.mockRestore();
    }
    expect(copied).toBeLessThan(4 * stream.length);
  });
});
