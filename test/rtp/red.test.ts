import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRed, writeRed } from '../../src/rtp/index.ts';

const block = fc.record({
  payloadType: fc.nat(127),
  timestampOffset: fc.nat(0x3fff),
  payload: fc.uint8Array({ maxLength: 100 }),
});
const blocks = fc
  .tuple(fc.array(block, { maxLength: 5 }), block)
  .map(([earlier, last]) => [...earlier, { ...last, timestampOffset: 0 }]);

describe('RED', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(blocks, (written) => {
        expect(readRed(writeRed(written))).toEqual(written);
      }),
    );
  });

  it('has the headers of RFC 2198 §4', () => {
    // Its example: a primary of DVI4 (5), 8 kHz, with a redundant block of LPC (7), 14 bytes, one packet of 160 samples before.
    const payload = writeRed([
      { payloadType: 7, timestampOffset: 160, payload: new Uint8Array(14) },
      { payloadType: 5, timestampOffset: 0, payload: new Uint8Array(84) },
    ]);
    expect([...payload.subarray(0, 5)]).toEqual([0x80 | 7, 0x02, 0x80, 14, 5]);
    expect(payload).toHaveLength(5 + 14 + 84);
  });

  it('of one block is that with a byte in front', () => {
    expect(readRed(Uint8Array.of(111, 1, 2))).toEqual([
      { payloadType: 111, timestampOffset: 0, payload: Uint8Array.of(1, 2) },
    ]);
  });

  it('ends early, or with too many blocks: it is none', () => {
    const whole = writeRed([
      { payloadType: 7, timestampOffset: 160, payload: new Uint8Array(14) },
      { payloadType: 5, timestampOffset: 0, payload: Uint8Array.of() },
    ]);
    for (let length = 0; length < whole.length; length++)
      expect(readRed(whole.subarray(0, length))).toBeUndefined();
    const many = new Uint8Array(4 * 32 + 1).fill(0);
    for (let header = 0; header < 4 * 32; header += 4) many[header] = 0x80;
    expect(readRed(many)).toBeUndefined();
    expect(readRed(many.subarray(4))).toHaveLength(32);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        let length = 0;
        for (const { payload: data } of readRed(payload) ?? []) length += data.length;
        expect(length).toBeLessThanOrEqual(payload.length);
      }),
    );
  });

  it.each([
    ['no block', []],
    ['an offset for the last', [{ payloadType: 1, timestampOffset: 1, payload: Uint8Array.of() }]],
    [
      'an offset of more than 14 bits',
      [
        { payloadType: 1, timestampOffset: 0x4000, payload: Uint8Array.of() },
        { payloadType: 1, timestampOffset: 0, payload: Uint8Array.of() },
      ],
    ],
    [
      'an earlier block of more than 1,023 bytes',
      [
        { payloadType: 1, timestampOffset: 1, payload: new Uint8Array(1024) },
        { payloadType: 1, timestampOffset: 0, payload: Uint8Array.of() },
      ],
    ],
    ['a payload type of 8 bits', [{ payloadType: 128, timestampOffset: 0, payload: Uint8Array.of() }]],
  ])('refuses to write %s', (_, wrong) => {
    expect(() => writeRed(wrong)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});
