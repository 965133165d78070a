import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpPacket, RtpWriter, originalSequenceNumber, unwrapRtx } from '../../src/rtp/index.ts';
import { there, viewed } from './viewed.ts';

const writer = new RtpWriter();

/** A packet sent again, as RFC 4588 §4 has it. */
function repair(payload: Uint8Array, osn: number, extension: number, padding = 0): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(payload.length + padding + 100);
  writer.start(into, 0, true, 97, 4242, 90_000, 0xabcd);
  writer.beginExtensions('one-byte');
  writer.extensionNumber(3, 2, extension);
  writer.endExtensions();
  writer.originalSequenceNumber(osn);
  writer.payload(payload);
  if (padding > 0) writer.padding(padding);
  return into.slice(0, writer.length);
}

describe('RTX', () => {
  it('unwraps to what was sent first', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(0xffff),
        fc.nat(0xffff),
        fc.nat(255),
        (payload, osn, extension, padding) => {
          const bytes = repair(payload, osn, extension, padding);
          expect(originalSequenceNumber(viewed(bytes))).toBe(osn);
          const original = there(unwrapRtx(bytes, 96, 0x1234));
          expect(original.buffer).toBe(bytes.buffer);
          const packet = viewed(original);
          expect(packet).toMatchObject({
            marker: true,
            payloadType: 96,
            sequenceNumber: osn,
            timestamp: 90_000,
            ssrc: 0x1234,
            paddingLength: padding,
          });
          expect(packet.payload).toEqual(payload);
          expect([...there(packet.extension(3))]).toEqual([extension >> 8, extension & 0xff]);
        },
      ),
    );
  });

  it('leaves alone what repairs nothing: padding, and what is no packet', () => {
    const into = new Uint8Array(100);
    writer.start(into, 0, false, 97, 1, 2, 3);
    writer.padding(40);
    const padding = into.slice(0, writer.length);
    const before = padding.slice();
    expect(originalSequenceNumber(viewed(padding))).toBeUndefined();
    expect(unwrapRtx(padding, 96, 5)).toBeUndefined();
    expect(padding).toEqual(before);
    expect(unwrapRtx(new Uint8Array(20), 96, 5)).toBeUndefined();
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const given = Uint8Array.from(bytes);
        if (given.length > 0) given[0] = 0x80 | (given[0]! & 0x3f);
        const original = unwrapRtx(given, 96, 5);
        if (original !== undefined) expect(RtpPacket.view(original)).toBeDefined();
      }),
    );
  });
});
