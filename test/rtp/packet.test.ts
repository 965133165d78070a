import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpPacket } from '../../src/rtp/index.ts';
import { there, viewed } from './viewed.ts';

/** The twelve bytes that every packet begins with; `first` has version, P, X and CC. */
const header = (first: number): number[] => [first, 0xe0, 0x12, 0x34, 0, 0, 0x10, 0, 0xca, 0xfe, 0xba, 0xbe];
const none = (...bytes: number[]): void => {
  expect(RtpPacket.view(Uint8Array.from(bytes))).toBeUndefined();
};

describe('RtpPacket', () => {
  it('reads the fixed header', () => {
    const packet = viewed(Uint8Array.of(...header(0x80), 1, 2, 3));
    expect(packet).toMatchObject({
      marker: true,
      payloadType: 0x60,
      sequenceNumber: 0x1234,
      timestamp: 4096,
      ssrc: 0xcafebabe,
      csrcs: [],
      headerLength: 12,
      paddingLength: 0,
    });
    expect([...packet.payload]).toEqual([1, 2, 3]);
    expect(packet.extension(1)).toBeUndefined();
  });

  it('is a view: its payload is memory of the packet', () => {
    const bytes = Uint8Array.of(...header(0x80), 1, 2, 3);
    const packet = there(RtpPacket.view(bytes));
    expect(packet.bytes).toBe(bytes);
    expect(packet.payload.buffer).toBe(bytes.buffer);
    expect(packet.payload).toBe(packet.payload);
  });

  it('an empty payload is one', () => {
    expect(viewed(Uint8Array.from(header(0x80))).payload).toHaveLength(0);
  });

  it('15 CSRCs are allowed', () => {
    const csrcs = Array.from({ length: 15 }, (_, i) => [0, 0, 1, i]).flat();
    const packet = viewed(Uint8Array.of(...header(0x8f), ...csrcs, 7));
    expect(packet.csrcs).toEqual(Array.from({ length: 15 }, (_, i) => 256 + i));
    expect([...packet.payload]).toEqual([7]);
    none(...header(0x8f), ...csrcs.slice(0, -1));
  });

  it('is none of another version, and none shorter than its header', () => {
    for (const version of [0x00, 0x40, 0xc0]) none(...header(version), 1, 2, 3);
    for (let length = 0; length < 12; length++) none(...header(0x80).slice(0, length));
    none(...header(0x90));
    none(...header(0x90), 0xbe, 0xde, 0, 1);
    none(...header(0x90), 0xbe, 0xde, 0xff, 0xff, 0, 0, 0, 0);
  });

  it('that lies about its padding is none', () => {
    none(...header(0xa0));
    none(...header(0xa0), 1, 2, 0);
    none(...header(0xa0), 1, 2, 4);
    none(...header(0xb0), 0xbe, 0xde, 0, 1, 0, 0, 0, 1);
    const padding = viewed(Uint8Array.of(...header(0xa0), 0, 0, 3));
    expect(padding.paddingLength).toBe(3);
    expect(padding.payload).toHaveLength(0);
  });

  it('extensions in one-byte form, with padding between (RFC 8285 §4.2)', () => {
    const packet = viewed(
      Uint8Array.of(...header(0x90), 0xbe, 0xde, 0, 2, 0x10, 0xaa, 0, 0x21, 0xbb, 0xcc, 0, 0, 9),
    );
    expect([...there(packet.extension(1))]).toEqual([0xaa]);
    expect([...there(packet.extension(2))]).toEqual([0xbb, 0xcc]);
    expect(packet.extension(3)).toBeUndefined();
    expect(packet.extension(0)).toBeUndefined();
    expect(packet.extensionNumber(2)).toBe(0xbbcc);
    expect([...packet.payload]).toEqual([9]);
  });

  it('extensions in two-byte form, of any length and with any application bits (§4.3)', () => {
    const packet = viewed(
      Uint8Array.of(...header(0x90), 0x10, 0x0f, 0, 3, 1, 0, 0, 200, 4, 1, 2, 3, 4, 16, 1, 7, 9),
    );
    expect([...there(packet.extension(1))]).toEqual([]);
    expect([...there(packet.extension(200))]).toEqual([1, 2, 3, 4]);
    expect(packet.extensionNumber(200)).toBe(0x01020304);
    expect(packet.extensionNumber(16)).toBe(7);
    expect(packet.extensionNumber(1)).toBeUndefined();
  });

  it('of equal ids the first counts', () => {
    const packet = viewed(Uint8Array.of(...header(0x90), 0xbe, 0xde, 0, 1, 0x10, 1, 0x10, 2));
    expect(packet.extensionNumber(1)).toBe(1);
  });

  it.each([
    ['id 15', [0xf0, 0xaa, 0x20, 0xbb]],
    ['id 0 with a length', [0x01, 0xaa, 0x20, 0xbb]],
    ['one that ends behind the header', [0x1f, 0x20, 0xbb, 0x20]],
  ])('nothing is read behind %s', (_, extensions) => {
    const packet = viewed(Uint8Array.of(...header(0x90), 0xbe, 0xde, 0, 1, ...extensions, 9));
    for (let id = 0; id < 16; id++) expect(packet.extension(id)).toBeUndefined();
    expect([...packet.payload]).toEqual([9]);
  });

  it('an extension header of another profile is skipped', () => {
    const packet = viewed(Uint8Array.of(...header(0x90), 0xab, 0xac, 0, 1, 0x10, 1, 0x10, 2, 9));
    expect(packet.extension(1)).toBeUndefined();
    expect([...packet.payload]).toEqual([9]);
  });

  it('never throws, and its parts are the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, isVersion2) => {
        const given = Uint8Array.from(bytes);
        if (isVersion2 && given.length > 0) given[0] = 0x80 | (given[0]! & 0x3f);
        const packet = RtpPacket.view(given);
        if (packet === undefined) return;
        expect(packet.headerLength + packet.payload.length + packet.paddingLength).toBe(given.length);
        for (let id = 0; id < 256; id++) {
          const value = packet.extension(id);
          if (value === undefined) continue;
          expect(value.byteOffset + value.length).toBeLessThanOrEqual(packet.headerLength);
          if (value.length > 4 || value.length === 0) expect(packet.extensionNumber(id)).toBeUndefined();
          else
            expect(packet.extensionNumber(id)).toBe(value.reduce((number, byte) => number * 256 + byte, 0));
        }
      }),
    );
  });
});
