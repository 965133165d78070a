/** DER: writing, and the cursor that must survive anything. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import {
  DER_GENERALIZED_TIME,
  DER_INTEGER,
  DER_OBJECT_IDENTIFIER,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  DER_UTC_TIME,
  derBitString,
  derInteger,
  derObjectIdentifier,
  DerReader,
  derTime,
  derValue,
} from '../../src/dtls/certificate/der.ts';

function timeText(ms: number): [number, string] {
  const encoded = derTime(ms);
  return [encoded[0] ?? 0, String.fromCharCode(...encoded.subarray(2))];
}

describe('writing', () => {
  it.each([
    [0, '3000'],
    [0x7f, '307f'],
    [0x80, '308180'],
    [0xff, '3081ff'],
    [0x100, '30820100'],
    [0xffff, '3082ffff'],
    [0x1_0000, '3083010000'],
  ])('uses the shortest length for %i bytes (X.690 §10.1)', (length, header) => {
    const encoded = derValue(DER_SEQUENCE, new Uint8Array(length));
    expect(toHex(encoded.subarray(0, header.length / 2))).toBe(header);
    expect(encoded.length).toBe(header.length / 2 + length);
  });

  it.each([
    [[], '020100'],
    [[0], '020100'],
    [[0x7f], '02017f'],
    [[0x80], '02020080'],
    [[0, 0, 1], '020101'],
    [[0, 0xff], '020200ff'],
  ])('writes the integer %j without sign and without leading zeros', (magnitude, encoded) => {
    expect(toHex(derInteger(Uint8Array.from(magnitude)))).toBe(encoded);
  });

  it.each([
    ['1.2.840.10045.2.1', '06072a8648ce3d0201'],
    ['1.2.840.113549.1.1.1', '06092a864886f70d010101'],
    ['2.5.4.3', '0603550403'],
    ['2.999.3', '0603883703'],
  ])('writes and reads the object identifier %s', (dotted, encoded) => {
    expect(toHex(derObjectIdentifier(dotted))).toBe(encoded);
    expect(new DerReader(derObjectIdentifier(dotted)).objectIdentifier()).toBe(dotted);
  });

  it('counts no unused bits in a bit string', () => {
    expect(toHex(derBitString(Uint8Array.of(0xab)))).toBe('030200ab');
  });

  it('writes UTCTime up to 2049 and GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5)', () => {
    expect(timeText(0)).toEqual([DER_UTC_TIME, '700101000000Z']);
    expect(timeText(Date.UTC(2000, 1, 29, 23, 59, 59, 999))).toEqual([DER_UTC_TIME, '000229235959Z']);
    expect(timeText(Date.UTC(2049, 11, 31, 23, 59, 59))).toEqual([DER_UTC_TIME, '491231235959Z']);
    expect(timeText(Date.UTC(2050, 0, 1))).toEqual([DER_GENERALIZED_TIME, '20500101000000Z']);
    expect(timeText(253_402_300_799_000)).toEqual([DER_GENERALIZED_TIME, '99991231235959Z']);
  });

  it('knows the calendar as Date does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (second) => {
        const [tag, text] = timeText(second * 1000);
        const iso = new Date(second * 1000).toISOString().replace(/[-:T]|\.000/g, '');
        expect(tag === DER_UTC_TIME ? iso.slice(0, 2) + text : text).toBe(iso);
      }),
    );
  });
});

describe('DerReader', () => {
  it('steps into values and out of them, passing over what was not read', () => {
    const inner = derValue(DER_SEQUENCE, derInteger(Uint8Array.of(5)), derInteger(Uint8Array.of(6)));
    const reader = new DerReader(derValue(DER_SEQUENCE, inner, derInteger(Uint8Array.of(7))));
    reader.enter(DER_SEQUENCE);
    reader.enter(DER_SEQUENCE);
    expect([...reader.content(DER_INTEGER)]).toEqual([5]);
    reader.leave();
    expect(reader.isNext(DER_INTEGER)).toBe(true);
    expect([...reader.content(DER_INTEGER)]).toEqual([7]);
    expect(reader.atEnd()).toBe(true);
    reader.leave();
    expect(reader.atEnd()).toBe(true);
    expect(reader.failed).toBe(false);
  });

  it.each([
    ['an indefinite length', [0x04, 0x80, 0x00, 0x00]],
    ['a length longer than needed', [0x04, 0x81, 0x01, 0xaa]],
    ['a length with a leading zero', [0x04, 0x82, 0x00, 0x81, ...new Array<number>(0x81).fill(0)]],
    ['a length of five bytes', [0x04, 0x85, 0, 0, 0, 0, 1, 0xaa]],
    ['a length past the end', [0x04, 0x02, 0xaa]],
    ['a length of 4 GiB', [0x04, 0x84, 0xff, 0xff, 0xff, 0xff]],
    ['a length cut off', [0x04, 0x82, 0x01]],
    ['an identifier alone', [0x04]],
    ['another identifier', [0x05, 0x00]],
    ['nothing', []],
  ])('fails for %s', (_what, bytes) => {
    const reader = new DerReader(Uint8Array.from(bytes));
    expect(reader.content(DER_OCTET_STRING)).toHaveLength(0);
    expect(reader.failed).toBe(true);
    expect(reader.isNext(DER_OCTET_STRING)).toBe(false);
  });

  it.each([
    [[0x7f], 0x7f],
    [[0x81, 0x80], 0x80],
    [[0x81, 0xff], 0xff],
    [[0x82, 0x01, 0x00], 0x100],
    [[0x82, 0xff, 0xff], 0xffff],
    [[0x83, 0x01, 0x00, 0x00], 0x1_0000],
  ])('reads the length %j', (header, length) => {
    const reader = new DerReader(Uint8Array.of(0x04, ...header, ...new Uint8Array(length)));
    expect(reader.content(DER_OCTET_STRING)).toHaveLength(length);
    expect([reader.failed, reader.atEnd()]).toEqual([false, true]);
  });

  it.each([
    [[0x81, 0x7f], 0x7f],
    [[0x82, 0x00, 0xff], 0xff],
    [[0x83, 0x00, 0xff, 0xff], 0xffff],
    [[0x84, 0x00, 0x01, 0x00, 0x00], 0x1_0000],
  ])('refuses the length %j, which is longer than needed', (header, length) => {
    const reader = new DerReader(Uint8Array.of(0x04, ...header, ...new Uint8Array(length)));
    expect([reader.content(DER_OCTET_STRING).length, reader.failed]).toEqual([0, true]);
  });

  it('does not read past a value it has entered', () => {
    const reader = new DerReader(Uint8Array.of(0x30, 0x03, 0x04, 0x02, 0xaa, 0xbb));
    reader.enter(DER_SEQUENCE);
    reader.skip(DER_OCTET_STRING);
    expect(reader.failed).toBe(true);
  });

  it('stays failed: every later answer is empty', () => {
    const reader = new DerReader(Uint8Array.of(0x05, 0x00, 0x04, 0x01, 0xaa));
    reader.skip(DER_OCTET_STRING);
    reader.enter(DER_SEQUENCE);
    reader.leave();
    expect(reader.content(DER_OCTET_STRING)).toHaveLength(0);
    expect(reader.objectIdentifier()).toBe('');
  });

  it('reads back any nesting of values', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 6 }), (content, depth) => {
        let encoded = derValue(DER_OCTET_STRING, content);
        for (let i = 0; i < depth; i++) encoded = derValue(DER_SEQUENCE, encoded);
        const reader = new DerReader(encoded);
        for (let i = 0; i < depth; i++) reader.enter(DER_SEQUENCE);
        expect([...reader.content(DER_OCTET_STRING)]).toEqual([...content]);
        for (let i = 0; i < depth; i++) reader.leave();
        expect(reader.atEnd() && !reader.failed).toBe(true);
      }),
    );
  });

  it('reads any object identifier without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
        const reader = new DerReader(derValue(DER_OBJECT_IDENTIFIER, content));
        expect(typeof reader.objectIdentifier()).toBe('string');
        expect(reader.failed).toBe(false);
      }),
    );
  });
});
