import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RtpPacket } from '../../src/rtp/index.ts';
import {
  RtpWriter,
  fitsOneByteForm,
  setMarker,
  setPayloadType,
  setSequenceNumber,
  setSsrc,
  setTimestamp,
} from '../../src/rtp/index.ts';
import { there, viewed } from './viewed.ts';

const OFFSET = 13;

function packetOf(into: Uint8Array, length: number): RtpPacket {
  return viewed(into.subarray(OFFSET, OFFSET + length));
}

const header = fc.record({
  marker: fc.boolean(),
  payloadType: fc.nat(127),
  sequenceNumber: fc.nat(0xffff),
  timestamp: fc.nat(0xffff_ffff),
  ssrc: fc.nat(0xffff_ffff),
});
type Header = typeof header extends fc.Arbitrary<infer T> ? T : never;

const extensions = fc.oneof(
  fc.record({
    form: fc.constant('one-byte' as const),
    values: fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 14 }), fc.uint8Array({ minLength: 1, maxLength: 16 })),
      { selector: ([id]) => id, maxLength: 8 },
    ),
  }),
  fc.record({
    form: fc.constant('two-byte' as const),
    values: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
      selector: ([id]) => id,
      maxLength: 8,
    }),
  }),
);

function begin(writer: RtpWriter, into: Uint8Array<ArrayBuffer>, head: Header): void {
  writer.start(into, OFFSET, head.marker, head.payloadType, head.sequenceNumber, head.timestamp, head.ssrc);
}

function fieldsOf({ marker, payloadType, sequenceNumber, timestamp, ssrc }: RtpPacket): Header {
  return { marker, payloadType, sequenceNumber, timestamp, ssrc };
}

describe('RtpWriter', () => {
  const writer = new RtpWriter();

  it('writes what RtpPacket reads, in either form of extensions', () => {
    fc.assert(
      fc.property(
        header,
        extensions,
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(100),
        fc.nat(255),
        (head, { form, values }, payload, cut, padding) => {
          const into = new Uint8Array(2000).fill(0xee);
          begin(writer, into, head);
          writer.beginExtensions(form);
          for (const [id, value] of values) writer.extension(id, value);
          writer.endExtensions();
          writer.payload(payload, cut);
          if (padding > 0) writer.padding(padding);
          const packet = packetOf(into, writer.length);
          expect(fieldsOf(packet)).toEqual(head);
          for (const [id, value] of values) expect(packet.extension(id)).toEqual(value);
          expect((packet.bytes[0]! & 0x10) !== 0).toBe(values.length > 0);
          expect(packet.payload).toEqual(payload.slice(cut));
          expect(packet.paddingLength).toBe(padding);
          expect(into.subarray(0, OFFSET).every((byte) => byte === 0xee)).toBe(true);
          expect(into.subarray(OFFSET + writer.length).every((byte) => byte === 0xee)).toBe(true);
        },
      ),
    );
  });

  it('writes numbers as extensions of one to four bytes', () => {
    const into = new Uint8Array(100);
    writer.start(into, OFFSET, false, 96, 1, 2, 3);
    writer.beginExtensions('one-byte');
    for (const bytes of [1, 2, 3, 4] as const) writer.extensionNumber(bytes, bytes, 0x8899aabb);
    writer.endExtensions();
    const packet = packetOf(into, writer.length);
    expect([1, 2, 3, 4].map((id) => [...there(packet.extension(id))])).toEqual([
      [0xbb],
      [0xaa, 0xbb],
      [0x99, 0xaa, 0xbb],
      [0x88, 0x99, 0xaa, 0xbb],
    ]);
  });

  it('puts other bytes in place of the beginning of a payload, of any length, wherever it begins', () => {
    const payload = Uint8Array.from({ length: 300 }, (_, i) => i);
    for (const replaced of [0, 1, 6, 12, 64, 65, 200]) {
      const into = new Uint8Array(600);
      writer.start(into, OFFSET, false, 96, 1, 2, 3);
      writer.payload(Uint8Array.of(201, 202));
      writer.payload(payload, replaced);
      const packet = packetOf(into, writer.length);
      expect([...packet.payload]).toEqual([201, 202, ...payload.subarray(replaced)]);
      expect(packet.ssrc).toBe(3);
    }
  });

  it.each([
    ['one-byte', 14, 16],
    ['two-byte', 255, 255],
    ['two-byte', 1, 0],
  ] as const)(
    'writes the longest, and the shortest, that the %s form can say: id %i, %i bytes',
    (form, id, length) => {
      const into = new Uint8Array(600);
      writer.start(into, OFFSET, false, 96, 1, 2, 3);
      writer.beginExtensions(form);
      writer.extension(id, new Uint8Array(length).fill(7));
      writer.endExtensions();
      expect(packetOf(into, writer.length).extension(id)).toEqual(new Uint8Array(length).fill(7));
    },
  );

  it.each([
    ['one-byte', 15, 1],
    ['one-byte', 0, 1],
    ['one-byte', 1, 0],
    ['one-byte', 1, 17],
    ['two-byte', 0, 1],
    ['two-byte', 256, 1],
    ['two-byte', 1, 256],
  ] as const)('refuses an extension that the %s form cannot say: id %i, %i bytes', (form, id, length) => {
    const into = new Uint8Array(600);
    writer.start(into, 0, false, 96, 1, 2, 3);
    writer.beginExtensions(form);
    const { length: before } = writer;
    expect(() => {
      writer.extension(id, new Uint8Array(length));
    }).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    expect(writer.length).toBe(before);
    if (form === 'one-byte') expect(fitsOneByteForm(id, length)).toBe(false);
  });

  it('patches a packet where it lies', () => {
    fc.assert(
      fc.property(header, header, (before, after) => {
        const into = new Uint8Array(100);
        begin(writer, into, before);
        writer.payload(Uint8Array.of(1, 2, 3));
        setMarker(into, OFFSET, after.marker);
        setPayloadType(into, OFFSET, after.payloadType);
        setSequenceNumber(into, OFFSET, after.sequenceNumber);
        setTimestamp(into, OFFSET, after.timestamp);
        setSsrc(into, OFFSET, after.ssrc);
        expect(fieldsOf(packetOf(into, writer.length))).toEqual(after);
      }),
    );
  });
});
